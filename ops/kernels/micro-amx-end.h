/* What comes after the kernels for AMX.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef MICRO_EMULATION
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
