/* mean, weighted_sum: everything to one number.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "kernels/vector.h"
#include "tiles.h"

typedef struct
{
  const float *x, *weights;
  float *y;
  double *parts;
  gint64 n;
  float factor;
} Work;

static gsize
reduction_scratch (const WeftCall *call)
{
  return sizeof (double) * MAX (tiles_of (weft_tensor_elements (call->in[0]), ELEMENT_TILE), 1);
}

static void
sum_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  gint64 first = index * ELEMENT_TILE, n = MIN (ELEMENT_TILE, work->n - first);

  work->parts[index] = work->weights ? vector->dot (n, work->x + first, work->weights + first) : vector->sum (n, work->x + first);
}

static void
spread_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  gint64 first = index * ELEMENT_TILE, n = MIN (ELEMENT_TILE, work->n - first);

  if (work->weights)
    vector->scale (n, work->factor, 0, work->weights + first, work->y + first);
  else
    vector->fill (n, work->factor, work->y + first);
}

static double
reduce (const WeftCall *call, const float *weights)
{
  Work work = { .x = call->in[0]->data, .weights = weights, .parts = call->scratch, .n = weft_tensor_elements (call->in[0]) };
  double sum = 0;

  weft_parallel (call, tiles_of (work.n, ELEMENT_TILE), sum_tile, &work);
  for (gint64 i = 0; i < tiles_of (work.n, ELEMENT_TILE); i++)
    sum += work.parts[i];
  return sum;
}

static void
spread (const WeftCall *call, const float *weights, double factor)
{
  Work work = {
    .weights = weights, .y = call->in_gradient[0]->data, .n = weft_tensor_elements (call->in_gradient[0]), .factor = (float) factor
  };

  weft_parallel (call, tiles_of (work.n, ELEMENT_TILE), spread_tile, &work);
}

static void
mean_forward (const WeftCall *call)
{
  *(float *) call->out[0]->data = (float) (reduce (call, NULL) / (double) MAX (weft_tensor_elements (call->in[0]), 1));
}

static void
mean_backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    spread (call, NULL, *(const float *) call->out_gradient[0]->data / (double) MAX (weft_tensor_elements (call->in_gradient[0]), 1));
}

static const WeftOperator mean = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "mean",
  .version = 1,
  .summary = "mean of all elements",
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[...]", .meaning = "anything" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[]", .meaning = "the mean; 0 of nothing" }, { 0 } },
  .forward = mean_forward,
  .backward = mean_backward,
  .scratch = reduction_scratch,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
             "y: {op: mean, x: x}\n",
};
WEFT_OPERATOR (mean);

static void
weighted_sum_forward (const WeftCall *call)
{
  *(float *) call->out[0]->data = (float) reduce (call, call->in[1]->data);
}

static void
weighted_sum_backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    spread (call, call->in[1]->data, *(const float *) call->out_gradient[0]->data);
}

static const WeftOperator weighted_sum = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "weighted_sum",
  .version = 1,
  .summary = "sum of all elements, each times its weight",
  .inputs =
      (const WeftPort[]){
          { .name = "x", .signature = "f32[...]", .meaning = "anything" },
          { .name = "weights", .signature = "f32[...]", .flags = WEFT_PORT_READ | WEFT_PORT_CONSTANT, .meaning = "a weight each" },
          { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[]", .meaning = "Σ weight · x" }, { 0 } },
  .forward = weighted_sum_forward,
  .backward = weighted_sum_backward,
  .scratch = reduction_scratch,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
             "w: {op: feed, signature: \"f32[b : t, 7]\"}\n"
             "y: {op: weighted_sum, x: x, weights: w}\n",
};
WEFT_OPERATOR (weighted_sum);
