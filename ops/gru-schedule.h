/* The order in which a recurrent network meets the rows of a ragged batch.
 *
 * Samples are ranked by falling length, so that those that still have a row at a step are a prefix. Rows are numbered time-major: step after
 * step, rank after rank. Step s of the reverse direction is the row s from its sample's end.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

/**
 * GruSchedule:
 * @ranked: sample of each rank
 * @start: number of the first time-major row of each step, and of one step more
 */
typedef struct
{
  const gint32 *offsets;
  gint64 samples, steps;
  gint32 *ranked;
  gint32 *start;
} GruSchedule;

/* How many integers a schedule needs for at most @samples samples and @rows rows. */
static inline gsize
gru_schedule_size (gint64 samples, gint64 rows)
{
  return (gsize) (samples + 2 * (rows + 2));
}

static inline gint64
gru_active (const GruSchedule *schedule, gint64 step)
{
  return schedule->start[step + 1] - schedule->start[step];
}

static inline gint64
gru_length (const GruSchedule *schedule, gint64 rank)
{
  gint32 sample = schedule->ranked[rank];
  return schedule->offsets[sample + 1] - schedule->offsets[sample];
}

/* The row of the batch that @rank meets at @step. */
static inline gint64
gru_row (const GruSchedule *schedule, gint64 rank, gint64 step, gboolean reverse)
{
  gint32 sample = schedule->ranked[rank];
  return reverse ? schedule->offsets[sample + 1] - 1 - step : schedule->offsets[sample] + step;
}

static inline GruSchedule
gru_schedule (const WeftTensor *x, gint32 *memory)
{
  GruSchedule schedule = { .offsets = x->offsets, .samples = x->samples, .ranked = memory, .start = memory + x->samples };
  gint32 *start = schedule.start, *next = start + x->shape[0] + 2;

  for (gint64 i = 0; i < schedule.samples; i++)
    schedule.steps = MAX (schedule.steps, x->offsets[i + 1] - x->offsets[i]);
  for (gint64 step = 0; step <= schedule.steps; step++)
    start[step] = 0;
  for (gint64 i = 0; i < schedule.samples; i++)
    for (gint32 step = 0; step < x->offsets[i + 1] - x->offsets[i]; step++)
      start[step + 1]++;
  /* A sample of length l ranks behind all that still have a row at step l. */
  for (gint64 step = 0; step <= schedule.steps; step++)
    next[step] = step < schedule.steps ? start[step + 1] : 0;
  for (gint64 i = 0; i < schedule.samples; i++)
    schedule.ranked[next[x->offsets[i + 1] - x->offsets[i]]++] = (gint32) i;
  for (gint64 step = 0; step < schedule.steps; step++)
    start[step + 1] += start[step];
  return schedule;
}
