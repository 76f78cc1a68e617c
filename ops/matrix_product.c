/* matrix_product: all dot products between the rows of two matrices.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include <string.h>

/* C = op(A) op(B); an empty sum is zero. */
static void
product (const WeftCall *call, gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, const WeftTensor *a,
         const WeftTensor *b, WeftTensor *c)
{
  if (m == 0 || n == 0)
    return;
  if (k == 0)
    memset (c->data, 0, weft_tensor_bytes (c));
  else
    weft_matrix_product (call, transpose_a, transpose_b, m, n, k, 1, a->data, a->shape[1], b->data, b->shape[1], 0, c->data, c->shape[1]);
}

static void
matrix_product_forward (const WeftCall *call)
{
  const WeftTensor *a = call->in[0], *b = call->in[1];
  product (call, FALSE, TRUE, a->shape[0], b->shape[0], a->shape[1], a, b, call->out[0]);
}

/* da = dy b, db = dyᵀ a */
static void
matrix_product_backward (const WeftCall *call)
{
  const WeftTensor *a = call->in[0], *b = call->in[1], *by_y = call->out_gradient[0];
  if (call->in_gradient[0])
    product (call, FALSE, FALSE, a->shape[0], a->shape[1], b->shape[0], by_y, b, call->in_gradient[0]);
  if (call->in_gradient[1])
    product (call, TRUE, FALSE, b->shape[0], b->shape[1], a->shape[0], by_y, a, call->in_gradient[1]);
}

static const WeftPort inputs[] = {
  { .name = "a", .signature = "f32[n, d]", .flags = WEFT_PORT_READ, .meaning = "rows of y" },
  { .name = "b", .signature = "f32[m, d]", .flags = WEFT_PORT_READ, .meaning = "columns of y" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[n, m]", .meaning = "a bᵀ" },
  { .name = NULL },
};

static const WeftOperator matrix_product = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "matrix_product",
  .version = 1,
  .summary = "Dot products of every row of one matrix with every row of another",
  .documentation = "y = a bᵀ. For rows of unit length these are cosine similarities.",
  .source = "Definition",
  .inputs = inputs,
  .outputs = outputs,
  .forward = matrix_product_forward,
  .backward = matrix_product_backward,
  .allows_bf16 = TRUE,
  .example = "a: {op: feed, signature: \"f32[n<=4, 5]\", gradient: true}\n"
             "b: {op: feed, signature: \"f32[m<=5, 5]\", gradient: true}\n"
             "y: {op: matrix_product, a: a, b: b}\n",
};
WEFT_OPERATOR (matrix_product);
