/* Pipelines of replays: composed, built, loaded, planned.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <json-glib/json-glib.h>
#include <math.h>

#include "compose.h"
#include "pipeline.h"
#include "places.h"
#include "registry.h"
#include "replay.h"
#include "weights.h"

gboolean
setup_open (Setup *setup, const char *name, const GPtrArray *overlays, const GPtrArray *settings, GError **error)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autofree char *path = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", name, NULL);
  const char *const search[] = { weft_places_pipelines (), NULL };
  WeftComposition composition = { .path = path,
                                  .overlays = overlays ? (const char *const *) overlays->pdata : NULL,
                                  .settings = (const char *const *) settings->pdata,
                                  .search = search };
  *setup = (Setup){ 0 };
  setup->document = weft_compose (&composition, problems);
  setup->pipeline = setup->document ? weft_pipeline_build (setup->document, problems) : NULL;
  if (!weft_problems_to_error (problems, error))
    return FALSE;
  setup->store = weft_store_new ();
  setup->team = weft_team_new (2, error);
  return setup->team != NULL && weft_store_prepare (setup->store, setup->pipeline, 0, error)
         && weft_weights_load (setup->store, setup->pipeline, NULL, error);
}

void
setup_clear (Setup *setup)
{
  g_clear_pointer (&setup->team, weft_team_free);
  g_clear_pointer (&setup->store, weft_store_free);
  g_clear_pointer (&setup->pipeline, weft_pipeline_free);
  g_clear_pointer (&setup->document, weft_value_unref);
}

gboolean
run_open (Run *run, const Setup *setup, const char *graph, GError **error)
{
  *run = (Run){ .graph = weft_pipeline_graph (setup->pipeline, graph) };
  for (guint i = 0; i < run->graph->collects->len; i++)
    {
      WeftWire *wire = g_array_index (run->graph->collects, WeftCollect, i).wire;
      wire->read = wire->kept = TRUE;
    }
  run->plan = weft_plan_new (run->graph, error);
  run->executor = run->plan ? weft_executor_new (run->plan, setup->store, setup->team, 0, error) : NULL;
  if (run->executor == NULL)
    return FALSE;
  weft_executor_watch (run->executor, TRUE);
  return TRUE;
}

void
run_clear (Run *run)
{
  g_clear_pointer (&run->executor, weft_executor_free);
  g_clear_pointer (&run->plan, weft_plan_free);
}

gboolean
run_step (Run *run, GError **error)
{
  return weft_executor_step (run->executor, run->step++, 0, error) == WEFT_STEP_DONE;
}

const WeftTensor *
run_value (const Run *run, const char *name)
{
  for (guint i = 0; i < run->graph->collects->len; i++)
    {
      const WeftCollect *collect = &g_array_index (run->graph->collects, WeftCollect, i);
      if (g_str_equal (collect->name, name))
        return weft_executor_value (run->executor, collect->wire);
    }
  return NULL;
}

WeftTensor *
file_tensor (WeftSafetensors *file, const char *name, GError **error)
{
  const WeftTensor *there = weft_safetensors_find (file, name);
  g_autoptr (WeftTensor) tensor = g_new0 (WeftTensor, 1);
  if (there == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "there is no tensor \"%s\"", name);
      return NULL;
    }
  gint64 n = weft_tensor_elements (there);
  *tensor = *there;
  tensor->data = g_malloc0 ((gsize) MAX (n, 1) * sizeof (float));
  if (there->type != WEFT_I64)
    {
      tensor->type = there->type == WEFT_I32 ? WEFT_I32 : WEFT_F32;
      return (there->type == WEFT_I32 ? weft_safetensors_read (file, name, tensor->data, error)
                                      : weft_safetensors_read_f32 (file, name, tensor->data, error))
                 ? g_steal_pointer (&tensor)
                 : NULL;
    }
  g_autofree gint64 *wide = g_new (gint64, MAX (n, 1));
  tensor->type = WEFT_I32;
  if (!weft_safetensors_read (file, name, wide, error))
    return NULL;
  for (gint64 i = 0; i < n; i++)
    ((gint32 *) tensor->data)[i] = (gint32) wide[i];
  return g_steal_pointer (&tensor);
}

void
file_tensor_free (WeftTensor *tensor)
{
  if (tensor == NULL)
    return;
  g_free (tensor->offsets);
  g_free (tensor->data);
  g_free (tensor);
}

void
make_ragged (WeftTensor *tensor, gint32 *offsets, gint64 samples)
{
  tensor->offsets = offsets;
  tensor->samples = samples;
}

static JsonNode *
metadata_node (const WeftSafetensors *file, const char *key)
{
  const char *text = weft_safetensors_metadata (file, key);
  return text != NULL ? json_from_string (text, NULL) : NULL;
}

double
metadata_number (const WeftSafetensors *file, const char *key, double fallback)
{
  g_autoptr (JsonNode) node = metadata_node (file, key);
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_double (node) : fallback;
}

guint
metadata_length (const WeftSafetensors *file, const char *key)
{
  g_autoptr (JsonNode) node = metadata_node (file, key);
  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_array_get_length (json_node_get_array (node)) : 0;
}

double
metadata_item (const WeftSafetensors *file, const char *key, guint index, int inner)
{
  g_autoptr (JsonNode) node = metadata_node (file, key);
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node) || index >= json_array_get_length (json_node_get_array (node)))
    return NAN;
  JsonNode *item = json_array_get_element (json_node_get_array (node), index);
  if (inner < 0)
    return json_node_get_double (item);
  return json_array_get_double_element (json_node_get_array (item), (guint) inner);
}

void
add_setting (GPtrArray *settings, const char *format, ...)
{
  va_list list;
  va_start (list, format);
  g_ptr_array_add (settings, g_strdup_vprintf (format, list));
  va_end (list);
}
