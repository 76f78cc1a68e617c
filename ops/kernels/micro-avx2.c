/* Micro-kernels for x86 processors with AVX2 and FMA.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "micro.h"

#ifdef __x86_64__
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#define LANES 8
#define MICRO_INLINE static inline __attribute__ ((always_inline))
typedef __m256 Lanes;

MICRO_INLINE Lanes
load (const float *from)
{
  return _mm256_loadu_ps (from);
}

MICRO_INLINE void
store (float *to, Lanes value)
{
  _mm256_storeu_ps (to, value);
}

MICRO_INLINE Lanes
every (float value)
{
  return _mm256_set1_ps (value);
}

MICRO_INLINE __m256i
first_lanes (gint64 count)
{
  return _mm256_cmpgt_epi32 (_mm256_set1_epi32 ((int) count), _mm256_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7));
}

/* The first @count lanes, zeros in the others. */
MICRO_INLINE Lanes
load_some (const float *from, gint64 count)
{
  return _mm256_maskload_ps (from, first_lanes (count));
}

MICRO_INLINE void
store_some (float *to, Lanes value, gint64 count)
{
  _mm256_maskstore_ps (to, first_lanes (count), value);
}

/* Four by four within the halves of registers, then halves among registers. */
MICRO_INLINE void
transpose (Lanes x[8])
{
  Lanes y[8];
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4)
    {
      Lanes a = _mm256_unpacklo_ps (x[i], x[i + 1]), b = _mm256_unpackhi_ps (x[i], x[i + 1]);
      Lanes c = _mm256_unpacklo_ps (x[i + 2], x[i + 3]), d = _mm256_unpackhi_ps (x[i + 2], x[i + 3]);
      y[i] = _mm256_shuffle_ps (a, c, 0x44);
      y[i + 1] = _mm256_shuffle_ps (a, c, 0xee);
      y[i + 2] = _mm256_shuffle_ps (b, d, 0x44);
      y[i + 3] = _mm256_shuffle_ps (b, d, 0xee);
    }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
    {
      x[i] = _mm256_permute2f128_ps (y[i], y[i + 4], 0x20);
      x[i + 4] = _mm256_permute2f128_ps (y[i], y[i + 4], 0x31);
    }
}

#include "micro-finish.h"
#include "micro-float.h"
#include "micro-body.h"

MICRO_MULTIPLY (6)
MICRO_KERNELS (micro_avx2, "avx2", 6, )
MICRO_KERNELS (micro_avx2_rounding, "avx2", 6, _rounding)

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
typedef int micro_avx2_is_for_x86;
#endif
