/* The files of one split of a data set in SCAN layout, opened and held against what the pipeline declares.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

/**
 * RegionLayout:
 * @folder: the data set's folder; files lie in it or in its `precomp/`
 * @split: train, dev, test, testall, …
 * @captions_per_image: 0 to find it out from the counts of rows and captions
 * @regions: greatest number of regions that an image may have
 * @width, @clip_width: sizes of a region vector and of an image's global embedding
 * @limit: greatest number of images to use, 0 for all
 * @first_captions: greatest number of captions to use, 0 for all
 * @caption_bytes: greatest length of a caption
 * @need_features, @need_clip, @need_captions: what is read at all; other files need not exist
 *
 * What a pipeline says about a data set.
 */
typedef struct
{
  const char *folder, *split;
  gint64 captions_per_image, regions, width, clip_width, limit, first_captions, caption_bytes;
  gboolean need_features, need_clip, need_captions;
} RegionLayout;

/**
 * RegionFiles:
 * @features: `*_ims.npy`: `[N, R, D]`, `[N, H, W, D]` (grids), or `[T, D]` with counts; %NULL if not needed
 * @counts: (nullable): regions of each row of @features, from `*_counts.npy`
 * @starts: (nullable): for `[T, D]`, the first region of each row
 * @clip: (nullable): `*_clip.npy`, `[N, C]`
 * @captions: (nullable): `*_caps.txt`
 * @regions: regions of each row if @counts is %NULL
 * @rows_per_image, @clip_rows_per_image: 1, or @captions_per_image if the file repeats an image's rows for each of its captions
 * @images, @n_captions: how many are used
 */
typedef struct
{
  char *features_path, *captions_path, *clip_path;
  WeftNpy *features;
  gint32 *counts;
  gint64 *starts;
  WeftNpy *clip;
  WeftLineFile *captions;
  gint64 regions, width, clip_width;
  gint64 rows_per_image, clip_rows_per_image, captions_per_image;
  gint64 images, n_captions;
} RegionFiles;

RegionFiles *region_files_open (const RegionLayout *layout, GError **error);
void region_files_close (RegionFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RegionFiles, region_files_close)

/* Number of regions of an image. */
gint64 region_files_count (const RegionFiles *files, gint64 image);

/* Bytes of buffer that reading wants. */
gsize region_files_buffer (const RegionFiles *files);

/**
 * region_files_read:
 * @regions: room for the image's regions, as float32
 * @buffer: room for a row of the file as it is stored: region_files_buffer() bytes
 *
 * Reads one image's regions. Values that are not finite are an error that names the image.
 */
gboolean region_files_read (const RegionFiles *files, gint64 image, float *regions, gpointer buffer, GError **error);

/* The same for the image's global embedding. */
gboolean region_files_read_clip (const RegionFiles *files, gint64 image, float *clip, gpointer buffer, GError **error);

G_END_DECLS
