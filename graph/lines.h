/* Text files of one entry a line: captions, ids, vocabularies.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WeftLines WeftLines;

/**
 * weft_lines_read:
 * @allow_empty: whether empty lines are entries; otherwise they are an error
 *
 * Reads a whole regular file. LF or CRLF, with or without a last newline, a byte-order mark is skipped. Invalid UTF-8, NUL, and lines over
 * 1 MiB are errors that name the line.
 */
WeftLines *weft_lines_read (const char *path, gboolean allow_empty, GError **error);
void weft_lines_free (WeftLines *lines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftLines, weft_lines_free)
guint weft_lines_count (const WeftLines *lines);
/* NUL-terminated; @length may be NULL. */
const char *weft_lines_get (const WeftLines *lines, guint index, gsize *length);

G_END_DECLS
