/* steps: runs a graph of a pipeline on made-up feeds and says what a step costs, as one line of JSON.
 *
 * Every `feed` node gets numbers from a fixed stream: float32 as max(normal, 0), integers below the bound that its signature states. Ragged
 * feeds have the lengths that --lengths gives, over and over, or share the rows of their bound out evenly.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "compose.h"
#include "execute.h"
#include "pipeline.h"
#include "places.h"
#include "product.h"
#include "registry.h"

typedef struct
{
  char **lengths; /* NODE=n,n,… */
  gint steps, warm, threads;
  gboolean nodes;
} Options;

typedef struct
{
  double wall, user, system;
  long faults;
} Cost;

static Cost
cost_now (void)
{
  struct rusage usage;
  struct timespec now;

  getrusage (RUSAGE_SELF, &usage);
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (Cost){ .wall = (double) now.tv_sec + 1e-9 * (double) now.tv_nsec,
                 .user = (double) usage.ru_utime.tv_sec + 1e-6 * (double) usage.ru_utime.tv_usec,
                 .system = (double) usage.ru_stime.tv_sec + 1e-6 * (double) usage.ru_stime.tv_usec,
                 .faults = usage.ru_minflt };
}

static long
peak_memory (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

static double
median (double *values, guint n)
{
  qsort (values, n, sizeof *values, compare);
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static const char *
lengths_of (const Options *options, const char *node)
{
  gsize n = strlen (node);

  for (guint i = 0; options->lengths && options->lengths[i]; i++)
    if (strncmp (options->lengths[i], node, n) == 0 && options->lengths[i][n] == '=')
      return options->lengths[i] + n + 1;
  return NULL;
}

static void
cut_samples (WeftTensor *tensor, const char *lengths)
{
  g_auto (GStrv) words = g_strsplit (lengths ? lengths : "", ",", -1);
  guint n = g_strv_length (words);
  gint64 each = tensor->samples ? tensor->shape[0] / tensor->samples : 0;

  tensor->offsets = g_new0 (gint32, tensor->samples + 1);
  for (gint64 i = 0; i < tensor->samples; i++)
    tensor->offsets[i + 1] = tensor->offsets[i] + (gint32) (n ? g_ascii_strtoll (words[i % n], NULL, 10) : each);
  tensor->shape[0] = tensor->offsets[tensor->samples];
}

/* The sum of twelve uniform numbers is close enough to normal. */
static float
draw_normal (WeftRandom random, gint64 index)
{
  float sum = -6;

  for (guint32 i = 0; i < 12; i++)
    sum += (float) weft_random_bits (random, (guint32) index * 12 + i) * 0x1p-32f;
  return sum;
}

static WeftTensor *
make_tensor (const Options *options, const WeftNode *node)
{
  const WeftShape *shape = &node->outputs[0]->shape;
  WeftRandom random = weft_random_for (0, node->path, 0);
  WeftTensor *tensor = g_new0 (WeftTensor, 1);
  gint64 n;

  tensor->type = shape->type;
  tensor->rank = shape->rank;
  for (guint i = 0; i < shape->rank; i++)
    tensor->shape[i] = weft_dim_bound (&shape->dims[i]);
  if (shape->rank && shape->dims[0].ragged)
    {
      tensor->samples = shape->dims[0].samples ? shape->dims[0].samples->bound : shape->dims[0].sample_count;
      cut_samples (tensor, lengths_of (options, node->path));
    }
  n = weft_tensor_elements (tensor);
  tensor->data = g_malloc0 (MAX (weft_tensor_bytes (tensor), 1));
  for (gint64 i = 0; i < n; i++)
    if (shape->type == WEFT_F32)
      ((float *) tensor->data)[i] = fmaxf (draw_normal (random, i), 0);
    else if (shape->type == WEFT_I32)
      ((gint32 *) tensor->data)[i] = (gint32) (weft_random_bits (random, (guint32) i) % (guint32) MAX (shape->below, 1));
  return tensor;
}

static gboolean
feed_all (const Options *options, WeftExecutor *executor, const WeftGraph *graph, gint64 *items, gint64 *rows, GError **error)
{
  for (guint i = 0; i < graph->feeds->len; i++)
    {
      const WeftNode *node = graph->feeds->pdata[i];
      WeftTensor *tensor = make_tensor (options, node);
      if (tensor->type == WEFT_I32 || !*rows)
        *rows = tensor->shape[0];
      *items = tensor->samples ? tensor->samples : tensor->shape[0];
      if (!weft_executor_feed (executor, node->path, tensor, error))
        return FALSE;
    }
  return TRUE;
}

/* Seconds that each operator takes in a step, forward and backward apart; of every node the step in which it was least disturbed. */
static void
print_nodes (const WeftGraph *graph, const double *least)
{
  g_autoptr (GHashTable) seconds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer name, value;
  const char *separator = "";

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      char *key = g_strconcat (node->op->name, node->of ? "~gradient" : node->repeats ? "~again" : "", NULL);
      double *sum = g_hash_table_lookup (seconds, key);
      if (!sum)
        g_hash_table_insert (seconds, g_strdup (key), sum = g_new0 (double, 1));
      *sum += least[i];
      g_free (key);
    }
  printf (", \"seconds\": {");
  g_hash_table_iter_init (&iter, seconds);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      printf ("%s\"%s\": %.6f", separator, (char *) name, *(double *) value);
      separator = ", ";
    }
  printf ("}");
}

static gboolean
run_steps (const Options *options, WeftExecutor *executor, const WeftGraph *graph, GError **error)
{
  guint steps = (guint) MAX (options->steps, 1), nodes = graph->nodes->len;
  g_autofree double *wall = g_new0 (double, steps), *user = g_new0 (double, steps), *before = g_new0 (double, nodes),
                    *least = g_new0 (double, nodes);
  gint64 items = 0, rows = 0;
  long faults = 0;
  double seconds;

  if (!feed_all (options, executor, graph, &items, &rows, error))
    return FALSE;
  for (gint step = 0; step < options->warm; step++)
    if (weft_executor_step (executor, (guint64) step, 0, error) != WEFT_STEP_DONE)
      return FALSE;
  weft_products_count (TRUE);
  for (guint step = 0; step < steps; step++)
    {
      memcpy (before, weft_executor_times (executor), nodes * sizeof *before);
      Cost start = cost_now (), end;
      if (weft_executor_step (executor, step + (guint64) options->warm, 0, error) != WEFT_STEP_DONE)
        return FALSE;
      end = cost_now ();
      wall[step] = end.wall - start.wall;
      user[step] = end.user - start.user + end.system - start.system;
      faults += end.faults - start.faults;
      for (guint i = 0; i < nodes; i++)
        {
          double taken = weft_executor_times (executor)[i] - before[i];
          least[i] = step ? MIN (least[i], taken) : taken;
        }
    }
  seconds = median (wall, steps);
  printf ("{\"graph\": \"%s\", \"items\": %" G_GINT64_FORMAT ", \"rows\": %" G_GINT64_FORMAT
          ", \"threads\": %d, \"steps\": %u, \"median_step_s\": %.6f, "
          "\"processor_s\": %.6f, \"items_per_s\": %.3f, \"page_faults_per_step\": %.1f, \"peak_rss_mb\": %ld, \"product_gflop\": %.3f",
          graph->name, items, rows, options->threads, steps, seconds, median (user, steps), (double) items / seconds,
          (double) faults / steps, peak_memory (), (double) weft_products_counted () / steps * 1e-9);
  if (options->nodes)
    print_nodes (graph, least);
  printf ("}\n");
  return TRUE;
}

static gboolean
measure (const Options *options, const char *path, const char *name, const char *const *settings, GError **error)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  const char *const search[] = { weft_places_pipelines (), NULL };
  WeftComposition composition = { .path = path, .settings = settings, .search = search };
  g_autoptr (WeftValue) document = weft_compose (&composition, problems);
  g_autoptr (WeftPipeline) pipeline = document ? weft_pipeline_build (document, problems) : NULL;
  g_autoptr (WeftStore) store = weft_store_new ();
  g_autoptr (WeftTeam) team = NULL;
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (WeftExecutor) executor = NULL;
  WeftGraph *graph;

  if (!weft_problems_to_error (problems, error))
    return FALSE;
  graph = weft_pipeline_graph (pipeline, name);
  if (!graph)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s has no graph called %s", path, name);
      return FALSE;
    }
  for (guint i = 0; i < graph->collects->len; i++)
    {
      WeftWire *wire = g_array_index (graph->collects, WeftCollect, i).wire;
      wire->read = wire->kept = TRUE;
    }
  team = weft_team_new ((guint) options->threads, error);
  plan = team ? weft_plan_new (graph, error) : NULL;
  if (!plan || !weft_store_prepare (store, pipeline, 0, error))
    return FALSE;
  executor = weft_executor_new (plan, store, team, 0, error);
  return executor && run_steps (options, executor, graph, error);
}

int
main (int argc, char **argv)
{
  Options options = { .steps = 5, .warm = 2 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new ("PIPELINE GRAPH [PATH=VALUE…]");
  const GOptionEntry entries[] = {
    { "steps", 0, 0, G_OPTION_ARG_INT, &options.steps, "steps that are measured (5)", "N" },
    { "warm", 0, 0, G_OPTION_ARG_INT, &options.warm, "steps before (2)", "N" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &options.threads, "threads (all)", "N" },
    { "lengths", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.lengths, "lengths of the samples of a feed, over and over", "NODE=N,N,…" },
    { "nodes", 0, 0, G_OPTION_ARG_NONE, &options.nodes, "seconds of every operator too", NULL },
    { NULL },
  };

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc < 3)
    {
      fprintf (stderr, "%s\n", error ? error->message : "steps: expected a pipeline and a graph");
      return 2;
    }
  weft_registry_load (NULL);
  if (measure (&options, argv[1], argv[2], (const char *const *) argv + 3, &error))
    return 0;
  fprintf (stderr, "%s\n", error ? error->message : "the pass was over");
  return 1;
}
