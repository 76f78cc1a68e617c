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
 * Reads a JSON file whose root is an object: UTF-8, at most 64 MiB and 64 levels deep, without the comments and single quotes that
 * json-glib takes.
 *
 * Returns: (transfer full) (nullable)
 */
JsonParser *weft_json_load (const char *path, GError **error);

G_END_DECLS
