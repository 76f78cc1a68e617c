/* The kernels of micro.h for one instruction set: their panels have place after place, each with what all items have there. The file that
 * includes this defines Lanes, LANES, load, store, every, load_some, store_some and transpose (LANES registers in place), includes
 * micro-finish.h, and defines how numbers become places: NUMBERS, MULTIPLY_ADD (sum, a, b), places_along() and place_across().
 *
 * SPDX-License-Identifier: BSD-3-Clause */

#define EACH_ROW_1(M) M (0)
#define EACH_ROW_2(M) EACH_ROW_1 (M) M (1)
#define EACH_ROW_3(M) EACH_ROW_2 (M) M (2)
#define EACH_ROW_4(M) EACH_ROW_3 (M) M (3)
#define EACH_ROW_5(M) EACH_ROW_4 (M) M (4)
#define EACH_ROW_6(M) EACH_ROW_5 (M) M (5)
#define EACH_ROW_7(M) EACH_ROW_6 (M) M (6)
#define EACH_ROW_8(M) EACH_ROW_7 (M) M (7)
#define EACH_ROW_9(M) EACH_ROW_8 (M) M (8)
#define EACH_ROW_10(M) EACH_ROW_9 (M) M (9)
#define EACH_ROW_11(M) EACH_ROW_10 (M) M (10)
#define EACH_ROW_12(M) EACH_ROW_11 (M) M (11)
#define EACH_ROW_13(M) EACH_ROW_12 (M) M (12)
#define EACH_ROW_14(M) EACH_ROW_13 (M) M (13)

/* Numbers of the sum that are packed for all panels before the next: their lines stay in the first-level cache. */
#define PACK_DEPTH (16 * NUMBERS)

#define BEGIN_ROW(i)                                                                                                                       \
  Lanes left_##i = { 0 }, right_##i = { 0 };                                                                                               \
  __builtin_prefetch (c + i * c_stride, 1);                                                                                                \
  __builtin_prefetch (c + i * c_stride + LANES, 1);
#define ADD_TO_ROW(i)                                                                                                                      \
  {                                                                                                                                        \
    Lanes factor = every (a[i]);                                                                                                           \
    left_##i = MULTIPLY_ADD (left_##i, factor, left);                                                                                      \
    right_##i = MULTIPLY_ADD (right_##i, factor, right);                                                                                   \
  }
#define FINISH_ROW(i) finish_row (left_##i, right_##i, alpha, beta, c + i * c_stride, columns);

/* Addresses are not worth keeping during the sums, which need the registers. */
#define FORGET(pointer) __asm__("" : "+r"(pointer))

#define MULTIPLY(n)                                                                                                                        \
  static void multiply_##n (gint64 places, const float *a, const float *b, float alpha, float beta, float *c, gint64 c_stride,             \
                            gint64 columns)                                                                                                \
  {                                                                                                                                        \
    EACH_ROW_##n (BEGIN_ROW) for (gint64 p = 0; p < places; p++, a += n, b += MICRO_COLUMNS)                                               \
    {                                                                                                                                      \
      Lanes left = load (b), right = load (b + LANES);                                                                                     \
      EACH_ROW_##n (ADD_TO_ROW)                                                                                                            \
    }                                                                                                                                      \
    FORGET (c);                                                                                                                            \
    EACH_ROW_##n (FINISH_ROW)                                                                                                              \
  }

static inline gint64
places_of (gint64 numbers)
{
  return (numbers + NUMBERS - 1) / NUMBERS;
}

/* Items whose numbers follow each other: LANES items by LANES places at a time are turned in registers. */
MICRO_INLINE void
pack_turning (gint64 items, gint64 k, const float *x, gint64 along, gint64 width, gboolean round, float *to)
{
  for (gint64 p = 0; p < k; p += LANES * NUMBERS, to += LANES * width)
    {
      gint64 numbers = MIN (LANES * NUMBERS, k - p), places = places_of (numbers);
      for (gint64 first = 0; first < width; first += LANES)
        {
          Lanes turned[LANES];
#pragma GCC unroll 16
          for (gint64 i = 0; i < LANES; i++)
            turned[i] = first + i >= items ? (Lanes){ 0 } : places_along (x + (first + i) * along + p, numbers, round);
          transpose (turned);
          if (places == LANES)
#pragma GCC unroll 16
            for (gint64 i = 0; i < LANES; i++)
              store (to + i * width + first, turned[i]);
          else
            for (gint64 i = 0; i < places; i++)
              store (to + i * width + first, turned[i]);
        }
    }
}

/* Items that lie side by side. @readable: floats that may be read from x on. Registers overlap the next place where the width is not
 * that of registers, but not what follows the panel. */
MICRO_INLINE void
pack_copying (gint64 items, gint64 k, const float *x, gint64 deep, gint64 width, gint64 readable, gboolean ends, gboolean round, float *to)
{
  gboolean whole = items == width && readable >= (width + LANES - 1) / LANES * LANES;
  for (gint64 p = 0; p < k; p += NUMBERS, x += NUMBERS * deep, to += width)
    for (gint64 i = 0; i < width; i += LANES)
      {
        Lanes value = place_across (x + i, deep, whole ? LANES : CLAMP (items - i, 0, LANES), k - p, round);
        if (ends && p + NUMBERS >= k)
          store_some (to + i, value, MIN (width - i, LANES));
        else
          store (to + i, value);
      }
}

MICRO_INLINE void
pack_panels (gint64 count, gint64 k, const float *x, gint64 along, gint64 deep, gint64 width, gboolean fill, gboolean round, float *to)
{
  gint64 places = places_of (k);
  if (deep == 1)
    for (gint64 first = 0; first < count; first += width)
      {
        gint64 items = MIN (width, count - first);
        pack_turning (items, k, x + first * along, along, fill ? width : items, round, to + first * places);
      }
  else
    for (gint64 p = 0; p < k; p += PACK_DEPTH)
      for (gint64 first = 0; first < count; first += width)
        {
          gint64 items = MIN (width, count - first), wide = fill ? width : items;
          pack_copying (items, MIN (PACK_DEPTH, k - p), x + p * deep + first, deep, wide, count - first, p + PACK_DEPTH >= k, round,
                        to + first * places + p / NUMBERS * wide);
        }
}

static void
pack_rows (gint64 count, gint64 k, const float *x, gint64 along, gint64 deep, gint64 height, float *to)
{
  pack_panels (count, k, x, along, deep, height, FALSE, FALSE, to);
}

static void
pack_columns (gint64 count, gint64 k, const float *x, gint64 along, gint64 deep, float *to)
{
  pack_panels (count, k, x, along, deep, MICRO_COLUMNS, TRUE, FALSE, to);
}

#if NUMBERS == 1
static void
pack_rows_rounding (gint64 count, gint64 k, const float *x, gint64 along, gint64 deep, gint64 height, float *to)
{
  pack_panels (count, k, x, along, deep, height, FALSE, TRUE, to);
}

static void
pack_columns_rounding (gint64 count, gint64 k, const float *x, gint64 along, gint64 deep, float *to)
{
  pack_panels (count, k, x, along, deep, MICRO_COLUMNS, TRUE, TRUE, to);
}
#endif

#define UP_TO_6(M) M (1) M (2) M (3) M (4) M (5) M (6)
#define UP_TO_14(M) UP_TO_6 (M) M (7) M (8) M (9) M (10) M (11) M (12) M (13) M (14)
#define MULTIPLY_NAME(n) multiply_##n,

/* multiply(), for heights up to @most. */
#define MICRO_MULTIPLY(most)                                                                                                               \
  UP_TO_##most (MULTIPLY) static void multiply (gint64 rows, gint64 places, const float *a, const float *b, float alpha, float beta,       \
                                                float *c, gint64 c_stride, gint64 columns)                                                 \
  {                                                                                                                                        \
    static void (*const by_rows[]) (gint64, const float *, const float *, float, float, float *, gint64,                                   \
                                    gint64) = { NULL, UP_TO_##most (MULTIPLY_NAME) };                                                      \
    by_rows[rows](places, a, b, alpha, beta, c, c_stride, columns);                                                                        \
  }

#define MICRO_DEPTH 512

/* The kernels of this file for heights up to @most. */
#define MICRO_KERNELS(set, label, most, suffix)                                                                                            \
  const MicroKernels set = {                                                                                                               \
    .name = label,                                                                                                                         \
    .rows = most,                                                                                                                          \
    .columns = MICRO_COLUMNS,                                                                                                              \
    .block_rows = 168,                                                                                                                     \
    .row_unit = 1,                                                                                                                         \
    .numbers = NUMBERS,                                                                                                                    \
    .places = 1,                                                                                                                           \
    .depth = MICRO_DEPTH,                                                                                                                  \
    .multiply = multiply,                                                                                                                  \
    .pack_rows = pack_rows##suffix,                                                                                                        \
    .pack_columns = pack_columns##suffix,                                                                                                  \
  };
