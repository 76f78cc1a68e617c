/* What a run is, as one number: its resolved graphs, operator versions, seed and data.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

/**
 * weft_pipeline_digest:
 *
 * Two pipelines with the same digest compute the same, however they are written: the digest is taken of graphs after all edits, with
 * every attribute at its value, of the run section but for what it logs and watches, and of names, sizes and contents (#WeftContents) of
 * all files that attributes and networks name to read them.
 *
 * Returns: 64 hexadecimal digits, to be freed
 */
char *weft_pipeline_digest (const WeftPipeline *pipeline);

/* The text that the digest is taken of, a line for each node; to be freed. */
char *weft_pipeline_describe (const WeftPipeline *pipeline);

/* Adds to @contents (weft_contents_new()) the files that attributes and networks name to read them. */
void weft_pipeline_add_contents (const WeftPipeline *pipeline, GPtrArray *contents);

G_END_DECLS
