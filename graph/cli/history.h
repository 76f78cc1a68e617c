/* What a run has logged, read back from its metrics.jsonl.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint64 step, epoch;
  double value; /* of a histogram: the mean; NAN where the log has none */
} WeftCurvePoint;

/**
 * WeftCurve:
 * @name: as logged; values of validations begin with "validate."
 * @points: (element-type WeftCurvePoint), at least one
 * @bins: 0 unless it is a histogram
 * @from, @to: what the bins cover
 * @counts: (nullable) (element-type guint64*): @bins counts for each point
 */
typedef struct
{
  char *name;
  GArray *points;
  guint bins;
  double from, to;
  GPtrArray *counts;
} WeftCurve;

/* Curves in the order in which they were first logged; (element-type WeftCurve), %NULL if the file can't be read. */
GPtrArray *weft_history_read (const char *directory, GError **error);

G_END_DECLS
