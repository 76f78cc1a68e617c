/* transpose() of rows.h with whole registers: sixteen rows by sixteen columns at a time.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "rows-transpose.h"

#ifdef __x86_64__
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
#endif

#include "micro-lanes-avx512.h"

void
rows_transpose_avx512 (gint64 rows, gint64 columns, const float *x, gint64 x_stride, float *y, gint64 y_stride)
{
  for (gint64 i = 0; i < rows; i += LANES)
    for (gint64 j = 0; j < columns; j += LANES)
      {
        gint64 high = MIN (LANES, rows - i), wide = MIN (LANES, columns - j);
        Lanes square[LANES];
#pragma GCC unroll 16
        for (gint64 l = 0; l < LANES; l++)
          square[l] = load_some (x + (i + MIN (l, high - 1)) * x_stride + j, l < high ? wide : 0);
        transpose (square);
        for (gint64 l = 0; l < wide; l++)
          store (y + (j + l) * y_stride + i, square[l]);
      }
}

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
