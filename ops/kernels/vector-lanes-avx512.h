/* What AVX-512 does in one instruction where vector-lanes.h composes it of several.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <immintrin.h>

#include "normal-pieces.h"

LANE_INLINE Lanes
load_part (const float *from, gint64 count, float rest)
{
  return (Lanes) _mm512_mask_loadu_ps ((__m512) every (rest), (__mmask16) ((1u << count) - 1), from);
}

LANE_INLINE void
store_part (float *to, Lanes value, gint64 count)
{
  _mm512_mask_storeu_ps (to, (__mmask16) ((1u << count) - 1), (__m512) value);
}

/* The first @count lanes, 0 in the others. */
LANE_INLINE Lanes
keep_part (Lanes value, gint64 count)
{
  return (Lanes) _mm512_maskz_mov_ps ((__mmask16) ((1u << count) - 1), (__m512) value);
}

LANE_INLINE Lanes
choose (LanesInt mask, Lanes yes, Lanes no)
{
  return (Lanes) _mm512_mask_blend_ps (_mm512_movepi32_mask ((__m512i) mask), (__m512) no, (__m512) yes);
}

/* Of two operands of which one is not a number, these instructions give the second. */
LANE_INLINE Lanes
at_most (Lanes x, float high)
{
  return (Lanes) _mm512_min_ps ((__m512) every (high), (__m512) x);
}

LANE_INLINE Lanes
greater (Lanes x, Lanes than)
{
  return (Lanes) _mm512_max_ps ((__m512) x, (__m512) than);
}

LANE_INLINE float
lanes_sum (Lanes x)
{
  return _mm512_reduce_add_ps ((__m512) x);
}

LANE_INLINE float
lanes_maximum (Lanes x)
{
  return _mm512_reduce_max_ps ((__m512) x);
}

/* As in vector-lanes.h, but 2ⁿ is multiplied in one step, which comes out right for denormal and infinite results. */
LANE_INLINE Lanes
lanes_exp_sum_of (Lanes x, Lanes rest)
{
  __mmask16 counts = _mm512_cmp_ps_mask ((__m512) x, _mm512_set1_ps (EXP_IS_0), _CMP_NLE_UQ);
  x = at_most (x, 90.0f);
  Lanes whole = (Lanes) _mm512_roundscale_ps ((__m512) (x * 1.44269504f), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  Lanes r = x - whole * 0x1.63p-1f;
  r = r + whole * 2.12194440e-4f;
  r = r + rest;
  return (Lanes) _mm512_maskz_scalef_ps (counts, (__m512) lanes_exp_near_0 (r), (__m512) whole);
}

/* A polynomial for each piece of [0, NORMAL_PIECES_END), in registers. */
typedef struct
{
  __m512 coefficients[NORMAL_DEGREE + 1][NORMAL_PIECES / 16];
} LanesPieces;

LANE_INLINE LanesPieces
load_pieces (NormalPieces pieces)
{
  LanesPieces loaded;
  for (int degree = 0; degree <= NORMAL_DEGREE; degree++)
    for (int half = 0; half < NORMAL_PIECES / 16; half++)
      loaded.coefficients[degree][half] = _mm512_loadu_ps (pieces[degree] + 16 * half);
  return loaded;
}

/* Whether every |x| lies in the pieces. */
LANE_INLINE gboolean
within_pieces (Lanes x)
{
  return _mm512_cmp_ps_mask ((__m512) absolute (x), _mm512_set1_ps (NORMAL_PIECES_END), _CMP_NLT_UQ) == 0;
}

/* The function of the pieces at −|x| for negative lanes, 1 less that for the others. */
LANE_INLINE Lanes
lanes_from_pieces (const LanesPieces *pieces, Lanes x)
{
  const Lanes magic = every (0x1.8p23f); /* adding it rounds to an integer in the low bits */
  Lanes size = absolute (x), shifted = size * (1.0f / NORMAL_PIECE_WIDTH) + magic;
  Lanes r = size - (shifted - magic) * NORMAL_PIECE_WIDTH;
  __m512i piece = (__m512i) shifted;
  Lanes p = every (0.0f);
#pragma GCC unroll 8
  for (int degree = NORMAL_DEGREE; degree >= 0; degree--)
    p = p * r + (Lanes) _mm512_permutex2var_ps (pieces->coefficients[degree][0], piece, pieces->coefficients[degree][1]);
  return choose (x < 0.0f, p, 1.0f - p);
}
