/* Passes over graphs: from a source's first item to its last, collecting what later graphs read.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "pass.h"
#include "stages.h"

#include <math.h>
#include <string.h>

typedef struct
{
  const WeftCollect *collect;
  WeftTensor tensor; /* rows so far; memory grows and is kept for the next pass */
  gsize capacity, offsets_capacity;
} Collected;

typedef struct
{
  WeftGraph *graph;
  gboolean fed; /* reads what others collected: planned anew for each run */
  WeftPlan *plan;
  WeftExecutor *executor;
  Collected *collected;
} Pass;

struct _WeftPasses
{
  WeftStore *store;
  WeftTeam *team;
  guint64 seed;
  guint n;
  Pass *pass;
  GHashTable *given; /* "GRAPH.NAME" → WeftTensor that is not collected here */
};

static void
keep_wires (WeftGraph *graph)
{
  for (guint i = 0; i < graph->collects->len; i++)
    {
      WeftWire *wire = g_array_index (graph->collects, WeftCollect, i).wire;
      wire->read = wire->kept = TRUE;
    }
  for (guint i = 0; i < graph->wires->len; i++)
    {
      WeftWire *wire = graph->wires->pdata[i];
      if (wire->node && wire->kind == WEFT_WIRE_OUTPUT && !graph->source && wire->shape.rank == 0)
        wire->read = wire->kept = TRUE;
    }
}

static gboolean
make_ready (WeftPasses *passes, Pass *pass, GError **error)
{
  g_clear_pointer (&pass->executor, weft_executor_free);
  g_clear_pointer (&pass->plan, weft_plan_free);
  pass->plan = weft_plan_new (pass->graph, error);
  if (pass->plan)
    pass->executor = weft_executor_new (pass->plan, passes->store, passes->team, passes->seed, error);
  if (!pass->executor)
    g_prefix_error (error, "graph `%s`: ", pass->graph->name);
  return pass->executor != NULL;
}

WeftPasses *
weft_passes_new (WeftPipeline *pipeline, const GPtrArray *graphs, WeftStore *store, WeftTeam *team, guint64 seed, GError **error)
{
  g_autoptr (WeftPasses) passes = g_new0 (WeftPasses, 1);
  passes->store = store;
  passes->team = team;
  passes->seed = seed;
  passes->n = graphs->len;
  passes->pass = g_new0 (Pass, graphs->len);
  passes->given = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < passes->n; i++)
    {
      Pass *pass = &passes->pass[i];
      pass->graph = weft_pipeline_graph (pipeline, graphs->pdata[i]);
      g_assert (pass->graph);
      pass->fed = pass->graph->feeds->len > 0;
      pass->collected = g_new0 (Collected, pass->graph->collects->len);
      for (guint c = 0; c < pass->graph->collects->len; c++)
        pass->collected[c].collect = &g_array_index (pass->graph->collects, WeftCollect, c);
      keep_wires (pass->graph);
      if (!pass->fed && !make_ready (passes, pass, error))
        return NULL;
    }
  return g_steal_pointer (&passes);
}

void
weft_passes_free (WeftPasses *passes)
{
  if (!passes)
    return;
  for (guint i = 0; i < passes->n; i++)
    {
      Pass *pass = &passes->pass[i];
      g_clear_pointer (&pass->executor, weft_executor_free);
      g_clear_pointer (&pass->plan, weft_plan_free);
      for (guint c = 0; pass->collected && c < pass->graph->collects->len; c++)
        {
          g_free (pass->collected[c].tensor.data);
          g_free (pass->collected[c].tensor.offsets);
        }
      g_free (pass->collected);
    }
  g_hash_table_unref (passes->given);
  g_free (passes->pass);
  g_free (passes);
}

static gboolean
reserve (gpointer *memory, gsize *capacity, gsize wanted)
{
  if (wanted <= *capacity)
    return TRUE;
  gsize larger = MAX (wanted, *capacity + *capacity / 2);
  gpointer grown = g_try_realloc (*memory, larger);
  if (!grown)
    return FALSE;
  *memory = grown;
  *capacity = larger;
  return TRUE;
}

static gboolean
grow_offsets (Collected *collected, const WeftTensor *rows)
{
  WeftTensor *all = &collected->tensor;
  if (all->shape[0] + rows->shape[0] > G_MAXINT32
      || !reserve ((gpointer *) &all->offsets, &collected->offsets_capacity,
                   (gsize) (all->samples + rows->samples + 1) * sizeof *all->offsets))
    return FALSE;
  all->offsets[0] = 0;
  for (gint64 i = 1; i <= rows->samples; i++)
    all->offsets[all->samples + i] = (gint32) (all->shape[0] + rows->offsets[i] - rows->offsets[0]);
  all->samples += rows->samples;
  return TRUE;
}

/* Appends the rows of one step. A scalar is one row a step. */
static gboolean
append_rows (Collected *collected, const WeftTensor *step, gboolean first, GError **error)
{
  WeftTensor rows = *step, *all = &collected->tensor;
  if (rows.rank == 0)
    {
      rows.rank = 1;
      rows.shape[0] = 1;
    }
  if (first)
    {
      all->type = rows.type;
      all->rank = rows.rank;
      memcpy (all->shape, rows.shape, sizeof all->shape);
      all->shape[0] = 0;
      all->samples = 0;
    }
  if (memcmp (all->shape + 1, rows.shape + 1, sizeof (gint64) * (rows.rank - 1)) != 0)
    {
      g_autofree char *before = weft_tensor_describe (all), *now = weft_tensor_describe (&rows);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "`%s` can't be collected: its rows changed from %s to %s during the pass",
                   collected->collect->name, before, now);
      return FALSE;
    }
  gsize old = weft_tensor_bytes (all), added = weft_tensor_bytes (&rows);
  if ((rows.offsets && !grow_offsets (collected, &rows)) || !reserve (&all->data, &collected->capacity, MAX (old + added, 1)))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "no memory to collect `%s`: %" G_GSIZE_FORMAT " bytes so far",
                   collected->collect->name, old);
      return FALSE;
    }
  if (added)
    memcpy ((char *) all->data + old, rows.data, added);
  all->shape[0] += rows.shape[0];
  return TRUE;
}

void
weft_feed_bound (WeftNode *feed, const WeftTensor *tensor)
{
  WeftShape *shape = &feed->outputs[0]->shape;
  for (guint i = 0; i < shape->rank && i < tensor->rank; i++)
    {
      WeftDim *dim = &shape->dims[i];
      if (dim->symbol && dim->size > 0)
        dim->symbol->bound = tensor->shape[i] / dim->size;
      if (dim->ragged && dim->samples)
        dim->samples->bound = tensor->samples;
    }
}

void
weft_passes_give (WeftPasses *passes, const char *reference, const WeftTensor *tensor)
{
  g_hash_table_insert (passes->given, g_strdup (reference), (gpointer) tensor);
}

static const WeftTensor *
find_collected (WeftPasses *passes, const char *graph, const char *name)
{
  g_autofree char *reference = g_strconcat (graph, ".", name, NULL);
  const WeftTensor *given = g_hash_table_lookup (passes->given, reference);
  if (given)
    return given;
  for (guint i = 0; i < passes->n; i++)
    for (guint c = 0; strcmp (passes->pass[i].graph->name, graph) == 0 && c < passes->pass[i].graph->collects->len; c++)
      if (strcmp (passes->pass[i].collected[c].collect->name, name) == 0)
        return &passes->pass[i].collected[c].tensor;
  return NULL;
}

/* Whether a collected array has the type and the constant sizes that were inferred for it. */
static gboolean
is_expected (const WeftShape *shape, const WeftTensor *tensor)
{
  gboolean same = shape->type == tensor->type && shape->rank == tensor->rank;
  for (guint i = 1; same && i < shape->rank; i++)
    same = shape->dims[i].symbol || shape->dims[i].size == tensor->shape[i];
  return same;
}

static WeftShape *
collected_shape (const WeftPipeline *pipeline, const WeftNode *feed)
{
  const WeftGraph *graph = weft_pipeline_graph (pipeline, feed->collected_graph);
  for (guint i = 0; i < graph->collects->len; i++)
    if (strcmp (g_array_index (graph->collects, WeftCollect, i).name, feed->collected_name) == 0)
      return &g_array_index (graph->collects, WeftCollect, i).wire->shape;
  g_assert_not_reached ();
}

/* Infers the shapes of a graph again, with the sizes of what it is given. */
static gboolean
infer_given (WeftPasses *passes, Pass *pass, GError **error)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  gboolean expected = TRUE;
  for (guint i = 0; i < pass->graph->feeds->len; i++)
    {
      const WeftNode *feed = pass->graph->feeds->pdata[i];
      const WeftTensor *tensor = feed->collected_graph ? find_collected (passes, feed->collected_graph, feed->collected_name) : NULL;
      if (!tensor || is_expected (&feed->outputs[0]->shape, tensor))
        continue;
      WeftShape *shape = collected_shape (pass->graph->pipeline, feed);
      for (guint d = 1; d < shape->rank && d < tensor->rank; d++)
        shape->dims[d] = (WeftDim){ .size = tensor->shape[d] };
      expected = FALSE;
    }
  if (expected)
    return TRUE;
  pass->graph->inferred = 0;
  weft_infer_graph (pass->graph, problems);
  return weft_problems_to_error (problems, error);
}

static gboolean
feed_pass (WeftPasses *passes, Pass *pass, GError **error)
{
  if (g_hash_table_size (passes->given) && !infer_given (passes, pass, error))
    return FALSE;
  for (guint stage = 0; stage < 2; stage++)
    {
      for (guint i = 0; i < pass->graph->feeds->len; i++)
        {
          WeftNode *feed = pass->graph->feeds->pdata[i];
          const WeftTensor *tensor = feed->collected_graph ? find_collected (passes, feed->collected_graph, feed->collected_name) : NULL;
          if (!tensor)
            {
              g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "graph `%s` wants `%s`, which no graph before it collects",
                           pass->graph->name, feed->path);
              return FALSE;
            }
          if (stage == 0)
            weft_feed_bound (feed, tensor);
          else if (!weft_executor_feed (pass->executor, feed->path, tensor, error))
            return FALSE;
        }
      if (stage == 0 && !make_ready (passes, pass, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
run_pass (Pass *pass, WeftTick tick, gpointer data, GError **error)
{
  weft_executor_rewind (pass->executor);
  for (guint64 step = 0;; step++)
    {
      WeftStepResult result = weft_executor_step (pass->executor, step, 0, error);
      if (result == WEFT_STEP_ERROR)
        return FALSE;
      if (result == WEFT_STEP_EXHAUSTED && step == 0)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "the source `%s` has no items", pass->graph->source->path);
          return FALSE;
        }
      if (result == WEFT_STEP_EXHAUSTED)
        return TRUE;
      for (guint c = 0; c < pass->graph->collects->len; c++)
        {
          Collected *collected = &pass->collected[c];
          if (!append_rows (collected, weft_executor_value (pass->executor, collected->collect->wire), step == 0, error))
            return FALSE;
        }
      if (tick && !tick (data, pass->graph, step + 1, error))
        return FALSE;
      if (!pass->graph->source)
        return TRUE;
    }
}

gboolean
weft_passes_run (WeftPasses *passes, WeftTick tick, gpointer data, GError **error)
{
  for (guint i = 0; i < passes->n; i++)
    {
      Pass *pass = &passes->pass[i];
      if (pass->fed && !feed_pass (passes, pass, error))
        return FALSE;
      if (!run_pass (pass, tick, data, error))
        {
          g_prefix_error (error, "graph `%s`: ", pass->graph->name);
          return FALSE;
        }
    }
  return TRUE;
}

static WeftWire *
find_wire (WeftPasses *passes, const char *reference, Pass **where)
{
  for (guint i = 0; i < passes->n; i++)
    {
      const char *name = passes->pass[i].graph->name;
      if (!g_str_has_prefix (reference, name) || reference[strlen (name)] != '.')
        continue;
      *where = &passes->pass[i];
      return weft_graph_wire (passes->pass[i].graph, reference + strlen (name) + 1);
    }
  return NULL;
}

gboolean
weft_passes_keep (WeftPasses *passes, const char *reference, GError **error)
{
  Pass *pass = NULL;
  WeftWire *wire = find_wire (passes, reference, &pass);
  if (!wire)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "there is no value `%s` in the graphs that are passed over; expected GRAPH.NODE.PORT", reference);
      return FALSE;
    }
  wire->read = wire->kept = TRUE;
  return pass->fed || make_ready (passes, pass, error);
}

const WeftTensor *
weft_passes_value (WeftPasses *passes, const char *reference)
{
  Pass *pass = NULL;
  WeftWire *wire = find_wire (passes, reference, &pass);
  return wire && wire->kept && pass->executor ? weft_executor_value (pass->executor, wire) : NULL;
}

double
weft_tensor_number (const WeftTensor *tensor)
{
  if (!tensor || !tensor->data || weft_tensor_elements (tensor) != 1)
    return (double) NAN;
  switch (tensor->type)
    {
    case WEFT_F64:
      return *(const double *) tensor->data;
    case WEFT_I64:
      return (double) *(const gint64 *) tensor->data;
    default:
      {
        float number;
        weft_convert_to_f32 (tensor->type, tensor->data, 1, &number);
        return (double) number;
      }
    }
}

double
weft_passes_number (WeftPasses *passes, const char *reference)
{
  return weft_tensor_number (weft_passes_value (passes, reference));
}

const WeftTensor *
weft_passes_collected (WeftPasses *passes, const char *reference)
{
  const char *dot = strchr (reference, '.');
  if (!dot)
    return NULL;
  g_autofree char *graph = g_strndup (reference, (gsize) (dot - reference));
  return find_collected (passes, graph, dot + 1);
}

static void
clear_number (gpointer data)
{
  WeftPassNumber *number = data;
  g_free (number->graph);
  g_free (number->node);
  g_free (number->port);
}

GArray *
weft_passes_numbers (WeftPasses *passes)
{
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (WeftPassNumber));
  g_array_set_clear_func (numbers, clear_number);
  for (guint i = 0; i < passes->n; i++)
    {
      Pass *pass = &passes->pass[i];
      for (guint n = 0; pass->executor && !pass->graph->source && n < pass->graph->nodes->len; n++)
        {
          const WeftNode *node = pass->graph->nodes->pdata[n];
          for (guint port = 0; node->kind == WEFT_NODE_FORWARD && port < weft_port_count (node->op->outputs); port++)
            {
              WeftWire *wire = node->outputs[port];
              if (!wire || !wire->kept || wire->shape.rank != 0)
                continue;
              WeftPassNumber number = { g_strdup (pass->graph->name), g_strdup (node->path), g_strdup (node->op->outputs[port].name),
                                        weft_tensor_number (weft_executor_value (pass->executor, wire)) };
              g_array_append_val (numbers, number);
            }
        }
    }
  return numbers;
}
