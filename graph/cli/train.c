/* weft train: train a pipeline, or go on with a run.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>

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

static char **
gather_settings (const WeftCommonOptions *common, int limit, gboolean overfit)
{
  char **settings = weft_cli_settings (common);
  guint n = g_strv_length (settings);

  settings = g_renew (char *, settings, n + 3);
  if (limit)
    settings[n++] = g_strdup_printf ("run.train.limit=%d", limit);
  if (overfit)
    settings[n++] = g_strdup ("run.train.overfit=true");
  settings[n] = NULL;
  return settings;
}

int
weft_cli_train (int argc, char **argv)
{
  WeftCommonOptions common;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) settings = NULL;
  WeftRunOptions options;
  WeftRunOutcome outcome;
  WeftRun *run;
  int limit = 0, status = 0;
  gboolean overfit = FALSE;
  const GOptionEntry own[] = {
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
  settings = gather_settings (&common, limit, overfit);
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
