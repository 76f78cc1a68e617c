/* segment_softmax: softmax of each channel over the rows of each sample.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include <math.h>

#include "kernels/rows.h"
#include "kernels/vector.h"

/* Channels that pass together, so that their maxima and sums stay on the stack. */
#define BLOCK 256

typedef struct
{
  double temperature;
} SegmentSoftmax;

static void
softmax_column (const float *x, gint64 rows, float factor, float *y)
{
  double sum = vector->exp_sum (rows, x, vector->maximum (rows, x), factor, y);
  vector->scale (rows, (float) (1 / sum), 0, y, y);
}

static void
softmax_columns (const float *x, gint64 rows, gint64 width, gint64 columns, float factor, float *y)
{
  const RowKernels *kernels = row_kernels ();
  float greatest[BLOCK], sums[BLOCK];
  vector->fill (columns, -INFINITY, greatest);
  vector->fill (columns, 0, sums);
  for (gint64 row = 0; row < rows; row++)
    kernels->maximum (columns, x + row * width, greatest);
  for (gint64 row = 0; row < rows; row++)
    vector->exp_columns (columns, x + row * width, greatest, factor, y + row * width, sums);
  for (gint64 c = 0; c < columns; c++)
    sums[c] = 1 / sums[c];
  for (gint64 row = 0; row < rows; row++)
    vector->multiply (columns, y + row * width, sums, y + row * width);
}

static void
softmax_sample (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *tensor = call->in[0];
  gint64 width = tensor->shape[1], first = tensor->offsets[sample], rows = tensor->offsets[sample + 1] - first;
  const float *x = (const float *) tensor->data + first * width;
  float *y = (float *) call->out[0]->data + first * width;
  float factor = (float) (1 / ((const SegmentSoftmax *) call->attributes)->temperature);
  if (rows == 0)
    return;
  if (width == 1)
    softmax_column (x, rows, factor, y);
  else
    for (gint64 c = 0; c < width; c += BLOCK)
      softmax_columns (x + c, rows, width, MIN (BLOCK, width - c), factor, y + c);
}

static void
segment_softmax_forward (const WeftCall *call)
{
  weft_parallel (call, call->in[0]->samples, softmax_sample, (gpointer) call);
}

/* dx_r = y_r (dy_r − Σ_j y_j dy_j) / T */
static void
softmax_sample_backward (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *tensor = call->out[0];
  gint64 width = tensor->shape[1], first = tensor->offsets[sample], rows = tensor->offsets[sample + 1] - first;
  float factor = (float) (1 / ((const SegmentSoftmax *) call->attributes)->temperature);
  if (rows == 0)
    return;
  if (width == 1)
    {
      const float *y = (const float *) tensor->data + first, *by_y = (const float *) call->out_gradient[0]->data + first;
      vector->softmax_gradient (rows, y, by_y, (float) vector->dot (rows, y, by_y), factor, (float *) call->in_gradient[0]->data + first);
      return;
    }
  for (gint64 c = 0; c < width; c += BLOCK)
    {
      gint64 columns = MIN (BLOCK, width - c), at = first * width + c;
      const float *y = (const float *) tensor->data + at, *by_y = (const float *) call->out_gradient[0]->data + at;
      float *by_x = (float *) call->in_gradient[0]->data + at, dots[BLOCK];
      vector->fill (columns, 0, dots);
      for (gint64 row = 0; row < rows; row++)
        vector->multiply_add (columns, y + row * width, by_y + row * width, dots);
      for (gint64 row = 0; row < rows; row++)
        vector->softmax_columns_gradient (columns, y + row * width, by_y + row * width, dots, factor, by_x + row * width);
    }
}

static void
segment_softmax_backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    weft_parallel (call, call->out[0]->samples, softmax_sample_backward, (gpointer) call);
}

static const WeftAttribute attributes[] = {
  WEFT_SCHEDULED (SegmentSoftmax, temperature, "1", 1e-6, 1e6, "", "divisor T of the scores; smaller: fewer rows get more"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[b:t, d]", .meaning = "scores" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "weights; each channel of a sample sums to 1" },
  { .name = NULL },
};

static const WeftOperator segment_softmax = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "segment_softmax",
  .version = 1,
  .summary = "Softmax of each channel over the rows of each sample",
  .documentation = "y_r = exp(x_r / T) / Σ_j exp(x_j / T), j over the rows of the same sample.",
  .source = "Definition",
  .attributes_size = sizeof (SegmentSoftmax),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .in_place = (const char *const[]){ "x=y", NULL },
  .forward = segment_softmax_forward,
  .backward = segment_softmax_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 3]\", gradient: true}\n"
             "y: {op: segment_softmax, x: x, temperature: 0.5}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 1]\", gradient: true}\n"
                                  "y: {op: segment_softmax, x: x}\n",
                                  NULL },
};
WEFT_OPERATOR (segment_softmax);
