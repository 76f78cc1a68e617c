/* One face for the forms of tensor files.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "tensor-file.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include <weft/operator.h>

#include "bytes.h"
#include "json.h"
#include "safetensors.h"
#include "torch-file.h"

typedef struct
{
  WeftSafetensors *safetensors; /* one of the two */
  WeftTorchFile *torch;
} Part;

struct _WeftTensorFile
{
  const char *form;
  GHashTable *parts;  /* file name → Part */
  GHashTable *places; /* tensor's name → Part */
  GPtrArray *names;   /* (element-type utf8) */
};

static void
free_part (gpointer data)
{
  Part *part = data;
  weft_safetensors_close (part->safetensors);
  weft_torch_file_close (part->torch);
  g_free (part);
}

static gboolean
open_part (const char *path, Part *part, GError **error)
{
  g_autoptr (WeftBytes) bytes = weft_bytes_open (path, error);
  guint8 begin[9] = { 0 };
  if (bytes == NULL || !weft_bytes_read (bytes, 0, begin, MIN (weft_bytes_length (bytes), sizeof begin), error))
    return FALSE;
  /* A safetensors header can't begin like a zip archive, nor like a pickle unless its ninth byte, which opens the JSON, is there too. */
  if (begin[8] != '{' && weft_torch_file_begins (begin, sizeof begin))
    part->torch = weft_torch_file_open (path, error);
  else
    part->safetensors = weft_safetensors_open (path, error);
  return part->torch != NULL || part->safetensors != NULL;
}

static const char *const *
names_of (const Part *part)
{
  return part->torch != NULL ? weft_torch_file_names (part->torch) : weft_safetensors_names (part->safetensors);
}

static const WeftTensor *
find_in (const Part *part, const char *name)
{
  return part->torch != NULL ? weft_torch_file_find (part->torch, name) : weft_safetensors_find (part->safetensors, name);
}

static Part *
add_part (WeftTensorFile *file, const char *name, const char *path, GError **error)
{
  Part *part = g_new0 (Part, 1);
  if (!open_part (path, part, error))
    {
      free_part (part);
      return NULL;
    }
  g_hash_table_insert (file->parts, g_strdup (name), part);
  return part;
}

static void
place (WeftTensorFile *file, const char *name, Part *part)
{
  char *owned = g_strdup (name);
  if (g_hash_table_insert (file->places, owned, part))
    g_ptr_array_add (file->names, owned);
}

static gboolean
place_from_index (WeftTensorFile *file, const char *index, const char *name, JsonNode *node, GError **error)
{
  const char *base = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
  g_autofree char *folder = g_path_get_dirname (index);
  if (base == NULL || *base == '\0' || *base == '.' || strpbrk (base, "/\\") != NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: \"%s\" is in no file beside the index", index, name);
      return FALSE;
    }
  g_autofree char *path = g_build_filename (folder, base, NULL);
  Part *part = g_hash_table_lookup (file->parts, base);
  if (part == NULL && (part = add_part (file, base, path, error)) == NULL)
    return FALSE;
  if (find_in (part, name) == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has no tensor \"%s\", though %s says so", path, name, index);
      return FALSE;
    }
  place (file, name, part);
  return TRUE;
}

static gboolean
open_index (WeftTensorFile *file, const char *path, GError **error)
{
  g_autoptr (JsonParser) parser = weft_json_load (path, error);
  if (parser == NULL)
    return FALSE;
  JsonObject *root = json_node_get_object (json_parser_get_root (parser));
  JsonNode *map = json_object_get_member (root, "weight_map");
  if (map == NULL || !JSON_NODE_HOLDS_OBJECT (map))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has no weight_map from names of tensors to files", path);
      return FALSE;
    }
  JsonObjectIter iterator;
  const char *name;
  JsonNode *node;
  json_object_iter_init_ordered (&iterator, json_node_get_object (map));
  while (json_object_iter_next_ordered (&iterator, &name, &node))
    if (!place_from_index (file, path, name, node, error))
      return FALSE;
  file->form = "parts";
  return TRUE;
}

static gboolean
open_single (WeftTensorFile *file, const char *path, GError **error)
{
  Part *part = add_part (file, path, path, error);
  if (part == NULL)
    return FALSE;
  for (const char *const *name = names_of (part); *name != NULL; name++)
    place (file, *name, part);
  file->form = part->torch != NULL ? "PyTorch" : "safetensors";
  return TRUE;
}

WeftTensorFile *
weft_tensor_file_open (const char *path, GError **error)
{
  g_autoptr (WeftTensorFile) file = g_new0 (WeftTensorFile, 1);
  file->parts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_part);
  file->places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  file->names = g_ptr_array_new ();
  if (!(g_str_has_suffix (path, ".json") ? open_index : open_single) (file, path, error))
    return NULL;
  g_ptr_array_add (file->names, NULL);
  return g_steal_pointer (&file);
}

void
weft_tensor_file_close (WeftTensorFile *file)
{
  if (file == NULL)
    return;
  g_ptr_array_unref (file->names);
  g_hash_table_unref (file->places);
  g_hash_table_unref (file->parts);
  g_free (file);
}

const char *
weft_tensor_file_form (const WeftTensorFile *file)
{
  return file->form;
}

const char *const *
weft_tensor_file_names (const WeftTensorFile *file)
{
  return (const char *const *) file->names->pdata;
}

const WeftTensor *
weft_tensor_file_find (const WeftTensorFile *file, const char *name)
{
  const Part *part = g_hash_table_lookup (file->places, name);
  return part != NULL ? find_in (part, name) : NULL;
}

static Part *
find_part (const WeftTensorFile *file, const char *name, GError **error)
{
  Part *part = g_hash_table_lookup (file->places, name);
  if (part == NULL)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "the file has no tensor \"%s\"", name);
  return part;
}

gboolean
weft_tensor_file_read (WeftTensorFile *file, const char *name, gpointer data, GError **error)
{
  Part *part = find_part (file, name, error);
  if (part == NULL)
    return FALSE;
  return part->torch != NULL ? weft_torch_file_read (part->torch, name, data, error)
                             : weft_safetensors_read (part->safetensors, name, data, error);
}

gboolean
weft_tensor_file_read_f32 (WeftTensorFile *file, const char *name, float *data, GError **error)
{
  Part *part = find_part (file, name, error);
  if (part == NULL)
    return FALSE;
  return part->torch != NULL ? weft_torch_file_read_f32 (part->torch, name, data, error)
                             : weft_safetensors_read_f32 (part->safetensors, name, data, error);
}

const char *
weft_tensor_file_metadata (const WeftTensorFile *file, const char *key)
{
  GHashTableIter iterator;
  gpointer part;
  if (g_hash_table_size (file->parts) != 1)
    return NULL;
  g_hash_table_iter_init (&iterator, file->parts);
  g_hash_table_iter_next (&iterator, NULL, &part);
  return ((Part *) part)->safetensors != NULL ? weft_safetensors_metadata (((Part *) part)->safetensors, key) : NULL;
}
