/* What a person sees of long work.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "progress.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <weft/operator.h>

#define TERMINAL_INTERVAL (G_USEC_PER_SEC / 10)
#define PLAIN_INTERVAL (10 * G_USEC_PER_SEC)

struct _WeftProgress
{
  FILE *out, *log;
  gboolean terminal;
  gboolean shown; /* an updating line stands on the terminal */
  gint64 last;
};

WeftProgress *
weft_progress_new (FILE *out)
{
  WeftProgress *progress = g_new0 (WeftProgress, 1);
  progress->out = out;
  progress->terminal = out && isatty (fileno (out)) && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  progress->last = progress->terminal ? 0 : g_get_monotonic_time ();
  return progress;
}

static void
erase (WeftProgress *progress)
{
  if (progress->shown)
    fputs ("\r\033[K", progress->out);
  progress->shown = FALSE;
}

void
weft_progress_free (WeftProgress *progress)
{
  if (!progress)
    return;
  erase (progress);
  if (progress->out)
    fflush (progress->out);
  if (progress->log)
    fclose (progress->log);
  g_free (progress);
}

gboolean
weft_progress_log_to (WeftProgress *progress, const char *path, GError **error)
{
  progress->log = fopen (path, "ae");
  if (!progress->log)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: can't be opened: %s", path, g_strerror (errno));
  return progress->log != NULL;
}

void
weft_progress_line (WeftProgress *progress, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (progress->out)
    {
      erase (progress);
      fprintf (progress->out, "%s\n", text);
      fflush (progress->out);
    }
  if (progress->log)
    {
      g_autoptr (GDateTime) now = g_date_time_new_now_local ();
      g_autofree char *when = g_date_time_format (now, "%F %T");
      fprintf (progress->log, "%s %s\n", when, text);
      fflush (progress->log);
    }
}

gboolean
weft_progress_wants (WeftProgress *progress)
{
  return progress->out && g_get_monotonic_time () - progress->last >= (progress->terminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL);
}

/* Bytes of @text that fit into the terminal's width, leaving the last column free so that the cursor never wraps. */
static int
fitting (const WeftProgress *progress, const char *text)
{
  struct winsize size = { 0 };
  if (ioctl (fileno (progress->out), TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
    size.ws_col = 80;
  glong length = g_utf8_strlen (text, -1);
  return (int) (g_utf8_offset_to_pointer (text, MIN (length, size.ws_col - 1)) - text);
}

void
weft_progress_update (WeftProgress *progress, const char *text)
{
  if (!weft_progress_wants (progress))
    return;
  progress->last = g_get_monotonic_time ();
  if (progress->terminal)
    {
      fprintf (progress->out, "\r%.*s\033[K", fitting (progress, text), text);
      progress->shown = TRUE;
    }
  else
    fprintf (progress->out, "%s\n", text);
  fflush (progress->out);
}

char *
weft_duration_print (double seconds)
{
  if (seconds < 10)
    return g_strdup_printf ("%.1f s", MAX (seconds, 0));
  gint64 whole = (gint64) (seconds + 0.5);
  if (whole < 60)
    return g_strdup_printf ("%d s", (int) whole);
  if (whole < 3600)
    return g_strdup_printf ("%d min %d s", (int) (whole / 60), (int) (whole % 60));
  if (whole < 48 * 3600)
    return g_strdup_printf ("%d h %d min", (int) (whole / 3600), (int) (whole / 60 % 60));
  return g_strdup_printf ("%" G_GINT64_FORMAT " days %d h", whole / 86400, (int) (whole / 3600 % 24));
}
