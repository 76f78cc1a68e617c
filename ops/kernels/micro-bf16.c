/* Micro-kernels for x86 processors with AVX512-BF16: places of panels hold two numbers of the sum, the earlier one in the lower half.
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

#define NUMBERS 2
#define MULTIPLY_ADD(sum, a, b) _mm512_dpbf16_ps (sum, (__m512bh) (a), (__m512bh) (b))

typedef gint16 Halves __attribute__ ((vector_size (LANES * 4)));

/* LANES places of one item, whose @numbers numbers follow each other. */
MICRO_INLINE Lanes
places_along (const float *from, gint64 numbers, gboolean round G_GNUC_UNUSED)
{
  Lanes early = numbers >= LANES ? load (from) : load_some (from, numbers);
  Lanes late = numbers == 2 * LANES ? load (from + LANES) : load_some (from + LANES, MAX (numbers - LANES, 0));
  return (Lanes) _mm512_cvtne2ps_pbh (late, early);
}

/* A place of LANES items, of which there are @items; the second of its numbers is zero if only one is left. */
MICRO_INLINE Lanes
place_across (const float *from, gint64 deep, gint64 items, gint64 numbers, gboolean round G_GNUC_UNUSED)
{
  const Halves in_turn = { 0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                           8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31 };
  Lanes first = items == LANES ? load (from) : load_some (from, items);
  Lanes second = numbers < 2 ? (Lanes){ 0 } : items == LANES ? load (from + deep) : load_some (from + deep, items);
  return (Lanes) _mm512_permutexvar_epi16 ((__m512i) in_turn, (__m512i) _mm512_cvtne2ps_pbh (second, first));
}

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

const MicroKernels micro_bf16 = {
  .name = "avx512_bf16",
  .rows = 14,
  .columns = MICRO_COLUMNS,
  .numbers = NUMBERS,
  .multiply = { NULL, multiply_1, multiply_2, multiply_3, multiply_4, multiply_5, multiply_6, multiply_7, multiply_8, multiply_9,
                multiply_10, multiply_11, multiply_12, multiply_13, multiply_14 },
  .pack = pack,
};

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
