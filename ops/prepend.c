/* prepend: a learned row before the rows of each sample.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <weft/operator.h>

#include "kernels/vector.h"

static void
prepend_forward (const WeftCall *call)
{
  const WeftTensor *x = call->in[0];
  WeftTensor *y = call->out[0];
  gsize row = (gsize) x->shape[1] * sizeof (float);
  char *to = y->data;

  y->offsets[0] = 0;
  for (gint64 sample = 0; sample < x->samples; sample++)
    {
      gsize rows = (gsize) (x->offsets[sample + 1] - x->offsets[sample]);
      memcpy (to, call->parameters[0]->data, row);
      memcpy (to + row, (const char *) x->data + (gsize) x->offsets[sample] * row, rows * row);
      to += (rows + 1) * row;
      y->offsets[sample + 1] = y->offsets[sample] + (gint32) rows + 1;
    }
  weft_resize (call, y, x->samples, y->offsets[x->samples]);
}

static void
prepend_backward (const WeftCall *call)
{
  const WeftTensor *x = call->in[0];
  gint64 width = x->shape[1];
  const float *by_y = call->out_gradient[0]->data;
  float *by_weight = call->parameter_gradient[0] ? call->parameter_gradient[0]->data : NULL;

  if (by_weight)
    vector->fill (width, 0, by_weight);
  for (gint64 sample = 0; sample < x->samples; sample++)
    {
      gint64 rows = x->offsets[sample + 1] - x->offsets[sample];
      if (by_weight)
        vector->add (width, by_weight, by_y, by_weight);
      if (call->in_gradient[0])
        memcpy ((float *) call->in_gradient[0]->data + x->offsets[sample] * width, by_y + width, (gsize) (rows * width) * sizeof (float));
      by_y += (rows + 1) * width;
    }
}

typedef struct
{
  const char *initial;
} Prepend;

static const WeftOperator prepend = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "prepend",
  .version = 1,
  .summary = "Puts a learned row before the rows of each sample",
  .documentation = "The class token of vision transformers.",
  .source = "Dosovitskiy et al.: An image is worth 16x16 words, arXiv 2010.11929, equation 1",
  .attributes_size = sizeof (Prepend),
  .attributes = (const WeftAttribute[]){ WEFT_STRING (Prepend, initial, "normal(0.02)", "initial row"), { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[b:t, d]", .meaning = "rows" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[b : u <= t + b, d]", .meaning = "one row more in each sample" }, { 0 } },
  .parameters = (const WeftPort[]){ { .name = "weight", .signature = "f32[d]", .meaning = "the row", .initial = "$initial" }, { 0 } },
  .forward = prepend_forward,
  .backward = prepend_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
             "y: {op: prepend, x: x}\n",
};
WEFT_OPERATOR (prepend);
