/* Ordered graphs to plans: which wire lives where in one arena.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

typedef struct
{
  gsize offset;      /* in the arena, 64-byte aligned */
  gsize bytes;       /* at the bound, rounded up */
  gsize asked;       /* scratch: bytes that the operator asked for */
  guint first, last; /* nodes between which it lives */
  int shares;        /* index of the wire whose memory it takes over (in place), or -1 */
} WeftPlace;

/**
 * WeftPlan:
 * @arena: bytes of the arena, wires and scratch
 * @places: one per wire of the graph, bytes 0 for those that live elsewhere (fed tensors, states shown as outputs) or nowhere
 * @scratch: offset and bytes of scratch per node
 * @leaders: for each node, the one that it can follow part by part (see weft_find_leaders()); what such nodes touch lives while any of them
 *   runs
 * @fixed: executors keep these places instead of fitting them to the sizes that occur
 */
typedef struct
{
  WeftGraph *graph;
  gsize arena;
  WeftPlace *places;
  WeftPlace *scratch;
  guint *leaders;
  gboolean fixed;
} WeftPlan;

WeftPlan *weft_plan_new (WeftGraph *graph, GError **error);

/**
 * weft_plan_fit:
 * @room: for each symbol of the graph, the largest value that it will take
 * @introducer: for each symbol, the index of the node that says its value. What that node computes keeps its bound
 *
 * Places everything anew, closer together than bounds allow: the same lifetimes, smaller sizes.
 *
 * Returns: (transfer full)
 */
WeftPlan *weft_plan_fit (const WeftPlan *plan, const gint64 *room, const guint *introducer);
void weft_plan_free (WeftPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPlan, weft_plan_free)

G_END_DECLS
