/* Schedules: values over steps and epochs, and what is refused.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "rig.h"
#include "schedule.h"

static const WeftAttribute rate = { .name = "rate", .kind = WEFT_ATTRIBUTE_NUMBER, .minimum = 0, .maximum = 1, .scheduled = TRUE };
static const WeftAttribute size = { .name = "size", .kind = WEFT_ATTRIBUTE_INTEGER, .minimum = 1, .maximum = 100, .scheduled = TRUE };
static const WeftAttribute hardest = { .name = "hardest", .kind = WEFT_ATTRIBUTE_BOOLEAN, .scheduled = TRUE };

static WeftSchedule *
read_schedule (const char *yaml, const WeftAttribute *attribute)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftValue) value = weft_document_parse (yaml, -1, "t", problems);
  WeftSchedule *schedule = weft_schedule_new (value, attribute, problems);
  ck_assert_msg (schedule != NULL, "%s: %s", yaml, weft_problems_count (problems) ? weft_problems_get (problems, 0) : "no message");
  ck_assert_uint_eq (weft_problems_count (problems), 0);
  ck_assert (weft_schedule_check (value, attribute, problems));
  return schedule;
}

START_TEST (values_follow_steps_and_epochs)
{
  static const struct
  {
    const char *yaml;
    const WeftAttribute *attribute;
    guint64 step, epoch;
    double value;
  } cases[] = {
    { "{start: 0.5}", &rate, 1000, 10, 0.5 },
    { "{start: 5e-4, drop: {epoch: 10, by: 0.1}}", &rate, 0, 9, 5e-4 },
    { "{start: 5e-4, drop: {epoch: 10, by: 0.1}}", &rate, 0, 10, 5e-5 },
    { "{start: 1, drop: {epoch: [2, 4], by: 0.5}}", &rate, 0, 3, 0.5 },
    { "{start: 1, drop: {epoch: [2, 4], by: 0.5}}", &rate, 0, 4, 0.25 },
    { "{start: 1, drop: {step: [2, 4], by: [0.5, 0.1]}}", &rate, 5, 0, 0.05 },
    { "{start: 1, drop: {step: 3, by: 0.5}}", &rate, 2, 100, 1 },
    { "{start: 1, change: {step: 3, to: 0.25}}", &rate, 2, 0, 1 },
    { "{start: 1, change: {step: 3, to: 0.25}}", &rate, 3, 0, 0.25 },
    { "{start: 1, change: {epoch: [1, 2], to: [0.25, 0.75]}}", &rate, 0, 1, 0.25 },
    { "{start: 1, change: {epoch: [1, 2], to: [0.25, 0.75]}}", &rate, 0, 9, 0.75 },
    { "{start: 1, change: {epoch: 1, to: 0.5}, drop: {epoch: 3, by: 0.1}}", &rate, 0, 3, 0.05 },
    { "{start: 1, linear: {steps: 10, to: 0}}", &rate, 0, 0, 1 },
    { "{start: 1, linear: {steps: 10, to: 0}}", &rate, 4, 0, 0.6 },
    { "{start: 1, linear: {steps: 10, to: 0}}", &rate, 10, 0, 0 },
    { "{start: 1, linear: {steps: 10, to: 0}}", &rate, 1000, 0, 0 },
    { "{start: 0, linear: {epochs: 4, to: 1}}", &rate, 77, 1, 0.25 },
    { "{start: 1, cosine: {steps: 10, to: 0}}", &rate, 5, 0, 0.5 },
    { "{start: 1, cosine: {steps: 3, to: 0}}", &rate, 1, 0, 0.75 },
    { "{start: 1, cosine: {steps: 10, to: 0.2}}", &rate, 10, 0, 0.2 },
    { "{start: 1, warmup: {steps: 4}}", &rate, 0, 0, 0.25 },
    { "{start: 1, warmup: {steps: 4}}", &rate, 3, 0, 1 },
    { "{start: 1, warmup: {steps: 4}}", &rate, 4, 0, 1 },
    { "{start: 1, warmup: {epochs: 2, from: 0.5}}", &rate, 9, 0, 0.75 },
    { "{start: 1, warmup: {steps: 4}, linear: {steps: 14, to: 0}}", &rate, 3, 0, 1 },
    { "{start: 1, warmup: {steps: 4}, linear: {steps: 14, to: 0}}", &rate, 4, 0, 1 },
    { "{start: 1, warmup: {steps: 4}, linear: {steps: 14, to: 0}}", &rate, 9, 0, 0.5 },
    { "{start: 1, warmup: {steps: 4}, cosine: {steps: 14, to: 0}}", &rate, 9, 0, 0.5 },
    { "{start: 1, warmup: {steps: 2}, drop: {epoch: 1, by: 0.1}}", &rate, 9, 1, 0.1 },
    { "{start: 1, linear: {steps: 10, to: 10}}", &size, 3, 0, 4 },
    { "{start: 10, drop: {step: 1, by: 0.33}}", &size, 1, 0, 3 },
    { "{start: false, change: {epoch: 1, to: true}}", &hardest, 99, 0, 0 },
    { "{start: false, change: {epoch: 1, to: true}}", &hardest, 99, 1, 1 },
    { "{start: yes, change: {step: [1, 2], to: [off, on]}}", &hardest, 1, 0, 0 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (WeftSchedule) schedule = read_schedule (cases[i].yaml, cases[i].attribute);
      double value = weft_schedule_value (schedule, cases[i].step, cases[i].epoch);
      ck_assert_msg (fabs (value - cases[i].value) < 1e-12, "%s: %g instead of %g", cases[i].yaml, value, cases[i].value);
    }
}
END_TEST

START_TEST (wrong_schedules_are_explained)
{
  static const struct
  {
    const char *yaml;
    const WeftAttribute *attribute;
    const char *message;
  } cases[] = {
    { "0.5", &rate, "t:1:1: schedule of \"rate\": `schedule` must be a map" },
    { "{}", &rate, "`start:` is missing" },
    { "{strat: 1}", &rate, "t:1:2: schedule of \"rate\": `schedule` knows no \"strat\"; did you mean \"start\"?" },
    { "{start: fast}", &rate, "t:1:9: schedule of \"rate\": expected a number" },
    { "{start: '1'}", &rate, "expected a number" },
    { "{start: 2}", &rate, "2 must lie between 0 and 1" },
    { "{start: 1, linear: {steps: 5, to: -1}}", &rate, "-1 must lie between 0 and 1" },
    { "{start: 1, warmup: {steps: 5, from: 7}}", &rate, "7 must lie between 0 and 1" },
    { "{start: 1, drop: {epoch: 1, by: 3}}", &rate, "it comes to 3, which must lie between 0 and 1" },
    { "{start: 1, drop: {epoch: 1}}", &rate, "`drop` needs `by:`" },
    { "{start: 1, drop: {by: 0.1}}", &rate, "`drop` needs either `epoch:` or `step:`" },
    { "{start: 1, drop: {epoch: 1, step: 2, by: 0.1}}", &rate, "`drop` needs either `epoch:` or `step:`" },
    { "{start: 1, drop: {epochs: 1, by: 0.1}}", &rate, "`drop` knows no \"epochs\"; did you mean \"epoch\"?" },
    { "{start: 1, drop: 0.1}", &rate, "`drop` must be a map" },
    { "{start: 1, drop: {epoch: -1, by: 0.1}}", &rate, "expected a number of epochs or steps, from 0" },
    { "{start: 1, drop: {epoch: 1.5, by: 0.1}}", &rate, "expected a number of epochs or steps, from 0" },
    { "{start: 1, drop: {epoch: [5, 3], by: 0.1}}", &rate, "times must ascend" },
    { "{start: 1, drop: {epoch: [1, 2], by: [0.1]}}", &rate, "`drop` has 2 times, but 1 values" },
    { "{start: 1, drop: {epoch: 1, by: -1}}", &rate, "`by` must be a factor from 0" },
    { "{start: 1, change: {epoch: 1}}", &rate, "`change` needs `to:`" },
    { "{start: 1, linear: {steps: 5}}", &rate, "`linear` needs `to:`" },
    { "{start: 1, linear: {to: 0}}", &rate, "`linear` needs either `epochs:` or `steps:`" },
    { "{start: 1, linear: {steps: 0, to: 0}}", &rate, "at least 1 epoch or step" },
    { "{start: 1, linear: {steps: 5, to: 0}, cosine: {steps: 5, to: 0}}", &rate, "exclude each other" },
    { "{start: 1, linear: {steps: 5, to: 0}, change: {step: 1, to: 0}}", &rate, "`change` and `linear` exclude each other" },
    { "{start: 1, warmup: {epochs: 1}}", &rate, "count it in steps" },
    { "{start: 1, warmup: {steps: 0}}", &rate, "that is no warm-up" },
    { "{start: 1, warmup: {steps: 5}, linear: {epochs: 9, to: 0}}", &rate, "must both count epochs or both count steps" },
    { "{start: 1, warmup: {steps: 5}, cosine: {steps: 5, to: 0}}", &rate, "the end must come after that of the warm-up" },
    { "{start: 1.5}", &size, "expected an integer" },
    { "{start: 4, warmup: {steps: 100}}", &size, "it begins at 0 unless `from:` says otherwise, and must begin between 1 and 100" },
    { "{start: 10, drop: {epoch: 1, by: 0.01}}", &size, "it comes to 0.1, which must lie between 1 and 100" },
    { "{start: 1}", &hardest, "expected true or false" },
    { "{start: true, linear: {steps: 5, to: false}}", &hardest, "true and false can only `change`" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (WeftProblems) problems = weft_problems_new ();
      g_autoptr (WeftValue) value = weft_document_parse (cases[i].yaml, -1, "t", problems);
      ck_assert_ptr_null (weft_schedule_new (value, cases[i].attribute, problems));
      gboolean found = FALSE;
      for (guint k = 0; k < weft_problems_count (problems); k++)
        found |= strstr (weft_problems_get (problems, k), cases[i].message) != NULL;
      ck_assert_msg (found, "%s: expected \"%s\", got \"%s\"", cases[i].yaml, cases[i].message,
                     weft_problems_count (problems) ? weft_problems_get (problems, 0) : "");
    }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("schedule");
  TCase *tests = tcase_create ("schedule");
  tcase_add_test (tests, values_follow_steps_and_epochs);
  tcase_add_test (tests, wrong_schedules_are_explained);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
