/* Counter-based randomness: every draw is a pure function of a key and an index.
 *
 * Streams are named, not advanced: a key is made from the run's seed, a path and the step, and draw i of that stream is a hash of
 * (key, i). Results do not depend on threads or order, and backward kernels re-create what forward drew instead of storing it.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint32 low, high;
} WeftRandom;

/**
 * weft_random_for:
 * @seed: the run's seed
 * @path: what draws, for example a node's path
 * @step: when it draws; 0 for initial values
 *
 * Returns: the key of an independent stream.
 */
WeftRandom weft_random_for (guint64 seed, const char *path, guint64 step);

/**
 * weft_random_split:
 *
 * Returns: the key of a stream within @random, for operators that need several.
 */
WeftRandom weft_random_split (WeftRandom random, guint32 which);

/**
 * weft_random_bits:
 *
 * Two rounds of a 32-bit finaliser over (index, key): compilers vectorise loops over @index.
 *
 * Returns: 32 uniformly distributed bits.
 */
static inline guint32
weft_random_bits (WeftRandom random, guint32 index)
{
  guint32 x = index * 0x9e3779b9u + random.low;
  x ^= x >> 16;
  x *= 0x21f0aaadu;
  x ^= x >> 15;
  x += random.high;
  x *= 0xd35a2d97u;
  x ^= x >> 15;
  x *= 0x735a2d97u;
  x ^= x >> 15;
  return x;
}

/**
 * weft_random_uniform:
 *
 * Returns: a float in [0, 1) with 24 random bits.
 */
static inline float
weft_random_uniform (WeftRandom random, guint32 index)
{
  return (float) (weft_random_bits (random, index) >> 8) * (1.0f / 16777216.0f);
}

/**
 * weft_random_below:
 *
 * Returns: an integer in [0, @n), @n > 0; the bias is below n / 2^32.
 */
static inline guint32
weft_random_below (WeftRandom random, guint32 index, guint32 n)
{
  return (guint32) (((guint64) weft_random_bits (random, index) * n) >> 32);
}

/**
 * weft_random_normal:
 *
 * Returns: a standard normal draw (Box and Muller, 1958); uses bits 2 * @index and 2 * @index + 1 of the stream.
 */
float weft_random_normal (WeftRandom random, guint32 index);

/**
 * weft_random_shuffle:
 *
 * Fills @order with a permutation of 0 … @n - 1 (Fisher and Yates).
 */
void weft_random_shuffle (WeftRandom random, guint32 n, guint32 *order);

G_END_DECLS
