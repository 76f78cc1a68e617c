/* Captions in JSON: Karpathy's form and COCO's.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <json-glib/json-glib.h>
#include <string.h>
#include <weft/json.h>
#include <weft/operator.h>

#include "album.h"

static gboolean
fail (const AlbumDraft *draft, GError **error, const char *list, guint index, const char *what)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %s[%u] %s", draft->layout->captions, list, index, what);
  return FALSE;
}

/* A string member; (nullable). */
static const char *
string_of (JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member (object, key);
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
}

static JsonArray *
array_of (JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member (object, key);
  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static JsonObject *
item_of (JsonArray *array, guint index)
{
  JsonNode *node = json_array_get_element (array, index);
  return JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/* A number or string as the text by which images are known. */
static char *
id_of (JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member (object, key);
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
    return NULL;
  if (json_node_get_value_type (node) == G_TYPE_INT64)
    return g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (node));
  return json_node_dup_string (node);
}

static gboolean
belongs (const char *split, const char *wanted)
{
  if (strcmp (wanted, "dev") == 0)
    return strcmp (split, "val") == 0 || strcmp (split, "dev") == 0;
  if (strcmp (wanted, "train") == 0)
    return strcmp (split, "train") == 0 || strcmp (split, "restval") == 0;
  return strcmp (split, wanted) == 0;
}

static gboolean
read_sentences (AlbumDraft *draft, Photograph *photograph, JsonArray *sentences, guint index, GError **error)
{
  for (guint k = 0; k < json_array_get_length (sentences); k++)
    {
      JsonObject *sentence = item_of (sentences, k);
      const char *raw = sentence != NULL ? string_of (sentence, "raw") : NULL;
      if (raw == NULL)
        return fail (draft, error, "images", index, "has a sentence without \"raw\"");
      if (!album_draft_caption (draft, photograph, raw, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_karpathy (AlbumDraft *draft, JsonArray *images, GError **error)
{
  for (guint i = 0; i < json_array_get_length (images); i++)
    {
      JsonObject *image = item_of (images, i);
      const char *file = image != NULL ? string_of (image, "filename") : NULL, *split = image != NULL ? string_of (image, "split") : NULL;
      JsonArray *sentences = image != NULL ? array_of (image, "sentences") : NULL;
      if (file == NULL || split == NULL || sentences == NULL)
        return fail (draft, error, "images", i, "needs \"filename\", \"split\" and \"sentences\"");
      if (!belongs (split, draft->layout->split))
        continue;
      const char *folder = string_of (image, "filepath");
      g_autofree char *name = folder != NULL ? g_build_filename (folder, file, NULL) : g_strdup (file);
      Photograph *photograph = album_draft_find (draft, name, error);
      if (photograph == NULL || !read_sentences (draft, photograph, sentences, i, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_coco (AlbumDraft *draft, JsonArray *images, JsonArray *annotations, GError **error)
{
  g_autoptr (GHashTable) by_id = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < json_array_get_length (images); i++)
    {
      JsonObject *image = item_of (images, i);
      char *id = image != NULL ? id_of (image, "id") : NULL;
      const char *file = image != NULL ? string_of (image, "file_name") : NULL;
      Photograph *photograph = file != NULL ? album_draft_find (draft, file, error) : NULL;
      if (id == NULL || file == NULL || photograph == NULL)
        {
          g_free (id);
          return file != NULL && photograph == NULL ? FALSE : fail (draft, error, "images", i, "needs \"id\" and \"file_name\"");
        }
      g_hash_table_replace (by_id, id, photograph);
    }
  for (guint i = 0; i < json_array_get_length (annotations); i++)
    {
      JsonObject *annotation = item_of (annotations, i);
      g_autofree char *id = annotation != NULL ? id_of (annotation, "image_id") : NULL;
      const char *caption = annotation != NULL ? string_of (annotation, "caption") : NULL;
      Photograph *photograph = id != NULL ? g_hash_table_lookup (by_id, id) : NULL;
      if (caption == NULL || photograph == NULL)
        return fail (draft, error, "annotations", i, "needs \"caption\" and the \"image_id\" of one of the images");
      if (!album_draft_caption (draft, photograph, caption, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
album_read_json (AlbumDraft *draft, gboolean *known, GError **error)
{
  const char *path = draft->layout->captions;
  g_autoptr (JsonParser) parser = weft_json_load (path, error);
  if (parser == NULL)
    return FALSE;
  JsonObject *object = json_node_get_object (json_parser_get_root (parser));
  JsonArray *images = array_of (object, "images"), *annotations = images != NULL ? array_of (object, "annotations") : NULL;
  if (images == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has no list \"images\", expected Karpathy's or COCO's captions", path);
      return FALSE;
    }
  *known = annotations == NULL;
  return annotations != NULL ? read_coco (draft, images, annotations, error) : read_karpathy (draft, images, error);
}
