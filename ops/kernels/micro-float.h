/* One float32 number of the sum to a place: as it is, or rounded to what bfloat16 can hold. Included before micro-body.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause */

#define NUMBERS 1
#define MULTIPLY_ADD(sum, a, b) ((sum) + (a) * (b))

typedef gint32 Bits __attribute__ ((vector_size (LANES * 4)));

/* To the nearest, ties to even, and what is no normal number to zero: as processors with bfloat16 do it. */
MICRO_INLINE Lanes
rounded (Lanes value)
{
  Bits bits = (Bits) value, magnitude = bits & 0x7fffffff, nearest = (bits + 0x7fff + (bits >> 16 & 1)) & (gint32) 0xffff0000;
  Bits quiet = (bits | 0x400000) & (gint32) 0xffff0000, is_nan = magnitude > 0x7f800000, is_normal = magnitude >= 0x800000;
  nearest = (is_nan & quiet) | (~is_nan & nearest);
  return (Lanes) (nearest & (is_normal | (gint32) 0x80000000));
}

/* LANES places of one item, whose @numbers numbers follow each other. */
MICRO_INLINE Lanes
places_along (const float *from, gint64 numbers, gboolean round)
{
  Lanes value = numbers == LANES ? load (from) : load_some (from, numbers);
  return round ? rounded (value) : value;
}

/* A place of LANES items, of which there are @items. */
MICRO_INLINE Lanes
place_across (const float *from, gint64 deep G_GNUC_UNUSED, gint64 items, gint64 numbers G_GNUC_UNUSED, gboolean round)
{
  Lanes value = items == LANES ? load (from) : load_some (from, items);
  return round ? rounded (value) : value;
}
