/* The micro-kernels for AVX512-BF16, compiled for any processor.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#define MICRO_EMULATION "../../tests/emulated-avx512.h"
#define micro_bf16 micro_bf16_emulated

#include "../ops/kernels/micro-bf16.c"
