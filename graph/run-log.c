/* Logged values, alarms and the progress of a training run.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "run-private.h"

void
weft_run_reset_rates (WeftRun *run)
{
  run->rate_time = g_get_monotonic_time ();
  run->rate_items = 0;
  run->rate_step = run->position.step;
  run->rate_wait = run->graph->source ? weft_executor_times (run->executor)[run->graph->source->index] : 0;
}

/* Samples of one step: of the source's first output that has rows. */
static gint64
items_of_step (WeftRun *run)
{
  const WeftNode *source = run->graph->source;
  for (guint port = 0; source && port < weft_port_count (source->op->outputs); port++)
    if (source->outputs[port] && source->outputs[port]->read && source->outputs[port]->shape.rank > 0)
      {
        const WeftTensor *tensor = weft_executor_value (run->executor, source->outputs[port]);
        return source->outputs[port]->shape.dims[0].ragged ? tensor->samples : tensor->shape[0];
      }
  return 0;
}

static void
measure_rates (WeftRun *run)
{
  gint64 now = g_get_monotonic_time ();
  double seconds = (double) (now - run->rate_time) / G_USEC_PER_SEC;
  if (seconds <= 0 || run->position.step == run->rate_step)
    return;
  double wait = run->graph->source ? weft_executor_times (run->executor)[run->graph->source->index] - run->rate_wait : 0;
  run->items_per_second = run->rate_items / seconds;
  double seconds_per_step = seconds / (double) (run->position.step - run->rate_step);
  /* The time left is told from more than the last few steps. */
  run->seconds_per_step = run->seconds_per_step > 0 ? 0.8 * run->seconds_per_step + 0.2 * seconds_per_step : seconds_per_step;
  run->wait_share = CLAMP (wait / seconds, 0, 1);
  weft_run_reset_rates (run);
}

/* Steps of the present pass, 0 while unknown: what the source says, or what the pass before had. */
static gint64
steps_of_pass (const WeftRun *run)
{
  const WeftRecipe *recipe = run->train.recipe;
  gint64 expected = recipe->overfit ? 0 : weft_executor_expected (run->executor), limit = recipe->limit;
  gint64 steps = expected ? expected : (gint64) run->position.pass_length;
  return limit && (limit < steps || !steps) ? limit : steps;
}

/* Steps still to do, or -1 while the length of a pass is unknown. */
static gint64
steps_left (const WeftRun *run)
{
  const WeftPosition *position = &run->position;
  const WeftRecipe *recipe = run->train.recipe;
  gint64 left = -1;
  if (recipe->steps)
    left = recipe->steps - (gint64) position->step;
  gint64 pass = steps_of_pass (run);
  if (recipe->epochs && pass)
    {
      gint64 in_passes = (recipe->epochs - (gint64) position->epoch) * pass - (gint64) position->pass_step;
      left = left < 0 ? in_passes : MIN (left, in_passes);
    }
  return left;
}

static void
show_state (WeftRun *run)
{
  if (!weft_progress_wants (run->progress))
    return;
  const WeftPosition *position = &run->position;
  const WeftRecipe *recipe = run->train.recipe;
  if (run->rate_step != position->step && (run->seconds_per_step == 0 || g_get_monotonic_time () - run->rate_time > G_USEC_PER_SEC))
    measure_rates (run);
  g_autoptr (GString) text = g_string_new (NULL);
  if (run->graph->source && recipe->epochs)
    g_string_append_printf (text, "epoch %" G_GUINT64_FORMAT "/%" G_GINT64_FORMAT "  ", position->epoch + 1, recipe->epochs);
  gint64 pass = steps_of_pass (run);
  g_string_append_printf (text, "step %" G_GUINT64_FORMAT, pass ? position->pass_step : position->step);
  if (pass && run->graph->source)
    g_string_append_printf (text, "/%" G_GINT64_FORMAT, pass);
  else if (recipe->steps)
    g_string_append_printf (text, "/%" G_GINT64_FORMAT, recipe->steps);
  if (recipe->log->len)
    {
      double loss = position->window ? position->sums[0] / (double) position->window : run->last_loss;
      g_string_append_printf (text, "  %s %.4g", g_array_index (recipe->log, WeftNamed, 0).name, loss);
    }
  if (run->items_per_second > 0)
    g_string_append_printf (text, "  %.4g items/s", run->items_per_second);
  if (run->graph->source)
    g_string_append_printf (text, "  data wait %.0f %%", 100 * run->wait_share);
  gint64 left = steps_left (run);
  if (left >= 0 && run->seconds_per_step > 0)
    {
      g_autofree char *duration = weft_duration_print ((double) left * run->seconds_per_step);
      g_string_append_printf (text, "  %s left", duration);
    }
  weft_progress_update (run->progress, text->str);
}

static double
logged_value (WeftRun *run, const WeftNamed *named)
{
  return weft_tensor_number (weft_executor_value (run->executor, weft_graph_wire (run->graph, named->reference)));
}

/* Once, until it works again. */
static void
tell_unwritten (WeftRun *run, gboolean good, const GError *failure)
{
  if (!good && !run->unwritten)
    weft_progress_line (run->progress, "warning: %s; training goes on, and what is missing there is written when that is possible again",
                        failure->message);
  run->unwritten = !good;
}

void
weft_run_write_metrics (WeftRun *run, const char *phase, const WeftMetric *metrics, guint n)
{
  g_autoptr (GError) failure = NULL;
  gboolean good = weft_metrics_write (run->metrics, phase, run->position.step, run->position.epoch, metrics, n, &failure);
  tell_unwritten (run, good, failure);
}

/* How a value's elements are distributed in this step. What is not a number is not counted. */
static void
write_histogram (WeftRun *run, const WeftHistogramOf *of)
{
  const WeftTensor *tensor = weft_executor_value (run->executor, weft_graph_wire (run->graph, of->value.reference));
  gint64 n = tensor && tensor->data ? weft_tensor_elements (tensor) : 0, counted = 0;
  g_autofree guint64 *counts = g_new0 (guint64, of->bins);
  double sum = 0;
  for (gint64 i = 0; i < n; i++)
    {
      double value = (double) ((const float *) tensor->data)[i];
      if (isnan (value))
        continue;
      double bin = floor ((value - of->from) / (of->to - of->from) * (double) of->bins);
      counts[(gint64) CLAMP (bin, 0, (double) (of->bins - 1))]++;
      sum += value;
      counted++;
    }
  const WeftHistogram histogram = { of->value.name,   of->from, of->to, counted ? sum / (double) counted : (double) NAN,
                                    (guint) of->bins, counts };
  g_autoptr (GError) failure = NULL;
  gboolean good = weft_metrics_write_histogram (run->metrics, run->position.step, run->position.epoch, &histogram, &failure);
  tell_unwritten (run, good, failure);
}

static void
write_log (WeftRun *run)
{
  WeftPosition *position = &run->position;
  const GArray *log = run->train.recipe->log;
  g_autofree WeftMetric *metrics = g_new0 (WeftMetric, 2 * log->len + 2);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  guint n = 0;
  for (guint i = 0; i < log->len; i++)
    {
      const WeftNamed *named = &g_array_index (log, WeftNamed, i);
      metrics[n++] = (WeftMetric){ named->name, position->sums[i] / (double) position->window };
      g_ptr_array_add (names, g_strdup_printf ("%s.last", named->name));
      metrics[n++] = (WeftMetric){ names->pdata[i], logged_value (run, named) };
      position->sums[i] = 0;
    }
  if (log->len)
    run->last_loss = metrics[0].value;
  position->window = 0;
  measure_rates (run);
  metrics[n++] = (WeftMetric){ "items_per_second", run->items_per_second };
  metrics[n++] = (WeftMetric){ "data_wait", run->wait_share };
  const GArray *histograms = run->train.recipe->histograms;
  for (guint i = 0; i < histograms->len; i++)
    write_histogram (run, &g_array_index (histograms, WeftHistogramOf, i));
  weft_run_write_metrics (run, "train", metrics, n);
}

void
weft_run_log (WeftRun *run)
{
  WeftPosition *position = &run->position;
  const GArray *log = run->train.recipe->log;
  run->rate_items += (double) items_of_step (run);
  for (guint i = 0; i < log->len; i++)
    position->sums[i] += logged_value (run, &g_array_index (log, WeftNamed, i));
  position->window++;
  if (position->step % (guint64) run->train.recipe->log_every == 0)
    {
      write_log (run);
      g_autoptr (GPtrArray) alarms = g_ptr_array_new_with_free_func (g_free);
      weft_watch_look (run->watch, run->executor, alarms);
      for (guint i = 0; i < alarms->len; i++)
        weft_progress_line (run->progress, "warning: step %" G_GUINT64_FORMAT ": %s", position->step, (char *) alarms->pdata[i]);
    }
  show_state (run);
}
