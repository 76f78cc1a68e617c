/* weft compare: whether one run is better than another by more than chance.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <glib/gstdio.h>
#include <stdio.h>

#include "bootstrap.h"
#include "evaluation.h"
#include "grid.h"
#include "metrics.h"

typedef struct
{
  char *split;
  int resamples;
  double confidence;
  gboolean json;
} Options;

/* Ranks of a run, which is evaluated for them. */
static WeftRanks *
evaluate_ranks (const char *path, const WeftCommonOptions *common, const char *split)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("weft-compare-XXXXXX", &error);
  WeftRanks *ranks = NULL;
  if (folder)
    {
      g_autofree char *file = g_build_filename (folder, "ranks.csv", NULL);
      g_autoptr (WeftSession) session = weft_evaluation_open_writing (path, common, split, "ranks", file);
      g_autoptr (WeftPasses) passes =
          session ? weft_evaluation_pass (session, weft_session_recipe (session)->evaluate.graphs, common->quiet) : NULL;
      ranks = passes ? weft_ranks_read (file, &error) : NULL;
      g_unlink (file);
      g_rmdir (folder);
    }
  if (error)
    fprintf (stderr, "%s\n", error->message);
  return ranks;
}

static WeftRanks *
read_ranks (const char *path, const WeftCommonOptions *common, const char *split)
{
  g_autoptr (GError) error = NULL;
  if (!g_str_has_suffix (path, ".csv"))
    return evaluate_ranks (path, common, split);
  WeftRanks *ranks = weft_ranks_read (path, &error);
  if (!ranks)
    fprintf (stderr, "%s\n", error->message);
  return ranks;
}

static void
add_cells (GPtrArray *rows, const char *const *cells)
{
  GPtrArray *row = g_ptr_array_new_with_free_func (g_free);
  for (; *cells; cells++)
    g_ptr_array_add (row, g_strdup (*cells));
  g_ptr_array_add (rows, row);
}

static void
print_table (const GArray *comparisons, const char *first, const char *second, const Options *options)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  g_autofree char *interval = g_strdup_printf ("%g %% interval", 100 * options->confidence);
  add_cells (rows, (const char *const[]){ "", "first", "second", "difference", interval, "p", NULL });
  for (guint i = 0; i < comparisons->len; i++)
    {
      const WeftComparison *c = &g_array_index (comparisons, WeftComparison, i);
      g_autofree char *a = g_strdup_printf ("%.2f", c->first), *b = g_strdup_printf ("%.2f", c->second),
                      *difference = g_strdup_printf ("%+.2f", c->second - c->first),
                      *range = g_strdup_printf ("%+.2f to %+.2f", c->low, c->high), *p = g_strdup_printf ("%.4f", c->p);
      add_cells (rows, (const char *const[]){ c->name, a, b, difference, range, p, NULL });
    }
  g_autofree char *table = weft_grid_print (rows, WEFT_TABLE_TEXT);
  printf ("first: %s\nsecond: %s\n\n%s\nPaired bootstrap, %d resamples of whole images with their captions.\n", first, second, table,
          options->resamples);
}

static void
print_json (const GArray *comparisons, const Options *options, guint64 seed)
{
  g_autoptr (GString) json = g_string_new (NULL);
  g_string_append_printf (json, "{\"resamples\": %d, \"seed\": %" G_GUINT64_FORMAT ", \"confidence\": ", options->resamples, seed);
  weft_json_append_number (json, options->confidence);
  g_string_append (json, ", \"measures\": {");
  for (guint i = 0; i < comparisons->len; i++)
    {
      const WeftComparison *c = &g_array_index (comparisons, WeftComparison, i);
      const double values[] = { c->first, c->second, c->second - c->first, c->low, c->high, c->p };
      static const char *const names[] = { "first", "second", "difference", "low", "high", "p" };
      g_string_append (json, i ? ", " : "");
      weft_json_append_string (json, c->name);
      for (guint k = 0; k < G_N_ELEMENTS (values); k++)
        {
          g_string_append_printf (json, "%s\"%s\": ", k ? ", " : ": {", names[k]);
          weft_json_append_number (json, values[k]);
        }
      g_string_append_c (json, '}');
    }
  printf ("%s}}\n", json->str);
}

static int
compare (const char *first, const char *second, const WeftCommonOptions *common, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftRanks) a = read_ranks (first, common, options->split), b = a ? read_ranks (second, common, options->split) : NULL;
  guint64 seed = common->seed < 0 ? 0 : (guint64) common->seed;
  g_autoptr (GArray) comparisons = b ? weft_bootstrap (a, b, (guint) options->resamples, seed, options->confidence, &error) : NULL;
  if (error)
    fprintf (stderr, "weft compare: %s\n", error->message);
  if (!comparisons)
    return WEFT_EXIT_INPUT;
  if (options->json)
    print_json (comparisons, options, seed);
  else
    print_table (comparisons, first, second, options);
  return 0;
}

int
weft_cli_compare (int argc, char **argv)
{
  WeftCommonOptions common;
  Options options = { .resamples = 10000, .confidence = 0.95 };
  const GOptionEntry own[] = {
    { "split", 0, 0, G_OPTION_ARG_STRING, &options.split, "Part of the data; short for --set split=NAME", "NAME" },
    { "resamples", 0, 0, G_OPTION_ARG_INT, &options.resamples, "How often to draw (default 10000); --seed says which draws", "N" },
    { "confidence", 0, 0, G_OPTION_ARG_DOUBLE, &options.confidence, "Share of the interval (default 0.95)", "SHARE" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options.json, "Print one JSON object instead of a table", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
  };
  int status = 0;
  if (!weft_cli_parse (&argc, &argv, "RUN|RANKS.csv RUN|RANKS.csv",
                       "Compares the recalls of two runs by a paired bootstrap: images with their captions are drawn with replacement, the "
                       "same for both. Ranks that `weft evaluate --ranks` wrote save evaluating.\n\nExample:\n"
                       "  weft compare runs/user-f30k runs/user-f30k-cge --split test",
                       own, &common, &status))
    return status;
  if (argc != 3)
    status = weft_cli_usage ("weft compare: expected two runs, or files of ranks");
  else if (options.resamples < 1 || options.resamples > 10000000)
    status = weft_cli_usage ("weft compare: --resamples is from 1 to 10000000");
  else if (!(options.confidence > 0 && options.confidence < 1))
    status = weft_cli_usage ("weft compare: --confidence is between 0 and 1, 0.95 for instance");
  else
    status = compare (argv[1], argv[2], &common, &options);
  g_free (options.split);
  weft_cli_options_clear (&common);
  return status;
}
