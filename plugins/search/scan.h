/* Products of queries with rows as they are stored.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "index.h"

G_BEGIN_DECLS

/* scores[r * n + q] = row (first + r) · query q, in float32. */
void scan_products (const Side *side, const float *queries, guint n, gint64 first, gint64 rows, float *scores);
/* Rows as float32. */
void scan_unpack (const Side *side, gint64 first, gint64 rows, float *unpacked);

G_END_DECLS
