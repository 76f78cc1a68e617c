/* Reading JSON files.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "json.h"

#include <weft/operator.h>

#include "bytes.h"

#define MOST_BYTES (16 << 20)
#define MOST_DEPTH 64

/* The JSON parser recurses without bound. Brackets in strings count too: then the text is merely refused a little early. */
static gboolean
nests_too_deeply (const char *text, gsize length)
{
  int depth = 0;
  for (gsize i = 0; i < length; i++)
    {
      depth += text[i] == '{' || text[i] == '[' ? 1 : text[i] == '}' || text[i] == ']' ? -1 : 0;
      if (depth > MOST_DEPTH || depth < 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
refuse (const char *path, const char *what, GError **error)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %s", path, what);
  return FALSE;
}

static gboolean
parse (JsonParser *parser, const char *path, const char *text, gsize length, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (nests_too_deeply (text, length))
    return refuse (path, "brackets that don't match, or nested too deeply", error);
  if (!json_parser_load_from_data (parser, text, (gssize) length, &local))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: not JSON: %s", path, local->message);
      return FALSE;
    }
  JsonNode *root = json_parser_get_root (parser);
  return (root != NULL && JSON_NODE_HOLDS_OBJECT (root)) || refuse (path, "not a JSON object", error);
}

JsonParser *
weft_json_load (const char *path, GError **error)
{
  g_autoptr (WeftBytes) file = weft_bytes_open (path, error);
  g_autoptr (JsonParser) parser = json_parser_new ();
  if (file == NULL)
    return NULL;
  guint64 length = weft_bytes_length (file);
  if (length > MOST_BYTES)
    {
      refuse (path, "too large for a model's description", error);
      return NULL;
    }
  g_autofree char *text = g_malloc (length + 1);
  if (!weft_bytes_read (file, 0, text, length, error) || !parse (parser, path, text, length, error))
    return NULL;
  return g_steal_pointer (&parser);
}
