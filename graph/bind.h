/* Nodes to calls: what a kernel gets, filled from a graph's tensors and the store.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

/**
 * WeftBound:
 * @call: as handed to kernels; points into the tensors it was bound to
 *
 * A node bound to tensors. weft_bound_refresh() brings copies up to date when sizes have changed.
 */
typedef struct
{
  WeftCall call;
  const WeftNode *node;
  WeftTensor *tensors;
  WeftTensor *in_copies[WEFT_MAX_PORTS];          /* variadic inputs, and inputs that backward may only ask the size of */
  WeftTensor *out_copies;                         /* outputs that backward may only ask the size of */
  WeftTensor *in_gradient_copies[WEFT_MAX_PORTS]; /* variadic inputs */
  WeftWeight *weights;
} WeftBound;

/**
 * weft_bind:
 * @tensors: one per wire of the graph
 * @lookup: finds a parameter, state or slot by store path; may return tensors without data while planning
 */
void weft_bind (WeftBound *bound, const WeftNode *node, WeftTensor *tensors, WeftTensor *(*lookup) (gpointer data, const char *path),
                gpointer data);
void weft_bound_refresh (WeftBound *bound);
void weft_bound_clear (WeftBound *bound);

/* Fills type, rank and sizes of @tensor at the bounds of @shape; data and offsets stay as they are. */
void weft_tensor_at_bound (const WeftShape *shape, WeftTensor *tensor);

G_END_DECLS
