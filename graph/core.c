/* Core operators: feed, sum, one, gradients.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "core.h"

#include <string.h>

#include "dispatch.h"

/* Values arrive before the step: there is nothing to compute. */
static void
feed_forward (const WeftCall *call)
{
  (void) call;
}

const WeftOperator weft_feed_operator = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "feed",
  .version = 1,
  .summary = "a tensor given from outside in every step",
  .documentation =
      "The signature's letters are shared by all feeds of a graph and need bounds: `f32[b<=8 : t<=288, 32]`. With `gradient: true` "
      "the graph is differentiated with respect to the value as well.",
  .attributes_size = sizeof (WeftFeed),
  .attributes = (const WeftAttribute[]){ WEFT_STRING (WeftFeed, signature, NULL, "what is given"),
                                         WEFT_BOOLEAN (WeftFeed, gradient, "false", "compute the gradient by this value"),
                                         { 0 } },
  .outputs = (const WeftPort[]){ { .name = "value", .meaning = "the tensor" }, { 0 } },
  .forward = feed_forward,
  .not_differentiable = "it has no inputs",
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
             "y: {op: relu, x: x}\n",
};

typedef struct
{
  float *to;
  const WeftTensor *from;
  guint n;
  gint64 elements;
} Sum;

/* What stays in the first-level cache while one part after the other is added. */
#define SUM_TILE 4096

#define REGISTER 16

/* The result may lie where an operand does: each register is read whole before it is written. */
WEFT_LOOP void
add_loop (gint64 n, const float *a, const float *b, float *to)
{
  gint64 i = 0;
  for (; i + REGISTER <= n; i += REGISTER)
    {
      float part[REGISTER];
      for (int l = 0; l < REGISTER; l++)
        part[l] = a[i + l] + b[i + l];
      memcpy (to + i, part, sizeof part);
    }
  for (; i < n; i++)
    to[i] = a[i] + b[i];
}
WEFT_DISPATCH (void, add, add_loop, (gint64 n, const float *a, const float *b, float *to), (n, a, b, to))

static void
sum_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Sum *sum = data;
  gint64 first = index * SUM_TILE, n = MIN (SUM_TILE, sum->elements - first);

  for (guint i = 1; i < sum->n; i++)
    add (n, (i == 1 ? (const float *) sum->from[0].data : sum->to) + first, (const float *) sum->from[i].data + first, sum->to + first);
}

/* Differentiation sums doubles too; they are rare enough to do without tiles. */
static void
sum_doubles (const WeftCall *call)
{
  gint64 elements = weft_tensor_elements (call->out[0]);
  double *to = call->out[0]->data;

  for (gint64 at = 0; at < elements; at++)
    {
      double total = 0;
      for (guint i = 0; i < call->in_count[0]; i++)
        total += ((const double *) call->in[0][i].data)[at];
      to[at] = total;
    }
}

static void
sum_forward (const WeftCall *call)
{
  Sum sum = { call->out[0]->data, call->in[0], call->in_count[0], weft_tensor_elements (call->out[0]) };

  if (call->out[0]->type == WEFT_F64)
    sum_doubles (call);
  else if (sum.n == 1)
    memcpy (sum.to, sum.from[0].data, sum.elements * sizeof (float));
  else
    weft_parallel (call, (sum.elements + SUM_TILE - 1) / SUM_TILE, sum_tile, &sum);
}

/* Gradient of a value that is read more than once. Order of addition is the order of the inputs. */
const WeftOperator weft_sum_operator = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "sum",
  .version = 1,
  .summary = "sum of gradients; made by differentiation, not for pipelines (see add)",
  .inputs = (const WeftPort[]){ { "x", "f32[...]", WEFT_PORT_VARIADIC, "what is added", .initial = NULL }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[...]", .meaning = "x_1 + x_2 + …" }, { 0 } },
  .in_place = (const char *const[]){ "x=y", NULL },
  .forward = sum_forward,
  .not_differentiable = "it is itself part of a gradient",
  .example = "a: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\"}\n"
             "b: {op: feed, signature: \"f32[b : t, 7]\"}\n"
             "y: {op: sum, x: [a, b, a]}\n",
};

static void
one_forward (const WeftCall *call)
{
  *(float *) call->out[0]->data = 1.0f;
}

const WeftOperator weft_one_operator = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "one",
  .version = 1,
  .summary = "the number 1: gradient of an objective by itself",
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[]", .meaning = "1" }, { 0 } },
  .forward = one_forward,
  .not_differentiable = "it has no inputs",
  .example = "y: {op: one}\n",
};

static void
gradients_forward (const WeftCall *call)
{
  (void) call;
}

static const WeftOperator gradients_operator = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "gradients",
  .version = 1,
  .summary = "computes gradients of an objective without using them",
  .documentation = "For looking at gradients and for tests: differentiates its graph as an optimizer does and changes nothing.",
  .inputs =
      (const WeftPort[]){ { .name = "minimize", .signature = "f32[]", .flags = WEFT_PORT_OBJECTIVE, .meaning = "the objective" }, { 0 } },
  .outputs = (const WeftPort[]){ { 0 } },
  .forward = gradients_forward,
  .effect = TRUE,
  .not_differentiable = "it has no outputs",
  .example = "x: {op: feed, signature: \"f32[b<=6, 4]\"}\n"
             "y: {op: linear, x: x, units: 3}\n"
             "loss: {op: mean, x: y}\n"
             "look: {op: gradients, minimize: loss}\n",
};

const WeftOperator *const weft_core_operators[] = { &weft_feed_operator, &weft_sum_operator, &weft_one_operator, &gradients_operator,
                                                    NULL };
