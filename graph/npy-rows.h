/* `.npy` files written row by row, by writers that don't know beforehand how many rows come.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/tensor.h>

G_BEGIN_DECLS

typedef struct _WeftNpyRows WeftNpyRows;

/* Opens a file aside; nothing stands at @path before weft_npy_rows_finish(). */
WeftNpyRows *weft_npy_rows_open (const char *path, GError **error);
/* Removes what was written unless it is finished. */
void weft_npy_rows_free (WeftNpyRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftNpyRows, weft_npy_rows_free)
gboolean weft_npy_rows_append (WeftNpyRows *rows, gconstpointer data, gsize length, GError **error);
/* Writes the header and renames. @shape: type and dimensions of what was appended, which must have just that many bytes. */
gboolean weft_npy_rows_finish (WeftNpyRows *rows, const WeftTensor *shape, GError **error);

G_END_DECLS
