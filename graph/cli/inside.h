/* A look inside one graph: its pipeline with weights, whatever it reads of other graphs, and given inputs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "cli.h"
#include "open.h"
#include "pass.h"

G_BEGIN_DECLS

typedef struct
{
  WeftOpened opened;
  WeftStore *store;
  WeftTeam *team;
  WeftGraph *graph;
  WeftPasses *passes; /* (nullable): over the graphs that @graph reads */
  WeftPlan *plan;
  WeftExecutor *executor;
  GPtrArray *given; /* (element-type WeftTensor): fed from files */
} WeftInside;

/**
 * weft_inside_open:
 * @path: a pipeline, or a run directory, whose newest checkpoint is loaded
 * @graph: (nullable): its name; %NULL: the one that is trained, else the first
 *
 * Returns: (nullable): %NULL after a message
 */
WeftInside *weft_inside_open (const char *path, const WeftCommonOptions *common, const char *graph);

/* The value at "v.sge.sum" or "loss.loss": computed and kept from now on; its node's main output if there are several. */
WeftWire *weft_inside_want (WeftInside *inside, const char *reference);

/**
 * weft_inside_ready:
 * @feeds: (nullable) (array zero-terminated=1): `NODE=FILE.npy`
 *
 * Passes over the graphs that the graph reads, plans it, opens its operators and data. Returns: %FALSE after a message
 */
gboolean weft_inside_ready (WeftInside *inside, char **feeds);
void weft_inside_free (WeftInside *inside);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftInside, weft_inside_free)

G_END_DECLS
