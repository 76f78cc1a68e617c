/* Variables in scalars: `$name`, `${name}/x`, `${env:NAME:-default}`, `$$` for a dollar sign.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "document.h"

G_BEGIN_DECLS

/**
 * weft_variables_resolve:
 * @vars: a map of variables, which may refer to each other and to the environment
 *
 * Returns: (transfer full): the same map with all references replaced; cycles, unknown names and what the environment lacks are problems
 */
WeftValue *weft_variables_resolve (const WeftValue *vars, WeftProblems *problems);

/* weft_substitute() with @vars (nullable) for names, and with the environment. */
WeftValue *weft_variables_replace (WeftValue *value, const WeftValue *vars, WeftProblems *problems);

/* Whether `$text` can be written. */
gboolean weft_variables_is_name (const char *text);

G_END_DECLS
