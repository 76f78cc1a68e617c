/* The stages from a document to graphs that can be planned, each in its own file.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

gboolean weft_build_graphs (WeftPipeline *pipeline, WeftProblems *problems);     /* build.c */
gboolean weft_gather_variables (WeftPipeline *pipeline, WeftProblems *problems); /* gather.c */
void weft_prune_graph (WeftGraph *graph, WeftProblems *problems);                /* prune.c */
gboolean weft_infer_graph (WeftGraph *graph, WeftProblems *problems);            /* infer.c; in an ordered graph */
gboolean weft_differentiate_graph (WeftGraph *graph, WeftProblems *problems);    /* differentiate.c */
void weft_recompute_graph (WeftGraph *graph, WeftProblems *problems);            /* recompute.c; after differentiation */
gboolean weft_order_graph (WeftGraph *graph, WeftProblems *problems);            /* order.c */

G_END_DECLS
