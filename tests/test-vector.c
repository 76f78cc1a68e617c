/* The vector kernels of every instruction set that this processor has, against float64 and against plain loops.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../ops/kernels/vector.h"

static const VectorKernels *kernels;
static const char *const set_names[] = { "baseline", "avx2", "avx512" };

static void
use_set (int index)
{
  kernels = vector_set (set_names[index]);
}

/* Distance in units of the last place of the float32 nearest to @exact. */
static double
ulps (float value, double exact)
{
  float nearest = (float) exact;
  if (isnan (exact) || isinf (nearest) || isnan (value) || isinf (value))
    return (isnan (exact) && isnan (value)) || nearest == value ? 0.0 : INFINITY;
  int exponent;
  frexp ((double) nearest, &exponent);
  return fabs ((double) value - exact) / ldexp (1.0, MAX (exponent - 24, -149));
}

static double
exact_sigmoid (double x)
{
  return 1.0 / (1.0 + exp (-x));
}

static double
exact_normal (double x)
{
  return 0.5 * erfc (-x / sqrt (2.0));
}

static double
exact_gelu (double x)
{
  return x * exact_normal (x);
}

static void
check_function (const char *name, void (*function) (gint64, const float *, float *), double (*exact) (double), double low, double high,
                double tolerance)
{
  enum
  {
    COUNT = 40009
  };
  g_autofree float *x = g_new (float, COUNT), *y = g_new (float, COUNT);
  for (int i = 0; i < COUNT; i++)
    x[i] = (float) (low + (high - low) * i / (COUNT - 1));
  for (int i = 0; i < 40; i++)
    x[i] = ldexpf (i % 2 ? 1.0f : -1.0f, -i);
  function (COUNT, x, y);
  for (int i = 0; i < COUNT; i++)
    {
      double error = ulps (y[i], exact ((double) x[i]));
      ck_assert_msg (error <= tolerance, "%s %s (%.9g) = %.9g, but %.9g: %g ulp", kernels->name, name, (double) x[i], (double) y[i],
                     exact ((double) x[i]), error);
    }
}

START_TEST (functions_are_accurate)
{
  use_set (_i);
  if (kernels == NULL)
    return;
  check_function ("exp", kernels->exp, exp, -110.0, 95.0, 2.0);
  check_function ("exp", kernels->exp, exp, -1.0, 1.0, 2.0);
  check_function ("tanh", kernels->tanh, tanh, -12.0, 12.0, 3.0);
  check_function ("tanh", kernels->tanh, tanh, -1.0, 1.0, 3.0);
  check_function ("sigmoid", kernels->sigmoid, exact_sigmoid, -87.0, 40.0, 3.0);
  check_function ("gelu", kernels->gelu, exact_gelu, -12.0, 12.0, 6.0);
  float special[] = { INFINITY, -INFINITY, NAN, -0.0f, 1e30f, -1e30f }, result[6];
  kernels->exp (6, special, result);
  ck_assert (isinf (result[0]) && result[1] == 0.0f && isnan (result[2]) && result[3] == 1.0f && isinf (result[4]) && result[5] == 0.0f);
  kernels->tanh (6, special, result);
  ck_assert (result[0] == 1.0f && result[1] == -1.0f && isnan (result[2]) && signbit (result[3]) && result[5] == -1.0f);
  kernels->sigmoid (6, special, result);
  ck_assert (result[0] == 1.0f && result[1] == 0.0f && isnan (result[2]) && result[3] == 0.5f);
  kernels->relu (6, special, result);
  ck_assert (isinf (result[0]) && result[1] == 0.0f && isnan (result[2]) && result[3] == 0.0f && !signbit (result[3]));
  kernels->gelu (6, special, result);
  ck_assert (isinf (result[0]) && isnan (result[2]) && result[4] == 1e30f && result[5] == 0.0f);
}
END_TEST

static void
fill_random (float *x, gint64 n, guint32 key)
{
  for (gint64 i = 0; i < n; i++)
    x[i] = weft_random_uniform ((WeftRandom){ key, 17 }, (guint32) i) * 4.0f - 2.0f;
}

static void
check_close (const char *what, gint64 n, double value, double expected, double scale)
{
  ck_assert_msg (fabs (value - expected) <= 4e-7 * (scale + 1e-30) + 1e-30, "%s %s of %" G_GINT64_FORMAT ": %.9g, but %.9g", kernels->name,
                 what, n, value, expected);
}

START_TEST (sums_are_accurate)
{
  use_set (_i);
  if (kernels == NULL)
    return;
  static float x[5000], z[5000], y[5000];
  fill_random (x, 5000, 1);
  fill_random (z, 5000, 2);
  const gint64 sizes[] = { 0, 1, 3, 4, 7, 16, 31, 63, 64, 65, 511, 513, 4999 };
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    {
      gint64 n = sizes[s];
      double sum = 0, dot = 0, squares = 0, exponentials = 0, size = 0;
      float most = -INFINITY;
      for (gint64 i = 0; i < n; i++)
        {
          double a = (double) x[i], b = (double) z[i];
          sum += a;
          dot += a * b;
          squares += (a - 0.25) * (a - 0.25);
          exponentials += exp ((a - 0.25) * 2.0);
          size += fabs (a) + fabs (a * b);
          most = MAX (most, x[i]);
        }
      check_close ("sum", n, kernels->sum (n, x), sum, size);
      check_close ("dot", n, kernels->dot (n, x, z), dot, size);
      check_close ("squares", n, kernels->squares (n, x, 0.25f), squares, squares);
      check_close ("exp_sum", n, kernels->exp_sum (n, x, 0.25f, 2.0f, y), exponentials, exponentials);
      ck_assert (kernels->maximum (n, x) == most);
    }
}
END_TEST

/* Every element-wise kernel writes its n results and nothing beside, for every n, in place too. */
START_TEST (ends_are_respected)
{
  use_set (_i);
  if (kernels == NULL)
    return;
  float a[200], b[200], y[200], in_place[200];
  fill_random (a, 200, 3);
  fill_random (b, 200, 4);
  for (gint64 n = 0; n < 150; n++)
    {
      for (int i = 0; i < 200; i++)
        y[i] = in_place[i] = 77.0f;
      kernels->combine (n, 2.0f, a, -3.0f, b, y);
      memcpy (in_place, a, (gsize) n * sizeof (float));
      kernels->combine (n, 2.0f, in_place, -3.0f, b, in_place);
      ck_assert_int_eq (memcmp (y, in_place, sizeof y), 0);
      for (gint64 i = 0; i < n; i++)
        check_close ("combine", n, (double) y[i], 2.0 * (double) a[i] - 3.0 * (double) b[i], 10.0);
      for (gint64 i = n; i < 200; i++)
        ck_assert (y[i] == 77.0f);
      memcpy (y, b, sizeof y);
      kernels->axpy (n, 0.5f, a, y);
      kernels->multiply_add (n, a, b, y);
      for (gint64 i = 0; i < 200; i++)
        check_close ("axpy", n, (double) y[i], (double) b[i] + (i < n ? (double) a[i] * (0.5 + (double) b[i]) : 0.0), 8.0);
    }
}
END_TEST

START_TEST (gradients_match_differences)
{
  use_set (_i);
  if (kernels == NULL)
    return;
  const double step = 1e-5;
  float x[301], y[301], dy[301], dx[301];
  for (int i = 0; i < 301; i++)
    x[i] = (float) (i - 150) * 0.04f + 0.001f;
  fill_random (dy, 301, 5);
  kernels->gelu_gradient (301, x, dy, dx);
  for (int i = 0; i < 301; i++)
    check_close ("gelu_gradient", i, (double) dx[i],
                 (double) dy[i] * (exact_gelu ((double) x[i] + step) - exact_gelu ((double) x[i] - step)) / (2.0 * step), 3.0);
  kernels->gelu_quick_gradient (301, x, dy, dx);
  for (int i = 0; i < 301; i++)
    {
      double s = exact_sigmoid (1.702 * (double) x[i]);
      check_close ("gelu_quick_gradient", i, (double) dx[i], (double) dy[i] * (s + 1.702 * (double) x[i] * s * (1.0 - s)), 3.0);
    }
  kernels->tanh (301, x, y);
  kernels->tanh_gradient (301, y, dy, dx);
  for (int i = 0; i < 301; i++)
    check_close ("tanh_gradient", i, (double) dx[i], (double) dy[i] * (1.0 - tanh ((double) x[i]) * tanh ((double) x[i])), 3.0);
  kernels->sigmoid (301, x, y);
  kernels->sigmoid_gradient (301, y, dy, dx);
  for (int i = 0; i < 301; i++)
    check_close ("sigmoid_gradient", i, (double) dx[i], (double) dy[i] * exact_sigmoid ((double) x[i]) * exact_sigmoid (-(double) x[i]),
                 3.0);
}
END_TEST

/* One number by itself has the same bits as among others that take another way. */
START_TEST (numbers_do_not_depend_on_their_neighbours)
{
  use_set (_i);
  if (kernels == NULL)
    return;
  void (*const functions[]) (gint64, const float *, float *) = { kernels->exp, kernels->tanh, kernels->sigmoid, kernels->gelu };
  float x[64], ones[64], together[64], alone;
  for (int i = 0; i < 64; i++)
    {
      x[i] = i % 9 == 4 ? (float) (i - 32) * 0.5f : (float) (i - 32) * 0.19f;
      ones[i] = 1.0f;
    }
  x[5] = NAN;
  x[23] = -INFINITY;
  x[41] = INFINITY;
  for (guint f = 0; f < G_N_ELEMENTS (functions); f++)
    {
      functions[f](64, x, together);
      for (int i = 0; i < 64; i++)
        {
          functions[f](1, x + i, &alone);
          ck_assert_msg (memcmp (&alone, together + i, sizeof alone) == 0, "%s: function %u at %g", kernels->name, f, (double) x[i]);
        }
    }
  kernels->gelu_gradient (64, x, ones, together);
  for (int i = 0; i < 64; i++)
    {
      kernels->gelu_gradient (1, x + i, ones, &alone);
      ck_assert_msg (memcmp (&alone, together + i, sizeof alone) == 0, "%s: gelu_gradient at %g", kernels->name, (double) x[i]);
      if (i != 5 && isfinite (x[i]))
        check_close ("gelu_gradient", i, (double) alone,
                     exact_normal ((double) x[i]) + (double) x[i] * exp (-0.5 * (double) x[i] * (double) x[i]) / sqrt (2.0 * G_PI), 1.0);
    }
  ck_assert (isnan (together[5]));
}
END_TEST

START_TEST (sums_of_exponentials_pass_over_what_vanishes)
{
  use_set (_i);
  if (kernels == NULL)
    return;
  float x[40], y[41];
  for (gint64 n = 1; n <= 40; n++)
    for (int factor = -1; factor <= 1; factor += 2)
      {
        for (gint64 i = 0; i < n; i++)
          x[i] = i % 3 ? (float) factor * -INFINITY : 1.0f;
        y[n] = 77.0f;
        ck_assert (kernels->exp_sum (n, x, 1.0f, (float) factor, y) == (double) ((n + 2) / 3));
        for (gint64 i = 0; i < n; i++)
          ck_assert (y[i] == (i % 3 ? 0.0f : 1.0f));
        ck_assert (y[n] == 77.0f);
      }
}
END_TEST

START_TEST (columns_have_their_own_shifts)
{
  use_set (_i);
  if (kernels == NULL)
    return;
  float x[150], shifts[150], dy[150], y[151], sums[151], dx[151];
  fill_random (x, 150, 11);
  fill_random (shifts, 150, 12);
  fill_random (dy, 150, 13);
  for (gint64 n = 0; n < 150; n++)
    {
      for (int i = 0; i <= 150; i++)
        y[i] = sums[i] = dx[i] = 77.0f;
      kernels->exp_columns (n, x, shifts, -0.5f, y, sums);
      kernels->softmax_columns_gradient (n, x, dy, shifts, -0.5f, dx);
      for (gint64 i = 0; i <= 150; i++)
        {
          double expected = i < n ? exp (((double) x[i] - (double) shifts[i]) * -0.5) : 0.0;
          check_close ("exp_columns", n, (double) y[i], i < n ? expected : 77.0, 8.0);
          check_close ("exp_columns", n, (double) sums[i], 77.0 + expected, 100.0);
          check_close ("softmax_columns_gradient", n, (double) dx[i],
                       i < n ? (double) x[i] * ((double) dy[i] - (double) shifts[i]) * -0.5 : 77.0, 8.0);
        }
    }
}
END_TEST

START_TEST (columns_are_summed)
{
  use_set (_i);
  if (kernels == NULL)
    return;
  const gint64 row_counts[] = { 0, 1, 63, 65, 200 }, column_counts[] = { 1, 5, 16, 37, 256, 300 };
  g_autofree float *x = g_new (float, 200 * 300), *dy = g_new (float, 200 * 300);
  float mean[300], factors[200];
  double sums[4][300];
  fill_random (x, 200 * 300, 6);
  fill_random (dy, 200 * 300, 7);
  fill_random (mean, 300, 8);
  fill_random (factors, 200, 9);
  for (guint r = 0; r < G_N_ELEMENTS (row_counts); r++)
    for (guint c = 0; c < G_N_ELEMENTS (column_counts); c++)
      {
        gint64 rows = row_counts[r], columns = column_counts[c], stride = 300;
        kernels->column_sums (rows, columns, stride, x, sums[0]);
        kernels->column_weighted_sums (rows, columns, stride, x, factors, sums[1]);
        kernels->column_squares (rows, columns, stride, x, mean, sums[2]);
        kernels->column_dots (rows, columns, stride, x, mean, dy, sums[3]);
        for (gint64 column = 0; column < columns; column++)
          {
            double expected[4] = { 0 };
            for (gint64 row = 0; row < rows; row++)
              {
                double value = (double) x[row * stride + column], centred = value - (double) mean[column];
                expected[0] += value;
                expected[1] += value * (double) factors[row];
                expected[2] += centred * centred;
                expected[3] += centred * (double) dy[row * stride + column];
              }
            for (int k = 0; k < 4; k++)
              check_close ("column sum", k, sums[k][column], expected[k], 16.0 * (double) rows);
          }
      }
}
END_TEST

START_TEST (dropout_is_the_stream)
{
  use_set (_i);
  if (kernels == NULL)
    return;
  WeftRandom random = { 12345, 678 };
  float x[333], y[333];
  fill_random (x, 333, 10);
  kernels->dropout (333, x, random, 1000, 0x60000000u, 1.6f, y);
  for (guint32 i = 0; i < 333; i++)
    ck_assert (y[i] == (weft_random_bits (random, 1000 + i) >= 0x60000000u ? x[i] * 1.6f : 0.0f));
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("vector");
  TCase *tests = tcase_create ("kernels");
  tcase_add_loop_test (tests, functions_are_accurate, 0, G_N_ELEMENTS (set_names));
  tcase_add_loop_test (tests, sums_are_accurate, 0, G_N_ELEMENTS (set_names));
  tcase_add_loop_test (tests, ends_are_respected, 0, G_N_ELEMENTS (set_names));
  tcase_add_loop_test (tests, gradients_match_differences, 0, G_N_ELEMENTS (set_names));
  tcase_add_loop_test (tests, numbers_do_not_depend_on_their_neighbours, 0, G_N_ELEMENTS (set_names));
  tcase_add_loop_test (tests, sums_of_exponentials_pass_over_what_vanishes, 0, G_N_ELEMENTS (set_names));
  tcase_add_loop_test (tests, columns_have_their_own_shifts, 0, G_N_ELEMENTS (set_names));
  tcase_add_loop_test (tests, columns_are_summed, 0, G_N_ELEMENTS (set_names));
  tcase_add_loop_test (tests, dropout_is_the_stream, 0, G_N_ELEMENTS (set_names));
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed != 0;
}
