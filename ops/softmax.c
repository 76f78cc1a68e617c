/* softmax: each row's values to weights that sum to 1.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "kernels/vector.h"
#include "tiles.h"

typedef struct
{
  double temperature;
} Softmax;

static float
factor_of (const WeftCall *call)
{
  return (float) (1 / ((const Softmax *) call->attributes)->temperature);
}

static void
softmax_rows (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  gint64 width = weft_tensor_last (call->in[0]), rows = rows_of (call->in[0]), tile = rows_per_tile (rows);
  float factor = factor_of (call);

  for (gint64 row = index * tile; row < MIN (rows, (index + 1) * tile); row++)
    {
      const float *x = (const float *) call->in[0]->data + row * width;
      float *y = (float *) call->out[0]->data + row * width;
      /* The greatest value is taken off first, so that no exponential overflows and the sum is at least 1. */
      double sum = vector->exp_sum (width, x, vector->maximum (width, x), factor, y);
      vector->scale (width, (float) (1 / sum), 0, y, y);
    }
}

/* dx_i = y_i (dy_i − Σ_j y_j dy_j) / T */
static void
differentiate_rows (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  gint64 width = weft_tensor_last (call->out[0]), rows = rows_of (call->out[0]), tile = rows_per_tile (rows);
  float factor = factor_of (call);

  for (gint64 row = index * tile; row < MIN (rows, (index + 1) * tile); row++)
    {
      const float *y = (const float *) call->out[0]->data + row * width, *by_y = (const float *) call->out_gradient[0]->data + row * width;
      vector->softmax_gradient (width, y, by_y, (float) vector->dot (width, y, by_y), factor,
                                (float *) call->in_gradient[0]->data + row * width);
    }
}

static void
softmax_forward (const WeftCall *call)
{
  gint64 rows = rows_of (call->in[0]);

  weft_parallel (call, tiles_of (rows, rows_per_tile (rows)), softmax_rows, (gpointer) call);
}

static void
softmax_backward (const WeftCall *call)
{
  gint64 rows = rows_of (call->out[0]);

  if (call->in_gradient[0])
    weft_parallel (call, tiles_of (rows, rows_per_tile (rows)), differentiate_rows, (gpointer) call);
}

static const WeftOperator softmax = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "softmax",
  .version = 1,
  .summary = "softmax over the last dimension",
  .documentation = "y_i = exp(x_i / T) / Σ_j exp(x_j / T) for each row. Over the rows of a sample there is segment_softmax.",
  .source = "Definition",
  .attributes_size = sizeof (Softmax),
  .attributes =
      (const WeftAttribute[]){
          WEFT_SCHEDULED (Softmax, temperature, "1", 1e-6, 1e6, "", "divisor T of the scores; smaller: fewer elements get more"), { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[..., d]", .meaning = "rows of scores" }, { 0 } },
  .outputs =
      (const WeftPort[]){ { .name = "y", .signature = "f32[..., d]", .flags = WEFT_PORT_READ, .meaning = "rows that sum to 1" }, { 0 } },
  .in_place = (const char *const[]){ "x=y", NULL },
  .forward = softmax_forward,
  .backward = softmax_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
             "y: {op: softmax, x: x, temperature: 0.5}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[7]\", gradient: true}\n"
                                  "y: {op: softmax, x: x}\n",
                                  "x: {op: feed, signature: \"f32[b<=3 : t<=12, 1]\", gradient: true}\n"
                                  "y: {op: softmax, x: x}\n",
                                  NULL },
};
WEFT_OPERATOR (softmax);
