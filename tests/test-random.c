/* The generator: known answers of what it is made of, and the statistics of its streams.
 *
 * Bounds are five standard deviations, which a right generator passes all but once in two million times; seeds are fixed, so that it
 * passes always or never.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

#define DRAWS (1 << 20)

/* SplitMix64 as published (Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014; constants of Vigna's
 * splitmix64.c): draw @n of a seed. */
static guint64
finalise (guint64 x)
{
  x = (x ^ x >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  x = (x ^ x >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return x ^ x >> 31;
}

static guint64
splitmix (guint64 seed, guint n)
{
  return finalise (seed + (n + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));
}

/* FNV-1a (Fowler, Noll and Vo; RFC 9923). */
static guint64
fnv (const char *text)
{
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325);
  for (; *text != '\0'; text++)
    hash = (hash ^ (guchar) *text) * G_GUINT64_CONSTANT (0x100000001b3);
  return hash;
}

START_TEST (parts_have_their_published_answers)
{
  ck_assert (splitmix (0, 0) == G_GUINT64_CONSTANT (0xe220a8397b1dcdaf));
  ck_assert (splitmix (0, 1) == G_GUINT64_CONSTANT (0x6e789e6aa1b965f4));
  ck_assert (splitmix (0, 2) == G_GUINT64_CONSTANT (0x06c45d188009454f));
  ck_assert (splitmix (1234567, 0) == G_GUINT64_CONSTANT (6457827717110365317));
  ck_assert (splitmix (1234567, 1) == G_GUINT64_CONSTANT (3203168211198807973));
  ck_assert (fnv ("") == G_GUINT64_CONSTANT (0xcbf29ce484222325));
  ck_assert (fnv ("a") == G_GUINT64_CONSTANT (0xaf63dc4c8601ec8c));
  ck_assert (fnv ("foobar") == G_GUINT64_CONSTANT (0x85944171f73967e8));
}
END_TEST

/* A key is three rounds of SplitMix64's finaliser over seed, FNV-1a of the path, and step. */
START_TEST (keys_are_made_of_these_parts)
{
  static const char *const paths[] = { "", "a", "image.fc.weight", "train.t_key.bert.layer.11.attention.drop", "\xc3\xa9" };
  static const guint64 numbers[] = { 0, 1, 2, 1234567, G_GUINT64_CONSTANT (1) << 40, G_MAXUINT64 };
  for (gsize p = 0; p < G_N_ELEMENTS (paths); p++)
    for (gsize s = 0; s < G_N_ELEMENTS (numbers); s++)
      for (gsize t = 0; t < G_N_ELEMENTS (numbers); t++)
        {
          guint64 key = splitmix (numbers[s], 0);
          key = finalise (key ^ (fnv (paths[p]) + G_GUINT64_CONSTANT (0xd1b54a32d192ed03)));
          key = finalise (key ^ (numbers[t] + G_GUINT64_CONSTANT (0x8cb92ba72f3d8dd7)));
          WeftRandom random = weft_random_for (numbers[s], paths[p], numbers[t]), part = weft_random_split (random, 5);
          ck_assert (random.low == (guint32) key && random.high == (guint32) (key >> 32));
          key = finalise (finalise (key) ^ (5 + G_GUINT64_CONSTANT (0xaef17502108ef2d9)));
          ck_assert (part.low == (guint32) key && part.high == (guint32) (key >> 32));
        }
}
END_TEST

/* Draws, computed apart from this code with whole numbers of any size: results of runs that were recorded depend on them. */
START_TEST (draws_stay_what_they_were)
{
  static const guint32 indices[] = { 0, 1, 2, G_MAXUINT32 };
  static const struct
  {
    guint64 seed;
    const char *path;
    guint64 step;
    guint32 bits[4];
  } streams[] = {
    { 0, "", 0, { 0xb9375e37, 0xf12cf969, 0x59cf5dd7, 0x1d1b9bf5 } },
    { 7, "train.v.sge.local_drop", 3, { 0x0e189496, 0x0b8728c2, 0x25a5805b, 0xc18cb218 } },
    { G_MAXUINT64, "image.fc.weight", G_GUINT64_CONSTANT (1) << 40, { 0xe125a8c4, 0x965c0a3a, 0xff0d26d1, 0xe7b8cf72 } },
  };
  for (gsize s = 0; s < G_N_ELEMENTS (streams); s++)
    for (gsize i = 0; i < G_N_ELEMENTS (indices); i++)
      {
        WeftRandom random = weft_random_for (streams[s].seed, streams[s].path, streams[s].step);
        guint32 bits = streams[s].bits[i];
        ck_assert_uint_eq (weft_random_bits (random, indices[i]), bits);
        ck_assert (weft_random_uniform (random, indices[i]) == (float) (bits / 256) / 16777216.0f);
        ck_assert_uint_eq (weft_random_below (random, indices[i], 1000), (guint32) ((double) bits / 4294967296.0 * 1000));
      }
}
END_TEST

/* How far a count of @n draws of probability @p is from what is expected, in standard deviations. */
static double
deviations (gint64 count, double n, double p)
{
  return fabs ((double) count - n * p) / sqrt (n * p * (1 - p));
}

/* The same for χ² over equally likely bins. */
static double
chi_deviations (const guint32 *bins, guint n_bins, double draws)
{
  double expected = draws / n_bins, chi = 0;
  for (guint i = 0; i < n_bins; i++)
    chi += (bins[i] - expected) * (bins[i] - expected) / expected;
  return fabs (chi - (n_bins - 1)) / sqrt (2.0 * (n_bins - 1));
}

static WeftRandom
stream (int i)
{
  static const char *const paths[] = { "train.v.sge.local_drop", "train.v.sge.global_drop", "train.tokens", "a", "image.fc.weight" };
  return weft_random_for ((guint64) i % 3, paths[i % 5], (guint64) i);
}

START_TEST (every_bit_is_fair)
{
  gint64 ones[32] = { 0 };
  guint32 *bins = g_new0 (guint32, 4096), *pairs = g_new0 (guint32, 4096);
  WeftRandom random = stream (_i);
  for (guint32 i = 0; i < DRAWS; i++)
    {
      guint32 bits = weft_random_bits (random, i);
      for (guint b = 0; b < 32; b++)
        ones[b] += bits >> b & 1;
      bins[bits >> 20]++;
      pairs[bits >> 26 << 6 | weft_random_bits (random, i + 1) >> 26]++;
    }
  for (guint b = 0; b < 32; b++)
    ck_assert_msg (deviations (ones[b], DRAWS, 0.5) < 5, "bit %u is set %d times", b, (int) ones[b]);
  ck_assert_msg (chi_deviations (bins, 4096, DRAWS) < 5, "bins: %g", chi_deviations (bins, 4096, DRAWS));
  ck_assert_msg (chi_deviations (pairs, 4096, DRAWS) < 5, "pairs: %g", chi_deviations (pairs, 4096, DRAWS));
  g_free (bins);
  g_free (pairs);
}
END_TEST

/* Streams that differ in seed, path, step or part agree in half of their bits, at the same index and at distances that tensors have. */
START_TEST (streams_have_nothing_in_common)
{
  static const guint32 distances[] = { 0, 1, 36, 64, 1024, 65536 };
  WeftRandom random = weft_random_for (1, "train.v.drop", 10);
  const WeftRandom others[] = {
    weft_random_for (2, "train.v.drop", 10), weft_random_for (1, "train.w.drop", 10), weft_random_for (1, "train.v.drop", 11),
    weft_random_split (random, 0),           weft_random_split (random, 1),           random,
  };
  for (gsize o = 0; o < G_N_ELEMENTS (others); o++)
    for (gsize d = o + 1 == G_N_ELEMENTS (others); d < G_N_ELEMENTS (distances); d++)
      {
        gint64 different = 0;
        for (guint32 i = 0; i < DRAWS / 4; i++)
          different += __builtin_popcount (weft_random_bits (random, i) ^ weft_random_bits (others[o], i + distances[d]));
        ck_assert_msg (deviations (different, DRAWS / 4 * 32.0, 0.5) < 5, "stream %u at distance %u", (guint) o, distances[d]);
      }
}
END_TEST

/* Each bit of an index, a seed or a step turns each bit of the draw with probability a half, within 2 %. */
START_TEST (every_bit_matters)
{
  enum
  {
    SAMPLES = 20000
  };
  for (guint in = 0; in < 160; in++)
    {
      gint64 turned[32] = { 0 };
      for (guint32 i = 0; i < SAMPLES; i++)
        {
          guint32 index = i * 7919, other = index ^ (in < 32 ? 1u << in : 0);
          guint64 seed = i % 64, step = i / 64, bit = G_GUINT64_CONSTANT (1) << in % 64;
          WeftRandom random = weft_random_for (seed, "avalanche", step);
          WeftRandom turn = weft_random_for (in >= 32 && in < 96 ? seed ^ bit : seed, "avalanche", in >= 96 ? step ^ bit : step);
          guint32 difference = weft_random_bits (random, index) ^ weft_random_bits (turn, other);
          for (guint b = 0; b < 32; b++)
            turned[b] += difference >> b & 1;
        }
      for (guint b = 0; b < 32; b++)
        ck_assert_msg (fabs ((double) turned[b] / SAMPLES - 0.5) < 0.02, "bit %u of the input turns bit %u at %g", in, b,
                       (double) turned[b] / SAMPLES);
    }
}
END_TEST

START_TEST (integers_are_uniform)
{
  static const guint32 sizes[] = { 1, 2, 3, 7, 10, 1000, 30522 };
  for (gsize s = 0; s < G_N_ELEMENTS (sizes); s++)
    {
      g_autofree guint32 *bins = g_new0 (guint32, sizes[s]);
      WeftRandom random = stream ((int) s);
      for (guint32 i = 0; i < DRAWS; i++)
        {
          guint32 value = weft_random_below (random, i, sizes[s]);
          if (value >= sizes[s])
            ck_abort_msg ("%u is not below %u", value, sizes[s]);
          bins[value]++;
        }
      ck_assert_msg (sizes[s] == 1 || chi_deviations (bins, sizes[s], DRAWS) < 5, "below %u: %g", sizes[s],
                     chi_deviations (bins, sizes[s], DRAWS));
    }
}
END_TEST

START_TEST (normal_draws_are_normal)
{
  static const double limits[] = { -2, -1, 0, 0.5, 1.5, 3 };
  gint64 below[G_N_ELEMENTS (limits)] = { 0 };
  double moments[4] = { 0 };
  WeftRandom random = stream (_i);
  for (guint32 i = 0; i < DRAWS; i++)
    {
      double x = (double) weft_random_normal (random, i), power = 1;
      if (!isfinite (x))
        ck_abort_msg ("draw %u is not finite", i);
      for (guint m = 0; m < 4; m++)
        moments[m] += (power *= x) / DRAWS;
      for (gsize l = 0; l < G_N_ELEMENTS (limits); l++)
        below[l] += x < limits[l];
    }
  /* The variances of the first four powers of a normal draw are 1, 2, 15 and 96. */
  ck_assert_double_lt (fabs (moments[0]), 5 * sqrt (1.0 / DRAWS));
  ck_assert_double_lt (fabs (moments[1] - 1), 5 * sqrt (2.0 / DRAWS));
  ck_assert_double_lt (fabs (moments[2]), 5 * sqrt (15.0 / DRAWS));
  ck_assert_double_lt (fabs (moments[3] - 3), 5 * sqrt (96.0 / DRAWS));
  for (gsize l = 0; l < G_N_ELEMENTS (limits); l++)
    ck_assert_double_lt (deviations (below[l], DRAWS, 0.5 * erfc (-limits[l] * G_SQRT2 / 2)), 5);
}
END_TEST

/* All 120 orders of five are equally likely, and long orders are permutations. */
START_TEST (shuffles_are_fair)
{
  guint32 bins[120] = { 0 }, order[5];
  for (guint64 step = 0; step < 120000; step++)
    {
      guint rank = 0;
      weft_random_shuffle (weft_random_for (1, "train.pairs", step), 5, order);
      for (guint i = 0; i < 5; i++)
        {
          guint smaller = 0;
          for (guint j = i + 1; j < 5; j++)
            smaller += order[j] < order[i];
          rank = rank * (5 - i) + smaller;
        }
      bins[rank]++;
    }
  ck_assert_msg (chi_deviations (bins, 120, 120000) < 5, "%g", chi_deviations (bins, 120, 120000));
  g_autofree guint32 *whole = g_new (guint32, 145000);
  g_autofree gboolean *seen = g_new0 (gboolean, 145000);
  weft_random_shuffle (weft_random_for (1, "train.pairs", 0), 145000, whole);
  for (guint i = 0; i < 145000; i++)
    {
      if (whole[i] >= 145000 || seen[whole[i]])
        ck_abort_msg ("%u comes twice, or should not come", whole[i]);
      seen[whole[i]] = TRUE;
    }
  weft_random_shuffle (weft_random_for (1, "train.pairs", 0), 0, NULL);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("random");
  TCase *tests = tcase_create ("random");
  tcase_set_timeout (tests, 60);
  tcase_add_test (tests, parts_have_their_published_answers);
  tcase_add_test (tests, keys_are_made_of_these_parts);
  tcase_add_test (tests, draws_stay_what_they_were);
  tcase_add_loop_test (tests, every_bit_is_fair, 0, 5);
  tcase_add_test (tests, streams_have_nothing_in_common);
  tcase_add_test (tests, every_bit_matters);
  tcase_add_test (tests, integers_are_uniform);
  tcase_add_loop_test (tests, normal_draws_are_normal, 0, 2);
  tcase_add_test (tests, shuffles_are_fair);
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
