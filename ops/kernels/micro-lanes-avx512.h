/* Registers of AVX-512 as micro-body.h uses them. Included between pragmas that name the instruction set.
 *
 * SPDX-License-Identifier: BSD-3-Clause */

#define LANES 16
#define MICRO_INLINE static inline __attribute__ ((always_inline))
typedef __m512 Lanes;

MICRO_INLINE Lanes
load (const float *from)
{
  return _mm512_loadu_ps (from);
}

MICRO_INLINE void
store (float *to, Lanes value)
{
  _mm512_storeu_ps (to, value);
}

MICRO_INLINE Lanes
every (float value)
{
  return _mm512_set1_ps (value);
}

/* The first @count lanes, zeros in the others. */
MICRO_INLINE Lanes
load_some (const float *from, gint64 count)
{
  return _mm512_maskz_loadu_ps ((__mmask16) ((1u << count) - 1), from);
}

MICRO_INLINE void
store_some (float *to, Lanes value, gint64 count)
{
  _mm512_mask_storeu_ps (to, (__mmask16) ((1u << count) - 1), value);
}

/* Four by four within the quarters of registers, then quarters among registers. */
MICRO_INLINE void
transpose (Lanes x[16])
{
  Lanes y[16];
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4)
    {
      Lanes a = _mm512_unpacklo_ps (x[i], x[i + 1]), b = _mm512_unpackhi_ps (x[i], x[i + 1]);
      Lanes c = _mm512_unpacklo_ps (x[i + 2], x[i + 3]), d = _mm512_unpackhi_ps (x[i + 2], x[i + 3]);
      y[i] = _mm512_shuffle_ps (a, c, 0x44);
      y[i + 1] = _mm512_shuffle_ps (a, c, 0xee);
      y[i + 2] = _mm512_shuffle_ps (b, d, 0x44);
      y[i + 3] = _mm512_shuffle_ps (b, d, 0xee);
    }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
    {
      Lanes a = _mm512_shuffle_f32x4 (y[i], y[i + 4], 0x88), b = _mm512_shuffle_f32x4 (y[i], y[i + 4], 0xdd);
      Lanes c = _mm512_shuffle_f32x4 (y[i + 8], y[i + 12], 0x88), d = _mm512_shuffle_f32x4 (y[i + 8], y[i + 12], 0xdd);
      x[i] = _mm512_shuffle_f32x4 (a, c, 0x88);
      x[i + 4] = _mm512_shuffle_f32x4 (b, d, 0x88);
      x[i + 8] = _mm512_shuffle_f32x4 (a, c, 0xdd);
      x[i + 12] = _mm512_shuffle_f32x4 (b, d, 0xdd);
    }
}
