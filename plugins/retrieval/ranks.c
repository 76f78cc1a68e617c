/* Ranks by counting over tiles of the similarity matrix.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "ranks.h"

#include <weft/dispatch.h>

#include <float.h>
#include <math.h>
#include <string.h>

#define TILE_IMAGES 512
#define TILE_CAPTIONS 512
#define TILE_ROWS 256 /* of embeddings, for norms and positives */
#define BLOCK 64      /* captions that are compared at once */

typedef struct
{
  const WeftCall *call;
  Ranking *ranking;
  double error;      /* relative to both norms, bounds the difference between a float32 product and the exact one */
  gint64 bad;        /* least image * captions + caption whose similarity is not finite, or the least row while norms are taken */
  gboolean captions; /* whose norms are taken */
} Work;

static void
note_bad (Work *work, gint64 where)
{
  gint64 seen = __atomic_load_n (&work->bad, __ATOMIC_RELAXED);
  while (where < seen && !__atomic_compare_exchange_n (&work->bad, &seen, where, FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
}

/* Sums of every eighth number, in two registers: what the compiler makes of an array goes through memory. */
typedef double Sums __attribute__ ((vector_size (64)));
typedef float Numbers __attribute__ ((vector_size (32)));
#define SUMS ((gint64) (sizeof (Sums) / sizeof (double)))

#define LOAD_DOUBLES(x)                                                                                                                    \
  ({                                                                                                                                       \
    Numbers numbers;                                                                                                                       \
    memcpy (&numbers, x, sizeof numbers);                                                                                                  \
    __builtin_convertvector(numbers, Sums);                                                                                                \
  })
/* Numbers that are fetched ahead. */
#define AHEAD 256

WEFT_LOOP double
product_loop (const float *x, const float *y, gint64 n)
{
  Sums even = { 0 }, odd = { 0 };
  gint64 i = 0;
  for (; i + 2 * SUMS <= n; i += 2 * SUMS)
    {
      __builtin_prefetch (x + i + AHEAD);
      __builtin_prefetch (y + i + AHEAD);
      even += LOAD_DOUBLES (x + i) * LOAD_DOUBLES (y + i);
      odd += LOAD_DOUBLES (x + i + SUMS) * LOAD_DOUBLES (y + i + SUMS);
    }
  even += odd;
  double sum = ((even[0] + even[4]) + (even[2] + even[6])) + ((even[1] + even[5]) + (even[3] + even[7]));
  for (; i < n; i++)
    sum += (double) x[i] * (double) y[i];
  return sum;
}
WEFT_DISPATCH (double, dispatched_product, product_loop, (const float *x, const float *y, gint64 n), (x, y, n))

/* The one place where a pair is multiplied in double precision: equal rows give equal sums. */
static G_GNUC_NO_INLINE double
product (const float *x, const float *y, gint64 n)
{
  return dispatched_product (x, y, n);
}

static void
norms_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  Work *work = data;
  const Ranking *ranking = work->ranking;
  gint64 rows = work->captions ? ranking->captions : ranking->images, width = ranking->width;
  const float *embeddings = work->captions ? ranking->caption : ranking->image;
  double *norms = work->captions ? ranking->caption_norms : ranking->image_norms;
  for (gint64 i = index * TILE_ROWS; i < MIN (rows, (index + 1) * TILE_ROWS); i++)
    {
      const float *row = embeddings + i * width;
      norms[i] = sqrt (product (row, row, width));
      if (!isfinite (norms[i])) /* squares of finite floats don't overflow a double */
        note_bad (work, i);
    }
}

static gboolean
take_norms (Work *work, gboolean captions)
{
  const Ranking *ranking = work->ranking;
  gint64 rows = captions ? ranking->captions : ranking->images;
  work->captions = captions;
  work->bad = G_MAXINT64;
  weft_parallel (work->call, (rows + TILE_ROWS - 1) / TILE_ROWS, norms_tile, work);
  if (work->bad == G_MAXINT64)
    return TRUE;
  weft_fail (work->call, "the embedding of %s %" G_GINT64_FORMAT " is not finite: the model diverged or its input holds such values",
             captions ? "caption" : "image", work->bad + (captions ? ranking->first_caption : ranking->first_image));
  return FALSE;
}

static double
exact_similarity (const Ranking *ranking, gint64 image, gint64 caption)
{
  if (ranking->similarity != NULL)
    return (double) ranking->similarity[image * ranking->stride + caption];
  return product (ranking->image + image * ranking->width, ranking->caption + caption * ranking->width, ranking->width);
}

static void
positives_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  Work *work = data;
  Ranking *ranking = work->ranking;
  for (gint64 i = index * TILE_ROWS; i < MIN (ranking->images, (index + 1) * TILE_ROWS); i++)
    {
      ranking->best[i] = -INFINITY;
      for (gint64 c = i * ranking->per; c < (i + 1) * ranking->per; c++)
        {
          double similarity = exact_similarity (ranking, i, c);
          ranking->positive[c] = similarity;
          ranking->best[i] = MAX (ranking->best[i], similarity);
          if (!(fabs (similarity) <= FLT_MAX))
            note_bad (work, i * ranking->captions + c);
        }
    }
}

/* Whether @similarity, known up to @error, is at least @threshold: 1, 0, or -1 if the error decides. */
static inline int
at_least (double similarity, double threshold, double error)
{
  double difference = similarity - threshold;
  return difference > error ? 1 : difference >= -error ? -1 : 0;
}

typedef struct
{
  const float *values; /* similarities of the tile */
  gint64 stride;
  gint64 first, n;               /* captions */
  guint32 better[TILE_CAPTIONS]; /* images seen so far that come before each caption's own */
} Tile;

/* One image against up to BLOCK captions. Returns for how many the error could decide, or the similarity is not finite: these are noted and not
 * counted, since one has to look closer. */
WEFT_LOOP guint32
compare_loop (gint64 n, const float *row, const double *norms, const double *positive, double best, double scale, guint32 *for_image,
              guint32 *for_captions, guint32 *unsure)
{
  guint32 better = 0, left = 0;
  for (gint64 k = 0; k < n; k++)
    {
      double similarity = (double) row[k], error = norms ? scale * norms[k] : 0;
      double by_image = similarity - best, by_caption = similarity - positive[k];
      guint32 sure = (fabs (by_image) > error) & (fabs (by_caption) > error) & (fabs (similarity) <= (double) FLT_MAX);
      unsure[k] = 1 - sure;
      left += 1 - sure;
      better += sure & (by_image > error);
      for_captions[k] += sure & (by_caption > error);
    }
  *for_image += better;
  return left;
}
WEFT_DISPATCH (guint32, compare_block, compare_loop,
               (gint64 n, const float *row, const double *norms, const double *positive, double best, double scale, guint32 *for_image,
                guint32 *for_captions, guint32 *unsure),
               (n, row, norms, positive, best, scale, for_image, for_captions, unsure))

/* The same, one by one; the image's own captions are passed over. */
static guint32
count_closely (Work *work, Tile *tile, gint64 image, const float *row, gint64 from, gint64 to)
{
  const Ranking *ranking = work->ranking;
  double best = ranking->best[image], scale = ranking->similarity ? 0 : work->error * ranking->image_norms[image];
  gint64 own = image * ranking->per, own_end = own + ranking->per;
  guint32 better = 0;
  for (gint64 k = from; k < to; k++)
    {
      gint64 caption = tile->first + k;
      double similarity = (double) row[k], error = scale > 0 ? scale * ranking->caption_norms[caption] : 0;
      if (!isfinite (row[k]))
        note_bad (work, image * ranking->captions + caption);
      if (caption >= own && caption < own_end)
        continue;
      int for_image = at_least (similarity, best, error), for_caption = at_least (similarity, ranking->positive[caption], error);
      if (for_image < 0 || for_caption < 0)
        {
          similarity = exact_similarity (ranking, image, caption);
          for_image = similarity >= best;
          for_caption = similarity >= ranking->positive[caption];
        }
      better += (guint32) for_image;
      tile->better[k] += (guint32) for_caption;
    }
  return better;
}

/* One image against a tile's captions; returns how many of them come before its own. */
static guint32
count_row (Work *work, Tile *tile, gint64 image, const float *row)
{
  const Ranking *ranking = work->ranking;
  double best = ranking->best[image], scale = ranking->similarity ? 0 : work->error * ranking->image_norms[image];
  gint64 own = image * ranking->per - tile->first, own_end = own + ranking->per;
  guint32 better = 0;
  for (gint64 k = 0; k < tile->n; k += BLOCK)
    {
      gint64 n = MIN (BLOCK, tile->n - k), first = tile->first + k;
      guint32 unsure[BLOCK], left;
      if (own < k + n && own_end > k)
        {
          better += count_closely (work, tile, image, row, k, k + n);
          continue;
        }
      left = compare_block (n, row + k, scale > 0 ? ranking->caption_norms + first : NULL, ranking->positive + first, best, scale, &better,
                            tile->better + k, unsure);
      for (gint64 i = 0; left > 0; i++)
        if (unsure[i])
          {
            better += count_closely (work, tile, image, row, k + i, k + i + 1);
            left--;
          }
    }
  return better;
}

/* Counts are integers: the order in which tiles add them does not matter. */
static void
add_count (guint32 *ranks, guint32 count)
{
  if (count > 0)
    __atomic_fetch_add (ranks, count, __ATOMIC_RELAXED);
}

/* Some captions against some images. */
static void
count_tile (gpointer data, gint64 index, guint member)
{
  Work *work = data;
  Ranking *ranking = work->ranking;
  gint64 columns = (ranking->captions + TILE_CAPTIONS - 1) / TILE_CAPTIONS, stride = ranking->stride;
  gint64 first = index / columns * TILE_IMAGES, n = MIN (TILE_IMAGES, ranking->images - first);
  Tile tile = { .first = index % columns * TILE_CAPTIONS };
  const float *rows;
  tile.n = MIN (TILE_CAPTIONS, ranking->captions - tile.first);
  if (ranking->similarity != NULL)
    rows = ranking->similarity + first * stride + tile.first;
  else
    {
      float *memory = ranking->tiles + (gsize) member * TILE_IMAGES * TILE_CAPTIONS;
      weft_matrix_product_here (FALSE, TRUE, n, tile.n, ranking->width, 1.0f, ranking->image + first * ranking->width, ranking->width,
                                ranking->caption + tile.first * ranking->width, ranking->width, 0.0f, memory, TILE_CAPTIONS);
      rows = memory;
      stride = TILE_CAPTIONS;
    }
  for (gint64 i = 0; i < n; i++)
    add_count (&ranking->image_ranks[first + i], count_row (work, &tile, first + i, rows + i * stride));
  for (gint64 k = 0; k < tile.n; k++)
    add_count (&ranking->caption_ranks[tile.first + k], tile.better[k]);
}

gsize
ranking_tile_floats (guint members)
{
  return (gsize) members * TILE_IMAGES * TILE_CAPTIONS;
}

static gboolean
all_finite (const Work *work)
{
  const Ranking *ranking = work->ranking;
  if (work->bad == G_MAXINT64)
    return TRUE;
  weft_fail (work->call, "the similarity of image %" G_GINT64_FORMAT " and caption %" G_GINT64_FORMAT " is not finite",
             work->bad / ranking->captions + ranking->first_image, work->bad % ranking->captions + ranking->first_caption);
  return FALSE;
}

gboolean
ranking_count (const WeftCall *call, Ranking *ranking)
{
  /* Higham, Accuracy and Stability of Numerical Algorithms, 3.1: γ_n = n u / (1 − n u), u = 2⁻²⁴, in any order of summation; doubled,
   * which covers the double sums and the norms. Products that underflow come on top of that. */
  double rounding = (double) (ranking->width + 2) * 0x1p-24;
  Work work = { .call = call, .ranking = ranking, .error = 2 * rounding / (1 - MIN (rounding, 0.5)) };
  memset (ranking->image_ranks, 0, (gsize) ranking->images * sizeof (guint32));
  memset (ranking->caption_ranks, 0, (gsize) ranking->captions * sizeof (guint32));
  if (ranking->similarity == NULL && (!take_norms (&work, FALSE) || !take_norms (&work, TRUE)))
    return FALSE;
  work.bad = G_MAXINT64;
  weft_parallel (call, (ranking->images + TILE_ROWS - 1) / TILE_ROWS, positives_tile, &work);
  if (!all_finite (&work))
    return FALSE;
  weft_parallel (call, (ranking->images + TILE_IMAGES - 1) / TILE_IMAGES * ((ranking->captions + TILE_CAPTIONS - 1) / TILE_CAPTIONS),
                 count_tile, &work);
  return all_finite (&work);
}
