/* Training runs: opening, the loop over steps and passes, ending.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <string.h>
#include <sys/utsname.h>

#include "registry.h"
#include "restore.h"
#include "run-private.h"
#include "snapshot.h"
#include "weights.h"

static volatile int interrupted;

void
weft_run_interrupt (int signal)
{
  interrupted = signal;
}

int
weft_run_interrupted (void)
{
  return interrupted;
}

char *
weft_processor_name (void)
{
  g_autofree char *text = NULL;
  g_file_get_contents ("/proc/cpuinfo", &text, NULL, NULL);
  char *line = text ? strstr (text, "model name") : NULL;
  char *colon = line ? strchr (line, ':') : NULL;
  if (colon)
    return g_strndup (colon + 2, strcspn (colon + 2, "\n"));
  struct utsname system;
  return g_strdup (uname (&system) == 0 ? system.machine : "unknown");
}

/* Where the run goes and whether it goes on. */
static char *
choose_directory (const WeftRunOptions *options, const WeftPipeline *pipeline)
{
  if (options->output)
    return g_strdup (options->output);
  if (weft_directory_is_run (options->pipeline))
    return g_strdup (options->pipeline);
  return g_build_filename ("runs", pipeline->name ? pipeline->name : "run", NULL);
}

/* Runs go into their own directories, not among other files. */
static gboolean
is_usable (const char *path, GError **error)
{
  if (weft_directory_is_run (path) || weft_directory_is_empty (path))
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s exists and is no run directory; choose another --output", path);
  return FALSE;
}

/* Keeps the pipeline in the directory, or holds it against the one that is there. */
static gboolean
keep_pipeline (WeftRun *run, const WeftRunOptions *options, GError **error)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autofree char *file = weft_pipeline_file (options->pipeline);
  g_autofree char *kept = weft_directory_file (run->directory, "pipeline.yaml");
  WeftComposition composition = { file, options->overlays, options->settings, weft_pipeline_search () };
  g_autoptr (WeftValue) snapshot = weft_snapshot_new (&composition, problems);
  if (!snapshot)
    return weft_problems_to_error (problems, error);
  g_autofree char *text = weft_document_print (snapshot);
  g_autoptr (GArray) checkpoints = weft_directory_checkpoints (run->directory);
  gboolean same_place = weft_directory_is_run (options->pipeline);
  if (!g_file_test (kept, G_FILE_TEST_EXISTS) || same_place || checkpoints->len == 0)
    return g_file_set_contents (kept, text, -1, error);
  g_autoptr (WeftValue) before = weft_document_load (kept, problems);
  g_autoptr (WeftValue) now = weft_document_parse (text, -1, "the pipeline", problems);
  g_autofree char *difference = before && now ? weft_snapshot_difference (before, now) : g_strdup ("it can't be read");
  if (!difference)
    return TRUE;
  const char *directory = weft_directory_path (run->directory);
  g_set_error (
      error, WEFT_ERROR, WEFT_ERROR_INPUT,
      "%s holds a run of another pipeline (first difference: %s). Go on with that run: weft train %s [--set …]; or start a new one: "
      "--output DIRECTORY",
      directory, difference, directory);
  return FALSE;
}

static void
report_weights (WeftRun *run, const char *report)
{
  g_auto (GStrv) lines = g_strsplit (report ? report : "", "\n", -1);
  for (char **line = lines; *line; line++)
    if (**line)
      weft_progress_line (run->progress, "%s", *line);
}

static gboolean
fill_store (WeftRun *run, GError **error)
{
  g_autoptr (GArray) checkpoints = weft_directory_checkpoints (run->directory);
  guint64 seed = (guint64) run->train.recipe->seed;
  if (!weft_store_prepare (run->store, run->train.pipeline, seed, error))
    return FALSE;
  if (checkpoints->len == 0)
    {
      g_autofree char *report = NULL;
      if (!weft_weights_load (run->store, run->train.pipeline, &report, error))
        return FALSE;
      report_weights (run, report);
    }
  if (run->validate.pipeline && !weft_store_prepare (run->store, run->validate.pipeline, seed, error))
    return FALSE;
  if (!weft_restore (run->directory, run->store, &run->position, run->progress, &run->continued, error))
    return FALSE;
  run->saved_step = run->position.step;
  return TRUE;
}

static gboolean
open_pipelines (WeftRun *run, const WeftRunOptions *options, GError **error)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  if (!weft_open (options->pipeline, options->overlays, options->settings, NULL, TRUE, &run->train, problems))
    return weft_problems_to_error (problems, error);
  const WeftRecipe *recipe = run->train.recipe;
  if (!recipe->train_graph)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: there is nothing to train: `run:` needs `train: {graph: NAME, epochs: N}`",
                   options->pipeline);
      return FALSE;
    }
  if (recipe->validate.given
      && !weft_open (options->pipeline, options->overlays, options->settings, recipe->validate.vars, FALSE, &run->validate, problems))
    return weft_problems_to_error (problems, error);
  return TRUE;
}

/* Everything that can be wrong is found here, before the first step. */
static gboolean
open_graphs (WeftRun *run, GError **error)
{
  const WeftRecipe *recipe = run->train.recipe;
  run->graph = weft_pipeline_graph (run->train.pipeline, recipe->train_graph);
  run->plan = weft_plan_new (run->graph, error);
  if (!run->plan)
    return FALSE;
  run->executor = weft_executor_new (run->plan, run->store, run->team, (guint64) recipe->seed, error);
  if (!run->executor)
    return FALSE;
  weft_executor_watch (run->executor, recipe->watch_finite);
  run->watch = weft_watch_new (recipe, run->graph);
  if (!run->validate.pipeline)
    return TRUE;
  run->passes =
      weft_passes_new (run->validate.pipeline, run->validate.recipe->validate.graphs, run->store, run->team, (guint64) recipe->seed, error);
  return run->passes != NULL;
}

WeftRun *
weft_run_open (const WeftRunOptions *options, GError **error)
{
  g_autoptr (WeftRun) run = g_new0 (WeftRun, 1);
  run->progress = weft_progress_new (options->out);
  if (!open_pipelines (run, options, error))
    return NULL;
  run->position.n_sums = run->train.recipe->log->len;
  run->position.sums = g_new0 (double, run->position.n_sums + 1);
  g_autofree char *path = choose_directory (options, run->train.pipeline);
  gboolean fresh = !g_file_test (path, G_FILE_TEST_EXISTS);
  if (!fresh && !is_usable (path, error))
    return NULL;
  run->directory = weft_directory_open (path, error);
  if (!run->directory || !keep_pipeline (run, options, error))
    return NULL;
  g_autofree char *log = weft_directory_file (run->directory, "log.txt");
  run->team = weft_team_new (options->threads, error);
  run->store = weft_store_new ();
  if (!run->team || !weft_progress_log_to (run->progress, log, error) || !fill_store (run, error) || !open_graphs (run, error))
    {
      if (fresh)
        weft_run_discard (run);
      else
        weft_directory_fail (run->directory, error && *error ? (*error)->message : "?");
      return NULL;
    }
  run->saver = weft_saver_new (run->store);
  run->metrics = weft_metrics_open (path, run->position.step, run->position.written, error);
  return run->metrics ? g_steal_pointer (&run) : NULL;
}

const char *
weft_run_directory (const WeftRun *run)
{
  return weft_directory_path (run->directory);
}

void
weft_run_free (WeftRun *run)
{
  if (!run)
    return;
  g_clear_pointer (&run->saver, weft_saver_free);
  g_clear_pointer (&run->metrics, weft_metrics_close);
  g_clear_pointer (&run->watch, weft_watch_free);
  g_clear_pointer (&run->passes, weft_passes_free);
  g_clear_pointer (&run->executor, weft_executor_free);
  g_clear_pointer (&run->plan, weft_plan_free);
  g_clear_pointer (&run->team, weft_team_free);
  weft_opened_clear (&run->validate);
  weft_opened_clear (&run->train);
  g_clear_pointer (&run->store, weft_store_free);
  g_clear_pointer (&run->directory, weft_directory_close);
  g_clear_pointer (&run->progress, weft_progress_free);
  g_free (run->position.sums);
  g_free (run);
}

static gboolean
is_over (const WeftRun *run)
{
  const WeftRecipe *recipe = run->train.recipe;
  const WeftPosition *position = &run->position;
  gboolean limited = weft_value_at (run->train.document, "run.train.epochs") && position->epoch >= (guint64) recipe->epochs;
  gboolean counted = weft_value_at (run->train.document, "run.train.steps") && position->step >= (guint64) recipe->steps;
  return position->stopped || limited || counted;
}

/* One batch again and again makes no pass; this is one. */
#define OVERFIT_PASS 100

/* The next step, which may end the pass before its source does. */
static WeftStepResult
next_step (WeftRun *run, GError **error)
{
  const WeftRecipe *recipe = run->train.recipe;
  const WeftPosition *position = &run->position;
  guint64 limit = (guint64) (recipe->limit ? recipe->limit : recipe->overfit ? OVERFIT_PASS : 0);
  if (limit && position->pass_step >= limit)
    return WEFT_STEP_EXHAUSTED;
  if (recipe->overfit)
    weft_executor_rewind (run->executor);
  return weft_executor_step (run->executor, position->step, recipe->overfit ? 0 : position->epoch, error);
}

/* One step, or the end of a pass. */
static gboolean
take_step (WeftRun *run, gboolean *epoch_over, GError **error)
{
  WeftPosition *position = &run->position;
  if (!position->in_pass)
    {
      weft_executor_rewind (run->executor);
      position->in_pass = TRUE;
      position->pass_step = 0;
    }
  WeftStepResult result = next_step (run, error);
  *epoch_over = result == WEFT_STEP_EXHAUSTED;
  if (result == WEFT_STEP_ERROR)
    return FALSE;
  if (result == WEFT_STEP_DONE)
    {
      position->step++;
      position->pass_step++;
      weft_run_log (run);
      return TRUE;
    }
  if (position->pass_step == 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "the source `%s` has no items", run->graph->source->path);
      return FALSE;
    }
  position->pass_length = position->pass_step;
  position->in_pass = FALSE;
  position->epoch++;
  return TRUE;
}

static gboolean
loop (WeftRun *run, GError **error)
{
  WeftPosition *position = &run->position;
  while (!weft_run_interrupted ())
    {
      if (position->validate && !weft_run_validate (run, error))
        return FALSE;
      if (is_over (run))
        return TRUE;
      weft_run_keep (run, FALSE);
      gboolean epoch_over;
      if (!take_step (run, &epoch_over, error))
        {
          run->broken = TRUE;
          weft_run_explain (run, error);
          return FALSE;
        }
      if (!weft_run_after_step (run, epoch_over, is_over (run), error))
        return FALSE;
    }
  return TRUE;
}

WeftRunOutcome
weft_run_train (WeftRun *run, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (is_over (run) && !run->position.validate)
    {
      weft_progress_line (run->progress,
                          "%s is finished (step %" G_GUINT64_FORMAT ", epoch %" G_GUINT64_FORMAT
                          "); to go on: weft train %s --set run.train.epochs=N",
                          weft_run_directory (run), run->position.step, run->position.epoch, weft_run_directory (run));
      return WEFT_RUN_FINISHED;
    }
  if (!weft_run_begin (run, error))
    return WEFT_RUN_FAILED;
  gboolean good = loop (run, &failure);
  if (!run->broken && weft_run_interrupted ())
    {
      good = TRUE;
      g_clear_error (&failure);
    }
  /* What failed may have been the validation: the steps before it are worth keeping. */
  weft_run_report (run, TRUE);
  if (!run->broken)
    good &= weft_run_save (run, failure ? NULL : &failure);
  good &= weft_metrics_flush (run->metrics, failure ? NULL : &failure);
  WeftRunOutcome outcome = !good ? WEFT_RUN_FAILED : weft_run_interrupted () ? WEFT_RUN_INTERRUPTED : WEFT_RUN_FINISHED;
  weft_run_end (run, outcome, failure);
  if (failure)
    g_propagate_error (error, g_steal_pointer (&failure));
  return outcome;
}
