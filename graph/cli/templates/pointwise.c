/* my_operator: softsign, y = x / (1 + |x|). */
#include <math.h>
#include <weft/operator.h>

static void
forward (const WeftCall *call)
{
  const float *x = call->in[0]->data;
  float *y = call->out[0]->data;

  for (gint64 i = 0; i < weft_tensor_elements (call->out[0]); i++)
    y[i] = x[i] / (1 + fabsf (x[i]));
}

/* dx = dy / (1 + |x|)²; asked for only if somebody needs it. */
static void
backward (const WeftCall *call)
{
  const float *x = call->in[0]->data, *dy = call->out_gradient[0]->data;

  if (!call->in_gradient[0])
    return;
  float *dx = call->in_gradient[0]->data;
  for (gint64 i = 0; i < weft_tensor_elements (call->in[0]); i++)
    dx[i] = dy[i] / ((1 + fabsf (x[i])) * (1 + fabsf (x[i])));
}

static const WeftOperator my_operator = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "my_operator",
  .version = 1,
  .summary = "Softsign, x / (1 + |x|)",
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[...]", .flags = WEFT_PORT_READ, .meaning = "anything" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[...]", .meaning = "each element" }, { 0 } },
  .in_place = (const char *const[]){ "x=y", NULL },
  .forward = forward,
  .backward = backward,
  .example = "x: {op: feed, signature: \"f32[b<=5, 7]\", gradient: true}\n"
             "y: {op: my_operator, x: x}\n",
};
WEFT_OPERATOR (my_operator);
WEFT_MODULE ("my_operator", "0.1", "One pointwise operator");
