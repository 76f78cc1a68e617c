/* Tensors in files that PyTorch's torch.save wrote (`.pth`, `.pt`, `.bin`): the zip form and the one before version 1.6.
 *
 * A file holds a tree of containers. Tensors get the keys on the way to them as names, joined by dots; items of lists are numbered:
 * `{'model': [{'fc.weight': …}]}` holds `model.0.fc.weight`. What is not a tensor is passed over. Nothing in a file is executed.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/tensor.h>

G_BEGIN_DECLS

typedef struct _WeftTorchFile WeftTorchFile;

/* Whether the file begins as torch.save begins: with a zip member or a pickle. */
gboolean weft_torch_file_begins (const guint8 *data, gsize length);

/* Opens and checks containers, storages, shapes and strides. Data is read on demand. */
WeftTorchFile *weft_torch_file_open (const char *path, GError **error);
void weft_torch_file_close (WeftTorchFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftTorchFile, weft_torch_file_close)
const char *const *weft_torch_file_names (const WeftTorchFile *file);                 /* in the file's order, NULL-terminated */
const WeftTensor *weft_torch_file_find (const WeftTorchFile *file, const char *name); /* (nullable); data is NULL */
/* Reads a tensor in row-major order, whatever its strides, as it is or converted to float32. */
gboolean weft_torch_file_read (WeftTorchFile *file, const char *name, gpointer data, GError **error);
gboolean weft_torch_file_read_f32 (WeftTorchFile *file, const char *name, float *data, GError **error);

G_END_DECLS
