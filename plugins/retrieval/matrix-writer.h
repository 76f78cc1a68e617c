/* Similarity matrices to `.npy` files, block by block.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

/**
 * matrix_write_products:
 * @images: f32[n, e]
 * @captions: f32[m, e]
 *
 * Writes the n×m products of all rows to @path as float32, without holding them. Written aside and renamed.
 *
 * Returns: %FALSE after weft_fail()
 */
gboolean matrix_write_products (const WeftCall *call, const char *path, const WeftTensor *images, const WeftTensor *captions);

/* Writes a matrix that is there. */
gboolean matrix_write (const WeftCall *call, const char *path, const WeftTensor *matrix);

G_END_DECLS
