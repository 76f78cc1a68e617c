/* TensorBoard event files of a run, cut back to a checkpoint.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <weft/operator.h>

#include "events.h"
#include "metrics.h"

typedef struct
{
  char *path, *bytes;
  gsize length;
  double time; /* of its first record */
} File;

/* What of an event matters here. */
typedef struct
{
  double time;
  guint64 step;
  gboolean point;
} Event;

static void
file_clear (gpointer data)
{
  File *file = data;
  g_free (file->path);
  g_free (file->bytes);
}

static gboolean
read_varint (const guint8 **at, const guint8 *end, guint64 *value)
{
  *value = 0;
  for (guint shift = 0; shift < 64 && *at < end; shift += 7)
    {
      guint8 byte = *(*at)++;
      *value |= (guint64) (byte & 0x7f) << shift;
      if (!(byte & 0x80))
        return TRUE;
    }
  return FALSE;
}

/* Protocol buffers as weft_events_scalar() writes them: 1 is the time, 2 the step, 5 a summary. */
static gboolean
read_event (const char *data, gsize length, Event *event)
{
  const guint8 *at = (const guint8 *) data, *end = at + length;
  *event = (Event){ 0 };
  while (at < end)
    {
      guint64 key, value;
      if (!read_varint (&at, end, &key))
        return FALSE;
      if ((key & 7) == 0)
        {
          if (!read_varint (&at, end, &value))
            return FALSE;
          if (key >> 3 == 2)
            event->step = value;
          continue;
        }
      gsize left = (gsize) (end - at), size = (key & 7) == 1 ? 8 : (key & 7) == 5 ? 4 : 0;
      if ((key & 7) == 2)
        {
          if (!read_varint (&at, end, &value))
            return FALSE;
          left = (gsize) (end - at);
          if (value > left)
            return FALSE;
          size = (gsize) value;
          event->point |= key >> 3 == 5;
        }
      if (size > left || (size == 0 && (key & 7) != 2))
        return FALSE;
      if (key >> 3 == 1 && size == 8)
        memcpy (&event->time, at, 8);
      at += size;
    }
  return TRUE;
}

/* The event at @at of @file; @next is where the one after it begins. */
static gboolean
next_event (const File *file, gsize at, gsize *next, Event *event)
{
  gsize size = weft_events_record (file->bytes + at, file->length - at);
  *next = at + size;
  return size && read_event (file->bytes + at + WEFT_EVENTS_HEAD, size - WEFT_EVENTS_HEAD - WEFT_EVENTS_TAIL, event);
}

static int
compare_files (gconstpointer a, gconstpointer b)
{
  const File *x = a, *y = b;
  return x->time != y->time ? (x->time < y->time ? -1 : 1) : strcmp (x->path, y->path);
}

/* Event files in the order in which they were begun. */
static GArray *
read_files (const char *directory, GError **error)
{
  g_autoptr (GArray) files = g_array_new (FALSE, TRUE, sizeof (File));
  g_autoptr (GDir) folder = g_dir_open (directory, 0, error);
  if (!folder)
    return NULL;
  g_array_set_clear_func (files, file_clear);
  for (const char *name; (name = g_dir_read_name (folder));)
    {
      File file = { 0 };
      Event event = { 0 };
      gsize next;
      if (!g_str_has_prefix (name, WEFT_EVENTS_PREFIX))
        continue;
      file.path = g_build_filename (directory, name, NULL);
      gboolean read = g_file_get_contents (file.path, &file.bytes, &file.length, error);
      if (read && next_event (&file, 0, &next, &event))
        file.time = event.time;
      g_array_append_val (files, file);
      if (!read)
        return NULL;
    }
  g_array_sort (files, compare_files);
  return g_steal_pointer (&files);
}

static gboolean
cut_file (const File *file, guint64 step, guint64 most, guint64 *kept, GError **error)
{
  gsize end = 0, next;
  guint64 before = *kept;
  Event event;
  for (; next_event (file, end, &next, &event); end = next)
    {
      if (event.point && (*kept == most || (most == WEFT_WRITTEN_UNKNOWN && event.step > step)))
        break;
      *kept += event.point;
    }
  if (end == file->length && *kept > before)
    return TRUE;
  if (*kept == before ? g_unlink (file->path) == 0 : truncate (file->path, (off_t) end) == 0)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: can't be cut to the step that the run continues from: %s", file->path,
               g_strerror (errno));
  return FALSE;
}

gboolean
weft_events_cut (const char *directory, guint64 step, guint64 *points, GError **error)
{
  g_autoptr (GArray) files = read_files (directory, error);
  guint64 most = *points;
  *points = 0;
  for (guint i = 0; files && i < files->len; i++)
    if (!cut_file (&g_array_index (files, File, i), step, most, points, error))
      return FALSE;
  return files != NULL;
}
