/* Micro-kernels of matrix products: a panel of rows times a panel of columns, and the packing that makes panels.
 *
 * A panel holds places, one after the other; a place holds what all its rows (or columns) have there, side by side, four bytes each: one
 * number of the sum in float32, or two in bfloat16. Panels of columns are always micro->columns wide, filled up with zeros; panels of rows
 * have any height up to micro->rows.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

#define MICRO_MAX_ROWS 14
#define MICRO_MAX_COLUMNS 32
/* Floats that packing may write beyond the last panel. */
#define MICRO_SLACK 16

/**
 * MicroKernels:
 * @name: instruction set
 * @rows, @columns: the largest tile that one call computes
 * @numbers: of the sum in a place
 * @multiply: by the number of rows: c = alpha a b + beta c for so many places of a panel of that many rows and the first @columns columns of a panel of
 *   columns; with beta 0, c is not read
 * @pack: makes panels, @width items each, out of @count rows (or columns) that are @along apart and whose numbers are @deep apart; one of
 *   the two is 1. With @fill the last panel is filled up with zeros, otherwise it is narrower. Several panels
 *   are at least half a register wide
 */
typedef struct
{
  const char *name;
  gint64 rows, columns, numbers;
  void (*multiply[MICRO_MAX_ROWS + 1]) (gint64 places, const float *a, const float *b, float alpha, float beta, float *c, gint64 c_stride,
                                        gint64 columns);
  void (*pack) (gint64 count, gint64 k, const float *x, gint64 along, gint64 deep, gint64 width, gboolean fill, float *to);
} MicroKernels;

/**
 * micro_kernels:
 * @compute: with #WEFT_COMPUTE_BF16 their panels hold numbers that are rounded to bfloat16
 *
 * Returns: (nullable): the kernels for this processor, or the lesser ones that the environment variable `WEFT_VECTOR` asks for; %NULL if
 *   there are none.
 */
const MicroKernels *micro_kernels (WeftCompute compute) G_GNUC_INTERNAL;

extern const MicroKernels micro_avx512 G_GNUC_INTERNAL;
extern const MicroKernels micro_avx512_rounding G_GNUC_INTERNAL;
extern const MicroKernels micro_avx2 G_GNUC_INTERNAL;
extern const MicroKernels micro_avx2_rounding G_GNUC_INTERNAL;
extern const MicroKernels micro_bf16 G_GNUC_INTERNAL;

G_END_DECLS
