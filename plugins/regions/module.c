/* The module of precomputed region features.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

WEFT_MODULE ("regions", "1.0", "precomputed region features");
