/* my_operator: log-sum-exp over the rows of each sample, y = log Σ_r exp(x_r). */
#include <math.h>
#include <weft/operator.h>

/* Ragged values are rows and offsets: sample i owns rows offsets[i] to offsets[i + 1] - 1, and may own none. */
static void
forward (const WeftCall *call)
{
  const WeftTensor *x = call->in[0];
  gint64 width = weft_tensor_last (x);
  float *y = call->out[0]->data;

  for (gint64 i = 0; i < x->samples; i++)
    for (gint64 j = 0; j < width; j++)
      {
        const float *rows = (const float *) x->data + j;
        float largest = -INFINITY, sum = 0;
        for (gint64 r = x->offsets[i]; r < x->offsets[i + 1]; r++)
          largest = fmaxf (largest, rows[r * width]);
        for (gint64 r = x->offsets[i]; r < x->offsets[i + 1]; r++)
          sum += expf (rows[r * width] - largest);
        y[i * width + j] = sum > 0 ? largest + logf (sum) : 0;
      }
}

/* dx_r = dy · exp(x_r − y) */
static void
backward (const WeftCall *call)
{
  const WeftTensor *x = call->in[0];
  gint64 width = weft_tensor_last (x);
  const float *y = call->out[0]->data, *dy = call->out_gradient[0]->data;

  if (!call->in_gradient[0])
    return;
  float *dx = call->in_gradient[0]->data;
  for (gint64 i = 0; i < x->samples; i++)
    for (gint64 r = x->offsets[i]; r < x->offsets[i + 1]; r++)
      for (gint64 j = 0; j < width; j++)
        dx[r * width + j] = dy[i * width + j] * expf (((const float *) x->data)[r * width + j] - y[i * width + j]);
}

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "rows of each sample" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[b, d]", .flags = WEFT_PORT_READ, .meaning = "their log-sum-exp; 0 for a sample without rows" },
  { 0 },
};

static const WeftOperator my_operator = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "my_operator",
  .version = 1,
  .summary = "Log-sum-exp over the rows of each sample",
  .inputs = inputs,
  .outputs = outputs,
  .forward = forward,
  .backward = backward,
  .example = "x: {op: feed, signature: \"f32[b<=4 : t<=13, 5]\", gradient: true}\n"
             "y: {op: my_operator, x: x}\n",
};
WEFT_OPERATOR (my_operator);
WEFT_MODULE ("my_operator", "0.1", "One reduction");
