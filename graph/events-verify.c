/* TensorBoard event files, checked record by record.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <weft/operator.h>

#include "events.h"

#define LENGTH ((gsize) 8)
#define CHECKSUM ((gsize) 4)
#define FRAME (LENGTH + 2 * CHECKSUM)

static gboolean
has_checksum (const char *data, gsize length)
{
  guint32 stored;
  memcpy (&stored, data + length, CHECKSUM);
  return GUINT32_FROM_LE (stored) == weft_events_checksum (data, length);
}

/* The record at the beginning of @left bytes: its size, or 0 with @why. */
static gsize
record_size (const char *record, gsize left, const char **why)
{
  guint64 length;
  *why = "a record is cut short; it is written anew when the run goes on";
  if (left < FRAME)
    return 0;
  memcpy (&length, record, LENGTH);
  length = GUINT64_FROM_LE (length);
  if (!has_checksum (record, LENGTH))
    {
      *why = "the length of a record does not match its checksum";
      return 0;
    }
  if (length > left - FRAME)
    return 0;
  if (!has_checksum (record + LENGTH + CHECKSUM, (gsize) length))
    {
      *why = "a record does not match its checksum";
      return 0;
    }
  return FRAME + (gsize) length;
}

gboolean
weft_events_verify (const char *path, guint64 *records, GError **error)
{
  g_autofree char *bytes = NULL;
  gsize length, size;
  const char *why;
  *records = 0;
  if (!g_file_get_contents (path, &bytes, &length, error))
    return FALSE;
  for (gsize at = 0; at < length; at += size, ++*records)
    {
      size = record_size (bytes + at, length - at, &why);
      if (size == 0)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: at byte %" G_GSIZE_FORMAT ": %s", path, at, why);
          return FALSE;
        }
    }
  return TRUE;
}
