/* The operators of USER (Zhang et al., arXiv 2301.06844) and of the losses it is compared with.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

WEFT_MODULE ("user", "1.0", "Unified semantic enhancement with momentum contrast, and losses for image-text matching");
