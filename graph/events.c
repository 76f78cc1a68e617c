/* TensorBoard event files: scalars over steps.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "events.h"

#include <string.h>
#include <unistd.h>

#include "append.h"
#include "checkpoint.h"

struct _WeftEvents
{
  WeftAppend *file;
};

/* TFRecord stores checksums rotated and offset, because checksums of data that contains checksums are weak. */
guint32
weft_events_checksum (gconstpointer data, gsize length)
{
  guint32 crc = weft_crc32c (0, data, length);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

gsize
weft_events_record (const char *bytes, gsize left)
{
  guint64 length;
  if (left < WEFT_EVENTS_HEAD + WEFT_EVENTS_TAIL)
    return 0;
  memcpy (&length, bytes, 8);
  length = GUINT64_FROM_LE (length);
  return length > left - WEFT_EVENTS_HEAD - WEFT_EVENTS_TAIL ? 0 : WEFT_EVENTS_HEAD + (gsize) length + WEFT_EVENTS_TAIL;
}

static void
append_varint (GByteArray *bytes, guint64 value)
{
  guint8 buffer[10];
  guint n = 0;
  do
    {
      buffer[n] = value & 0x7f;
      value >>= 7;
      if (value)
        buffer[n] |= 0x80;
      n++;
    }
  while (value);
  g_byte_array_append (bytes, buffer, n);
}

enum
{
  WIRE_VARINT = 0,
  WIRE_FIXED64 = 1,
  WIRE_BYTES = 2,
  WIRE_FIXED32 = 5,
};

static void
append_key (GByteArray *bytes, guint field, guint type)
{
  append_varint (bytes, field << 3 | type);
}

static void
append_bytes (GByteArray *bytes, guint field, gconstpointer data, gsize length)
{
  append_key (bytes, field, WIRE_BYTES);
  append_varint (bytes, length);
  g_byte_array_append (bytes, data, (guint) length);
}

static void
append_fixed32 (GByteArray *bytes, guint32 value)
{
  guint32 little = GUINT32_TO_LE (value);
  g_byte_array_append (bytes, (const guint8 *) &little, 4);
}

static void
append_fixed64 (GByteArray *bytes, guint64 value)
{
  guint64 little = GUINT64_TO_LE (value);
  g_byte_array_append (bytes, (const guint8 *) &little, 8);
}

/* Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; SessionLog session_log = 7; } */
static GByteArray *
event_new (guint64 step)
{
  GByteArray *event = g_byte_array_new ();
  double now = (double) g_get_real_time () / 1e6;
  guint64 bits;
  memcpy (&bits, &now, 8);
  append_key (event, 1, WIRE_FIXED64);
  append_fixed64 (event, bits);
  append_key (event, 2, WIRE_VARINT);
  append_varint (event, step);
  return event;
}

/* Takes @event and frames it as one record. */
static gboolean
write_event (WeftEvents *events, GByteArray *event, GError **error)
{
  g_autoptr (GByteArray) record = g_byte_array_new ();
  append_fixed64 (record, event->len);
  append_fixed32 (record, weft_events_checksum (record->data, 8));
  g_byte_array_append (record, event->data, event->len);
  append_fixed32 (record, weft_events_checksum (event->data, event->len));
  g_byte_array_unref (event);
  return weft_append_write (events->file, record->data, record->len, error);
}

static gboolean
write_header (WeftEvents *events, guint64 step, GError **error)
{
  GByteArray *event = event_new (0);
  append_bytes (event, 3, "brain.Event:2", strlen ("brain.Event:2"));
  if (!write_event (events, event, error))
    return FALSE;
  /* SessionLog { SessionStatus status = 1; } with START = 1 voids points of earlier files from this step on. */
  static const guint8 start[] = { 1 << 3 | WIRE_VARINT, 1 };
  event = event_new (step);
  append_bytes (event, 7, start, sizeof start);
  return write_event (events, event, error);
}

WeftEvents *
weft_events_open (const char *directory, guint64 step, GError **error)
{
  g_autoptr (WeftEvents) events = g_new0 (WeftEvents, 1);
  for (guint attempt = 0; !events->file; attempt++)
    {
      g_autofree char *name = g_strdup_printf (WEFT_EVENTS_PREFIX "%010" G_GINT64_FORMAT ".%s.%d.%u", g_get_real_time () / G_USEC_PER_SEC,
                                               g_get_host_name (), (int) getpid (), attempt);
      g_autofree char *path = g_build_filename (directory, name, NULL);
      g_autoptr (GError) failure = NULL;
      events->file = weft_append_open (path, TRUE, &failure);
      if (!events->file && !g_error_matches (failure, G_FILE_ERROR, G_FILE_ERROR_EXIST))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return NULL;
        }
    }
  if (!write_header (events, step, error))
    return NULL;
  return g_steal_pointer (&events);
}

gboolean
weft_events_scalar (WeftEvents *events, guint64 step, const char *tag, double value, GError **error)
{
  /* Summary { repeated Value value = 1; } Value { string tag = 1; float simple_value = 2; } */
  g_autoptr (GByteArray) point = g_byte_array_new ();
  float single = (float) value;
  guint32 bits;
  memcpy (&bits, &single, 4);
  append_bytes (point, 1, tag, strlen (tag));
  append_key (point, 2, WIRE_FIXED32);
  append_fixed32 (point, bits);
  g_autoptr (GByteArray) summary = g_byte_array_new ();
  append_bytes (summary, 1, point->data, point->len);
  GByteArray *event = event_new (step);
  append_bytes (event, 5, summary->data, summary->len);
  return write_event (events, event, error);
}

gboolean
weft_events_flush (WeftEvents *events, GError **error)
{
  return weft_append_flush (events->file, error);
}

void
weft_events_close (WeftEvents *events)
{
  if (!events)
    return;
  weft_append_close (events->file);
  g_free (events);
}
