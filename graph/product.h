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

G_END_DECLS
