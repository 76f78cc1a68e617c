/* Schedules: whatever was accepted stays between the attribute's bounds at all times.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "schedule.h"

static const WeftAttribute attributes[] = {
  { .name = "rate", .kind = WEFT_ATTRIBUTE_NUMBER, .minimum = 0, .maximum = 1 },
  { .name = "count", .kind = WEFT_ATTRIBUTE_INTEGER, .minimum = 1, .maximum = 1000 },
  { .name = "truth", .kind = WEFT_ATTRIBUTE_BOOLEAN, .minimum = 0, .maximum = 1 },
};

static void
read_schedule (const WeftValue *value, const WeftAttribute *attribute)
{
  static const guint64 times[] = { 0, 1, 2, 7, 10, 99, 100, 1000, 1000000, G_MAXUINT32, G_MAXINT64, G_MAXUINT64 };
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftSchedule) schedule = weft_schedule_new (value, attribute, problems);
  g_assert ((schedule == NULL) == (weft_problems_count (problems) > 0));
  for (guint i = 0; schedule != NULL && i < G_N_ELEMENTS (times); i++)
    for (guint k = 0; k <= i; k++)
      {
        double now = weft_schedule_value (schedule, times[i], times[k]), slack = 1e-9 * attribute->maximum;
        g_assert (now >= attribute->minimum - slack && now <= attribute->maximum + slack);
      }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftValue) value = weft_document_parse ((const char *) data, (gssize) size, "schedule", problems);
  for (guint i = 0;
       value != NULL && weft_problems_count (problems) == 0 && weft_value_kind (value) == WEFT_VALUE_MAP && i < G_N_ELEMENTS (attributes);
       i++)
    read_schedule (value, &attributes[i]);
  return 0;
}
