/* BLIS: which of its kernels to use, and matrix products with them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Decides before the first call into BLIS. It is an error if the user's BLIS_ARCH_TYPE is none of BLIS's configurations, at which BLIS itself
 * would abort. */
gboolean blis_start (GError **error);
char *blis_report (void);
void blis_product (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 a_stride,
                   const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride);

G_END_DECLS
