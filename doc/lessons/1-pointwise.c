/* Lesson 1: a pointwise operator with its gradient.
 *
 * swish, y = x σ(x) (Ramachandran et al., arXiv 1710.05941). An operator is one constant descriptor and the functions that it names.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <weft/operator.h>

static void
forward (const WeftCall *call)
{
  const float *x = call->in[0]->data;
  float *y = call->out[0]->data;

  for (gint64 i = 0; i < weft_tensor_elements (call->in[0]); i++)
    y[i] = x[i] / (1 + expf (-x[i]));
}

/* With s = σ(x): dx = dy · (s + x s (1 − s)). Gradients are set; one that nobody wants is NULL. */
static void
backward (const WeftCall *call)
{
  const float *x = call->in[0]->data, *dy = call->out_gradient[0]->data;
  float *dx = call->in_gradient[0] ? call->in_gradient[0]->data : NULL;

  for (gint64 i = 0; dx && i < weft_tensor_elements (call->in[0]); i++)
    {
      float s = 1 / (1 + expf (-x[i]));
      dx[i] = dy[i] * (s + x[i] * s * (1 - s));
    }
}

/* `f32[...]` is any shape, and the same on both sides. WEFT_PORT_READ: backward reads x, so x is kept until then. */
static const WeftOperator swish = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "swish",
  .version = 1,
  .summary = "x σ(x)",
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[...]", .flags = WEFT_PORT_READ, .meaning = "anything" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[...]", .meaning = "each element" }, { 0 } },
  .in_place = (const char *const[]){ "x=y", NULL },
  .forward = forward,
  .backward = backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
             "y: {op: swish, x: x}\n",
};
WEFT_OPERATOR (swish);
WEFT_MODULE ("lesson-1", "1.0", "A pointwise operator");
