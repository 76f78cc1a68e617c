/* Text files of one entry a line.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "bytes.h"
#include "lines-private.h"
#include "operator.h"

struct _WeftLines
{
  char *text;
  GArray *starts; /* gsize */
  GArray *lengths;
};

static gboolean
fail_line (GError **error, const char *path, guint line, const char *what)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s:%u: %s", path, line, what);
  return FALSE;
}

gboolean
weft_line_check (const char *path, guint line, const char *text, gsize length, gboolean allow_empty, GError **error)
{
  if (length > WEFT_LONGEST_LINE)
    return fail_line (error, path, line, "longer than 1 MiB, expected one entry a line: is this a text file?");
  if (memchr (text, '\0', length) != NULL)
    return fail_line (error, path, line, "holds a NUL byte, expected UTF-8 text: UTF-16 files have to be converted with iconv");
  const char *end;
  if (!g_utf8_validate (text, (gssize) length, &end))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "%s:%u:%u: byte 0x%02x is not UTF-8: convert the file with iconv -f LATIN1 -t UTF-8 or "
                   "whatever encoding it has",
                   path, line, (guint) (end - text) + 1, (guint) (guint8) *end);
      return FALSE;
    }
  if (!allow_empty && strspn (text, " \t\v\f") == length)
    return fail_line (error, path, line, "empty line, expected an entry: lines are matched by number, so it cannot be skipped");
  return TRUE;
}

gsize
weft_line_mark (const char *text, gsize size)
{
  return size >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* Cuts the text into lines in place. */
static gboolean
split (WeftLines *lines, const char *path, gsize start, gsize size, gboolean allow_empty, GError **error)
{
  guint number = 1;
  while (start < size)
    {
      if (number > WEFT_MOST_LINES)
        return fail_line (error, path, number, "more lines than any set of captions has");
      char *line = lines->text + start, *end = memchr (line, '\n', size - start);
      gsize next = end != NULL ? (gsize) (end - lines->text) + 1 : size;
      gsize length = next - start - (end != NULL);
      if (length > 0 && line[length - 1] == '\r')
        length--;
      char *terminator = line + length, kept = *terminator;
      *terminator = '\0';
      if (!weft_line_check (path, number, line, length, allow_empty, error))
        {
          *terminator = kept;
          return FALSE;
        }
      g_array_append_val (lines->starts, start);
      g_array_append_val (lines->lengths, length);
      start = next;
      number++;
    }
  return TRUE;
}

WeftLines *
weft_lines_read (const char *path, gboolean allow_empty, GError **error)
{
  g_autoptr (WeftBytes) file = weft_bytes_open (path, error);
  if (file == NULL)
    return NULL;
  guint64 size = weft_bytes_length (file);
  g_autofree char *text = size < G_MAXSIZE ? g_try_malloc (size + 1) : NULL;
  if (text == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: no memory for its %" G_GUINT64_FORMAT " bytes", path, size);
      return NULL;
    }
  if (!weft_bytes_read (file, 0, text, size, error))
    return NULL;
  text[size] = '\0';
  g_autoptr (WeftLines) lines = g_new0 (WeftLines, 1);
  lines->starts = g_array_new (FALSE, FALSE, sizeof (gsize));
  lines->lengths = g_array_new (FALSE, FALSE, sizeof (gsize));
  lines->text = g_steal_pointer (&text);
  return split (lines, path, weft_line_mark (lines->text, size), size, allow_empty, error) ? g_steal_pointer (&lines) : NULL;
}

void
weft_lines_free (WeftLines *lines)
{
  if (lines == NULL)
    return;
  g_array_unref (lines->starts);
  g_array_unref (lines->lengths);
  g_free (lines->text);
  g_free (lines);
}

guint
weft_lines_count (const WeftLines *lines)
{
  return lines->starts->len;
}

const char *
weft_lines_get (const WeftLines *lines, guint index, gsize *length)
{
  g_assert (index < lines->starts->len);
  if (length != NULL)
    *length = g_array_index (lines->lengths, gsize, index);
  return lines->text + g_array_index (lines->starts, gsize, index);
}
