/* Variables in scalars: `$name`, `${name}/x`, `${env:NAME:-default}`.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "document.h"

G_BEGIN_DECLS

/**
 * weft_variables_resolve:
 * @vars: a map of variables, which may refer to each other and to the environment
 *
 * Returns: (transfer full): the same map with all references replaced; cycles, unknown names and unset variables of the environment
 *   are problems
 */
WeftValue *weft_variables_resolve (const WeftValue *vars, WeftProblems *problems);

/* As weft_substitute() with @vars for names, and with the environment. */
WeftValue *weft_variables_replace (WeftValue *value, const WeftValue *vars, WeftProblems *problems);

G_END_DECLS
