/* The nearest rows of a side: exact, whatever form of the rows is scanned.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "index.h"

G_BEGIN_DECLS

typedef struct
{
  double score; /* product with the query, in double precision */
  gint64 row;
} Hit;

/**
 * nearest_find:
 * @queries: float32 [n, width of @side]
 * @k: at most the number of rows
 * @threads: 0: as many as the process may run on
 * @hits: (out): [n, k], best first; equal scores by row
 *
 * Scans all rows block by block. A scanned row lacks at most its error of the exact one, so its score is known up to that times the
 * query's length; rows that could be among the best by this are scored again, exactly.
 */
void nearest_find (const Side *side, const float *queries, guint n, guint k, guint threads, Hit *hits);

/* float16 and int8 forms of a row, and by how much their products may be wrong for a query of length 1. */
float nearest_error_float32 (const float *row, gint64 width);
float nearest_pack_float16 (const float *row, gint64 width, guint16 *packed);
float nearest_pack_int8 (const float *row, gint64 width, gint8 *packed, float *scale);

G_END_DECLS
