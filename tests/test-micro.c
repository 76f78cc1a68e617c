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
  const Set sets[] = {
    { "AVX2", &micro_avx2, avx2, FALSE },        { "AVX2, rounding", &micro_avx2_rounding, avx2, TRUE },
    { "AVX-512", &micro_avx512, avx512, FALSE }, { "AVX-512, rounding", &micro_avx512_rounding, avx512, TRUE },
    { "AVX512-BF16", &micro_bf16, bf16, TRUE },  { "AVX512-BF16, emulated", &micro_bf16_emulated, TRUE, TRUE },
  };
  return sets[index];
}

#define N_SETS 6
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

static void
pack (Packed *self, const MicroKernels *micro, const char *stream, gint64 width, gboolean fill)
{
  gint64 places = (self->k + micro->numbers - 1) / micro->numbers, wide = fill ? (self->n + width - 1) / width * width : self->n;
  WeftRandom random = weft_random_for (1, stream, 0);
  self->x = g_new (float, MAX (self->n * self->k, 1));
  for (gint64 i = 0; i < self->n * self->k; i++)
    self->x[i] = 2 * weft_random_uniform (random, (guint32) i) - 1;
  self->width = width;
  self->floats = wide * places;
  self->panels = g_new (float, self->floats + MICRO_SLACK + 1);
  for (gint64 i = 0; i <= self->floats + MICRO_SLACK; i++)
    self->panels[i] = UNTOUCHED;
  micro->pack (self->n, self->k, self->x, along (self), deep (self), width, fill, self->panels);
  ck_assert_msg (self->panels[self->floats + MICRO_SLACK] == UNTOUCHED, "packing wrote too far");
}

static void
check_product (const Set *set, const Packed *a, const Packed *b, float alpha, float beta)
{
  const MicroKernels *micro = set->micro;
  gint64 places = (a->k + micro->numbers - 1) / micro->numbers, stride = b->n + 1;
  g_autofree float *c = g_new (float, a->n *stride), *before = NULL;
  for (gint64 i = 0; i < a->n * stride; i++)
    c[i] = i % stride == b->n ? UNTOUCHED : beta == 0 ? NAN : (float) (i % 13) - 6;
  before = g_memdup2 (c, (gsize) (a->n * stride) * sizeof (float));
  for (gint64 j = 0; j < b->n; j += b->width)
    for (gint64 i = 0; i < a->n; i += a->width)
      micro->multiply[MIN (a->width, a->n - i)](places, a->panels + i * places, b->panels + j * places, alpha, beta, c + i * stride + j,
                                                stride, MIN (b->width, b->n - j));
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
      g_free (a.x);
      g_free (a.panels);
      g_free (b.x);
      g_free (b.panels);
    }
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
    check_size (&set, 2 * height < set.micro->columns / 2 ? height : 2 * height + 1, height, widths[height % G_N_ELEMENTS (widths)], 37);
  for (gsize i = 0; i < G_N_ELEMENTS (depths); i++)
    check_size (&set, set.micro->rows + 2, (set.micro->rows + 2) / 2, widths[i % G_N_ELEMENTS (widths)], depths[i]);
}
END_TEST

/* Ties, overflow, what is too small, what is no number: rounding kernels agree with arithmetic. */
START_TEST (numbers_are_rounded)
{
  static const guint32 bits[] = { 0x00000000, 0x80000000, 0x00000001, 0x007fffff, 0x807fffff, 0x00800000, 0x3f808000,
                                  0x3f818000, 0x3f808001, 0x3f807fff, 0xbf808000, 0x7f7fffff, 0xff7fffff, 0x7f800000,
                                  0xff800000, 0x7f7f8000, 0x7f7f7fff, 0x3f7fffff, 0x7fc00000, 0x7f800001, 0xffc12345 };
  enum
  {
    N = G_N_ELEMENTS (bits)
  };
  Set set = set_at (_i);
  float x[N], one[N], c[N];
  g_autofree float *rows = g_new0 (float, N + MICRO_SLACK), *columns = g_new0 (float, 32 + MICRO_SLACK);
  memcpy (x, bits, sizeof bits);
  for (int i = 0; i < N; i++)
    one[i] = 1;
  if (!set.runs || !set.rounds)
    return;
  for (int deep = 0; deep < 2; deep++)
    for (int i = 0; i < N; i++)
      {
        set.micro->pack (1, 1, &x[i], deep ? 1 : 5, deep ? 5 : 1, 1, FALSE, rows);
        set.micro->pack (1, 1, &one[i], 1, 1, set.micro->columns, TRUE, columns);
        set.micro->multiply[1](1, rows, columns, 1, 0, &c[i], 1, 1);
        if (isnan (x[i]))
          ck_assert_msg (isnan (c[i]), "%s: %#x is no number", set.name, bits[i]);
        else
          ck_assert_msg (c[i] == nearest_bf16 (x[i]), "%s: %#x becomes %a, not %a", set.name, bits[i], (double) c[i],
                         (double) nearest_bf16 (x[i]));
      }
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
  tcase_add_loop_test (tests, numbers_are_rounded, 0, N_SETS);
#endif
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
