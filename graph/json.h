/* JSON files of others, bounded in size and nesting.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Reads a JSON file whose root is an object. */
JsonParser *weft_json_load (const char *path, GError **error);

G_END_DECLS
