/* Ranks of matching images and captions among all, without ever holding all similarities.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

/**
 * Ranking:
 * @images, @captions: numbers of rows; caption c belongs to image c / @per
 * @first_image, @first_caption: what to add to row numbers in messages
 * @width: of embeddings
 * @image, @caption: embeddings; %NULL when @similarity is given
 * @similarity: (nullable): [images, captions], rows @stride apart
 * @image_ranks, @caption_ranks: (out): how many others come before the best caption of each image, and the image of each caption
 * @tiles: memory of ranking_tile_floats()
 * @positive, @best, @image_norms, @caption_norms: memory, one entry per caption, image, image, caption
 */
typedef struct
{
  gint64 images, captions, first_image, first_caption, width, per, stride;
  const float *image, *caption, *similarity;
  guint32 *image_ranks, *caption_ranks;
  double *positive, *best, *image_norms, *caption_norms;
  float *tiles;
} Ranking;

/* Floats that @members members of the team need for their tiles of similarities. */
gsize ranking_tile_floats (guint members);

/**
 * ranking_count:
 *
 * An item that is exactly as similar as the right one counts as better, so that a collapsed model scores as chance. Other captions of an
 * image never count against it. Similarities of embeddings are sums in double precision wherever single precision could decide
 * wrongly.
 *
 * Returns: %FALSE after weft_fail(): a similarity is not finite
 */
gboolean ranking_count (const WeftCall *call, Ranking *ranking);

G_END_DECLS
