/* Graphs as drawings: Graphviz's language.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

/**
 * weft_graph_dot:
 * @gradients: whether gradient nodes are drawn too
 *
 * Returns: a `digraph`: a cluster for each use and module, shapes on the edges; sources, gradients and effects in their own style
 */
char *weft_graph_dot (const WeftGraph *graph, gboolean gradients);

G_END_DECLS
