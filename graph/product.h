/* Counting what matrix products compute, for measurements.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Begins to count from 0, or ends counting. */
void weft_products_count (gboolean on);
/* Multiplications and additions since then. */
gint64 weft_products_counted (void);
/* Counts a product that a module computes without weft_matrix_product(). */
void weft_products_note (gint64 m, gint64 n, gint64 k);

G_END_DECLS
