/* Vector kernels for every processor: registers of 16 bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "vector-tables.h"

#define VECTOR_BYTES 16
#define VECTOR_NAME "baseline"
#define VECTOR_TABLE vector_baseline
#include "vector-body.h"
