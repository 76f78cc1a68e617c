/* Regions from bottom-up-attention's TSV dumps.
 *
 * Format: github.com/peteranderson80/bottom-up-attention, tools/generate_tsv.py: one image a line, fields image_id, image_w, image_h,
 * num_boxes, boxes, features; the last two are base64 of little-endian float32, [num_boxes, 4] (x1, y1, x2, y2 in pixels) and
 * [num_boxes, D].
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * ButdResult:
 * @images, @regions, @width: how many of each were written; the width with geometry
 * @repeats: lines left out since their image had come before
 * @even: whether all images have the same number of regions
 */
typedef struct
{
  gint64 images, regions, width, repeats;
  gboolean even;
} ButdResult;

/**
 * butd_convert:
 * @paths: (array zero-terminated=1): TSV files, read one after the other
 * @ids: (nullable): a file of image ids, one a line: the images to write, in this order; default: all in the order of the files
 * @prefix: writes `PREFIX_ims.npy` [images, regions, D], or, where numbers of regions differ, [all regions, D] and `PREFIX_counts.npy`;
 *   and `PREFIX_ids.txt`
 * @geometry: append to each region x1/w, y1/h, x2/w, y2/h and the share of the picture that it covers
 *
 * Holds one image in memory at a time. Nothing is left behind after an error.
 */
gboolean butd_convert (const char *const *paths, const char *ids, const char *prefix, gboolean geometry, ButdResult *result,
                       GError **error);

G_END_DECLS
