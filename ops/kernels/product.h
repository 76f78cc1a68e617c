/* Matrix products on the team, with what follows them applied while their results are in cache.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

/**
 * MatrixProduct:
 * @m, @n, @k: op(A) is m×k, op(B) is k×n, C is m×n, all row-major float32
 * @a_stride, @b_stride, @c_stride: distances between stored rows
 * @bias: (nullable): n numbers, added to every row
 * @packed: (nullable): what product_pack() made of B, which is then not read
 * @announce: (nullable): whose first output C is: parts of it are announced when they are final
 * @compute: #WEFT_COMPUTE_BF16: operands are rounded to bfloat16; sums are float32
 *
 * C = α op(A) op(B) + β C + bias. With β = 0, C is not read; with k = 0 the product is zero.
 */
typedef struct
{
  gboolean transpose_a, transpose_b;
  gint64 m, n, k;
  float alpha;
  const float *a;
  gint64 a_stride;
  const float *b;
  gint64 b_stride;
  float beta;
  float *c;
  gint64 c_stride;
  const float *bias;
  const WeftCall *announce;
  WeftCompute compute;
  const float *packed;
} MatrixProduct;

/**
 * product_run:
 * @call: (nullable): whose team works on it; %NULL: the calling thread alone
 *
 * Every number of C is one sum in an order that depends on k alone, whoever computes it. Packed copies of parts of A and B live in memory
 * that is kept from product to product and is bounded: 25 MiB of the calling thread, and of products of few rows 2 MiB of each member.
 */
void product_run (const WeftCall *call, const MatrixProduct *product) G_GNUC_INTERNAL;

/**
 * product_packed_floats:
 *
 * Returns: floats that product_pack() fills for a B of k × n; 0 where products take nothing packed
 */
gsize product_packed_floats (WeftCompute compute, gint64 n, gint64 k) G_GNUC_INTERNAL;

/**
 * product_pack:
 * @product: its n, k, B and compute count
 *
 * Packs the whole B once, for several products with it. They give the same bits as without.
 */
void product_pack (const WeftCall *call, const MatrixProduct *product, float *packed) G_GNUC_INTERNAL;

/* As the module serves them to everybody. */
void product_on_team (const WeftCall *call, gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha,
                      const float *a, gint64 a_stride, const float *b, gint64 b_stride, float beta, float *c,
                      gint64 c_stride) G_GNUC_INTERNAL;
void product_here (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 a_stride,
                   const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride) G_GNUC_INTERNAL;

G_END_DECLS
