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

MICRO_MULTIPLY (14)
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
