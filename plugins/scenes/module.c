/* The module of generated scenes with captions.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

WEFT_MODULE ("scenes", "1.0", "generated scenes with captions");
