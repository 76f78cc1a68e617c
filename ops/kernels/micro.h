/* Micro-kernels of matrix products: a panel of rows times a panel of columns, and the packing that makes panels.
 *
 * A panel holds places of four bytes: for each of its rows (or columns) as many as micro_places() says for the length of the sum. Each
 * set of kernels orders them, and what they hold, as it likes: numbers in float32, pairs of bfloat16. Panels of columns are always
 * micro->columns wide, filled up with zeros; panels of rows have any height up to micro->rows, filled up to a multiple of micro->row_unit.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

#define MICRO_MAX_COLUMNS 32
#define MICRO_MAX_ROWS 32
/* Floats that packing may write beyond the last panel. */
#define MICRO_SLACK 16

/**
 * MicroKernels:
 * @name: instruction set
 * @rows, @columns: the largest tile that one call computes
 * @block_rows: most rows that should be packed together
 * @row_unit: what heights of panels of rows are filled up to
 * @numbers, @places: what is packed together: so many numbers of the sum take so many places of an item
 * @depth: places of the longest sum in one go
 * @begin, @end: (nullable): what a thread does before it multiplies, and after
 * @multiply: c = alpha a b + beta c for so many places of a panel of so many rows and the first @columns columns of a panel of columns;
 *   with beta 0, c is not read
 * @pack_rows, @pack_columns: makes panels out of @count rows (or columns) that are @along apart and whose @k numbers are @deep apart; one
 *   of the two is 1. Several panels of rows are at least half a register high, and of a height that @row_unit divides
 */
typedef struct
{
  const char *name;
  gint64 rows, columns, block_rows, row_unit, numbers, places, depth;
  void (*begin) (void);
  void (*end) (void);
  void (*multiply) (gint64 rows, gint64 places, const float *a, const float *b, float alpha, float beta, float *c, gint64 c_stride,
                    gint64 columns);
  void (*pack_rows) (gint64 count, gint64 k, const float *x, gint64 along, gint64 deep, gint64 height, float *to);
  void (*pack_columns) (gint64 count, gint64 k, const float *x, gint64 along, gint64 deep, float *to);
} MicroKernels;

/* Places of one item for a sum of @k numbers. */
static inline gint64
micro_places (const MicroKernels *self, gint64 k)
{
  return (k + self->numbers - 1) / self->numbers * self->places;
}

/**
 * micro_kernels:
 * @compute: with #WEFT_COMPUTE_BF16 their panels hold numbers that are rounded to bfloat16
 * @k: the length of the sum, on which alone it may depend how it is formed
 *
 * Returns: (nullable): the kernels for this processor, or the lesser ones that the environment variable `WEFT_VECTOR` asks for; %NULL if
 *   there are none.
 */
const MicroKernels *micro_kernels (WeftCompute compute, gint64 k) G_GNUC_INTERNAL;

extern const MicroKernels micro_avx512 G_GNUC_INTERNAL;
extern const MicroKernels micro_avx512_rounding G_GNUC_INTERNAL;
extern const MicroKernels micro_avx2 G_GNUC_INTERNAL;
extern const MicroKernels micro_avx2_rounding G_GNUC_INTERNAL;
extern const MicroKernels micro_bf16 G_GNUC_INTERNAL;

/* What the compiler may not know: there is `micro_amx` where MICRO_HAS_AMX is. */
#if defined __x86_64__ && defined __has_include
#if __has_include(<amxbf16intrin.h>)
#define MICRO_HAS_AMX 1
extern const MicroKernels micro_amx G_GNUC_INTERNAL;
extern const MicroKernels micro_amx_bf16 G_GNUC_INTERNAL;

/* Asks the system for the use of tiles, for the whole process. Returns: whether there are any, and it may */
gboolean micro_amx_allowed (void) G_GNUC_INTERNAL;
#endif
#endif

G_END_DECLS
