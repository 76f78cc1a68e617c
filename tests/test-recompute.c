/* What is computed again for gradients: the same bits from less memory.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#define STEPS 3

/* A chain of layers with dropout, attention-like widths, and a batch norm, whose states must not move twice. */
static char *
pipeline_with (const char *recompute)
{
  return g_strdup_printf ("modules:\n"
                          "  layer:\n"
                          "    inputs: {x: 'f32[b, d]'}\n"
                          "    nodes:\n"
                          "      wide:   {op: linear, x: x, units: 96}\n"
                          "      active: {op: gelu, x: wide}\n"
                          "      drop:   {op: dropout, x: active, rate: 0.3}\n"
                          "      narrow: {op: linear, x: drop, units: 16}\n"
                          "      sum:    {op: add, x: [x, narrow]}\n"
                          "      norm:   {op: layer_norm, x: sum}\n"
                          "    outputs: {y: norm}\n"
                          "  tower:\n"
                          "    inputs: {x: 'f32[b, d]'}\n"
                          "    nodes:\n"
                          "      layer: {module: layer, repeat: 5, x: x}\n"
                          "      even:  {op: batch_norm, x: layer}\n"
                          "    outputs: {y: even}\n"
                          "networks: {net: {module: tower}}\n"
                          "graphs:\n"
                          "  train:\n"
                          "    mode: train\n"
                          "    recompute: %s\n"
                          "    nodes:\n"
                          "      x:      {op: feed, signature: 'f32[32, 16]'}\n"
                          "      y:      {use: net, x: x}\n"
                          "      soft:   {op: softmax, x: y}\n"
                          "      skewed: {op: multiply, a: y, b: soft}\n"
                          "      total:  {op: mean, x: skewed}\n"
                          "      update: {op: adamw, minimize: total, rate: 1e-2}\n"
                          "    collect: {total: total, y: y}\n",
                          recompute);
}

/* Every byte of the store after some steps, and the losses. */
static GByteArray *
train (const char *recompute, gsize *arena)
{
  g_autofree char *yaml = pipeline_with (recompute);
  GByteArray *all = g_byte_array_new ();
  WeftTensor tensor = { .type = WEFT_F32, .rank = 2, .shape = { 32, 16 } };
  WeftRandom random = weft_random_for (1, "x", 0);
  g_autoptr (GError) error = NULL;
  float x[32 * 16];
  Rig rig;
  for (int i = 0; i < 32 * 16; i++)
    x[i] = 2 * weft_random_uniform (random, (guint32) i) - 1;
  tensor.data = x;
  rig_start (&rig, yaml);
  ck_assert_msg (weft_executor_feed (rig.executor, "x", &tensor, &error), "%s", error ? error->message : "");
  *arena = rig.plan->arena;
  for (guint step = 0; step < STEPS; step++)
    {
      ck_assert (rig_step (&rig, step, 0));
      const WeftTensor *total = weft_executor_value (rig.executor, weft_graph_wire (rig.graph, "total"));
      g_byte_array_append (all, total->data, sizeof (float));
    }
  g_autoptr (GPtrArray) paths = weft_store_paths (rig.store);
  ck_assert_uint_gt (paths->len, 20);
  for (guint i = 0; i < paths->len; i++)
    {
      const WeftTensor *value = weft_store_lookup (rig.store, paths->pdata[i]);
      g_byte_array_append (all, value->data, (guint) weft_tensor_bytes (value));
    }
  rig_clear (&rig);
  return all;
}

static const char *const lists[] = { "[y.layer.*]", "[y.layer.*.active, y.layer.*.drop]", "['**.norm', y.layer.3]", "[y]" };

START_TEST (same_bits_from_less_memory)
{
  gsize kept_bytes, again_bytes;
  g_autoptr (GByteArray) kept = train ("[]", &kept_bytes), again = train (lists[_i], &again_bytes);
  ck_assert_uint_eq (kept->len, again->len);
  ck_assert_msg (memcmp (kept->data, again->data, kept->len) == 0, "%s: other bits", lists[_i]);
  if (_i == 0)
    ck_assert_msg (3 * again_bytes < 2 * kept_bytes, "%s: %zu instead of %zu bytes", lists[_i], again_bytes, kept_bytes);
  else if (_i == 1)
    ck_assert_msg (again_bytes < kept_bytes, "%s: %zu instead of %zu bytes", lists[_i], again_bytes, kept_bytes);
}
END_TEST

/* Which nodes run again: those inside of what is matched whose values gradients need, but not what leaves it. */
START_TEST (what_runs_again)
{
  static const struct
  {
    const char *path;
    gboolean again;
  } nodes[] = { { "y.layer.2.wide", TRUE }, { "y.layer.2.active", TRUE }, { "y.layer.2.drop", TRUE }, { "y.layer.2.narrow", TRUE },
                { "y.layer.2.sum", TRUE },  { "y.layer.2.norm", FALSE },  { "y.even", FALSE },        { "soft", FALSE } };
  g_autofree char *yaml = pipeline_with ("[y.layer.*]");
  Rig rig;
  rig_start (&rig, yaml);
  for (gsize i = 0; i < G_N_ELEMENTS (nodes); i++)
    {
      g_autofree char *path = g_strconcat (nodes[i].path, "~again", NULL);
      ck_assert_msg ((weft_graph_node (rig.graph, path) != NULL) == nodes[i].again, "%s", nodes[i].path);
    }
  rig_clear (&rig);
}
END_TEST

START_TEST (mistakes_are_told)
{
  static const char *const mistakes[][2] = {
    { "y.layer.*", "recompute must be a list of paths" },
    { "[y.layers.*]", "\"y.layers.*\" matches no node of graph train" },
    { "[y.even]", "`y.even` can't be computed again: it has states or effects" },
    { "[x]", "`x` can't be computed again: it takes no inputs" },
    { "[{a: b}]", "recompute takes paths" },
  };
  g_autofree char *yaml = pipeline_with (mistakes[_i][0]);
  g_autoptr (GError) error = NULL;
  Rig rig;
  ck_assert (!rig_open (&rig, yaml, 1, &error));
  ck_assert_msg (strstr (error->message, mistakes[_i][1]) != NULL, "%s", error->message);
  rig_clear (&rig);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("recompute");
  TCase *tests = tcase_create ("recompute");
  weft_registry_load (NULL);
  tcase_add_loop_test (tests, same_bits_from_less_memory, 0, G_N_ELEMENTS (lists));
  tcase_add_test (tests, what_runs_again);
  tcase_add_loop_test (tests, mistakes_are_told, 0, 5);
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
