/* Files that hold trained models: Hugging Face folders, safetensors files, run directories.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "model-file.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "checkpoint.h"
#include "json.h"
#include "tensor-file.h"

struct _WeftModelFile
{
  char *path;
  char *config_path;
  WeftTensorFile *tensors;
  JsonParser *config; /* NULL if there is none */
};

static JsonObject *
config_of (const WeftModelFile *file)
{
  return file->config != NULL ? json_node_get_object (json_parser_get_root (file->config)) : NULL;
}

static gboolean
has_file (const char *folder, const char *name, char **path)
{
  g_autofree char *full = g_build_filename (folder, name, NULL);
  if (!g_file_test (full, G_FILE_TEST_IS_REGULAR))
    return FALSE;
  if (path != NULL)
    *path = g_steal_pointer (&full);
  return TRUE;
}

/* The model of a Hugging Face folder, in the forms that their library looks for, in its order. */
static gboolean
has_model (const char *folder, char **path)
{
  static const char *const names[] = { "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                       "pytorch_model.bin.index.json" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (has_file (folder, names[i], path))
      return TRUE;
  return FALSE;
}

/* Why a folder can't be loaded, and what to do. */
static gboolean
refuse_folder (const char *path, GError **error)
{
  const char *why = "has neither best.safetensors (a run directory) nor config.json and model.safetensors (a Hugging Face folder)";
  if (has_model (path, NULL))
    why = "has a model but no config.json; name the model's file itself if it needs none";
  else if (has_file (path, "pipeline.yaml", NULL))
    why = "is a run directory without best.safetensors: the run has not validated yet";
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: the folder %s", path, why);
  return FALSE;
}

static gboolean
find_file (WeftModelFile *file, const char *path, GError **error)
{
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: no such file or folder to load weights from", path);
      return FALSE;
    }
  if (!g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      file->path = g_strdup (path);
      return TRUE;
    }
  if (has_file (path, "best.safetensors", &file->path))
    return TRUE;
  if (!has_file (path, "config.json", &file->config_path) || !has_model (path, &file->path))
    return refuse_folder (path, error);
  file->config = weft_json_load (file->config_path, error);
  return file->config != NULL;
}

WeftModelFile *
weft_model_file_open (const char *path, GError **error)
{
  g_autoptr (WeftModelFile) file = g_new0 (WeftModelFile, 1);
  if (!find_file (file, path, error))
    return NULL;
  file->tensors = weft_tensor_file_open (file->path, error);
  if (file->tensors == NULL || (weft_model_file_is_own (file) && !weft_checkpoint_verify (file->path, NULL, error)))
    return NULL;
  return g_steal_pointer (&file);
}

void
weft_model_file_close (WeftModelFile *file)
{
  if (file == NULL)
    return;
  g_clear_object (&file->config);
  weft_tensor_file_close (file->tensors);
  g_free (file->config_path);
  g_free (file->path);
  g_free (file);
}

const char *
weft_model_file_path (const WeftModelFile *file)
{
  return file->path;
}

/* A value by its key; `vision_config.patch_size` is a key in a map. */
static JsonNode *
config_value (const WeftModelFile *file, const char *key)
{
  g_auto (GStrv) steps = g_strsplit (key, ".", -1);
  JsonObject *config = config_of (file);
  JsonNode *node = NULL;
  for (guint i = 0; steps[i] != NULL && config != NULL; i++)
    {
      node = json_object_get_member (config, steps[i]);
      config = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      if (config == NULL && steps[i + 1] != NULL)
        return NULL;
    }
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? node : NULL;
}

const char *
weft_model_file_type (const WeftModelFile *file)
{
  JsonNode *node = config_value (file, "model_type");
  const char *type = node != NULL ? json_node_get_string (node) : NULL;
  return type != NULL && strpbrk (type, "/\\") == NULL ? type : NULL;
}

gboolean
weft_model_file_is_own (const WeftModelFile *file)
{
  return weft_tensor_file_metadata (file->tensors, "weft.checkpoint") != NULL;
}

const char *const *
weft_model_file_names (const WeftModelFile *file)
{
  return weft_tensor_file_names (file->tensors);
}

const WeftTensor *
weft_model_file_find (const WeftModelFile *file, const char *name)
{
  return weft_tensor_file_find (file->tensors, name);
}

static char *
print_node (JsonNode *node)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_dup_string (node);
  json_generator_set_root (generator, node);
  return json_generator_to_data (generator, NULL);
}

/* Whether the configuration says @text, as a number if it is one. */
static gboolean
says (JsonNode *node, const char *text)
{
  char *end;
  double number = g_ascii_strtod (text, &end);
  GType type = json_node_get_value_type (node);
  if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
    return end != text && *end == '\0' && json_node_get_double (node) == number;
  if (type == G_TYPE_BOOLEAN)
    return g_str_equal (text, json_node_get_boolean (node) ? "true" : "false");
  return g_strcmp0 (json_node_get_string (node), text) == 0;
}

static const WeftAttribute *
find_attribute (const WeftOperator *op, const char *name)
{
  for (const WeftAttribute *attribute = op->attributes; attribute != NULL && attribute->name != NULL; attribute++)
    if (g_str_equal (attribute->name, name))
      return attribute;
  return NULL;
}

static char *
print_attribute (const WeftAttribute *attribute, gconstpointer attributes)
{
  gconstpointer field = (const char *) attributes + attribute->offset;
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  switch (attribute->kind)
    {
    case WEFT_ATTRIBUTE_INTEGER:
      return g_strdup_printf ("%" G_GINT64_FORMAT, *(const gint64 *) field);
    case WEFT_ATTRIBUTE_NUMBER:
      return g_strdup (g_ascii_dtostr (number, sizeof number, *(const double *) field));
    case WEFT_ATTRIBUTE_BOOLEAN:
      return g_strdup (*(const gboolean *) field ? "true" : "false");
    case WEFT_ATTRIBUTE_CHOICE:
      return g_strdup (attribute->choices[*(const int *) field]);
    case WEFT_ATTRIBUTE_STRING:
      return g_strdup (*(const char *const *) field);
    default:
      return NULL;
    }
}

/* Holds one attribute of the nodes that @pattern names ("PATTERN.ATTRIBUTE") against the configuration. Differences are told once: the
 * nodes of a repeated layer all say the same. */
static void
check_attribute (const WeftModelFile *file, const char *key, const WeftValue *pattern, const WeftPipeline *pipeline, const char *prefix,
                 WeftMark mark, WeftProblems *problems)
{
  JsonNode *node = config_value (file, key);
  const char *text = weft_value_text (pattern), *dot = strrchr (text, '.');
  gsize length = strlen (prefix);
  if (dot == NULL)
    {
      weft_problems_add (problems, weft_value_mark (pattern), "expected PATTERN.ATTRIBUTE, for example \"**.heads\"");
      return;
    }
  g_autofree char *nodes = g_strndup (text, (gsize) (dot - text));
  for (guint g = 0; node != NULL && g < pipeline->graphs->len; g++)
    {
      const WeftGraph *graph = pipeline->graphs->pdata[g];
      for (guint i = 0; i < graph->nodes->len; i++)
        {
          const WeftNode *at = graph->nodes->pdata[i];
          const WeftAttribute *attribute = at->kind == WEFT_NODE_FORWARD ? find_attribute (at->op, dot + 1) : NULL;
          if (attribute == NULL || at->store_path == NULL || strncmp (at->store_path, prefix, length) != 0 || at->store_path[length] != '.'
              || !weft_path_match (nodes, at->store_path + length + 1))
            continue;
          g_autofree char *value = print_attribute (attribute, at->attributes);
          if (value == NULL || says (node, value))
            continue;
          g_autofree char *config = print_node (node);
          weft_problems_add (problems, mark, "%s says %s: %s, but `%s` has %s: %s", file->config_path, key, config, at->store_path,
                             attribute->name, value);
          return;
        }
    }
}

gboolean
weft_model_file_check (const WeftModelFile *file, const WeftNameMap *map, const WeftPipeline *pipeline, const char *prefix, WeftMark mark,
                       WeftProblems *problems)
{
  const WeftValue *expect = weft_name_map_expect (map), *config = weft_name_map_config (map);
  guint before = weft_problems_count (problems);
  for (guint i = 0; expect != NULL && i < weft_value_length (expect); i++)
    {
      JsonNode *node = config_value (file, weft_value_key (expect, i));
      const char *text = weft_value_text (weft_value_item (expect, i));
      if (node == NULL || says (node, text))
        continue;
      g_autofree char *value = print_node (node);
      weft_problems_add (problems, mark, "%s says %s: %s; only %s is supported", file->config_path, weft_value_key (expect, i), value,
                         text);
    }
  for (guint i = 0; config != NULL && i < weft_value_length (config); i++)
    check_attribute (file, weft_value_key (config, i), weft_value_item (config, i), pipeline, prefix, mark, problems);
  return weft_problems_count (problems) == before;
}

gboolean
weft_model_file_read (WeftModelFile *file, const char *name, WeftTensor *to, GError **error)
{
  const WeftTensor *from = weft_tensor_file_find (file->tensors, name);
  if (to->type == WEFT_F32)
    return weft_tensor_file_read_f32 (file->tensors, name, to->data, error);
  if (from->type == to->type)
    return weft_tensor_file_read (file->tensors, name, to->data, error);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: \"%s\" holds %s, %s is needed", file->path, name, weft_type_name (from->type),
               weft_type_name (to->type));
  return FALSE;
}
