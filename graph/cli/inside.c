/* A look inside one graph.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "inside.h"

#include <stdio.h>
#include <string.h>

#include "checkpoint.h"
#include "directory.h"
#include "npy.h"
#include "weights.h"

static void
given_free (gpointer data)
{
  WeftTensor *tensor = data;
  g_free (tensor->data);
  g_free (tensor->offsets);
  g_free (tensor);
}

void
weft_inside_free (WeftInside *inside)
{
  if (!inside)
    return;
  g_clear_pointer (&inside->executor, weft_executor_free);
  g_clear_pointer (&inside->plan, weft_plan_free);
  g_clear_pointer (&inside->passes, weft_passes_free);
  g_clear_pointer (&inside->team, weft_team_free);
  weft_opened_clear (&inside->opened);
  g_clear_pointer (&inside->store, weft_store_free);
  g_clear_pointer (&inside->given, g_ptr_array_unref);
  g_free (inside);
}

static WeftGraph *
choose_graph (const WeftPipeline *pipeline, const WeftRecipe *recipe, const char *name)
{
  if (!name)
    return recipe->train_graph ? weft_pipeline_graph (pipeline, recipe->train_graph) : pipeline->graphs->pdata[0];
  WeftGraph *graph = weft_pipeline_graph (pipeline, name);
  if (graph)
    return graph;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; i < pipeline->graphs->len; i++)
    g_ptr_array_add (names, ((WeftGraph *) pipeline->graphs->pdata[i])->name);
  g_ptr_array_add (names, NULL);
  g_autofree char *hint = weft_suggestion (name, (const char *const *) names->pdata);
  fprintf (stderr, "there is no graph \"%s\"%s\n", name, hint);
  return NULL;
}

static gboolean
fill_store (WeftInside *inside, const char *path, const WeftCommonOptions *common, GError **error)
{
  guint64 seed = (guint64) inside->opened.recipe->seed;
  inside->store = weft_store_new ();
  inside->team = weft_team_new ((guint) MAX (common->threads, 0), error);
  if (!inside->team || !weft_store_prepare (inside->store, inside->opened.pipeline, seed, error))
    return FALSE;
  g_autofree char *last = g_build_filename (path, "last.safetensors", NULL);
  if (!weft_directory_is_run (path))
    return weft_weights_load (inside->store, inside->opened.pipeline, NULL, error);
  return weft_checkpoint_load (inside->store, last, NULL, error);
}

WeftInside *
weft_inside_open (const char *path, const WeftCommonOptions *common, const char *graph)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) settings = weft_cli_settings (common);
  g_autoptr (WeftInside) inside = g_new0 (WeftInside, 1);
  inside->given = g_ptr_array_new_with_free_func (given_free);
  weft_open (path, (const char *const *) common->overlays, (const char *const *) settings, NULL, TRUE, &inside->opened, problems);
  if (!weft_problems_to_error (problems, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return NULL;
    }
  inside->graph = choose_graph (inside->opened.pipeline, inside->opened.recipe, graph);
  if (!inside->graph)
    return NULL;
  if (fill_store (inside, path, common, &error))
    return g_steal_pointer (&inside);
  fprintf (stderr, "%s\n", error->message);
  return NULL;
}

static WeftWire *
main_output (const WeftNode *node)
{
  for (guint p = 0; p < weft_port_count (node->op->outputs); p++)
    if (node->outputs[p])
      return node->outputs[p];
  for (guint p = 0; p < WEFT_MAX_PORTS; p++)
    if (node->in_gradients[p] && node->in_gradients[p][0])
      return node->in_gradients[p][0];
    else if (node->parameter_gradients[p])
      return node->parameter_gradients[p];
  return NULL;
}

WeftWire *
weft_inside_want (WeftInside *inside, const char *reference)
{
  WeftWire *wire = weft_graph_wire (inside->graph, reference);
  const WeftNode *node = wire ? NULL : weft_graph_node (inside->graph, reference);
  if (node && !wire)
    wire = main_output (node);
  if (wire && wire->node)
    {
      wire->read = wire->kept = TRUE;
      return wire;
    }
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; i < inside->graph->nodes->len; i++)
    g_ptr_array_add (names, ((WeftNode *) inside->graph->nodes->pdata[i])->path);
  for (guint i = 0; i < inside->graph->pruned->len; i++)
    if (strcmp (inside->graph->pruned->pdata[i], reference) == 0)
      {
        fprintf (stderr, "`%s` is left out of graph `%s`: nobody needs it\n", reference, inside->graph->name);
        return NULL;
      }
  g_ptr_array_add (names, NULL);
  g_autofree char *hint = weft_suggestion (reference, (const char *const *) names->pdata);
  fprintf (stderr, "graph `%s` has no value `%s`%s\n", inside->graph->name, reference, hint);
  return NULL;
}

/* Names of the graphs that @graph reads, those they read first. */
static void
add_dependencies (const WeftPipeline *pipeline, const WeftGraph *graph, GPtrArray *names, guint depth)
{
  for (guint i = 0; i < graph->feeds->len && depth < 64; i++)
    {
      const WeftNode *feed = graph->feeds->pdata[i];
      const WeftGraph *other = feed->collected_graph ? weft_pipeline_graph (pipeline, feed->collected_graph) : NULL;
      if (!other || g_ptr_array_find_with_equal_func (names, other->name, g_str_equal, NULL))
        continue;
      add_dependencies (pipeline, other, names, depth + 1);
      g_ptr_array_add (names, g_strdup (other->name));
    }
}

/* An array for @feed from a file. Samples of equal length may stand as one more dimension. */
static WeftTensor *
read_given (const WeftNode *feed, const char *path, GError **error)
{
  g_autoptr (WeftNpy) npy = weft_npy_open (path, error);
  if (!npy)
    return NULL;
  const WeftShape *shape = &feed->outputs[0]->shape;
  WeftTensor *tensor = g_new (WeftTensor, 1);
  *tensor = *weft_npy_tensor (npy);
  gint64 rows = tensor->rank ? tensor->shape[0] : 1;
  tensor->offsets = NULL;
  tensor->samples = 0;
  tensor->data = g_try_malloc (MAX (weft_tensor_bytes (tensor), 1));
  if (!tensor->data || !weft_npy_read (npy, 0, rows, tensor->data, error))
    {
      given_free (tensor);
      return NULL;
    }
  if (shape->rank && shape->dims[0].ragged && tensor->rank == shape->rank + 1)
    {
      tensor->samples = tensor->shape[0];
      tensor->offsets = g_new (gint32, tensor->samples + 1);
      for (gint64 i = 0; i <= tensor->samples; i++)
        tensor->offsets[i] = (gint32) (i * tensor->shape[1]);
      tensor->shape[0] *= tensor->shape[1];
      memmove (tensor->shape + 1, tensor->shape + 2, sizeof (gint64) * (tensor->rank - 2));
      tensor->rank--;
    }
  return tensor;
}

static const WeftTensor *
find_fed (WeftInside *inside, const WeftNode *feed, char **feeds, GError **error)
{
  gsize length = strlen (feed->path);
  for (char **given = feeds; given && *given; given++)
    if (g_str_has_prefix (*given, feed->path) && (*given)[length] == '=')
      {
        WeftTensor *tensor = read_given (feed, *given + length + 1, error);
        if (tensor)
          g_ptr_array_add (inside->given, tensor);
        return tensor;
      }
  if (feed->collected_graph && inside->passes)
    {
      g_autofree char *reference = g_strconcat (feed->collected_graph, ".", feed->collected_name, NULL);
      return weft_passes_collected (inside->passes, reference);
    }
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "graph `%s` wants `%s` to be fed: --feed %s=FILE.npy", inside->graph->name, feed->path,
               feed->path);
  return NULL;
}

static gboolean
make_ready (WeftInside *inside, char **feeds, GError **error)
{
  guint64 seed = (guint64) inside->opened.recipe->seed;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free), fed = g_ptr_array_new ();
  for (char **given = feeds; given && *given; given++)
    {
      g_autofree char *name = g_strndup (*given, strcspn (*given, "="));
      const WeftNode *node = weft_graph_node (inside->graph, name);
      if (node && g_ptr_array_find (inside->graph->feeds, node, NULL))
        continue;
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "graph `%s` has no feed `%s`; operator feed makes one", inside->graph->name, name);
      return FALSE;
    }
  add_dependencies (inside->opened.pipeline, inside->graph, names, 0);
  if (names->len)
    inside->passes = weft_passes_new (inside->opened.pipeline, names, inside->store, inside->team, seed, error);
  if (names->len && (!inside->passes || !weft_passes_run (inside->passes, NULL, NULL, error)))
    return FALSE;
  for (guint i = 0; i < inside->graph->feeds->len; i++)
    {
      const WeftTensor *tensor = find_fed (inside, inside->graph->feeds->pdata[i], feeds, error);
      if (!tensor)
        return FALSE;
      weft_feed_bound (inside->graph->feeds->pdata[i], tensor);
      g_ptr_array_add (fed, (gpointer) tensor);
    }
  inside->plan = weft_plan_new (inside->graph, error);
  inside->executor = inside->plan ? weft_executor_new (inside->plan, inside->store, inside->team, seed, error) : NULL;
  if (!inside->executor)
    return FALSE;
  for (guint i = 0; i < fed->len; i++)
    if (!weft_executor_feed (inside->executor, ((const WeftNode *) inside->graph->feeds->pdata[i])->path, fed->pdata[i], error))
      return FALSE;
  weft_executor_rewind (inside->executor);
  return TRUE;
}

gboolean
weft_inside_ready (WeftInside *inside, char **feeds)
{
  g_autoptr (GError) error = NULL;
  if (make_ready (inside, feeds, &error))
    return TRUE;
  fprintf (stderr, "%s\n", error->message);
  return FALSE;
}
