/* weft ablate, weft sweep: train and evaluate variants of a pipeline over seeds, and print one table.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "graph.h"
#include "open.h"
#include "table.h"

typedef struct
{
  char *only, *format;
  int seeds, jobs, limit;
  gboolean keep_going, fail_fast, all, no_times, plan;
} Options;

static const char *const forms[] = { "text", "csv", "markdown", "latex", NULL };
static const char *const endings[] = { "txt", "csv", "md", "tex" };

static char *
default_output (const char *pipeline)
{
  g_autofree char *file = weft_pipeline_file (pipeline), *name = g_path_get_basename (file);
  if (g_str_has_suffix (name, ".yaml"))
    name[strlen (name) - strlen (".yaml")] = '\0';
  return g_strdup_printf ("runs/%s-ablations", name);
}

/* Beside the runs, in every form. */
static gboolean
write_tables (const char *output, const GPtrArray *trials, const GPtrArray *variants, const Options *options)
{
  g_autoptr (GError) error = NULL;
  for (guint form = 0; form < G_N_ELEMENTS (endings); form++)
    {
      g_autofree char *path = g_strdup_printf ("%s/table.%s", output, endings[form]);
      g_autofree char *text = weft_table_print (trials, variants, (WeftTableForm) form, options->all, !options->no_times);
      if (!g_file_set_contents (path, text, -1, &error))
        {
          fprintf (stderr, "%s\n", error->message);
          return FALSE;
        }
    }
  const char *before = NULL;
  for (guint v = 0; v < variants->len; v++)
    {
      const char *axis = ((const WeftVariant *) variants->pdata[v])->axis;
      g_autofree char *drawing = axis && g_strcmp0 (axis, before) != 0 ? weft_curve_draw (trials, variants, axis) : NULL;
      g_autofree char *path = axis ? g_strdup_printf ("%s/%s.svg", output, axis) : NULL;
      before = axis;
      if (drawing && !g_file_set_contents (path, drawing, -1, &error))
        {
          fprintf (stderr, "%s\n", error->message);
          return FALSE;
        }
    }
  return TRUE;
}

static void
print_reasons (FILE *to, const GPtrArray *trials, gboolean plan)
{
  fprintf (to, "\nruns:\n");
  for (guint i = 0; i < trials->len; i++)
    {
      const WeftTrial *trial = trials->pdata[i];
      if (trial->state == WEFT_TRIAL_UNFIT)
        fprintf (to, "  %s: %s\n", trial->variant->name, trial->why);
      else
        fprintf (to, "  %s, seed %" G_GINT64_FORMAT ": %s%s%s%s\n", trial->variant->name, trial->seed,
                 plan && trial->state == WEFT_TRIAL_WAITING && !trial->same ? "to be " : "", trial->why, trial->directory ? "; " : "",
                 trial->directory ? trial->directory : "");
    }
}

static int
run (const char *pipeline, const WeftCommonOptions *common, const Options *options, guint form, gboolean matrix)
{
  g_autofree char *output = common->output ? g_strdup (common->output) : default_output (pipeline);
  WeftTrialOptions trial_options = { pipeline, common, output, options->seeds, options->jobs, options->keep_going, options->fail_fast };
  g_autoptr (GPtrArray) variants = weft_variants_new (pipeline, common, options->only, matrix);
  if (!variants)
    return WEFT_EXIT_INPUT;
  if (matrix && variants->len < 2)
    {
      fprintf (stderr,
               "%s has no `matrix:` to sweep over: give it one, such as `matrix: {queue: [0, 1024]}`, or name an ablation that has one: "
               "--only queue-length\n",
               pipeline);
      return WEFT_EXIT_INPUT;
    }
  g_autoptr (GPtrArray) trials = weft_trials_new (&trial_options, variants);
  if (!trials)
    return WEFT_EXIT_INPUT;
  if (options->plan)
    {
      print_reasons (stdout, trials, TRUE);
      return 0;
    }
  int status = weft_trials_run (&trial_options, trials);
  g_autofree char *text = weft_table_print (trials, variants, (WeftTableForm) form, options->all, !options->no_times);
  fputs (text, stdout);
  fflush (stdout);
  if (!common->quiet)
    print_reasons (form == WEFT_TABLE_TEXT ? stdout : stderr, trials, FALSE);
  return write_tables (output, trials, variants, options) ? status : WEFT_EXIT_INPUT;
}

static int
ablate (int argc, char **argv, gboolean matrix)
{
  WeftCommonOptions common;
  Options options = { .seeds = 1, .jobs = 1 };
  const GOptionEntry own[] = {
    { "only", 0, 0, G_OPTION_ARG_STRING, &options.only, "Only these: the pipeline's ablations, overlay files, or their names", "NAME,…" },
    { "seeds", 0, 0, G_OPTION_ARG_INT, &options.seeds, "Seeds for each variant, from the pipeline's on (default 1)", "N" },
    { "jobs", 'j', 0, G_OPTION_ARG_INT, &options.jobs, "Runs at a time; they share the processors (default 1)", "J" },
    { "limit", 0, 0, G_OPTION_ARG_INT, &options.limit, "End each pass of training after so many steps, for a quick look", "N" },
    { "keep-going", 'k', 0, G_OPTION_ARG_NONE, &options.keep_going, "Go on with other runs when one has failed", NULL },
    { "fail-fast", 0, 0, G_OPTION_ARG_NONE, &options.fail_fast, "Stop runs under way when one has failed", NULL },
    { "format", 0, 0, G_OPTION_ARG_STRING, &options.format, "text, csv, markdown or latex", "FORM" },
    { "all", 'a', 0, G_OPTION_ARG_NONE, &options.all, "Show all numbers of the evaluation, not only recalls", NULL },
    { "no-times", 0, 0, G_OPTION_ARG_NONE, &options.no_times, "Leave out the time a step", NULL },
    { "plan", 'n', 0, G_OPTION_ARG_NONE, &options.plan, "Check everything, say what would be run and why, and end", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
  };
  int status = 0;
  if (!weft_cli_parse (&argc, &argv, "PIPELINE",
                       matrix
                           ? "Trains and evaluates a pipeline for every combination of the values of a `matrix:`, over seeds, and prints "
                             "one table. Continues where it was stopped; finished runs are never repeated.\n\nExamples:\n"
                             "  weft sweep scenes --only queue-length --seeds 3\n  weft sweep mine.yaml --jobs 2 --format csv"
                           : "Trains and evaluates a pipeline and its ablations, over seeds, and prints one table. Continues where it was "
                             "stopped; finished runs are never repeated.\n\nExamples:\n  weft ablate scenes --seeds 3 --jobs 2\n"
                             "  weft ablate user-f30k --only no-sge,no-queue,momentum --format latex\n  weft ablate scenes --plan",
                       own, &common, &status))
    return status;
  if (options.limit > 0)
    {
      guint n = common.settings ? g_strv_length (common.settings) : 0;
      common.settings = g_renew (char *, common.settings, n + 2);
      common.settings[n] = g_strdup_printf ("run.train.limit=%d", options.limit);
      common.settings[n + 1] = NULL;
    }
  guint form = 0;
  while (options.format && forms[form] && strcmp (forms[form], options.format) != 0)
    form++;
  if (argc != 2)
    status = weft_cli_usage (matrix ? "weft sweep: expected one pipeline, such as pipelines/scenes.yaml"
                                    : "weft ablate: expected one pipeline, such as pipelines/scenes.yaml");
  else if (!forms[form])
    status = weft_cli_usage ("--format is text, csv, markdown or latex");
  else if (options.seeds < 1 || options.jobs < 1 || options.limit < 0)
    status = weft_cli_usage ("--seeds, --jobs and --limit are at least 1");
  else
    status = run (argv[1], &common, &options, form, matrix);
  g_free (options.only);
  g_free (options.format);
  weft_cli_options_clear (&common);
  return status;
}

int
weft_cli_ablate (int argc, char **argv)
{
  return ablate (argc, argv, FALSE);
}

int
weft_cli_sweep (int argc, char **argv)
{
  return ablate (argc, argv, TRUE);
}
