/* my_operator: a learned scale and shift of each channel, y = x ⊙ w + b. */
#include <string.h>
#include <weft/operator.h>

static void
forward (const WeftCall *call)
{
  const float *x = call->in[0]->data, *scale = call->parameters[0]->data, *shift = call->parameters[1]->data;
  gint64 width = weft_tensor_last (call->in[0]);
  float *y = call->out[0]->data;

  for (gint64 i = 0; i < weft_tensor_elements (call->in[0]); i++)
    y[i] = x[i] * scale[i % width] + shift[i % width];
}

/* dx = dy ⊙ w, dw = Σ dy ⊙ x, db = Σ dy. Gradients are set, not added to; those that nobody wants are NULL. */
static void
backward (const WeftCall *call)
{
  const float *x = call->in[0]->data, *scale = call->parameters[0]->data, *dy = call->out_gradient[0]->data;
  gint64 n = weft_tensor_elements (call->in[0]), width = weft_tensor_last (call->in[0]);
  float *dx = call->in_gradient[0] ? call->in_gradient[0]->data : NULL;
  float *dscale = call->parameter_gradient[0] ? call->parameter_gradient[0]->data : NULL;
  float *dshift = call->parameter_gradient[1] ? call->parameter_gradient[1]->data : NULL;

  for (gint64 i = 0; dx && i < n; i++)
    dx[i] = dy[i] * scale[i % width];
  if (dscale)
    memset (dscale, 0, (gsize) width * sizeof (float));
  for (gint64 i = 0; dscale && i < n; i++)
    dscale[i % width] += dy[i] * x[i];
  if (dshift)
    memset (dshift, 0, (gsize) width * sizeof (float));
  for (gint64 i = 0; dshift && i < n; i++)
    dshift[i % width] += dy[i];
}

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[..., d]", .flags = WEFT_PORT_READ, .meaning = "rows" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[..., d]", .meaning = "x ⊙ w + b" },
  { 0 },
};

static const WeftPort parameters[] = {
  { .name = "scale", .signature = "f32[d]", .flags = WEFT_PORT_READ, .initial = "ones", .meaning = "w" },
  { .name = "shift", .signature = "f32[d]", .initial = "zeros", .meaning = "b" },
  { 0 },
};

static const WeftOperator my_operator = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "my_operator",
  .version = 1,
  .summary = "Learned scale and shift of each channel",
  .inputs = inputs,
  .outputs = outputs,
  .parameters = parameters,
  .forward = forward,
  .backward = backward,
  .example = "x: {op: feed, signature: \"f32[b<=5, 7]\", gradient: true}\n"
             "y: {op: my_operator, x: x}\n",
};
WEFT_OPERATOR (my_operator);
WEFT_MODULE ("my_operator", "0.1", "One layer");
