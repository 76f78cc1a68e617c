/* The micro-kernels for AMX in bfloat16, compiled for any processor.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#define MICRO_EMULATION "../../tests/emulated-amx.h"
#define micro_amx_bf16 micro_amx_bf16_emulated

#include "../ops/kernels/micro-amx-bf16.c"
