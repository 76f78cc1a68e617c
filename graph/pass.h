/* Passes over graphs: from a source's first item to its last, collecting what later graphs read.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "execute.h"

G_BEGIN_DECLS

typedef struct _WeftPasses WeftPasses;

/**
 * weft_passes_new:
 * @graphs: (element-type utf8): names of graphs of @pipeline, in order; each may read what earlier ones collect
 * @pipeline, @store, @team: (transfer none): must outlive the passes
 *
 * Makes graphs ready that read nothing collected, so that missing files are found before anything is computed. The others are planned
 * when the sizes of what they read are known.
 */
WeftPasses *weft_passes_new (WeftPipeline *pipeline, const GPtrArray *graphs, WeftStore *store, WeftTeam *team, guint64 seed,
                             GError **error);
void weft_passes_free (WeftPasses *passes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPasses, weft_passes_free)

/**
 * WeftTick:
 * @step: steps of this pass done so far
 *
 * Called after each step. Returns: %FALSE, with @error set, to stop.
 */
typedef gboolean (*WeftTick) (gpointer data, const WeftGraph *graph, guint64 step, GError **error);

/**
 * weft_passes_run:
 * @tick: (nullable): called after each step with @data
 *
 * Passes over all graphs. Single numbers that nodes give out are kept for weft_passes_value() without asking, others if
 * weft_passes_keep() asked for them.
 */
gboolean weft_passes_run (WeftPasses *passes, WeftTick tick, gpointer data, GError **error);

/**
 * weft_passes_give:
 * @reference: "GRAPH.NAME"
 * @tensor: (transfer none): must stay valid while passes run; may have other sizes than what the pipeline would collect
 *
 * Lets graphs that read @reference have @tensor instead of what a graph collects. Shapes are inferred anew where it is wider.
 */
void weft_passes_give (WeftPasses *passes, const char *reference, const WeftTensor *tensor);

/* Keeps the value at @reference ("GRAPH.NODE.PORT") from the next run on, also an optional output that nobody else reads. */
gboolean weft_passes_keep (WeftPasses *passes, const char *reference, GError **error);
/* What the last step of the pass left at @reference; (nullable): valid until the next run. */
const WeftTensor *weft_passes_value (WeftPasses *passes, const char *reference);
/* As a number, NAN if it isn't there. */
double weft_passes_number (WeftPasses *passes, const char *reference);
/* What "GRAPH.NAME" has collected; (nullable): valid until the next run. */
const WeftTensor *weft_passes_collected (WeftPasses *passes, const char *reference);

/* A single number given out by a graph without source: (element-type WeftPassNumber), in the order of nodes. */
typedef struct
{
  char *graph, *node, *port;
  double value;
} WeftPassNumber;
GArray *weft_passes_numbers (WeftPasses *passes);

/* Sets the bounds of a feed's symbols to the sizes of what will be fed. */
void weft_feed_bound (WeftNode *feed, const WeftTensor *tensor);
/* The only element of @tensor as a number, NAN for other tensors. */
double weft_tensor_number (const WeftTensor *tensor);

G_END_DECLS
