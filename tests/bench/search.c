/* search [ROWS [WIDTH]]: exact search over generated embeddings, as lines of JSON: for one query and for 64, beside one matrix product of the
 * same size over the float32 rows in memory, and the time that reading them once takes. Writes the index into the current folder and
 * leaves it there for other programs: index/images.npy, queries.npy.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../plugins/search/index-writer.h"
#include "../../plugins/search/nearest.h"
#include "npy.h"
#include "registry.h"
#include "team.h"

#define QUERIES 64
#define K 10
#define ROUNDS 5
#define BLOCK 4096

static double
seconds (void)
{
  return (double) g_get_monotonic_time () / 1e6;
}

/* Rows of length 1. */
static void
fill (const char *name, gint64 first, gint64 rows, gint64 width, float *values)
{
  WeftRandom random = weft_random_for (1, name, (guint64) first);
  for (gint64 i = 0; i < rows; i++)
    {
      double sum = 0;
      for (gint64 k = 0; k < width; k++)
        {
          values[i * width + k] = weft_random_normal (random, (guint32) (i * width + k));
          sum += (double) values[i * width + k] * (double) values[i * width + k];
        }
      for (gint64 k = 0; k < width; k++)
        values[i * width + k] = (float) ((double) values[i * width + k] / sqrt (sum));
    }
}

static gboolean
write_index (const char *path, gint64 rows, gint64 width, Scan scan, GError **error)
{
  g_autoptr (IndexWriter) writer = index_writer_open (path, "none", NULL, scan, error);
  g_autofree float *block = g_new (float, BLOCK *width);
  if (!writer || !index_writer_begin_side (writer, "images", FALSE, error))
    return FALSE;
  for (gint64 first = 0; first < rows; first += BLOCK)
    {
      gint64 n = MIN (BLOCK, rows - first);
      fill ("rows", first, n, width, block);
      if (!index_writer_append (writer, block, n, width, error))
        return FALSE;
    }
  return index_writer_end_side (writer, error) && index_writer_finish (writer, error);
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static void
report (const char *what, const char *scan, guint queries, double *times)
{
  qsort (times, ROUNDS, sizeof *times, compare_doubles);
  printf ("{\"what\": \"%s\", \"scan\": \"%s\", \"queries\": %u, \"median_seconds\": %.4f, \"least_seconds\": %.4f}\n", what, scan, queries,
          times[ROUNDS / 2], times[0]);
  fflush (stdout);
}

typedef struct
{
  const Side *side;
  const float *queries;
  float *scores;
} Product;

static void
product_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Product *product = data;
  gint64 width = product->side->width, first = index * BLOCK, n = MIN (BLOCK, product->side->rows - first);
  weft_matrix_product_here (FALSE, TRUE, n, QUERIES, width, 1.0f, (const float *) product->side->exact.data + first * width, width,
                            product->queries, width, 0.0f, product->scores + first * QUERIES, QUERIES);
}

static void
measure_product (const Side *side, const float *queries, WeftTeam *team)
{
  g_autofree float *scores = g_new (float, side->rows *QUERIES);
  Product product = { side, queries, scores };
  double times[ROUNDS];
  for (guint round = 0; round < ROUNDS; round++)
    {
      double begin = seconds ();
      weft_team_run (team, (side->rows + BLOCK - 1) / BLOCK, product_tile, &product);
      times[round] = seconds () - begin;
    }
  report ("matrix product", "float32", QUERIES, times);
}

static void
measure_search (const Side *side, const float *queries)
{
  static const guint numbers[] = { 1, QUERIES };
  g_autofree Hit *hits = g_new (Hit, QUERIES * K);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      double times[ROUNDS];
      for (guint round = 0; round < ROUNDS; round++)
        {
          double begin = seconds ();
          nearest_find (side, queries, numbers[i], K, 0, hits);
          times[round] = seconds () - begin;
        }
      report ("search", scan_names[side->scan], numbers[i], times);
    }
}

int
main (int argc, char **argv)
{
  gint64 rows = argc > 1 ? g_ascii_strtoll (argv[1], NULL, 10) : 1000000, width = argc > 2 ? g_ascii_strtoll (argv[2], NULL, 10) : 1024;
  g_autofree float *queries = g_new (float, QUERIES *width);
  g_autoptr (GError) error = NULL;
  weft_registry_load (NULL);
  g_autoptr (WeftTeam) team = weft_team_new (0, &error);
  fill ("queries", 0, QUERIES, width, queries);
  const WeftTensor saved = { .type = WEFT_F32, .rank = 2, .shape = { QUERIES, width }, .data = queries };
  gboolean ok = team && weft_npy_write ("queries.npy", &saved, &error);
  for (Scan scan = SCAN_FLOAT32; ok && scan <= SCAN_INT8; scan++)
    {
      g_autoptr (Index) index = write_index ("index", rows, width, scan, &error) ? index_open ("index", &error) : NULL;
      ok = index != NULL;
      if (ok && scan == SCAN_FLOAT32)
        measure_product (index->sides->pdata[0], queries, team);
      if (ok)
        measure_search (index->sides->pdata[0], queries);
    }
  if (!ok)
    fprintf (stderr, "%s\n", error->message);
  return ok ? 0 : 1;
}
