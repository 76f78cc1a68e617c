/* Files that grow by whole records.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "append.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <weft/operator.h>

#define MOST_PENDING (64u << 20) /* what is kept of records that can't be written */

struct _WeftAppend
{
  int file;
  char *path;
  gsize length; /* of whole records */
  GByteArray *pending;
};

static gboolean
refused (const WeftAppend *append, const char *what, GError **error)
{
  int code = errno;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: can't be %s: %s", append->path, what, g_strerror (code));
  return FALSE;
}

WeftAppend *
weft_append_open (const char *path, gboolean exclusive, GError **error)
{
  g_autoptr (WeftAppend) append = g_new0 (WeftAppend, 1);
  append->path = g_strdup (path);
  append->pending = g_byte_array_new ();
  append->file = open (path, O_WRONLY | O_CREAT | O_CLOEXEC | (exclusive ? O_EXCL : 0), 0666);
  if (append->file < 0 && errno == EEXIST)
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_EXIST, "%s: is there already", path);
      return NULL;
    }
  off_t end = append->file < 0 ? -1 : lseek (append->file, 0, SEEK_END);
  if (end < 0)
    {
      refused (append, "opened", error);
      return NULL;
    }
  append->length = (gsize) end;
  return g_steal_pointer (&append);
}

void
weft_append_close (WeftAppend *append)
{
  if (append == NULL)
    return;
  if (append->file >= 0)
    close (append->file);
  g_byte_array_unref (append->pending);
  g_free (append->path);
  g_free (append);
}

gboolean
weft_append_cut (WeftAppend *append, gsize length, GError **error)
{
  if (ftruncate (append->file, (off_t) length) != 0)
    return refused (append, "cut to the step that the run continues from", error);
  append->length = length;
  return TRUE;
}

gboolean
weft_append_flush (WeftAppend *append, GError **error)
{
  gsize done = 0;
  while (done < append->pending->len)
    {
      gssize n = pwrite (append->file, append->pending->data + done, append->pending->len - done, (off_t) (append->length + done));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          refused (append, "written", error);
          /* What was written of a record is written again; until then nobody is to take it for one. */
          if (done > 0 && ftruncate (append->file, (off_t) append->length) != 0)
            g_prefix_error (error, "a record is cut short; ");
          return FALSE;
        }
      done += (gsize) n;
    }
  append->length += done;
  g_byte_array_set_size (append->pending, 0);
  return TRUE;
}

gboolean
weft_append_write (WeftAppend *append, gconstpointer record, gsize length, GError **error)
{
  if (append->pending->len + length > MOST_PENDING)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: too much waits to be written: from now on records are lost", append->path);
      return FALSE;
    }
  g_byte_array_append (append->pending, record, (guint) length);
  return weft_append_flush (append, error);
}
