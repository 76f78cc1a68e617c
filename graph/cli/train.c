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

/* --seed is a setting like any other. */
static char **
with_seed (const WeftCommonOptions *common)
{
  GPtrArray *settings = g_ptr_array_new ();

  for (guint i = 0; common->settings && common->settings[i]; i++)
    g_ptr_array_add (settings, g_strdup (common->settings[i]));
  if (common->seed >= 0)
    g_ptr_array_add (settings, g_strdup_printf ("run.seed=%" G_GINT64_FORMAT, common->seed));
  g_ptr_array_add (settings, NULL);
  return (char **) g_ptr_array_free (settings, FALSE);
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
  int status = 0;

  if (!weft_cli_parse (&argc, &argv, "PIPELINE|RUN", "Trains a pipeline into a run directory; run again to go on after an interruption.", NULL, &common,
                       &status))
    return status;
  if (argc != 2)
    {
      fprintf (stderr, "weft train: expected one pipeline or run directory, such as pipelines/scenes.yaml\n");
      weft_cli_options_clear (&common);
      return WEFT_EXIT_USAGE;
    }
  settings = with_seed (&common);
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
