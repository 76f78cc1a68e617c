/* Reading an index.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "index.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include <weft/json.h>
#include <weft/npy.h>
#include <weft/operator.h>

const char *const scan_names[] = { "float32", "float16", "int8", NULL };

static const struct
{
  const char *ending, *type;
} picture_types[] = {
  { ".jpg", "image/jpeg" },  { ".jpeg", "image/jpeg" }, { ".png", "image/png" },
  { ".webp", "image/webp" }, { ".tif", "image/tiff" },  { ".tiff", "image/tiff" },
};

const char *
picture_type (const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);
  for (guint i = 0; i < G_N_ELEMENTS (picture_types); i++)
    if (g_str_has_suffix (lower, picture_types[i].ending))
      return picture_types[i].type;
  return NULL;
}

static void
unmap (Mapped *mapped)
{
  g_clear_pointer (&mapped->file, g_mapped_file_unref);
}

static void
side_free (gpointer data)
{
  Side *side = data;
  unmap (&side->exact);
  unmap (&side->scanned);
  unmap (&side->scales);
  unmap (&side->errors);
  g_clear_pointer (&side->names, weft_lines_free);
  g_free (side->name);
  g_free (side);
}

/* Maps INDEX/NAME-SUFFIX.npy, which must have the given type and sizes; @width 0: one dimension. */
static gboolean
map (const Index *index, const Side *side, const char *suffix, WeftType type, gint64 width, Mapped *mapped, GError **error)
{
  g_autofree char *name = g_strconcat (side->name, suffix, ".npy", NULL), *path = g_build_filename (index->path, name, NULL);
  g_autoptr (WeftNpy) npy = weft_npy_open (path, error);
  if (npy == NULL)
    return FALSE;
  const WeftTensor *tensor = weft_npy_tensor (npy);
  if (tensor->type != type || tensor->rank != (width ? 2 : 1) || tensor->shape[0] != side->rows || (width && tensor->shape[1] != width))
    {
      g_autofree char *found = weft_tensor_describe (tensor);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: holds %s, index.json says %" G_GINT64_FORMAT " rows of %" G_GINT64_FORMAT,
                   path, found, side->rows, side->width);
      return FALSE;
    }
  mapped->file = g_mapped_file_new (path, FALSE, error);
  if (mapped->file == NULL)
    return FALSE;
  gsize bytes = weft_tensor_bytes (tensor), length = g_mapped_file_get_length (mapped->file);
  if (length < bytes)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: is cut off", path);
      return FALSE;
    }
  mapped->data = g_mapped_file_get_contents (mapped->file) + (length - bytes);
  return TRUE;
}

static gboolean
refuse (GError **error, const char *path, const char *what)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %s; make the index anew with `weft index`", path, what);
  return FALSE;
}

/* A name that is a file's, not a path. */
static gboolean
is_plain (const char *name)
{
  return *name != '\0' && *name != '.'
         && strspn (name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == strlen (name);
}

static gboolean
open_files (const Index *index, Side *side, GError **error)
{
  g_autofree char *name = g_strconcat (side->name, ".txt", NULL), *path = g_build_filename (index->path, name, NULL);
  static const char *const suffixes[] = { "", "-float16", "-int8" };
  static const WeftType types[] = { WEFT_F32, WEFT_F16, WEFT_U8 };
  if (!map (index, side, "", WEFT_F32, side->width, &side->exact, error) || !map (index, side, "-errors", WEFT_F32, 0, &side->errors, error)
      || !map (index, side, suffixes[side->scan], types[side->scan], side->width, &side->scanned, error)
      || (side->scan == SCAN_INT8 && !map (index, side, "-scales", WEFT_F32, 0, &side->scales, error)))
    return FALSE;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  side->names = weft_lines_read (path, TRUE, error);
  if (side->names == NULL)
    return FALSE;
  return weft_lines_count (side->names) == side->rows || refuse (error, path, "has another number of lines than there are items");
}

static gboolean
add_side (Index *index, const char *file, const char *name, JsonNode *node, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  Side *side = g_new0 (Side, 1);
  const char *scan = object ? json_object_get_string_member_with_default (object, "scan", "") : "";
  guint found = 0;
  side->name = g_strdup (name);
  g_ptr_array_add (index->sides, side);
  while (scan_names[found] && strcmp (scan_names[found], scan) != 0)
    found++;
  side->scan = (Scan) found;
  side->rows = object ? json_object_get_int_member_with_default (object, "rows", 0) : 0;
  side->width = object ? json_object_get_int_member_with_default (object, "width", 0) : 0;
  side->text = object && json_object_get_boolean_member_with_default (object, "text", FALSE);
  if (!is_plain (name) || !scan_names[found] || side->rows < 1 || side->width < 1 || side->rows > G_MAXINT32 || side->width > 1 << 20)
    return refuse (error, file, "describes its sides in another way");
  return open_files (index, side, error);
}

static gboolean
read_description (Index *index, GError **error)
{
  g_autofree char *file = g_build_filename (index->path, "index.json", NULL);
  g_autoptr (JsonParser) parser = weft_json_load (file, error);
  if (parser == NULL)
    {
      g_prefix_error (error, "%s: not an index of `weft index`: ", index->path);
      return FALSE;
    }
  JsonNode *root = json_parser_get_root (parser);
  JsonObject *object = root && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  JsonNode *sides = object ? json_object_get_member (object, "sides") : NULL,
           *settings = object ? json_object_get_member (object, "settings") : NULL;
  if (!object || json_object_get_int_member_with_default (object, "version", 0) != INDEX_VERSION)
    return refuse (error, file, "is of another version");
  if (!sides || !JSON_NODE_HOLDS_OBJECT (sides))
    return refuse (error, file, "describes no sides");
  index->run = g_strdup (json_object_get_string_member_with_default (object, "run", ""));
  GPtrArray *strings = g_ptr_array_new ();
  for (guint i = 0; settings && JSON_NODE_HOLDS_ARRAY (settings) && i < json_array_get_length (json_node_get_array (settings)); i++)
    {
      const char *text = json_node_get_string (json_array_get_element (json_node_get_array (settings), i));
      g_ptr_array_add (strings, g_strdup (text ? text : ""));
    }
  g_ptr_array_add (strings, NULL);
  index->settings = (char **) g_ptr_array_free (strings, FALSE);
  JsonObjectIter iterator;
  const char *name;
  JsonNode *node;
  json_object_iter_init_ordered (&iterator, json_node_get_object (sides));
  while (json_object_iter_next_ordered (&iterator, &name, &node))
    if (!add_side (index, file, name, node, error))
      return FALSE;
  return index->sides->len > 0 || refuse (error, file, "describes no sides");
}

Index *
index_open (const char *path, GError **error)
{
  g_autoptr (Index) index = g_new0 (Index, 1);
  index->path = g_canonicalize_filename (path, NULL);
  index->sides = g_ptr_array_new_with_free_func (side_free);
  return read_description (index, error) ? g_steal_pointer (&index) : NULL;
}

void
index_free (Index *index)
{
  if (index == NULL)
    return;
  g_ptr_array_unref (index->sides);
  g_strfreev (index->settings);
  g_free (index->run);
  g_free (index->path);
  g_free (index);
}

const Side *
index_side (const Index *index, const char *name)
{
  for (guint i = 0; i < index->sides->len; i++)
    if (strcmp (((const Side *) index->sides->pdata[i])->name, name) == 0)
      return index->sides->pdata[i];
  return NULL;
}

const Side *
index_first (const Index *index, gboolean text)
{
  for (guint i = 0; i < index->sides->len; i++)
    if (((const Side *) index->sides->pdata[i])->text == text)
      return index->sides->pdata[i];
  return NULL;
}

const char *
side_item (const Side *side, gint64 row)
{
  return side->names ? weft_lines_get (side->names, (guint) row, NULL) : NULL;
}

char *
index_picture (const Index *index, gint64 row)
{
  for (guint i = 0; i < G_N_ELEMENTS (picture_types); i++)
    {
      g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT "%s", row, picture_types[i].ending);
      g_autofree char *path = g_build_filename (index->path, "pictures", name, NULL);
      if (g_file_test (path, G_FILE_TEST_IS_REGULAR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        return g_steal_pointer (&path);
    }
  return NULL;
}
