/* Micro-kernels for x86 processors with AVX512-BF16, for `compute: bf16`.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "micro.h"

#ifdef __x86_64__
#ifdef MICRO_EMULATION
#include MICRO_EMULATION
#else
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
#endif
#endif

#include "micro-lanes-avx512.h"

#include "micro-finish.h"
#include "micro-pairs.h"

#define NUMBERS 2
#define MULTIPLY_ADD(sum, a, b) _mm512_dpbf16_ps (sum, (__m512bh) (a), (__m512bh) (b))

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

MICRO_KERNELS (micro_bf16, "avx512_bf16", 14, )

#ifndef MICRO_EMULATION
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
#else
typedef int micro_bf16_is_for_x86;
#endif
