/* Which nodes work on the parts of a value while the node that computes it is still at work.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

/**
 * weft_find_leaders:
 * @graph: an ordered graph
 *
 * A node whose operator announces parts leads the nodes that come next in the order, as long as these compute part by part what has the shape
 * of its first output, from values of that shape of which it or another of its followers computes at least one.
 *
 * Returns: (transfer full) (array): for each node, the index of its leader; of itself if it follows none
 */
guint *weft_find_leaders (const WeftGraph *graph);

G_END_DECLS
