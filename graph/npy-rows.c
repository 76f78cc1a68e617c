/* `.npy` files written row by row: room for the header is left at the beginning and filled in the end.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <weft/operator.h>

#include "aside.h"
#include "npy-rows.h"
#include "npy.h"

/* More than the header of any array of WEFT_MAX_RANK dimensions, and a multiple of 64 bytes, so that data can be mapped. */
#define HEADER_BYTES 256

struct _WeftNpyRows
{
  WeftAside aside;
  guint64 bytes;
};

WeftNpyRows *
weft_npy_rows_open (const char *path, GError **error)
{
  static const char room[HEADER_BYTES];
  g_autoptr (WeftNpyRows) rows = g_new0 (WeftNpyRows, 1);
  if (!weft_aside_open (&rows->aside, path, error))
    {
      g_free (g_steal_pointer (&rows));
      return NULL;
    }
  return weft_aside_write (&rows->aside, room, sizeof room, error) ? g_steal_pointer (&rows) : NULL;
}

void
weft_npy_rows_free (WeftNpyRows *rows)
{
  if (rows == NULL)
    return;
  weft_aside_abandon (&rows->aside);
  g_free (rows);
}

gboolean
weft_npy_rows_append (WeftNpyRows *rows, gconstpointer data, gsize length, GError **error)
{
  rows->bytes += length;
  return weft_aside_write (&rows->aside, data, length, error);
}

gboolean
weft_npy_rows_finish (WeftNpyRows *rows, const WeftTensor *shape, GError **error)
{
  g_assert (weft_tensor_bytes (shape) == rows->bytes);
  g_autoptr (GString) header = weft_npy_header (shape, HEADER_BYTES);
  g_assert (header->len == HEADER_BYTES);
  if (pwrite (rows->aside.file, header->str, header->len, 0) != (gssize) header->len)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: cannot write its header: %s", rows->aside.path, g_strerror (errno));
      return FALSE;
    }
  return weft_aside_commit (&rows->aside, error);
}
