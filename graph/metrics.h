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

/* How much was written by the time of a checkpoint: lines of metrics.jsonl and points of curves. */
typedef struct
{
  guint64 lines, points;
} WeftWritten;

/* Not known: checkpoints of old did not say. */
#define WEFT_WRITTEN_UNKNOWN G_MAXUINT64

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
 * @step: steps done so far
 * @written: what the checkpoint that the run continues from says was written. What follows was written after it and is cut off, so that
 *   nothing stands there twice; where that is not known, what is beyond @step
 */
WeftMetrics *weft_metrics_open (const char *directory, guint64 step, WeftWritten written, GError **error);

/**
 * weft_metrics_write:
 * @phase: "train", "validate" …; the first part of TensorBoard's tags
 *
 * One line `{"step": …, "epoch": …, "phase": …, "seconds": since the run started, NAME: VALUE, …}`; what is not finite becomes `null`. A
 * line that can't be written now is written with a later one: see weft_append_write().
 */
gboolean weft_metrics_write (WeftMetrics *metrics, const char *phase, guint64 step, guint64 epoch, const WeftMetric *values, guint n,
                             GError **error);
/* One line `{"step": …, "epoch": …, "phase": "histogram", "seconds": …, "name": …, "from": …, "to": …, "mean": …, "counts": […]}`. */
gboolean weft_metrics_write_histogram (WeftMetrics *metrics, guint64 step, guint64 epoch, const WeftHistogram *histogram, GError **error);
/* Tries again to write what could not be written. */
gboolean weft_metrics_flush (WeftMetrics *metrics, GError **error);
WeftWritten weft_metrics_written (const WeftMetrics *metrics);
void weft_metrics_close (WeftMetrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftMetrics, weft_metrics_close)

/* JSON as everything of a run writes it: a string with quotes, and the shortest number that reads back as the same float32 or double. */
void weft_json_append_string (GString *json, const char *text);
void weft_json_append_number (GString *json, double value);

G_END_DECLS
