/* Tables of the numbers that evaluations give out.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "pass.h"

G_BEGIN_DECLS

/* Prints what weft_passes_numbers() returned: one table for each node, `image_r1` in row `image`, column `r1`. */
void weft_cli_print_numbers (const GArray *numbers);
/* The same as one JSON object. */
void weft_cli_print_json (const GArray *numbers);

G_END_DECLS
