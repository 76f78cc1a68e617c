/* Checkpoints written while training goes on.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "saver.h"

#include <pthread.h>
#include <string.h>

#include "checkpoint.h"
#include "safetensors.h"

#define LEAST_ROOM ((gsize) 16 << 20) /* that may always be copied */
#define SHARE_OF_ROOM 8               /* of the store that may be copied: one part in so many */

/* A tensor that is to be written. */
typedef struct
{
  const char *path;
  const WeftTensor *tensor;
  guint place; /* in the order of first changes; 0: not known to change */
  gpointer copy;
  gboolean writing, done;
} Piece;

typedef struct
{
  char *path;
  WeftSafetensorsWriter *writer;
  GHashTable *names; /* store paths that go into it */
  GError *failure;
} File;

struct _WeftSaver
{
  WeftStore *store;
  GArray *files;     /* of File */
  GArray *pieces;    /* of Piece, in the order of writing */
  GHashTable *index; /* of const WeftTensor * to Piece */
  GHashTable *order; /* of const WeftTensor * to the place of its first change in a step */
  GThread *thread;
  pthread_mutex_t lock; /* of what follows, and of pieces */
  pthread_cond_t written;
  gsize copied, room;
  gint left; /* pieces not yet written; also read without the lock */
  gboolean started, ended;
  GError *failure;
};

static void
file_clear (gpointer data)
{
  File *file = data;
  weft_safetensors_writer_free (file->writer);
  g_hash_table_unref (file->names);
  g_clear_error (&file->failure);
  g_free (file->path);
}

static void
piece_clear (gpointer data)
{
  g_free (((Piece *) data)->copy);
}

/* Called with the lock held. */
static gboolean
copy_piece (WeftSaver *saver, Piece *piece)
{
  gsize bytes = weft_tensor_bytes (piece->tensor);
  if (piece->writing || saver->copied + bytes > saver->room)
    return FALSE;
  piece->copy = g_try_malloc (MAX (bytes, 1));
  if (piece->copy == NULL)
    return FALSE;
  memcpy (piece->copy, piece->tensor->data, bytes);
  saver->copied += bytes;
  return TRUE;
}

static void
guard (gpointer data, const WeftTensor *tensor)
{
  WeftSaver *saver = data;
  if (g_atomic_int_get (&saver->left) == 0)
    return;
  pthread_mutex_lock (&saver->lock);
  if (!g_hash_table_contains (saver->order, tensor))
    g_hash_table_insert (saver->order, (gpointer) tensor, GUINT_TO_POINTER (g_hash_table_size (saver->order) + 1));
  Piece *piece = g_hash_table_lookup (saver->index, tensor);
  while (piece != NULL && saver->left > 0 && !piece->done && piece->copy == NULL && !copy_piece (saver, piece))
    pthread_cond_wait (&saver->written, &saver->lock);
  pthread_mutex_unlock (&saver->lock);
}

WeftSaver *
weft_saver_new (WeftStore *store)
{
  WeftSaver *saver = g_new0 (WeftSaver, 1);
  saver->store = store;
  saver->files = g_array_new (FALSE, TRUE, sizeof (File));
  saver->pieces = g_array_new (FALSE, TRUE, sizeof (Piece));
  saver->index = g_hash_table_new (NULL, NULL);
  saver->order = g_hash_table_new (NULL, NULL);
  g_array_set_clear_func (saver->files, file_clear);
  g_array_set_clear_func (saver->pieces, piece_clear);
  pthread_mutex_init (&saver->lock, NULL);
  pthread_cond_init (&saver->written, NULL);
  weft_store_set_guard (store, guard, saver);
  return saver;
}

void
weft_saver_free (WeftSaver *saver)
{
  if (saver == NULL)
    return;
  weft_saver_take (saver, TRUE, NULL);
  weft_store_set_guard (saver->store, NULL, NULL);
  g_hash_table_unref (saver->index);
  g_hash_table_unref (saver->order);
  g_array_unref (saver->pieces);
  g_array_unref (saver->files);
  pthread_cond_destroy (&saver->written);
  pthread_mutex_destroy (&saver->lock);
  g_free (saver);
}

void
weft_saver_add (WeftSaver *saver, const char *path, const char *const *prefixes, GHashTable *metadata)
{
  File file = { .path = g_strdup (path), .names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  g_assert (!saver->started);
  file.writer = weft_checkpoint_writer (saver->store, prefixes, metadata, file.names);
  g_array_append_val (saver->files, file);
}

static gboolean
is_wanted (const WeftSaver *saver, const char *path)
{
  for (guint i = 0; i < saver->files->len; i++)
    if (g_hash_table_contains (g_array_index (saver->files, File, i).names, path))
      return TRUE;
  return FALSE;
}

/* What changes first is written first; what is not known to change may come last, the large of it after the small. */
static int
compare_pieces (gconstpointer a, gconstpointer b)
{
  const Piece *x = a, *y = b;
  if (x->place != y->place)
    return x->place == 0 ? 1 : y->place == 0 ? -1 : x->place < y->place ? -1 : 1;
  gsize left = weft_tensor_bytes (x->tensor), right = weft_tensor_bytes (y->tensor);
  return left != right ? (left < right ? -1 : 1) : strcmp (x->path, y->path);
}

static void
list_pieces (WeftSaver *saver)
{
  g_autoptr (GPtrArray) paths = weft_store_paths (saver->store);
  g_array_set_size (saver->pieces, 0);
  g_hash_table_remove_all (saver->index);
  for (guint i = 0; i < paths->len; i++)
    if (is_wanted (saver, paths->pdata[i]))
      {
        Piece piece = { .path = paths->pdata[i], .tensor = weft_store_lookup (saver->store, paths->pdata[i]) };
        piece.place = GPOINTER_TO_UINT (g_hash_table_lookup (saver->order, piece.tensor));
        g_array_append_val (saver->pieces, piece);
      }
  g_array_sort (saver->pieces, compare_pieces);
  for (guint i = 0; i < saver->pieces->len; i++)
    {
      Piece *piece = &g_array_index (saver->pieces, Piece, i);
      g_hash_table_insert (saver->index, (gpointer) piece->tensor, piece);
    }
}

static void
write_piece (WeftSaver *saver, Piece *piece)
{
  pthread_mutex_lock (&saver->lock);
  gconstpointer data = piece->copy != NULL ? piece->copy : piece->tensor->data;
  piece->writing = piece->copy == NULL;
  pthread_mutex_unlock (&saver->lock);
  for (guint i = 0; i < saver->files->len; i++)
    {
      File *file = &g_array_index (saver->files, File, i);
      if (file->failure == NULL && g_hash_table_contains (file->names, piece->path))
        weft_safetensors_writer_put (file->writer, piece->path, data, &file->failure);
    }
  pthread_mutex_lock (&saver->lock);
  piece->writing = FALSE;
  piece->done = TRUE;
  if (piece->copy != NULL)
    saver->copied -= weft_tensor_bytes (piece->tensor);
  g_clear_pointer (&piece->copy, g_free);
  g_atomic_int_add (&saver->left, -1);
  pthread_cond_broadcast (&saver->written);
  pthread_mutex_unlock (&saver->lock);
}

/* Until the first file has failed: those after it are of no use without it. */
static gboolean
write_files (WeftSaver *saver, GError **error)
{
  const File *first = &g_array_index (saver->files, File, 0);
  for (guint i = 0; i < saver->files->len; i++)
    {
      File *file = &g_array_index (saver->files, File, i);
      weft_safetensors_writer_begin (file->writer, file->path, &file->failure);
    }
  for (guint i = 0; i < saver->pieces->len && first->failure == NULL; i++)
    write_piece (saver, &g_array_index (saver->pieces, Piece, i));
  for (guint i = 0; i < saver->files->len; i++)
    {
      File *file = &g_array_index (saver->files, File, i);
      if (file->failure == NULL)
        weft_safetensors_writer_end (file->writer, &file->failure);
      if (file->failure != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&file->failure));
          return FALSE;
        }
    }
  return TRUE;
}

static gpointer
work (gpointer data)
{
  WeftSaver *saver = data;
  GError *failure = NULL;
  write_files (saver, &failure);
  g_array_set_size (saver->files, 0); /* removes what was begun and not ended */
  pthread_mutex_lock (&saver->lock);
  saver->failure = failure;
  saver->ended = TRUE;
  g_atomic_int_set (&saver->left, 0);
  pthread_cond_broadcast (&saver->written);
  pthread_mutex_unlock (&saver->lock);
  return NULL;
}

void
weft_saver_start (WeftSaver *saver)
{
  g_assert (!saver->started);
  list_pieces (saver);
  saver->started = TRUE;
  saver->ended = FALSE;
  saver->copied = 0;
  saver->room = MAX (LEAST_ROOM, weft_store_bytes (saver->store) / SHARE_OF_ROOM);
  g_atomic_int_set (&saver->left, (gint) saver->pieces->len);
  saver->thread = g_thread_try_new ("weft-saver", work, saver, NULL);
  if (saver->thread == NULL)
    work (saver);
}

WeftSaved
weft_saver_take (WeftSaver *saver, gboolean wait, GError **error)
{
  if (!saver->started)
    return WEFT_SAVED_NOTHING;
  pthread_mutex_lock (&saver->lock);
  gboolean ended = saver->ended;
  pthread_mutex_unlock (&saver->lock);
  if (!ended && !wait)
    return WEFT_SAVED_NOTHING;
  if (saver->thread != NULL)
    g_thread_join (g_steal_pointer (&saver->thread));
  saver->started = FALSE;
  if (saver->failure == NULL)
    return WEFT_SAVED_ALL;
  g_propagate_error (error, g_steal_pointer (&saver->failure));
  return WEFT_SAVED_FAILED;
}
