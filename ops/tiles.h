/* How operators of this folder cut their work: by shape alone.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

/* Elements of a tile of element-wise work: a few L1 caches' worth. */
#define ELEMENT_TILE 16384
/* Columns of a tile that goes down whole columns. */
#define COLUMN_TILE 64
/* Tiles into which rows are cut where partial sums per tile have to be added up. */
#define ROW_TILES 16

static inline gint64
tiles_of (gint64 n, gint64 tile)
{
  return (n + tile - 1) / tile;
}

/* Rows of a matrix whose last dimension is the columns. */
static inline gint64
rows_of (const WeftTensor *tensor)
{
  gint64 columns = weft_tensor_last (tensor);

  return columns ? weft_tensor_elements (tensor) / columns : 0;
}

/* Rows of one of at most ROW_TILES tiles. */
static inline gint64
rows_per_tile (gint64 rows)
{
  return MAX (tiles_of (rows, ROW_TILES), 8);
}
