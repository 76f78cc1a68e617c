/* Features of pictures on disk.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  char magic[8];
  gint32 n, width, vector_width, reserved;
  guint8 key[CACHE_KEY];
} Header;

static const char magic[8] = "weftfe1";

static char *
path_of (const char *folder, const guint8 *key)
{
  char text[2 * CACHE_KEY + 1];
  for (guint i = 0; i < CACHE_KEY; i++)
    g_snprintf (text + 2 * i, 3, "%02x", key[i]);
  return g_strdup_printf ("%s/%.2s/%s", folder, text, text + 2);
}

gboolean
cache_has (const char *folder, const guint8 *key)
{
  g_autofree char *path = path_of (folder, key);
  return g_file_test (path, G_FILE_TEST_IS_REGULAR);
}

/* Reads @length bytes from the file's present position. */
static gboolean
read_all (int file, const char *path, gpointer data, gsize length, GError **error)
{
  char *to = data;
  while (length > 0)
    {
      gssize n = read (file, to, length);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %s; remove it, and it will be computed again", path,
                       n < 0 ? g_strerror (errno) : "ends too early");
          return FALSE;
        }
      to += n;
      length -= (gsize) n;
    }
  return TRUE;
}

static int
open_entry (const char *path, const guint8 *key, CacheEntry *entry, GError **error)
{
  Header header;
  int file = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  if (file < 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %s; features are not to be removed while they are in use", path,
                   g_strerror (errno));
      return -1;
    }
  if (!read_all (file, path, &header, sizeof header, error))
    {
      close (file);
      return -1;
    }
  if (memcmp (header.magic, magic, sizeof magic) != 0 || memcmp (header.key, key, CACHE_KEY) != 0 || header.n < 0 || header.width < 0
      || header.vector_width < 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: holds no features of this picture; remove it, and they will be computed again",
                   path);
      close (file);
      return -1;
    }
  *entry = (CacheEntry){ header.n, header.width, header.vector_width };
  return file;
}

gboolean
cache_look (const char *folder, const guint8 *key, CacheEntry *entry, GError **error)
{
  g_autofree char *path = path_of (folder, key);
  int file = open_entry (path, key, entry, error);
  if (file >= 0)
    close (file);
  return file >= 0;
}

gboolean
cache_load (const char *folder, const guint8 *key, const CacheEntry *entry, float *rows, float *vector, GError **error)
{
  g_autofree char *path = path_of (folder, key);
  CacheEntry found;
  int file = open_entry (path, key, &found, error);
  if (file < 0)
    return FALSE;
  gboolean same = memcmp (&found, entry, sizeof found) == 0;
  if (!same)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: changed while it was read", path);
  gboolean ok = same && read_all (file, path, rows, (gsize) (entry->n * entry->width) * sizeof (float), error)
                && read_all (file, path, vector, (gsize) entry->vector_width * sizeof (float), error);
  close (file);
  return ok;
}

gboolean
cache_store (const char *folder, const guint8 *key, const CacheEntry *entry, const float *rows, const float *vector, GError **error)
{
  g_autofree char *path = path_of (folder, key), *parent = g_path_get_dirname (path);
  gsize of_rows = (gsize) (entry->n * entry->width) * sizeof (float), of_vector = (gsize) entry->vector_width * sizeof (float);
  Header header = { .n = (gint32) entry->n, .width = (gint32) entry->width, .vector_width = (gint32) entry->vector_width };
  g_autofree char *data = g_malloc (sizeof header + of_rows + of_vector);
  memcpy (header.magic, magic, sizeof magic);
  memcpy (header.key, key, CACHE_KEY);
  memcpy (data, &header, sizeof header);
  memcpy (data + sizeof header, rows, of_rows);
  memcpy (data + sizeof header + of_rows, vector, of_vector);
  g_autoptr (GError) reason = NULL;
  if (g_mkdir_with_parents (parent, 0777) == 0 && g_file_set_contents (path, data, (gssize) (sizeof header + of_rows + of_vector), &reason))
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: features can't be kept here: %s", path,
               reason != NULL ? reason->message : g_strerror (errno));
  return FALSE;
}
