/* What comes before the kernels for AMX: instruction sets and registers.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#ifdef MICRO_EMULATION
#include MICRO_EMULATION
#else
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16,avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))),          \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("amx-tile,amx-bf16,avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
#endif
#endif

#include "micro-lanes-avx512.h"
