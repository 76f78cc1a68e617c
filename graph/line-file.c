/* Text files of one entry a line, which are read where they are.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "bytes.h"
#include "lines-private.h"
#include "operator.h"

/* Lines from one remembered place to the next, and what is read at a time when one is sought. */
#define STRIDE 32
#define NEAR 4096
/* What is read at a time when all are looked at. */
#define WINDOW 65536

struct _WeftLineFile
{
  WeftBytes *file;
  gboolean allow_empty;
  GArray *places; /* guint64, of every STRIDE-th line */
  guint count;
};

/* Takes the end of a line off. */
static gsize
text_length (const char *line, gsize length)
{
  return length > 0 && line[length - 1] == '\r' ? length - 1 : length;
}

typedef struct
{
  WeftLineFile *self;
  WeftLineVisitor visit;
  gpointer data;
  char *window;
  gsize room, filled;
  guint64 offset; /* of the window in the file */
} Scan;

/* A line of @length bytes without its end, @at in the window, whose next byte may be overwritten. */
static gboolean
note_line (Scan *scan, gsize at, gsize length, GError **error)
{
  WeftLineFile *self = scan->self;
  const char *path = weft_bytes_path (self->file);
  char *line = scan->window + at;
  guint64 place = scan->offset + at;

  if (self->count == WEFT_MOST_LINES)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: more lines than any set of captions has", path);
      return FALSE;
    }
  if (self->count % STRIDE == 0)
    g_array_append_val (self->places, place);
  self->count++;
  length = text_length (line, length);
  line[length] = '\0';
  return weft_line_check (path, self->count, line, length, self->allow_empty, error)
         && (!scan->visit || scan->visit (self->count, line, length, scan->data, error));
}

/* Makes room behind the rest of the window from @at on, which has no end of a line, and reads on. */
static gboolean
read_on (Scan *scan, gsize at, GError **error)
{
  guint64 left;

  scan->filled -= at;
  scan->offset += at;
  memmove (scan->window, scan->window + at, scan->filled);
  if (scan->filled == scan->room)
    {
      scan->room *= 2;
      scan->window = g_realloc (scan->window, scan->room + 1);
    }
  left = weft_bytes_length (scan->self->file) - scan->offset - scan->filled;
  left = MIN (left, scan->room - scan->filled);
  if (!weft_bytes_read (scan->self->file, scan->offset + scan->filled, scan->window + scan->filled, left, error))
    return FALSE;
  scan->filled += left;
  return TRUE;
}

static gboolean
scan_lines (Scan *scan, GError **error)
{
  guint64 size = weft_bytes_length (scan->self->file);
  gsize at;

  if (!read_on (scan, 0, error))
    return FALSE;
  at = weft_line_mark (scan->window, scan->filled);
  while (scan->offset + at < size)
    {
      const char *end = memchr (scan->window + at, '\n', scan->filled - at);
      gsize length = end ? (gsize) (end - scan->window) - at : scan->filled - at;
      if (end || scan->offset + scan->filled == size || length > WEFT_LONGEST_LINE + 1)
        {
          if (!note_line (scan, at, length, error))
            return FALSE;
          at += length + (end != NULL);
          continue;
        }
      if (!read_on (scan, at, error))
        return FALSE;
      at = 0;
    }
  return TRUE;
}

WeftLineFile *
weft_line_file_open (const char *path, gboolean allow_empty, WeftLineVisitor visit, gpointer data, GError **error)
{
  g_autoptr (WeftBytes) file = weft_bytes_open (path, error);
  g_autoptr (WeftLineFile) self = NULL;
  Scan scan = { .visit = visit, .data = data, .room = WINDOW };
  gboolean good;

  if (!file)
    return NULL;
  self = g_new0 (WeftLineFile, 1);
  self->file = g_steal_pointer (&file);
  self->allow_empty = allow_empty;
  self->places = g_array_new (FALSE, FALSE, sizeof (guint64));
  scan.self = self;
  scan.window = g_malloc (scan.room + 1);
  good = scan_lines (&scan, error);
  g_free (scan.window);
  return good ? g_steal_pointer (&self) : NULL;
}

void
weft_line_file_close (WeftLineFile *self)
{
  if (!self)
    return;
  weft_bytes_close (self->file);
  g_array_unref (self->places);
  g_free (self);
}

guint
weft_line_file_count (const WeftLineFile *self)
{
  return self->count;
}

/* Appends what follows @window, which begins at @place. Returns FALSE with @error at the end of the file, too. */
static gboolean
append_near (const WeftLineFile *self, guint64 place, GString *window, GError **error)
{
  gsize had = window->len;
  guint64 left = weft_bytes_length (self->file) - place - had;

  if (!left)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has fewer lines than before; it was changed while in use",
                   weft_bytes_path (self->file));
      return FALSE;
    }
  left = MIN (left, NEAR);
  g_string_set_size (window, had + left);
  return weft_bytes_read (self->file, place + had, window->str + had, left, error);
}

gboolean
weft_line_file_read (const WeftLineFile *self, guint index, GString *line, GError **error)
{
  guint64 place = g_array_index (self->places, guint64, index / STRIDE), size = weft_bytes_length (self->file);
  guint before = index % STRIDE;
  gsize begin = 0, seen = 0;

  g_assert (index < self->count);
  g_string_truncate (line, 0);
  for (;;)
    {
      const char *end = memchr (line->str + seen, '\n', line->len - seen);
      seen = end ? (gsize) (end - line->str) + 1 : line->len;
      if (before == 0 && (end || (place + line->len == size && begin < line->len)))
        {
          g_string_truncate (line, text_length (line->str + begin, seen - begin - (end != NULL)) + begin);
          g_string_erase (line, 0, (gssize) begin);
          return weft_line_check (weft_bytes_path (self->file), index + 1, line->str, line->len, self->allow_empty, error);
        }
      if (end)
        {
          before--;
          begin = seen;
        }
      else if (!append_near (self, place, line, error))
        return FALSE;
    }
}
