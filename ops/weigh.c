/* weigh: weighted sums over the rows of each sample.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include "kernels/vector.h"

enum
{
  X,
  WEIGHTS,
};

static void
weigh_sample (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *x = call->in[X];
  const float *weights = call->in[WEIGHTS]->data;
  gint64 width = x->shape[1];
  float *y = (float *) call->out[0]->data + sample * width;
  vector->fill (width, 0, y);
  for (gint32 row = x->offsets[sample]; row < x->offsets[sample + 1]; row++)
    vector->axpy (width, weights[row], (const float *) x->data + row * width, y);
}

static void
weigh_forward (const WeftCall *call)
{
  weft_parallel (call, call->in[X]->samples, weigh_sample, (gpointer) call);
}

/* dx_r = w_r dy, dw_r = x_r · dy */
static void
weigh_sample_backward (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *x = call->in[X];
  const float *weights = call->in[WEIGHTS]->data;
  gint64 width = x->shape[1];
  const float *by_y = (const float *) call->out_gradient[0]->data + sample * width;
  for (gint32 row = x->offsets[sample]; row < x->offsets[sample + 1]; row++)
    {
      if (call->in_gradient[X])
        vector->scale (width, weights[row], 0, by_y, (float *) call->in_gradient[X]->data + row * width);
      if (call->in_gradient[WEIGHTS])
        ((float *) call->in_gradient[WEIGHTS]->data)[row] = (float) vector->dot (width, (const float *) x->data + row * width, by_y);
    }
}

static void
weigh_backward (const WeftCall *call)
{
  weft_parallel (call, call->in[X]->samples, weigh_sample_backward, (gpointer) call);
}

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "rows" },
  { .name = "weights", .signature = "f32[b:t, 1]", .flags = WEFT_PORT_READ, .meaning = "one weight per row" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[b, d]", .meaning = "Σ_r w_r x_r per sample; zero for a sample without rows" },
  { .name = NULL },
};

static const WeftOperator weigh = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "weigh",
  .version = 1,
  .summary = "Sums the rows of each sample with a weight for each row",
  .documentation = "With weights from segment_softmax this is attention pooling.",
  .source = "Definition",
  .inputs = inputs,
  .outputs = outputs,
  .forward = weigh_forward,
  .backward = weigh_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
             "weights: {op: feed, signature: \"f32[b : t, 1]\", gradient: true}\n"
             "y: {op: weigh, x: x, weights: weights}\n",
};
WEFT_OPERATOR (weigh);
