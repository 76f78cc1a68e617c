/* BLIS: which of its kernels to use, and matrix products with them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What CPUID says, as far as it matters for the choice. */
typedef struct
{
  gboolean amd;
  guint family;
  gboolean avx2_fma, avx512; /* avx512: F, CD, BW, DQ and VL together */
} BlisProcessor;

/**
 * blis_choose:
 *
 * Returns: (nullable): the configuration that BLIS should be told to use, or %NULL to leave the choice to it. A pure function, so that
 *   the table can be tested for processors that are not there.
 */
const char *blis_choose (const BlisProcessor *processor);

/* Decides before the first call into BLIS. */
gboolean blis_start (GError **error);
char *blis_report (void);
void blis_product (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 a_stride,
                   const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride);

G_END_DECLS
