/* Curves of a run: JSON Lines beside TensorBoard event files.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "metrics.h"

#include <math.h>
#include <string.h>

#include "append.h"
#include "events.h"

struct _WeftMetrics
{
  WeftAppend *lines;
  WeftEvents *events;
  WeftWritten written;
  gint64 start;
};

void
weft_json_append_string (GString *json, const char *text)
{
  g_string_append_c (json, '"');
  for (const char *c = text; *c; c++)
    if (*c == '"' || *c == '\\')
      g_string_append_printf (json, "\\%c", *c);
    else if (*c == '\n')
      g_string_append (json, "\\n");
    else if ((guchar) *c < 0x20)
      g_string_append_printf (json, "\\u%04x", (guint) *c);
    else
      g_string_append_c (json, *c);
  g_string_append_c (json, '"');
}

void
weft_json_append_number (GString *json, double value)
{
  if (!isfinite (value))
    {
      g_string_append (json, "null");
      return;
    }
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  gboolean single = (double) (float) value == value;
  for (int digits = 6; digits <= 17; digits++)
    {
      char format[8];
      g_snprintf (format, sizeof format, "%%.%dg", digits);
      g_ascii_formatd (buffer, sizeof buffer, format, value);
      double back = g_ascii_strtod (buffer, NULL);
      if (back == value || (single && (float) back == (float) value))
        break;
    }
  g_string_append (json, buffer);
}

/* Length of the lines that are kept; their number goes into @written. A last line that a crash cut short is not one of them. */
static gsize
length_to_keep (const char *text, guint64 step, WeftWritten *written)
{
  static const char start[] = "{\"step\":";
  const char *line = text;
  guint64 most = written->lines;
  written->lines = 0;
  for (const char *end; written->lines < most && (end = strchr (line, '\n')); line = end + 1, written->lines++)
    if (!g_str_has_prefix (line, start) || (most == WEFT_WRITTEN_UNKNOWN && g_ascii_strtoull (line + strlen (start), NULL, 10) > step))
      break;
  return (gsize) (line - text);
}

WeftMetrics *
weft_metrics_open (const char *directory, guint64 step, WeftWritten written, GError **error)
{
  g_autoptr (WeftMetrics) metrics = g_new0 (WeftMetrics, 1);
  g_autofree char *path = g_build_filename (directory, "metrics.jsonl", NULL), *text = NULL;
  metrics->start = g_get_monotonic_time ();
  metrics->written = written;
  metrics->lines = weft_append_open (path, FALSE, error);
  if (!metrics->lines || !g_file_get_contents (path, &text, NULL, error)
      || !weft_append_cut (metrics->lines, length_to_keep (text, step, &metrics->written), error)
      || !weft_events_cut (directory, step, &metrics->written.points, error))
    return NULL;
  metrics->events = weft_events_open (directory, step ? step + 1 : 0, error);
  return metrics->events ? g_steal_pointer (&metrics) : NULL;
}

/* The step comes first: that is where length_to_keep() looks for it. */
static GString *
begin_line (WeftMetrics *metrics, const char *phase, guint64 step, guint64 epoch)
{
  GString *line = g_string_new (NULL);
  gint64 elapsed = g_get_monotonic_time () - metrics->start;
  g_string_append_printf (line, "{\"step\":%" G_GUINT64_FORMAT ",\"epoch\":%" G_GUINT64_FORMAT ",\"phase\":", step, epoch);
  weft_json_append_string (line, phase);
  g_string_append_printf (line, ",\"seconds\":%" G_GINT64_FORMAT ".%03d", elapsed / G_USEC_PER_SEC, (int) (elapsed / 1000 % 1000));
  return line;
}

gboolean
weft_metrics_write (WeftMetrics *metrics, const char *phase, guint64 step, guint64 epoch, const WeftMetric *values, guint n, GError **error)
{
  g_autoptr (GString) line = begin_line (metrics, phase, step, epoch);
  for (guint i = 0; i < n; i++)
    {
      g_string_append_c (line, ',');
      weft_json_append_string (line, values[i].name);
      g_string_append_c (line, ':');
      weft_json_append_number (line, values[i].value);
    }
  g_string_append (line, "}\n");
  metrics->written.lines++;
  metrics->written.points += n;
  gboolean good = weft_append_write (metrics->lines, line->str, line->len, error);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *tag = g_strdup_printf ("%s/%s", phase, values[i].name);
      good &= weft_events_scalar (metrics->events, step, tag, values[i].value, good ? error : NULL);
    }
  return good;
}

gboolean
weft_metrics_flush (WeftMetrics *metrics, GError **error)
{
  return weft_append_flush (metrics->lines, error) && weft_events_flush (metrics->events, error);
}

WeftWritten
weft_metrics_written (const WeftMetrics *metrics)
{
  return metrics->written;
}

gboolean
weft_metrics_write_histogram (WeftMetrics *metrics, guint64 step, guint64 epoch, const WeftHistogram *histogram, GError **error)
{
  g_autoptr (GString) line = begin_line (metrics, "histogram", step, epoch);
  g_string_append (line, ",\"name\":");
  weft_json_append_string (line, histogram->name);
  const struct
  {
    const char *name;
    double value;
  } numbers[] = { { "from", histogram->from }, { "to", histogram->to }, { "mean", histogram->mean } };
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_string_append_printf (line, ",\"%s\":", numbers[i].name);
      weft_json_append_number (line, numbers[i].value);
    }
  g_string_append (line, ",\"counts\":[");
  for (guint i = 0; i < histogram->n; i++)
    g_string_append_printf (line, "%s%" G_GUINT64_FORMAT, i ? "," : "", histogram->counts[i]);
  g_string_append (line, "]}\n");
  metrics->written.lines++;
  return weft_append_write (metrics->lines, line->str, line->len, error);
}

void
weft_metrics_close (WeftMetrics *metrics)
{
  if (!metrics)
    return;
  weft_events_close (metrics->events);
  weft_append_close (metrics->lines);
  g_free (metrics);
}
