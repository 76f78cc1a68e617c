/* A thread that reads the next batch while the present one is computed with.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "files.h"
#include "order.h"

G_BEGIN_DECLS

typedef struct _RegionReader RegionReader;

/**
 * RegionBatch:
 * @n: number of items
 * @item: their numbers
 * @image: their images' numbers
 * @starts: n + 1 row numbers: item i owns the regions starts[i] to starts[i + 1] - 1
 * @regions: %NULL unless wanted
 * @clip: %NULL unless wanted
 */
typedef struct
{
  gint64 n;
  gint32 *item, *image, *starts;
  float *regions, *clip;
} RegionBatch;

/**
 * region_reader_new:
 * @files: (transfer none): must outlive the reader
 * @order: (transfer none): must outlive the reader
 * @captions_per_item: 1 if items are images, the number of captions of an image if items are captions
 */
RegionReader *region_reader_new (const RegionFiles *files, const ItemOrder *order, gint64 captions_per_item, gboolean regions,
                                 gboolean clip);
/* Stops and joins the thread. */
void region_reader_free (RegionReader *reader);

/**
 * region_reader_take:
 * @position: where in the pass of @epoch the batch begins
 *
 * Waits for a batch. If it is not the one that follows the last, the thread starts again from there.
 *
 * Returns: (transfer none) (nullable): valid until the next call
 */
const RegionBatch *region_reader_take (RegionReader *reader, guint64 epoch, gint64 position, GError **error);

G_END_DECLS
