/* Lesson 6: a composition and its fused twin.
 *
 * gated_sum, y = σ(g) ⊙ a + (1 − σ(g)) ⊙ b. The composition says it in operators that exist, and would do by itself: an operator without
 * `forward` is replaced by it. With kernels beside it, one pass over memory does the same; the composition then serves the tests, which
 * compare values and gradients of the two.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <weft/operator.h>

static const char composition[] = "nodes:\n"
                                  "  share: {op: sigmoid, x: gate}\n"
                                  "  rest:  {op: scale, x: share, factor: -1, offset: 1}\n"
                                  "  first: {op: multiply, a: share, b: a}\n"
                                  "  other: {op: multiply, a: rest, b: b}\n"
                                  "  sum:   {op: add, x: [first, other]}\n"
                                  "outputs: {y: sum}\n";

static void
forward (const WeftCall *call)
{
  const float *gate = call->in[0]->data, *a = call->in[1]->data, *b = call->in[2]->data;
  float *y = call->out[0]->data;

  for (gint64 i = 0; i < weft_tensor_elements (call->in[0]); i++)
    {
      float share = 1 / (1 + expf (-gate[i]));
      y[i] = share * a[i] + (1 - share) * b[i];
    }
}

/* With s = σ(g): dg = dy (a − b) s (1 − s), da = dy s, db = dy (1 − s). */
static void
backward (const WeftCall *call)
{
  const float *gate = call->in[0]->data, *a = call->in[1]->data, *b = call->in[2]->data, *dy = call->out_gradient[0]->data;
  float *dgate = call->in_gradient[0] ? call->in_gradient[0]->data : NULL;
  float *da = call->in_gradient[1] ? call->in_gradient[1]->data : NULL;
  float *db = call->in_gradient[2] ? call->in_gradient[2]->data : NULL;

  for (gint64 i = 0; i < weft_tensor_elements (call->in[0]); i++)
    {
      float share = 1 / (1 + expf (-gate[i]));
      if (dgate)
        dgate[i] = dy[i] * (a[i] - b[i]) * share * (1 - share);
      if (da)
        da[i] = dy[i] * share;
      if (db)
        db[i] = dy[i] * (1 - share);
    }
}

static const WeftPort inputs[] = {
  { .name = "gate", .signature = "f32[...]", .flags = WEFT_PORT_READ, .meaning = "g" },
  { .name = "a", .signature = "f32[...]", .flags = WEFT_PORT_READ, .meaning = "taken where g is large" },
  { .name = "b", .signature = "f32[...]", .flags = WEFT_PORT_READ, .meaning = "taken where g is small" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[...]", .meaning = "the mixture" },
  { 0 },
};

static const WeftOperator gated_sum = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "gated_sum",
  .version = 1,
  .summary = "Mixes two values by a gate: σ(g) a + (1 − σ(g)) b",
  .inputs = inputs,
  .outputs = outputs,
  .composition = composition,
  .forward = forward,
  .backward = backward,
  .example = "g: {op: feed, signature: \"f32[b<=5, 7]\", gradient: true}\n"
             "a: {op: feed, signature: \"f32[b, 7]\", gradient: true}\n"
             "b: {op: feed, signature: \"f32[b, 7]\", gradient: true}\n"
             "y: {op: gated_sum, gate: g, a: a, b: b}\n",
};
WEFT_OPERATOR (gated_sum);
WEFT_MODULE ("lesson-6", "1.0", "A composition and its fused twin");
