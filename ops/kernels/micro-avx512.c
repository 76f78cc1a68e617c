/* Micro-kernels for x86 processors with AVX-512.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "micro.h"

#ifdef __x86_64__
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
#endif

#include "micro-lanes-avx512.h"
#include "micro-finish.h"
#include "micro-float.h"
#include "micro-body.h"

MULTIPLY (1)
MULTIPLY (2)
MULTIPLY (3)
MULTIPLY (4)
MULTIPLY (5)
MULTIPLY (6)
MULTIPLY (7)
MULTIPLY (8)
MULTIPLY (9)
MULTIPLY (10)
MULTIPLY (11)
MULTIPLY (12)
MULTIPLY (13)
MULTIPLY (14)

static void
multiply (gint64 rows, gint64 places, const float *a, const float *b, float alpha, float beta, float *c, gint64 c_stride, gint64 columns)
{
  static void (*const by_rows[]) (gint64, const float *, const float *, float, float, float *, gint64,
                                  gint64) = { NULL,        multiply_1,  multiply_2,  multiply_3,  multiply_4,
                                              multiply_5,  multiply_6,  multiply_7,  multiply_8,  multiply_9,
                                              multiply_10, multiply_11, multiply_12, multiply_13, multiply_14 };
  by_rows[rows](places, a, b, alpha, beta, c, c_stride, columns);
}

MICRO_KERNELS (micro_avx512, "avx512", 14, )
MICRO_KERNELS (micro_avx512_rounding, "avx512", 14, _rounding)

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
typedef int micro_avx512_is_for_x86;
#endif
