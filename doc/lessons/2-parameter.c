/* Lesson 2: an operator with a parameter and an attribute.
 *
 * prelu, y = max(x, 0) + a min(x, 0), with a learned slope per channel (He et al., arXiv 1502.01852). Parameters are ports like inputs: a
 * name and a signature, and how they start. Who owns them, saves them and updates them is not the operator's business.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <weft/operator.h>

/* Attributes arrive here, checked: the descriptor says their type, range and default. */
typedef struct
{
  const char *initial;
} Prelu;

static void
forward (const WeftCall *call)
{
  const float *x = call->in[0]->data, *slope = call->parameters[0]->data;
  gint64 n = weft_tensor_elements (call->in[0]), width = weft_tensor_last (call->in[0]);
  float *y = call->out[0]->data;

  for (gint64 i = 0; i < n; i++)
    y[i] = x[i] > 0 ? x[i] : slope[i % width] * x[i];
}

/* dx = dy where x > 0, else a dy; da = Σ dy x over the rows where x ≤ 0. */
static void
backward (const WeftCall *call)
{
  const float *x = call->in[0]->data, *slope = call->parameters[0]->data, *dy = call->out_gradient[0]->data;
  gint64 n = weft_tensor_elements (call->in[0]), width = weft_tensor_last (call->in[0]);
  float *dx = call->in_gradient[0] ? call->in_gradient[0]->data : NULL;
  float *dslope = call->parameter_gradient[0] ? call->parameter_gradient[0]->data : NULL;

  for (gint64 i = 0; dx && i < n; i++)
    dx[i] = x[i] > 0 ? dy[i] : slope[i % width] * dy[i];
  if (dslope)
    memset (dslope, 0, (gsize) width * sizeof (float));
  for (gint64 i = 0; dslope && i < n; i++)
    dslope[i % width] += x[i] > 0 ? 0 : dy[i] * x[i];
}

static const WeftAttribute attributes[] = {
  WEFT_STRING (Prelu, initial, "constant(0.25)", "initial slope"),
  { 0 },
};

/* d is the size of the last dimension, whatever comes before. */
static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[..., d]", .flags = WEFT_PORT_READ, .meaning = "rows" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[..., d]", .meaning = "rows" },
  { 0 },
};

static const WeftPort parameters[] = {
  { .name = "slope", .signature = "f32[d]", .flags = WEFT_PORT_READ, .initial = "$initial", .meaning = "a, one per channel" },
  { 0 },
};

static const WeftOperator prelu = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "prelu",
  .version = 1,
  .summary = "max(x, 0) + a min(x, 0) with learned slopes a",
  .source = "He et al., Delving deep into rectifiers (arXiv 1502.01852), equation 1",
  .attributes_size = sizeof (Prelu),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .parameters = parameters,
  .forward = forward,
  .backward = backward,
  .example = "x: {op: feed, signature: \"f32[b<=5, 7]\", gradient: true}\n"
             "y: {op: prelu, x: x}\n",
};
WEFT_OPERATOR (prelu);
WEFT_MODULE ("lesson-2", "1.0", "An operator with a parameter");
