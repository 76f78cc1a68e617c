/* In which order a pass visits its items.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

/**
 * ItemOrder:
 * @n: number of items
 * @batch: items of a step
 * @shuffle: a new permutation in every epoch instead of the files' order
 * @keep_last: whether a last step with fewer items is done
 *
 * The order is a pure function of seed, path and epoch, so that a position and an epoch are all that a checkpoint has to hold.
 */
typedef struct
{
  guint32 n;
  gint64 batch;
  gboolean shuffle, keep_last;
  guint64 seed;
  char *path;
} ItemOrder;

/* Number of items that a pass visits. */
gint64 item_order_end (const ItemOrder *order);

/* Fills @items, room for n, with the items of the pass of @epoch. */
void item_order_fill (const ItemOrder *order, guint64 epoch, guint32 *items);

G_END_DECLS
