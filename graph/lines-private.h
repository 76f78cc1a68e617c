/* What both ways of reading lines demand of one.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "lines.h"

G_BEGIN_DECLS

#define WEFT_LONGEST_LINE (1 << 20)
#define WEFT_MOST_LINES (100 * 1000 * 1000)

/* Whether NUL-terminated @text of @length bytes, which is line @line of @path, is an entry. */
gboolean weft_line_check (const char *path, guint line, const char *text, gsize length, gboolean allow_empty, GError **error);

/* Bytes of a byte-order mark at the start of @text. */
gsize weft_line_mark (const char *text, gsize size);

G_END_DECLS
