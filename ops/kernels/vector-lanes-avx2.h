/* What AVX2 does in one or two instructions where vector-lanes.h calls a function or composes it of several.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <immintrin.h>

/* Ones in the first @count lanes. */
LANE_INLINE __m256i
lanes_before (gint64 count)
{
  return _mm256_cmpgt_epi32 (_mm256_set1_epi32 ((int) count), _mm256_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7));
}

LANE_INLINE Lanes
load_part (const float *from, gint64 count, float rest)
{
  __m256i mask = lanes_before (count);
  return (Lanes) _mm256_blendv_ps ((__m256) every (rest), _mm256_maskload_ps (from, mask), (__m256) mask);
}

LANE_INLINE void
store_part (float *to, Lanes value, gint64 count)
{
  _mm256_maskstore_ps (to, lanes_before (count), (__m256) value);
}

LANE_INLINE Lanes
keep_part (Lanes value, gint64 count)
{
  return (Lanes) _mm256_and_ps ((__m256) value, (__m256) lanes_before (count));
}

LANE_INLINE Lanes
choose (LanesInt mask, Lanes yes, Lanes no)
{
  return (Lanes) _mm256_blendv_ps ((__m256) no, (__m256) yes, (__m256) mask);
}

/* Of two operands of which one is not a number, these instructions give the second. */
LANE_INLINE Lanes
greater (Lanes x, Lanes than)
{
  return (Lanes) _mm256_max_ps ((__m256) x, (__m256) than);
}

LANE_INLINE Lanes
at_most (Lanes x, float high)
{
  return (Lanes) _mm256_min_ps ((__m256) every (high), (__m256) x);
}
