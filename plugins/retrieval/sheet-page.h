/* The page of a retrieval sheet: HTML that needs nothing beside it.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define SHEET_TOP 5

/* One of the best answers to a query. */
typedef struct
{
  gint64 index;
  double similarity;
  gboolean right;
} SheetHit;

typedef struct
{
  gint64 index; /* of the image or caption that asks */
  gint64 rank;  /* of its best right answer, from 1 */
  guint n_hits;
  SheetHit hits[SHEET_TOP];
} SheetQuery;

/* Weights, one per region or position. */
typedef struct
{
  const char *title;
  const float *values;
  gint64 n;
} SheetWeights;

/* Everything appends to @page; texts are escaped. Numbers are in the C locale, whatever the user's. */
void sheet_page_begin (GString *page, gint64 images, gint64 captions);
void sheet_page_end (GString *page);
void sheet_page_heading (GString *page, const char *text);
void sheet_page_text (GString *page, const char *text, gsize length);
/* "rank 3 of 200" */
void sheet_page_rank (GString *page, gint64 rank, gint64 of);
void sheet_page_similarity (GString *page, const SheetHit *hit);
/* A file as a part of the page. Returns: %FALSE if it can't be read */
gboolean sheet_page_picture (GString *page, const char *path, GError **error);
/* Bars, one row for each of @weights. */
void sheet_page_bars (GString *page, const SheetWeights *weights, guint n);
/* Lines over positions, one for each of @weights, with their lengths beside them. */
void sheet_page_lines (GString *page, const SheetWeights *weights, guint n);

G_END_DECLS
