/* The micro-kernels of matrix products, each by itself: every height of panels, both directions of packing, sizes around those of
 * registers; those for bfloat16 also in an emulation, which says whether their order of numbers is right where they can't run.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../ops/kernels/micro.h"
#include "bf16.h"

#ifdef __x86_64__
extern const MicroKernels micro_bf16_emulated;
#ifdef MICRO_HAS_AMX
extern const MicroKernels micro_amx_emulated, micro_amx_bf16_emulated;
#endif

typedef struct
{
  const char *name;
  const MicroKernels *micro;
  gboolean runs, rounds;
} Set;

static Set
set_at (int index)
{
  __builtin_cpu_init ();
  gboolean avx2 = __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
  gboolean avx512 = avx2 && __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("avx512bw")
                    && __builtin_cpu_supports ("avx512vl");
  gboolean bf16 = avx512 && __builtin_cpu_supports ("avx512bf16");
#ifdef MICRO_HAS_AMX
  gboolean amx = micro_amx_allowed ();
#endif
  const Set sets[] = {
    { "AVX2", &micro_avx2, avx2, FALSE },
    { "AVX2, rounding", &micro_avx2_rounding, avx2, TRUE },
    { "AVX-512", &micro_avx512, avx512, FALSE },
    { "AVX-512, rounding", &micro_avx512_rounding, avx512, TRUE },
    { "AVX512-BF16", &micro_bf16, bf16, TRUE },
    { "AVX512-BF16, emulated", &micro_bf16_emulated, TRUE, TRUE },
#ifdef MICRO_HAS_AMX
    { "AMX", &micro_amx, amx, FALSE },
    { "AMX, emulated", &micro_amx_emulated, TRUE, FALSE },
    { "AMX, bfloat16", &micro_amx_bf16, amx, TRUE },
    { "AMX, bfloat16, emulated", &micro_amx_bf16_emulated, TRUE, TRUE },
#endif
  };
  return index < (int) G_N_ELEMENTS (sets) ? sets[index] : (Set){ "no set", NULL, FALSE, FALSE };
}

#define N_SETS 10
#define UNTOUCHED 12345.0f

typedef struct
{
  gint64 n, k;
  gboolean deep; /* numbers of an item follow each other */
  float *x;      /* exactly as large as needed */
  float *panels;
  gint64 floats, width;
} Packed;

static gint64
along (const Packed *self)
{
  return self->deep ? self->k : 1;
}

static gint64
deep (const Packed *self)
{
  return self->deep ? 1 : self->n;
}

static float
number (const Packed *self, gint64 item, gint64 p, gboolean rounds)
{
  float value = self->x[item * along (self) + p * deep (self)];
  return rounds ? nearest_bf16 (value) : value;
}

/* Numbers from -1 to 1, times powers of two from 2^-scale to 2^scale. */
static void
draw (Packed *self, const char *stream, int scale)
{
  WeftRandom random = weft_random_for (1, stream, 0);
  self->x = g_new (float, MAX (self->n * self->k, 1));
  for (gint64 i = 0; i < self->n * self->k; i++)
    self->x[i] = ldexpf (2 * weft_random_uniform (random, (guint32) (2 * i)) - 1,
                         (int) ((2 * weft_random_uniform (random, (guint32) (2 * i + 1)) - 1) * (float) scale));
}

static void
pack_drawn (Packed *self, const MicroKernels *micro, gint64 width, gboolean fill)
{
  gint64 unit = fill ? width : micro->row_unit, wide = (self->n + unit - 1) / unit * unit;
  self->width = width;
  self->floats = wide * micro_places (micro, self->k);
  self->panels = g_new (float, self->floats + MICRO_SLACK + 1);
  for (gint64 i = 0; i <= self->floats + MICRO_SLACK; i++)
    self->panels[i] = UNTOUCHED;
  if (fill)
    micro->pack_columns (self->n, self->k, self->x, along (self), deep (self), self->panels);
  else
    micro->pack_rows (self->n, self->k, self->x, along (self), deep (self), width, self->panels);
  ck_assert_msg (self->panels[self->floats + MICRO_SLACK] == UNTOUCHED, "packing wrote too far");
}

static void
pack (Packed *self, const MicroKernels *micro, const char *stream, gint64 width, gboolean fill)
{
  draw (self, stream, 0);
  pack_drawn (self, micro, width, fill);
}

static void
clear (Packed *self)
{
  g_free (self->x);
  g_free (self->panels);
}

static void
multiply_all (const Set *set, const Packed *a, const Packed *b, float alpha, float beta, float *c, gint64 stride)
{
  const MicroKernels *micro = set->micro;
  gint64 places = micro_places (micro, a->k);
  if (micro->begin)
    micro->begin ();
  for (gint64 j = 0; j < b->n; j += b->width)
    for (gint64 i = 0; i < a->n; i += a->width)
      micro->multiply (MIN (a->width, a->n - i), places, a->panels + i * places, b->panels + j * places, alpha, beta, c + i * stride + j,
                       stride, MIN (b->width, b->n - j));
  if (micro->end)
    micro->end ();
}

static void
check_product (const Set *set, const Packed *a, const Packed *b, float alpha, float beta)
{
  gint64 stride = b->n + 1;
  g_autofree float *c = g_new (float, a->n *stride), *before = NULL;
  for (gint64 i = 0; i < a->n * stride; i++)
    c[i] = i % stride == b->n ? UNTOUCHED : beta == 0 ? NAN : (float) (i % 13) - 6;
  before = g_memdup2 (c, (gsize) (a->n * stride) * sizeof (float));
  multiply_all (set, a, b, alpha, beta, c, stride);
  for (gint64 i = 0; i < a->n; i++)
    {
      ck_assert_msg (c[i * stride + b->n] == UNTOUCHED, "multiplying wrote beyond row %d", (int) i);
      for (gint64 j = 0; j < b->n; j++)
        {
          double exact = 0, bound = 0, found = (double) c[i * stride + j];
          for (gint64 p = 0; p < a->k; p++)
            {
              double term = (double) number (a, i, p, set->rounds) * (double) number (b, j, p, set->rounds);
              exact += term;
              bound += fabs (term);
            }
          exact = (double) alpha * exact + (beta == 0 ? 0 : (double) (beta * before[i * stride + j]));
          bound = ((double) a->k + 4) * 0x1p-24 * (fabs ((double) alpha) * bound + 8 * fabs ((double) beta)) + 1e-30;
          if (!(fabs (found - exact) <= bound))
            ck_abort_msg ("%s, %d×%d×%d%s%s: element %d, %d is %.9g instead of %.9g", set->name, (int) a->n, (int) b->n, (int) a->k,
                          a->deep ? "" : " Aᵀ", b->deep ? " Bᵀ" : "", (int) i, (int) j, found, exact);
        }
    }
}

static void
check_size (const Set *set, gint64 m, gint64 height, gint64 n, gint64 k)
{
  for (int turned = 0; turned < 4; turned++)
    {
      Packed a = { m, k, turned & 1, NULL, NULL, 0, 0 }, b = { n, k, turned >> 1, NULL, NULL, 0, 0 };
      pack (&a, set->micro, "a", height, FALSE);
      pack (&b, set->micro, "b", set->micro->columns, TRUE);
      check_product (set, &a, &b, 1, 0);
      check_product (set, &a, &b, -0.5f, 2);
      clear (&a);
      clear (&b);
    }
}

/* Of panels that rows + 2 rows are packed into. */
static gint64
several_height (const MicroKernels *micro)
{
  gint64 half = (micro->rows + 2) / 2;
  return (half + micro->row_unit - 1) / micro->row_unit * micro->row_unit;
}

START_TEST (panels_are_packed_and_multiplied)
{
  static const gint64 depths[] = { 0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 47, 70, 129 }, widths[] = { 1, 8, 15, 17, 31, 32, 33, 47, 64, 70 };
  Set set = set_at (_i);
  if (!set.runs)
    {
      g_print ("%s: skipped, not on this processor\n", set.name);
      return;
    }
  for (gint64 height = 1; height <= set.micro->rows; height++)
    {
      gboolean several = 2 * height >= set.micro->columns / 2 && height % set.micro->row_unit == 0;
      check_size (&set, several ? 2 * height + 1 : height, height, widths[height % G_N_ELEMENTS (widths)], 37);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (depths); i++)
    check_size (&set, set.micro->rows + 2, several_height (set.micro), widths[i % G_N_ELEMENTS (widths)], depths[i]);
}
END_TEST

/* Ties, overflow, what is too small, what is no number: rounding kernels agree with arithmetic, others leave numbers as they are. */
START_TEST (numbers_are_rounded_or_kept)
{
  static const guint32 bits[] = { 0x00000000, 0x80000000, 0x00000001, 0x007fffff, 0x807fffff, 0x00800000, 0x3f808000, 0x3f818000,
                                  0x3f808001, 0x3f807fff, 0xbf808000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7f7f8000,
                                  0x7f7f7fff, 0x3f7fffff, 0x7fc00000, 0x7f800001, 0xffc12345, 0x0c000001, 0x8b800001 };
  enum
  {
    N = G_N_ELEMENTS (bits)
  };
  Set set = set_at (_i);
  float x[N], one[N], c[N];
  gsize places = set.runs ? (gsize) micro_places (set.micro, 1) : 1;
  g_autofree float *rows = g_new0 (float, 32 * places + MICRO_SLACK), *columns = g_new0 (float, 32 * places + MICRO_SLACK);
  memcpy (x, bits, sizeof bits);
  for (int i = 0; i < N; i++)
    one[i] = 1;
  if (!set.runs)
    return;
  for (int deep = 0; deep < 2; deep++)
    for (int i = 0; i < N; i++)
      {
        gboolean small = fabsf (x[i]) < 0x1p-103f;
        float expected = set.rounds ? nearest_bf16 (x[i]) : x[i];
        set.micro->pack_rows (1, 1, &x[i], deep ? 1 : 5, deep ? 5 : 1, 1, rows);
        set.micro->pack_columns (1, 1, &one[i], 1, 1, columns);
        if (set.micro->begin)
          set.micro->begin ();
        set.micro->multiply (1, (gint64) places, rows, columns, 1, 0, &c[i], 1, 1);
        if (set.micro->end)
          set.micro->end ();
        if (isnan (x[i]) || (isinf (x[i]) && set.micro->places > 16))
          ck_assert_msg (!isfinite (c[i]), "%s: %#x becomes %a", set.name, bits[i], (double) c[i]);
        else
          ck_assert_msg (c[i] == expected || (small && !set.rounds && fabsf (c[i] - x[i]) < 0x1p-125f), "%s: %#x becomes %a, not %a",
                         set.name, bits[i], (double) c[i], (double) expected);
      }
}
END_TEST

/* Number @p of item @item is the largest there is, all others are small. The other operand picks it out, and its neighbour. */
static void
check_largest (const Set *set, gboolean as_columns, gboolean lies_deep, gint64 item, gint64 p)
{
  enum
  {
    N = 65,
    K = 70
  };
  Packed large = { N, K, lies_deep, NULL, NULL, 0, 0 }, pick = { 2, K, TRUE, NULL, NULL, 0, 0 };
  float c[2 * N];
  large.x = g_new (float, N *K);
  pick.x = g_new0 (float, 2 * K);
  for (int i = 0; i < N * K; i++)
    large.x[i] = (float) (i % 7) - 3;
  large.x[item * along (&large) + p * deep (&large)] = G_MAXFLOAT;
  pick.x[p] = pick.x[K + (p + 1) % K] = 1;
  pack_drawn (&large, set->micro, as_columns ? set->micro->columns : set->micro->rows, as_columns);
  pack_drawn (&pick, set->micro, as_columns ? 2 : set->micro->columns, !as_columns);
  multiply_all (set, as_columns ? &pick : &large, as_columns ? &large : &pick, 1, 0, c, as_columns ? N : 2);
  for (gint64 i = 0; i < N; i++)
    for (gint64 j = 0; j < 2; j++)
      {
        float found = as_columns ? c[j * N + i] : c[i * 2 + j], expected = number (&large, i, (p + j) % K, FALSE);
        ck_assert_msg (found == expected, "%s: number %d of item %d is %a instead of %a", set->name, (int) p, (int) i, (double) found,
                       (double) expected);
      }
  clear (&large);
  clear (&pick);
}

/* Kernels that put float32 together from lesser numbers split such a number in another way, wherever in a panel it lies. */
START_TEST (the_largest_number_keeps_its_value_everywhere)
{
  static const gint64 items[] = { 0, 17, 33, 64 }, places[] = { 0, 31, 40, 69 };
  Set set = set_at (_i);
  for (int i = 0; set.runs && !set.rounds && i < 64; i++)
    check_largest (&set, i & 1, (i >> 1) & 1, items[(i >> 2) & 3], places[i >> 4]);
}
END_TEST

/* Of an element of a b, relative to the sum of its terms' magnitudes: how far @found is off. */
static double
error_of (const Packed *a, const Packed *b, gint64 i, gint64 j, float found)
{
  double exact = 0, size = 0;
  for (gint64 p = 0; p < a->k; p++)
    {
      double term = (double) number (a, i, p, FALSE) * (double) number (b, j, p, FALSE);
      exact += term;
      size += fabs (term);
    }
  return fabs ((double) found - exact) / size;
}

static float
plain_sum (const Packed *a, const Packed *b, gint64 i, gint64 j)
{
  float sum = 0;
  for (gint64 p = 0; p < a->k; p++)
    sum += number (a, i, p, FALSE) * number (b, j, p, FALSE);
  return sum;
}

static void
check_exactness (const Set *set, gint64 k, int scale)
{
  enum
  {
    N = 32
  };
  Packed a = { N, k, TRUE, NULL, NULL, 0, 0 }, b = { N, k, FALSE, NULL, NULL, 0, 0 };
  float c[N * N];
  double worst = 0, worst_plain = 0;
  draw (&a, "a", scale);
  draw (&b, "b", scale);
  pack_drawn (&a, set->micro, MIN (set->micro->rows, N), FALSE);
  pack_drawn (&b, set->micro, set->micro->columns, TRUE);
  multiply_all (set, &a, &b, 1, 0, c, N);
  for (gint64 i = 0; i < N; i++)
    for (gint64 j = 0; j < N; j++)
      {
        worst = MAX (worst, error_of (&a, &b, i, j, c[i * N + j]));
        worst_plain = MAX (worst_plain, error_of (&a, &b, i, j, plain_sum (&a, &b, i, j)));
      }
  ck_assert_msg (worst <= MAX (1.5 * worst_plain, 0x1p-21), "%s, %d numbers, scale %d: off by %g, a plain sum by %g", set->name, (int) k,
                 scale, worst, worst_plain);
  clear (&a);
  clear (&b);
}

/* Kernels that put float32 together from lesser numbers lose nothing in long sums against a plain sum in float32, and in short ones no more
 * than a few roundings, of numbers alike or of every magnitude. */
START_TEST (sums_are_as_exact_as_in_float32)
{
  static const gint64 depths[] = { 1, 8, 768 };
  Set set = set_at (_i);
  for (gsize i = 0; set.runs && !set.rounds && i < G_N_ELEMENTS (depths); i++)
    for (int scale = 0; scale <= 40; scale += 20)
      check_exactness (&set, depths[i], scale);
}
END_TEST
#endif

int
main (void)
{
  Suite *suite = suite_create ("micro");
  TCase *tests = tcase_create ("kernels");
#ifdef __x86_64__
  tcase_set_timeout (tests, 60);
  tcase_add_loop_test (tests, panels_are_packed_and_multiplied, 0, N_SETS);
  tcase_add_loop_test (tests, numbers_are_rounded_or_kept, 0, N_SETS);
  tcase_add_loop_test (tests, the_largest_number_keeps_its_value_everywhere, 0, N_SETS);
  tcase_add_loop_test (tests, sums_are_as_exact_as_in_float32, 0, N_SETS);
#endif
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
