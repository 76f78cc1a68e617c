/* recalls: how well images find their captions and captions their images.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "matrix-writer.h"
#include "ranks.h"

typedef struct
{
  gint64 per_image;
  gint64 folds;
  const char *save;
  const char *ranks;
} Recalls;

enum
{
  IMAGES,
  CAPTIONS,
  SIMILARITY,
};

enum
{
  R1,
  R5,
  R10,
  MEDIAN,
  MEAN,
  N_FIGURES,
};

/* Outputs: rsum, then the figures of images, then those of captions. */
#define RSUM 0
#define OF_IMAGES 1
#define OF_CAPTIONS (OF_IMAGES + N_FIGURES)

static void
get_sizes (const WeftCall *call, gint64 *images, gint64 *captions)
{
  *images = call->in[SIMILARITY] ? call->in[SIMILARITY]->shape[0] : call->in[IMAGES]->shape[0];
  *captions = call->in[SIMILARITY] ? call->in[SIMILARITY]->shape[1] : call->in[CAPTIONS]->shape[0];
}

static gsize
recalls_scratch (const WeftCall *call)
{
  gint64 images, captions;
  get_sizes (call, &images, &captions);
  return (gsize) (images + captions) * (2 * sizeof (double) + sizeof (guint32))
         + (call->in[SIMILARITY] ? 0 : ranking_tile_floats (weft_team_size (call)) * sizeof (float));
}

/* Captions per image; 0 after a failure. */
static gint64
captions_per_image (const WeftCall *call, gint64 images, gint64 captions)
{
  const Recalls *attributes = call->attributes;
  if (images == 0 || captions == 0)
    weft_fail (call, "there are %" G_GINT64_FORMAT " images and %" G_GINT64_FORMAT " captions: nothing to rank", images, captions);
  else if (attributes->per_image == 0 && captions % images != 0)
    weft_fail (call, "%" G_GINT64_FORMAT " captions are no multiple of %" G_GINT64_FORMAT " images: which belong to which?", captions,
               images);
  else if (attributes->per_image != 0 && captions != images * attributes->per_image)
    weft_fail (call, "per_image is %" G_GINT64_FORMAT ", but there are %" G_GINT64_FORMAT " captions of %" G_GINT64_FORMAT " images",
               attributes->per_image, captions, images);
  else if (images % attributes->folds != 0)
    weft_fail (call, "%" G_GINT64_FORMAT " images can't be cut into %" G_GINT64_FORMAT " equal folds", images, attributes->folds);
  else
    return captions / images;
  return 0;
}

static gint64
count_below (const guint32 *ranks, gint64 n, gint64 limit)
{
  gint64 count = 0;
  for (gint64 i = 0; i < n; i++)
    count += ranks[i] < limit;
  return count;
}

/* The rank that @k others are not above, found by halving the range of values: nothing is sorted. */
static gint64
order_statistic (const guint32 *ranks, gint64 n, gint64 k)
{
  gint64 low = 0, high = G_MAXUINT32;
  while (low < high)
    {
      gint64 middle = low + (high - low) / 2;
      if (count_below (ranks, n, middle + 1) > k)
        high = middle;
      else
        low = middle + 1;
    }
  return low;
}

/* Adds the figures of one fold, as fractions of @folds. */
static void
add_figures (const guint32 *ranks, gint64 n, gint64 folds, double *figures)
{
  gint64 median = (order_statistic (ranks, n, (n - 1) / 2) + order_statistic (ranks, n, n / 2)) / 2, sum = 0;
  for (gint64 i = 0; i < n; i++)
    sum += ranks[i];
  figures[R1] += 100.0 * (double) count_below (ranks, n, 1) / (double) n / (double) folds;
  figures[R5] += 100.0 * (double) count_below (ranks, n, 5) / (double) n / (double) folds;
  figures[R10] += 100.0 * (double) count_below (ranks, n, 10) / (double) n / (double) folds;
  figures[MEDIAN] += (double) (median + 1) / (double) folds;
  figures[MEAN] += ((double) sum / (double) n + 1) / (double) folds;
}

static gboolean
write_ranks (const WeftCall *call, const char *path, const Ranking *all)
{
  g_autofree char *temporary = g_strconcat (path, ".part", NULL);
  FILE *file = fopen (temporary, "we");
  gboolean ok = file != NULL && fputs ("query,index,rank,unit\n", file) >= 0;
  for (gint64 i = 0; ok && i < all->images; i++)
    ok = fprintf (file, "image,%" G_GINT64_FORMAT ",%u,%" G_GINT64_FORMAT "\n", i, all->image_ranks[i] + 1, i) > 0;
  for (gint64 i = 0; ok && i < all->captions; i++)
    ok = fprintf (file, "caption,%" G_GINT64_FORMAT ",%u,%" G_GINT64_FORMAT "\n", i, all->caption_ranks[i] + 1, i / all->per) > 0;
  int code = errno;
  if (file != NULL && fclose (file) != 0 && ok)
    ok = FALSE, code = errno;
  if (ok && rename (temporary, path) < 0)
    ok = FALSE, code = errno;
  if (!ok)
    {
      weft_fail (call, "%s can't be written: %s", path, g_strerror (code));
      unlink (temporary);
    }
  return ok;
}

/* The whole problem; its memory is cut from the scratch. */
static Ranking
whole (const WeftCall *call, gint64 images, gint64 captions, gint64 per)
{
  gboolean embeddings = call->in[SIMILARITY] == NULL;
  float *tiles = call->scratch;
  double *at = (double *) (tiles + (embeddings ? ranking_tile_floats (weft_team_size (call)) : 0));
  Ranking all = { .images = images, .captions = captions, .per = per, .stride = captions };
  if (!embeddings)
    all.similarity = call->in[SIMILARITY]->data;
  else
    {
      all.tiles = tiles;
      all.image = call->in[IMAGES]->data;
      all.caption = call->in[CAPTIONS]->data;
      all.width = call->in[IMAGES]->shape[1];
    }
  all.best = at;
  all.image_norms = all.best + images;
  all.positive = all.image_norms + images;
  all.caption_norms = all.positive + captions;
  all.image_ranks = (guint32 *) (all.caption_norms + captions);
  all.caption_ranks = all.image_ranks + images;
  return all;
}

static Ranking
fold_of (const Ranking *all, gint64 folds, gint64 fold)
{
  Ranking part = *all;
  part.images = all->images / folds;
  part.captions = part.images * all->per;
  part.first_image = fold * part.images;
  part.first_caption = fold * part.captions;
  if (all->similarity)
    part.similarity += part.first_image * all->stride + part.first_caption;
  else
    {
      part.image += part.first_image * all->width;
      part.caption += part.first_caption * all->width;
    }
  part.image_ranks += part.first_image;
  part.caption_ranks += part.first_caption;
  return part;
}

static void
set_outputs (const WeftCall *call, const double *of_images, const double *of_captions)
{
  double rsum = 0;
  for (guint i = R1; i <= R10; i++)
    rsum += of_images[i] + of_captions[i];
  if (call->out[RSUM])
    *(float *) call->out[RSUM]->data = (float) rsum;
  for (guint i = 0; i < N_FIGURES; i++)
    {
      if (call->out[OF_IMAGES + i])
        *(float *) call->out[OF_IMAGES + i]->data = (float) of_images[i];
      if (call->out[OF_CAPTIONS + i])
        *(float *) call->out[OF_CAPTIONS + i]->data = (float) of_captions[i];
    }
}

static void
recalls_forward (const WeftCall *call)
{
  const Recalls *attributes = call->attributes;
  double of_images[N_FIGURES] = { 0 }, of_captions[N_FIGURES] = { 0 };
  gint64 images, captions;
  get_sizes (call, &images, &captions);
  gint64 per = captions_per_image (call, images, captions);
  if (per == 0)
    return;
  const Ranking all = whole (call, images, captions, per);
  for (gint64 fold = 0; fold < attributes->folds; fold++)
    {
      Ranking part = fold_of (&all, attributes->folds, fold);
      if (!ranking_count (call, &part))
        return;
      add_figures (part.image_ranks, part.images, attributes->folds, of_images);
      add_figures (part.caption_ranks, part.captions, attributes->folds, of_captions);
    }
  set_outputs (call, of_images, of_captions);
  if (attributes->ranks && !write_ranks (call, attributes->ranks, &all))
    return;
  if (attributes->save && call->in[SIMILARITY])
    matrix_write (call, attributes->save, call->in[SIMILARITY]);
  else if (attributes->save)
    matrix_write_products (call, attributes->save, call->in[IMAGES], call->in[CAPTIONS]);
}

static gboolean
recalls_infer (WeftInference *inference, GError **error)
{
  gboolean images = weft_inference_input_count (inference, IMAGES) > 0, captions = weft_inference_input_count (inference, CAPTIONS) > 0;
  gboolean similarity = weft_inference_input_count (inference, SIMILARITY) > 0;
  if (images == captions && images != similarity)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "connect either `images` and `captions`, or `similarity`");
  return FALSE;
}

static const WeftAttribute attributes[] = {
  WEFT_INTEGER (Recalls, per_image, "0", 0, 1000, "captions",
                "captions per image, in order; 0: as many as there are captions for each image"),
  WEFT_INTEGER (Recalls, folds, "1", 1, 1000, "", "equal parts that are ranked on their own; figures are means over them (COCO 1K: 5)"),
  WEFT_WRITTEN_PATH (Recalls, save, "", "`.npy` file for the similarities of all images (rows) and captions"),
  WEFT_WRITTEN_PATH (Recalls, ranks, "",
                     "CSV file for the rank of each query, counted from 1, within its fold, and the number of its image"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "images", .signature = "f32[n, e]", .flags = WEFT_PORT_OPTIONAL, .meaning = "image embeddings" },
  { .name = "captions",
    .signature = "f32[m, e]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "caption embeddings, those of an image one after the other, in the order of the images" },
  { .name = "similarity",
    .signature = "f32[n, m]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "similarities of images (rows) and captions, instead of the products of embeddings" },
  { .name = NULL },
};

#define FIGURE(name_, meaning_)                                                                                                            \
  {                                                                                                                                        \
    .name = name_, .signature = "f32[]", .meaning = meaning_                                                                               \
  }

static const WeftPort outputs[] = {
  { .name = "rsum", .signature = "f32[]", .meaning = "sum of the six recalls" },
  FIGURE ("image_r1", "images with one of their captions first, in per cent"),
  FIGURE ("image_r5", "images with one of their captions among the first five, in per cent"),
  FIGURE ("image_r10", "images with one of their captions among the first ten, in per cent"),
  FIGURE ("image_median", "median rank of an image's best caption, rounded down"),
  FIGURE ("image_mean", "mean rank of an image's best caption"),
  FIGURE ("caption_r1", "captions with their image first, in per cent"),
  FIGURE ("caption_r5", "captions with their image among the first five, in per cent"),
  FIGURE ("caption_r10", "captions with their image among the first ten, in per cent"),
  FIGURE ("caption_median", "median rank of a caption's image, rounded down"),
  FIGURE ("caption_mean", "mean rank of a caption's image"),
  { .name = NULL },
};

static const WeftOperator recalls = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "recalls",
  .version = 1,
  .summary = "Recalls at 1, 5 and 10, median and mean ranks, in both directions",
  .documentation =
      "Image i owns the captions i·k to i·k + k − 1. An image's rank is that of its best caption among the captions of all images, its own "
      "others left out; a caption's rank is that of its image.\n\n"
      "Equal similarities count against the query, so that a collapsed model scores as chance. A similarity that is not finite is an "
      "error. "
      "Similarities of embeddings are decided in double precision. Memory does not grow with the number of pairs.",
  .source = "Karpathy and Fei-Fei, CVPR 2015, section 4.1; folds as in Faghri et al., VSE++ (BMVC 2018)",
  .attributes_size = sizeof (Recalls),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = recalls_forward,
  .not_differentiable = "ranks are steps; train with a loss",
  .infer = recalls_infer,
  .scratch = recalls_scratch,
  .effect = TRUE,
  .example = "images: {op: feed, signature: \"f32[3, 5]\"}\n"
             "captions: {op: feed, signature: \"f32[6, 5]\"}\n"
             "recalls: {op: recalls, images: images, captions: captions}\n",
};
WEFT_OPERATOR (recalls);
