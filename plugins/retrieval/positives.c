/* Where answers come in the ranking, by tiles of queries and items.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "positives.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TILE_QUERIES 64
#define TILE_ITEMS 1024
#define TILE_ROWS 256 /* of which norms are taken */

typedef struct
{
  const WeftCall *call;
  const Ranked *ranked;
  Positives *positives;
  double error; /* relative to both norms, bounds the difference between a float32 product and the exact one */
  gboolean bad; /* a similarity is not finite */
} Work;

/* The one place where a pair is multiplied in double precision: equal rows give equal sums. */
static G_GNUC_NO_INLINE double
product (const float *x, const float *y, gint64 n)
{
  double sums[4] = { 0, 0, 0, 0 };
  gint64 i = 0;
  for (; i + 4 <= n; i += 4)
    for (int k = 0; k < 4; k++)
      sums[k] += (double) x[i + k] * (double) y[i + k];
  for (; i < n; i++)
    sums[0] += (double) x[i] * (double) y[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static double
exact_similarity (const Ranked *ranked, gint64 query, gint64 item)
{
  return ranked->own && query == item ? 0
                                      : product (ranked->query + query * ranked->width, ranked->item + item * ranked->width, ranked->width);
}

static void
note_bad (Work *work)
{
  __atomic_store_n (&work->bad, TRUE, __ATOMIC_RELAXED);
}

static void
norms_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  Work *work = data;
  const Ranked *ranked = work->ranked;
  for (gint64 i = index * TILE_ROWS; i < MIN (ranked->queries + ranked->items, (index + 1) * TILE_ROWS); i++)
    {
      gboolean query = i < ranked->queries;
      const float *row = query ? ranked->query + i * ranked->width : ranked->item + (i - ranked->queries) * ranked->width;
      double norm = sqrt (product (row, row, ranked->width));
      (query ? ranked->query_norms : ranked->item_norms - ranked->queries)[i] = norm;
      if (!isfinite (norm))
        note_bad (work);
    }
}

static int
compare_descending (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x < y) - (x > y);
}

static int
compare_item (gconstpointer a, gconstpointer b)
{
  gint32 x = *(const gint32 *) a, y = *(const gint32 *) b;
  return (x > y) - (x < y);
}

static void
take_similarities (Work *work, gint64 query)
{
  gint64 first = positives_offset (work->positives, query), end = positives_offset (work->positives, query + 1);
  for (gint64 p = first; p < end; p++)
    work->positives->similarity[p] = exact_similarity (work->ranked, query, g_array_index (work->positives->items, gint32, p));
  if (end > first)
    qsort (work->positives->similarity + first, (gsize) (end - first), sizeof (double), compare_descending);
  memset (work->positives->before + first, 0, (gsize) (end - first) * sizeof (guint32));
}

/* Counts one item before the answers that it is at least as similar as; @n answers in descending order of similarity. */
static void
count_item (const Work *work, gint64 query, gint64 item, double similarity, double error, const double *answers, guint32 *before, gint64 n)
{
  gint64 first = positives_offset (work->positives, query), end = positives_offset (work->positives, query + 1);
  gint32 number = (gint32) item;
  gboolean exact = FALSE;
  if (bsearch (&number, (const gint32 *) (gpointer) work->positives->items->data + first, (gsize) (end - first), sizeof number,
               compare_item))
    return;
  if (work->ranked->own && query == item)
    similarity = 0, exact = TRUE;
  for (gint64 a = n - 1; a >= 0; a--)
    {
      if (!exact && fabs (similarity - answers[a]) <= error)
        similarity = exact_similarity (work->ranked, query, item), exact = TRUE;
      if (similarity < answers[a])
        return;
      before[a]++;
    }
}

static void
count_row (Work *work, gint64 query, const float *row, gint64 first_item, gint64 n)
{
  const Ranked *ranked = work->ranked;
  gint64 first = positives_offset (work->positives, query), answers = positives_offset (work->positives, query + 1) - first;
  const double *similarity = work->positives->similarity + first;
  if (answers == 0)
    return;
  if (ranked->best_only)
    answers = 1;
  double scale = work->error * ranked->query_norms[query], least = similarity[answers - 1];
  for (gint64 k = 0; k < n; k++)
    {
      double error = scale * ranked->item_norms[first_item + k];
      if (!isfinite (row[k]))
        note_bad (work);
      else if ((double) row[k] >= least - error || (ranked->own && first_item + k == query))
        count_item (work, query, first_item + k, (double) row[k], error, similarity, work->positives->before + first, answers);
    }
}

/* Some queries against all items. */
static void
count_tile (gpointer data, gint64 index, guint member)
{
  Work *work = data;
  const Ranked *ranked = work->ranked;
  float *memory = ranked->tiles + (gsize) member * TILE_QUERIES * TILE_ITEMS;
  gint64 first = index * TILE_QUERIES, n = MIN (TILE_QUERIES, ranked->queries - first);
  for (gint64 q = first; q < first + n; q++)
    take_similarities (work, q);
  for (gint64 item = 0; item < ranked->items; item += TILE_ITEMS)
    {
      gint64 m = MIN (TILE_ITEMS, ranked->items - item);
      weft_matrix_product_here (FALSE, TRUE, n, m, ranked->width, 1.0f, ranked->query + first * ranked->width, ranked->width,
                                ranked->item + item * ranked->width, ranked->width, 0.0f, memory, TILE_ITEMS);
      for (gint64 q = 0; q < n; q++)
        count_row (work, first + q, memory + q * TILE_ITEMS, item, m);
    }
}

gsize
positives_tile_floats (guint members)
{
  return (gsize) members * TILE_QUERIES * TILE_ITEMS;
}

gboolean
positives_rank (const WeftCall *call, const Ranked *ranked, Positives *positives)
{
  /* As in ranks.c: γ of a sum of float32 products, doubled. */
  double rounding = (double) (ranked->width + 2) * 0x1p-24;
  Work work = { .call = call, .ranked = ranked, .positives = positives, .error = 2 * rounding / (1 - MIN (rounding, 0.5)) };
  g_assert (positives_queries (positives) == ranked->queries);
  weft_parallel (call, (ranked->queries + ranked->items + TILE_ROWS - 1) / TILE_ROWS, norms_tile, &work);
  if (!work.bad)
    weft_parallel (call, (ranked->queries + TILE_QUERIES - 1) / TILE_QUERIES, count_tile, &work);
  if (work.bad)
    weft_fail (call, "a similarity is not finite: the model diverged or its input holds such values");
  return !work.bad;
}

double
positives_recall (const Positives *positives, guint32 k, gboolean skip)
{
  gint64 hits = 0, counted = 0;
  for (gint64 q = 0; q < positives_queries (positives); q++)
    {
      gint64 first = positives_offset (positives, q);
      gboolean answered = positives_offset (positives, q + 1) > first;
      counted += answered || !skip;
      hits += answered && positives->before[first] < k;
    }
  return counted > 0 ? 100.0 * (double) hits / (double) counted : 0;
}
