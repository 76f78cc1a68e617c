/* What a training run leaves behind: checkpoints, the best model, how it began and ended.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <glib/gstdio.h>

#include "contents.h"
#include "digest.h"
#include "registry.h"
#include "run-private.h"

char **
weft_network_names (const WeftPipeline *pipeline)
{
  char **names = g_new0 (char *, pipeline->networks->len + 1);
  for (guint i = 0; i < pipeline->networks->len; i++)
    names[i] = g_strdup (((const WeftNetwork *) pipeline->networks->pdata[i])->name);
  return names;
}

/* Best model first: no checkpoint knows of one that is not there. Without a metric the newest model is the best there is. */
void
weft_run_keep (WeftRun *run, gboolean checkpoint)
{
  g_auto (GStrv) names = weft_network_names (run->train.pipeline);
  g_autofree char *best = weft_directory_file (run->directory, "best.safetensors"),
                  *path = weft_directory_checkpoint (run->directory, run->position.step);
  run->best_due |= checkpoint && !run->train.recipe->metric;
  if (!checkpoint && !run->best_due)
    return;
  weft_run_report (run, TRUE);
  run->position.written = weft_metrics_written (run->metrics);
  g_autoptr (GHashTable) metadata = weft_position_write (&run->position);
  if (run->best_due && *names)
    weft_saver_add (run->saver, best, (const char *const *) names, metadata);
  if (checkpoint)
    {
      weft_saver_add (run->saver, path, NULL, metadata);
      run->saved_time = g_get_monotonic_time ();
    }
  run->saving_step = checkpoint ? run->position.step : 0;
  run->best_due = FALSE;
  weft_saver_start (run->saver);
}

gboolean
weft_run_settle (WeftRun *run, gboolean wait, GError **error)
{
  WeftSaved saved = weft_saver_take (run->saver, wait, error);
  if (saved != WEFT_SAVED_ALL || !run->saving_step)
    return saved != WEFT_SAVED_FAILED;
  run->saved_step = run->saving_step;
  return weft_directory_settle (run->directory, run->saved_step, (guint) run->train.recipe->keep, error);
}

void
weft_run_report (WeftRun *run, gboolean wait)
{
  g_autoptr (GError) failure = NULL;
  if (weft_run_settle (run, wait, &failure))
    return;
  g_autofree char *newest = run->saved_step ? g_strdup_printf ("the newest checkpoint is that of step %" G_GUINT64_FORMAT, run->saved_step)
                                            : g_strdup ("there is no checkpoint yet");
  weft_progress_line (run->progress, "warning: %s; training goes on, %s", failure->message, newest);
}

gboolean
weft_run_save (WeftRun *run, GError **error)
{
  weft_run_keep (run, TRUE);
  return weft_run_settle (run, TRUE, error);
}

static double
seconds_since (gint64 time)
{
  return (double) (g_get_monotonic_time () - time) / G_USEC_PER_SEC;
}

/* Validation, then the checkpoint that knows its result. */
gboolean
weft_run_after_step (WeftRun *run, gboolean epoch_over, gboolean over, GError **error)
{
  WeftPosition *position = &run->position;
  const WeftRecipe *recipe = run->train.recipe;
  if (run->passes)
    position->validate = over
                         || weft_every_due (&recipe->validate_every, epoch_over ? 0 : position->step, epoch_over, position->epoch,
                                            seconds_since (run->validated_time));
  gboolean save = weft_every_due (&recipe->checkpoint_every, epoch_over ? 0 : position->step, epoch_over, position->epoch,
                                  seconds_since (run->saved_time));
  if (position->validate && !weft_run_validate (run, error))
    return FALSE;
  if (!over)
    weft_run_keep (run, save);
  weft_run_report (run, FALSE);
  return TRUE;
}

static GHashTable *
gather_facts (WeftRun *run)
{
  GHashTable *facts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_hash_table_insert (facts, g_strdup ("weft"), g_strdup (PACKAGE_VERSION));
  g_hash_table_insert (facts, g_strdup ("interface"), g_strdup_printf ("%d.%d", WEFT_INTERFACE_MAJOR, WEFT_INTERFACE_MINOR));
  g_hash_table_insert (facts, g_strdup ("pipeline"), g_strdup (run->train.pipeline->name));
  /* Of the resolved graphs, the seed, and names, sizes and contents of all data. */
  g_hash_table_insert (facts, g_strdup ("digest"), weft_pipeline_digest (run->train.pipeline));
  g_hash_table_insert (facts, g_strdup ("glib"), g_strdup_printf ("%u.%u.%u", glib_major_version, glib_minor_version, glib_micro_version));
  g_hash_table_insert (facts, g_strdup ("processor"), weft_processor_name ());
  g_hash_table_insert (facts, g_strdup ("host"), g_strdup (g_get_host_name ()));
  g_hash_table_insert (facts, g_strdup ("threads"), g_strdup_printf ("%u", weft_team_members (run->team)));
  g_hash_table_insert (facts, g_strdup ("seed"), g_strdup_printf ("%" G_GINT64_FORMAT, run->train.recipe->seed));
  g_hash_table_insert (facts, g_strdup ("first_step"), g_strdup_printf ("%" G_GUINT64_FORMAT, run->position.step));
  g_autoptr (GString) modules = g_string_new (NULL);
  const GPtrArray *loaded = weft_registry_modules ();
  for (guint i = 0; i < loaded->len; i++)
    {
      const WeftLoaded *module = loaded->pdata[i];
      if (module->module)
        g_string_append_printf (modules, "%s%s %s", modules->len ? ", " : "", module->module->name, module->module->version);
    }
  g_hash_table_insert (facts, g_strdup ("modules"), g_strdup (modules->str));
  return facts;
}

/* More than a few lines say no more. */
#define MOST_DIFFERENCES 5

/* What the run reads now; says where it is not what the run began with. */
static GPtrArray *
gather_contents (WeftRun *run)
{
  GPtrArray *contents = weft_contents_new ();
  weft_pipeline_add_contents (run->train.pipeline, contents);
  if (run->validate.pipeline)
    weft_pipeline_add_contents (run->validate.pipeline, contents);
  g_autoptr (GPtrArray) before = run->continued ? weft_directory_contents_of (weft_run_directory (run)) : weft_contents_new ();
  g_autoptr (GPtrArray) lines = weft_contents_differences (before, contents);
  for (guint i = 0; i < MIN (lines->len, MOST_DIFFERENCES); i++)
    weft_progress_line (run->progress, "warning: data: %s", (const char *) lines->pdata[i]);
  if (lines->len > MOST_DIFFERENCES)
    weft_progress_line (run->progress, "warning: data: %u more differences", lines->len - MOST_DIFFERENCES);
  return contents;
}

gboolean
weft_run_begin (WeftRun *run, GError **error)
{
  run->started = run->saved_time = run->validated_time = g_get_monotonic_time ();
  weft_run_reset_rates (run);
  g_autoptr (GHashTable) facts = gather_facts (run);
  if (run->continued)
    weft_progress_line (run->progress, "%s: going on after step %" G_GUINT64_FORMAT ", epoch %" G_GUINT64_FORMAT, weft_run_directory (run),
                        run->position.step, run->position.epoch);
  else
    weft_progress_line (run->progress, "%s: %s, %.1f MiB of parameters and state, %.1f MiB a step, %u threads, seed %" G_GINT64_FORMAT,
                        weft_run_directory (run), run->train.pipeline->name, (double) weft_store_bytes (run->store) / 0x1p20,
                        (double) run->plan->arena / 0x1p20, weft_team_members (run->team), run->train.recipe->seed);
  g_autoptr (GPtrArray) contents = gather_contents (run);
  return weft_directory_begin (run->directory, facts, contents, error);
}

/* A step failed: says when, from where the run can go on, and what to do about values that are not finite. */
void
weft_run_explain (WeftRun *run, GError **error)
{
  if (!error || !*error || weft_run_interrupted ())
    return;
  weft_run_report (run, TRUE);
  const char *advice =
      strstr ((*error)->message, "holds a value that is not finite")
          ? ". It is the first such value of the step. Lower the rate, warm it up or clip the gradients; if this is an input, look "
            "for it in the data"
          : "";
  g_autofree char *next =
      run->saved_step || run->continued
          ? g_strdup_printf ("`weft train %s` goes on after step %" G_GUINT64_FORMAT, weft_run_directory (run), run->saved_step)
          : g_strdup_printf ("there is no checkpoint yet, so it starts anew from %s", weft_run_directory (run));
  char *message = g_strdup_printf ("step %" G_GUINT64_FORMAT " (epoch %" G_GUINT64_FORMAT "): %s%s; %s", run->position.step + 1,
                                   run->position.epoch + 1, (*error)->message, advice, next);
  g_free ((*error)->message);
  (*error)->message = message;
}

void
weft_run_end (WeftRun *run, WeftRunOutcome outcome, const GError *failure)
{
  const WeftPosition *position = &run->position;
  const char *directory = weft_run_directory (run);
  g_autoptr (GHashTable) facts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_hash_table_insert (facts, g_strdup ("last_step"), g_strdup_printf ("%" G_GUINT64_FORMAT, position->step));
  if (position->scored)
    {
      g_hash_table_insert (facts, g_strdup ("best"), g_strdup_printf ("%.9g", position->best));
      g_hash_table_insert (facts, g_strdup ("best_epoch"), g_strdup_printf ("%" G_GUINT64_FORMAT, position->best_epoch));
    }
  g_autofree char *duration = weft_duration_print (seconds_since (run->started));
  g_autofree char *text = NULL;
  if (outcome == WEFT_RUN_FAILED)
    text = g_strdup_printf ("failed: %s", failure ? failure->message : "?");
  else if (outcome == WEFT_RUN_INTERRUPTED)
    {
      text = g_strdup_printf ("interrupted by %s", g_strsignal (weft_run_interrupted ()));
      weft_progress_line (run->progress, "interrupted after step %" G_GUINT64_FORMAT " and saved; to go on: weft train %s", position->step,
                          directory);
    }
  else
    {
      text = g_strdup (position->stopped ? "stopped early" : "finished");
      weft_progress_line (run->progress, "%s after %" G_GUINT64_FORMAT " epochs, %" G_GUINT64_FORMAT " steps, %s", text, position->epoch,
                          position->step, duration);
    }
  if (outcome == WEFT_RUN_FINISHED && position->scored)
    weft_progress_line (run->progress, "best %s: %.6g in epoch %" G_GUINT64_FORMAT "; to evaluate it: weft evaluate %s",
                        run->train.recipe->metric, position->best, position->best_epoch, directory);
  g_autoptr (GError) ignored = NULL;
  if (!weft_directory_end (run->directory, text, facts, &ignored))
    weft_progress_line (run->progress, "warning: %s", ignored->message);
}

void
weft_run_discard (WeftRun *run)
{
  static const char *const names[] = { "pipeline.yaml", "log.txt", "lock", "checkpoints" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = weft_directory_file (run->directory, names[i]);
      g_remove (path);
    }
  g_remove (weft_directory_path (run->directory));
}
