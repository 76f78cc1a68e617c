/* JSON files of others, bounded in size and nesting.
 *
 * Whoever looks into what it returns includes json-glib's header as well; this one stands alone.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _JsonParser JsonParser;

/**
 * weft_json_load:
 *
 * Reads a JSON file whose root is an object: UTF-8, at most 512 MiB and 64 levels deep, without the comments, single quotes
 * and octal escapes that json-glib takes, and without NUL and halves of surrogate pairs: all its strings are UTF-8.
 *
 * Returns: (transfer full) (nullable)
 */
JsonParser *weft_json_load (const char *path, GError **error);

/* Length of the escape that @text begins with, which is one character or a whole surrogate pair; 0 if JSON has none such, or it is NUL. */
gsize weft_json_escape (const char *text, gsize length);

G_END_DECLS
