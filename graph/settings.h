/* What graphs, uses, instances and nodes may say about how nodes run: `mode:` and `compute:`.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "scope.h"

G_BEGIN_DECLS

/**
 * weft_settings_read:
 * @scope: has what it inherits; what @map says takes its place
 */
void weft_settings_read (WeftScope *scope, const WeftValue *map);

/**
 * weft_settings_read_node:
 *
 * Gives @node what it inherits from @scope or what @map says instead. Asking an operator for a precision that it does not have is a mistake;
 * inheriting one is not.
 */
void weft_settings_read_node (const WeftScope *scope, WeftNode *node, const WeftValue *map);

/* As pipelines spell it. */
const char *weft_mode_name (WeftMode mode);
const char *weft_compute_name (WeftCompute compute);

G_END_DECLS
