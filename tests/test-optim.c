/* Optimizers against the formulas they are published with, in double precision: momentum, decay, clipping, accumulation, groups, freezing.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "flushing.h"
#include "rig.h"

#define ROWS 6
#define WIDTH 5
#define MOST_PARAMETERS 4
#define MOST_ELEMENTS 64

/* Two layers, so that groups have something to tell apart. */
#define PIPELINE                                                                                                                           \
  "modules:\n"                                                                                                                             \
  "  encoder:\n"                                                                                                                           \
  "    inputs: {x: \"f32[b, d]\"}\n"                                                                                                       \
  "    nodes:\n"                                                                                                                           \
  "      body: {op: linear, x: x, units: 4}\n"                                                                                             \
  "      bend: {op: tanh, x: body}\n"                                                                                                      \
  "      head: {op: linear, x: bend, units: 3}\n"                                                                                          \
  "    outputs: {y: head}\n"                                                                                                               \
  "networks: {net: {module: encoder}}\n"                                                                                                   \
  "graphs:\n"                                                                                                                              \
  "  train:\n"                                                                                                                             \
  "    mode: train\n"                                                                                                                      \
  "    nodes:\n"                                                                                                                           \
  "      x: {op: feed, signature: \"f32[6, 5]\"}\n"                                                                                        \
  "      w: {op: feed, signature: \"f32[6, 3]\"}\n"                                                                                        \
  "      y: {use: net, x: x}\n"                                                                                                            \
  "      bent: {op: tanh, x: y}\n"                                                                                                         \
  "      loss: {op: weighted_sum, x: bent, weights: w}\n"                                                                                  \
  "      update: {%s, minimize: loss}\n"                                                                                                   \
  "    collect: {norm: update.norm, rate: update.rate}\n"

typedef struct
{
  const char *name; /* of the test, for messages */
  const char *settings;
  /* What they mean. */
  double rate, decay, clip, momentum;
  gboolean nesterov, adam;
  guint accumulate;
  const char *scaled; /* part of the paths whose rate is a fifth */
  const char *frozen; /* part of the paths that are left alone */
  const char *spared; /* part of the paths that don't decay */
} Case;

static const Case cases[] = {
  { .name = "plain", .settings = "op: sgd, rate: 0.1", .rate = 0.1, .accumulate = 1 },
  { .name = "momentum", .settings = "op: sgd, rate: 0.1, momentum: 0.9", .rate = 0.1, .momentum = 0.9, .accumulate = 1 },
  { .name = "decay",
    .settings = "op: sgd, rate: 0.1, momentum: 0.5, decay: 0.2",
    .rate = 0.1,
    .momentum = 0.5,
    .decay = 0.2,
    .accumulate = 1 },
  { .name = "nesterov",
    .settings = "op: sgd, rate: 0.1, momentum: 0.9, nesterov: true, clip: 1",
    .rate = 0.1,
    .momentum = 0.9,
    .nesterov = TRUE,
    .clip = 1,
    .accumulate = 1 },
  { .name = "clipping", .settings = "op: sgd, rate: 0.1, clip: 0.7", .rate = 0.1, .clip = 0.7, .accumulate = 1 },
  { .name = "clipping nothing", .settings = "op: sgd, rate: 0.1, clip: 1000", .rate = 0.1, .clip = 1000, .accumulate = 1 },
  { .name = "accumulation",
    .settings = "op: sgd, rate: 0.1, momentum: 0.9, accumulate: 3, clip: 0.7",
    .rate = 0.1,
    .momentum = 0.9,
    .clip = 0.7,
    .accumulate = 3 },
  { .name = "groups",
    .settings = "op: sgd, rate: 0.1, decay: 0.3, scale: {\"**.weight\": 0.2}, decay_scale: {\"net.*.bias\": 0}, freeze: [net.head]",
    .rate = 0.1,
    .decay = 0.3,
    .accumulate = 1,
    .scaled = ".weight",
    .spared = ".bias",
    .frozen = ".head." },
  { .name = "freezing and clipping",
    .settings = "op: sgd, rate: 0.1, clip: 0.5, freeze: [net.body]",
    .rate = 0.1,
    .clip = 0.5,
    .accumulate = 1,
    .frozen = ".body." },
  { .name = "adam", .settings = "op: adamw, rate: 0.01, decay: 0", .rate = 0.01, .adam = TRUE, .accumulate = 1 },
  { .name = "adam with decay",
    .settings = "op: adamw, rate: 0.01, decay: 0.5, clip: 0.7",
    .rate = 0.01,
    .decay = 0.5,
    .clip = 0.7,
    .adam = TRUE,
    .accumulate = 1 },
  { .name = "adam with accumulation",
    .settings = "op: adamw, rate: 0.01, decay: 0.5, clip: 0.7, accumulate: 2",
    .rate = 0.01,
    .decay = 0.5,
    .clip = 0.7,
    .adam = TRUE,
    .accumulate = 2 },
  { .name = "adam with groups",
    .settings = "op: adamw, rate: 0.01, decay: 0.5, scale: {net.body: 7, net.*.weight: 0.2}, decay_scale: {\"**.bias\": 0}, freeze: "
                "[net.head, net.body.bias]",
    .rate = 0.01,
    .decay = 0.5,
    .adam = TRUE,
    .accumulate = 1,
    .scaled = ".weight",
    .spared = ".bias",
    .frozen = ".head." },
};

/* One parameter as it should be. */
typedef struct
{
  const WeftTarget *target;
  gint64 n;
  double value[MOST_ELEMENTS], sum[MOST_ELEMENTS], first[MOST_ELEMENTS], second[MOST_ELEMENTS];
  gboolean frozen;
} Expected;

static gboolean
has (const char *path, const char *part)
{
  return part != NULL && strstr (path, part) != NULL;
}

/* Starts with the gradients kept. */
static void
start (Rig *rig, const Case *test, Expected *expected, guint *n)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *yaml = g_strdup_printf (PIPELINE, test->settings);
  rig_start (rig, yaml);
  g_clear_pointer (&rig->executor, weft_executor_free);
  weft_plan_free (rig->plan);
  const GArray *targets = weft_graph_node (rig->graph, "update")->targets;
  *n = targets->len;
  for (guint i = 0; i < targets->len; i++)
    {
      const WeftTarget *target = &g_array_index (targets, WeftTarget, i);
      const WeftTensor *value = weft_store_lookup (rig->store, target->path);
      target->gradient->kept = TRUE;
      expected[i] = (Expected){ .target = target, .n = weft_tensor_elements (value) };
      ck_assert_int_le (expected[i].n, MOST_ELEMENTS);
      for (gint64 k = 0; k < expected[i].n; k++)
        expected[i].value[k] = (double) ((const float *) value->data)[k];
      expected[i].frozen =
          has (target->path, test->frozen) || (strstr (test->settings, "net.body.bias") && g_str_equal (target->path, "net.body.bias"));
    }
  rig->plan = weft_plan_new (rig->graph, &error);
  rig->executor = weft_executor_new (rig->plan, rig->store, rig->team, 7, &error);
  ck_assert_msg (rig->executor != NULL, "%s", error ? error->message : "");
}

static void
feed (Rig *rig, guint64 step)
{
  static float x[ROWS * WIDTH], w[ROWS * 3];
  static WeftTensor tensors[2] = { { .type = WEFT_F32, .rank = 2, .shape = { ROWS, WIDTH }, .data = x },
                                   { .type = WEFT_F32, .rank = 2, .shape = { ROWS, 3 }, .data = w } };
  WeftRandom random = weft_random_for (1, "inputs", step);
  for (guint32 i = 0; i < ROWS * WIDTH; i++)
    x[i] = weft_random_normal (random, i);
  for (guint32 i = 0; i < ROWS * 3; i++)
    w[i] = weft_random_normal (random, 1000 + i);
  rig_feed (rig, "x", &tensors[0]);
  rig_feed (rig, "w", &tensors[1]);
}

/* Adds this step's gradients to the sums. */
static void
add_gradients (Rig *rig, Expected *expected, guint n, gboolean first)
{
  for (guint i = 0; i < n; i++)
    {
      const float *gradient = weft_executor_value (rig->executor, expected[i].target->gradient)->data;
      for (gint64 k = 0; k < expected[i].n; k++)
        expected[i].sum[k] = (first ? 0 : expected[i].sum[k]) + (double) gradient[k];
    }
}

static double
norm_of (const Expected *expected, guint n, double steps)
{
  double squares = 0;
  for (guint i = 0; i < n; i++)
    for (gint64 k = 0; k < expected[i].n && !expected[i].frozen; k++)
      squares += expected[i].sum[k] * expected[i].sum[k];
  return sqrt (squares) / steps;
}

static void
update (const Case *test, Expected *expected, double factor, guint updates)
{
  double rate = test->rate * (has (expected->target->path, test->scaled) ? 0.2 : 1);
  double decay = has (expected->target->path, test->spared) ? 0 : test->decay;
  for (gint64 k = 0; k < expected->n && !expected->frozen; k++)
    {
      double g = factor * expected->sum[k], *value = &expected->value[k], *first = &expected->first[k], *second = &expected->second[k];
      if (test->adam)
        {
          *value *= 1 - rate * decay;
          *first = 0.9 * *first + 0.1 * g;
          *second = 0.999 * *second + 0.001 * g * g;
          *value -= rate * (*first / (1 - pow (0.9, updates))) / (sqrt (*second / (1 - pow (0.999, updates))) + 1e-8);
          continue;
        }
      g += decay * *value;
      *first = test->momentum * *first + g;
      *value -= rate * (test->nesterov ? g + test->momentum * *first : *first);
    }
}

START_TEST (updates_follow_their_formulas)
{
  const Case *test = &cases[_i];
  Expected expected[MOST_PARAMETERS];
  guint n, updates = 0;
  double clipped = 0;
  Rig rig;
  start (&rig, test, expected, &n);
  ck_assert_uint_eq (n, MOST_PARAMETERS);
  for (guint step = 0; step < 6 * test->accumulate; step++)
    {
      guint turn = step % test->accumulate + 1;
      feed (&rig, step);
      ck_assert (rig_step (&rig, step, 0));
      add_gradients (&rig, expected, n, turn == 1);
      double norm = norm_of (expected, n, turn), clip = test->clip > 0 ? MIN (1, test->clip / (norm + 1e-6)) : 1;
      ck_assert_double_eq_tol ((double) *(const float *) rig_value (&rig, "update.norm")->data, norm, 1e-5 * norm);
      ck_assert_double_eq_tol ((double) *(const float *) rig_value (&rig, "update.rate")->data, test->rate, 1e-7);
      clipped += clip < 1;
      if (turn == test->accumulate)
        {
          updates++;
          for (guint i = 0; i < n; i++)
            update (test, &expected[i], clip / test->accumulate, updates);
        }
      for (guint i = 0; i < n; i++)
        for (gint64 k = 0; k < expected[i].n; k++)
          {
            const float *value = weft_store_lookup (rig.store, expected[i].target->path)->data;
            ck_assert_msg (fabs ((double) value[k] - expected[i].value[k]) < 1e-5, "%s: element %d of %s is %g in step %u instead of %g",
                           test->name, (int) k, expected[i].target->path, (double) value[k], step, expected[i].value[k]);
          }
    }
  /* A limit that is never reached would show nothing. */
  ck_assert_msg (test->clip == 0 || test->clip > 100 || clipped > 0, "%s: nothing was clipped", test->name);
  rig_clear (&rig);
}
END_TEST

/* Thawed in step 2: until then nothing moves, nor does it count in the norm; then it starts as if new. */
START_TEST (what_is_frozen_for_a_while_starts_later)
{
  const Case test = {
    .settings = "op: adamw, rate: 0.01, decay: 0.5, frozen_until: {net.body: 2}", .rate = 0.01, .decay = 0.5, .adam = TRUE, .accumulate = 1
  };
  Expected expected[MOST_PARAMETERS];
  guint n;
  Rig rig;
  start (&rig, &test, expected, &n);
  for (guint step = 0; step < 5; step++)
    {
      feed (&rig, step);
      ck_assert (rig_step (&rig, step, 0));
      add_gradients (&rig, expected, n, TRUE);
      for (guint i = 0; i < n; i++)
        expected[i].frozen = has (expected[i].target->path, ".body.") && step < 2;
      double norm = norm_of (expected, n, 1);
      ck_assert_double_eq_tol ((double) *(const float *) rig_value (&rig, "update.norm")->data, norm, 1e-5 * norm);
      for (guint i = 0; i < n; i++)
        {
          const float *value = weft_store_lookup (rig.store, expected[i].target->path)->data;
          update (&test, &expected[i], 1, has (expected[i].target->path, ".body.") ? step - 1 : step + 1);
          for (gint64 k = 0; k < expected[i].n; k++)
            ck_assert_double_eq_tol ((double) value[k], expected[i].value[k], 1e-5);
        }
    }
  rig_clear (&rig);
}
END_TEST

/* Nine tenths of the least denormal number are that number again: what is not used any more would be slow for ever. */
START_TEST (moments_fade_to_zero)
{
  const Case test = { .settings = "op: adamw, rate: 0.01", .rate = 0.01, .adam = TRUE, .accumulate = 1 };
  Expected expected[MOST_PARAMETERS];
  float zeros[ROWS * WIDTH] = { 0 };
  WeftTensor w = { .type = WEFT_F32, .rank = 2, .shape = { ROWS, 3 }, .data = zeros };
  guint n;
  Rig rig;
  if (!denormals_can_be_flushed ())
    return;
  start (&rig, &test, expected, &n);
  for (guint i = 0; i < n; i++)
    for (gint64 k = 0; k < expected[i].n; k++)
      ((float *) weft_store_lookup (rig.store, expected[i].target->slots[0])->data)[k] = 0x1p-149f;
  feed (&rig, 0);
  rig_feed (&rig, "w", &w);
  ck_assert (rig_step (&rig, 0, 0));
  for (guint i = 0; i < n; i++)
    for (gint64 k = 0; k < expected[i].n; k++)
      ck_assert (((const float *) weft_store_lookup (rig.store, expected[i].target->slots[0])->data)[k] == 0.0f);
  rig_clear (&rig);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("optim");
  TCase *tests = tcase_create ("optim");
  tcase_add_loop_test (tests, updates_follow_their_formulas, 0, G_N_ELEMENTS (cases));
  tcase_add_test (tests, what_is_frozen_for_a_while_starts_later);
  tcase_add_test (tests, moments_fade_to_zero);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
