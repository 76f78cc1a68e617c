/* Reading a file at any offset.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/operator.h>

#define LARGEST_READ ((guint64) 1 << 30)

struct _WeftBytes
{
  char *path;
  int file;
  guint64 length;
};

WeftBytes *
weft_bytes_open (const char *path, GError **error)
{
  struct stat status;
  /* Opening a pipe would wait for its other end. */
  int descriptor = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0 || fstat (descriptor, &status) != 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %s", path, g_strerror (errno));
      if (descriptor >= 0)
        close (descriptor);
      return NULL;
    }
  WeftBytes *file = g_new (WeftBytes, 1);
  *file = (WeftBytes){ g_strdup (path), descriptor, (guint64) status.st_size };
  if (S_ISREG (status.st_mode))
    return file;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: not a regular file", path);
  weft_bytes_close (file);
  return NULL;
}

void
weft_bytes_close (WeftBytes *file)
{
  if (file == NULL)
    return;
  close (file->file);
  g_free (file->path);
  g_free (file);
}

const char *
weft_bytes_path (const WeftBytes *file)
{
  return file->path;
}

guint64
weft_bytes_length (const WeftBytes *file)
{
  return file->length;
}

void
weft_bytes_expect (const WeftBytes *file, guint64 offset, guint64 length)
{
  posix_fadvise (file->file, (off_t) offset, (off_t) length, POSIX_FADV_WILLNEED);
}

gboolean
weft_bytes_read (const WeftBytes *file, guint64 offset, gpointer data, guint64 length, GError **error)
{
  char *at = data;
  while (length > 0)
    {
      gssize n = pread (file->file, at, MIN (length, LARGEST_READ), (off_t) offset);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: reading at byte %" G_GUINT64_FORMAT ": %s", file->path, offset,
                     g_strerror (errno));
      else if (n == 0)
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                     "%s: the file ends at byte %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
                     " bytes too early; it is truncated, or it was changed while in use",
                     file->path, offset, length);
      if (n <= 0)
        return FALSE;
      at += n;
      offset += (guint64) n;
      length -= (guint64) n;
    }
  return TRUE;
}
