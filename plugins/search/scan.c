/* Inner loops of the search, over float32, float16 and int8.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "scan.h"

#include <weft/dispatch.h>

#define LANES 32

/* float16 without infinities: the bits as they stand in a float32 are 2¹¹² times too small a number, subnormals included. */
WEFT_LOOP float
from_float16 (guint16 half)
{
  union
  {
    guint32 bits;
    float value;
  } number = { (guint32) (half & 0x7fff) << 13 };
  number.value *= 0x1p112f;
  number.bits |= (guint32) (half & 0x8000) << 16;
  return number.value;
}

/* Sums go to fixed lanes, so that they depend on neither threads nor addresses. */
#define PRODUCT_LOOP(name, type, load)                                                                                                     \
  WEFT_LOOP float name##_loop (const type *row, const float *query, gint64 width)                                                          \
  {                                                                                                                                        \
    float lanes[LANES] = { 0 }, sum = 0;                                                                                                   \
    gint64 i = 0;                                                                                                                          \
    for (; i + LANES <= width; i += LANES)                                                                                                 \
      for (int k = 0; k < LANES; k++)                                                                                                      \
        lanes[k] += query[i + k] * load (row[i + k]);                                                                                      \
    for (int k = 0; k < LANES; k++)                                                                                                        \
      sum += lanes[k];                                                                                                                     \
    for (; i < width; i++)                                                                                                                 \
      sum += query[i] * load (row[i]);                                                                                                     \
    return sum;                                                                                                                            \
  }                                                                                                                                        \
  WEFT_DISPATCH (float, name, name##_loop, (const type *row, const float *query, gint64 width), (row, query, width))

#define AS_FLOAT(x) ((float) (x))
PRODUCT_LOOP (product_float32, float, AS_FLOAT)
PRODUCT_LOOP (product_float16, guint16, from_float16)
PRODUCT_LOOP (product_int8, gint8, AS_FLOAT)

WEFT_LOOP void
unpack_float16_loop (const guint16 *row, gint64 n, float *unpacked)
{
  for (gint64 i = 0; i < n; i++)
    unpacked[i] = from_float16 (row[i]);
}
WEFT_DISPATCH (void, unpack_float16, unpack_float16_loop, (const guint16 *row, gint64 n, float *unpacked), (row, n, unpacked))

WEFT_LOOP void
unpack_int8_loop (const gint8 *row, float scale, gint64 n, float *unpacked)
{
  for (gint64 i = 0; i < n; i++)
    unpacked[i] = scale * (float) row[i];
}
WEFT_DISPATCH (void, unpack_int8, unpack_int8_loop, (const gint8 *row, float scale, gint64 n, float *unpacked), (row, scale, n, unpacked))

void
scan_products (const Side *side, const float *queries, guint n, gint64 first, gint64 rows, float *scores)
{
  const float *scales = side->scales.data;
  for (gint64 r = 0; r < rows; r++)
    for (guint q = 0; q < n; q++)
      {
        gint64 at = (first + r) * side->width;
        const float *query = queries + q * side->width;
        float *score = &scores[(gsize) r * n + q];
        if (side->scan == SCAN_FLOAT32)
          *score = product_float32 ((const float *) side->scanned.data + at, query, side->width);
        else if (side->scan == SCAN_FLOAT16)
          *score = product_float16 ((const guint16 *) side->scanned.data + at, query, side->width);
        else
          *score = scales[first + r] * product_int8 ((const gint8 *) side->scanned.data + at, query, side->width);
      }
}

void
scan_unpack (const Side *side, gint64 first, gint64 rows, float *unpacked)
{
  const float *scales = side->scales.data;
  if (side->scan == SCAN_FLOAT16)
    unpack_float16 ((const guint16 *) side->scanned.data + first * side->width, rows * side->width, unpacked);
  else
    for (gint64 r = 0; r < rows; r++)
      unpack_int8 ((const gint8 *) side->scanned.data + (first + r) * side->width, scales[first + r], side->width,
                   unpacked + r * side->width);
}
