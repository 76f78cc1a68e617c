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

MICRO_MULTIPLY (14)
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
