/* Batches of photographs.
 *
 * Two batches go round. While one is with the consumer, a thread fills the other, and is joined before that one is handed out: nothing is
 * shared while it runs, and nothing needs a lock.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "loader.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>

#include "crew.h"

#define BATCHES 2

/* Raised when pixels change, so that features of old ones are not found. */
#define PREPROCESSING 1

struct _Loader
{
  LoaderSettings settings;
  void (*order) (gpointer data, guint64 epoch, guint32 *items);
  gpointer order_data;
  guint8 networks[CACHE_KEY];
  guint32 *items;
  gboolean ordered;
  guint64 epoch;
  LoadedBatch batches[BATCHES];
  guint turn;
  GHashTable *met; /* photograph + 1 → index among the batch's pictures */

  GThread *thread;
  gint64 position; /* of the batch that the thread fills */
};

typedef struct
{
  Loader *loader;
  LoadedBatch *batch;
} Filling;

static gsize
picture_numbers (const Loader *loader)
{
  return 3 * (gsize) loader->settings.picture.size * (gsize) loader->settings.picture.size;
}

static guint32
photograph_of (const Loader *loader, guint32 item)
{
  return loader->settings.pairs ? g_array_index (loader->settings.album->photograph_of, guint32, item) : item;
}

Loader *
loader_new (const LoaderSettings *settings, void (*order) (gpointer data, guint64 epoch, guint32 *items), gpointer data)
{
  Loader *loader = g_new0 (Loader, 1);
  gsize most = (gsize) MAX (MIN (settings->batch, settings->end), 1);
  gsize pictures = MIN (most, MAX (settings->album->photographs->len, 1));
  loader->settings = *settings;
  loader->order = order;
  loader->order_data = data;
  loader->items = g_new (guint32, MAX (settings->album->photographs->len, settings->album->captions->len) + 1);
  loader->met = g_hash_table_new (g_direct_hash, g_direct_equal);
  for (guint i = 0; i < BATCHES; i++)
    {
      LoadedBatch *batch = &loader->batches[i];
      batch->item = g_new (guint32, most);
      batch->picture_of = g_new (guint32, most);
      batch->pictures = g_new0 (LoadedPicture, pictures);
      for (gsize k = 0; k < pictures && settings->decode; k++)
        batch->pictures[k].pixels = g_new (float, picture_numbers (loader));
    }
  return loader;
}

static void
forget_errors (LoadedBatch *batch)
{
  for (guint k = 0; k < batch->n_pictures; k++)
    g_clear_error (&batch->pictures[k].error);
}

void
loader_free (Loader *loader)
{
  if (loader == NULL)
    return;
  g_clear_pointer (&loader->thread, g_thread_join);
  gsize most = (gsize) MAX (MIN (loader->settings.batch, loader->settings.end), 1);
  gsize pictures = MIN (most, MAX (loader->settings.album->photographs->len, 1));
  for (guint i = 0; i < BATCHES; i++)
    {
      LoadedBatch *batch = &loader->batches[i];
      forget_errors (batch);
      for (gsize k = 0; k < pictures; k++)
        g_free (batch->pictures[k].pixels);
      g_free (batch->pictures);
      g_free (batch->picture_of);
      g_free (batch->item);
    }
  g_hash_table_unref (loader->met);
  g_free (loader->items);
  g_free (loader);
}

void
loader_set_networks (Loader *loader, const guint8 *digest)
{
  memcpy (loader->networks, digest, CACHE_KEY);
}

static void
make_key (const Loader *loader, gconstpointer data, gsize length, guint8 *key)
{
  const PictureSettings *picture = &loader->settings.picture;
  gint64 numbers[] = { PREPROCESSING, picture->size, picture->limits.least_side };
  gsize size = CACHE_KEY;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (checksum, loader->networks, CACHE_KEY);
  g_checksum_update (checksum, (const guint8 *) (gconstpointer) numbers, sizeof numbers);
  g_checksum_update (checksum, data, (gssize) length);
  g_checksum_get_digest (checksum, key, &size);
}

static void
load_picture (gpointer data, guint index)
{
  const Filling *filling = data;
  const LoaderSettings *settings = &filling->loader->settings;
  LoadedPicture *picture = &filling->batch->pictures[index];
  const Photograph *photograph = settings->album->photographs->pdata[picture->photograph];
  gsize length;
  g_autofree char *bytes = picture_read (photograph->path, &length, &picture->error);
  if (bytes == NULL)
    return;
  make_key (filling->loader, bytes, length, picture->key);
  picture->cached = settings->cache != NULL && cache_has (settings->cache, picture->key);
  if (settings->all || !picture->cached)
    picture_prepare (photograph->path, bytes, length, &settings->picture, picture->pixels, &picture->error);
}

/* Says which pictures the batch at @position has. */
static void
begin (Loader *loader, LoadedBatch *batch, gint64 position)
{
  forget_errors (batch);
  batch->n = MIN (loader->settings.batch, loader->settings.end - position);
  batch->n_pictures = 0;
  g_hash_table_remove_all (loader->met);
  for (gint64 i = 0; i < batch->n; i++)
    {
      guint32 item = loader->items[position + i], photograph = photograph_of (loader, item);
      gpointer index, key = GUINT_TO_POINTER (photograph + 1);
      if (!g_hash_table_lookup_extended (loader->met, key, NULL, &index))
        {
          index = GUINT_TO_POINTER (batch->n_pictures);
          g_hash_table_insert (loader->met, key, index);
          batch->pictures[batch->n_pictures].cached = FALSE;
          batch->pictures[batch->n_pictures++].photograph = photograph;
        }
      batch->item[i] = item;
      batch->picture_of[i] = GPOINTER_TO_UINT (index);
    }
}

static gpointer
fill (gpointer data)
{
  Loader *loader = data;
  Filling filling = { loader, &loader->batches[loader->turn] };
  begin (loader, filling.batch, loader->position);
  if (loader->settings.decode)
    crew_run (loader->settings.threads, filling.batch->n_pictures, load_picture, &filling);
  return NULL;
}

static void
start_order (Loader *loader, guint64 epoch)
{
  if (loader->ordered && loader->epoch == epoch)
    return;
  loader->order (loader->order_data, epoch, loader->items);
  loader->ordered = TRUE;
  loader->epoch = epoch;
}

const LoadedBatch *
loader_take (Loader *loader, guint64 epoch, gint64 position, GError **error)
{
  gboolean ready = loader->thread != NULL && loader->ordered && loader->epoch == epoch && loader->position == position;
  g_clear_pointer (&loader->thread, g_thread_join);
  if (!ready)
    {
      start_order (loader, epoch);
      loader->position = position;
      fill (loader);
    }
  LoadedBatch *batch = &loader->batches[loader->turn];
  for (guint k = 0; k < batch->n_pictures; k++)
    if (batch->pictures[k].error != NULL)
      {
        g_propagate_error (error, g_steal_pointer (&batch->pictures[k].error));
        return NULL;
      }
  loader->turn = (loader->turn + 1) % BATCHES;
  loader->position = position + batch->n;
  if (loader->settings.decode && loader->position < loader->settings.end)
    loader->thread = g_thread_try_new ("photographs", fill, loader, NULL);
  return batch;
}

/* Photographs that were decoded well, so that every graph that sees them need not try them again. */
static GHashTable *sound;
static pthread_mutex_t sound_lock = PTHREAD_MUTEX_INITIALIZER;

typedef struct
{
  const Album *album;
  const PictureSettings *picture;
  gboolean *damaged;
  GError **errors;
} Search;

/* A file as it is now, and what is taken for damaged; (nullable): there is none. */
static char *
identity_of (const char *path, const PictureSettings *picture)
{
  GStatBuf status;
  if (g_stat (path, &status) != 0)
    return NULL;
  return g_strdup_printf ("%s/%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT ".%09ld/%" G_GINT64_FORMAT "/%d", path, (gint64) status.st_size,
                          (gint64) status.st_mtim.tv_sec, (long) status.st_mtim.tv_nsec, picture->limits.most_pixels, picture->size);
}

static gboolean
is_sound (const char *identity)
{
  pthread_mutex_lock (&sound_lock);
  gboolean found = sound != NULL && identity != NULL && g_hash_table_contains (sound, identity);
  pthread_mutex_unlock (&sound_lock);
  return found;
}

static void
note_sound (char *identity)
{
  pthread_mutex_lock (&sound_lock);
  if (sound == NULL)
    sound = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add (sound, identity);
  pthread_mutex_unlock (&sound_lock);
}

static void
try_picture (gpointer data, guint index)
{
  Search *search = data;
  const Photograph *photograph = search->album->photographs->pdata[index];
  gsize length, side = (gsize) search->picture->size;
  g_autofree char *identity = identity_of (photograph->path, search->picture);
  if (is_sound (identity))
    return;
  g_autofree float *pixels = g_new (float, 3 * side * side);
  g_autofree char *bytes = picture_read (photograph->path, &length, &search->errors[index]);
  search->damaged[index] =
      bytes == NULL || !picture_prepare (photograph->path, bytes, length, search->picture, pixels, &search->errors[index]);
  if (!search->damaged[index] && identity != NULL)
    note_sound (g_steal_pointer (&identity));
}

gboolean *
loader_find_damaged (const Album *album, const PictureSettings *picture, guint threads, gint64 *n)
{
  Search search = { album, picture, g_new0 (gboolean, album->photographs->len + 1), g_new0 (GError *, album->photographs->len + 1) };
  crew_run (threads, album->photographs->len, try_picture, &search);
  *n = 0;
  for (guint i = 0; i < album->photographs->len; i++)
    {
      if (search.damaged[i])
        g_printerr ("%s; left out\n", search.errors[i]->message);
      *n += search.damaged[i];
      g_clear_error (&search.errors[i]);
    }
  g_free (search.errors);
  return search.damaged;
}
