/* What every registered operator passes without asking: each aspect of each operator is a test.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "registry.h"
#include "trial.h"

#define ASPECTS 9

START_TEST (operators_pass)
{
  guint n;
  const WeftOperator *op = weft_registry_operators (&n)[_i / ASPECTS];
  WeftFinding *finding = weft_trial_aspect (op, weft_trial_aspects[_i % ASPECTS]);

  ck_assert_msg (finding->outcome != WEFT_TRIAL_FAILED, "%s: %s: %s", op->name, finding->aspect, finding->message);
  weft_finding_free (finding);
}
END_TEST

START_TEST (operators_have_examples)
{
  guint n;
  const WeftOperator *const *operators = weft_registry_operators (&n);

  for (guint i = 0; i < n; i++)
    ck_assert_msg (operators[i]->example != NULL, "%s has no example: nothing of it was tried", operators[i]->name);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("operators");
  TCase *tests = tcase_create ("every operator");
  SRunner *runner;
  g_autoptr (GError) error = NULL;
  char *folder;
  guint n;
  int failed;

  g_assert_true (weft_trial_aspects[ASPECTS - 1] != NULL && weft_trial_aspects[ASPECTS] == NULL);
  weft_registry_load (NULL);
  for (guint i = 0; i < weft_registry_modules ()->len; i++)
    {
      const WeftLoaded *loaded = weft_registry_modules ()->pdata[i];
      if (loaded->refused)
        {
          printf ("%s: %s\n", loaded->path, loaded->refused);
          return EXIT_FAILURE;
        }
    }
  weft_registry_operators (&n);
  folder = weft_trial_enter_folder (&error);
  g_assert_no_error (error);
  tcase_set_timeout (tests, 120);
  tcase_add_test (tests, operators_have_examples);
  tcase_add_loop_test (tests, operators_pass, 0, (int) n * ASPECTS);
  suite_add_tcase (suite, tests);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  weft_trial_leave_folder (folder);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
