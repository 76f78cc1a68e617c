/* Files of named tensors, whatever their form: safetensors, PyTorch's, and either of them in several parts.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/tensor.h>

G_BEGIN_DECLS

typedef struct _WeftTensorFile WeftTensorFile;

/**
 * weft_tensor_file_open:
 * @path: a safetensors file, a file of torch.save, or an index of parts (`*.index.json`, a `weight_map` from names to files beside it); the
 *   content decides, not the name
 */
WeftTensorFile *weft_tensor_file_open (const char *path, GError **error);
void weft_tensor_file_close (WeftTensorFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftTensorFile, weft_tensor_file_close)
/* "safetensors", "PyTorch" or "parts". */
const char *weft_tensor_file_form (const WeftTensorFile *file);
const char *const *weft_tensor_file_names (const WeftTensorFile *file);                 /* NULL-terminated */
const WeftTensor *weft_tensor_file_find (const WeftTensorFile *file, const char *name); /* (nullable); data is NULL */
/* Reads a tensor as it is, or converted to float32. */
gboolean weft_tensor_file_read (WeftTensorFile *file, const char *name, gpointer data, GError **error);
gboolean weft_tensor_file_read_f32 (WeftTensorFile *file, const char *name, float *data, GError **error);
const char *weft_tensor_file_metadata (const WeftTensorFile *file, const char *key); /* (nullable) */

G_END_DECLS
