/* Pipelines in a program.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "session-private.h"

#include <string.h>

#include "attributes.h"
#include "checkpoint.h"
#include "core.h"
#include "directory.h"
#include "open.h"
#include "registry.h"
#include "restrict.h"
#include "run-private.h"
#include "safetensors.h"
#include "weights.h"

typedef struct
{
  WeftPlan *plan;
  WeftExecutor *executor;
  guint64 step;
} Ready;

struct _WeftSession
{
  WeftOpened opened;
  WeftStore *store;
  WeftTeam *team;
  GHashTable *ready;    /* graph → Ready */
  GPtrArray *encodings; /* (nullable): names, NULL-terminated */
};

static void
ready_free (gpointer data)
{
  Ready *ready = data;
  g_clear_pointer (&ready->executor, weft_executor_free);
  g_clear_pointer (&ready->plan, weft_plan_free);
  g_free (ready);
}

void
weft_session_free (WeftSession *session)
{
  if (!session)
    return;
  g_clear_pointer (&session->ready, g_hash_table_unref);
  g_clear_pointer (&session->encodings, g_ptr_array_unref);
  g_clear_pointer (&session->team, weft_team_free);
  weft_opened_clear (&session->opened);
  g_clear_pointer (&session->store, weft_store_free);
  g_free (session);
}

/* Settings of the phase first, so that the caller's win. */
static char **
gather_settings (const char *path, const char *const *overlays, const char *const *settings, const char *phase, WeftProblems *problems)
{
  g_autofree char *file = weft_pipeline_file (path);
  WeftComposition composition = { file, overlays, settings, weft_pipeline_search () };
  g_autoptr (WeftValue) document = phase ? weft_compose (&composition, problems) : NULL;
  GPtrArray *all = document ? weft_recipe_phase_vars (document, phase) : g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; settings && settings[i]; i++)
    g_ptr_array_add (all, g_strdup (settings[i]));
  g_ptr_array_add (all, NULL);
  g_ptr_array_set_free_func (all, NULL);
  return (char **) g_ptr_array_free (all, FALSE);
}

static gboolean
is_below (const char *path, char *const *prefixes)
{
  for (; *prefixes; prefixes++)
    if (g_str_has_prefix (path, *prefixes) && path[strlen (*prefixes)] == '.')
      return TRUE;
  return FALSE;
}

/* The networks of a run's best model. The file may hold more than the graphs that are left without training. */
static gboolean
load_best (WeftSession *session, const char *directory, GError **error)
{
  g_auto (GStrv) names = weft_network_names (session->opened.pipeline);
  g_autofree char *best = g_build_filename (directory, "best.safetensors", NULL);
  g_autoptr (GPtrArray) paths = weft_store_paths (session->store);
  if (!g_file_test (best, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s has no best model yet; it is kept after the first validation", directory);
      return !*names;
    }
  g_autoptr (WeftSafetensors) file = weft_checkpoint_verify (best, NULL, error) ? weft_safetensors_open (best, error) : NULL;
  for (guint i = 0; file && i < paths->len; i++)
    {
      const char *path = paths->pdata[i];
      WeftTensor *tensor = weft_store_lookup (session->store, path);
      const WeftTensor *saved = weft_safetensors_find (file, path);
      if (!is_below (path, names))
        continue;
      if (!saved || saved->type != tensor->type || weft_tensor_bytes (saved) != weft_tensor_bytes (tensor))
        {
          g_autofree char *wanted = weft_tensor_describe (tensor);
          g_autofree char *found = saved ? weft_tensor_describe (saved) : g_strdup ("missing");
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: `%s` is %s; the pipeline needs %s", best, path, found, wanted);
          return FALSE;
        }
      if (!weft_safetensors_read (file, path, tensor->data, error))
        return FALSE;
    }
  return file != NULL;
}

static gboolean
load_weights (WeftSession *session, const char *path, GError **error)
{
  guint64 seed = (guint64) session->opened.recipe->seed;
  if (!weft_store_prepare (session->store, session->opened.pipeline, seed, error))
    return FALSE;
  if (!weft_directory_is_run (path))
    return weft_weights_load (session->store, session->opened.pipeline, NULL, error);
  return load_best (session, path, error);
}

WeftSession *
weft_session_open (const char *path, const char *const *settings, const char *phase, guint threads, GError **error)
{
  return weft_session_open_overlaid (path, NULL, settings, phase, threads, error);
}

WeftSession *
weft_session_open_overlaid (const char *path, const char *const *overlays, const char *const *settings, const char *phase, guint threads,
                            GError **error)
{
  weft_registry_load (NULL);
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftSession) session = g_new0 (WeftSession, 1);
  g_auto (GStrv) all = gather_settings (path, overlays, settings, phase, problems);
  if (!weft_problems_to_error (problems, error))
    return NULL;
  if (!weft_open (path, overlays, (const char *const *) all, NULL, FALSE, &session->opened, problems))
    {
      weft_problems_to_error (problems, error);
      return NULL;
    }
  session->ready = g_hash_table_new_full (NULL, NULL, NULL, ready_free);
  session->store = weft_store_new ();
  session->team = weft_team_new (threads, error);
  return session->team && load_weights (session, path, error) ? g_steal_pointer (&session) : NULL;
}

static WeftGraph *
find_graph (WeftSession *session, const char *reference, const char **rest, GError **error)
{
  g_autofree char *name = g_strndup (reference, strcspn (reference, "."));
  WeftGraph *graph = weft_pipeline_graph (session->opened.pipeline, name);
  if (!graph)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "`%s`: there is no graph `%s`", reference, name);
  if (rest)
    *rest = reference[strlen (name)] ? reference + strlen (name) + 1 : "";
  return graph;
}

/* Values of nodes before what is collected under the same name. */
static WeftWire *
find_value (const WeftGraph *graph, const char *name)
{
  WeftWire *wire = weft_graph_wire (graph, name);
  for (guint i = 0; !wire && i < graph->collects->len; i++)
    if (strcmp (g_array_index (graph->collects, WeftCollect, i).name, name) == 0)
      return g_array_index (graph->collects, WeftCollect, i).wire;
  return wire;
}

#define GRADIENT "~gradient"

static WeftWire *
gradient_by_value (const WeftGraph *graph, const WeftWire *wire)
{
  if (wire->node->op == &weft_feed_operator)
    return wire->node->out_gradients[0];
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      if (node->kind == WEFT_NODE_GRADIENT && node->of == wire->node)
        return node->out_gradients[wire->port];
    }
  return NULL;
}

static WeftWire *
gradient_by_parameter (const WeftGraph *graph, const char *path)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const GArray *targets = ((const WeftNode *) graph->nodes->pdata[i])->targets;
      for (guint k = 0; targets && k < targets->len; k++)
        if (strcmp (g_array_index (targets, WeftTarget, k).path, path) == 0 && g_array_index (targets, WeftTarget, k).gradient)
          return g_array_index (targets, WeftTarget, k).gradient;
    }
  return NULL;
}

static WeftWire *
find_wire (const WeftGraph *graph, const char *rest)
{
  if (!g_str_has_suffix (rest, GRADIENT))
    return find_value (graph, rest);
  g_autofree char *name = g_strndup (rest, strlen (rest) - strlen (GRADIENT));
  const WeftWire *value = find_value (graph, name);
  return value ? gradient_by_value (graph, value) : gradient_by_parameter (graph, name);
}

char **
weft_session_graphs (WeftSession *session)
{
  GPtrArray *graphs = session->opened.pipeline->graphs, *names = g_ptr_array_new ();

  for (guint i = 0; i < graphs->len; i++)
    g_ptr_array_add (names, g_strdup (((const WeftGraph *) graphs->pdata[i])->name));
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

char **
weft_session_feeds (WeftSession *session, const char *name, GError **error)
{
  const WeftGraph *graph = find_graph (session, name, NULL, error);
  GPtrArray *names = graph ? g_ptr_array_new () : NULL;

  for (guint i = 0; graph && i < graph->feeds->len; i++)
    g_ptr_array_add (names, g_strdup (((const WeftNode *) graph->feeds->pdata[i])->path));
  if (!graph)
    return NULL;
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

char **
weft_session_weights (WeftSession *session)
{
  g_autoptr (GPtrArray) paths = weft_store_paths (session->store);
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < paths->len; i++)
    g_ptr_array_add (names, g_strdup (paths->pdata[i]));
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

const WeftTensor *
weft_session_weight (WeftSession *session, const char *path)
{
  return weft_store_lookup (session->store, path);
}

gboolean
weft_session_want (WeftSession *session, const char *reference, GError **error)
{
  const char *rest;
  WeftGraph *graph = find_graph (session, reference, &rest, error);
  if (!graph)
    return FALSE;
  WeftWire *wire = find_wire (graph, rest);
  gboolean late = g_hash_table_contains (session->ready, graph);
  if (!wire)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "graph `%s` has no value `%s`", graph->name, rest);
  else if (late && !wire->kept)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "`%s` must be wanted before the first step of its graph", reference);
  else
    wire->read = wire->kept = TRUE;
  return wire && wire->kept;
}

static Ready *
make_ready (WeftSession *session, WeftGraph *graph, GError **error)
{
  Ready *ready = g_hash_table_lookup (session->ready, graph);
  if (ready)
    return ready;
  g_autoptr (WeftPlan) plan = weft_plan_new (graph, error);
  WeftExecutor *executor =
      plan ? weft_executor_new (plan, session->store, session->team, (guint64) session->opened.recipe->seed, error) : NULL;
  if (!executor)
    return NULL;
  ready = g_new0 (Ready, 1);
  ready->plan = g_steal_pointer (&plan);
  ready->executor = executor;
  weft_executor_rewind (executor);
  g_hash_table_insert (session->ready, graph, ready);
  return ready;
}

gboolean
weft_session_feed (WeftSession *session, const char *reference, const WeftTensor *tensor, GError **error)
{
  const char *rest;
  WeftGraph *graph = find_graph (session, reference, &rest, error);
  Ready *ready = graph ? make_ready (session, graph, error) : NULL;
  return ready && weft_executor_feed (ready->executor, rest, tensor, error);
}

gboolean
weft_session_step (WeftSession *session, const char *name, gboolean *exhausted, GError **error)
{
  WeftGraph *graph = find_graph (session, name, NULL, error);
  Ready *ready = graph ? make_ready (session, graph, error) : NULL;
  if (!ready)
    return FALSE;
  WeftStepResult result = weft_executor_step (ready->executor, ready->step, 0, error);
  if (exhausted)
    *exhausted = result == WEFT_STEP_EXHAUSTED;
  ready->step++;
  if (result == WEFT_STEP_EXHAUSTED)
    {
      weft_executor_rewind (ready->executor);
      ready->step = 0;
    }
  return result != WEFT_STEP_ERROR;
}

const WeftTensor *
weft_session_value (WeftSession *session, const char *reference)
{
  const char *rest;
  WeftGraph *graph = find_graph (session, reference, &rest, NULL);
  Ready *ready = graph ? g_hash_table_lookup (session->ready, graph) : NULL;
  WeftWire *wire = ready ? find_wire (graph, rest) : NULL;
  return wire && wire->kept ? weft_executor_value (ready->executor, wire) : NULL;
}

const char *const *
weft_session_encodings (WeftSession *session)
{
  const GArray *encode = session->opened.recipe->encode;
  if (!session->encodings)
    {
      session->encodings = g_ptr_array_new ();
      for (guint i = 0; i < encode->len; i++)
        g_ptr_array_add (session->encodings, g_array_index (encode, WeftNamed, i).name);
      g_ptr_array_add (session->encodings, NULL);
    }
  return (const char *const *) session->encodings->pdata;
}

const char *
weft_session_encoding (WeftSession *session, const char *name)
{
  const GArray *encode = session->opened.recipe->encode;
  for (guint i = 0; i < encode->len; i++)
    if (strcmp (g_array_index (encode, WeftNamed, i).name, name) == 0)
      return g_array_index (encode, WeftNamed, i).reference;
  return NULL;
}

void
weft_source_free (WeftSource *source)
{
  if (!source)
    return;
  g_free (source->node);
  g_strfreev (source->attributes);
  g_strfreev (source->values);
  g_strfreev (source->defaults);
  g_strfreev (source->outputs);
  g_strfreev (source->reads);
  g_free (source);
}

static char **
take_names (GPtrArray *names)
{
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

WeftSource *
weft_session_source (WeftSession *session, const char *name)
{
  const WeftGraph *graph = weft_pipeline_graph (session->opened.pipeline, name);
  const WeftNode *node = graph ? graph->source : NULL;
  if (!node)
    return NULL;
  WeftSource *source = g_new0 (WeftSource, 1);
  GPtrArray *attributes = g_ptr_array_new (), *values = g_ptr_array_new (), *defaults = g_ptr_array_new (), *outputs = g_ptr_array_new (),
            *reads = g_ptr_array_new ();
  for (const WeftAttribute *attribute = node->op->attributes; attribute && attribute->name; attribute++)
    {
      g_ptr_array_add (attributes, g_strdup (attribute->name));
      g_ptr_array_add (values, weft_attribute_print (attribute, node->attributes));
      g_ptr_array_add (defaults, g_strdup (attribute->fallback ? attribute->fallback : ""));
    }
  for (guint i = 0; node->op->outputs[i].name; i++)
    {
      g_ptr_array_add (outputs, g_strdup (node->op->outputs[i].name));
      if (node->outputs[i] && node->outputs[i]->read)
        g_ptr_array_add (reads, g_strdup (node->op->outputs[i].name));
    }
  *source = (WeftSource){ g_strdup (node->path), take_names (attributes), take_names (values),
                          take_names (defaults), take_names (outputs),    take_names (reads) };
  return source;
}

gboolean
weft_session_describe (WeftSession *session, const char *reference, WeftTensor *tensor)
{
  const char *rest;
  WeftGraph *graph = find_graph (session, reference, &rest, NULL);
  const WeftWire *wire = graph ? find_wire (graph, rest) : NULL;
  if (!wire)
    return FALSE;
  *tensor = (WeftTensor){ .type = wire->shape.type, .rank = wire->shape.rank };
  for (guint i = 0; i < tensor->rank; i++)
    tensor->shape[i] = weft_dim_bound (&wire->shape.dims[i]);
  if (tensor->rank && wire->shape.dims[0].ragged)
    tensor->samples = wire->shape.dims[0].samples ? wire->shape.dims[0].samples->bound : wire->shape.dims[0].sample_count;
  return TRUE;
}

gboolean
weft_session_replace_source (WeftSession *session, const char *name, GError **error)
{
  WeftGraph *graph = find_graph (session, name, NULL, error);
  if (!graph)
    return FALSE;
  if (!graph->source || g_hash_table_contains (session->ready, graph))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "graph `%s` has %s", name,
                   graph->source ? "begun: its source must be replaced before" : "no source to replace");
      return FALSE;
    }
  return weft_graph_replace_source (graph, error);
}

WeftPipeline *
weft_session_pipeline (WeftSession *session)
{
  return session->opened.pipeline;
}

const WeftRecipe *
weft_session_recipe (WeftSession *session)
{
  return session->opened.recipe;
}

WeftStore *
weft_session_store (WeftSession *session)
{
  return session->store;
}

WeftTeam *
weft_session_team (WeftSession *session)
{
  return session->team;
}
