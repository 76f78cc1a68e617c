/* batch_norm: each channel (last dimension) to mean 0 and variance 1 over the batch.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "kernels/vector.h"
#include "tiles.h"

typedef struct
{
  double epsilon, momentum;
} BatchNorm;

enum
{
  WEIGHT,
  BIAS
};
enum
{
  RUNNING_MEAN,
  RUNNING_VARIANCE
};
enum
{
  MEAN,
  DEVIATION
};

/* Tiles are of rows, so that memory is passed over in its order: down a column every row would be fetched anew. Each leaves its sums of
 * columns in scratch, in float64, where those of all tiles become those of the batch. */
typedef struct
{
  const WeftCall *call;
  gint64 rows, width, tile, tiles;
  const float *x, *by_y, *mean;
  double *sums, *others; /* tiles × width each */
  const float *factor, *slope, *offset;
} Work;

static Work
work_on (const WeftCall *call)
{
  const WeftTensor *x = call->in[0];
  Work work = { .call = call, .rows = rows_of (x), .width = weft_tensor_last (x), .x = x->data };
  work.tile = rows_per_tile (work.rows);
  work.tiles = tiles_of (work.rows, work.tile);
  work.sums = call->scratch;
  work.others = work.sums + ROW_TILES * work.width;
  return work;
}

/* Sums of two kinds, and three rows of float32. */
static gsize
batch_norm_scratch (const WeftCall *call)
{
  return (2 * ROW_TILES * sizeof (double) + 3 * sizeof (float)) * weft_tensor_last (call->in[0]);
}

static float *
scratch_row (const Work *work, int row)
{
  return (float *) (work->others + ROW_TILES * work->width) + row * work->width;
}

static gint64
rows_in (const Work *work, gint64 index)
{
  return MIN (work->tile, work->rows - index * work->tile);
}

/* The sums of all tiles, in the place of the first. */
static void
join (const Work *work, double *sums)
{
  for (gint64 tile = 1; tile < work->tiles; tile++)
    for (gint64 i = 0; i < work->width; i++)
      sums[i] += sums[tile * work->width + i];
}

static void
sum_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  vector->column_sums (rows_in (work, index), work->width, work->width, work->x + index * work->tile * work->width,
                       work->sums + index * work->width);
}

static void
squares_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  vector->column_squares (rows_in (work, index), work->width, work->width, work->x + index * work->tile * work->width, work->mean,
                          work->others + index * work->width);
}

static void
running_statistics (const Work *work, float *mean, float *deviation)
{
  const BatchNorm *self = work->call->attributes;
  const float *running_mean = work->call->states[RUNNING_MEAN]->data, *running_variance = work->call->states[RUNNING_VARIANCE]->data;

  for (gint64 i = 0; i < work->width; i++)
    {
      mean[i] = running_mean[i];
      deviation[i] = (float) (1 / sqrt (running_variance[i] + self->epsilon));
    }
}

static void
batch_statistics (Work *work, float *mean, float *deviation)
{
  const BatchNorm *self = work->call->attributes;
  float *running_mean = work->call->states[RUNNING_MEAN]->data, *running_variance = work->call->states[RUNNING_VARIANCE]->data;

  weft_parallel (work->call, work->tiles, sum_tile, work);
  join (work, work->sums);
  for (gint64 i = 0; i < work->width; i++)
    mean[i] = (float) (work->sums[i] / (double) work->rows);
  work->mean = mean;
  weft_parallel (work->call, work->tiles, squares_tile, work);
  join (work, work->others);
  for (gint64 i = 0; i < work->width; i++)
    {
      double variance = work->others[i] / (double) work->rows,
             unbiased = work->rows > 1 ? work->others[i] / (double) (work->rows - 1) : variance;
      deviation[i] = (float) (1 / sqrt (variance + self->epsilon));
      running_mean[i] += (float) self->momentum * (mean[i] - running_mean[i]);
      running_variance[i] += (float) self->momentum * ((float) unbiased - running_variance[i]);
    }
}

static void
normalize_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  const float *bias = work->call->parameters[BIAS]->data;
  float *y = work->call->out[0]->data;

  for (gint64 at = index * work->tile * work->width, end = at + rows_in (work, index) * work->width; at < end; at += work->width)
    vector->normalize_columns (work->width, work->x + at, work->mean, work->factor, bias, y + at);
}

static void
batch_norm_forward (const WeftCall *call)
{
  Work work = work_on (call);
  float *mean = call->saved[MEAN] ? call->saved[MEAN]->data : scratch_row (&work, 0);
  float *deviation = call->saved[DEVIATION] ? call->saved[DEVIATION]->data : scratch_row (&work, 1);
  float *factor = scratch_row (&work, 2);

  if (!work.rows)
    {
      vector->fill (work.width, 0, mean);
      vector->fill (work.width, 0, deviation);
      return;
    }
  if (call->mode == WEFT_MODE_INFER)
    running_statistics (&work, mean, deviation);
  else
    batch_statistics (&work, mean, deviation);
  vector->multiply (work.width, call->parameters[WEIGHT]->data, deviation, factor);
  work.mean = mean;
  work.factor = factor;
  weft_parallel (call, work.tiles, normalize_tile, &work);
}

static void
sum_gradients_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  gint64 at = index * work->tile * work->width, rows = rows_in (work, index);

  vector->column_sums (rows, work->width, work->width, work->by_y + at, work->sums + index * work->width);
  vector->column_dots (rows, work->width, work->width, work->x + at, work->mean, work->by_y + at, work->others + index * work->width);
}

static void
differentiate_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  float *by_x = work->call->in_gradient[0]->data;

  for (gint64 at = index * work->tile * work->width, end = at + rows_in (work, index) * work->width; at < end; at += work->width)
    vector->normalize_columns_gradient (work->width, work->x + at, work->mean, work->by_y + at, work->factor, work->slope, work->offset,
                                        by_x + at);
}

/* With x̂ = (x − mean)/σ: dx = weight/σ (dy − Σdy/n − x̂ Σ(dy x̂)/n) for batch statistics, weight/σ dy for given ones. */
static void
batch_norm_backward (const WeftCall *call)
{
  Work work = work_on (call);
  const float *weight = call->parameters[WEIGHT]->data, *deviation = call->saved[DEVIATION]->data;
  float *factor = scratch_row (&work, 0), *slope = scratch_row (&work, 1), *offset = scratch_row (&work, 2);
  double share = call->mode == WEFT_MODE_TRAIN ? 1.0 / (double) MAX (work.rows, 1) : 0;

  work.by_y = call->out_gradient[0]->data;
  work.mean = call->saved[MEAN]->data;
  work.factor = factor;
  work.slope = slope;
  work.offset = offset;
  memset (work.sums, 0, (gsize) work.width * sizeof (double));
  memset (work.others, 0, (gsize) work.width * sizeof (double));
  weft_parallel (call, work.tiles, sum_gradients_tile, &work);
  join (&work, work.sums);
  join (&work, work.others);
  for (gint64 i = 0; i < work.width; i++)
    {
      factor[i] = weight[i] * deviation[i];
      slope[i] = (float) (-(double) factor[i] * deviation[i] * deviation[i] * work.others[i] * share);
      offset[i] = (float) (-(double) factor[i] * work.sums[i] * share);
      if (call->parameter_gradient[WEIGHT])
        ((float *) call->parameter_gradient[WEIGHT]->data)[i] = (float) (work.others[i] * deviation[i]);
      if (call->parameter_gradient[BIAS])
        ((float *) call->parameter_gradient[BIAS]->data)[i] = (float) work.sums[i];
    }
  if (call->in_gradient[0])
    weft_parallel (call, work.tiles, differentiate_tile, &work);
}

static const WeftOperator batch_norm = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "batch_norm",
  .version = 1,
  .summary = "channels normalised to mean 0 and variance 1 over all rows of the batch, scaled and shifted",
  .documentation =
      "In training, statistics are the batch's and running ones follow them (the variance without bias); in inference the running ones "
      "are used. Ragged rows count each once; there is no padding to count.",
  .source = "Ioffe, Szegedy: Batch normalization, ICML 2015",
  .attributes_size = sizeof (BatchNorm),
  .attributes =
      (const WeftAttribute[]){ WEFT_NUMBER (BatchNorm, epsilon, "1e-5", 0, 1, "", "added to the variance"),
                               WEFT_NUMBER (BatchNorm, momentum, "0.1", 0, 1, "", "weight of the newest batch in the running statistics"),
                               { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[..., d]", .flags = WEFT_PORT_READ, .meaning = "rows" }, { 0 } },
  .outputs =
      (const WeftPort[]){ { .name = "y", .signature = "f32[..., d]", .meaning = "(x − mean) / √(variance + ε) · weight + bias" }, { 0 } },
  .saved = (const WeftPort[]){ { .name = "mean", .signature = "f32[d]", .meaning = "that was used" },
                               { .name = "deviation", .signature = "f32[d]", .meaning = "1/σ that was used" },
                               { 0 } },
  .parameters =
      (const WeftPort[]){ { .name = "weight", .signature = "f32[d]", .flags = WEFT_PORT_READ, .meaning = "scale", .initial = "ones" },
                          { .name = "bias", .signature = "f32[d]", .meaning = "shift", .initial = "zeros" },
                          { 0 } },
  .states = (const WeftPort[]){ { .name = "running_mean", .signature = "f32[d]", .meaning = "running mean", .initial = "zeros" },
                                { .name = "running_var", .signature = "f32[d]", .meaning = "running variance", .initial = "ones" },
                                { 0 } },
  .forward = batch_norm_forward,
  .backward = batch_norm_backward,
  .scratch = batch_norm_scratch,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 8]\", gradient: true}\n"
             "y: {op: batch_norm, x: x, mode: train}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
                                  "y: {op: batch_norm, x: x, mode: infer}\n",
                                  NULL },
};
WEFT_OPERATOR (batch_norm);
