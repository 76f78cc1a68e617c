/* The loops of rows.h, compiled for every instruction set.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "rows.h"

#include <string.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

#include "rows-transpose.h"
#include "vector.h"

/* The first @wide of four rows of four, zeros instead of the others, become columns. */
static inline __attribute__ ((always_inline)) void
transpose_square (gint64 wide, const float *x, gint64 x_stride, float *y, gint64 y_stride)
{
#ifdef __SSE__
  __m128 row[4];
  for (int i = 0; i < 4; i++)
    row[i] = i < wide ? _mm_loadu_ps (x + i * x_stride) : _mm_setzero_ps ();
  _MM_TRANSPOSE4_PS (row[0], row[1], row[2], row[3]);
  for (int i = 0; i < 4; i++)
    _mm_storeu_ps (y + i * y_stride, row[i]);
#else
  for (int j = 0; j < 4; j++)
    for (int i = 0; i < 4; i++)
      y[j * y_stride + i] = i < wide ? x[i * x_stride + j] : 0;
#endif
}

#define LANES 4
#define BLOCK_ROWS 4
#define TARGET
#define NAME(word) word##_baseline
#define KERNELS_NAME "baseline"
#include "rows-body.h"
#undef LANES
#undef BLOCK_ROWS
#undef TARGET
#undef NAME
#undef KERNELS_NAME

#ifdef __x86_64__
#define LANES 8
#define BLOCK_ROWS 4
#define TARGET __attribute__ ((target ("avx2,fma")))
#define NAME(word) word##_avx2
#define KERNELS_NAME "avx2"
#include "rows-body.h"
#undef LANES
#undef BLOCK_ROWS
#undef TARGET
#undef NAME
#undef KERNELS_NAME

#define LANES 16
#define BLOCK_ROWS 8
#define TARGET __attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define NAME(word) word##_avx512
#define KERNELS_NAME "avx512"
#define TRANSPOSE rows_transpose_avx512
#include "rows-body.h"
#undef LANES
#undef BLOCK_ROWS
#undef TARGET
#undef NAME
#undef KERNELS_NAME
#endif

const RowKernels *
row_kernels (void)
{
#ifdef __x86_64__
  if (strcmp (vector->name, "avx512") == 0)
    return &kernels_avx512;
  if (strcmp (vector->name, "avx2") == 0)
    return &kernels_avx2;
#endif
  return &kernels_baseline;
}
