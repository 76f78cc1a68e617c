/* Edits as data: what the `edits:` of a pipeline and its overlays change in graphs, networks, modules and repeated layers.
 *
 *     edits:
 *       - {bypass: image.enhance}                                  # whoever read it reads its input
 *       - {remove: [train.momentum, train.queues]}
 *       - {replace: "*.gpo", with: {op: segment_mean}}
 *       - {insert: image.drop, with: {op: dropout, rate: 0.2}, between: [gpo, embedding.x]}
 *       - {rewire: {train.loss.text: t_key}}
 *       - {freeze: text.bert}
 *       - {set: {"image.**.dropout": 0.3, train.loss.margin: 0.2}}
 *
 * Paths begin with a network, and then mean every use of it, or with a graph. `*` and `?` stand for parts of one name, `**` for any names.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "scope.h"

G_BEGIN_DECLS

/**
 * weft_edits_new:
 *
 * Reads the `edits:` of @pipeline's document. Returns: (transfer full) (nullable): %NULL if there are none
 */
WeftEdits *weft_edits_new (WeftPipeline *pipeline, WeftProblems *problems);
void weft_edits_free (WeftEdits *edits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftEdits, weft_edits_free)

/* All of the following take edits that are %NULL as no edits, and return new references. */

/* The definition of network @name after `replace` and `set`. */
WeftValue *weft_edits_network (WeftEdits *edits, const char *name, WeftValue *map);
/* The nodes of one body after the edits that concern it; @kept: (nullable): the body's outputs or the graph's collections. */
WeftValue *weft_edits_nodes (WeftEdits *edits, WeftScope *scope, WeftValue *nodes, const WeftValue *kept);
/* One instance of a repeated node. */
WeftValue *weft_edits_instance (WeftEdits *edits, WeftScope *scope, const char *name, WeftValue *map);
/* Where the first edit stands whose path goes on behind the node @name of @scope, "FILE:LINE"; (transfer full) (nullable). */
char *weft_edits_within (WeftEdits *edits, const WeftScope *scope, const char *name);
/* Whether `freeze` names the node @name of @scope, or network @name if @scope is %NULL. */
gboolean weft_edits_freezes (WeftEdits *edits, const WeftScope *scope, const char *name);
/* Notes what @root's graph has that is to be bypassed, while its names are known. */
void weft_edits_note_bypasses (WeftEdits *edits, WeftScope *root);

/* Reports edits that changed nothing. */
void weft_edits_finish (WeftEdits *edits);
/* Takes out of the run section's log and watches what edits have taken out of the graphs; returns the section to use. */
WeftValue *weft_edits_run (WeftEdits *edits, WeftValue *run);
/* In inferred graphs: whoever read a bypassed node reads the input that has its signature. */
void weft_edits_bypass (WeftEdits *edits);

/* What edits did, a line each, in the order of the edits; (element-type utf8) (nullable). */
const GPtrArray *weft_edits_report (const WeftEdits *edits);

G_END_DECLS
