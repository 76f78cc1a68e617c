/* sorted_sum: the pooling step of GPO: rows sorted per channel, then summed with a weight per rank.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <weft/operator.h>

enum { X, WEIGHTS, GROUP };

/* A copy of the rows to be sorted; in backward a partial sum per row. */
static gsize
sorted_sum_scratch (const WeftCall *call)
{
  return MAX (weft_tensor_bytes (call->in[X]), sizeof (double) * (gsize) call->in[X]->shape[0]);
}

/* Exchanges neighbours in each channel where they are out of order; equal ones stay, so that the sort is stable. */
static void
exchange (gint64 width, float *restrict above, float *restrict below)
{
  for (gint64 i = 0; i < width; i++)
    {
      float a = above[i], b = below[i];
      above[i] = a < b ? b : a;
      below[i] = a < b ? a : b;
    }
}

static void
exchange_with_order (gint64 width, float *restrict above, float *restrict below, gint32 *restrict order_above, gint32 *restrict order_below)
{
  for (gint64 i = 0; i < width; i++)
    {
      float a = above[i], b = below[i];
      gint32 first = order_above[i], second = order_below[i];
      above[i] = a < b ? b : a;
      below[i] = a < b ? a : b;
      order_above[i] = a < b ? second : first;
      order_below[i] = a < b ? first : second;
    }
}

/* Odd-even transposition: n rounds of independent exchanges, all channels of two rows at a time. */
static void
sort_sample (gint64 rows, gint64 width, float *values, gint32 *order)
{
  for (gint64 row = 0; order && row < rows; row++)
    for (gint64 i = 0; i < width; i++)
      order[row * width + i] = (gint32) row;
  for (gint64 round = 0; round < rows; round++)
    for (gint64 row = round % 2; row + 1 < rows; row += 2)
      if (order)
        exchange_with_order (width, values + row * width, values + (row + 1) * width, order + row * width, order + (row + 1) * width);
      else
        exchange (width, values + row * width, values + (row + 1) * width);
}

static const float *
weights_of (const WeftCall *call, gint64 sample)
{
  const WeftTensor *weights = call->in[WEIGHTS];

  return (const float *) weights->data + weights->offsets[((const gint32 *) call->in[GROUP]->data)[sample]];
}

static void
pool_sample (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *x = call->in[X];
  gint64 width = x->shape[1], first = x->offsets[sample], rows = x->offsets[sample + 1] - first;
  float *values = (float *) call->scratch + first * width, *y = (float *) call->out[0]->data + sample * width;
  const float *weights = weights_of (call, sample);

  memcpy (values, (const float *) x->data + first * width, rows * width * sizeof (float));
  sort_sample (rows, width, values, call->saved[0] ? (gint32 *) call->saved[0]->data + first * width : NULL);
  memset (y, 0, width * sizeof (float));
  for (gint64 row = 0; row < rows; row++)
    for (gint64 i = 0; i < width; i++)
      y[i] += weights[row] * values[row * width + i];
}

static void
sorted_sum_forward (const WeftCall *call)
{
  weft_parallel (call, call->in[X]->samples, pool_sample, (gpointer) call);
}

static void
differentiate_sample (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *x = call->in[X];
  gint64 width = x->shape[1], first = x->offsets[sample], rows = x->offsets[sample + 1] - first;
  const float *values = (const float *) x->data + first * width, *by_y = (const float *) call->out_gradient[0]->data + sample * width;
  const gint32 *order = (const gint32 *) call->saved[0]->data + first * width;
  const float *weights = weights_of (call, sample);
  double *parts = (double *) call->scratch + first;

  for (gint64 row = 0; row < rows; row++)
    {
      double part = 0;
      for (gint64 i = 0; i < width; i++)
        {
          gint64 from = order[row * width + i] * width + i;
          part += (double) by_y[i] * values[from];
          if (call->in_gradient[X])
            ((float *) call->in_gradient[X]->data)[first * width + from] = weights[row] * by_y[i];
        }
      parts[row] = part;
    }
}

static void
sorted_sum_backward (const WeftCall *call)
{
  const WeftTensor *x = call->in[X], *weights = call->in[WEIGHTS];
  const gint32 *group = call->in[GROUP]->data;
  const double *parts = call->scratch;

  weft_parallel (call, x->samples, differentiate_sample, (gpointer) call);
  if (!call->in_gradient[WEIGHTS])
    return;
  memset (call->in_gradient[WEIGHTS]->data, 0, weft_tensor_bytes (call->in_gradient[WEIGHTS]));
  for (gint64 sample = 0; sample < x->samples; sample++)
    for (gint64 row = 0; row < x->offsets[sample + 1] - x->offsets[sample]; row++)
      ((float *) call->in_gradient[WEIGHTS]->data)[weights->offsets[group[sample]] + row] += (float) parts[x->offsets[sample] + row];
}

static const WeftOperator sorted_sum = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "sorted_sum",
  .version = 1,
  .summary = "rows of each sample sorted in descending order per channel, then summed with a weight per rank",
  .source = "Chen et al., CVPR 2021 (GPO), equation 4",
  .inputs = (const WeftPort[]){
      { .name = "x", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "rows" },
      { .name = "weights", .signature = "f32[u:p, 1]", .flags = WEFT_PORT_READ, .meaning = "weights by rank for each distinct length" },
      { .name = "group", .signature = "i32[b]", .flags = WEFT_PORT_READ, .meaning = "which of the distinct lengths each sample has" },
      { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[b, d]", .meaning = "Σ over ranks of weight · value" }, { 0 } },
  .saved = (const WeftPort[]){ { .name = "order", .signature = "i32[b:t, d]", .meaning = "which row each rank came from" }, { 0 } },
  .forward = sorted_sum_forward,
  .backward = sorted_sum_backward,
  .scratch = sorted_sum_scratch,
};
WEFT_OPERATOR (sorted_sum);
