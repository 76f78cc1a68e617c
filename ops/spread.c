/* spread: every row gets its sample's row.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include <string.h>

#include "kernels/vector.h"

static void
spread_sample (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  WeftTensor *y = call->out[0];
  gsize width = (gsize) y->shape[1];
  const float *x = (const float *) call->in[0]->data + (gsize) sample * width;
  for (gint32 row = y->offsets[sample]; row < y->offsets[sample + 1]; row++)
    memcpy ((float *) y->data + (gsize) row * width, x, width * sizeof (float));
}

static void
spread_forward (const WeftCall *call)
{
  weft_parallel (call, call->out[0]->samples, spread_sample, (gpointer) call);
}

static void
gather_sample (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *by_y = call->out_gradient[0];
  gint64 width = by_y->shape[1];
  float *by_x = (float *) call->in_gradient[0]->data + sample * width;
  vector->fill (width, 0, by_x);
  for (gint32 row = by_y->offsets[sample]; row < by_y->offsets[sample + 1]; row++)
    vector->add (width, by_x, (const float *) by_y->data + row * width, by_x);
}

static void
spread_backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    weft_parallel (call, call->out_gradient[0]->samples, gather_sample, (gpointer) call);
}

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[b, d]", .meaning = "one row per sample" },
  { .name = "like",
    .signature = "f32[b:t, e]",
    .flags = WEFT_PORT_CONSTANT,
    .meaning = "says how many rows each sample has; its values are not read" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[b:t, d]", .meaning = "x, once for each row of the sample" },
  { .name = NULL },
};

static const WeftOperator spread = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "spread",
  .version = 1,
  .summary = "Gives every row of a sample the sample's own row",
  .documentation = "The counterpart of segment_sum: its gradient sums over the rows of each sample.",
  .source = "Definition",
  .inputs = inputs,
  .outputs = outputs,
  .forward = spread_forward,
  .backward = spread_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3, 4]\", gradient: true}\n"
             "like: {op: feed, signature: \"f32[b : t<=12, 2]\"}\n"
             "y: {op: spread, x: x, like: like}\n",
};
WEFT_OPERATOR (spread);
