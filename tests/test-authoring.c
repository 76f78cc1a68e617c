/* What authors of operators meet: folders to start from, lessons, tests of their operators, and reports of what is broken.
 *
 * Modules are compiled by the compiler of this build and loaded by the command.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <unistd.h>

#include "rig.h"

#define SOURCE WEFT_TEST_SOURCE_DIR
#define BUILD WEFT_TEST_BUILD_DIR
#define FLAGS "-O1 -g -Wall -Wextra -Werror -fPIC -shared "

static char *folder;

/* Runs a line of shell in the test's folder. Returns: what it printed, to be freed; @status as of exit(). */
G_GNUC_PRINTF (2, 3)
static char *
run_line (int *status, const char *format, ...)
{
  g_autofree char *line = NULL, *all = NULL, *errors = NULL, *output = NULL;
  g_autoptr (GError) error = NULL;
  int wait_status;
  va_list arguments;

  va_start (arguments, format);
  line = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  all = g_strdup_printf ("cd '%s' && { %s ; } 2>&1", folder, line);
  const char *argv[] = { "/bin/sh", "-c", all, NULL };
  ck_assert (g_spawn_sync (NULL, (char **) argv, NULL, 0, NULL, NULL, &output, &errors, &wait_status, &error));
  *status = WIFEXITED (wait_status) ? WEXITSTATUS (wait_status) : -1;
  return g_steal_pointer (&output);
}

static void
compile (const char *source, const char *name, const char *more)
{
  int status;
  g_autofree char *output =
      run_line (&status, WEFT_TEST_CC " -std=gnu17 " FLAGS "%s `pkg-config --cflags weft-1` -o %s %s `pkg-config --libs weft-1` -lm", more,
                name, source);

  ck_assert_msg (status == 0, "%s: %s", source, output);
}

static const char *const bases[] = { "pointwise", "reduction", "loss", "layer", "source", "effect", "metric" };

START_TEST (bases_pass_before_any_edit)
{
  const char *base = bases[_i];
  int status;
  g_autofree char *made = run_line (&status, BUILD "/weft new-operator my_%s --base %s && ls my_%s", base, base, base);
  ck_assert_msg (status == 0, "%s", made);
  ck_assert_ptr_nonnull (strstr (made, "Makefile\nREADME.md\n"));
  g_autofree char *checked = run_line (&status, "make -C my_%s check CC='" WEFT_TEST_CC "' WEFT=" BUILD "/weft", base);
  ck_assert_msg (status == 0, "%s", checked);
  ck_assert_ptr_null (strstr (checked, "warning"));
  ck_assert_ptr_null (strstr (checked, "FAILED"));
  ck_assert_ptr_nonnull (strstr (checked, "1 operators tested, 0 failed"));
  gboolean differentiable = _i < 4;
  ck_assert_msg (!strstr (checked, "gradients    passed") == !differentiable, "%s", checked);
  g_autofree char *shown = run_line (&status, BUILD "/weft inspect --plugin-path my_%s my_%s", base, base);
  ck_assert_msg (status == 0 && strstr (shown, "Example"), "%s", shown);
}
END_TEST

START_TEST (names_are_checked)
{
  static const char *const wrong[] = { "Swish", "2x", "a-b", "linear", "taken" };
  int status;
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *output = run_line (&status, "mkdir -p taken; " BUILD "/weft new-operator %s", wrong[i]);
      ck_assert_msg (status == 1 || status == 2, "%s: %s", wrong[i], output);
    }
  g_autofree char *output = run_line (&status, BUILD "/weft new-operator fine --base pointwize");
  ck_assert_int_eq (status, 2);
  ck_assert_ptr_nonnull (strstr (output, "pointwise"));
}
END_TEST

static const char *const lessons[] = { "1-pointwise", "2-parameter",   "3-shape",  "4-loss",
                                       "5-state",     "6-composition", "7-source", "8-stacked-attention" };

START_TEST (lessons_pass)
{
  int status;
  g_autofree char *source = g_strdup_printf (SOURCE "/doc/lessons/%s.c", lessons[_i]);
  g_autofree char *module = g_strdup_printf ("lesson-%s.so", lessons[_i]);
  compile (source, module, "");
  g_autofree char *output = run_line (&status, BUILD "/weft test-operator --plugin-path %s lesson-%d", module, _i + 1);
  ck_assert_msg (status == 0 && strstr (output, "1 operators tested, 0 failed"), "%s", output);
  ck_assert_msg (_i != 5 || strstr (output, "composition  passed"), "%s", output);
}
END_TEST

START_TEST (first_lesson_is_short)
{
  g_autofree char *text = NULL;
  guint lines = 0;
  ck_assert (g_file_get_contents (SOURCE "/doc/lessons/1-pointwise.c", &text, NULL, NULL));
  for (const char *c = text; *c; c++)
    lines += *c == '\n';
  ck_assert_uint_lt (lines, 60);
}
END_TEST

#define FEW_SCENES                                                                                                                         \
  "--set graphs.train.nodes.pairs.images=40 --set graphs.images.nodes.items.images=10 --set graphs.captions.nodes.items.images=10 --set "  \
  "embed=32 "                                                                                                                              \
  "--set batch=32 --set epochs=2"

/* Another family of models: trained with an operator from outside of the tree, scored with it, from USER's pipeline. */
START_TEST (another_family_trains)
{
  int status;
  compile (SOURCE "/doc/lessons/8-stacked-attention.c", "scan.so", "");
  g_autofree char *trained =
      run_line (&status, "mkdir -p scan && cp scan.so scan/ && WEFT_PLUGIN_PATH=scan " BUILD "/weft train scenes --overlay " SOURCE
                         "/doc/lessons/8-stacked-attention.yaml --output scan-run " FEW_SCENES);
  ck_assert_msg (status == 0, "%s", trained);
  ck_assert_msg (strstr (trained, "best scores.recalls.rsum") != NULL, "%s", trained);
  g_autofree char *scored = run_line (&status, "WEFT_PLUGIN_PATH=scan " BUILD "/weft evaluate scan-run");
  ck_assert_msg (status == 0 && strstr (scored, "rsum"), "%s", scored);
}
END_TEST

static const struct
{
  const char *file, *test, *parts[4];
} broken[] = {
  { "wrong-gradient", "test", { "gradients", "gradient by `x`, element", "the difference quotient is" } },
  { "wrong-gradient-double", "test", { "gradients", "gradient by `x`, element", "the difference quotient is" } },
  { "wrong-shape", "test", { "shapes", "`y` is declared as f32[b, 7]", "left f32[5, 1]" } },
  { "writes-past", "test", { "memory", "0 bytes past the end of the output y of broken `y`" } },
  { "leaves-unset", "test", { "memory", "part of it is never set" } },
  { "writes-input", "test", { "memory", "the value of `x` was changed" } },
  { "crashes", "test", { "broken: FAILED", "shapes       FAILED  running broken with the example: it crashed: Segmentation fault" } },
  { "forgets-parts", "test", { "threads", "when others work on its parts as it announces them" } },
  { "beyond-part", "test", { "threads", "with the order of its tiles, or with the threads that work on them" } },
  { "state-not-saved", "test", { "restoring", "a state is kept elsewhere than in the declared states" } },
  { "missing-symbol", "inspect", { "was refused", "undefined symbol: function_that_is_nowhere" } },
  { "wrong-interface", "inspect", { "was refused", "interface 7.3", "serves 1.0 to 1." } },
  { "crash-at-load", "inspect", { "was refused", "crashed: Segmentation fault while it was loaded" } },
  { "loop-at-load", "inspect", { "was refused", "not done after 2 seconds and was stopped while it was loaded" } },
  { "exit-at-load", "inspect", { "was refused", "ended the whole process with exit status 3 while it was loaded" } },
  { "no-gradient-no-reason", "inspect", { "was refused", "no backward and does not say why" } },
};

START_TEST (broken_modules_are_reported)
{
  int status;
  g_autofree char *source = g_strdup_printf (SOURCE "/tests/broken/%s.c", broken[_i].file);
  g_autofree char *module = g_strdup_printf ("%s.so", broken[_i].file), *output = NULL;
  compile (source, module, "");
  if (strcmp (broken[_i].test, "test") == 0)
    output = run_line (&status, BUILD "/weft test-operator --plugin-path %s broken", module);
  else
    output = run_line (&status, BUILD "/weft inspect ./%s", module);
  ck_assert_msg (status == 1, "%s: status %d: %s", broken[_i].file, status, output);
  for (guint i = 0; i < G_N_ELEMENTS (broken[_i].parts) && broken[_i].parts[i]; i++)
    ck_assert_msg (strstr (output, broken[_i].parts[i]) != NULL, "no \"%s\" in: %s", broken[_i].parts[i], output);
}
END_TEST

static const struct
{
  const char *op, *aspect, *finding;
} kernels[] = {
  { "wrong_at_edge", "gradients", "element 84 of 85, is 0; the difference quotient is" },
  { "sums_in_any_order", "threads", "`y` differs" },
  { "sums_by_member", "threads", "`y` differs" },
  { "reads_scratch", "memory", "depends on what memory held before" },
  { "writes_past_scratch", "memory", "0 bytes past the end of the scratch of writes_past_scratch `y` (40 bytes)" },
  { "reads_past", "memory", "lies outside of a value" },
  { "reads_undeclared", "memory", "it crashed: Segmentation fault; backward finds no data in values that are not marked WEFT_PORT_READ" },
  { "wrong_in_place", "in place", "`y` differs in place" },
  { "forgets_inference", "memory", "in inference: a value of forgets_inference `y`" },
  { "changes_gradient", "memory", "the gradient by output y was changed by backward" },
  { "changes_parameter", "memory", "the parameter `trial.y.shift` was changed" },
  { "wants_all_gradients", "uses", "where only the gradient by `x` is wanted: it crashed: Segmentation fault" },
  { "wants_optional_output", "uses", "where nobody reads optional outputs: it crashed: Segmentation fault" },
  { "ignores_optional_output", "gradients", "gradient by `x`, element 0" },
  { "asks_for_no_gradient", "descriptor", "no feed of its example has `gradient: true`" },
};

START_TEST (broken_kernels_are_found)
{
  int status;
  g_autofree char *total =
      g_strdup_printf ("%u operators tested, %u failed", (guint) G_N_ELEMENTS (kernels), (guint) G_N_ELEMENTS (kernels));
  compile (SOURCE "/tests/broken/kernels.c", "kernels.so", "");
  g_autofree char *output = run_line (&status, BUILD "/weft test-operator --quiet --plugin-path kernels.so kernels");
  ck_assert_msg (status == 1 && strstr (output, total), "%s", output);
  for (guint i = 0; i < G_N_ELEMENTS (kernels); i++)
    {
      g_autofree char *head = g_strdup_printf ("%s: FAILED\n", kernels[i].op),
                      *start = g_strdup_printf ("  %-12s FAILED  ", kernels[i].aspect);
      const char *own = strstr (output, head), *aspect = own ? strstr (own, start) : NULL;
      g_autofree char *line = aspect ? g_strndup (aspect, strcspn (aspect, "\n")) : g_strdup ("");
      ck_assert_msg (strstr (line, kernels[i].finding) != NULL, "%s: no \"%s\" in: %s", kernels[i].op, kernels[i].finding, output);
    }
}
END_TEST

START_TEST (doubles_pass)
{
  int status;
  compile (SOURCE "/tests/broken/right-gradient-double.c", "doubles.so", "");
  g_autofree char *output = run_line (&status, BUILD "/weft test-operator --plugin-path doubles.so broken");
  ck_assert_msg (status == 0 && strstr (output, "gradients    passed"), "%s", output);
}
END_TEST

/* One of these in the way leaves the others as they are. */
START_TEST (broken_modules_take_nothing_with_them)
{
  int status;
  g_autofree char *made = run_line (&status, "mkdir -p several");
  ck_assert_msg (status == 0, "%s", made);
  compile (SOURCE "/tests/broken/crash-at-load.c", "several/a-crash.so", "");
  compile (SOURCE "/tests/broken/exit-at-load.c", "several/b-exit.so", "");
  compile (SOURCE "/doc/lessons/1-pointwise.c", "several/c-swish.so", "");
  g_autofree char *listed = run_line (&status, BUILD "/weft inspect --plugin-path several");
  ck_assert_int_eq (status, 0);
  ck_assert_ptr_nonnull (strstr (listed, "  swish "));
  ck_assert_ptr_nonnull (strstr (listed, "  linear "));
  ck_assert_ptr_nonnull (strstr (listed, "a-crash.so was refused: it crashed: Segmentation fault"));
  ck_assert_ptr_nonnull (strstr (listed, "b-exit.so was refused: it ended the whole process"));
}
END_TEST

START_TEST (two_operators_of_one_name_are_reported)
{
  int status;
  g_autofree char *made = run_line (&status, "mkdir -p twice");
  ck_assert_msg (status == 0, "%s", made);
  compile (SOURCE "/tests/broken/same-name.c", "twice/one.so", "-DMODULE='\"one\"'");
  compile (SOURCE "/tests/broken/same-name.c", "twice/two.so", "-DMODULE='\"two\"'");
  g_autofree char *listed = run_line (&status, BUILD "/weft inspect --plugin-path twice");
  ck_assert_int_eq (status, 0);
  ck_assert_ptr_nonnull (strstr (listed, "twice/two.so was refused"));
  ck_assert_ptr_nonnull (strstr (listed, "operator \"broken\" exists already, from module \"one\""));
  ck_assert_ptr_nonnull (strstr (listed, "twice/one.so)"));
}
END_TEST

START_TEST (unknown_names_suggest_near_ones)
{
  int status;
  g_autofree char *op = run_line (&status, BUILD "/weft inspect linaer");
  ck_assert_int_eq (status, 1);
  ck_assert_ptr_nonnull (strstr (op, "did you mean \"linear\""));
  g_autofree char *module = run_line (&status, BUILD "/weft inspect region_encodr");
  ck_assert_int_eq (status, 1);
  ck_assert_ptr_nonnull (strstr (module, "did you mean \"region_encoder\""));
}
END_TEST

START_TEST (inspection_is_complete_and_machine_readable)
{
  int status;
  g_autofree char *text = run_line (&status, BUILD "/weft inspect batch_norm");
  static const char *const parts[] = { "Inputs", "Outputs", "Attributes", "Parameters", "States", "backward reads", "Example", "default" };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    ck_assert_msg (strstr (text, parts[i]) != NULL, "no %s in %s", parts[i], text);
  g_autofree char *json =
      run_line (&status, BUILD "/weft inspect --json | python3 -c 'import json, sys\n"
                               "all = json.load(sys.stdin)\n"
                               "one = {o[\"name\"]: o for o in all[\"operators\"]}[\"linear\"]\n"
                               "print(one[\"module\"], one[\"parameters\"][0][\"signature\"], len(all[\"operators\"]) > 40)'");
  g_autofree char *python = g_find_program_in_path ("python3");
  if (python != NULL)
    ck_assert_msg (strcmp (json, "ops f32[$units, d] True\n") == 0, "%s", json);
}
END_TEST

START_TEST (modules_of_the_first_interface_load)
{
  int status;
  compile (SOURCE "/tests/abi/module.c", "first.so", "-I" SOURCE "/tests/abi/1.0");
  g_autofree char *shown = run_line (&status, BUILD "/weft inspect ./first.so");
  ck_assert_msg (status == 0 && strstr (shown, "operator interface 1.0"), "%s", shown);
  g_autofree char *tested = run_line (&status, BUILD "/weft test-operator --plugin-path first.so first_interface");
  ck_assert_msg (status == 0 && strstr (tested, "gradients    passed"), "%s", tested);
}
END_TEST

START_TEST (programs_run_pipelines)
{
  int status;
  g_autofree char *built =
      run_line (&status, WEFT_TEST_CC " " WEFT_TEST_SANITIZERS " -Wall -Wextra -Werror " SOURCE
                                      "/doc/lessons/9-session.c -o session `pkg-config --cflags --libs weft-1` -Wl,-rpath," BUILD "/.libs");
  ck_assert_msg (status == 0, "%s", built);
  g_autofree char *output = run_line (&status, "./session " SOURCE "/doc/lessons/9-session.yaml");
  ck_assert_int_eq (status, 0);
  ck_assert_str_eq (output, "0.600 0.800 0.990\n0.000 1.000 0.707\n");
  g_autofree char *failed = run_line (&status, "./session nowhere.yaml");
  ck_assert_int_eq (status, 1);
  ck_assert_ptr_nonnull (strstr (failed, "nowhere.yaml"));
}
END_TEST

static const char ragged_pipeline[] = "pipeline: pool\n"
                                      "graphs:\n"
                                      "  pool:\n"
                                      "    nodes:\n"
                                      "      x:      {op: feed, signature: \"f32[b<=8 : t<=40, 3]\"}\n"
                                      "      twice:  {op: scale, x: x, factor: 2}\n"
                                      "      hidden: {op: relu, x: x}\n"
                                      "      more:   {op: segment_mean, x: hidden}\n"
                                      "      mean:   {op: segment_mean, x: x}\n";

static const char differentiated_pipeline[] = "pipeline: small\n"
                                              "modules:\n"
                                              "  map:\n"
                                              "    inputs: {x: \"f32[b, d]\"}\n"
                                              "    nodes: {y: {op: linear, x: x, units: 3}}\n"
                                              "    outputs: {y: y}\n"
                                              "networks: {map: {module: map}}\n"
                                              "graphs:\n"
                                              "  train:\n"
                                              "    mode: train\n"
                                              "    nodes:\n"
                                              "      x: {op: feed, signature: \"f32[b<=8, 4]\", gradient: true}\n"
                                              "      y: {use: map, x: x}\n"
                                              "      bounded: {op: tanh, x: y}\n"
                                              "      loss: {op: mean, x: bounded}\n"
                                              "      slopes: {op: gradients, minimize: loss}\n"
                                              "  points:\n"
                                              "    nodes:\n"
                                              "      items: {op: scenes, images: 10, batch: 20}\n";

START_TEST (python_runs_pipelines)
{
  int status;
  if (*WEFT_TEST_SANITIZERS)
    {
      printf ("the Python module was not tried: an interpreter without sanitizers cannot load this library\n");
      return;
    }
  g_autofree char *has = run_line (&status, "python3 -c 'import numpy' || /usr/bin/python3 -c 'import numpy'");
  if (status != 0)
    {
      printf ("the Python module was not tried: there is no Python with NumPy: %s\n", has);
      return;
    }
  rig_write (folder, "pool.yaml", ragged_pipeline, -1);
  rig_write (folder, "small.yaml", differentiated_pipeline, -1);
  g_autofree char *output = run_line (&status, "python=python3; python3 -c 'import numpy' 2>/dev/null || python=/usr/bin/python3; "
                                               "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=" SOURCE "/python WEFT_LIBRARY=" BUILD
                                               "/.libs/libweft-1.so.0 $python " SOURCE "/python/test-weft.py " SOURCE
                                               "/doc/lessons/9-session.yaml pool.yaml small.yaml");
  ck_assert_msg (status == 0 && strcmp (output, "passed\n") == 0, "%s", output);
}
END_TEST

/* Where pkg-config finds this build. */
static void
prepare (void)
{
  g_autofree char *path = NULL;
  folder = g_dir_make_tmp ("weft-test-XXXXXX", NULL);
  g_assert_nonnull (folder);
  path = g_strdup_printf ("%s/weft-1.pc", folder);
  g_assert_true (g_file_set_contents (path,
                                      "Name: Weft\nDescription: this build\nVersion: 1\nRequires: glib-2.0\n"
                                      "Libs: -L" BUILD "/.libs -lweft-1\nCflags: -I" BUILD "/include\n",
                                      -1, NULL));
  const char *others = g_getenv ("PKG_CONFIG_PATH");
  g_autofree char *paths = g_strconcat (folder, others ? ":" : NULL, others, NULL);
  g_setenv ("PKG_CONFIG_PATH", paths, TRUE);
  g_setenv ("WEFT_PATIENCE", "2", TRUE);
  g_setenv ("LC_ALL", "C.UTF-8", TRUE);
  g_setenv ("ASAN_OPTIONS", "handle_segv=0:detect_leaks=0", TRUE);
  g_setenv ("TSAN_OPTIONS", "handle_segv=0", TRUE);
  g_setenv ("UBSAN_OPTIONS", "halt_on_error=0", TRUE);
  g_unsetenv ("MAKEFLAGS");
  g_unsetenv ("MAKELEVEL");
}

int
main (void)
{
  Suite *suite = suite_create ("authoring");
  TCase *tests = tcase_create ("authoring");
  tcase_set_timeout (tests, 120);
  prepare ();
  tcase_add_loop_test (tests, bases_pass_before_any_edit, 0, G_N_ELEMENTS (bases));
  tcase_add_test (tests, names_are_checked);
  tcase_add_loop_test (tests, lessons_pass, 0, G_N_ELEMENTS (lessons));
  tcase_add_test (tests, first_lesson_is_short);
  tcase_add_test (tests, another_family_trains);
  tcase_add_loop_test (tests, broken_modules_are_reported, 0, G_N_ELEMENTS (broken));
  tcase_add_test (tests, broken_kernels_are_found);
  tcase_add_test (tests, doubles_pass);
  tcase_add_test (tests, broken_modules_take_nothing_with_them);
  tcase_add_test (tests, two_operators_of_one_name_are_reported);
  tcase_add_test (tests, unknown_names_suggest_near_ones);
  tcase_add_test (tests, inspection_is_complete_and_machine_readable);
  tcase_add_test (tests, modules_of_the_first_interface_load);
  tcase_add_test (tests, programs_run_pipelines);
  tcase_add_test (tests, python_runs_pipelines);
  suite_add_tcase (suite, tests);
  int failed = rig_main (suite);
  rig_remove (folder);
  g_free (folder);
  return failed;
}
