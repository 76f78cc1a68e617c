/* my_operator: Huber's loss, the mean of δ² (√(1 + (e / δ)²) − 1) over all e = prediction − target. */
#include <math.h>
#include <weft/operator.h>

typedef struct
{
  double delta;
} MyOperator;

static void
forward (const WeftCall *call)
{
  const MyOperator *self = call->attributes;
  const float *prediction = call->in[0]->data, *target = call->in[1]->data;
  gint64 n = weft_tensor_elements (call->in[0]);
  double sum = 0;

  for (gint64 i = 0; i < n; i++)
    {
      double e = ((double) prediction[i] - (double) target[i]) / self->delta;
      sum += self->delta * self->delta * (sqrt (1 + e * e) - 1);
    }
  *(float *) call->out[0]->data = n ? (float) (sum / (double) n) : 0;
}

/* d prediction = dy / n · e / √(1 + (e / δ)²) */
static void
backward (const WeftCall *call)
{
  const MyOperator *self = call->attributes;
  const float *prediction = call->in[0]->data, *target = call->in[1]->data;
  gint64 n = weft_tensor_elements (call->in[0]);
  float factor = n ? *(const float *) call->out_gradient[0]->data / (float) n : 0;

  if (!call->in_gradient[0])
    return;
  float *gradient = call->in_gradient[0]->data;
  for (gint64 i = 0; i < n; i++)
    {
      float e = prediction[i] - target[i], ratio = e / (float) self->delta;
      gradient[i] = factor * e / sqrtf (1 + ratio * ratio);
    }
}

static const WeftAttribute attributes[] = {
  WEFT_NUMBER (MyOperator, delta, "1", 1e-3, 1e3, "", "δ: errors above it count by their size, errors below by their square"),
  { 0 },
};

static const WeftPort inputs[] = {
  { .name = "prediction", .signature = "f32[n, d]", .flags = WEFT_PORT_READ, .meaning = "what the model says" },
  { .name = "target", .signature = "f32[n, d]", .flags = WEFT_PORT_READ | WEFT_PORT_CONSTANT, .meaning = "what it should say" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "loss", .signature = "f32[]", .meaning = "mean over the batch" },
  { 0 },
};

static const WeftOperator my_operator = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "my_operator",
  .version = 1,
  .summary = "Huber's loss in its smooth form",
  .source = "Charbonnier et al., Deterministic edge-preserving regularization in computed imaging (1997)",
  .attributes_size = sizeof (MyOperator),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = forward,
  .backward = backward,
  .example = "x: {op: feed, signature: \"f32[b<=5, 7]\", gradient: true}\n"
             "target: {op: feed, signature: \"f32[b, 7]\"}\n"
             "loss: {op: my_operator, prediction: x, target: target, delta: 0.5}\n",
};
WEFT_OPERATOR (my_operator);
WEFT_MODULE ("my_operator", "0.1", "One loss");
