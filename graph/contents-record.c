/* Digests of data files as a run records them, and what has become of the data since.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <json-glib/json-glib.h>
#include <string.h>

#include "contents.h"

static JsonObject *
write_one (const WeftContents *one)
{
  JsonObject *object = json_object_new ();
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (one->modified);
  g_autofree char *modified = time ? g_date_time_format (time, "%FT%TZ") : NULL;
  g_autofree char *path = g_filename_display_name (one->path);
  json_object_set_string_member (object, "path", path);
  if (one->files)
    json_object_set_int_member (object, "files", one->files);
  json_object_set_int_member (object, "bytes", (gint64) one->bytes);
  if (modified)
    json_object_set_string_member (object, "modified", modified);
  if (one->digest)
    json_object_set_string_member (object, "sha256", one->digest);
  json_object_set_string_member (object, "of", one->of);
  if (one->problem)
    json_object_set_string_member (object, "problem", one->problem);
  return object;
}

JsonNode *
weft_contents_write (const GPtrArray *contents)
{
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *array = json_array_new ();
  for (guint i = 0; i < contents->len; i++)
    json_array_add_object_element (array, write_one (contents->pdata[i]));
  json_node_take_array (node, array);
  return node;
}

static const char *
text_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);
  return node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
}

static gint64
integer_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);
  return node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_int (node) : 0;
}

GPtrArray *
weft_contents_read (JsonNode *node)
{
  GPtrArray *contents = weft_contents_new ();
  JsonArray *array = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  for (guint i = 0; array && i < json_array_get_length (array); i++)
    {
      JsonNode *element = json_array_get_element (array, i);
      JsonObject *object = JSON_NODE_HOLDS_OBJECT (element) ? json_node_get_object (element) : NULL;
      const char *path = object ? text_of (object, "path") : NULL, *of = object ? text_of (object, "of") : NULL;
      if (!path || !of)
        continue;
      WeftContents *one = g_new0 (WeftContents, 1);
      one->path = g_strdup (path);
      one->files = (guint) CLAMP (integer_of (object, "files"), 0, G_MAXUINT);
      one->bytes = (guint64) integer_of (object, "bytes");
      one->of = g_intern_string (of);
      one->digest = g_strdup (text_of (object, "sha256"));
      g_ptr_array_add (contents, one);
    }
  return contents;
}

/* JSON has only names that are UTF-8. */
static gboolean
has_path (const WeftContents *one, const char *path)
{
  g_autofree char *own = g_filename_display_name (one->path), *other = g_filename_display_name (path);
  return strcmp (own, other) == 0;
}

static gboolean
has_name (const WeftContents *one, const char *name)
{
  g_autofree char *own = g_path_get_basename (one->path);
  return strcmp (own, name) == 0;
}

/* What @one is in @others: the same path, else the same name with the same digest. */
static const WeftContents *
find (const GPtrArray *others, const WeftContents *one)
{
  g_autofree char *name = g_path_get_basename (one->path);
  for (guint i = 0; i < others->len; i++)
    if (has_path (others->pdata[i], one->path))
      return others->pdata[i];
  for (guint i = 0; i < others->len; i++)
    {
      const WeftContents *other = others->pdata[i];
      if (other->digest && g_strcmp0 (other->digest, one->digest) == 0 && has_name (other, name))
        return other;
    }
  return NULL;
}

/* Digests that were taken in another way say nothing; sizes do. */
static char *
compare (const WeftContents *before, const WeftContents *now)
{
  if (!now->digest)
    return NULL;
  if (before->bytes != now->bytes)
    return g_strdup_printf ("%s: has %" G_GUINT64_FORMAT " bytes, and had %" G_GUINT64_FORMAT, now->path, now->bytes, before->bytes);
  if (before->digest && strcmp (before->of, now->of) == 0 && strcmp (before->digest, now->digest) != 0)
    return g_strdup_printf ("%s: holds something else than before, by SHA-256 of its %s", now->path, now->of);
  return NULL;
}

GPtrArray *
weft_contents_differences (const GPtrArray *before, const GPtrArray *now)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < now->len; i++)
    if (((const WeftContents *) now->pdata[i])->problem)
      g_ptr_array_add (lines, g_strdup (((const WeftContents *) now->pdata[i])->problem));
  for (guint i = 0; i < before->len; i++)
    {
      const WeftContents *one = before->pdata[i], *other = find (now, one);
      char *line = other ? compare (one, other) : g_strdup_printf ("%s: is no longer among the data", one->path);
      if (line)
        g_ptr_array_add (lines, line);
    }
  return lines;
}
