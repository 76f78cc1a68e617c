/* Keys of random streams, and the draws that are too long to be inline.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "random.h"

#include <math.h>

/* The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every input bit changes every output bit with probability near a half. */
static guint64
mix (guint64 x)
{
  x ^= x >> 30;
  x *= G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  x ^= x >> 27;
  x *= G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return x ^ x >> 31;
}

static WeftRandom
key_of (guint64 x)
{
  return (WeftRandom){ .low = (guint32) x, .high = (guint32) (x >> 32) };
}

WeftRandom
weft_random_for (guint64 seed, const char *path, guint64 step)
{
  /* FNV-1a over the path, then one mixing round per part, each with its own odd increment so that parts can't stand for each other. */
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325);
  for (const char *c = path; *c; c++)
    hash = (hash ^ (guchar) *c) * G_GUINT64_CONSTANT (0x100000001b3);
  guint64 x = mix (seed + G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));
  x = mix (x ^ (hash + G_GUINT64_CONSTANT (0xd1b54a32d192ed03)));
  x = mix (x ^ (step + G_GUINT64_CONSTANT (0x8cb92ba72f3d8dd7)));
  return key_of (x);
}

WeftRandom
weft_random_split (WeftRandom random, guint32 which)
{
  guint64 key = (guint64) random.high << 32 | random.low;
  return key_of (mix (mix (key) ^ (which + G_GUINT64_CONSTANT (0xaef17502108ef2d9))));
}

float
weft_random_normal (WeftRandom random, guint32 index)
{
  /* The first uniform is taken from (0, 1], so that its logarithm is finite. */
  float radius = (float) ((weft_random_bits (random, 2 * index) >> 8) + 1) * 0x1p-24f;
  float turn = weft_random_uniform (random, 2 * index + 1);
  return sqrtf (-2.0f * logf (radius)) * cosf (2.0f * (float) G_PI * turn);
}

void
weft_random_shuffle (WeftRandom random, guint32 n, guint32 *order)
{
  for (guint32 i = 0; i < n; i++)
    order[i] = i;
  for (guint32 left = n; left > 1; left--)
    {
      guint32 chosen = weft_random_below (random, left, left);
      guint32 moved = order[left - 1];
      order[left - 1] = order[chosen];
      order[chosen] = moved;
    }
}
