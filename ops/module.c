/* The module of built-in operators.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include "kernels/blis.h"
#include "kernels/product.h"

WEFT_MODULE ("ops", "1.0", "built-in operators and matrix products", .start = blis_start, .report = blis_report,
             .matrix_product = product_here, .team_matrix_product = product_on_team);
