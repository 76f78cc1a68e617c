/* Pipelines that stand for themselves: what a run directory keeps.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "compose.h"

G_BEGIN_DECLS

/**
 * weft_snapshot_new:
 *
 * Composes a pipeline into one document without includes, overlays, environment and relative paths, so that it means the same wherever
 * and whenever it is read. Variables that an evaluation overrides (`vars:` of `validate:` and `evaluate:`, and `split`) stay variables.
 *
 * Returns: (transfer full) (nullable): %NULL if there were problems
 */
WeftValue *weft_snapshot_new (const WeftComposition *composition, WeftProblems *problems);

/* Where two documents first differ, as a dotted path to be freed; %NULL if they say the same. */
char *weft_snapshot_difference (const WeftValue *a, const WeftValue *b);

G_END_DECLS
