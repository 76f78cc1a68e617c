/* What the ways to compute a product have in common: how sums are cut, and what panels of a product hold.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "micro.h"
#include "product.h"

G_BEGIN_DECLS

static inline gint64
up_to_multiple (gint64 n, gint64 unit)
{
  return (n + unit - 1) / unit * unit;
}

/* The sum is cut into so many depths, of so many numbers: what bits there are depends on it, and it depends on k alone. */
static inline gint64
product_depths (const MicroKernels *micro, gint64 k)
{
  return MAX ((micro_places (micro, k) + micro->depth - 1) / micro->depth, 1);
}

static inline gint64
product_depth (const MicroKernels *micro, gint64 k)
{
  gint64 depths = product_depths (micro, k);
  return up_to_multiple ((k + depths - 1) / depths, MAX (micro->numbers, 16));
}

/* Height of the panels that @rows rows are packed into. */
static inline gint64
product_panel_height (const MicroKernels *micro, gint64 rows)
{
  gint64 panels = (rows + micro->rows - 1) / micro->rows;
  return up_to_multiple ((rows + panels - 1) / panels, micro->row_unit);
}

/* Where the panels of column @column lie in a packed B, for the @depth numbers from @first on: depth after depth, panel after panel. */
static inline float *
product_packed_at (const MicroKernels *micro, gint64 n, float *packed, gint64 column, gint64 first, gint64 depth)
{
  return packed + up_to_multiple (n, micro->columns) * micro_places (micro, first) + column * micro_places (micro, depth);
}

/* Packs @count rows of A, or columns of B, for the @depth numbers from @first on. */
static inline void
product_pack_rows (const MicroKernels *micro, const MatrixProduct *product, gint64 row, gint64 count, gint64 first, gint64 depth,
                   gint64 height, float *to)
{
  gint64 along = product->transpose_a ? 1 : product->a_stride, deep = product->transpose_a ? product->a_stride : 1;
  micro->pack_rows (count, depth, product->a + row * along + first * deep, along, deep, height, to);
}

static inline void
product_pack_columns (const MicroKernels *micro, const MatrixProduct *product, gint64 column, gint64 count, gint64 first, gint64 depth,
                      float *to)
{
  gint64 along = product->transpose_b ? product->b_stride : 1, deep = product->transpose_b ? 1 : product->b_stride;
  micro->pack_columns (count, depth, product->b + column * along + first * deep, along, deep, to);
}

/* Memory of the calling thread for what it packs, aligned to a huge page; what is not touched takes none. */
float *product_memory (void) G_GNUC_INTERNAL;

/* Bytes of the second-level cache. */
gint64 product_cache (void) G_GNUC_INTERNAL;

/* What remains to be done where the sums of C are complete. */
void product_finish (const MatrixProduct *product, gint64 first_row, gint64 rows, gint64 first_column, gint64 columns) G_GNUC_INTERNAL;

/* @call (nullable): whose team works on it, or the calling thread alone. */
void product_share (const WeftCall *call, gint64 tasks, void (*task) (gpointer data, gint64 index, guint member),
                    gpointer data) G_GNUC_INTERNAL;

/* Whether product_few_run() takes it. */
gboolean product_is_few (const MatrixProduct *product, const MicroKernels *micro) G_GNUC_INTERNAL;
void product_few_run (const WeftCall *call, const MatrixProduct *product, const MicroKernels *micro) G_GNUC_INTERNAL;

G_END_DECLS
