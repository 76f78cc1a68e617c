/* The arena is laid out for the sizes that occur: results are those of an arena with room for every bound.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#define WIDTH 8
#define MOST 400

static const char *const pipeline = "pipeline: fit\n"
                                    "graphs:\n"
                                    "  train:\n"
                                    "    mode: train\n"
                                    "    nodes:\n"
                                    "      x: {op: feed, signature: \"f32[b<=40 : t<=400, 8]\"}\n"
                                    "      a: {op: linear, x: x, units: 24}\n"
                                    "      g: {op: gelu, x: a}\n"
                                    "      v: {op: gpo, x: g, width: 4, hidden: 3}\n"
                                    "      z: {op: feed, signature: \"f32[c<=40 : s<=400, 8]\"}\n"
                                    "      h: {op: linear, x: z, units: 24}\n"
                                    "      w: {op: segment_mean, x: h}\n"
                                    "      p: {op: mean, x: v}\n"
                                    "      q: {op: mean, x: w}\n"
                                    "      loss: {op: add, x: [p, q]}\n"
                                    "      update: {op: sgd, minimize: loss, rate: 0.1}\n"
                                    "    collect: {loss: loss, v: v, norm: update.norm}\n";

static WeftTensor
samples (guint64 step, const char *name, gint64 n, gint64 rows)
{
  WeftTensor tensor = { .type = WEFT_F32, .rank = 2, .shape = { rows, WIDTH }, .samples = n, .offsets = g_new0 (gint32, n + 1) };
  WeftRandom random = weft_random_for (step, name, 0);
  float *data = g_new (float, MAX (rows * WIDTH, 1));
  for (gint64 i = 0; i < rows * WIDTH; i++)
    data[i] = weft_random_uniform (random, (guint32) i) - 0.5f;
  for (gint64 i = 0; i <= n; i++)
    tensor.offsets[i] = (gint32) (rows * i * i / MAX (n * n, 1));
  tensor.data = data;
  return tensor;
}

static void
tensor_clear (WeftTensor *tensor)
{
  g_free (tensor->data);
  g_free (tensor->offsets);
}

START_TEST (sizes_come_and_go)
{
  static const gint64 sizes[][4] = { { 3, 10, 2, 4 },    { 4, 12, 2, 4 },     { 2, 5, 40, 400 }, { 40, 400, 1, 1 },
                                     { 40, 399, 3, 50 }, { 17, 211, 17, 90 }, { 1, 1, 40, 400 }, { 40, MOST, 40, MOST } };
  g_autoptr (GError) error = NULL;
  Rig fitted, fixed;
  rig_start (&fitted, pipeline);
  rig_start (&fixed, pipeline);
  weft_executor_free (fixed.executor);
  fixed.plan->fixed = TRUE;
  fixed.executor = weft_executor_new (fixed.plan, fixed.store, fixed.team, 7, &error);
  ck_assert_ptr_nonnull (fixed.executor);
  for (guint64 step = 0; step < G_N_ELEMENTS (sizes); step++)
    {
      WeftTensor x = samples (step, "x", sizes[step][0], sizes[step][1]), z = samples (step, "z", sizes[step][2], sizes[step][3]);
      Rig *rigs[] = { &fitted, &fixed };
      for (int i = 0; i < 2; i++)
        {
          rig_feed (rigs[i], "x", &x);
          rig_feed (rigs[i], "z", &z);
          ck_assert (rig_step (rigs[i], step, 0));
        }
      static const char *const names[] = { "loss", "v", "update.norm" };
      for (guint i = 0; i < G_N_ELEMENTS (names); i++)
        {
          const WeftTensor *a = rig_value (&fitted, names[i]), *b = rig_value (&fixed, names[i]);
          ck_assert_int_eq (weft_tensor_bytes (a), weft_tensor_bytes (b));
          ck_assert_msg (memcmp (a->data, b->data, weft_tensor_bytes (a)) == 0, "step %d: %s differs", (int) step, names[i]);
        }
      tensor_clear (&x);
      tensor_clear (&z);
    }
  rig_clear (&fitted);
  rig_clear (&fixed);
}
END_TEST

/* Closer together than bounds, yet apart: values that live at the same time share no byte. */
START_TEST (places_stay_apart)
{
  Rig rig;
  rig_start (&rig, pipeline);
  guint n = rig.graph->symbols->len, wires = rig.graph->wires->len;
  g_autofree gint64 *room = g_new0 (gint64, n + 1);
  g_autofree guint *introducer = g_new0 (guint, n + 1);
  for (guint i = 0; i < n; i++)
    {
      room[i] = MAX (((WeftSymbol *) rig.graph->symbols->pdata[i])->bound / 4, 1);
      introducer[i] = G_MAXUINT;
    }
  g_autoptr (WeftPlan) plan = weft_plan_fit (rig.plan, room, introducer);
  ck_assert_uint_lt (plan->arena, rig.plan->arena);
  for (guint i = 0; i < wires; i++)
    for (guint k = 0; k < i; k++)
      {
        const WeftPlace *a = &plan->places[i], *b = &plan->places[k];
        if (!a->bytes || !b->bytes || a->first > b->last || b->first > a->last || a->shares >= 0 || b->shares >= 0)
          continue;
        ck_assert (a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset);
      }
  rig_clear (&rig);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("fit");
  TCase *tests = tcase_create ("fit");
  weft_registry_load (NULL);
  tcase_add_test (tests, sizes_come_and_go);
  tcase_add_test (tests, places_stay_apart);
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
