/* What sections and keys a pipeline may have.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "document.h"

G_BEGIN_DECLS

/**
 * weft_language_check:
 * @document: merged, variables still in place
 * @whole: nothing is missing of what should have been merged; otherwise `null` may well have something to remove
 *
 * Reports unknown sections and keys, values of the wrong kind, and `null` where there is nothing to remove. What nodes hold and
 * what `run:` says is checked by those who know operators and graphs.
 *
 * Returns: whether @document has the form that building relies on; with an unknown key it may still have
 */
gboolean weft_language_check (const WeftValue *document, gboolean whole, WeftProblems *problems);

G_END_DECLS
