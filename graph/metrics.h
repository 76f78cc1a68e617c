/* Curves of a run: JSON Lines beside TensorBoard event files.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WeftMetrics WeftMetrics;

typedef struct
{
  const char *name;
  double value;
} WeftMetric;

/**
 * WeftHistogram:
 * @mean: of all values, NAN if there are none
 * @counts: (array length=n): values in each of equally wide bins from @from to @to
 */
typedef struct
{
  const char *name;
  double from, to, mean;
  guint n;
  const guint64 *counts;
} WeftHistogram;

/**
 * weft_metrics_open:
 * @directory: the run's
 * @step: steps done so far. Lines beyond it, written after the checkpoint that the run continues from, are cut off
 */
WeftMetrics *weft_metrics_open (const char *directory, guint64 step, GError **error);

/**
 * weft_metrics_write:
 * @phase: "train", "validate" …; the first part of TensorBoard's tags
 *
 * One line `{"step": …, "epoch": …, "phase": …, "seconds": since the run started, NAME: VALUE, …}`; what is not finite becomes `null`.
 */
gboolean weft_metrics_write (WeftMetrics *metrics, const char *phase, guint64 step, guint64 epoch, const WeftMetric *values, guint n,
                             GError **error);
/* One line `{"step": …, "epoch": …, "phase": "histogram", "seconds": …, "name": …, "from": …, "to": …, "mean": …, "counts": […]}`. */
gboolean weft_metrics_write_histogram (WeftMetrics *metrics, guint64 step, guint64 epoch, const WeftHistogram *histogram, GError **error);
void weft_metrics_close (WeftMetrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftMetrics, weft_metrics_close)

/* JSON as everything of a run writes it: a string with quotes, and the shortest number that reads back as the same float32 or double. */
void weft_json_append_string (GString *json, const char *text);
void weft_json_append_number (GString *json, double value);

G_END_DECLS
