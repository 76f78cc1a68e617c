/* A module written for the first interface, compiled against the headers of then: it must load for good.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

G_STATIC_ASSERT (WEFT_INTERFACE_MAJOR == 1 && WEFT_INTERFACE_MINOR == 0);

typedef struct
{
  gint64 times;
  double offset;
  int way;
} First;

static void
forward (const WeftCall *call)
{
  const First *self = call->attributes;
  const float *x = call->in[0]->data, *shift = call->parameters[0]->data;
  gint64 width = weft_tensor_last (call->in[0]);
  float *y = call->out[0]->data;

  for (gint64 i = 0; i < weft_tensor_elements (call->in[0]); i++)
    y[i] = (float) self->times * x[i] + (float) self->offset + shift[i % width] + (self->way ? 0 : 1);
  if (call->states[0])
    (*(gint64 *) call->states[0]->data)++;
}

static void
backward (const WeftCall *call)
{
  const First *self = call->attributes;
  gint64 n = weft_tensor_elements (call->in[0]), width = weft_tensor_last (call->in[0]);
  const float *dy = call->out_gradient[0]->data;
  float *dx = call->in_gradient[0] ? call->in_gradient[0]->data : NULL;
  float *dshift = call->parameter_gradient[0] ? call->parameter_gradient[0]->data : NULL;

  for (gint64 i = 0; dx && i < n; i++)
    dx[i] = (float) self->times * dy[i];
  for (gint64 j = 0; dshift && j < width; j++)
    dshift[j] = 0;
  for (gint64 i = 0; dshift && i < n; i++)
    dshift[i % width] += dy[i];
}

static const WeftAttribute attributes[] = {
  WEFT_INTEGER (First, times, "3", 1, 9, "", "factor"),
  WEFT_NUMBER (First, offset, "0.5", -1, 1, "", "what is added"),
  WEFT_CHOICE (First, way, "plain", "whether 1 is added", "raised", "plain"),
  { 0 },
};

static const WeftPort inputs[] = { { .name = "x", .signature = "f32[..., d]", .flags = WEFT_PORT_READ, .meaning = "rows" }, { 0 } };
static const WeftPort outputs[] = { { .name = "y", .signature = "f32[..., d]", .meaning = "rows" }, { 0 } };
static const WeftPort parameters[] = { { .name = "shift", .signature = "f32[d]", .initial = "uniform(-1, 1)", .meaning = "added" }, { 0 } };
static const WeftPort states[] = { { .name = "steps", .signature = "i64[]", .initial = "zeros", .meaning = "steps so far" }, { 0 } };

static const WeftOperator first_interface = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "first_interface",
  .version = 1,
  .summary = "Uses what the first interface had",
  .attributes_size = sizeof (First),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .parameters = parameters,
  .states = states,
  .in_place = (const char *const[]){ "x=y", NULL },
  .forward = forward,
  .backward = backward,
  .example = "x: {op: feed, signature: \"f32[b<=5, 7]\", gradient: true}\n"
             "y: {op: first_interface, x: x}\n",
};
WEFT_OPERATOR (first_interface);
WEFT_MODULE ("first", "1.0", "Compiled against the first interface");
