/* Validations of a training run: the score, the best model, patience.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "run-private.h"

static gboolean
tick (gpointer data, const WeftGraph *graph, guint64 step, GError **error)
{
  WeftRun *run = data;
  if (weft_run_interrupted ())
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "interrupted");
      return FALSE;
    }
  if (weft_progress_wants (run->progress))
    {
      g_autofree char *text = g_strdup_printf ("validating  %s  step %" G_GUINT64_FORMAT, graph->name, step);
      weft_progress_update (run->progress, text);
    }
  return TRUE;
}

static void
write_numbers (WeftRun *run, const GArray *numbers, double score)
{
  g_autofree WeftMetric *metrics = g_new0 (WeftMetric, numbers->len + 1);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  guint n = 0;
  if (run->train.recipe->metric)
    metrics[n++] = (WeftMetric){ "score", score };
  for (guint i = 0; i < numbers->len; i++)
    {
      const WeftPassNumber *number = &g_array_index (numbers, WeftPassNumber, i);
      char *name = g_strdup_printf ("%s.%s.%s", number->graph, number->node, number->port);
      g_ptr_array_add (names, name);
      metrics[n++] = (WeftMetric){ name, number->value };
    }
  weft_run_write_metrics (run, "validate", metrics, n);
}

/* Strictly better than the best so far; what is no number is never better. */
static gboolean
is_better (const WeftRun *run, double score)
{
  const WeftPosition *position = &run->position;
  if (isnan (score))
    return FALSE;
  return !position->scored || (run->train.recipe->minimize ? score < position->best : score > position->best);
}

static void
judge (WeftRun *run, double score, double seconds)
{
  WeftPosition *position = &run->position;
  const WeftRecipe *recipe = run->train.recipe;
  gboolean better = is_better (run, score);
  g_autofree char *duration = weft_duration_print (seconds);
  g_autofree char *before = position->scored && !better
                                ? g_strdup_printf ("best %.6g in epoch %" G_GUINT64_FORMAT, position->best, position->best_epoch)
                                : g_strdup ("best so far");
  weft_progress_line (run->progress, "epoch %" G_GUINT64_FORMAT "  step %" G_GUINT64_FORMAT "  %s %.6g  (%s)  %s", position->epoch,
                      position->step, recipe->metric, score, before, duration);
  if (better)
    {
      position->scored = TRUE;
      position->best = score;
      position->best_step = position->step;
      position->best_epoch = position->epoch;
      position->worse = 0;
      run->best_due = TRUE;
      return;
    }
  position->worse++;
  if (recipe->patience && position->worse >= (guint64) recipe->patience)
    {
      position->stopped = TRUE;
      weft_progress_line (run->progress, "no better score in %" G_GUINT64_FORMAT " validations: stopping early", position->worse);
    }
}

gboolean
weft_run_validate (WeftRun *run, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  if (!weft_passes_run (run->passes, tick, run, error))
    return FALSE;
  double seconds = (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  const char *metric = run->train.recipe->metric;
  double score = metric ? weft_passes_number (run->passes, metric) : (double) NAN;
  g_autoptr (GArray) numbers = weft_passes_numbers (run->passes);
  write_numbers (run, numbers, score);
  if (metric)
    judge (run, score, seconds);
  run->position.validate = FALSE;
  run->validated_time = g_get_monotonic_time ();
  weft_run_reset_rates (run);
  return TRUE;
}
