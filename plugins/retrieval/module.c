/* The module of recalls, similarity matrices and their ensembles.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

WEFT_MODULE ("retrieval", "1.0", "recalls, similarity matrices and their ensembles");
