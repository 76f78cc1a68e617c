/* batch_norm: each channel (last dimension) to mean 0 and variance 1 over the batch.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

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

static void
batch_statistics (const WeftCall *call, gint64 first, gint64 n, float *mean, float *deviation)
{
  const BatchNorm *self = call->attributes;
  gint64 width = weft_tensor_last (call->in[0]), rows = rows_of (call->in[0]);
  const float *x = (const float *) call->in[0]->data + first;
  float *running_mean = (float *) call->states[RUNNING_MEAN]->data + first,
        *running_variance = (float *) call->states[RUNNING_VARIANCE]->data + first;
  double sums[COLUMN_TILE], squares[COLUMN_TILE];

  if (call->mode == WEFT_MODE_INFER)
    {
      for (gint64 i = 0; i < n; i++)
        {
          mean[i] = running_mean[i];
          deviation[i] = (float) (1 / sqrt (running_variance[i] + self->epsilon));
        }
      return;
    }
  vector->column_sums (rows, n, width, x, sums);
  for (gint64 i = 0; i < n; i++)
    mean[i] = (float) (sums[i] / (double) MAX (rows, 1));
  vector->column_squares (rows, n, width, x, mean, squares);
  for (gint64 i = 0; i < n && rows > 0; i++)
    {
      double variance = squares[i] / (double) rows, unbiased = rows > 1 ? squares[i] / (double) (rows - 1) : variance;
      deviation[i] = (float) (1 / sqrt (variance + self->epsilon));
      running_mean[i] += (float) self->momentum * (mean[i] - running_mean[i]);
      running_variance[i] += (float) self->momentum * ((float) unbiased - running_variance[i]);
    }
}

static void
normalize_channels (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  gint64 width = weft_tensor_last (call->in[0]), rows = rows_of (call->in[0]), first = index * COLUMN_TILE,
         n = MIN (COLUMN_TILE, width - first);
  const float *weight = (const float *) call->parameters[WEIGHT]->data + first;
  float mean[COLUMN_TILE], deviation[COLUMN_TILE] = { 0 }, factor[COLUMN_TILE];

  batch_statistics (call, first, n, mean, deviation);
  for (gint64 i = 0; i < n; i++)
    factor[i] = weight[i] * deviation[i];
  for (gint64 row = 0; row < rows; row++)
    vector->normalize_columns (n, (const float *) call->in[0]->data + row * width + first, mean, factor,
                               (const float *) call->parameters[BIAS]->data + first, (float *) call->out[0]->data + row * width + first);
  for (gint64 i = 0; call->saved[MEAN] && i < n; i++)
    {
      ((float *) call->saved[MEAN]->data)[first + i] = mean[i];
      ((float *) call->saved[DEVIATION]->data)[first + i] = deviation[i];
    }
}

static void
batch_norm_forward (const WeftCall *call)
{
  weft_parallel (call, tiles_of (weft_tensor_last (call->in[0]), COLUMN_TILE), normalize_channels, (gpointer) call);
}

/* With x̂ = (x − mean)/σ: dx = weight/σ (dy − Σdy/n − x̂ Σ(dy x̂)/n) for batch statistics, weight/σ dy for given ones. */
static void
differentiate_channels (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  gint64 width = weft_tensor_last (call->in[0]), rows = rows_of (call->in[0]), first = index * COLUMN_TILE,
         n = MIN (COLUMN_TILE, width - first);
  const float *x = (const float *) call->in[0]->data + first, *by_y = (const float *) call->out_gradient[0]->data + first;
  const float *mean = (const float *) call->saved[MEAN]->data + first, *deviation = (const float *) call->saved[DEVIATION]->data + first;
  const float *weight = (const float *) call->parameters[WEIGHT]->data + first;
  double sums[COLUMN_TILE], dots[COLUMN_TILE];
  float a[COLUMN_TILE], b[COLUMN_TILE], c[COLUMN_TILE];

  vector->column_sums (rows, n, width, by_y, sums);
  vector->column_dots (rows, n, width, x, mean, by_y, dots);
  for (gint64 i = 0; i < n; i++)
    {
      double share = call->mode == WEFT_MODE_TRAIN ? 1.0 / (double) MAX (rows, 1) : 0;
      a[i] = weight[i] * deviation[i];
      b[i] = (float) (-(double) a[i] * deviation[i] * deviation[i] * dots[i] * share);
      c[i] = (float) (-(double) a[i] * sums[i] * share);
      if (call->parameter_gradient[WEIGHT])
        ((float *) call->parameter_gradient[WEIGHT]->data)[first + i] = (float) (dots[i] * deviation[i]);
      if (call->parameter_gradient[BIAS])
        ((float *) call->parameter_gradient[BIAS]->data)[first + i] = (float) sums[i];
    }
  for (gint64 row = 0; call->in_gradient[0] && row < rows; row++)
    vector->normalize_columns_gradient (n, x + row * width, mean, by_y + row * width, a, b, c,
                                        (float *) call->in_gradient[0]->data + row * width + first);
}

static void
batch_norm_backward (const WeftCall *call)
{
  weft_parallel (call, tiles_of (weft_tensor_last (call->in[0]), COLUMN_TILE), differentiate_channels, (gpointer) call);
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
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 8]\", gradient: true}\n"
             "y: {op: batch_norm, x: x, mode: train}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
                                  "y: {op: batch_norm, x: x, mode: infer}\n",
                                  NULL },
};
WEFT_OPERATOR (batch_norm);
