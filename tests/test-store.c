/* The store and its initial values.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "pipeline.h"
#include "rig.h"

static float *
initialise (const char *initial, const char *path, guint64 seed, gint64 rows, gint64 columns)
{
  float *data = g_new (float, rows *columns);
  WeftTensor tensor = { .type = WEFT_F32, .rank = 2, .shape = { rows, columns }, .data = data };
  g_autoptr (GError) error = NULL;
  ck_assert_msg (weft_initialise (&tensor, initial, path, seed, &error), "%s", error ? error->message : "");
  return data;
}

/* Bounds, and the mean and standard deviation that so many draws must have within six standard errors. */
static const struct
{
  const char *initial;
  double low, high, mean, deviation;
} kinds[] = {
  { "zeros", 0, 0, 0, 0 },
  { "ones", 1, 1, 1, 0 },
  { "constant(0.25)", 0.25, 0.25, 0.25, 0 },
  { "uniform(-0.1, 0.3)", -0.1, 0.3, 0.1, 0.4 / 3.4641016 },
  { "normal(0.02)", -0.02 * 6, 0.02 * 6, 0, 0.02 },
  { "xavier", -0.14142136, 0.14142136, 0, 0.14142136 / 1.7320508 }, /* √(6 / (200 + 100)) */
  { "fan_in(16)", -0.25, 0.25, 0, 0.25 / 1.7320508 },
};

START_TEST (values_are_as_described)
{
  const gint64 n = 200 * 100;
  g_autofree float *data = initialise (kinds[_i].initial, "a.weight", 3, 200, 100);
  double sum = 0, squares = 0;
  for (gint64 i = 0; i < n; i++)
    {
      ck_assert_double_ge ((double) data[i], kinds[_i].low - 1e-7);
      ck_assert_double_le ((double) data[i], kinds[_i].high + 1e-7);
      sum += (double) data[i];
    }
  for (gint64 i = 0; i < n; i++)
    squares += pow ((double) data[i] - sum / n, 2);
  ck_assert_double_le (fabs (sum / n - kinds[_i].mean), 6 * kinds[_i].deviation / sqrt (n) + 1e-9);
  ck_assert_double_le (fabs (sqrt (squares / n) - kinds[_i].deviation), 6 * kinds[_i].deviation / sqrt (n) + 1e-9);
}
END_TEST

START_TEST (rows_have_unit_length)
{
  g_autofree float *data = initialise ("unit_rows", "q", 3, 7, 33);
  for (guint r = 0; r < 7; r++)
    {
      double square = 0;
      for (guint c = 0; c < 33; c++)
        {
          ck_assert (data[r * 33 + c] >= 0);
          square += pow ((double) data[r * 33 + c], 2);
        }
      ck_assert_double_le (fabs (square - 1), 1e-6);
    }
}
END_TEST

START_TEST (values_depend_on_path_and_seed_alone)
{
  static const char *const random[] = { "uniform(0, 1)", "normal(1)", "xavier", "fan_in(3)", "unit_rows" };
  for (guint i = 0; i < G_N_ELEMENTS (random); i++)
    {
      g_autofree float *first = initialise (random[i], "a", 1, 5, 4), *again = initialise (random[i], "a", 1, 5, 4);
      g_autofree float *elsewhere = initialise (random[i], "b", 1, 5, 4), *otherwise = initialise (random[i], "a", 2, 5, 4);
      ck_assert (memcmp (first, again, 20 * sizeof (float)) == 0);
      ck_assert (memcmp (first, elsewhere, 20 * sizeof (float)) != 0);
      ck_assert (memcmp (first, otherwise, 20 * sizeof (float)) != 0);
    }
}
END_TEST

static const struct
{
  const char *initial;
  WeftType type;
  guint rank;
  const char *message;
} wrong[] = {
  { "zeroes", WEFT_F32, 2, "valid: zeros" },    { "", WEFT_F32, 2, "valid: zeros" },       { "zeros(1)", WEFT_F32, 2, "no numbers" },
  { "normal", WEFT_F32, 2, "one number" },      { "normal()", WEFT_F32, 2, "valid" },      { "normal(1", WEFT_F32, 2, "valid" },
  { "normal(1) ", WEFT_F32, 2, "valid" },       { "normal(nan)", WEFT_F32, 2, "valid" },   { "normal(-1)", WEFT_F32, 2, "negative" },
  { "uniform(1)", WEFT_F32, 2, "two numbers" }, { "uniform(1, 0)", WEFT_F32, 2, "above" }, { "uniform(0, 1, 2)", WEFT_F32, 2, "valid" },
  { "fan_in(0)", WEFT_F32, 2, "positive" },     { "fan_in(d)", WEFT_F32, 2, "valid" },     { "xavier", WEFT_F32, 1, "two dimensions" },
  { "normal(1)", WEFT_I64, 1, "type" },
};

START_TEST (wrong_words_are_refused)
{
  gint64 data[4];
  WeftTensor tensor = { .type = wrong[_i].type, .rank = wrong[_i].rank, .shape = { 2, 2 }, .data = data };
  g_autoptr (GError) error = NULL;
  if (tensor.rank == 1)
    tensor.shape[0] = 4;
  ck_assert_msg (!weft_initialise (&tensor, wrong[_i].initial, "the.path", 0, &error), "%s", wrong[_i].initial);
  ck_assert_msg (strstr (error->message, wrong[_i].message) != NULL, "%s: %s", wrong[_i].initial, error->message);
  ck_assert_ptr_nonnull (strstr (error->message, "the.path"));
}
END_TEST

START_TEST (tensors_are_found_and_aligned)
{
  static const gint64 shape[] = { 3, 5 };
  g_autoptr (WeftStore) store = weft_store_new ();
  const char *const names[] = { "b", "a.c", "a.b" };
  for (guint i = 0; i < 3; i++)
    {
      const WeftTensor *tensor = weft_store_add (store, names[i], WEFT_F32, 2, shape);
      ck_assert_uint_eq ((guintptr) tensor->data % 64, 0);
      for (guint k = 0; k < 15; k++)
        ck_assert (((const float *) tensor->data)[k] == 0);
    }
  g_autoptr (GPtrArray) paths = weft_store_paths (store);
  ck_assert_uint_eq (paths->len, 3);
  ck_assert_str_eq (paths->pdata[0], "a.b");
  ck_assert_str_eq (paths->pdata[2], "b");
  ck_assert_uint_eq (weft_store_bytes (store), 3 * 15 * sizeof (float));
  ck_assert_ptr_null (weft_store_lookup (store, "a"));
}
END_TEST

#define TWO_LAYERS                                                                                                                         \
  "modules:\n"                                                                                                                             \
  "  layers:\n"                                                                                                                            \
  "    inputs: {x: \"f32[b, d]\"}\n"                                                                                                       \
  "    attributes: {units: null}\n"                                                                                                        \
  "    nodes:\n"                                                                                                                           \
  "      first: {op: linear, x: x, units: $units}\n"                                                                                       \
  "      second: {op: linear, x: first, units: $units}\n"                                                                                  \
  "    outputs: {y: second}\n"                                                                                                             \
  "networks: {net: {module: layers, units: %d}}\n"                                                                                         \
  "graphs:\n"                                                                                                                              \
  "  train:\n"                                                                                                                             \
  "    mode: train\n"                                                                                                                      \
  "    nodes:\n"                                                                                                                           \
  "      x: {op: feed, signature: \"f32[2, 3]\"}\n"                                                                                        \
  "      keep: {op: momentum_update, source: {net: net}}\n"                                                                                \
  "      y: {use: net, x: x}\n"                                                                                                            \
  "      k: {use: net, weights: keep.net, x: x}\n"                                                                                         \
  "      %s\n"                                                                                                                             \
  "    collect: {y: y, k: k}\n"

static WeftPipeline *
build (guint units, const char *more)
{
  g_autofree char *yaml = g_strdup_printf (TWO_LAYERS, units, more);
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftValue) document = weft_document_parse (yaml, -1, "test", problems);
  g_autoptr (GError) error = NULL;
  WeftPipeline *pipeline = document ? weft_pipeline_build (document, problems) : NULL;
  ck_assert_msg (weft_problems_to_error (problems, &error), "%s", error ? error->message : "");
  return pipeline;
}

static gconstpointer
data_of (const WeftStore *store, const char *path)
{
  const WeftTensor *tensor = weft_store_lookup (store, path);
  ck_assert_msg (tensor != NULL, "%s", path);
  return tensor->data;
}

/* Variants start equal wherever they are equal, whatever else they hold. */
START_TEST (variants_start_equal)
{
  g_autoptr (WeftPipeline) one = build (4, ""), other = build (4, "more: {op: linear, x: x, units: 2}");
  g_autoptr (WeftStore) a = weft_store_new (), b = weft_store_new ();
  ck_assert (weft_store_prepare (a, one, 5, NULL) && weft_store_prepare (b, other, 5, NULL));
  ck_assert (memcmp (data_of (a, "net.first.weight"), data_of (b, "net.first.weight"), 12 * sizeof (float)) == 0);
  ck_assert (memcmp (data_of (a, "net.second.weight"), data_of (b, "net.second.weight"), 16 * sizeof (float)) == 0);
  ck_assert (memcmp (data_of (a, "net.second.weight"), data_of (a, "net.first.weight"), 12 * sizeof (float)) != 0);
}
END_TEST

START_TEST (copies_start_equal_and_what_is_there_stays)
{
  g_autoptr (WeftPipeline) pipeline = build (4, "");
  g_autoptr (WeftStore) store = weft_store_new ();
  ck_assert (weft_store_prepare (store, pipeline, 5, NULL));
  ck_assert (memcmp (data_of (store, "net.first.weight"), data_of (store, "train.keep.key.net.first.weight"), 12 * sizeof (float)) == 0);
  float *weight = weft_store_lookup (store, "net.first.weight")->data;
  weight[0] = 42;
  ck_assert (weft_store_prepare (store, pipeline, 6, NULL));
  ck_assert (weight[0] == 42);
  ck_assert (((const float *) data_of (store, "train.keep.key.net.first.weight"))[0] != 42);
}
END_TEST

START_TEST (other_shapes_are_refused)
{
  g_autoptr (WeftPipeline) one = build (4, ""), other = build (5, "");
  g_autoptr (WeftStore) store = weft_store_new ();
  g_autoptr (GError) error = NULL;
  ck_assert (weft_store_prepare (store, one, 5, NULL));
  ck_assert (!weft_store_prepare (store, other, 5, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "net.first"));
}
END_TEST

int
main (void)
{
  TCase *tests = tcase_create ("store");
  Suite *suite = suite_create ("store");
  weft_registry_load (NULL);
  tcase_add_loop_test (tests, values_are_as_described, 0, G_N_ELEMENTS (kinds));
  tcase_add_test (tests, rows_have_unit_length);
  tcase_add_test (tests, values_depend_on_path_and_seed_alone);
  tcase_add_loop_test (tests, wrong_words_are_refused, 0, G_N_ELEMENTS (wrong));
  tcase_add_test (tests, tensors_are_found_and_aligned);
  tcase_add_test (tests, variants_start_equal);
  tcase_add_test (tests, copies_start_equal_and_what_is_there_stays);
  tcase_add_test (tests, other_shapes_are_refused);
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
