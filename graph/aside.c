/* Files that appear whole or not at all: written aside, synced, renamed.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "aside.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include <weft/operator.h>

static gboolean
refused (GError **error, const char *what, const char *path, int code)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: %s: %s", path, what, g_strerror (code));
  return FALSE;
}

static void
finish (WeftAside *aside)
{
  if (aside->file >= 0)
    close (aside->file);
  aside->file = -1;
  g_clear_pointer (&aside->path, g_free);
  g_clear_pointer (&aside->temporary, g_free);
}

gboolean
weft_aside_open (WeftAside *aside, const char *path, GError **error)
{
  aside->path = g_strdup (path);
  aside->temporary = g_strconcat (path, ".XXXXXX", NULL);
  aside->file = g_mkstemp_full (aside->temporary, O_WRONLY | O_CLOEXEC, 0666);
  if (aside->file < 0)
    {
      refused (error, "can't be written", path, errno);
      finish (aside);
      return FALSE;
    }
  return TRUE;
}

gboolean
weft_aside_write (WeftAside *aside, gconstpointer data, gsize length, GError **error)
{
  const char *at = data;
  while (length > 0)
    {
      gssize n = write (aside->file, at, MIN (length, (gsize) 1 << 30));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return refused (error, "can't be written", aside->path, errno);
      at += n;
      length -= (gsize) n;
    }
  return TRUE;
}

gboolean
weft_aside_write_at (WeftAside *aside, guint64 offset, gconstpointer data, gsize length, GError **error)
{
  const char *at = data;
  while (length > 0)
    {
      gssize n = pwrite (aside->file, at, MIN (length, (gsize) 1 << 30), (off_t) offset);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return refused (error, "can't be written", aside->path, errno);
      at += n;
      offset += (guint64) n;
      length -= (gsize) n;
    }
  return TRUE;
}

/* The rename itself is durable only once the directory is. */
static gboolean
sync_directory (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  int file = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0)
    return refused (error, "can't be opened to sync it", directory, errno);
  /* Some file systems can't sync directories and say EINVAL: nothing more can be done there. */
  int code = fsync (file) < 0 && errno != EINVAL ? errno : 0;
  close (file);
  return code == 0 || refused (error, "can't be synced", directory, code);
}

gboolean
weft_aside_commit (WeftAside *aside, GError **error)
{
  gboolean ok = TRUE;
  if (fsync (aside->file) < 0)
    ok = refused (error, "can't be synced", aside->path, errno);
  int closed = close (aside->file);
  aside->file = -1;
  if (ok && closed < 0)
    ok = refused (error, "can't be written", aside->path, errno);
  if (ok && g_rename (aside->temporary, aside->path) < 0)
    ok = refused (error, "can't be put in place", aside->path, errno);
  if (!ok)
    g_unlink (aside->temporary);
  else
    ok = sync_directory (aside->path, error);
  finish (aside);
  return ok;
}

void
weft_aside_abandon (WeftAside *aside)
{
  if (aside->temporary != NULL)
    g_unlink (aside->temporary);
  finish (aside);
}
