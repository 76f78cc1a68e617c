/* Digests of data files.
 *
 * Features of gigabytes are not read for this: blocks of them tell one extraction from another, and a file that was cut or filled in part
 * from a whole one, though not one in which a few bytes were changed.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "contents.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <glib/gstdio.h>

#include "bytes.h"

/* Data sets lie in a folder and at most in folders of it, such as `precomp`. */
#define DEEPEST_FOLDER 2
#define MOST_WHOLE ((guint64) 16 << 20)
#define BLOCK ((guint64) 16 << 10)
#define BLOCKS 128
#define MOST_NAMED 64

static const char of_all[] = "contents", of_blocks[] = "size and 128 blocks of 16 KiB",
                  of_folder[] = "names and sizes of all files, contents of 64";

static void
contents_free (gpointer data)
{
  WeftContents *one = data;
  if (!one)
    return;
  g_free (one->path);
  g_free (one->digest);
  g_free (one->problem);
  g_free (one);
}

GPtrArray *
weft_contents_new (void)
{
  return g_ptr_array_new_with_free_func (contents_free);
}

static gboolean
hash_range (GChecksum *checksum, const WeftBytes *file, guint64 at, guint64 length, GError **error)
{
  guint8 block[BLOCK];
  for (guint64 done = 0, n; done < length; done += n)
    {
      n = MIN (BLOCK, length - done);
      if (!weft_bytes_read (file, at + done, block, n, error))
        return FALSE;
      g_checksum_update (checksum, block, (gssize) n);
    }
  return TRUE;
}

static guint64
block_offset (guint64 length, guint i)
{
  /* In two parts, so that no product overflows. */
  guint64 last = length - BLOCK, step = last / (BLOCKS - 1), rest = last % (BLOCKS - 1);
  return step * i + rest * i / (BLOCKS - 1);
}

static gboolean
hash_blocks (GChecksum *checksum, const WeftBytes *file, GError **error)
{
  guint64 length = weft_bytes_length (file), size = GUINT64_TO_LE (length);
  g_checksum_update (checksum, (const guchar *) &size, sizeof size);
  /* All are asked for before the first is waited for. */
  for (guint i = 0; i < BLOCKS; i++)
    weft_bytes_expect (file, block_offset (length, i), BLOCK);
  for (guint i = 0; i < BLOCKS; i++)
    if (!hash_range (checksum, file, block_offset (length, i), BLOCK, error))
      return FALSE;
  return TRUE;
}

static void
digest_file (WeftContents *one)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (WeftBytes) file = weft_bytes_open (one->path, &error);
  one->of = of_all;
  if (file)
    {
      one->bytes = weft_bytes_length (file);
      one->of = one->bytes <= MOST_WHOLE ? of_all : of_blocks;
    }
  if (file && (one->of == of_all ? hash_range (checksum, file, 0, one->bytes, &error) : hash_blocks (checksum, file, &error)))
    one->digest = g_strdup (g_checksum_get_string (checksum));
  else
    one->problem = g_strdup (error->message);
}

/* Digests of this process by what the system says of the file, since an ablation looks at the same data for each of its runs. Who writes
 * again within the resolution of a file system's clock leaves no trace, so what is younger than seconds is not kept. */
#define YOUNG 3

static char *
cache_key (const char *path)
{
  struct stat status;
  if (stat (path, &status) != 0 || time (NULL) - status.st_ctim.tv_sec < YOUNG)
    return NULL;
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ":%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT ".%ld:%" G_GINT64_FORMAT
                          ".%ld",
                          (guint64) status.st_dev, (guint64) status.st_ino, (gint64) status.st_size, (gint64) status.st_mtim.tv_sec,
                          status.st_mtim.tv_nsec, (gint64) status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

static void
digest_file_once (WeftContents *one)
{
  static GMutex mutex;
  static GHashTable *known;
  g_autofree char *key = cache_key (one->path);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&mutex);
  if (!known)
    known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, contents_free);
  const WeftContents *before = key ? g_hash_table_lookup (known, key) : NULL;
  if (before)
    {
      one->of = before->of;
      one->bytes = before->bytes;
      one->digest = g_strdup (before->digest);
      return;
    }
  digest_file (one);
  if (!key || !one->digest)
    return;
  WeftContents *kept = g_new0 (WeftContents, 1);
  *kept = (WeftContents){ .bytes = one->bytes, .of = one->of, .digest = g_strdup (one->digest) };
  g_hash_table_insert (known, g_steal_pointer (&key), kept);
}

static WeftContents *
append_one (GPtrArray *contents, const char *path, const GStatBuf *status)
{
  WeftContents *one = g_new0 (WeftContents, 1);
  one->path = g_strdup (path);
  one->bytes = (guint64) status->st_size;
  one->modified = (gint64) status->st_mtime;
  g_ptr_array_add (contents, one);
  return one;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Regular files of a folder, without their digests. */
static void
list_files (GPtrArray *files, const char *path, guint depth)
{
  GStatBuf status;
  if (g_stat (path, &status) != 0)
    return;
  if (S_ISREG (status.st_mode))
    append_one (files, path, &status);
  if (!S_ISDIR (status.st_mode))
    return;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) folder = depth < DEEPEST_FOLDER ? g_dir_open (path, 0, NULL) : NULL;
  for (const char *name; folder && (name = g_dir_read_name (folder));)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *inner = g_build_filename (path, names->pdata[i], NULL);
      list_files (files, inner, depth + 1);
    }
}

/* One digest for a folder of photographs and the like. */
static void
digest_folder (WeftContents *folder, GPtrArray *files)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  folder->files = files->len;
  folder->bytes = 0;
  folder->modified = 0;
  folder->of = of_folder;
  for (guint i = 0; i < files->len; i++)
    {
      WeftContents *file = files->pdata[i];
      g_autofree char *line = g_strdup_printf ("%s %" G_GUINT64_FORMAT "\n", file->path + strlen (folder->path), file->bytes);
      g_checksum_update (checksum, (const guchar *) line, -1);
      folder->bytes += file->bytes;
      folder->modified = MAX (folder->modified, file->modified);
    }
  for (guint i = 0; i < MOST_NAMED; i++)
    {
      WeftContents *file = files->pdata[(guint64) i * (files->len - 1) / (MOST_NAMED - 1)];
      digest_file_once (file);
      if (!file->digest)
        {
          folder->problem = g_strdup (file->problem);
          return;
        }
      g_checksum_update (checksum, (const guchar *) file->digest, -1);
    }
  folder->digest = g_strdup (g_checksum_get_string (checksum));
}

static gboolean
has_path (gconstpointer one, gconstpointer path)
{
  return strcmp (((const WeftContents *) one)->path, path) == 0;
}

void
weft_contents_add (GPtrArray *contents, const char *given)
{
  GStatBuf status;
  /* A run goes on from anywhere. */
  g_autofree char *path = g_canonicalize_filename (given, NULL);
  g_autoptr (GPtrArray) files = weft_contents_new ();
  list_files (files, path, 0);
  if (files->len > MOST_NAMED && g_stat (path, &status) == 0)
    {
      if (!g_ptr_array_find_with_equal_func (contents, path, has_path, NULL))
        digest_folder (append_one (contents, path, &status), files);
      return;
    }
  for (guint i = 0; i < files->len; i++)
    {
      WeftContents *file = files->pdata[i];
      if (g_ptr_array_find_with_equal_func (contents, file->path, has_path, NULL))
        continue;
      digest_file_once (file);
      g_ptr_array_add (contents, file);
      files->pdata[i] = NULL;
    }
}
