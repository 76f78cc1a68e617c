/* Pillow's bicubic resampling.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * Resampling:
 * @width, @height: of what is resampled
 * @to_width, @to_height: of the whole result
 * @left, @top, @side: the square of the result that is computed
 */
typedef struct
{
  int width, height, to_width, to_height, left, top, side;
} Resampling;

/**
 * resample:
 * @rgb: @height lines of @width pixels of 3 bytes
 * @out: room for @side lines of @side pixels
 *
 * Bicubic (a = −1/2) with antialiasing: when a picture is made smaller, the kernel is stretched by the ratio. Columns first, then lines,
 * each rounded to 8 bits, with weights of 22 fractional bits, so that results are those of Pillow's Image.resize() with BICUBIC.
 */
void resample (const Resampling *plan, const guint8 *rgb, guint8 *out);

G_END_DECLS
