/* weft efficiency: what an item costs in evaluation: milliseconds, parameters, bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "attributes.h"
#include "cli.h"
#include "grid.h"
#include "pass.h"
#include "session-private.h"

typedef struct
{
  char *format;
  int steps;
} Options;

/* One graph with a source. */
typedef struct
{
  const char *graph;
  double batch;   /* items of a full step */
  double seconds; /* an item's share of a full step */
  double alone;   /* of a step with one item; 0 where the source has no attribute `batch` */
  double score;   /* an item's share of the graphs that read what is collected */
  guint64 parameters;
  gsize bytes; /* of an item, collected */
} Cost;

#define WARM_UP 3

static const char *const forms[] = { "text", "csv", "markdown", "latex", NULL };

static WeftSession *
open_session (const char *path, const WeftCommonOptions *common, const GPtrArray *more)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_auto (GStrv) settings = weft_cli_settings (common);
  for (char **setting = settings; *setting; setting++)
    g_ptr_array_add (all, *setting);
  for (guint i = 0; more && i < more->len; i++)
    g_ptr_array_add (all, more->pdata[i]);
  g_ptr_array_add (all, NULL);
  WeftSession *session = weft_session_open_overlaid (path, (const char *const *) common->overlays, (const char *const *) all->pdata,
                                                     "evaluate", (guint) MAX (common->threads, 0), &error);
  if (!session)
    fprintf (stderr, "%s\n", error->message);
  return session;
}

/* Seconds that all nodes but the source have taken so far. */
static double
time_so_far (const WeftGraph *graph, WeftExecutor *executor)
{
  const double *times = weft_executor_times (executor);
  double sum = 0;
  for (guint i = 0; i < graph->nodes->len; i++)
    if (graph->nodes->pdata[i] != graph->source)
      sum += times[i];
  return sum;
}

static gint64
items_of_step (const WeftGraph *graph, WeftExecutor *executor)
{
  for (guint port = 0; port < weft_port_count (graph->source->op->outputs); port++)
    {
      const WeftWire *wire = graph->source->outputs[port];
      const WeftTensor *tensor = wire && wire->read && wire->shape.rank ? weft_executor_value (executor, wire) : NULL;
      if (tensor)
        return wire->shape.dims[0].ragged ? tensor->samples : tensor->shape[0];
    }
  return 0;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;
  return left < right ? -1 : left > right;
}

/* The median time of an item over @steps steps, in @seconds; @batch and @bytes (nullable) are those of the largest step. */
static gboolean
measure (WeftSession *session, WeftGraph *graph, guint steps, double *seconds, double *batch, gsize *bytes, GError **error)
{
  g_autoptr (WeftPlan) plan = weft_plan_new (graph, error);
  g_autoptr (WeftExecutor) executor =
      plan ? weft_executor_new (plan, weft_session_store (session), weft_session_team (session), 0, error) : NULL;
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));
  if (!executor)
    return FALSE;
  weft_executor_rewind (executor);
  for (guint step = 0; step < steps + WARM_UP;)
    {
      double before = time_so_far (graph, executor);
      WeftStepResult result = weft_executor_step (executor, step, 0, error);
      if (result == WEFT_STEP_ERROR)
        return FALSE;
      if (result == WEFT_STEP_EXHAUSTED)
        {
          weft_executor_rewind (executor);
          continue;
        }
      gint64 items = MAX (items_of_step (graph, executor), 1);
      double each = (time_so_far (graph, executor) - before) / (double) items;
      if (step++ >= WARM_UP)
        g_array_append_val (times, each);
      if (batch && (double) items > *batch)
        {
          *batch = (double) items;
          *bytes = 0;
          for (guint i = 0; i < graph->collects->len; i++)
            *bytes +=
                weft_tensor_bytes (weft_executor_value (executor, g_array_index (graph->collects, WeftCollect, i).wire)) / (gsize) items;
        }
    }
  g_array_sort (times, compare_doubles);
  *seconds = g_array_index (times, double, times->len / 2);
  return TRUE;
}

/* Each parameter once, however many nodes share it. */
static guint64
count_parameters (const WeftGraph *graph)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  guint64 n = 0;
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      for (guint k = 0; k < WEFT_MAX_PORTS; k++)
        if (node->parameters[k].path && g_hash_table_add (seen, node->parameters[k].path))
          n += (guint64) weft_shape_bound_elements (&node->parameters[k].shape);
    }
  return n;
}

/* Seconds that @graph takes for each row that it is fed. */
static gboolean
measure_scores (WeftSession *session, WeftPasses *passes, WeftGraph *graph, guint steps, double *seconds, GError **error)
{
  gint64 rows = 0;
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < graph->feeds->len; i++)
    {
      WeftNode *feed = graph->feeds->pdata[i];
      g_autofree char *reference = g_strconcat (feed->collected_graph, ".", feed->collected_name, NULL);
      const WeftTensor *tensor = weft_passes_collected (passes, reference);
      weft_feed_bound (feed, tensor);
      rows += tensor->offsets ? 0 : tensor->shape[0];
    }
  g_autoptr (WeftPlan) plan = weft_plan_new (graph, error);
  g_autoptr (WeftExecutor) executor =
      plan ? weft_executor_new (plan, weft_session_store (session), weft_session_team (session), 0, error) : NULL;
  for (guint i = 0; executor && i < graph->feeds->len; i++)
    {
      WeftNode *feed = graph->feeds->pdata[i];
      g_autofree char *reference = g_strconcat (feed->collected_graph, ".", feed->collected_name, NULL);
      if (!weft_executor_feed (executor, feed->path, weft_passes_collected (passes, reference), error))
        return FALSE;
    }
  for (guint step = 0; executor && step < steps; step++)
    {
      double before = time_so_far (graph, executor);
      if (weft_executor_step (executor, step, 0, error) != WEFT_STEP_DONE)
        return FALSE;
      double each = (time_so_far (graph, executor) - before) / (double) MAX (rows, 1);
      g_array_append_val (times, each);
    }
  if (!executor)
    return FALSE;
  g_array_sort (times, compare_doubles);
  *seconds += g_array_index (times, double, times->len / 2);
  return TRUE;
}

/* All graphs of the evaluation: those with sources as costs, the others as what a query's scoring costs. */
static gboolean
measure_all (WeftSession *session, const Options *options, GArray *costs, GError **error)
{
  WeftPipeline *pipeline = weft_session_pipeline (session);
  const GPtrArray *names = weft_session_recipe (session)->evaluate.graphs;
  g_autoptr (GPtrArray) sources = g_ptr_array_new ();
  double score = 0;
  for (guint i = 0; i < names->len; i++)
    {
      WeftGraph *graph = weft_pipeline_graph (pipeline, names->pdata[i]);
      Cost cost = { .graph = graph->name, .parameters = count_parameters (graph) };
      if (!graph->source)
        continue;
      g_ptr_array_add (sources, graph->name);
      if (!measure (session, graph, (guint) options->steps, &cost.seconds, &cost.batch, &cost.bytes, error))
        return FALSE;
      g_array_append_val (costs, cost);
    }
  if (!costs->len)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "no graph of `run: evaluate:` has a source of items");
      return FALSE;
    }
  g_autoptr (WeftPasses) passes = weft_passes_new (pipeline, sources, weft_session_store (session), weft_session_team (session), 0, error);
  if (!passes || !weft_passes_run (passes, NULL, NULL, error))
    return FALSE;
  for (guint i = 0; i < names->len; i++)
    {
      WeftGraph *graph = weft_pipeline_graph (pipeline, names->pdata[i]);
      if (!graph->source && !measure_scores (session, passes, graph, 5, &score, error))
        return FALSE;
    }
  for (guint i = 0; i < costs->len; i++)
    g_array_index (costs, Cost, i).score = score;
  return TRUE;
}

/* The same graphs with sources that give one item a step. */
static gboolean
measure_alone (const char *path, const WeftCommonOptions *common, WeftSession *session, const Options *options, GArray *costs)
{
  g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < costs->len; i++)
    {
      const WeftGraph *graph = weft_pipeline_graph (weft_session_pipeline (session), g_array_index (costs, Cost, i).graph);
      if (weft_operator_attribute (graph->source->op, "batch") && !strchr (graph->source->path, '.'))
        g_ptr_array_add (settings, g_strdup_printf ("graphs.%s.nodes.%s.batch=1", graph->name, graph->source->path));
    }
  if (settings->len < costs->len)
    return TRUE;
  g_autoptr (WeftSession) single = open_session (path, common, settings);
  for (guint i = 0; single && i < costs->len; i++)
    {
      Cost *cost = &g_array_index (costs, Cost, i);
      WeftGraph *graph = weft_pipeline_graph (weft_session_pipeline (single), cost->graph);
      if (measure (single, graph, 5 * (guint) options->steps, &cost->alone, NULL, NULL, &error))
        continue;
      fprintf (stderr, "%s\n", error->message);
      return FALSE;
    }
  return single != NULL;
}

static void
add_cell (GPtrArray *row, const char *format, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_ptr_array_add (row, g_strdup (g_ascii_formatd (text, sizeof text, format, value)));
}

static char *
print_costs (const GArray *costs, WeftTableForm form)
{
  static const char *const titles[] = { "graph", "batch", "ms/item", "ms alone", "ms/query", "parameters", "bytes/item" };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  GPtrArray *row = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    g_ptr_array_add (row, g_strdup (titles[i]));
  g_ptr_array_add (rows, row);
  for (guint i = 0; i < costs->len; i++)
    {
      const Cost *cost = &g_array_index (costs, Cost, i);
      row = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (row, g_strdup (cost->graph));
      add_cell (row, "%.0f", cost->batch);
      add_cell (row, "%.3f", 1000 * cost->seconds);
      if (cost->alone > 0)
        {
          add_cell (row, "%.3f", 1000 * cost->alone);
          add_cell (row, "%.3f", 1000 * (cost->alone + cost->score));
        }
      else
        for (guint empty = 0; empty < 2; empty++)
          g_ptr_array_add (row, g_strdup (""));
      add_cell (row, "%.0f", (double) cost->parameters);
      add_cell (row, "%.0f", (double) cost->bytes);
      g_ptr_array_add (rows, row);
    }
  return weft_grid_print (rows, form);
}

static int
efficiency (const char *path, const WeftCommonOptions *common, const Options *options, WeftTableForm form)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) costs = g_array_new (FALSE, TRUE, sizeof (Cost));
  g_autoptr (WeftSession) session = open_session (path, common, NULL);
  if (!session)
    return WEFT_EXIT_INPUT;
  if (!weft_session_recipe (session)->evaluate.given)
    {
      fprintf (stderr, "%s: there is nothing to measure: `run:` needs `evaluate: {graphs: [NAME, …]}`\n", path);
      return WEFT_EXIT_INPUT;
    }
  if (!measure_all (session, options, costs, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return WEFT_EXIT_INPUT;
    }
  if (!measure_alone (path, common, session, options, costs))
    return WEFT_EXIT_INPUT;
  g_autofree char *table = print_costs (costs, form);
  fputs (table, stdout);
  if (form == WEFT_TABLE_TEXT && !common->quiet)
    printf ("\nMedians, without reading data. ms/item: an item's share of a batch. ms alone: a batch of one. ms/query: one item alone and\n"
            "%.4f ms for scoring it against everything. bytes/item: what is collected. %u threads.\n",
            1000 * g_array_index (costs, Cost, 0).score, weft_team_members (weft_session_team (session)));
  return 0;
}

int
weft_cli_efficiency (int argc, char **argv)
{
  WeftCommonOptions common;
  Options options = { .steps = 10 };
  const GOptionEntry own[] = { { "format", 0, 0, G_OPTION_ARG_STRING, &options.format, "text, csv, markdown or latex", "FORM" },
                               { "steps", 'n', 0, G_OPTION_ARG_INT, &options.steps, "Batches to measure (default 10)", "N" },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  guint form = 0;
  int status = 0;
  if (!weft_cli_parse (&argc, &argv, "RUN|PIPELINE",
                       "Measures what the evaluation's items cost: milliseconds in batches, alone and as a query, parameters, bytes of an "
                       "embedding. Weights need not be trained.\n\nExamples:\n"
                       "  weft efficiency runs/scenes --threads 1\n  weft efficiency user-f30k --format latex",
                       own, &common, &status))
    return status;
  while (options.format && forms[form] && strcmp (forms[form], options.format) != 0)
    form++;
  if (argc != 2)
    status = weft_cli_usage ("weft efficiency: expected one run directory or pipeline, such as runs/scenes");
  else if (!forms[form])
    status = weft_cli_usage ("--format is text, csv, markdown or latex");
  else if (options.steps < 1)
    status = weft_cli_usage ("--steps is at least 1");
  else
    status = efficiency (argv[1], &common, &options, (WeftTableForm) form);
  g_free (options.format);
  weft_cli_options_clear (&common);
  return status;
}
