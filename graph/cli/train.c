/* weft train: train a pipeline, or go on with a run.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "run.h"

static void
on_signal (int number)
{
  weft_run_interrupt (number);
}

static void
catch_signals (void)
{
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int) (SA_RESETHAND | SA_RESTART) };

  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
}

/* "500" is steps; "90s", "10m" and "2h" are times. Returns: a setting to be freed, or %NULL */
static char *
checkpoint_setting (const char *text)
{
  static const char units[] = "smh";
  static const double seconds[] = { 1, 60, 3600 };
  char *end;
  double number = g_ascii_strtod (text, &end);
  const char *unit = *end ? strchr (units, *end) : NULL;
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  if (end == text || !(number >= 1 && number < 1e15) || (*end && (!unit || end[1])))
    return NULL;
  if (!unit && number != (double) (gint64) number)
    return NULL;
  g_ascii_formatd (buffer, sizeof buffer, "%.15g", unit ? number * seconds[unit - units] : number);
  return g_strdup_printf ("run.checkpoint.every={%s: %s}", unit ? "seconds" : "steps", buffer);
}

static char **
gather_settings (const WeftCommonOptions *common, int limit, gboolean overfit, const char *checkpoint)
{
  char **settings = weft_cli_settings (common);
  guint n = g_strv_length (settings);

  settings = g_renew (char *, settings, n + 4);
  if (limit)
    settings[n++] = g_strdup_printf ("run.train.limit=%d", limit);
  if (overfit)
    settings[n++] = g_strdup ("run.train.overfit=true");
  if (checkpoint)
    settings[n++] = g_strdup (checkpoint);
  settings[n] = NULL;
  return settings;
}

int
weft_cli_train (int argc, char **argv)
{
  WeftCommonOptions common;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) settings = NULL;
  g_autofree char *every = NULL, *checkpoint = NULL;
  WeftRunOptions options;
  WeftRunOutcome outcome;
  WeftRun *run;
  int limit = 0, status = 0;
  gboolean overfit = FALSE;
  const GOptionEntry own[] = {
    { "checkpoint-every", 0, 0, G_OPTION_ARG_STRING, &every,
      "Save the run after so many steps (500) or so much time (90s, 10m, 2h); short for --set run.checkpoint.every={steps: N}", "N|TIME" },
    { "limit", 0, 0, G_OPTION_ARG_INT, &limit, "End each pass after so many steps; short for --set run.train.limit=N", "N" },
    { "overfit-one-batch", 0, 0, G_OPTION_ARG_NONE, &overfit,
      "Take the first batch in every step, for a look whether the model can learn it; short for --set run.train.overfit=true", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
  };

  if (!weft_cli_parse (&argc, &argv, "PIPELINE|RUN", "Trains a pipeline into a run directory; run again to go on after an interruption.",
                       own, &common, &status))
    return status;
  if (argc != 2)
    {
      fprintf (stderr, "weft train: expected one pipeline or run directory, such as pipelines/scenes.yaml\n");
      weft_cli_options_clear (&common);
      return WEFT_EXIT_USAGE;
    }
  checkpoint = every ? checkpoint_setting (every) : NULL;
  if (every && !checkpoint)
    {
      fprintf (stderr, "weft train: --checkpoint-every %s: expected steps, such as 500, or a time, such as 90s, 10m or 2h\n", every);
      weft_cli_options_clear (&common);
      return WEFT_EXIT_USAGE;
    }
  settings = gather_settings (&common, limit, overfit, checkpoint);
  options = (WeftRunOptions){ .pipeline = argv[1],
                              .output = common.output,
                              .overlays = (const char *const *) common.overlays,
                              .settings = (const char *const *) settings,
                              .threads = (guint) MAX (common.threads, 0),
                              .out = common.quiet ? NULL : stderr };
  catch_signals ();
  run = weft_run_open (&options, &error);
  outcome = run ? weft_run_train (run, &error) : WEFT_RUN_FAILED;
  if (outcome == WEFT_RUN_FAILED)
    {
      fprintf (stderr, "%s\n", error ? error->message : "training failed");
      status = WEFT_EXIT_INPUT;
    }
  else if (outcome == WEFT_RUN_INTERRUPTED)
    status = 128 + (weft_run_interrupted () ? weft_run_interrupted () : SIGINT);
  g_clear_pointer (&run, weft_run_free);
  weft_cli_options_clear (&common);
  return status;
}
