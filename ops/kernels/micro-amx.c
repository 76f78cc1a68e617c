/* Micro-kernels for x86 processors with AMX, for float32: each number is the sum of three in bfloat16.
 *
 * The 24 bits of a number x are cut into x₁ + x₂ + x₃, each the nearest to what is left, with 8 bits of their own. Of the nine products of
 * parts six are computed, exactly, and added up in float32, the largest last in each block; the three that are left out come to less than
 * 2⁻²³ of |a b|, where float32 rounds each product to 2⁻²⁴; in return the sum has fewer
 * roundings. Tiles take what is no normal number for zero: of numbers below 2⁻¹⁰³ the last bits are lost. Where an operand is infinite the
 * result is not finite, though it may be no number.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "micro.h"

#ifdef MICRO_HAS_AMX
#include "micro-amx-begin.h"
#include "micro-finish.h"

#define PARTS 3
#define RAWS 2

typedef gint32 Bits __attribute__ ((vector_size (LANES * 4)));
typedef guint32 Words __attribute__ ((vector_size (LANES * 4)));

#define UPPER ((gint32) 0xffff0000)

#define MAGNITUDE 0x7fffffff
/* From here on, numbers that bfloat16 has not, and the nearest to which is infinite. */
#define ENDLESS 0x7f7f8000

/* The nearest of two; which one between them does not matter, since what is left is exact. */
MICRO_INLINE Bits
nearest (Bits bits)
{
  return (bits + 0x8000) & UPPER;
}

MICRO_INLINE void
split_one (Lanes x, Lanes parts[PARTS])
{
  parts[0] = (Lanes) nearest ((Bits) x);
  Lanes rest = x - parts[0];
  parts[1] = (Lanes) nearest ((Bits) rest);
  parts[2] = rest - parts[1];
}

/* Of the largest numbers the first part is the lesser neighbour; what is no number, or infinite, is so in the first part alone. */
MICRO_INLINE void
split_endless (Lanes x, Lanes parts[PARTS])
{
  Bits bits = (Bits) x, magnitude = bits & MAGNITUDE, first = nearest (bits);
  Bits endless = magnitude >= 0x7f800000, quiet = (magnitude > 0x7f800000) & 0x400000, lesser = magnitude >= ENDLESS;
  parts[0] = (Lanes) ((~lesser & first) | (lesser & ((bits & UPPER) | quiet)));
  Lanes rest = (Lanes) (~endless & (Bits) (x - parts[0]));
  parts[1] = (Lanes) nearest ((Bits) rest);
  parts[2] = rest - parts[1];
}

/* Of numbers with 16 bits each, the later one in the upper half. */
MICRO_INLINE Lanes
pairs (Lanes early, Lanes late)
{
  return (Lanes) ((Bits) ((Words) early >> 16) | (Bits) late);
}

/* Where the first part of a number would be infinite, the last one is no number, and so becomes @odd. */
MICRO_INLINE void
split (const Lanes raw[RAWS], gboolean endless, Lanes *odd, Lanes parts[PARTS])
{
  Lanes early[PARTS], late[PARTS];
  if (endless)
    {
      split_endless (raw[0], early);
      split_endless (raw[1], late);
    }
  else
    {
      split_one (raw[0], early);
      split_one (raw[1], late);
      *odd += early[2] + late[2];
    }
#pragma GCC unroll 3
  for (int part = 0; part < PARTS; part++)
    parts[part] = pairs (early[part], late[part]);
}

MICRO_INLINE gboolean
any_odd (Lanes odd)
{
  return _mm512_cmpgt_epi32_mask ((__m512i) (Bits){ 0 }, (__m512i) (odd != odd)) != 0;
}

/* A place has one of the first 16 numbers of its block and one of the others. */
MICRO_INLINE void
raw_along (const float *from, gint64 numbers, Lanes raw[RAWS])
{
  raw[0] = numbers >= LANES ? load (from) : load_some (from, numbers);
  raw[1] = numbers == 2 * LANES ? load (from + LANES) : load_some (from + LANES, MAX (numbers - LANES, 0));
}

MICRO_INLINE Lanes
number_across (const float *from, gint64 deep, gint64 items, gint64 number, gint64 numbers)
{
  return number >= numbers ? (Lanes){ 0 } : items == LANES ? load (from + number * deep) : load_some (from + number * deep, items);
}

MICRO_INLINE void
raw_across (const float *from, gint64 deep, gint64 items, gint64 place, gint64 numbers, Lanes raw[RAWS])
{
  raw[0] = number_across (from, deep, items, place, numbers);
  raw[1] = number_across (from, deep, items, LANES + place, numbers);
}

/* a₁b₃ + a₁b₂ + a₂b₂ + a₂b₁ + a₃b₁ + a₁b₁: the largest last, each with one new operand. */
#define FIRST_COLUMNS 2
#define ADD_PARTS(two)                                                                                                                     \
  ADD_THEN_COLUMNS (two, b + COLUMN_PART)                                                                                                  \
  ADD_THEN_ROWS (two, a + part_floats)                                                                                                     \
  ADD_THEN_COLUMNS (two, b)                                                                                                                \
  ADD_THEN_ROWS (two, a + 2 * part_floats)                                                                                                 \
  ADD_THEN_ROWS (two, a)                                                                                                                   \
  ADD_THEN_BOTH (two, next_a, next_b + FIRST_COLUMNS * COLUMN_PART)

#include "micro-amx-body.h"

MICRO_AMX_KERNELS (micro_amx, "amx", 768)

#include "micro-amx-end.h"
#else
typedef int micro_amx_is_for_x86;
#endif
