/* CLIP's preprocessing of one photograph.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "picture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <weft/operator.h>

#include "resample.h"

#define MOST_BYTES (256 << 20)

/* Of the pictures that CLIP was trained with, in units of the full range. */
static const double mean[3] = { 0.48145466, 0.4578275, 0.40821073 };
static const double deviation[3] = { 0.26862954, 0.26130258, 0.27577711 };

char *
picture_read (const char *path, gsize *length, GError **error)
{
  GStatBuf status;
  g_autoptr (GError) reason = NULL;
  char *data = NULL;
  if (g_stat (path, &status) != 0)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %s", path, g_strerror (errno));
  else if (!S_ISREG (status.st_mode) || status.st_size > MOST_BYTES)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: is no file of at most 256 MiB", path);
  else if (!g_file_get_contents (path, &data, length, &reason))
    g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_INPUT, reason->message);
  return data;
}

/* Half of what is over, as Python rounds it: to even. */
static int
middle (int over)
{
  return over / 2 + (over % 2 != 0 && over / 2 % 2 != 0);
}

gboolean
picture_prepare (const char *path, gconstpointer data, gsize length, const PictureSettings *settings, float *pixels, GError **error)
{
  DecodedPicture picture = { 0 };
  int size = settings->size;
  if (!decoder_decode (data, length, &settings->limits, &picture, error))
    {
      g_prefix_error (error, "%s: ", path);
      return FALSE;
    }
  g_autofree guint8 *rgb = picture.rgb, *square = g_malloc ((gsize) size * (gsize) size * 3);
  int shorter = MIN (picture.full_width, picture.full_height), longer = MAX (picture.full_width, picture.full_height);
  gint64 other = (gint64) size * longer / shorter;
  if (other > 1 << 24)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: is a line of %d × %d pixels, of which no square can be made", path,
                   picture.full_width, picture.full_height);
      return FALSE;
    }
  gboolean upright = picture.full_width <= picture.full_height;
  Resampling plan = { .width = picture.width,
                      .height = picture.height,
                      .to_width = upright ? size : (int) other,
                      .to_height = upright ? (int) other : size,
                      .side = size };
  plan.left = middle (plan.to_width - size);
  plan.top = middle (plan.to_height - size);
  resample (&plan, rgb, square);
  for (int c = 0; c < 3; c++)
    {
      float factor = (float) (1 / (255 * deviation[c])), offset = (float) (-mean[c] / deviation[c]);
      for (int i = 0; i < size * size; i++)
        pixels[c * size * size + i] = (float) square[i * 3 + c] * factor + offset;
    }
  return TRUE;
}
