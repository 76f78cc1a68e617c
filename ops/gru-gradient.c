/* The gradient of gru: back through the steps, then one product per weight over all rows.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "gru.h"

#include <string.h>

#include "kernels/vector.h"

/* Columns of the gates whose sums make one tile. */
#define BIAS_BLOCK 64

static void
backward_memory (const WeftCall *call, GruWork *work, GruMemory *memory)
{
  gru_begin (call, work, memory);
  work->inputs = gru_take (memory, work->rows * work->width);
  work->by_inputs = gru_take (memory, work->rows * work->width);
  work->before = gru_take (memory, work->rows * work->units);
  gru_take_packed (work, work->units, 3 * work->units, memory);
  for (int i = 0; i < work->directions; i++)
    {
      work->gates[i] = gru_block (work, GRU_SAVED_GATES, i, 4 * work->units, memory);
      work->hidden[i] = gru_block (work, GRU_SAVED_HIDDEN, i, work->units, memory);
      work->by_gates[i] = i && !work->small ? work->by_gates[0] : gru_take (memory, work->rows * 4 * work->units);
      work->by_hidden[i] = i && !work->small ? work->by_hidden[0] : gru_take (memory, work->samples * work->units);
    }
}

gsize
gru_backward_scratch (const WeftCall *call)
{
  GruWork work;
  GruMemory memory = { 0 };
  if (!call->saved[GRU_SAVED_GATES])
    return 0;
  backward_memory (call, &work, &memory);
  return memory.used;
}

static void
rank_gradient (const GruWork *work, int direction, gint64 step, gint64 rank)
{
  const gint32 *start = work->schedule.start;
  gint64 units = work->units, at = start[step] + rank;
  GruGradient rows = { .units = units,
                       .scale = work->directions == 2 ? 0.5f : 1,
                       .by_y = (const float *) work->call->out_gradient[0]->data + gru_row (&work->schedule, rank, step, direction) * units,
                       .by_hidden = work->by_hidden[direction] + rank * units,
                       .gates = work->gates[direction] + at * 4 * units,
                       .before = step > 0 ? work->hidden[direction] + (start[step - 1] + rank) * units : NULL,
                       .by_gates = work->by_gates[direction] + at * 4 * units };
  work->kernels->gates_gradient (&rows);
}

static void
rank_gradients (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const GruWork *work = data;
  gint64 first, end;
  gru_ranks_of_tile (work, index, &first, &end);
  for (gint64 rank = first; rank < end; rank++)
    rank_gradient (work, work->direction, work->step, rank);
}

static void
recur_back (GruWork *work)
{
  gint64 units = work->units;
  float *by_hidden = work->by_hidden[work->direction];
  MatrixProduct product = { .n = units,
                            .k = 3 * units,
                            .alpha = 1,
                            .a_stride = 4 * units,
                            .b = work->call->parameters[GRU_PARAMETERS * work->direction + GRU_WEIGHT_HH]->data,
                            .b_stride = units,
                            .beta = 1,
                            .c_stride = units };

  gru_pack (work, &product);
  memset (by_hidden, 0, (gsize) (work->samples * units) * sizeof (float));
  for (work->step = work->schedule.steps - 1; work->step >= 0; work->step--)
    {
      gru_parallel_ranks (work, rank_gradients);
      if (work->step > 0)
        gru_multiply (work, &product, gru_active (&work->schedule, work->step),
                      work->by_gates[work->direction] + work->schedule.start[work->step] * 4 * units + units, by_hidden);
    }
}

static void
recur_back_small (gpointer data, gint64 direction, guint member G_GNUC_UNUSED)
{
  const GruWork *work = data;
  gint64 units = work->units;
  const float *weight = work->call->parameters[GRU_PARAMETERS * direction + GRU_WEIGHT_HH]->data;

  memset (work->by_hidden[direction], 0, (gsize) (work->samples * units) * sizeof (float));
  for (gint64 step = work->schedule.steps - 1; step >= 0; step--)
    {
      gint64 active = gru_active (&work->schedule, step);
      for (gint64 rank = 0; rank < active; rank++)
        rank_gradient (work, (int) direction, step, rank);
      if (step > 0)
        work->kernels->product (active, units, 3 * units, work->by_gates[direction] + work->schedule.start[step] * 4 * units + units,
                                4 * units, 1, weight, units, TRUE, work->by_hidden[direction], units);
    }
}

static void
gather_rank (gpointer data, gint64 rank, guint member G_GNUC_UNUSED)
{
  GruWork *work = data;
  const gint32 *start = work->schedule.start;
  gru_gather_inputs (work, rank);
  for (gint64 step = 1; step < gru_length (&work->schedule, rank); step++)
    memcpy (work->before + (start[step] + rank) * work->units, work->hidden[work->direction] + (start[step - 1] + rank) * work->units,
            (gsize) work->units * sizeof (float));
}

static void
bias_gradient (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const GruWork *work = data;
  WeftTensor *const *gradients = work->call->parameter_gradient + GRU_PARAMETERS * work->direction;
  float *by_ih = gradients[GRU_BIAS_IH] ? gradients[GRU_BIAS_IH]->data : NULL,
        *by_hh = gradients[GRU_BIAS_HH] ? gradients[GRU_BIAS_HH]->data : NULL;
  gint64 units = work->units, first = index * BIAS_BLOCK, end = MIN (first + BIAS_BLOCK, 4 * units);
  double sums[BIAS_BLOCK];

  vector->column_sums (work->rows, end - first, 4 * units, work->by_gates[work->direction] + first, sums);
  for (gint64 column = first; column < end; column++)
    {
      float sum = (float) sums[column - first];
      if (by_ih && column < 3 * units)
        by_ih[column < units ? 2 * units + column : column - units] = sum;
      if (by_hh && column >= units)
        by_hh[column - units] = sum;
    }
}

/* weight gradient (n × width) = columns of by_gatesᵀ × rows; without rows it is zero. */
static void
weight_gradient (const GruWork *work, gint64 rows, gint64 n, const float *by_gates, gint64 width, const float *x, float *gradient)
{
  if (rows == 0)
    memset (gradient, 0, (gsize) (n * width) * sizeof (float));
  else
    weft_matrix_product (work->call, TRUE, FALSE, n, width, rows, 1, by_gates, 4 * work->units, x, width, 0, gradient, width);
}

static void
parameter_gradients (GruWork *work)
{
  const WeftCall *call = work->call;
  WeftTensor *const *gradients = call->parameter_gradient + GRU_PARAMETERS * work->direction;
  gint64 units = work->units, width = work->width, rows = work->rows;
  const float *by_gates = work->by_gates[work->direction];

  weft_parallel (call, work->samples, gather_rank, work);
  if (gradients[GRU_WEIGHT_IH])
    {
      float *by = gradients[GRU_WEIGHT_IH]->data;
      weight_gradient (work, rows, 2 * units, by_gates + units, width, work->inputs, by);
      weight_gradient (work, rows, units, by_gates, width, work->inputs, by + 2 * units * width);
    }
  if (gradients[GRU_WEIGHT_HH])
    {
      gint64 first = gru_active (&work->schedule, 0);
      weight_gradient (work, rows - first, 3 * units, by_gates + first * 4 * units + units, units, work->before + first * units,
                       gradients[GRU_WEIGHT_HH]->data);
    }
  if (gradients[GRU_BIAS_IH] || gradients[GRU_BIAS_HH])
    weft_parallel (call, (4 * units + BIAS_BLOCK - 1) / BIAS_BLOCK, bias_gradient, work);
}

static void
scatter_rank (gpointer data, gint64 rank, guint member G_GNUC_UNUSED)
{
  const GruWork *work = data;
  gint64 width = work->width;
  for (gint64 step = 0; step < gru_length (&work->schedule, rank); step++)
    {
      const float *from = work->by_inputs + (work->schedule.start[step] + rank) * width;
      float *to = (float *) work->call->in_gradient[0]->data + gru_row (&work->schedule, rank, step, work->direction) * width;
      if (work->direction == 0)
        memcpy (to, from, (gsize) width * sizeof (float));
      else
        vector->add (width, to, from, to);
    }
}

static void
input_gradient (GruWork *work)
{
  gint64 units = work->units, width = work->width;
  const float *weight = work->call->parameters[GRU_PARAMETERS * work->direction + GRU_WEIGHT_IH]->data;
  const float *by_gates = work->by_gates[work->direction];

  weft_matrix_product (work->call, FALSE, FALSE, work->rows, width, 2 * units, 1, by_gates + units, 4 * units, weight, width, 0,
                       work->by_inputs, width);
  weft_matrix_product (work->call, FALSE, FALSE, work->rows, width, units, 1, by_gates, 4 * units, weight + 2 * units * width, width, 1,
                       work->by_inputs, width);
  weft_parallel (work->call, work->samples, scatter_rank, work);
}

static void
clear_parameter_gradients (const WeftCall *call)
{
  for (int i = 0; i < 2 * GRU_PARAMETERS; i++)
    if (call->parameter_gradient[i])
      memset (call->parameter_gradient[i]->data, 0, weft_tensor_bytes (call->parameter_gradient[i]));
}

void
gru_backward (const WeftCall *call)
{
  GruWork work;
  GruMemory memory = { .base = call->scratch };
  backward_memory (call, &work, &memory);
  if (work.rows == 0)
    {
      clear_parameter_gradients (call);
      return;
    }
  if (work.small)
    weft_parallel (call, work.directions, recur_back_small, &work);
  for (work.direction = 0; work.direction < work.directions; work.direction++)
    {
      if (!work.small)
        recur_back (&work);
      parameter_gradients (&work);
      if (call->in_gradient[0])
        input_gradient (&work);
    }
}
