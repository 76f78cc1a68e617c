/* segment_sum, segment_mean: sums and means over the rows of each sample.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include "kernels/vector.h"

typedef struct
{
  const WeftCall *call;
  gboolean mean;
} Work;

static float
factor_of (const Work *work, gint64 rows)
{
  return work->mean ? 1.0f / (float) MAX (rows, 1) : 1;
}

static void
sum_sample (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  const WeftTensor *x = work->call->in[0];
  gint64 width = x->shape[1], first = x->offsets[sample], end = x->offsets[sample + 1];
  float *y = (float *) work->call->out[0]->data + sample * width;
  vector->fill (width, 0, y);
  for (gint64 row = first; row < end; row++)
    vector->add (width, y, (const float *) x->data + row * width, y);
  if (work->mean)
    vector->scale (width, factor_of (work, end - first), 0, y, y);
}

static void
spread_sample (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  WeftTensor *by_x = work->call->in_gradient[0];
  gint64 width = by_x->shape[1], first = by_x->offsets[sample], end = by_x->offsets[sample + 1];
  const float *by_y = (const float *) work->call->out_gradient[0]->data + sample * width;
  for (gint64 row = first; row < end; row++)
    vector->scale (width, factor_of (work, end - first), 0, by_y, (float *) by_x->data + row * width);
}

static void
segment_sum_forward (const WeftCall *call)
{
  weft_parallel (call, call->in[0]->samples, sum_sample, &(Work){ call, FALSE });
}

static void
segment_sum_backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    weft_parallel (call, call->in_gradient[0]->samples, spread_sample, &(Work){ call, FALSE });
}

static void
segment_mean_forward (const WeftCall *call)
{
  weft_parallel (call, call->in[0]->samples, sum_sample, &(Work){ call, TRUE });
}

static void
segment_mean_backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    weft_parallel (call, call->in_gradient[0]->samples, spread_sample, &(Work){ call, TRUE });
}

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[b:t, d]", .meaning = "rows" },
  { .name = NULL },
};

static const WeftPort sum_outputs[] = {
  { .name = "y", .signature = "f32[b, d]", .meaning = "sum per sample; zero for a sample without rows" },
  { .name = NULL },
};

static const WeftPort mean_outputs[] = {
  { .name = "y", .signature = "f32[b, d]", .meaning = "mean per sample; zero for a sample without rows" },
  { .name = NULL },
};

static const WeftOperator segment_sum = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "segment_sum",
  .version = 1,
  .summary = "Sums the rows of each sample",
  .documentation = "Rows are added in their order, so that results do not depend on threads.",
  .source = "Definition",
  .inputs = inputs,
  .outputs = sum_outputs,
  .forward = segment_sum_forward,
  .backward = segment_sum_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
             "y: {op: segment_sum, x: x}\n",
};
WEFT_OPERATOR (segment_sum);

static const WeftOperator segment_mean = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "segment_mean",
  .version = 1,
  .summary = "Averages the rows of each sample",
  .documentation = "Rows are added in their order, so that results do not depend on threads.",
  .source = "Definition",
  .inputs = inputs,
  .outputs = mean_outputs,
  .forward = segment_mean_forward,
  .backward = segment_mean_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
             "y: {op: segment_mean, x: x}\n",
};
WEFT_OPERATOR (segment_mean);
