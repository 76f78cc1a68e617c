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

/* Writing: aside, synced, renamed, directory synced. */
typedef struct _WeftSafetensorsWriter WeftSafetensorsWriter;
WeftSafetensorsWriter *weft_safetensors_writer_new (void);
void weft_safetensors_writer_free (WeftSafetensorsWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSafetensorsWriter, weft_safetensors_writer_free)
void weft_safetensors_writer_metadata (WeftSafetensorsWriter *writer, const char *key, const char *value);
void weft_safetensors_writer_add (WeftSafetensorsWriter *writer, const char *name, const WeftTensor *tensor); /* data read by write() */
gboolean weft_safetensors_writer_write (WeftSafetensorsWriter *writer, const char *path, GError **error);

G_END_DECLS
