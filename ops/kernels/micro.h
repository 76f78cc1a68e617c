/* Micro-kernels of matrix products: a panel of rows times a panel of columns, and the packing that makes panels.
 *
 * A panel holds, for each position p of the sum, the numbers of all its rows (or columns) side by side. Panels of columns are always
 * micro->columns wide, filled up with zeros; panels of rows have any height up to micro->rows.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define MICRO_MAX_ROWS 14
#define MICRO_MAX_COLUMNS 32
/* Floats that packing may write beyond the last panel. */
#define MICRO_SLACK 16

/**
 * MicroKernels:
 * @name: instruction set
 * @rows, @columns: the largest tile that one call computes
 * @multiply: by the number of rows: c = alpha a b + beta c for a panel of that many rows and the first @columns columns of a panel of
 *   columns; with beta 0, c is not read
 * @pack: makes panels, @width items each, out of @count rows (or columns) that are @along apart and whose numbers are @deep apart; one of
 *   the two is 1. With @fill the last panel is filled up with zeros, otherwise it is narrower
 */
typedef struct
{
  const char *name;
  gint64 rows, columns;
  void (*multiply[MICRO_MAX_ROWS + 1]) (gint64 k, const float *a, const float *b, float alpha, float beta, float *c, gint64 c_stride,
                                        gint64 columns);
  void (*pack) (gint64 count, gint64 k, const float *x, gint64 along, gint64 deep, gint64 width, gboolean fill, float *to);
} MicroKernels;

/**
 * micro_kernels:
 *
 * Returns: (nullable): the kernels for this processor, or the lesser ones that the environment variable `WEFT_VECTOR` asks for; %NULL if
 *   there are none.
 */
const MicroKernels *micro_kernels (void) G_GNUC_INTERNAL;

extern const MicroKernels micro_avx512 G_GNUC_INTERNAL;
extern const MicroKernels micro_avx2 G_GNUC_INTERNAL;

G_END_DECLS
