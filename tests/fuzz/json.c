/* JSON files of others.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include <json-glib/json-glib.h>

#include "json.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  GError *error = NULL;
  g_autoptr (JsonParser) parser = weft_json_load (fuzz_file (data, size), &error);
  if (parser == NULL)
    fuzz_failed (error);
  else
    {
      JsonNode *root = json_parser_get_root (parser);
      g_assert (JSON_NODE_HOLDS_OBJECT (root));
      g_autofree char *text = json_to_string (root, FALSE);
      g_assert (g_utf8_validate (text, -1, NULL));
    }
  return 0;
}
