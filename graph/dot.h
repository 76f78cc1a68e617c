/* Graphs as drawings: Graphviz's language.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "plan.h"

G_BEGIN_DECLS

/**
 * WeftDotOptions:
 * @gradients: whether gradient nodes are drawn too
 * @depth: modules nested as deep as this are one box each, the uses in a graph being 0 deep; -1: none
 * @folds: (nullable) (array zero-terminated=1): paths of modules to be one box each, with `*` and `?`
 * @plan: (nullable): shows order and bytes
 * @other: (nullable): the same graph of another pipeline: what only it has is green, what it lacks is red
 * @marks: (nullable): address of a node → further attributes of its box, each after a comma
 */
typedef struct
{
  gboolean gradients;
  int depth;
  char **folds;
  const WeftPlan *plan;
  const WeftGraph *other;
  GHashTable *marks;
} WeftDotOptions;

/**
 * weft_graph_dot:
 *
 * Returns: a `digraph`: a cluster for each use and module, shapes on the edges; sources, gradients and effects in their own style
 */
char *weft_graph_dot (const WeftGraph *graph, const WeftDotOptions *options);

G_END_DECLS
