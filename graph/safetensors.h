/* safetensors files: an 8-byte little-endian header length, a JSON header, raw tensors.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/tensor.h>

G_BEGIN_DECLS

typedef struct _WeftSafetensors WeftSafetensors;

/* Opens and checks header, offsets (in order of offset, no overlap, inside the file), types and shapes. Data is read on demand. */
WeftSafetensors *weft_safetensors_open (const char *path, GError **error);
void weft_safetensors_close (WeftSafetensors *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSafetensors, weft_safetensors_close)
const char *const *weft_safetensors_names (const WeftSafetensors *file);                 /* in file order, NULL-terminated */
const WeftTensor *weft_safetensors_find (const WeftSafetensors *file, const char *name); /* (nullable); data is NULL */
gboolean weft_safetensors_read (WeftSafetensors *file, const char *name, gpointer data, GError **error);
/* Reads converted to float32. */
gboolean weft_safetensors_read_f32 (WeftSafetensors *file, const char *name, float *data, GError **error);
const char *weft_safetensors_metadata (const WeftSafetensors *file, const char *key); /* (nullable) */
const char *const *weft_safetensors_metadata_keys (const WeftSafetensors *file);

/* All bytes before the data, to be freed: the length of the header and the header. */
char *weft_safetensors_header (WeftSafetensors *file, gsize *length, GError **error);

/* Writing: aside, synced, renamed, directory synced. */
typedef struct _WeftSafetensorsWriter WeftSafetensorsWriter;
WeftSafetensorsWriter *weft_safetensors_writer_new (void);
void weft_safetensors_writer_free (WeftSafetensorsWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSafetensorsWriter, weft_safetensors_writer_free)
void weft_safetensors_writer_metadata (WeftSafetensorsWriter *writer, const char *key, const char *value);
void weft_safetensors_writer_add (WeftSafetensorsWriter *writer, const char *name, const WeftTensor *tensor); /* data read by write() */
/**
 * weft_safetensors_writer_sum:
 *
 * Adds checksums to the metadata, CRC-32C in eight hexadecimal digits: of the data of each tensor under @prefix and its name, and under
 * @whole of everything before the data, with the digits of @whole itself taken as zeros. As that holds the sums of all data, it stands for
 * the whole file.
 */
void weft_safetensors_writer_sum (WeftSafetensorsWriter *writer, const char *prefix, const char *whole);
gboolean weft_safetensors_writer_write (WeftSafetensorsWriter *writer, const char *path, GError **error);

/**
 * weft_safetensors_writer_begin:
 *
 * Writing in steps, for data that is there at different times: begin, then the data of every tensor once and in any order, then end.
 * Nothing stands at @path before the end, nor after an error. All of it may happen in another thread than what came before.
 */
gboolean weft_safetensors_writer_begin (WeftSafetensorsWriter *writer, const char *path, GError **error);
gboolean weft_safetensors_writer_put (WeftSafetensorsWriter *writer, const char *name, gconstpointer data, GError **error);
gboolean weft_safetensors_writer_end (WeftSafetensorsWriter *writer, GError **error);

G_END_DECLS
