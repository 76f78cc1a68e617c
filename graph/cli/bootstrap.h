/* Whether the difference of two runs is more than chance: a paired bootstrap over ranks.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * WeftRanks: what `weft evaluate --ranks` writes
 * @kinds: (element-type utf8): of queries, in order of appearance: "image", "caption"
 * @kind, @unit, @rank: (element-type guint32): of each query; ranks count from 1. Queries of one unit, an image and its captions, depend
 *   on one another and are drawn together
 */
typedef struct
{
  GPtrArray *kinds;
  GArray *kind, *unit, *rank;
  guint units;
} WeftRanks;

WeftRanks *weft_ranks_read (const char *path, GError **error);
void weft_ranks_free (WeftRanks *ranks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftRanks, weft_ranks_free)

/**
 * WeftComparison: one measure of both runs
 * @name: "image_r1", "rsum"
 * @low, @high: the interval that holds the given share of the differences over resamples, percentiles
 * @p: two-sided: how often a resample's difference lies on the other side of zero, or on it; (1 + count) / (1 + resamples), doubled
 */
typedef struct
{
  char *name;
  double first, second, low, high, p;
} WeftComparison;

/**
 * weft_bootstrap:
 * @confidence: share of the interval, 0.95 for instance
 *
 * Draws units with replacement, the same for both runs, and compares recalls at 1, 5 and 10 of each kind and their sum. Resamples depend
 * on @seed alone.
 *
 * Returns: (transfer full) (nullable) (element-type WeftComparison): %NULL if the runs don't have the same queries
 */
GArray *weft_bootstrap (const WeftRanks *first, const WeftRanks *second, guint resamples, guint64 seed, double confidence, GError **error);

G_END_DECLS
