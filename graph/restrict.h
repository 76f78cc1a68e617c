/* Part of a graph: what some of its values need.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

/**
 * weft_graph_restrict:
 * @graph: of a built pipeline, not planned yet
 * @wanted: (element-type WeftNode): what is to be computed
 *
 * Takes out of @graph every node that @wanted don't need, effects included.
 */
gboolean weft_graph_restrict (WeftGraph *graph, const GPtrArray *wanted, WeftProblems *problems);

/**
 * weft_graph_replace_source:
 * @graph: inferred, with a source, not planned yet
 *
 * Puts feeds `SOURCE.PORT` where outputs of the source are read.
 *
 * Returns: %FALSE if the graph needs more of its source than outputs
 */
gboolean weft_graph_replace_source (WeftGraph *graph, GError **error);

G_END_DECLS
