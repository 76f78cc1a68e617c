/* Reading JSON files.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "json.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include <weft/operator.h>

#include "bytes.h"

#define MOST_BYTES (64 << 20)
#define MOST_DEPTH 64

static gboolean
refuse (const char *path, const char *what, GError **error)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %s", path, what);
  return FALSE;
}

/* The byte after the string that begins at @at. */
static gsize
skip_string (const char *text, gsize length, gsize at)
{
  for (at++; at < length && text[at] != '"'; at++)
    at += text[at] == '\\';
  return MIN (at + 1, length);
}

/* The JSON parser recurses without bound, and takes comments and strings in single quotes, in which brackets could hide from this count:
 * what is no JSON doesn't get to it. */
static gboolean
check_nesting (const char *path, const char *text, gsize length, GError **error)
{
  int depth = 0;
  for (gsize at = 0; at < length;)
    {
      if (text[at] == '"')
        {
          at = skip_string (text, length, at);
          continue;
        }
      if (!g_ascii_isalnum (text[at]) && !g_ascii_isspace (text[at]) && (text[at] == '\0' || strchr ("{}[]:,+-.", text[at]) == NULL))
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: not JSON: unexpected byte 0x%02x at byte %" G_GSIZE_FORMAT, path,
                       (guint) (guchar) text[at], at);
          return FALSE;
        }
      depth += text[at] == '{' || text[at] == '[' ? 1 : text[at] == '}' || text[at] == ']' ? -1 : 0;
      if (depth > MOST_DEPTH)
        return refuse (path, "nested too deeply: at most 64 levels are read", error);
      if (depth < 0)
        return refuse (path, "not JSON: brackets that don't match", error);
      at++;
    }
  return TRUE;
}

static gboolean
parse (JsonParser *parser, const char *path, const char *text, gsize length, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (!g_utf8_validate_len (text, length, NULL))
    return refuse (path, "not JSON: not UTF-8, or a NUL byte", error);
  if (!check_nesting (path, text, length, error))
    return FALSE;
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
      refuse (path, "larger than 64 MiB, which no description or vocabulary is", error);
      return NULL;
    }
  g_autofree char *text = g_malloc (length + 1);
  if (!weft_bytes_read (file, 0, text, length, error) || !parse (parser, path, text, length, error))
    return NULL;
  return g_steal_pointer (&parser);
}
