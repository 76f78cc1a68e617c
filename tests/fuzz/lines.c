/* Captions, ids and vocabularies: one entry a line.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "lines.h"

static void
read_lines (const uint8_t *data, size_t size, gboolean allow_empty)
{
  GError *error = NULL;
  g_autoptr (WeftLines) lines = weft_lines_read (fuzz_file (data, size), allow_empty, &error);
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
