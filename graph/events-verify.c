/* TensorBoard event files, checked record by record.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <weft/operator.h>

#include "events.h"

#define LENGTH (WEFT_EVENTS_HEAD - WEFT_EVENTS_TAIL)

/* Whether the checksum of @length bytes stands behind them. */
static gboolean
has_checksum (const char *data, gsize length)
{
  guint32 stored;
  memcpy (&stored, data + length, sizeof stored);
  return GUINT32_FROM_LE (stored) == weft_events_checksum (data, length);
}

/* The record at the beginning of @left bytes: its size, or 0 with @why. */
static gsize
check_record (const char *record, gsize left, const char **why)
{
  gsize size = weft_events_record (record, left);
  if (left >= WEFT_EVENTS_HEAD && !has_checksum (record, LENGTH))
    *why = "the length of a record does not match its checksum";
  else if (!size)
    *why = "a record is cut short; it is written anew when the run goes on";
  else if (!has_checksum (record + WEFT_EVENTS_HEAD, size - WEFT_EVENTS_HEAD - WEFT_EVENTS_TAIL))
    *why = "a record does not match its checksum";
  else
    return size;
  return 0;
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
      size = check_record (bytes + at, length - at, &why);
      if (size == 0)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: at byte %" G_GSIZE_FORMAT ": %s", path, at, why);
          return FALSE;
        }
    }
  return TRUE;
}
