/* Reading JSON files.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "json.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include <weft/operator.h>

#include "bytes.h"

#define MOST_BYTES (512 << 20)
#define MOST_DEPTH 64

static gboolean
refuse (const char *path, const char *what, GError **error)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %s", path, what);
  return FALSE;
}

/* Four hexadecimal digits behind \u, or -1. */
static int
unit_at (const char *text, gsize length)
{
  int unit = 0;
  if (length < 6 || text[0] != '\\' || text[1] != 'u')
    return -1;
  for (guint i = 2; i < 6; i++)
    {
      if (!g_ascii_isxdigit (text[i]))
        return -1;
      unit = unit << 4 | g_ascii_xdigit_value (text[i]);
    }
  return unit;
}

gsize
weft_json_escape (const char *text, gsize length)
{
  if (length >= 2 && text[1] != '\0' && strchr ("\"\\/bfnrt", text[1]) != NULL)
    return 2;
  int first = unit_at (text, length);
  if (first <= 0 || (first >= 0xdc00 && first < 0xe000))
    return 0;
  if (first < 0xd800 || first >= 0xe000)
    return 6;
  int second = unit_at (text + 6, length - 6);
  return second >= 0xdc00 && second < 0xe000 ? 12 : 0;
}

/* The byte after the string that begins at @at; 0 if an escape in it is none of JSON. */
static gsize
skip_string (const char *text, gsize length, gsize at)
{
  for (at++; at < length && text[at] != '"';)
    {
      gsize bytes = text[at] == '\\' ? weft_json_escape (text + at, length - at) : 1;
      if (bytes == 0)
        return 0;
      at += bytes;
    }
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
          if (at == 0)
            return refuse (path, "not JSON: a string with an escape that JSON doesn't have, or of no character", error);
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
      /* It quotes the text, and cuts it anywhere. */
      g_autofree char *reason = g_utf8_make_valid (local->message, -1);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: not JSON: %s", path, reason);
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
      refuse (path, "larger than 512 MiB, which no description, vocabulary or list of captions is", error);
      return NULL;
    }
  g_autofree char *text = g_try_malloc (length + 1);
  if (text == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: no memory for its %" G_GUINT64_FORMAT " bytes", path, length);
      return NULL;
    }
  if (!weft_bytes_read (file, 0, text, length, error) || !parse (parser, path, text, length, error))
    return NULL;
  return g_steal_pointer (&parser);
}
