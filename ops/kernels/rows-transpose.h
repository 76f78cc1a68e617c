/* Of rows.h, what needs registers as wide as ROW_PAD.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "rows.h"

G_BEGIN_DECLS

#ifdef __x86_64__
void rows_transpose_avx512 (gint64 rows, gint64 columns, const float *x, gint64 x_stride, float *y, gint64 y_stride) G_GNUC_INTERNAL;
#endif

G_END_DECLS
