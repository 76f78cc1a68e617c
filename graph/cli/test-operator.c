/* weft test-operator: what operators promise against what they do.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

/* What a child leaves. */
typedef struct
{
  WeftTrialOutcome outcome;
  char message[2000];
} Left;

typedef struct
{
  const Tests *tests;
  const WeftOperator *op;
  const char *aspect;
  Left *left; /* shared with the child */
} Test;

static guint
print_findings (const Test *test, GPtrArray *findings)
{
  guint failed = 0;

  for (guint i = 0; i < findings->len; i++)
    failed += ((const WeftFinding *) findings->pdata[i])->outcome == WEFT_TRIAL_FAILED;
  if (!failed && test->tests->common->quiet)
    return 0;
  printf ("%s: %s\n", test->op->name, failed ? "FAILED" : "passed");
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

  weft_child_note ("measuring %s", test->op->name);
  if (!weft_trial_speed (test->op, (guint) MAX (test->tests->common->threads, 0), &speed, &error))
    {
      printf ("  speed        -       %s\n", error->message);
      return;
    }
  for (int i = 0; i < 2; i++)
    {
      double seconds = MAX (speed.seconds[i], 1e-6);
      if (!speed.bytes[i] || speed.seconds[i] <= 0)
        continue;
      printf ("  %-12s %.3f ms, %.2f GB/s (%.0f %% of copying as much)", ways[i], speed.seconds[i] * 1e3, speed.bytes[i] / seconds * 1e-9,
              100 * speed.bytes[i] / seconds / speed.copying[i]);
      if (speed.operations[i] > 0)
        printf (", %.2f GFLOP/s in products (%.0f %% of the best product)", speed.operations[i] / seconds * 1e-9,
                100 * speed.operations[i] / seconds / test->tests->limits[1]);
      printf ("\n");
    }
}

static int
try_aspect (gpointer data)
{
  const Test *test = data;
  WeftFinding *finding = weft_trial_aspect (test->op, test->aspect);

  test->left->outcome = finding->outcome;
  g_strlcpy (test->left->message, finding->message, sizeof test->left->message);
  weft_finding_free (finding);
  return 0;
}

static int
measure (gpointer data)
{
  print_speed (data);
  return 0;
}

/* The commonest cause of a crash. */
static const char *
hint (const Test *test, const WeftChildEnd *end)
{
  const char *doing = end->doing ? end->doing : "";

  if (end->stopped || !strstr (end->reason, "crashed") || strstr (doing, ", where "))
    return "";
  if (strstr (doing, WEFT_TRIAL_BACKWARDS))
    return "; backward finds no data in values that are not marked WEFT_PORT_READ";
  if (strstr (doing, " by output "))
    return "; no gradient flows from the other outputs: out_gradient is NULL for them";
  return test->op->saved && g_str_has_prefix (doing, "running") ? "; `saved` is NULL where no gradient is needed" : "";
}

static char *
describe_end (const Test *test, const WeftChildEnd *end)
{
  return g_strdup_printf ("%s: it %s%s", end->doing ? end->doing : "starting", end->reason, hint (test, end));
}

/* Each aspect in a process of its own: what crashes or hangs takes nothing else with it. */
static GPtrArray *
try_apart (Test *test)
{
  GPtrArray *findings = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_finding_free);
  gboolean stopped = FALSE;

  for (guint i = 0; weft_trial_aspects[i] && !stopped; i++)
    {
      g_auto (WeftChildEnd) end = { 0 };
      WeftFinding *finding = g_new0 (WeftFinding, 1);
      test->aspect = finding->aspect = weft_trial_aspects[i];
      weft_child_run (try_aspect, test, PATIENCE, &end);
      finding->outcome = end.finished ? test->left->outcome : WEFT_TRIAL_FAILED;
      finding->message = end.finished ? g_strdup (test->left->message) : describe_end (test, &end);
      stopped = end.stopped;
      g_ptr_array_add (findings, finding);
    }
  return findings;
}

static gboolean
test_operator (const Tests *self, const WeftOperator *op)
{
  Test test = { .tests = self, .op = op };
  g_autoptr (GPtrArray) findings = NULL;
  g_auto (WeftChildEnd) end = { 0 };
  guint failed;

  test.left = mmap (NULL, sizeof *test.left, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert (test.left != MAP_FAILED);
  findings = try_apart (&test);
  munmap (test.left, sizeof *test.left);
  failed = print_findings (&test, findings);
  if (self->speed)
    weft_child_run (measure, &test, PATIENCE, &end);
  if (end.reason)
    printf ("  speed        -       %s: it %s\n", end.doing, end.reason);
  return failed == 0;
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
is_wanted (const Tests *self, const WeftOperator *op)
{
  const WeftModule *module = weft_registry_module_of (op);

  if (self->all)
    return TRUE;
  for (int i = 0; i < self->n; i++)
    if (strcmp (self->names[i], op->name) == 0 || (module && strcmp (self->names[i], module->name) == 0))
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
        failed += !test_operator (self, operators[i]);
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
