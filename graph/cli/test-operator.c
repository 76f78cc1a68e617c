/* weft test-operator: what operators promise against what they do.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "cli.h"
#include "trial.h"

/* Seconds that one aspect may take. */
#define PATIENCE 60

typedef struct
{
  const WeftCommonOptions *common;
  int n;
  char **names;
  gboolean all, speed;
  double limits[2];
} Tests;

typedef struct
{
  const Tests *tests;
  const WeftOperator *operator;
} Test;

static guint
print_findings (const Test *test, GPtrArray *findings)
{
  guint failed = 0;

  for (guint i = 0; i < findings->len; i++)
    failed += ((const WeftFinding *) findings->pdata[i])->outcome == WEFT_TRIAL_FAILED;
  if (!failed && test->tests->common->quiet)
    return 0;
  printf ("%s: %s\n", test->operator->name, failed ? "FAILED" : "passed");
  for (guint i = 0; i < findings->len; i++)
    {
      static const char *const words[] = { "passed", "-", "FAILED" };
      const WeftFinding *finding = findings->pdata[i];
      if (!test->tests->common->quiet || finding->outcome == WEFT_TRIAL_FAILED)
        printf ("  %-12s %-7s %s\n", finding->aspect, words[finding->outcome], finding->message);
    }
  return failed;
}

static void
print_speed (const Test *test)
{
  static const char *const ways[] = { "forward", "backward" };
  g_autoptr (GError) error = NULL;
  WeftTrialSpeed speed;

  weft_child_note ("measuring %s", test->operator->name);
  if (!weft_trial_speed (test->operator, (guint) MAX (test->tests->common->threads, 0), &speed, &error))
    {
      printf ("  speed        -       %s\n", error->message);
      return;
    }
  for (int i = 0; i < 2; i++)
    {
      double seconds = MAX (speed.seconds[i], 1e-6);
      if (!speed.bytes[i] || speed.seconds[i] <= 0)
        continue;
      printf ("  %-12s %.3f ms, %.2f GB/s (%.0f %% of copying)", ways[i], speed.seconds[i] * 1e3, speed.bytes[i] / seconds * 1e-9,
              100 * speed.bytes[i] / seconds / test->tests->limits[0]);
      if (speed.operations[i] > 0)
        printf (", %.2f GFLOP/s in products (%.0f %% of the best product)", speed.operations[i] / seconds * 1e-9,
                100 * speed.operations[i] / seconds / test->tests->limits[1]);
      printf ("\n");
    }
}

static int
test_one (gpointer data)
{
  const Test *test = data;
  g_autoptr (GPtrArray) findings = weft_trial (test->operator);
  guint failed = print_findings (test, findings);

  if (test->tests->speed)
    print_speed (test);
  return failed ? WEFT_EXIT_INPUT : 0;
}

/* Each in a process of its own: what crashes or hangs takes nothing else with it. */
static int
test_apart (const Tests *self, const WeftOperator *operator)
{
  Test test = { self, operator};
  g_auto (WeftChildEnd) end = { 0 };

  weft_child_run (test_one, &test, PATIENCE, &end);
  if (end.finished)
    return end.status;
  printf ("%s: FAILED\n  %s: the process %s\n", operator->name, end.doing ? end.doing : "starting", end.reason);
  return WEFT_EXIT_INPUT;
}

static int
report_unknown (const char *name)
{
  g_autofree char *hint = weft_suggestion (name, weft_registry_names ());
  const GPtrArray *modules = weft_registry_modules ();

  fprintf (stderr, "weft test-operator: there is no operator \"%s\"%s\n", name, hint);
  for (guint i = 0; i < modules->len; i++)
    {
      const WeftLoaded *loaded = modules->pdata[i];
      if (loaded->refused)
        fprintf (stderr, "%s was refused: it %s\n", loaded->path, loaded->refused);
    }
  return WEFT_EXIT_INPUT;
}

static gboolean
is_wanted (const Tests *self, const WeftOperator *operator)
{
  const WeftModule *module = weft_registry_module_of (operator);

  if (self->all)
    return TRUE;
  for (int i = 0; i < self->n; i++)
    if (strcmp (self->names[i], operator->name) == 0 || (module && strcmp (self->names[i], module->name) == 0))
      return TRUE;
  return FALSE;
}

static gboolean
is_known (const char *name)
{
  const GPtrArray *modules = weft_registry_modules ();

  for (guint i = 0; i < modules->len; i++)
    {
      const WeftLoaded *loaded = modules->pdata[i];
      if (loaded->module && strcmp (loaded->module->name, name) == 0)
        return TRUE;
    }
  return weft_registry_find (name) != NULL;
}

static int
test_all (gpointer data)
{
  Tests *self = data;
  guint n, done = 0, failed = 0;
  g_autofree const WeftOperator **operators = NULL;
  const WeftOperator *const *registered = weft_registry_operators (&n);

  for (int i = 0; i < self->n; i++)
    if (!is_known (self->names[i]))
      return report_unknown (self->names[i]);
  if (self->speed)
    {
      weft_trial_limits ((guint) MAX (self->common->threads, 0), &self->limits[0], &self->limits[1]);
      printf ("this machine copies %.1f GB/s and multiplies matrices at %.1f GFLOP/s\n", self->limits[0] * 1e-9, self->limits[1] * 1e-9);
    }
  operators = g_memdup2 (registered, (n + 1) * sizeof *registered);
  for (guint i = 0; i < n; i++)
    if (is_wanted (self, operators[i]))
      {
        done++;
        failed += test_apart (self, operators[i]) != 0;
      }
  printf ("%u operators tested, %u failed\n", done, failed);
  return failed ? WEFT_EXIT_INPUT : 0;
}

/* In a folder with the files that examples read, unless the author has some. */
static int
run_tests (Tests *self, gboolean here)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) places = g_strsplit (self->common->plugin_path ? self->common->plugin_path : "", ":", -1);
  g_autofree char *absolute = NULL;
  char *folder;
  int status;

  for (guint i = 0; places[i]; i++)
    if (*places[i])
      {
        char *path = g_canonicalize_filename (places[i], NULL);
        g_free (places[i]);
        places[i] = path;
      }
  absolute = g_strjoinv (":", places);
  if (here)
    return weft_cli_apart (absolute, test_all, self);
  folder = weft_trial_enter_folder (&error);
  if (!folder)
    {
      fprintf (stderr, "weft test-operator: %s\n", error->message);
      return WEFT_EXIT_INPUT;
    }
  status = weft_cli_apart (absolute, test_all, self);
  weft_trial_leave_folder (folder);
  return status;
}

int
weft_cli_test_operator (int argc, char **argv)
{
  WeftCommonOptions common;
  Tests self = { .common = &common };
  gboolean here = FALSE;
  const GOptionEntry own[] = { { "all", 'a', 0, G_OPTION_ARG_NONE, &self.all, "Test every operator there is", NULL },
                               { "speed", 's', 0, G_OPTION_ARG_NONE, &self.speed, "Measure time, beside what the machine reaches", NULL },
                               { "here", 0, 0, G_OPTION_ARG_NONE, &here,
                                 "Stay in this folder: examples find their files in its folder data", NULL },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  int status = 0;

  if (!weft_cli_parse_options (&argc, &argv, "OPERATOR|MODULE…",
                               "Tests operators on their examples, and on edge shapes made of them: descriptor, shapes, writes past "
                               "outputs, values never set, any number "
                               "of threads, saving and restoring, in place, the composition, gradients against central differences. "
                               "Operators run in processes of their "
                               "own: what crashes or hangs is reported.\n\nExamples:\n  weft test-operator --all\n  weft test-operator "
                               "--plugin-path . --speed swish",
                               own, &common, &status))
    return status;
  self.n = argc - 1;
  self.names = argv + 1;
  if (!self.n && !self.all)
    status = weft_cli_usage ("weft test-operator: expected operators or --all");
  else
    status = run_tests (&self, here);
  weft_cli_options_clear (&common);
  return status;
}
