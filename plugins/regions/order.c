/* In which order a pass visits its items.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "order.h"

/* Apart from the node's other draws, which are keyed by the step. */
#define ORDER_STREAM 0x6f726465u

gint64
item_order_end (const ItemOrder *order)
{
  return order->keep_last ? order->n : order->n - order->n % order->batch;
}

void
item_order_fill (const ItemOrder *order, guint64 epoch, guint32 *items)
{
  if (order->shuffle)
    {
      weft_random_shuffle (weft_random_split (weft_random_for (order->seed, order->path, epoch), ORDER_STREAM), order->n, items);
      return;
    }
  for (guint32 i = 0; i < order->n; i++)
    items[i] = i;
}
