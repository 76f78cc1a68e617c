/* NumPy `.npy` files: arrays read by position, arrays written.
 *
 * Format: numpy.lib.format, versions 1.0 to 3.0. Accepted: C order, little-endian, float16/32/64, int32/64, uint8.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/tensor.h>

G_BEGIN_DECLS

typedef struct _WeftNpy WeftNpy;

/* Opens and checks header and file size. */
WeftNpy *weft_npy_open (const char *path, GError **error);
void weft_npy_close (WeftNpy *npy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftNpy, weft_npy_close)
/* Type and shape; data is NULL. */
const WeftTensor *weft_npy_tensor (const WeftNpy *npy);
/* Reads rows [first, first + n) of the first dimension as they are stored, by pread; a short read is an error. Thread-safe. */
gboolean weft_npy_read (const WeftNpy *npy, gint64 first, gint64 n, gpointer data, GError **error);
/* Whole array converted to float32; free with g_free. */
float *weft_npy_read_f32 (const char *path, WeftTensor *tensor, GError **error);
/* The bytes before the data: magic, version, length and dictionary, padded to a multiple of 64 bytes that is at least @least. */
GString *weft_npy_header (const WeftTensor *tensor, gsize least);
/* Writes aside and renames. */
gboolean weft_npy_write (const char *path, const WeftTensor *tensor, GError **error);

G_END_DECLS
