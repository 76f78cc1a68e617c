/* Decoding with libvips.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "decoder.h"

#include <gmodule.h>
#include <string.h>
#include <vips/vips.h>
#include <weft/operator.h>

/* What is used of the library. */
#define FUNCTIONS(X)                                                                                                                       \
  X (vips_init)                                                                                                                            \
  X (vips_version_string)                                                                                                                  \
  X (vips_concurrency_set)                                                                                                                 \
  X (vips_cache_set_max)                                                                                                                   \
  X (vips_error_buffer_copy)                                                                                                               \
  X (vips_jpegload_buffer)                                                                                                                 \
  X (vips_pngload_buffer)                                                                                                                  \
  X (vips_webpload_buffer)                                                                                                                 \
  X (vips_tiffload_buffer)                                                                                                                 \
  X (vips_image_get_width)                                                                                                                 \
  X (vips_image_get_height)                                                                                                                \
  X (vips_image_get_bands)                                                                                                                 \
  X (vips_image_get_format)                                                                                                                \
  X (vips_image_get_interpretation)                                                                                                        \
  X (vips_image_get_orientation)                                                                                                           \
  X (vips_image_copy_memory)                                                                                                               \
  X (vips_image_write_to_memory)                                                                                                           \
  X (vips_autorot)                                                                                                                         \
  X (vips_colourspace)                                                                                                                     \
  X (vips_extract_band)                                                                                                                    \
  X (vips_cast)

#define MEMBER(name) __typeof__ (&name) name;
#define NAME(name) #name,

static struct
{
  FUNCTIONS (MEMBER)
} vips;

static const char *const names[] = { FUNCTIONS (NAME) };

/* One interface since 2013. */
static const char *const libraries[] = { "libvips.so.42", "libvips.42.dylib", "libvips.so" };

typedef enum
{
  JPEG,
  PNG,
  WEBP,
  TIFF,
  UNKNOWN,
} Format;

static void
be_silent (const char *domain G_GNUC_UNUSED, GLogLevelFlags level G_GNUC_UNUSED, const char *message G_GNUC_UNUSED,
           gpointer data G_GNUC_UNUSED)
{
}

static char *
load (void)
{
  GModule *module = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (libraries) && module == NULL; i++)
    module = g_module_open (libraries[i], G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
  if (module == NULL)
    return g_strdup_printf ("libvips, with which photographs are decoded, can't be loaded: %s; install it (Debian: libvips42)",
                            g_module_error ());
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      gpointer symbol;
      if (!g_module_symbol (module, names[i], &symbol))
        return g_strdup_printf ("%s has no %s; libvips 8.12 or newer is needed", g_module_name (module), names[i]);
      memcpy ((char *) &vips + i * sizeof symbol, &symbol, sizeof symbol);
    }
  /* Its types are registered for good. */
  g_module_make_resident (module);
  /* What it warns of stands in errors too. */
  g_log_set_handler ("VIPS", G_LOG_LEVEL_WARNING, be_silent, NULL);
  if (vips.vips_init ("weft") != 0)
    return g_strdup ("libvips can't be started");
  /* Pictures are decoded beside each other; within one there is nothing to gain. Each is seen once. */
  vips.vips_concurrency_set (1);
  vips.vips_cache_set_max (0);
  return NULL;
}

gboolean
decoder_start (GError **error)
{
  static gsize once;
  static char *reason;
  if (g_once_init_enter (&once))
    {
      reason = load ();
      g_once_init_leave (&once, 1);
    }
  if (reason == NULL)
    return TRUE;
  g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, reason);
  return FALSE;
}

char *
decoder_report (void)
{
  return g_strdup_printf ("photographs are decoded by libvips (built with %s), loaded when it is needed", VIPS_VERSION);
}

static Format
recognise (const guint8 *data, gsize length)
{
  if (length >= 3 && memcmp (data, "\xff\xd8\xff", 3) == 0)
    return JPEG;
  if (length >= 8 && memcmp (data, "\x89PNG\r\n\x1a\n", 8) == 0)
    return PNG;
  if (length >= 12 && memcmp (data, "RIFF", 4) == 0 && memcmp (data + 8, "WEBP", 4) == 0)
    return WEBP;
  if (length >= 4 && (memcmp (data, "II*\0", 4) == 0 || memcmp (data, "MM\0*", 4) == 0))
    return TIFF;
  return UNKNOWN;
}

static VipsImage *
open_buffer (Format format, gconstpointer data, gsize length, int shrink)
{
  VipsImage *image = NULL;
  void *bytes = (void *) data;
  int failed = 1;
  switch (format)
    {
    case JPEG:
      failed = vips.vips_jpegload_buffer (bytes, length, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, "shrink",
                                          shrink, NULL);
      break;
    case PNG:
      failed = vips.vips_pngload_buffer (bytes, length, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL);
      break;
    case WEBP:
      failed = vips.vips_webpload_buffer (bytes, length, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL);
      break;
    case TIFF:
      failed = vips.vips_tiffload_buffer (bytes, length, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL);
      break;
    case UNKNOWN:
      break;
    }
  return failed ? NULL : image;
}

/* Replaces *@image by the result of a step, if the step succeeded. */
static gboolean
replace (VipsImage **image, int failed, VipsImage *const *next)
{
  if (failed)
    return FALSE;
  g_object_unref (*image);
  *image = *next;
  return TRUE;
}

/* Upright, in 8 bits of red, green and blue. Transparency is left out, not laid on a colour, as Pillow does. */
static gboolean
make_rgb (VipsImage **image)
{
  VipsImage *next = NULL;
  if (vips.vips_image_get_orientation (*image) > 1)
    {
      next = vips.vips_image_copy_memory (*image);
      if (!replace (image, next == NULL, &next) || !replace (image, vips.vips_autorot (*image, &next, NULL), &next))
        return FALSE;
    }
  if (vips.vips_image_get_interpretation (*image) != VIPS_INTERPRETATION_sRGB
      && !replace (image, vips.vips_colourspace (*image, &next, VIPS_INTERPRETATION_sRGB, NULL), &next))
    return FALSE;
  if (vips.vips_image_get_bands (*image) > 3 && !replace (image, vips.vips_extract_band (*image, &next, 0, "n", 3, NULL), &next))
    return FALSE;
  if (vips.vips_image_get_format (*image) != VIPS_FORMAT_UCHAR
      && !replace (image, vips.vips_cast (*image, &next, VIPS_FORMAT_UCHAR, NULL), &next))
    return FALSE;
  return vips.vips_image_get_bands (*image) == 3;
}

static void
set_reason (GError **error)
{
  g_autofree char *reason = vips.vips_error_buffer_copy ();
  g_strdelimit (g_strchomp (reason), "\n", ';');
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "cannot be decoded: %s",
               *reason ? reason : "it is damaged, or its colours are not known");
}

static gboolean
turned (VipsImage *image)
{
  return vips.vips_image_get_orientation (image) >= 5;
}

/* The factor by which a JPEG is to be shrunk. */
static int
shrink_of (const DecodedPicture *picture, const DecoderLimits *limits)
{
  int shrink = 8;
  while (shrink > 1 && (limits->least_side == 0 || MIN (picture->full_width, picture->full_height) / shrink < limits->least_side))
    shrink /= 2;
  return shrink;
}

gboolean
decoder_decode (gconstpointer data, gsize length, const DecoderLimits *limits, DecodedPicture *picture, GError **error)
{
  Format format = recognise (data, length);
  if (format == UNKNOWN)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "is no JPEG, PNG, WebP or TIFF picture");
      return FALSE;
    }
  VipsImage *image = open_buffer (format, data, length, 1);
  if (image == NULL)
    {
      set_reason (error);
      return FALSE;
    }
  gint64 width = vips.vips_image_get_width (image), height = vips.vips_image_get_height (image);
  if (width * height > limits->most_pixels)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "has %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT " pixels, more than %" G_GINT64_FORMAT "; set most_pixels if it is meant",
                   width, height, limits->most_pixels);
      g_object_unref (image);
      return FALSE;
    }
  gboolean across = turned (image);
  picture->full_width = (int) (across ? height : width);
  picture->full_height = (int) (across ? width : height);
  int shrink = format == JPEG ? shrink_of (picture, limits) : 1;
  if (shrink > 1)
    {
      VipsImage *smaller = open_buffer (format, data, length, shrink);
      if (!replace (&image, smaller == NULL, &smaller))
        shrink = 0;
    }
  size_t size = 0;
  gboolean ok = shrink > 0 && make_rgb (&image);
  picture->rgb = ok ? vips.vips_image_write_to_memory (image, &size) : NULL;
  if (picture->rgb == NULL)
    set_reason (error);
  picture->width = vips.vips_image_get_width (image);
  picture->height = vips.vips_image_get_height (image);
  g_object_unref (image);
  g_assert (picture->rgb == NULL || size == (size_t) picture->width * (size_t) picture->height * 3);
  return picture->rgb != NULL;
}
