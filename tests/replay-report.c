/* What a replay found: the largest difference of each quantity.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "replay.h"

static void
row_free (gpointer data)
{
  ReportRow *row = data;
  g_free (row->quantity);
  g_free (row->where);
  g_free (row);
}

Report *
report_new (void)
{
  Report *report = g_new (Report, 1);
  report->rows = g_ptr_array_new_with_free_func (row_free);
  return report;
}

void
report_free (Report *report)
{
  g_ptr_array_unref (report->rows);
  g_free (report);
}

void
report_note (Report *report, const char *quantity, double tolerance, const char *where, double difference)
{
  ReportRow *row = NULL;
  for (guint i = 0; i < report->rows->len && row == NULL; i++)
    if (g_str_equal (((ReportRow *) report->rows->pdata[i])->quantity, quantity))
      row = report->rows->pdata[i];
  if (row == NULL)
    {
      row = g_new0 (ReportRow, 1);
      row->quantity = g_strdup (quantity);
      row->tolerance = tolerance;
      row->worst = -1;
      g_ptr_array_add (report->rows, row);
    }
  if (isnan (difference))
    difference = INFINITY;
  if (difference > row->worst)
    {
      row->worst = difference;
      g_free (row->where);
      row->where = g_strdup (where);
    }
}

gboolean
report_passes (const Report *report)
{
  for (guint i = 0; i < report->rows->len; i++)
    {
      const ReportRow *row = report->rows->pdata[i];
      if (!(row->worst <= row->tolerance))
        return FALSE;
    }
  return report->rows->len > 0;
}

void
report_print (const Report *report)
{
  for (guint i = 0; i < report->rows->len; i++)
    {
      const ReportRow *row = report->rows->pdata[i];
      gboolean ok = row->worst <= row->tolerance;
      g_print ("%-24s %8.1e  (at most %5.0e)  %s  %s\n", row->quantity, row->worst, row->tolerance, ok ? "ok" : "DIFFERS", row->where);
    }
}

double
largest_magnitude (const float *values, gint64 n)
{
  double largest = 0;
  for (gint64 i = 0; i < n; i++)
    largest = isfinite (values[i]) ? MAX (largest, fabs ((double) values[i])) : INFINITY;
  return largest;
}

double
relative_difference (const float *values, const float *expected, gint64 n)
{
  double largest = 0, magnitude = largest_magnitude (expected, n);
  for (gint64 i = 0; i < n; i++)
    {
      double difference = fabs ((double) values[i] - (double) expected[i]);
      if (!isfinite (difference))
        return INFINITY;
      largest = MAX (largest, difference);
    }
  return largest == 0 ? 0 : largest / magnitude;
}
