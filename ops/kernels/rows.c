/* The loops of rows.h, compiled for every instruction set.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "rows.h"

#include <string.h>

#include "vector.h"

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
