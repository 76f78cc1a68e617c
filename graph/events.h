/* TensorBoard event files: scalars over steps.
 *
 * Format: TFRecord framing (length, masked CRC-32C, data, masked CRC-32C) around tensorflow.Event protocol buffers.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What names of event files begin with. */
#define WEFT_EVENTS_PREFIX "events.out.tfevents."

/* Around the data of a record. */
#define WEFT_EVENTS_HEAD ((gsize) 12) /* its length and the checksum of that */
#define WEFT_EVENTS_TAIL ((gsize) 4)  /* the checksum of the data */

typedef struct _WeftEvents WeftEvents;

/**
 * weft_events_open:
 * @directory: where TensorBoard will look
 * @step: first step that this file covers; points of earlier files from there on are void, and readers drop them
 *
 * Returns: (transfer full) (nullable): a new event file; its name holds time and process, so none is ever overwritten
 */
WeftEvents *weft_events_open (const char *directory, guint64 step, GError **error);
/* One point of the curve @tag. Written at once, so that curves can be watched while training; if that fails, with a later one. */
gboolean weft_events_scalar (WeftEvents *events, guint64 step, const char *tag, double value, GError **error);
gboolean weft_events_flush (WeftEvents *events, GError **error);
void weft_events_close (WeftEvents *events);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftEvents, weft_events_close)

/**
 * weft_events_verify:
 * @records: (out): how many the file at @path has
 *
 * Reads an event file and compares the checksums of all records. A last record that is cut short is damage, too: readers stop there, and
 * it is written anew when the run goes on.
 */
gboolean weft_events_verify (const char *path, guint64 *records, GError **error);

/* Size of the record that begins at @bytes, of which @left are there; 0 if it is cut short. */
gsize weft_events_record (const char *bytes, gsize left);

/* Checksum of a part of a record. */
guint32 weft_events_checksum (gconstpointer data, gsize length);

/**
 * weft_events_cut:
 * @points: (inout): how many points of all files together to keep, or %WEFT_WRITTEN_UNKNOWN to keep those up to @step; then how many are kept
 *
 * Cuts the event files of a run back to what was written by a checkpoint, oldest first. Files that are left without a point are removed.
 */
gboolean weft_events_cut (const char *directory, guint64 step, guint64 *points, GError **error);

G_END_DECLS
