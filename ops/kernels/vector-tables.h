/* The sets of vector kernels that this build has.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "vector.h"

G_BEGIN_DECLS

extern const VectorKernels vector_baseline G_GNUC_INTERNAL;
#ifdef __x86_64__
extern const VectorKernels vector_avx2 G_GNUC_INTERNAL;
extern const VectorKernels vector_avx512 G_GNUC_INTERNAL;
#endif

G_END_DECLS
