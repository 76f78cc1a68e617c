/* Tables of trials: a row a variant, means and deviations over seeds, the difference to the base.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "grid.h"
#include "trials.h"

G_BEGIN_DECLS

/**
 * weft_table_print:
 * @all: whether all numbers of the evaluation are shown, not only recalls at 1, 5, 10 and their sum
 * @times: whether to show the time a step, which no two runs have in common
 *
 * Returns: the table, to be freed
 */
char *weft_table_print (const GPtrArray *trials, const GPtrArray *variants, WeftTableForm form, gboolean all, gboolean times);

/* Mean and sample deviation of what trials of @variant say about @name; the deviation is 0 for one. Returns: how many there are */
guint weft_table_measure (const GPtrArray *trials, const WeftVariant *variant, const char *name, double *mean, double *deviation);
/* The number by which variants are compared: a sum of recalls if there is one; (nullable), to be freed. */
char *weft_table_main_number (const GPtrArray *trials);

/* A drawing of the main number over the values of @axis, with bars of one deviation; to be freed. NULL: fewer than two points. */
char *weft_curve_draw (const GPtrArray *trials, const GPtrArray *variants, const char *axis);

G_END_DECLS
