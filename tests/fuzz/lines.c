/* Captions, ids and vocabularies: one entry a line.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "lines.h"

/* Lines that stay in their file are the same, and the same is wrong with them. */
static void
compare (const char *path, gboolean allow_empty, const WeftLines *lines, const GError *wrong)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftLineFile) file = weft_line_file_open (path, allow_empty, NULL, NULL, &error);
  g_autoptr (GString) line = g_string_new (NULL);
  g_assert ((file != NULL) == (lines != NULL));
  if (file == NULL)
    {
      g_assert_cmpstr (error->message, ==, wrong->message);
      return;
    }
  g_assert (weft_line_file_count (file) == weft_lines_count (lines));
  for (guint i = weft_lines_count (lines); i-- > 0;)
    {
      g_assert (weft_line_file_read (file, i, line, &error));
      g_assert_cmpstr (line->str, ==, weft_lines_get (lines, i, NULL));
    }
}

static void
read_lines (const uint8_t *data, size_t size, gboolean allow_empty)
{
  GError *error = NULL;
  const char *path = fuzz_file (data, size);
  g_autoptr (WeftLines) lines = weft_lines_read (path, allow_empty, &error);
  compare (path, allow_empty, lines, error);
  if (lines == NULL)
    {
      fuzz_failed (error);
      return;
    }
  gsize sum = 0;
  for (guint i = 0; i < weft_lines_count (lines); i++)
    {
      gsize length;
      const char *line = weft_lines_get (lines, i, &length);
      g_assert (strlen (line) == length && (length > 0 || allow_empty) && strchr (line, '\n') == NULL);
      g_assert (g_utf8_validate (line, (gssize) length, NULL));
      sum += length;
    }
  g_assert (sum <= size);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  read_lines (data, size, FALSE);
  read_lines (data, size, TRUE);
  return 0;
}
