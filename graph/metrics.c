/* Curves of a run: JSON Lines beside TensorBoard event files.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include <weft/operator.h>

#include "events.h"

struct _WeftMetrics
{
  int file;
  char *path;
  WeftEvents *events;
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
    else if ((guchar)*c < 0x20)
      g_string_append_printf (json, "\\u%04x", (guint)*c);
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
  gboolean single = (double)(float)value == value;
  for (int digits = 6; digits <= 17; digits++)
    {
      char format[8];
      g_snprintf (format, sizeof format, "%%.%dg", digits);
      g_ascii_formatd (buffer, sizeof buffer, format, value);
      double back = g_ascii_strtod (buffer, NULL);
      if (back == value || (single && (float)back == (float)value))
        break;
    }
  g_string_append (json, buffer);
}

/* Length of the lines up to @step. A last line that a crash cut short counts as beyond. */
static gsize
length_until (const char *text, guint64 step)
{
  const char *line = text;
  for (const char *end; (end = strchr (line, '\n')); line = end + 1)
    if (!g_str_has_prefix (line, "{\"step\":") || g_ascii_strtoull (line + strlen ("{\"step\":"), NULL, 10) > step)
      break;
  return (gsize)(line - text);
}

static gboolean
fail (const WeftMetrics *metrics, const char *what, GError **error)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: can't be %s: %s", metrics->path, what, g_strerror (errno));
  return FALSE;
}

WeftMetrics *
weft_metrics_open (const char *directory, guint64 step, GError **error)
{
  g_autoptr (WeftMetrics) metrics = g_new0 (WeftMetrics, 1);
  metrics->start = g_get_monotonic_time ();
  metrics->path = g_build_filename (directory, "metrics.jsonl", NULL);
  metrics->file = open (metrics->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (metrics->file < 0)
    return fail (metrics, "opened", error), NULL;
  g_autofree char *text = NULL;
  if (!g_file_get_contents (metrics->path, &text, NULL, error))
    return NULL;
  if (ftruncate (metrics->file, (off_t)length_until (text, step)) != 0)
    return fail (metrics, "cut to the step that the run continues from", error), NULL;
  metrics->events = weft_events_open (directory, step, error);
  return metrics->events ? g_steal_pointer (&metrics) : NULL;
}

static gboolean
write_line (WeftMetrics *metrics, const GString *line, GError **error)
{
  for (gsize done = 0; done < line->len;)
    {
      gssize written = write (metrics->file, line->str + done, line->len - done);
      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        return fail (metrics, "written", error);
      done += (gsize)written;
    }
  return TRUE;
}

/* The step comes first: that is where length_until() looks for it. */
static GString *
begin_line (WeftMetrics *metrics, const char *phase, guint64 step, guint64 epoch)
{
  GString *line = g_string_new (NULL);
  gint64 elapsed = g_get_monotonic_time () - metrics->start;
  g_string_append_printf (line, "{\"step\":%" G_GUINT64_FORMAT ",\"epoch\":%" G_GUINT64_FORMAT ",\"phase\":", step, epoch);
  weft_json_append_string (line, phase);
  g_string_append_printf (line, ",\"seconds\":%" G_GINT64_FORMAT ".%03d", elapsed / G_USEC_PER_SEC, (int)(elapsed / 1000 % 1000));
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
  if (!write_line (metrics, line, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *tag = g_strdup_printf ("%s/%s", phase, values[i].name);
      if (!weft_events_scalar (metrics->events, step, tag, values[i].value, error))
        return FALSE;
    }
  return TRUE;
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
  return write_line (metrics, line, error);
}

void
weft_metrics_close (WeftMetrics *metrics)
{
  if (!metrics)
    return;
  weft_events_close (metrics->events);
  if (metrics->file >= 0)
    close (metrics->file);
  g_free (metrics->path);
  g_free (metrics);
}
