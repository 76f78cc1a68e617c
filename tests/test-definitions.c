/* Operators whose results follow from a line of mathematics, against that line in double precision. Samples have three, no, one and six
 * rows, and rows have an odd width.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "rig.h"

#define SAMPLES 4
#define ROWS 10
#define WIDTH 7
#define K 2
#define TEMPERATURE 0.7

static gint32 offsets[SAMPLES + 1] = { 0, 3, 3, 4, ROWS };
static float x[ROWS][WIDTH], z[ROWS][WIDTH], w[ROWS][1], s[SAMPLES][WIDTH];

static void
fill (const char *name, float *values, guint n)
{
  WeftRandom random = weft_random_for (1, name, 0);
  for (guint i = 0; i < n; i++)
    values[i] = 4 * weft_random_uniform (random, i) - 2;
  /* Equal values, zeros of both signs, and what overflows a careless exponential. */
  values[0] = values[n - 1] = 0;
  values[n / 2] = -0.0f;
}

static void
set_up (void)
{
  fill ("x", &x[0][0], ROWS * WIDTH);
  fill ("z", &z[0][0], ROWS * WIDTH);
  fill ("w", &w[0][0], ROWS);
  fill ("s", &s[0][0], SAMPLES * WIDTH);
  x[5][2] = x[6][2] = 1.5f;
  x[4][0] = 90;
  x[4][1] = -90;
}

/* Scalars of x and z. */

static double
relu (double a, G_GNUC_UNUSED double b)
{
  return a > 0 ? a : 0;
}

static double
hyperbolic_tangent (double a, G_GNUC_UNUSED double b)
{
  return tanh (a);
}

static double
sigmoid (double a, G_GNUC_UNUSED double b)
{
  return 1 / (1 + exp (-a));
}

static double
gelu (double a, G_GNUC_UNUSED double b)
{
  return a * 0.5 * erfc (-a * G_SQRT2 / 2);
}

static double
gelu_quick (double a, G_GNUC_UNUSED double b)
{
  return a * sigmoid (1.702 * a, 0);
}

static double
identity (double a, G_GNUC_UNUSED double b)
{
  return a;
}

static double
sum_of_three (double a, double b)
{
  return a + b + a;
}

static double
difference (double a, double b)
{
  return a - b;
}

static double
product (double a, double b)
{
  return a * b;
}

static double
scaled (double a, G_GNUC_UNUSED double b)
{
  return -2.5 * a + 0.75;
}

static const struct
{
  const char *node;
  double (*define) (double a, double b);
} scalars[] = {
  { "op: relu, x: x", relu },
  { "op: tanh, x: x", hyperbolic_tangent },
  { "op: sigmoid, x: x", sigmoid },
  { "op: gelu, x: x", gelu },
  { "op: gelu, form: quick, x: x", gelu_quick },
  { "op: dropout, rate: 0.9, mode: infer, x: x", identity },
  { "op: add, x: [x]", identity },
  { "op: add, x: [x, z, x]", sum_of_three },
  { "op: sum, x: [x, z, x]", sum_of_three },
  { "op: subtract, a: x, b: z", difference },
  { "op: multiply, a: x, b: z", product },
  { "op: scale, x: x, factor: -2.5, offset: 0.75", scaled },
};

static void
start_with (Rig *rig, const char *node, const char *collect)
{
  static WeftTensor tensors[4];
  g_autofree char *yaml =
      g_strdup_printf ("graphs: {train: {mode: train, nodes: {x: {op: feed, signature: \"f32[b<=%d : t<=%d, %d]\"},\n"
                       "  z: {op: feed, signature: \"f32[b : t, %d]\"}, w: {op: feed, signature: \"f32[b : t, 1]\"},\n"
                       "  s: {op: feed, signature: \"f32[b, %d]\"}, y: {%s}}, collect: {x: x, z: z, w: w, s: s, y: y%s}}}",
                       SAMPLES, ROWS, WIDTH, WIDTH, WIDTH, node, collect);
  tensors[0] = (WeftTensor){ .type = WEFT_F32, .rank = 2, .shape = { ROWS, WIDTH }, .data = x, .offsets = offsets, .samples = SAMPLES };
  tensors[1] = tensors[2] = tensors[0];
  tensors[1].data = z;
  tensors[2].data = w;
  tensors[2].shape[1] = 1;
  tensors[3] = (WeftTensor){ .type = WEFT_F32, .rank = 2, .shape = { SAMPLES, WIDTH }, .data = s };
  rig_start (rig, yaml);
  rig_feed (rig, "x", &tensors[0]);
  rig_feed (rig, "z", &tensors[1]);
  rig_feed (rig, "w", &tensors[2]);
  rig_feed (rig, "s", &tensors[3]);
  ck_assert (rig_step (rig, 0, 0));
}

static void
start (Rig *rig, const char *node)
{
  start_with (rig, node, "");
}

static void
compare_wire (Rig *rig, const char *reference, const char *node, const double *expected, gint64 rows, gint64 columns)
{
  const WeftTensor *y = rig_value (rig, reference);
  double scale = 1;
  ck_assert_int_eq (weft_tensor_elements (y), rows * columns);
  for (gint64 i = 0; i < rows * columns; i++)
    scale = MAX (scale, fabs (expected[i]));
  for (gint64 i = 0; i < rows * columns; i++)
    {
      double found = (double) ((const float *) y->data)[i];
      ck_assert_msg (fabs (found - expected[i]) <= 4e-7 * (fabs (expected[i]) + 0.1 * scale), "%s: element %d, %d is %.9g instead of %.9g",
                     node, (int) (i / columns), (int) (i % columns), found, expected[i]);
    }
}

static void
compare (Rig *rig, const char *node, const double *expected, gint64 rows, gint64 columns)
{
  compare_wire (rig, "y", node, expected, rows, columns);
}

START_TEST (scalars_are_as_defined)
{
  double expected[ROWS][WIDTH];
  Rig rig;
  start (&rig, scalars[_i].node);
  for (guint i = 0; i < ROWS; i++)
    for (guint j = 0; j < WIDTH; j++)
      expected[i][j] = scalars[_i].define ((double) x[i][j], (double) z[i][j]);
  compare (&rig, scalars[_i].node, &expected[0][0], ROWS, WIDTH);
  rig_clear (&rig);
}
END_TEST

/* Rows: one to one. */

static void
unit (const float *row, double *y)
{
  double length = 0;
  for (guint j = 0; j < WIDTH; j++)
    length += (double) row[j] * (double) row[j];
  for (guint j = 0; j < WIDTH; j++)
    y[j] = (double) row[j] / (sqrt (length) + 1e-8);
}

static void
softmax (const float *row, double *y)
{
  double sum = 0;
  for (guint j = 0; j < WIDTH; j++)
    sum += exp ((double) row[j] / TEMPERATURE);
  for (guint j = 0; j < WIDTH; j++)
    y[j] = exp ((double) row[j] / TEMPERATURE) / sum;
}

static const struct
{
  const char *node;
  void (*define) (const float *row, double *y);
} rows[] = {
  { "op: l2_normalize, x: x", unit },
  { "op: softmax, x: x, temperature: 0.7", softmax },
};

START_TEST (rows_are_as_defined)
{
  double expected[ROWS][WIDTH];
  Rig rig;
  start (&rig, rows[_i].node);
  for (guint i = 0; i < ROWS; i++)
    rows[_i].define (x[i], expected[i]);
  compare (&rig, rows[_i].node, &expected[0][0], ROWS, WIDTH);
  rig_clear (&rig);
}
END_TEST

START_TEST (concatenated_rows_stand_side_by_side)
{
  double expected[ROWS][2 * WIDTH + 1];
  const char *node = "op: concatenate, x: {first: x, second: w, third: z}";
  Rig rig;
  start (&rig, node);
  for (guint i = 0; i < ROWS; i++)
    for (guint j = 0; j < 2 * WIDTH + 1; j++)
      expected[i][j] = (double) (j < WIDTH ? x[i][j] : j == WIDTH ? w[i][0] : z[i][j - WIDTH - 1]);
  compare (&rig, node, &expected[0][0], ROWS, 2 * WIDTH + 1);
  ck_assert_int_eq (rig_value (&rig, "y")->samples, SAMPLES);
  rig_clear (&rig);
}
END_TEST

/* Samples: rows to one row. @column: of x, n values; @weight: of w. */

static double
sum (const double *column, G_GNUC_UNUSED const double *weight, guint n)
{
  double total = 0;
  for (guint i = 0; i < n; i++)
    total += column[i];
  return total;
}

static double
mean (const double *column, const double *weight, guint n)
{
  return n > 0 ? sum (column, weight, n) / n : 0;
}

static double
maximum (const double *column, G_GNUC_UNUSED const double *weight, guint n)
{
  double greatest = n > 0 ? column[0] : 0;
  for (guint i = 1; i < n; i++)
    greatest = MAX (greatest, column[i]);
  return greatest;
}

static double
mean_of_greatest (const double *column, const double *weight, guint n)
{
  double rest[ROWS], greatest = maximum (column, weight, n);
  guint n_rest = 0;
  gboolean taken = FALSE;
  if (n < K)
    return greatest;
  for (guint i = 0; i < n; i++)
    if (column[i] < greatest || taken)
      rest[n_rest++] = column[i];
    else
      taken = TRUE;
  return (greatest + maximum (rest, weight, n_rest)) / K;
}

static double
weighed (const double *column, const double *weight, guint n)
{
  double total = 0;
  for (guint i = 0; i < n; i++)
    total += column[i] * weight[i];
  return total;
}

static const struct
{
  const char *node;
  double (*define) (const double *column, const double *weight, guint n);
} samples[] = {
  { "op: segment_sum, x: x", sum },           { "op: segment_mean, x: x", mean },
  { "op: segment_max, x: x", maximum },       { "op: segment_k_max, x: x, k: 2", mean_of_greatest },
  { "op: weigh, x: x, weights: w", weighed },
};

START_TEST (samples_are_as_defined)
{
  double expected[SAMPLES][WIDTH], column[ROWS], weight[ROWS];
  Rig rig;
  start (&rig, samples[_i].node);
  for (guint b = 0; b < SAMPLES; b++)
    for (guint j = 0; j < WIDTH; j++)
      {
        guint n = 0;
        for (gint32 i = offsets[b]; i < offsets[b + 1]; i++, n++)
          {
            column[n] = (double) x[i][j];
            weight[n] = (double) w[i][0];
          }
        expected[b][j] = samples[_i].define (column, weight, n);
      }
  compare (&rig, samples[_i].node, &expected[0][0], SAMPLES, WIDTH);
  rig_clear (&rig);
}
END_TEST

START_TEST (softmax_runs_over_the_rows_of_a_sample)
{
  double expected[ROWS][WIDTH];
  const char *node = "op: segment_softmax, x: x, temperature: 0.7";
  Rig rig;
  start (&rig, node);
  for (guint b = 0; b < SAMPLES; b++)
    for (guint j = 0; j < WIDTH; j++)
      {
        double total = 0;
        for (gint32 i = offsets[b]; i < offsets[b + 1]; i++)
          total += exp ((double) x[i][j] / TEMPERATURE);
        for (gint32 i = offsets[b]; i < offsets[b + 1]; i++)
          expected[i][j] = exp ((double) x[i][j] / TEMPERATURE) / total;
      }
  compare (&rig, node, &expected[0][0], ROWS, WIDTH);
  rig_clear (&rig);
}
END_TEST

START_TEST (samples_spread_to_their_rows)
{
  double expected[ROWS][WIDTH];
  Rig rig;
  start (&rig, "op: spread, x: s, like: x");
  for (guint b = 0; b < SAMPLES; b++)
    for (gint32 i = offsets[b]; i < offsets[b + 1]; i++)
      for (guint j = 0; j < WIDTH; j++)
        expected[i][j] = (double) s[b][j];
  compare (&rig, "spread", &expected[0][0], ROWS, WIDTH);
  rig_clear (&rig);
}
END_TEST

/* x'_r = x_r + a_r g, where a is a softmax over the rows of a sample, then of unit norm. */
static void
enhance (const float (*from)[WIDTH], const float (*guide)[WIDTH], double scale, double (*to)[WIDTH])
{
  for (guint b = 0; b < SAMPLES; b++)
    {
      double a[ROWS] = { 0 }, total = 0, square = 0;
      for (gint32 i = offsets[b]; i < offsets[b + 1]; i++)
        {
          for (guint j = 0; j < WIDTH; j++)
            a[i] += scale * (double) from[i][j] * (double) guide[b][j];
          total += exp (a[i]);
        }
      for (gint32 i = offsets[b]; i < offsets[b + 1]; i++)
        {
          a[i] = exp (a[i]) / total;
          square += a[i] * a[i];
        }
      for (gint32 i = offsets[b]; i < offsets[b + 1]; i++)
        for (guint j = 0; j < WIDTH; j++)
          to[i][j] = (double) from[i][j] + a[i] / (sqrt (square) + 1e-8) * (double) guide[b][j];
    }
}

START_TEST (guides_enhance_regions)
{
  double expected[ROWS][WIDTH];
  Rig rig;
  start (&rig, "op: enhance, regions: x, guide: s, scale: 0.3");
  enhance (x, s, 0.3, expected);
  compare_wire (&rig, "y.y", "enhance", &expected[0][0], ROWS, WIDTH);
  rig_clear (&rig);
}
END_TEST

/* Self-guided and CLIP-guided at once: the guides are operators of their own, and so is the step that they share. */
START_TEST (both_guides_can_be_used_at_once)
{
  double expected[ROWS][WIDTH];
  float first[ROWS][WIDTH];
  Rig rig;
  start_with (&rig,
              "op: enhance, regions: once.y, guide: other}, own: {op: sge, regions: x, width: 7, positions: 6},\n"
              "  once: {op: enhance, regions: x, guide: own}, other: {op: cge, clip: s, units: 7",
              ", own: own, other: other");
  enhance (x, (const float (*)[WIDTH]) rig_value (&rig, "own.unit.y")->data, 1, expected);
  for (guint i = 0; i < ROWS; i++)
    for (guint j = 0; j < WIDTH; j++)
      first[i][j] = (float) expected[i][j];
  enhance ((const float (*)[WIDTH]) first, (const float (*)[WIDTH]) rig_value (&rig, "other.unit.y")->data, 1, expected);
  compare_wire (&rig, "y.y", "sge and cge", &expected[0][0], ROWS, WIDTH);
  rig_clear (&rig);
}
END_TEST

START_TEST (everything_becomes_one_number)
{
  double total = 0, weighted = 0;
  Rig rig;
  for (guint i = 0; i < ROWS; i++)
    for (guint j = 0; j < WIDTH; j++)
      {
        total += (double) x[i][j];
        weighted += (double) x[i][j] * (double) z[i][j];
      }
  total /= ROWS * WIDTH;
  start (&rig, "op: mean, x: x");
  compare (&rig, "mean", &total, 1, 1);
  rig_clear (&rig);
  start (&rig, "op: weighted_sum, x: x, weights: z");
  compare (&rig, "weighted_sum", &weighted, 1, 1);
  rig_clear (&rig);
}
END_TEST

START_TEST (products_of_rows_with_rows)
{
  double expected[ROWS][SAMPLES];
  Rig rig;
  start (&rig, "op: matrix_product, a: x, b: s");
  for (guint i = 0; i < ROWS; i++)
    for (guint b = 0; b < SAMPLES; b++)
      {
        expected[i][b] = 0;
        for (guint j = 0; j < WIDTH; j++)
          expected[i][b] += (double) x[i][j] * (double) s[b][j];
      }
  compare (&rig, "matrix_product", &expected[0][0], ROWS, SAMPLES);
  rig_clear (&rig);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("definitions");
  TCase *tests = tcase_create ("definitions");
  tcase_add_checked_fixture (tests, set_up, NULL);
  tcase_add_loop_test (tests, scalars_are_as_defined, 0, G_N_ELEMENTS (scalars));
  tcase_add_loop_test (tests, rows_are_as_defined, 0, G_N_ELEMENTS (rows));
  tcase_add_test (tests, concatenated_rows_stand_side_by_side);
  tcase_add_loop_test (tests, samples_are_as_defined, 0, G_N_ELEMENTS (samples));
  tcase_add_test (tests, softmax_runs_over_the_rows_of_a_sample);
  tcase_add_test (tests, samples_spread_to_their_rows);
  tcase_add_test (tests, guides_enhance_regions);
  tcase_add_test (tests, both_guides_can_be_used_at_once);
  tcase_add_test (tests, everything_becomes_one_number);
  tcase_add_test (tests, products_of_rows_with_rows);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
