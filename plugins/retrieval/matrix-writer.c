/* Similarity matrices to `.npy` files, block by block.
 *
 * Format: numpy.lib.format, version 1.0.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "matrix-writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TILE_IMAGES 32
#define TILE_CAPTIONS 512
#define MAX_HEADER 256

typedef struct
{
  const char *path;
  char *temporary;
  int file;
  gsize header;
  int code; /* errno of a failed write */
  const float *image, *caption;
  gint64 n, m, width;
} Writer;

static void
write_at (Writer *writer, gconstpointer data, gsize length, gsize offset)
{
  const char *at = data;
  while (length > 0)
    {
      gssize n = pwrite (writer->file, at, length, (off_t) offset);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          __atomic_store_n (&writer->code, n < 0 ? errno : ENOSPC, __ATOMIC_RELAXED);
          return;
        }
      at += n;
      offset += (gsize) n;
      length -= (gsize) n;
    }
}

static void
write_header (Writer *writer)
{
  char text[MAX_HEADER];
  memcpy (text, "\x93NUMPY\x01", 8); /* the string's end is the minor version */
  int length = g_snprintf (text + 10, sizeof text - 10,
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT "), }", writer->n,
                           writer->m);
  writer->header = (10 + (gsize) length + 1 + 63) & ~(gsize) 63;
  memset (text + 10 + length, ' ', writer->header - 10 - (gsize) length);
  text[writer->header - 1] = '\n';
  text[8] = (char) (writer->header - 10);
  text[9] = (char) ((writer->header - 10) >> 8);
  write_at (writer, text, writer->header, 0);
}

static void
write_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  Writer *writer = data;
  float memory[TILE_IMAGES * TILE_CAPTIONS];
  gint64 first = index * TILE_IMAGES, n = MIN (TILE_IMAGES, writer->n - first);
  for (gint64 c = 0; c < writer->m; c += TILE_CAPTIONS)
    {
      gint64 m = MIN (TILE_CAPTIONS, writer->m - c);
      weft_matrix_product_here (FALSE, TRUE, n, m, writer->width, 1.0f, writer->image + first * writer->width, writer->width,
                                writer->caption + c * writer->width, writer->width, 0.0f, memory, TILE_CAPTIONS);
      for (gint64 i = 0; i < n; i++)
        write_at (writer, memory + i * TILE_CAPTIONS, (gsize) m * sizeof (float),
                  writer->header + (gsize) ((first + i) * writer->m + c) * sizeof (float));
    }
}

static gboolean
begin (const WeftCall *call, Writer *writer)
{
  writer->temporary = g_strconcat (writer->path, ".XXXXXX", NULL);
  writer->file = g_mkstemp_full (writer->temporary, O_WRONLY | O_CLOEXEC, 0666);
  if (writer->file >= 0)
    {
      write_header (writer);
      return TRUE;
    }
  weft_fail (call, "%s can't be written: %s", writer->path, g_strerror (errno));
  g_free (writer->temporary);
  return FALSE;
}

static gboolean
finish (const WeftCall *call, Writer *writer)
{
  if (writer->code == 0 && fsync (writer->file) < 0)
    writer->code = errno;
  if (close (writer->file) < 0 && writer->code == 0)
    writer->code = errno;
  if (writer->code == 0 && rename (writer->temporary, writer->path) < 0)
    writer->code = errno;
  if (writer->code != 0)
    {
      weft_fail (call, "%s can't be written: %s", writer->path, g_strerror (writer->code));
      unlink (writer->temporary);
    }
  g_free (writer->temporary);
  return writer->code == 0;
}

gboolean
matrix_write_products (const WeftCall *call, const char *path, const WeftTensor *images, const WeftTensor *captions)
{
  Writer writer = { .path = path,
                    .image = images->data,
                    .caption = captions->data,
                    .n = images->shape[0],
                    .m = captions->shape[0],
                    .width = images->shape[1] };
  if (!begin (call, &writer))
    return FALSE;
  weft_parallel (call, (writer.n + TILE_IMAGES - 1) / TILE_IMAGES, write_tile, &writer);
  return finish (call, &writer);
}

gboolean
matrix_write (const WeftCall *call, const char *path, const WeftTensor *matrix)
{
  Writer writer = { .path = path, .n = matrix->shape[0], .m = matrix->shape[1] };
  if (!begin (call, &writer))
    return FALSE;
  write_at (&writer, matrix->data, (gsize) (writer.n * writer.m) * sizeof (float), writer.header);
  return finish (call, &writer);
}
