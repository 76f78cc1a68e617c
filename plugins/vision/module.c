/* The module of photographs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "decoder.h"

#include <weft/operator.h>

WEFT_MODULE ("vision", "1.0", "photographs, and features of them that are computed once", .report = decoder_report);
