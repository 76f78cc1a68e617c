/* Pipelines: all graphs of a document, ready to be planned.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

/**
 * weft_pipeline_build:
 * @document: composed
 *
 * Document → graph → inferred graph → differentiated graph: every graph of the pipeline built, its modules expanded, shapes inferred,
 * objectives differentiated, nodes ordered. All problems of all graphs are reported together.
 *
 * Returns: (transfer full) (nullable): %NULL if there were problems
 */
WeftPipeline *weft_pipeline_build (WeftValue *document, WeftProblems *problems);
void weft_pipeline_free (WeftPipeline *pipeline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPipeline, weft_pipeline_free)

G_END_DECLS
