/* weft profile: where the time and the memory of a step go.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "inside.h"
#include "metrics.h"

typedef struct
{
  char *graph, *trace;
  int steps, warm_up, top;
} Options;

/* Time and bytes of a node, or of all nodes of an operator. */
typedef struct
{
  char *name;
  const char *what;
  guint count;
  double seconds;
  gsize bytes;
} Share;

static void
share_clear (gpointer data)
{
  g_free (((Share *) data)->name);
}

static int
compare_shares (gconstpointer a, gconstpointer b)
{
  const Share *left = a, *right = b;
  return left->seconds < right->seconds ? 1 : left->seconds > right->seconds ? -1 : strcmp (left->name, right->name);
}

static gsize
bytes_of (const WeftPlan *plan, const WeftNode *node)
{
  gsize bytes = plan->scratch[node->index].bytes;
  for (guint i = 0; i < plan->graph->wires->len; i++)
    {
      const WeftWire *wire = plan->graph->wires->pdata[i];
      if (wire->node == node && plan->places[wire->index].shares < 0)
        bytes += plan->places[wire->index].bytes;
    }
  return bytes;
}

static char *
operator_name (const WeftNode *node)
{
  return node->kind == WEFT_NODE_GRADIENT && node->of ? g_strconcat (node->of->op->name, ", gradient", NULL)
         : node->kind == WEFT_NODE_AGAIN              ? g_strconcat (node->op->name, ", again", NULL)
                                                      : g_strdup (node->op->name);
}

static void
print_shares (GArray *shares, const char *title, double all, int top)
{
  g_array_sort (shares, compare_shares);
  printf ("%-44s %10s %7s %12s\n", title, "ms/step", "share", "bytes");
  for (guint i = 0; i < shares->len && (top <= 0 || i < (guint) top); i++)
    {
      const Share *share = &g_array_index (shares, Share, i);
      g_autofree char *label = share->what        ? g_strdup_printf ("%s (%s)", share->name, share->what)
                               : share->count > 1 ? g_strdup_printf ("%s × %u", share->name, share->count)
                                                  : g_strdup (share->name);
      g_autofree char *size = g_format_size_full (share->bytes, G_FORMAT_SIZE_IEC_UNITS);
      int padding = MAX (44 - (int) g_utf8_strlen (label, -1), 0);
      printf ("%s%*s %10.3f %6.1f%% %12s\n", label, padding, "", 1000 * share->seconds, all > 0 ? 100 * share->seconds / all : 0, size);
    }
  if (top > 0 && shares->len > (guint) top)
    printf ("… %u more; --top 0 shows all\n", shares->len - (guint) top);
}

/* Nodes run one after another, so that what each took says when it ran. */
static void
append_step (GString *json, const WeftGraph *graph, const double *before, const double *now, double *clock)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      double taken = 1e6 * (now[i] - before[i]);
      g_autofree char *name = operator_name (node);
      g_string_append (json, json->len > 1 ? ",\n" : "\n");
      g_string_append (json, "{\"name\": ");
      weft_json_append_string (json, node->path);
      g_string_append (json, ", \"cat\": ");
      weft_json_append_string (json, name);
      g_string_append_printf (json, ", \"ph\": \"X\", \"pid\": 1, \"tid\": 1, \"ts\": %.3f, \"dur\": %.3f}", *clock, taken);
      *clock += taken;
    }
}

static gboolean
measure (WeftInside *inside, const Options *options, double *seconds, GString *json)
{
  g_autoptr (GError) error = NULL;
  guint n = inside->graph->nodes->len;
  g_autofree double *before = g_new0 (double, n), *start = g_new0 (double, n);
  const double *times = weft_executor_times (inside->executor);
  double clock = 0;
  for (int step = -options->warm_up; step < options->steps; step++)
    {
      memcpy (before, times, n * sizeof *before);
      if (step == 0)
        memcpy (start, times, n * sizeof *start);
      WeftStepResult result = weft_executor_step (inside->executor, (guint64) (step + options->warm_up), 0, &error);
      if (result == WEFT_STEP_ERROR)
        {
          fprintf (stderr, "%s\n", error->message);
          return FALSE;
        }
      if (result == WEFT_STEP_EXHAUSTED)
        {
          weft_executor_rewind (inside->executor);
          step--;
        }
      else if (step >= 0 && json)
        append_step (json, inside->graph, before, times, &clock);
    }
  for (guint i = 0; i < n; i++)
    seconds[i] = (times[i] - start[i]) / options->steps;
  return TRUE;
}

static void
print_profile (const WeftInside *inside, const double *seconds, const Options *options)
{
  const WeftGraph *graph = inside->graph;
  g_autoptr (GArray) nodes = g_array_new (FALSE, TRUE, sizeof (Share)), operators = g_array_new (FALSE, TRUE, sizeof (Share));
  double all = 0;
  g_array_set_clear_func (nodes, share_clear);
  g_array_set_clear_func (operators, share_clear);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      Share share = { g_strdup (node->path), node->op->name, 1, seconds[i], bytes_of (inside->plan, node) };
      g_autofree char *name = operator_name (node);
      guint at = 0;
      while (at < operators->len && strcmp (g_array_index (operators, Share, at).name, name) != 0)
        at++;
      if (at == operators->len)
        g_array_set_size (operators, at + 1);
      Share *sum = &g_array_index (operators, Share, at);
      if (!sum->name)
        sum->name = g_steal_pointer (&name);
      sum->count++;
      sum->seconds += seconds[i];
      sum->bytes += share.bytes;
      all += seconds[i];
      g_array_append_val (nodes, share);
    }
  g_autofree char *arena = g_format_size_full (inside->plan->arena, G_FORMAT_SIZE_IEC_UNITS);
  printf ("graph %s: %.2f ms a step over %d steps, %u nodes, %s in one arena (values share memory over time)\n\n", graph->name, 1000 * all,
          options->steps, graph->nodes->len, arena);
  print_shares (operators, "operator", all, options->top);
  printf ("\n");
  print_shares (nodes, "node", all, options->top);
}

static int
profile (const char *path, const WeftCommonOptions *common, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftInside) inside = weft_inside_open (path, common, options->graph);
  if (!inside || !weft_inside_ready (inside, NULL))
    return WEFT_EXIT_INPUT;
  g_autofree double *seconds = g_new0 (double, inside->graph->nodes->len);
  g_autoptr (GString) json = options->trace ? g_string_new ("[") : NULL;
  if (!measure (inside, options, seconds, json))
    return WEFT_EXIT_INPUT;
  print_profile (inside, seconds, options);
  if (!json)
    return 0;
  g_string_append (json, "\n]\n");
  if (g_file_set_contents (options->trace, json->str, -1, &error))
    return 0;
  fprintf (stderr, "%s\n", error->message);
  return WEFT_EXIT_INPUT;
}

int
weft_cli_profile (int argc, char **argv)
{
  WeftCommonOptions common;
  Options options = { .steps = 10, .warm_up = 2, .top = 20 };
  const GOptionEntry own[] = {
    { "graph", 'g', 0, G_OPTION_ARG_STRING, &options.graph, "Which graph (default: the one that is trained)", "NAME" },
    { "steps", 'n', 0, G_OPTION_ARG_INT, &options.steps, "Steps to measure (default 10)", "N" },
    { "warm-up", 0, 0, G_OPTION_ARG_INT, &options.warm_up, "Steps before (default 2)", "N" },
    { "top", 0, 0, G_OPTION_ARG_INT, &options.top, "Lines of each table, 0 for all (default 20)", "N" },
    { "trace", 0, 0, G_OPTION_ARG_FILENAME, &options.trace, "Write what ran when in Chrome's trace format", "FILE.json" },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
  };
  int status = 0;
  if (!weft_cli_parse (&argc, &argv, "PIPELINE|RUN",
                       "Shows time, bytes and share of each node and operator of a graph. A trace is for chrome://tracing or "
                       "ui.perfetto.dev.\n\nExamples:\n  weft profile scenes\n  weft profile user-f30k --threads 1 --trace step.json",
                       own, &common, &status))
    return status;
  if (argc != 2)
    status = weft_cli_usage ("weft profile: expected one pipeline or run directory, such as pipelines/scenes.yaml");
  else if (options.steps < 1 || options.warm_up < 0)
    status = weft_cli_usage ("--steps is at least 1, --warm-up at least 0");
  else
    status = profile (argv[1], &common, &options);
  g_free (options.graph);
  g_free (options.trace);
  weft_cli_options_clear (&common);
  return status;
}
