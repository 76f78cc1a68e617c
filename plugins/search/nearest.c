/* Exact search over exact, halved and quartered rows.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "nearest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <weft/operator.h>

#include "scan.h"

#define BLOCK 256 /* rows that are scored at once */
#define FEW 3     /* queries up to which rows are not unpacked for a matrix product */

/* A row that may be among the best: its exact score is between the two. */
typedef struct
{
  gint64 row;
  double low, high;
} Candidate;

/* Of one query and one thread: the k greatest lower bounds as a heap with the least on top, and all rows that may still count. */
typedef struct
{
  double *least;
  guint n_least;
  Candidate *candidates;
  gsize n, capacity;
} Shortlist;

typedef struct
{
  const Side *side;
  const float *queries;
  double *lengths; /* of the queries */
  guint n, k;
  gint64 next;      /* block, taken by threads one after the other */
  Shortlist *lists; /* [threads, n] */
  guint threads;
} Search;

static void
sift_down (double *heap, guint n, guint at)
{
  for (;;)
    {
      guint least = at;
      for (guint child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++)
        if (heap[child] < heap[least])
          least = child;
      if (least == at)
        return;
      double value = heap[at];
      heap[at] = heap[least];
      heap[least] = value;
      at = least;
    }
}

static void
push_low (Shortlist *list, guint k, double low)
{
  if (list->n_least < k)
    {
      guint at = list->n_least++;
      list->least[at] = low;
      while (at > 0 && list->least[(at - 1) / 2] > list->least[at])
        {
          double value = list->least[at];
          list->least[at] = list->least[(at - 1) / 2];
          list->least[(at - 1) / 2] = value;
          at = (at - 1) / 2;
        }
    }
  else if (low > list->least[0])
    {
      list->least[0] = low;
      sift_down (list->least, k, 0);
    }
}

/* What a row's upper bound must reach to count. */
static double
threshold (const Shortlist *list, guint k)
{
  return list->n_least < k ? -INFINITY : list->least[0];
}

static void
add_candidate (Shortlist *list, guint k, Candidate candidate)
{
  if (list->n == list->capacity)
    {
      double limit = threshold (list, k);
      gsize kept = 0;
      for (gsize i = 0; i < list->n; i++)
        if (list->candidates[i].high >= limit)
          list->candidates[kept++] = list->candidates[i];
      list->n = kept;
      if (list->n >= list->capacity / 2)
        {
          list->capacity = MAX (list->capacity * 2, 1024);
          list->candidates = g_renew (Candidate, list->candidates, list->capacity);
        }
    }
  list->candidates[list->n++] = candidate;
}

static void
take_scores (const Search *search, Shortlist *list, guint query, gint64 first, gint64 rows, const float *scores, gsize stride)
{
  const float *errors = search->side->errors.data;
  double limit = threshold (list, search->k), length = search->lengths[query];
  for (gint64 r = 0; r < rows; r++)
    {
      double score = (double) scores[(gsize) r * stride], error = length * (double) errors[first + r];
      if (score + error < limit)
        continue;
      push_low (list, search->k, score - error);
      add_candidate (list, search->k, (Candidate){ first + r, score - error, score + error });
      limit = threshold (list, search->k);
    }
}

/* Scores one block of rows: few queries row by row as they are stored, many by a matrix product over unpacked rows. */
static void
score_block (const Search *search, gint64 first, gint64 rows, float *unpacked, float *scores)
{
  const Side *side = search->side;
  if (search->n <= FEW)
    {
      scan_products (side, search->queries, search->n, first, rows, scores);
      return;
    }
  const float *from = side->scan == SCAN_FLOAT32 ? (const float *) side->scanned.data + first * side->width : unpacked;
  if (side->scan != SCAN_FLOAT32)
    scan_unpack (side, first, rows, unpacked);
  weft_matrix_product_here (FALSE, TRUE, rows, search->n, side->width, 1.0f, from, side->width, search->queries, side->width, 0.0f, scores,
                            search->n);
}

typedef struct
{
  Search *search;
  guint member;
} Member;

static gpointer
scan_blocks (gpointer data)
{
  const Member *member = data;
  Search *search = member->search;
  const Side *side = search->side;
  gint64 blocks = (side->rows + BLOCK - 1) / BLOCK;
  gboolean unpacks = search->n > FEW && side->scan != SCAN_FLOAT32;
  g_autofree float *scores = g_new (float, (gsize) BLOCK * search->n);
  g_autofree float *unpacked = unpacks ? g_new (float, BLOCK * side->width) : NULL;
  for (;;)
    {
      gint64 block = __atomic_fetch_add (&search->next, 1, __ATOMIC_RELAXED), first = block * BLOCK;
      if (block >= blocks)
        return NULL;
      gint64 rows = MIN (BLOCK, side->rows - first);
      score_block (search, first, rows, unpacked, scores);
      for (guint q = 0; q < search->n; q++)
        take_scores (search, &search->lists[member->member * search->n + q], q, first, rows, scores + q, search->n);
    }
}

static double
exact_product (const float *x, const float *y, gint64 n)
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

static int
compare_hits (gconstpointer a, gconstpointer b)
{
  const Hit *x = a, *y = b;
  if (x->score != y->score)
    return x->score < y->score ? 1 : -1;
  return (x->row > y->row) - (x->row < y->row);
}

/* Joins what all threads found for one query. */
static void
conclude (const Search *search, guint query, Hit *hits)
{
  Shortlist all = { .least = g_new (double, search->k) };
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (Hit));
  const float *exact = search->side->exact.data, *x = search->queries + query * search->side->width;
  for (guint t = 0; t < search->threads; t++)
    {
      const Shortlist *list = &search->lists[t * search->n + query];
      for (guint i = 0; i < list->n_least; i++)
        push_low (&all, search->k, list->least[i]);
    }
  double limit = threshold (&all, search->k);
  for (guint t = 0; t < search->threads; t++)
    {
      const Shortlist *list = &search->lists[t * search->n + query];
      for (gsize i = 0; i < list->n; i++)
        if (list->candidates[i].high >= limit)
          {
            gint64 row = list->candidates[i].row;
            Hit hit = { exact_product (x, exact + row * search->side->width, search->side->width), row };
            g_array_append_val (found, hit);
          }
    }
  g_array_sort (found, compare_hits);
  g_assert (found->len >= search->k);
  memcpy (hits, found->data, search->k * sizeof (Hit));
  g_free (all.least);
}

void
nearest_find (const Side *side, const float *queries, guint n, guint k, guint threads, Hit *hits)
{
  guint members = threads ? threads : g_get_num_processors ();
  Search search = { .side = side, .queries = queries, .n = n, .k = k, .threads = members };
  g_autofree Member *member = g_new (Member, members);
  g_autofree GThread **thread = g_new0 (GThread *, members);
  g_assert (k >= 1 && k <= side->rows);
  search.lengths = g_new (double, n);
  search.lists = g_new0 (Shortlist, (gsize) members * n);
  for (guint q = 0; q < n; q++)
    search.lengths[q] = sqrt (exact_product (queries + q * side->width, queries + q * side->width, side->width));
  for (guint i = 0; i < members * n; i++)
    search.lists[i].least = g_new (double, k);
  for (guint t = 0; t < members; t++)
    {
      member[t] = (Member){ &search, t };
      thread[t] = t ? g_thread_new ("search", scan_blocks, &member[t]) : NULL;
    }
  scan_blocks (&member[0]);
  for (guint t = 1; t < members; t++)
    g_thread_join (thread[t]);
  for (guint q = 0; q < n; q++)
    conclude (&search, q, hits + (gsize) q * k);
  for (guint i = 0; i < members * n; i++)
    {
      g_free (search.lists[i].least);
      g_free (search.lists[i].candidates);
    }
  g_free (search.lists);
  g_free (search.lengths);
}

/* Rounding in a sum of @width products of float32: γ_n of both lengths (see ranks.c of the module retrieval), doubled. */
static double
rounding (double length, gint64 width)
{
  double u = (double) (width + 2) * 0x1p-24;
  return 2 * u / (1 - MIN (u, 0.5)) * length;
}

/* An upper bound of @value in single precision. */
static float
round_up (double value)
{
  return nextafterf ((float) value, INFINITY);
}

float
nearest_error_float32 (const float *row, gint64 width)
{
  return round_up (rounding (sqrt (exact_product (row, row, width)), width));
}

float
nearest_pack_float16 (const float *row, gint64 width, guint16 *packed)
{
  double lacking = 0, length = 0;
  for (gint64 i = 0; i < width; i++)
    {
      packed[i] = weft_f32_to_f16 (row[i]);
      float back;
      weft_convert_to_f32 (WEFT_F16, &packed[i], 1, &back);
      lacking += ((double) row[i] - (double) back) * ((double) row[i] - (double) back);
      length += (double) back * (double) back;
    }
  return round_up (sqrt (lacking) + rounding (sqrt (length), width));
}

float
nearest_pack_int8 (const float *row, gint64 width, gint8 *packed, float *scale)
{
  double lacking = 0, length = 0;
  float largest = 0;
  for (gint64 i = 0; i < width; i++)
    largest = MAX (largest, fabsf (row[i]));
  *scale = largest > 0 ? largest / 127 : 1;
  for (gint64 i = 0; i < width; i++)
    {
      packed[i] = (gint8) lrintf (row[i] / *scale);
      double back = (double) packed[i] * (double) *scale;
      lacking += ((double) row[i] - back) * ((double) row[i] - back);
      length += back * back;
    }
  /* One more rounding: the scale is applied to the sum. */
  return round_up (sqrt (lacking) + rounding (sqrt (length), width + 2));
}
