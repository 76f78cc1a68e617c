/* Loops that several operators of this module share; to be used inside functions that weft/dispatch.h compiles.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/dispatch.h>

#define LOOP_LANES 16
/* How far ahead loops that compute much for each number ask for what they read: not every processor foresees it. */
#define LOOP_AHEAD 512

/* exp x within 2 units in the last place; 0 below −87, where results would be denormal, and exp 88 beyond 88. */
WEFT_LOOP float
loop_exp (float x)
{
  const float magic = 0x1.8p23f; /* adding it rounds to an integer in the low bits */
  float bounded = x < -87.0f  ? -87.0f
                  : x > 88.0f ? 88.0f
                              : x,
        shifted = bounded * 1.44269504f + magic, whole = shifted - magic, power, value;
  guint32 bits;
  float r = bounded - whole * 0x1.63p-1f + whole * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  bits = (guint32) ((gint32) whole + 127) << 23;
  memcpy (&power, &bits, sizeof power);
  value = p * power;
  return x < -87.0f ? 0 : value;
}

/* tanh x within 3 units in the last place: an odd polynomial near zero, where 1 − 2 / (exp 2|x| + 1) would cancel. */
WEFT_LOOP float
loop_tanh (float x)
{
  float size = x < 0 ? -x : x, square = x * x;
  float p = -5.70498872745e-3f;
  p = p * square + 2.06390887954e-2f;
  p = p * square - 5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square - 3.33332819422e-1f;
  float near = size + size * (square * p), far = 1.0f - 2.0f / (loop_exp (size + size) + 1.0f);
  float value = size < 0.625f ? near : far;
  return x < 0 ? -value : value;
}

/* Σ a b: sixteen partial sums, enough for vector registers, and the same order on every machine. */
WEFT_LOOP float
loop_dot (const float *a, const float *b, gint64 n)
{
  float sums[LOOP_LANES] = { 0 }, rest = 0;
  gint64 i = 0;
  for (; i + LOOP_LANES <= n; i += LOOP_LANES)
    for (int lane = 0; lane < LOOP_LANES; lane++)
      sums[lane] += a[i + lane] * b[i + lane];
  for (; i < n; i++)
    rest += a[i] * b[i];
  for (int width = LOOP_LANES / 2; width; width /= 2)
    for (int lane = 0; lane < width; lane++)
      sums[lane] += sums[lane + width];
  return sums[0] + rest;
}
