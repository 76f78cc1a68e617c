/* Places that hold two numbers in bfloat16, the earlier one in the lower half. Included after micro-lanes-avx512.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause */

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
