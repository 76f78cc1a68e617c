/* One photograph, from its file to numbers.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

#include "decoder.h"

G_BEGIN_DECLS

#define PICTURE_DIGEST 32

/**
 * PictureSettings:
 * @size: side of the square that is cut from the middle once the shorter side was made as long
 * @limits: what is refused
 */
typedef struct
{
  int size;
  DecoderLimits limits;
} PictureSettings;

/* A photograph's bytes. Only regular files of at most 256 MiB are read. */
char *picture_read (const char *path, gsize *length, GError **error);

/**
 * picture_prepare:
 * @path: for messages
 * @pixels: (out caller-allocates): room for 3 × size × size numbers, channel by channel
 *
 * CLIP's preprocessing: Pillow's bicubic resampling of the shorter side to @size, the middle square, then (x / 255 − mean) / deviation
 * for each channel.
 */
gboolean picture_prepare (const char *path, gconstpointer data, gsize length, const PictureSettings *settings, float *pixels,
                          GError **error);

G_END_DECLS
