/* position_batch_norm: a batch norm whose channel is the position of a row within its sample.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "kernels/vector.h"
#include "tiles.h"

typedef struct
{
  gint64 positions;
  double epsilon, momentum;
} PositionBatchNorm;

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

/* The row of @sample at @position, or -1. */
static gint64
row_at (const WeftTensor *x, gint64 sample, gint64 position)
{
  gint64 row = x->offsets[sample] + position;

  return row < x->offsets[sample + 1] ? row : -1;
}

static gboolean
channel_statistics (const WeftCall *call, gint64 channel, float *mean, float *deviation)
{
  const PositionBatchNorm *self = call->attributes;
  const WeftTensor *x = call->in[0];
  gint64 width = x->shape[1], n = 0;
  float *running_mean = (float *) call->states[RUNNING_MEAN]->data + channel,
        *running_variance = (float *) call->states[RUNNING_VARIANCE]->data + channel;
  double sum = 0, squares = 0;

  *mean = *running_mean;
  *deviation = (float) (1 / sqrt (*running_variance + self->epsilon));
  if (call->mode == WEFT_MODE_INFER)
    return TRUE;
  for (gint64 sample = 0; sample < x->samples; sample++)
    if (row_at (x, sample, channel) >= 0)
      {
        sum += vector->sum (width, (const float *) x->data + row_at (x, sample, channel) * width);
        n += width;
      }
  if (!n)
    return FALSE;
  *mean = (float) (sum / (double) n);
  for (gint64 sample = 0; sample < x->samples; sample++)
    if (row_at (x, sample, channel) >= 0)
      squares += vector->squares (width, (const float *) x->data + row_at (x, sample, channel) * width, *mean);
  *deviation = (float) (1 / sqrt (squares / (double) n + self->epsilon));
  *running_mean += (float) self->momentum * (*mean - *running_mean);
  *running_variance += (float) self->momentum * ((float) (squares / (double) MAX (n - 1, 1)) - *running_variance);
  return TRUE;
}

static void
normalize_channel (gpointer data, gint64 channel, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *x = call->in[0];
  gint64 width = x->shape[1];
  float weight = ((const float *) call->parameters[WEIGHT]->data)[channel], bias = ((const float *) call->parameters[BIAS]->data)[channel];
  float mean, deviation;

  channel_statistics (call, channel, &mean, &deviation);
  for (gint64 sample = 0; sample < x->samples; sample++)
    if (row_at (x, sample, channel) >= 0)
      vector->shift_scale (width, (const float *) x->data + row_at (x, sample, channel) * width, mean, deviation * weight, bias,
                           (float *) call->out[0]->data + row_at (x, sample, channel) * width);
  if (call->saved[MEAN])
    {
      ((float *) call->saved[MEAN]->data)[channel] = mean;
      ((float *) call->saved[DEVIATION]->data)[channel] = deviation;
    }
}

static void
position_batch_norm_forward (const WeftCall *call)
{
  const PositionBatchNorm *self = call->attributes;
  const WeftTensor *x = call->in[0];

  for (gint64 sample = 0; sample < x->samples; sample++)
    if (x->offsets[sample + 1] - x->offsets[sample] > self->positions)
      {
        weft_fail (call, "sample %" G_GINT64_FORMAT " has %d rows, more than positions: %" G_GINT64_FORMAT, sample,
                   x->offsets[sample + 1] - x->offsets[sample], self->positions);
        return;
      }
  weft_parallel (call, self->positions, normalize_channel, (gpointer) call);
}

static void
differentiate_channel (gpointer data, gint64 channel, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *x = call->in[0];
  gint64 width = x->shape[1], n = 0;
  float mean = ((const float *) call->saved[MEAN]->data)[channel], deviation = ((const float *) call->saved[DEVIATION]->data)[channel];
  float a = ((const float *) call->parameters[WEIGHT]->data)[channel] * deviation, b, c;
  double sum = 0, dot = 0, share;

  for (gint64 sample = 0; sample < x->samples; sample++)
    {
      gint64 row = row_at (x, sample, channel);
      double row_sum, row_dot;
      if (row < 0)
        continue;
      vector->normalize_row_sums (width, (const float *) x->data + row * width, mean, deviation, NULL,
                                  (const float *) call->out_gradient[0]->data + row * width, &row_sum, &row_dot);
      sum += row_sum;
      dot += row_dot;
      n += width;
    }
  share = call->mode == WEFT_MODE_TRAIN && n ? 1.0 / (double) n : 0;
  b = (float) (-(double) a * deviation * dot * share);
  c = (float) (-(double) a * sum * share);
  for (gint64 sample = 0; call->in_gradient[0] && sample < x->samples; sample++)
    {
      gint64 row = row_at (x, sample, channel);
      if (row >= 0)
        vector->shift_combine (width, (const float *) x->data + row * width, mean,
                               (const float *) call->out_gradient[0]->data + row * width, a, b, c,
                               (float *) call->in_gradient[0]->data + row * width);
    }
  if (call->parameter_gradient[WEIGHT])
    ((float *) call->parameter_gradient[WEIGHT]->data)[channel] = (float) dot;
  if (call->parameter_gradient[BIAS])
    ((float *) call->parameter_gradient[BIAS]->data)[channel] = (float) sum;
}

static void
position_batch_norm_backward (const WeftCall *call)
{
  weft_parallel (call, ((const PositionBatchNorm *) call->attributes)->positions, differentiate_channel, (gpointer) call);
}

static const WeftOperator position_batch_norm = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "position_batch_norm",
  .version = 1,
  .summary = "batch norm whose channel is the position of a row within its sample",
  .documentation = "Statistics of position r run over all samples that have a row r, and over all columns. A position that no sample of a "
                   "batch has keeps "
                   "its running statistics.",
  .source = "USER (Zhang et al., IEEE TIP 2024), the local branch of its self-guided enhancement",
  .attributes_size = sizeof (PositionBatchNorm),
  .attributes =
      (const WeftAttribute[]){
          WEFT_INTEGER (PositionBatchNorm, positions, "36", 1, 1 << 20, "rows", "channels: most rows of a sample"),
          WEFT_NUMBER (PositionBatchNorm, epsilon, "1e-5", 0, 1, "", "added to the variance"),
          WEFT_NUMBER (PositionBatchNorm, momentum, "0.1", 0, 1, "", "weight of the newest batch in the running statistics"),
          { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "rows" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[b:t, d]", .meaning = "normalised rows" }, { 0 } },
  .saved = (const WeftPort[]){ { .name = "mean", .signature = "f32[$positions]", .meaning = "that was used" },
                               { .name = "deviation", .signature = "f32[$positions]", .meaning = "1/σ that was used" },
                               { 0 } },
  .parameters =
      (const WeftPort[]){
          { .name = "weight", .signature = "f32[$positions]", .flags = WEFT_PORT_READ, .meaning = "scale", .initial = "ones" },
          { .name = "bias", .signature = "f32[$positions]", .meaning = "shift", .initial = "zeros" },
          { 0 } },
  .states = (const WeftPort[]){ { .name = "running_mean", .signature = "f32[$positions]", .meaning = "running mean", .initial = "zeros" },
                                { .name = "running_var", .signature = "f32[$positions]", .meaning = "running variance", .initial = "ones" },
                                { 0 } },
  .forward = position_batch_norm_forward,
  .backward = position_batch_norm_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 8]\", gradient: true}\n"
             "y: {op: position_batch_norm, x: x, positions: 12, mode: train}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
                                  "y: {op: position_batch_norm, x: x, positions: 12, mode: infer}\n",
                                  NULL },
};
WEFT_OPERATOR (position_batch_norm);
