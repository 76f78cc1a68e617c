/* Paired bootstrap over ranks.
 *
 * Efron and Tibshirani, An Introduction to the Bootstrap, chapters 13 and 16; units as clusters.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "bootstrap.h"

#include <stdlib.h>
#include <string.h>

#include <weft/lines.h>
#include <weft/operator.h>

static const guint32 limits[] = { 1, 5, 10 };
#define N_LIMITS G_N_ELEMENTS (limits)
#define HEADER "query,index,rank,unit"

void
weft_ranks_free (WeftRanks *ranks)
{
  if (!ranks)
    return;
  g_ptr_array_unref (ranks->kinds);
  g_array_unref (ranks->kind);
  g_array_unref (ranks->unit);
  g_array_unref (ranks->rank);
  g_free (ranks);
}

static guint32
kind_index (WeftRanks *ranks, const char *name)
{
  guint index;
  if (g_ptr_array_find_with_equal_func (ranks->kinds, name, g_str_equal, &index))
    return index;
  g_ptr_array_add (ranks->kinds, g_strdup (name));
  return ranks->kinds->len - 1;
}

static gboolean
parse_line (WeftRanks *ranks, const char *line)
{
  g_auto (GStrv) cells = g_strsplit (line, ",", -1);
  guint64 rank, unit;
  if (g_strv_length (cells) != 4 || !*cells[0] || !g_ascii_string_to_unsigned (cells[2], 10, 1, G_MAXUINT32, &rank, NULL)
      || !g_ascii_string_to_unsigned (cells[3], 10, 0, G_MAXINT32 - 1, &unit, NULL))
    return FALSE;
  guint32 kind = kind_index (ranks, cells[0]), short_rank = (guint32) rank, short_unit = (guint32) unit;
  g_array_append_val (ranks->kind, kind);
  g_array_append_val (ranks->rank, short_rank);
  g_array_append_val (ranks->unit, short_unit);
  ranks->units = MAX (ranks->units, short_unit + 1);
  return TRUE;
}

WeftRanks *
weft_ranks_read (const char *path, GError **error)
{
  g_autoptr (WeftLines) lines = weft_lines_read (path, FALSE, error);
  g_autoptr (WeftRanks) ranks = g_new0 (WeftRanks, 1);
  *ranks = (WeftRanks){ g_ptr_array_new_with_free_func (g_free), g_array_new (FALSE, FALSE, sizeof (guint32)),
                        g_array_new (FALSE, FALSE, sizeof (guint32)), g_array_new (FALSE, FALSE, sizeof (guint32)), 0 };
  if (!lines)
    return NULL;
  if (!weft_lines_count (lines) || strcmp (weft_lines_get (lines, 0, NULL), HEADER) != 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s:1: expected the header " HEADER ", as `weft evaluate RUN --ranks` writes it",
                   path);
      return NULL;
    }
  for (guint i = 1; i < weft_lines_count (lines); i++)
    if (!parse_line (ranks, weft_lines_get (lines, i, NULL)))
      {
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s:%u: \"%.60s\" is not a kind of query, an index, a rank and a unit", path,
                     i + 1, weft_lines_get (lines, i, NULL));
        return NULL;
      }
  if (!ranks->rank->len || ranks->units > ranks->rank->len)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %u queries of %u units", path, ranks->rank->len, ranks->units);
      return NULL;
    }
  return g_steal_pointer (&ranks);
}

/* Of each unit: queries of each kind, then hits of the first run, then of the second, at each limit. */
typedef struct
{
  guint kinds, measures; /* without the sum */
  guint32 *queries;      /* [units, kinds] */
  gint32 *hits[2];       /* [units, measures] */
} Counts;

static void
count (const WeftRanks *ranks, guint which, Counts *counts)
{
  for (guint q = 0; q < ranks->rank->len; q++)
    {
      guint32 unit = g_array_index (ranks->unit, guint32, q), kind = g_array_index (ranks->kind, guint32, q);
      counts->queries[unit * counts->kinds + kind] += which == 0;
      for (guint k = 0; k < N_LIMITS; k++)
        counts->hits[which][unit * counts->measures + kind * N_LIMITS + k] += g_array_index (ranks->rank, guint32, q) <= limits[k];
    }
}

/* Recalls of both runs, in per cent, over the units of @draw, or all of them; the last measure is the sum. */
static void
measure (const Counts *counts, guint units, const guint32 *draw, double *recalls[2])
{
  g_autofree gint64 *sums = g_new0 (gint64, 2 * counts->measures), *queries = g_new0 (gint64, counts->kinds);
  for (guint u = 0; u < units; u++)
    {
      guint unit = draw ? draw[u] : u;
      for (guint k = 0; k < counts->kinds; k++)
        queries[k] += counts->queries[unit * counts->kinds + k];
      for (guint which = 0; which < 2; which++)
        for (guint m = 0; m < counts->measures; m++)
          sums[which * counts->measures + m] += counts->hits[which][unit * counts->measures + m];
    }
  for (guint which = 0; which < 2; which++)
    {
      recalls[which][counts->measures] = 0;
      for (guint m = 0; m < counts->measures; m++)
        {
          recalls[which][m] = 100.0 * (double) sums[which * counts->measures + m] / (double) MAX (queries[m / N_LIMITS], 1);
          recalls[which][counts->measures] += recalls[which][m];
        }
    }
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static void
clear_comparison (gpointer data)
{
  g_free (((WeftComparison *) data)->name);
}

/* @differences: of all resamples; sorted here. */
static WeftComparison
conclude (char *name, double first, double second, double *differences, guint n, double confidence)
{
  guint below = 0, above = 0, cut = (guint) ((1 - confidence) / 2 * n);
  qsort (differences, n, sizeof *differences, compare_doubles);
  for (guint i = 0; i < n; i++)
    {
      below += differences[i] <= 0;
      above += differences[i] >= 0;
    }
  return (WeftComparison){ name,
                           first,
                           second,
                           differences[MIN (cut, n - 1)],
                           differences[n - 1 - MIN (cut, n - 1)],
                           MIN (1, 2.0 * (1 + MIN (below, above)) / (1.0 + n)) };
}

static gboolean
same_queries (const WeftRanks *first, const WeftRanks *second)
{
  if (first->rank->len != second->rank->len || first->kinds->len != second->kinds->len
      || memcmp (first->kind->data, second->kind->data, first->kind->len * sizeof (guint32)) != 0
      || memcmp (first->unit->data, second->unit->data, first->unit->len * sizeof (guint32)) != 0)
    return FALSE;
  for (guint i = 0; i < first->kinds->len; i++)
    if (strcmp (first->kinds->pdata[i], second->kinds->pdata[i]) != 0)
      return FALSE;
  return TRUE;
}

/* [measures + 1, resamples] differences. */
static double *
resample (const Counts *counts, guint units, guint resamples, guint64 seed)
{
  guint all = counts->measures + 1;
  double *differences = g_new (double, (gsize) all *resamples);
  g_autofree guint32 *draw = g_new (guint32, units);
  g_autofree double *a = g_new (double, all), *b = g_new (double, all);
  for (guint r = 0; r < resamples; r++)
    {
      WeftRandom random = weft_random_for (seed, "bootstrap", r);
      for (guint u = 0; u < units; u++)
        draw[u] = weft_random_below (random, u, units);
      measure (counts, units, draw, (double *[]){ a, b });
      for (guint m = 0; m < all; m++)
        differences[(gsize) m * resamples + r] = b[m] - a[m];
    }
  return differences;
}

GArray *
weft_bootstrap (const WeftRanks *first, const WeftRanks *second, guint resamples, guint64 seed, double confidence, GError **error)
{
  if (!same_queries (first, second))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "the runs have ranks of %u and %u queries, not of the same ones: were both evaluated on the same data?",
                   first->rank->len, second->rank->len);
      return NULL;
    }
  Counts counts = { .kinds = first->kinds->len, .measures = first->kinds->len * N_LIMITS };
  guint units = first->units, all = counts.measures + 1;
  G_GNUC_UNUSED g_autofree guint32 *queries = counts.queries = g_new0 (guint32, units * counts.kinds);
  g_autofree gint32 *hits = g_new0 (gint32, 2 * units * counts.measures);
  counts.hits[0] = hits;
  counts.hits[1] = hits + units * counts.measures;
  count (first, 0, &counts);
  count (second, 1, &counts);
  g_autofree double *differences = resample (&counts, units, resamples, seed);
  g_autofree double *a = g_new (double, all), *b = g_new (double, all);
  measure (&counts, units, NULL, (double *[]){ a, b });
  GArray *comparisons = g_array_new (FALSE, FALSE, sizeof (WeftComparison));
  g_array_set_clear_func (comparisons, clear_comparison);
  for (guint m = 0; m < all; m++)
    {
      char *name = m == counts.measures
                       ? g_strdup ("rsum")
                       : g_strdup_printf ("%s_r%u", (const char *) first->kinds->pdata[m / N_LIMITS], limits[m % N_LIMITS]);
      WeftComparison comparison = conclude (name, a[m], b[m], differences + (gsize) m * resamples, resamples, confidence);
      g_array_append_val (comparisons, comparison);
    }
  return comparisons;
}
