/* Pipelines of any size and depth: built, or refused with a message, without running out of time, stack or memory.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "compose.h"
#include "pipeline.h"
#include "plan.h"
#include "rig.h"

#define MANY 100000
#define DEEP 10000
#define MEDIUM 10000

/* Composed and built as the command does it. Returns: messages, or NULL if there were none. */
static char *
build (const char *text, WeftPipeline **pipeline)
{
  g_autofree char *folder = rig_folder (), *path = g_build_filename (folder, "main.yaml", NULL);
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  rig_write (folder, "main.yaml", text, -1);
  g_autoptr (WeftValue) document = weft_compose (&(WeftComposition){ .path = path }, problems);
  g_autoptr (WeftPipeline) built = document ? weft_pipeline_build (document, problems) : NULL;
  if (pipeline)
    *pipeline = g_steal_pointer (&built);
  rig_remove (folder);
  return weft_problems_to_error (problems, &error) ? NULL : g_strdup (error->message);
}

static void
expect_refusal (const char *text, const char *message)
{
  g_autofree char *messages = build (text, NULL);
  ck_assert_msg (messages && strstr (messages, message), "\"%s\" is not in: %.500s", message, messages ? messages : "nothing");
}

static char *
chain (guint n)
{
  GString *text = g_string_new ("graphs:\n  g:\n    nodes:\n      n0: {op: feed, signature: \"f32[b<=3, 4]\"}\n");
  for (guint i = 1; i < n; i++)
    g_string_append_printf (text, "      n%u: {op: relu, x: n%u}\n", i, i - 1);
  g_string_append_printf (text, "    collect: {y: n%u}\n", n - 1);
  return g_string_free (text, FALSE);
}

START_TEST (long_chains_are_planned)
{
  g_autofree char *text = chain (MEDIUM);
  g_autoptr (WeftPipeline) pipeline = NULL;
  g_autofree char *messages = build (text, &pipeline);
  ck_assert_msg (messages == NULL, "%s", messages);
  g_autoptr (WeftPlan) plan = weft_plan_new (weft_pipeline_graph (pipeline, "g"), NULL);
  /* All in place but the feed, which lives elsewhere: one value of 3 × 4 floats. */
  ck_assert_uint_eq (plan->arena, 64);
}
END_TEST

START_TEST (too_many_nodes_are_refused)
{
  g_autofree char *text = chain (MANY);
  expect_refusal (text, "main.yaml:4:7: the pipeline has more than 20000 nodes");
}
END_TEST

START_TEST (repetitions_within_repetitions_are_refused)
{
  g_autoptr (GString) text = g_string_new ("modules:\n  m0: {inputs: {x: \"f32[b, d]\"}, nodes: {y: {op: relu, x: x}}, outputs: {y: y}}\n");
  for (guint i = 1; i < 8; i++)
    g_string_append_printf (text, "  m%u: {inputs: {x: \"f32[b, d]\"}, nodes: {y: {module: m%u, repeat: 10000, x: x}}, outputs: {y: y}}\n",
                            i, i - 1);
  g_string_append (text, "graphs: {g: {nodes: {x: {op: feed, signature: \"f32[b<=3, 4]\"}, y: {module: m7, x: x}}, collect: {y: y}}}\n");
  expect_refusal (text->str, "the pipeline has more than 20000 nodes");
}
END_TEST

START_TEST (deep_texts_are_refused)
{
  static const char *const forms[][2] = { { "[", "]" }, { "{a: ", "}" }, { "- ", "" }, { "? ", "" } };
  for (gsize f = 0; f < G_N_ELEMENTS (forms); f++)
    {
      g_autoptr (GString) text = g_string_new ("graphs:\n ");
      for (guint i = 0; i < DEEP; i++)
        g_string_append (text, forms[f][0]);
      g_string_append (text, "1");
      for (guint i = 0; i < DEEP; i++)
        g_string_append (text, forms[f][1]);
      expect_refusal (text->str, "nested more than 64 levels deep");
    }
}
END_TEST

START_TEST (deep_modules_are_refused)
{
  g_autoptr (GString) text = g_string_new ("modules:\n");
  for (guint i = 0; i < DEEP; i++)
    g_string_append_printf (text, "  m%u: {inputs: {x: \"f32[b, d]\"}, nodes: {y: {module: m%u, x: x}}, outputs: {y: y}}\n", i, i + 1);
  g_string_append_printf (text, "  m%u: {inputs: {x: \"f32[b, d]\"}, nodes: {y: {op: relu, x: x}}, outputs: {y: y}}\n", DEEP);
  g_string_append (text, "networks: {n: {module: m0}}\n"
                         "graphs: {g: {nodes: {x: {op: feed, signature: \"f32[b<=3, 4]\"}, y: {use: n, x: x}}, collect: {y: y}}}\n");
  expect_refusal (text->str, "module m64 is nested more than 64 deep");
}
END_TEST

START_TEST (deep_includes_are_refused)
{
  g_autofree char *folder = rig_folder (), *path = g_build_filename (folder, "i0.yaml", NULL);
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *name = g_strdup_printf ("i%u.yaml", i), *text = g_strdup_printf ("include: i%u.yaml\n", i + 1);
      rig_write (folder, name, text, -1);
    }
  ck_assert_ptr_null (weft_compose (&(WeftComposition){ .path = path }, problems));
  ck_assert_ptr_nonnull (strstr (weft_problems_get (problems, 0), "includes are nested more than 64 deep"));
  rig_remove (folder);
}
END_TEST

/* What is wrong a hundred thousand times is told a few times. */
START_TEST (many_mistakes_are_told_in_time)
{
  g_autoptr (GString) doubles = g_string_new ("vars:\n"), unknown = g_string_new ("graphs:\n  g:\n    nodes:\n");
  for (guint i = 0; i < MANY; i++)
    g_string_append_printf (doubles, "  n%u: 1\n", i);
  for (guint i = 0; i < MANY; i++)
    g_string_append_printf (doubles, "  n%u: 1\n", MANY - 1);
  expect_refusal (doubles->str, "main.yaml:100002:3: key \"n99999\" stands here twice; the first is in line 100001");
  for (guint i = 0; i < MEDIUM; i++)
    g_string_append_printf (unknown, "      n%u: {op: relu, x: o%u}\n", i, i);
  expect_refusal (unknown->str, "nothing here is called \"o0\"");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("large");
  TCase *tests = tcase_create ("large");
  tcase_set_timeout (tests, 20);
  tcase_add_test (tests, long_chains_are_planned);
  tcase_add_test (tests, too_many_nodes_are_refused);
  tcase_add_test (tests, repetitions_within_repetitions_are_refused);
  tcase_add_test (tests, deep_texts_are_refused);
  tcase_add_test (tests, deep_modules_are_refused);
  tcase_add_test (tests, deep_includes_are_refused);
  tcase_add_test (tests, many_mistakes_are_told_in_time);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
