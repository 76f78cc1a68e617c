/* The micro-kernels for AMX in float32, compiled for any processor.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#define MICRO_EMULATION "../../tests/emulated-amx.h"
#define micro_amx micro_amx_emulated

#include "../ops/kernels/micro-amx.c"
