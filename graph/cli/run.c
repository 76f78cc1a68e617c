/* weft run: a graph up to a node, for looking inside.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "inside.h"
#include "npy.h"
#include "restrict.h"

#define ROWS_SHOWN 6
#define COLUMNS_SHOWN 8

typedef struct
{
  char *graph, **until, **prints, **saves, **feeds;
  int steps;
} Options;

typedef struct
{
  char *reference, *file; /* file NULL: to be printed */
  WeftWire *wire;
} Wanted;

static void
wanted_clear (gpointer data)
{
  Wanted *wanted = data;
  g_free (wanted->reference);
  g_free (wanted->file);
}

static float
element (const WeftTensor *tensor, gint64 i)
{
  float value = 0;
  weft_convert_to_f32 (tensor->type, (const char *) tensor->data + (gsize) i * weft_type_size (tensor->type), 1, &value);
  return value;
}

static void
print_values (const WeftTensor *tensor)
{
  gint64 rows = tensor->rank ? tensor->shape[0] : 1, all = weft_tensor_elements (tensor), columns = rows ? all / rows : 0;
  for (gint64 r = 0; r < MIN (rows, ROWS_SHOWN); r++)
    {
      printf ("   ");
      for (gint64 c = 0; c < MIN (columns, COLUMNS_SHOWN); c++)
        printf (" %10.5g", (double) element (tensor, r * columns + c));
      printf (columns > COLUMNS_SHOWN ? " …\n" : "\n");
    }
  if (rows > ROWS_SHOWN)
    printf ("    … %" G_GINT64_FORMAT " more\n", rows - ROWS_SHOWN);
}

static void
print_tensor (const char *name, const WeftTensor *tensor)
{
  g_autofree char *shape = weft_tensor_describe (tensor);
  gint64 n = weft_tensor_elements (tensor), odd = 0;
  double least = INFINITY, largest = -INFINITY, sum = 0;
  for (gint64 i = 0; i < n; i++)
    {
      double value = (double) element (tensor, i);
      odd += !isfinite (value);
      least = fmin (least, value);
      largest = fmax (largest, value);
      sum += isfinite (value) ? value : 0;
    }
  printf ("%s: %s", name, shape);
  if (n > 1)
    printf (", %.5g to %.5g, mean %.5g", least, largest, sum / (double) MAX (n - odd, 1));
  if (odd)
    printf (", %" G_GINT64_FORMAT " not finite", odd);
  printf ("\n");
  print_values (tensor);
}

static gboolean
add_wanted (WeftInside *inside, GArray *all, const char *reference, const char *file)
{
  Wanted wanted = { g_strdup (reference), g_strdup (file), weft_inside_want (inside, reference) };
  g_array_append_val (all, wanted);
  return wanted.wire != NULL;
}

/* What is wanted: printed, saved, and where the graph ends. */
static gboolean
gather (WeftInside *inside, const Options *options, GArray *all)
{
  gboolean good = TRUE;
  for (char **print = options->prints; print && *print; print++)
    good &= add_wanted (inside, all, *print, NULL);
  for (char **save = options->saves; save && *save; save++)
    {
      const char *equals = strchr (*save, '=');
      g_autofree char *reference = equals ? g_strndup (*save, (gsize) (equals - *save)) : NULL;
      if (!equals || !equals[1])
        fprintf (stderr, "--save %s: expected NODE=FILE.npy\n", *save);
      good &= equals && equals[1] && add_wanted (inside, all, reference, equals + 1);
    }
  for (char **until = options->until; until && *until; until++)
    if (!options->prints && !options->saves)
      good &= add_wanted (inside, all, *until, NULL);
    else
      good &= weft_inside_want (inside, *until) != NULL;
  return good;
}

static gboolean
restrict_graph (WeftInside *inside, const Options *options, const GArray *all)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) nodes = g_ptr_array_new ();
  for (guint i = 0; i < all->len; i++)
    g_ptr_array_add (nodes, g_array_index (all, Wanted, i).wire->node);
  for (char **until = options->until; until && *until; until++)
    {
      const WeftWire *wire = weft_inside_want (inside, *until);
      g_ptr_array_add (nodes, wire->node);
    }
  if (nodes->len)
    weft_graph_restrict (inside->graph, nodes, problems);
  if (weft_problems_to_error (problems, &error))
    return TRUE;
  fprintf (stderr, "%s\n", error->message);
  return FALSE;
}

static gboolean
show (WeftInside *inside, const GArray *all)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < all->len; i++)
    {
      const Wanted *wanted = &g_array_index (all, Wanted, i);
      const WeftTensor *tensor = weft_executor_value (inside->executor, wanted->wire);
      if (!tensor || !tensor->data)
        printf ("%s: nothing\n", wanted->reference);
      else if (!wanted->file)
        print_tensor (wanted->reference, tensor);
      else if (weft_npy_write (wanted->file, tensor, &error))
        {
          g_autofree char *shape = weft_tensor_describe (tensor);
          printf ("%s: %s\n", wanted->file, shape);
        }
      else
        {
          fprintf (stderr, "%s\n", error->message);
          return FALSE;
        }
    }
  return TRUE;
}

static int
run (const char *path, const WeftCommonOptions *common, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftInside) inside = weft_inside_open (path, common, options->graph);
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Wanted));
  g_array_set_clear_func (all, wanted_clear);
  if (!inside || !gather (inside, options, all) || !restrict_graph (inside, options, all) || !weft_inside_ready (inside, options->feeds))
    return WEFT_EXIT_INPUT;
  for (int step = 0; step < options->steps; step++)
    {
      WeftStepResult result = weft_executor_step (inside->executor, (guint64) step, 0, &error);
      if (result == WEFT_STEP_DONE)
        continue;
      if (result == WEFT_STEP_ERROR)
        fprintf (stderr, "%s\n", error->message);
      else
        fprintf (stderr, "the source `%s` is over after %d steps\n", inside->graph->source->path, step);
      return WEFT_EXIT_INPUT;
    }
  return show (inside, all) ? 0 : WEFT_EXIT_INPUT;
}

int
weft_cli_run (int argc, char **argv)
{
  WeftCommonOptions common;
  Options options = { .steps = 1 };
  const GOptionEntry own[] = {
    { "graph", 'g', 0, G_OPTION_ARG_STRING, &options.graph, "Which graph (default: the one that is trained)", "NAME" },
    { "until", 'u', 0, G_OPTION_ARG_STRING_ARRAY, &options.until, "Run no further than what this node needs (repeatable)", "NODE" },
    { "print", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &options.prints, "Print a value (repeatable; default: what --until names)", "NODE" },
    { "save", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.saves, "Write a value (repeatable)", "NODE=FILE.npy" },
    { "feed", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.feeds, "Give a feed or a collected array its value (repeatable)", "NODE=FILE.npy" },
    { "steps", 'n', 0, G_OPTION_ARG_INT, &options.steps, "Steps; the last one's values are shown (default 1)", "N" },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
  };
  int status = 0;
  if (!weft_cli_parse (&argc, &argv, "PIPELINE|RUN",
                       "Runs a graph up to a node and shows values, gradients included (NODE~gradient). Nothing is written but what --save "
                       "names. A run directory's newest checkpoint is taken.\n\nExamples:\n"
                       "  weft run scenes --graph train --until v.sge.weights\n"
                       "  weft run runs/scenes -g images -u v --print v.gpo.weights --save v=embeddings.npy",
                       own, &common, &status))
    return status;
  if (argc != 2)
    status = weft_cli_usage ("weft run: expected one pipeline or run directory, such as pipelines/scenes.yaml");
  else if (!options.until && !options.prints && !options.saves)
    status = weft_cli_usage ("weft run: say what to look at: --until NODE, --print NODE or --save NODE=FILE.npy");
  else if (options.steps < 1)
    status = weft_cli_usage ("--steps is at least 1");
  else
    status = run (argv[1], &common, &options);
  g_free (options.graph);
  g_strfreev (options.until);
  g_strfreev (options.prints);
  g_strfreev (options.saves);
  g_strfreev (options.feeds);
  weft_cli_options_clear (&common);
  return status;
}
