/* The module of optimizers.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

WEFT_MODULE ("optim", "1.0", "optimizers");
