/* Pictures that tests write themselves.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <gio/gio.h>

#include "rig.h"

static inline void
picture_number (GByteArray *bytes, guint32 number)
{
  guint32 big = GUINT32_TO_BE (number);
  g_byte_array_append (bytes, (const guint8 *) &big, 4);
}

static inline guint32
picture_crc (const guint8 *data, gsize n)
{
  guint32 crc = 0xffffffff;
  for (gsize i = 0; i < n; i++)
    {
      crc ^= data[i];
      for (int bit = 0; bit < 8; bit++)
        crc = (crc >> 1) ^ (0xedb88320 & -(crc & 1));
    }
  return ~crc;
}

static inline void
picture_chunk (GByteArray *png, const char *type, const guint8 *data, gsize n)
{
  picture_number (png, (guint32) n);
  guint start = png->len;
  g_byte_array_append (png, (const guint8 *) type, 4);
  g_byte_array_append (png, data, (guint) n);
  picture_number (png, picture_crc (png->data + start, n + 4));
}

/* A PNG that claims to have @width × @height pixels; @rgb: its @length bytes with a 0 before each line. */
static inline GByteArray *
picture_png (guint32 width, guint32 height, const guint8 *rgb, gsize length)
{
  g_autoptr (GConverter) converter = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 6));
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) stream = g_converter_output_stream_new (memory, converter);
  ck_assert (g_output_stream_write_all (stream, rgb, length, NULL, NULL, NULL) && g_output_stream_close (stream, NULL, NULL));
  GMemoryOutputStream *packed = G_MEMORY_OUTPUT_STREAM (memory);
  GByteArray *png = g_byte_array_new (), *header = g_byte_array_new ();
  picture_number (header, width);
  picture_number (header, height);
  g_byte_array_append (header, (const guint8 *) "\x08\x02\0\0\0", 5);
  g_byte_array_append (png, (const guint8 *) "\x89PNG\r\n\x1a\n", 8);
  picture_chunk (png, "IHDR", header->data, header->len);
  picture_chunk (png, "IDAT", g_memory_output_stream_get_data (packed), g_memory_output_stream_get_data_size (packed));
  picture_chunk (png, "IEND", NULL, 0);
  g_byte_array_unref (header);
  return png;
}

/* Writes a picture of noise around one colour. */
static inline void
picture_write (const char *folder, const char *name, guint width, guint height, const guint8 colour[3], guint64 seed)
{
  WeftRandom random = weft_random_for (seed, name, 0);
  gsize line = 3 * (gsize) width + 1;
  g_autofree guint8 *rgb = g_malloc0 (line * height);
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < 3 * width; x++)
      rgb[y * line + 1 + x] = (guint8) CLAMP (colour[x % 3] + (int) weft_random_below (random, y * 3 * width + x, 61) - 30, 0, 255);
  GByteArray *png = picture_png (width, height, rgb, line * height);
  rig_write (folder, name, png->data, (gssize) png->len);
  g_byte_array_unref (png);
}

/* A photograph of the recordings. */
static inline char *
picture_recorded (const char *name, gsize *length)
{
  g_autofree char *path = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", "clip-small-hf", name, NULL);
  char *data;
  ck_assert (g_file_get_contents (path, &data, length, NULL));
  return data;
}
