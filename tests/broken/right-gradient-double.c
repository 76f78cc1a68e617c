/* A right gradient in double precision, for comparison.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

static void
forward (const WeftCall *call)
{
  const double *x = call->in[0]->data;
  double *y = call->out[0]->data;
  gint64 n = weft_tensor_elements (call->in[0]);

  for (gint64 i = 0; i < n; i++)
    y[i] = 2 * x[i];
}

static void
backward (const WeftCall *call)
{
  const double *dy = call->out_gradient[0]->data;
  gint64 n = weft_tensor_elements (call->in[0]);

  if (!call->in_gradient[0])
    return;
  double *dx = call->in_gradient[0]->data;
  for (gint64 i = 0; i < n; i++)
    dx[i] = 2 * dy[i];
}

static const WeftOperator broken = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "broken",
  .version = 1,
  .summary = "Twice its input",
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f64[n, d]", .meaning = "anything" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f64[n, d]", .meaning = "2 x" }, { 0 } },
  .forward = forward,
  .backward = backward,
  .example = "x: {op: feed, signature: \"f64[b<=5, 7]\", gradient: true}\n"
             "y: {op: broken, x: x}\n",
};
WEFT_OPERATOR (broken);
WEFT_MODULE ("broken", "1.0", "Broken on purpose");
