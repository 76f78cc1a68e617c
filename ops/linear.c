/* linear: y = x Wᵀ + b.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/product.h>

#include "kernels/product.h"
#include "kernels/vector.h"
#include "tiles.h"

typedef struct
{
  gint64 units;
  gboolean bias;
  const char *initial, *bias_initial;
} Linear;

enum
{
  X
};
enum
{
  Y
};
enum
{
  WEIGHT,
  BIAS
};

static void
linear_forward (const WeftCall *call)
{
  const WeftTensor *x = call->in[X];
  gint64 width = weft_tensor_last (x), units = weft_tensor_last (call->out[Y]);
  const MatrixProduct product = { .transpose_b = TRUE,
                                  .m = rows_of (x),
                                  .n = units,
                                  .k = width,
                                  .alpha = 1,
                                  .a = x->data,
                                  .a_stride = width,
                                  .b = call->parameters[WEIGHT]->data,
                                  .b_stride = width,
                                  .c = call->out[Y]->data,
                                  .c_stride = units,
                                  .bias = call->parameters[BIAS] ? call->parameters[BIAS]->data : NULL,
                                  .announce = call,
                                  .compute = call->compute };

  weft_products_note (product.m, product.n, product.k);
  product_run (call, &product);
}

static void
sum_bias_gradient (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *by_y = call->out_gradient[Y];
  gint64 units = weft_tensor_last (by_y), first = index * COLUMN_TILE, n = MIN (COLUMN_TILE, units - first);
  double sums[COLUMN_TILE];

  vector->column_sums (rows_of (by_y), n, units, (const float *) by_y->data + first, sums);
  for (gint64 i = 0; i < n; i++)
    ((float *) call->parameter_gradient[BIAS]->data)[first + i] = (float) sums[i];
}

static void
linear_backward (const WeftCall *call)
{
  const WeftTensor *x = call->in[X], *by_y = call->out_gradient[Y];
  gint64 rows = rows_of (x), width = weft_tensor_last (x), units = weft_tensor_last (by_y);

  if (call->in_gradient[X])
    weft_matrix_product (call, FALSE, FALSE, rows, width, units, 1, by_y->data, units, call->parameters[WEIGHT]->data, width, 0,
                         call->in_gradient[X]->data, width);
  if (call->parameter_gradient[WEIGHT])
    weft_matrix_product (call, TRUE, FALSE, units, width, rows, 1, by_y->data, units, x->data, width, 0,
                         call->parameter_gradient[WEIGHT]->data, width);
  if (call->parameter_gradient[BIAS])
    weft_parallel (call, tiles_of (units, COLUMN_TILE), sum_bias_gradient, (gpointer) call);
}

static const WeftOperator linear = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "linear",
  .version = 1,
  .summary = "affine map of the last dimension: y = x Wᵀ + b",
  .documentation = "Weights are laid out as PyTorch's nn.Linear lays them out. Both start uniform in ±1/√d unless said otherwise.",
  .attributes_size = sizeof (Linear),
  .attributes = (const WeftAttribute[]){ WEFT_INTEGER (Linear, units, NULL, 1, 1 << 24, "", "width of the result"),
                                         WEFT_BOOLEAN (Linear, bias, "true", "whether b is added"),
                                         WEFT_STRING (Linear, initial, "fan_in(d)", "initial weight"),
                                         WEFT_STRING (Linear, bias_initial, "fan_in(d)", "initial bias"),
                                         { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[..., d]", .flags = WEFT_PORT_READ, .meaning = "rows" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[..., $units]", .meaning = "x Wᵀ + b" }, { 0 } },
  .parameters =
      (const WeftPort[]){
          { .name = "weight", .signature = "f32[$units, d]", .flags = WEFT_PORT_READ, .meaning = "W", .initial = "$initial" },
          { .name = "bias", .signature = "f32[$units]", .meaning = "b", .initial = "$bias_initial", .when = "bias" },
          { 0 } },
  .forward = linear_forward,
  .backward = linear_backward,
  .allows_bf16 = TRUE,
  .announces_parts = TRUE,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 8]\", gradient: true}\n"
             "y: {op: linear, x: x, units: 5}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
                                  "y: {op: linear, x: x, units: 1, bias: false}\n",
                                  NULL },
};
WEFT_OPERATOR (linear);
