/* Computing by parts, for the registry.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

/* The `forward` of operators that have `forward_part`. */
void weft_forward_by_parts (const WeftCall *call);

G_END_DECLS
