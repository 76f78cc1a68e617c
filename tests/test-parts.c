/* Nodes that follow others part by part: who does, and that nobody can tell from the results.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#define STEPS 2

/* Copies x, and announces it in pieces of @rows × @columns. */
typedef struct
{
  gint64 rows, columns;
} Pieces;

static void
copy_piece (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const Pieces *self = call->attributes;
  gint64 width = weft_tensor_last (call->in[0]), rows = weft_tensor_elements (call->in[0]) / width;
  gint64 across = (width + self->columns - 1) / self->columns;
  gint64 row = index / across * self->rows, column = index % across * self->columns;
  gint64 height = MIN (self->rows, rows - row), breadth = MIN (self->columns, width - column);

  for (gint64 i = row; i < row + height; i++)
    memcpy ((float *) call->out[0]->data + i * width + column, (const float *) call->in[0]->data + i * width + column,
            (gsize) breadth * sizeof (float));
  weft_part_done (call, row, height, column, breadth);
}

static void
pieces_forward (const WeftCall *call)
{
  const Pieces *self = call->attributes;
  gint64 width = weft_tensor_last (call->in[0]), rows = weft_tensor_elements (call->in[0]) / width;

  weft_parallel (call, (rows + self->rows - 1) / self->rows * ((width + self->columns - 1) / self->columns), copy_piece, (gpointer) call);
}

static const WeftOperator pieces = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "pieces",
  .version = 1,
  .summary = "a copy that is announced in pieces",
  .attributes_size = sizeof (Pieces),
  .attributes = (const WeftAttribute[]){ WEFT_INTEGER (Pieces, rows, NULL, 1, 1000, "", "high"),
                                         WEFT_INTEGER (Pieces, columns, NULL, 1, 1000, "", "wide"),
                                         { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[..., d]", .meaning = "anything" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[..., d]", .meaning = "x" }, { 0 } },
  .forward = pieces_forward,
  .not_differentiable = "it is a test",
  .announces_parts = TRUE,
};

#define FEED "      x: {op: feed, signature: 'f32[b <= 300, 48]'}\n"
#define COLLECT(nodes, values)                                                                                                             \
  "graphs:\n"                                                                                                                              \
  "  train:\n"                                                                                                                             \
  "    mode: train\n"                                                                                                                      \
  "    nodes:\n" FEED nodes "    collect: " values "\n"

static const char *const graphs[] = {
  /* what an encoder's layer does, and its gradients */
  COLLECT ("      wide:   {op: linear, x: x, units: 600}\n"
           "      active: {op: gelu, x: wide}\n"
           "      narrow: {op: linear, x: active, units: 48}\n"
           "      drop:   {op: dropout, x: narrow, rate: 0.3}\n"
           "      sum:    {op: add, x: [drop, x]}\n"
           "      norm:   {op: layer_norm, x: sum}\n"
           "      soft:   {op: softmax, x: norm}\n"
           "      skewed: {op: multiply, a: norm, b: soft}\n"
           "      total:  {op: mean, x: skewed}\n"
           "      update: {op: adamw, minimize: total, rate: 1e-2}\n",
           "{total: total, norm: norm}"),
  /* what the leader still reads, for columns that come later, may not be written over by who follows it */
  COLLECT ("      own: {op: linear, x: x, units: 2100}\n"
           "      y:   {op: linear, x: own, units: 2100}\n"
           "      sum: {op: add, x: [own, y]}\n",
           "{sum: sum}"),
  /* elements again after rows */
  COLLECT ("      y:    {op: pieces, x: x, rows: 7, columns: 5}\n"
           "      tanh: {op: tanh, x: y}\n"
           "      unit: {op: l2_normalize, x: tanh}\n"
           "      both: {op: multiply, a: unit, b: y}\n"
           "      norm: {op: layer_norm, x: both}\n"
           "      less: {op: subtract, a: norm, b: tanh}\n",
           "{less: less, unit: unit}"),
  COLLECT ("      y:    {op: pieces, x: x, rows: 300, columns: 1}\n"
           "      unit: {op: l2_normalize, x: y}\n"
           "      next: {op: pieces, x: unit, rows: 1, columns: 48}\n"
           "      more: {op: scale, x: next, offset: 1}\n",
           "{more: more}"),
};

typedef enum
{
  ALONE,
  TOGETHER,
  DEALT,
} Members;

static WeftTeam *
team_of (Members members)
{
  g_autoptr (GError) error = NULL;
  WeftTeam *team = members == DEALT ? weft_team_new_dealt (3) : weft_team_new (members == ALONE ? 1 : 3, &error);

  ck_assert_ptr_nonnull (team);
  return team;
}

static void
append_values (Rig *rig, GByteArray *all)
{
  g_autoptr (GPtrArray) paths = weft_store_paths (rig->store);

  for (guint i = 0; i < rig->graph->collects->len; i++)
    {
      const WeftTensor *value = weft_executor_value (rig->executor, g_array_index (rig->graph->collects, WeftCollect, i).wire);
      g_byte_array_append (all, value->data, (guint) weft_tensor_bytes (value));
    }
  for (guint i = 0; i < paths->len; i++)
    {
      const WeftTensor *value = weft_store_lookup (rig->store, paths->pdata[i]);
      g_byte_array_append (all, value->data, (guint) weft_tensor_bytes (value));
    }
}

/* Nodes that are watched run one after the other. */
static GByteArray *
values_of (const char *yaml, gint64 rows, Members members, gboolean watch)
{
  GByteArray *all = g_byte_array_new ();
  WeftTensor tensor = { .type = WEFT_F32, .rank = 2, .shape = { rows, 48 } };
  WeftRandom random = weft_random_for (1, "x", 0);
  g_autofree float *x = g_new (float, rows * 48 + 1);
  g_autoptr (GError) error = NULL;
  Rig rig;

  for (gint64 i = 0; i < rows * 48; i++)
    x[i] = 2 * weft_random_uniform (random, (guint32) i) - 1;
  tensor.data = x;
  rig_start (&rig, yaml);
  g_clear_pointer (&rig.executor, weft_executor_free);
  g_clear_pointer (&rig.team, weft_team_free);
  rig.team = team_of (members);
  rig.executor = weft_executor_new (rig.plan, rig.store, rig.team, 7, &error);
  ck_assert_msg (rig.executor && weft_executor_feed (rig.executor, "x", &tensor, &error), "%s", error ? error->message : "");
  weft_executor_watch (rig.executor, watch);
  for (guint step = 0; step < STEPS; step++)
    {
      ck_assert (rig_step (&rig, step, 0));
      append_values (&rig, all);
    }
  rig_clear (&rig);
  return all;
}

START_TEST (same_bits_as_one_after_the_other)
{
  static const gint64 heights[] = { 0, 1, 8, 131, 300 };

  for (gsize i = 0; i < G_N_ELEMENTS (heights); i++)
    {
      g_autoptr (GByteArray) apart = values_of (graphs[_i], heights[i], ALONE, TRUE);
      for (Members members = ALONE; members <= DEALT; members++)
        {
          g_autoptr (GByteArray) led = values_of (graphs[_i], heights[i], members, FALSE);
          ck_assert_uint_eq (led->len, apart->len);
          ck_assert_msg (led->len == 0 || memcmp (led->data, apart->data, led->len) == 0, "graph %d, %d rows, team %u: other bits", _i,
                         (int) heights[i], members);
        }
    }
}
END_TEST

/* The node that @name follows, or itself. */
static const char *
leader_of (const Rig *rig, const char *name)
{
  const WeftNode *node = weft_graph_node (rig->graph, name);

  ck_assert_ptr_nonnull (node);
  return ((WeftNode *) rig->graph->nodes->pdata[rig->plan->leaders[node->index]])->path;
}

START_TEST (who_follows_whom)
{
  static const struct
  {
    int graph;
    const char *node, *leader;
  } expected[] = {
    { 0, "active", "wide" }, { 0, "drop", "narrow" },   { 0, "sum", "narrow" },    { 0, "norm", "narrow" },
    { 0, "soft", "soft" },   { 0, "narrow", "narrow" }, { 0, "skewed", "skewed" }, { 0, "active~gradient", "active~gradient" },
    { 1, "sum", "y" },       { 1, "own", "own" },       { 2, "less", "y" },        { 3, "unit", "y" },
    { 3, "next", "next" },   { 3, "more", "next" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      Rig rig;
      rig_start (&rig, graphs[expected[i].graph]);
      ck_assert_str_eq (leader_of (&rig, expected[i].node), expected[i].leader);
      rig_clear (&rig);
    }
}
END_TEST

/* A part of another shape is no part of what its reader computes, and who reads nothing new has nothing to follow. */
START_TEST (others_follow_nobody)
{
  static const char *const yamls[] = {
    COLLECT ("      y: {op: linear, x: x, units: 7}\n      z: {op: scale, x: x, factor: 2}\n", "{y: y, z: z}"),
    COLLECT ("      y: {op: linear, x: x, units: 48}\n      z: {op: scale, x: x, factor: 2}\n", "{y: y, z: z}"),
  };
  Rig rig;
  rig_start (&rig, yamls[_i]);
  ck_assert_str_eq (leader_of (&rig, "z"), "z");
  rig_clear (&rig);
}
END_TEST

/* What a follower reads lives until the last of its group is done, and what it computes from the first on. */
START_TEST (lives_are_joined)
{
  Rig rig;
  rig_start (&rig, graphs[1]);
  const WeftNode *own = weft_graph_node (rig.graph, "own"), *y = weft_graph_node (rig.graph, "y"),
                 *sum = weft_graph_node (rig.graph, "sum");
  ck_assert_uint_eq (rig.plan->places[sum->outputs[0]->index].first, y->index);
  ck_assert_uint_eq (rig.plan->places[own->outputs[0]->index].last, sum->index);
  ck_assert_int_lt (rig.plan->places[sum->outputs[0]->index].shares, 0);
  rig_clear (&rig);
}
END_TEST

START_TEST (times_are_shared_out)
{
  const double *times;
  WeftTensor tensor = { .type = WEFT_F32, .rank = 2, .shape = { 300, 48 } };
  g_autofree float *x = g_new0 (float, 300 * 48);
  double sum = 0;
  Rig rig;

  tensor.data = x;
  rig_start (&rig, graphs[0]);
  ck_assert (weft_executor_feed (rig.executor, "x", &tensor, NULL));
  for (guint step = 0; step < 20; step++)
    ck_assert (rig_step (&rig, step, 0));
  times = weft_executor_times (rig.executor);
  for (guint i = 0; i < rig.graph->nodes->len; i++)
    {
      ck_assert_double_ge (times[i], 0);
      sum += times[i];
    }
  ck_assert_double_gt (times[weft_graph_node (rig.graph, "active")->index], 0);
  ck_assert_double_lt (times[weft_graph_node (rig.graph, "active")->index], sum / 2);
  rig_clear (&rig);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("parts");
  TCase *tests = tcase_create ("parts");
  weft_registry_load (NULL);
  if (!weft_registry_add (&pieces, NULL))
    return EXIT_FAILURE;
  tcase_set_timeout (tests, 60);
  tcase_add_loop_test (tests, same_bits_as_one_after_the_other, 0, G_N_ELEMENTS (graphs));
  tcase_add_test (tests, who_follows_whom);
  tcase_add_loop_test (tests, others_follow_nobody, 0, 2);
  tcase_add_test (tests, lives_are_joined);
  tcase_add_test (tests, times_are_shared_out);
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
