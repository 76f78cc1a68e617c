/* position_embedding: learned rows by position, added to the rows of each sample.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <weft/operator.h>

#include "kernels/vector.h"

typedef struct
{
  gint64 rows;
  const char *initial;
} PositionEmbedding;

static void
add_sample (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *x = call->in[0];
  gint64 first = x->offsets[sample] * x->shape[1], n = x->offsets[sample + 1] * x->shape[1] - first;

  vector->add (n, (const float *) x->data + first, call->parameters[0]->data, (float *) call->out[0]->data + first);
}

static void
position_embedding_forward (const WeftCall *call)
{
  const PositionEmbedding *self = call->attributes;
  const WeftTensor *x = call->in[0];

  for (gint64 sample = 0; sample < x->samples; sample++)
    if (x->offsets[sample + 1] - x->offsets[sample] > self->rows)
      {
        weft_fail (call, "sample %" G_GINT64_FORMAT " has %d rows; there are positions for %" G_GINT64_FORMAT, sample,
                   x->offsets[sample + 1] - x->offsets[sample], self->rows);
        return;
      }
  weft_parallel (call, x->samples, add_sample, (gpointer) call);
}

/* The gradient of one position: the sum over the samples that reach it, in their order. */
static void
sum_position (gpointer data, gint64 position, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *by_y = call->out_gradient[0];
  gint64 width = by_y->shape[1];
  float *sum = (float *) call->parameter_gradient[0]->data + position * width;

  vector->fill (width, 0, sum);
  for (gint64 sample = 0; sample < by_y->samples; sample++)
    if (by_y->offsets[sample] + position < by_y->offsets[sample + 1])
      vector->add (width, sum, (const float *) by_y->data + (by_y->offsets[sample] + position) * width, sum);
}

static void
position_embedding_backward (const WeftCall *call)
{
  const PositionEmbedding *self = call->attributes;

  if (call->in_gradient[0])
    memcpy (call->in_gradient[0]->data, call->out_gradient[0]->data, weft_tensor_bytes (call->out_gradient[0]));
  if (call->parameter_gradient[0])
    weft_parallel (call, self->rows, sum_position, (gpointer) call);
}

static const WeftOperator position_embedding = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "position_embedding",
  .version = 1,
  .summary = "Adds a learned row to each row by its position within its sample",
  .source = "Vaswani et al., Attention Is All You Need (arXiv 1706.03762), section 3.5, learned",
  .attributes_size = sizeof (PositionEmbedding),
  .attributes =
      (const WeftAttribute[]){ WEFT_INTEGER (PositionEmbedding, rows, NULL, 1, 1 << 24, "rows", "most rows that a sample may have"),
                               WEFT_STRING (PositionEmbedding, initial, "normal(0.02)", "initial table"),
                               { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[b:t, d]", .meaning = "rows" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[b:t, d]", .meaning = "x + weight by position" }, { 0 } },
  .parameters =
      (const WeftPort[]){ { .name = "weight", .signature = "f32[$rows, d]", .meaning = "the table", .initial = "$initial" }, { 0 } },
  .in_place = (const char *const[]){ "x=y", NULL },
  .forward = position_embedding_forward,
  .backward = position_embedding_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
             "y: {op: position_embedding, x: x, rows: 12}\n",
};
WEFT_OPERATOR (position_embedding);
