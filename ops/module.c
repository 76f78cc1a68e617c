/* The module of built-in operators.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

WEFT_MODULE ("ops", "1.0", "built-in operators and matrix products");
