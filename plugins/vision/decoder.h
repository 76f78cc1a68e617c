/* libvips, loaded when the first photograph is wanted: it and what it needs take a quarter of a second to load, which programs that
 * see no photographs need not wait for.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * DecodedPicture:
 * @rgb: 8 bits each of red, green and blue, line by line; free with g_free
 * @width, @height: of @rgb
 * @full_width, @full_height: of the picture as it is stored, turned upright; larger if it was shrunk while it was decoded
 */
typedef struct
{
  guint8 *rgb;
  int width, height, full_width, full_height;
} DecodedPicture;

/**
 * DecoderLimits:
 * @most_pixels: pictures of more are refused before they are decoded
 * @least_side: JPEG pictures may be shrunk by 2, 4 or 8 while they are decoded as long as the shorter side stays at least this; 0: never
 */
typedef struct
{
  gint64 most_pixels, least_side;
} DecoderLimits;

/* Loads the library; fails with what to do about it if it is missing. To be called before the other function, by any thread. */
gboolean decoder_start (GError **error);

/* Decodes JPEG, PNG, WebP or TIFF, the first page, and turns it upright. Nothing else is tried, whatever the library knows. Thread-safe. */
gboolean decoder_decode (gconstpointer data, gsize length, const DecoderLimits *limits, DecodedPicture *picture, GError **error);

/* For `weft info`. */
char *decoder_report (void);

G_END_DECLS
