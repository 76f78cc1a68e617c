/* A thread that reads the next batch while the present one is computed with.
 *
 * Two batches go round between the thread and the consumer. The thread owns a batch while it is empty, the consumer while it is full;
 * only `full`, `stop` and `error` are shared, under the lock. It is a POSIX lock because thread sanitizers do not see into GLib's.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "reader.h"

#include <pthread.h>

#define BATCHES 2

struct _RegionReader
{
  const RegionFiles *files;
  const ItemOrder *order;
  gint64 captions_per_item;
  guint32 *items;
  gpointer buffer;
  RegionBatch batches[BATCHES];

  GThread *thread;
  gint64 start; /* where in the pass the thread begins */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  gboolean full[BATCHES];
  gboolean stop;
  GError *error;

  /* The consumer's own. */
  gboolean running, holding;
  guint64 epoch;
  gint64 next;
  guint turn;
};

static gint64
batch_size (const RegionReader *reader, gint64 position)
{
  return MIN (reader->order->batch, item_order_end (reader->order) - position);
}

static gboolean
fill (RegionReader *reader, RegionBatch *batch, gint64 position, GError **error)
{
  batch->n = batch_size (reader, position);
  batch->starts[0] = 0;
  for (gint64 i = 0; i < batch->n; i++)
    {
      gint32 item = (gint32) reader->items[position + i];
      gint64 image = item / reader->captions_per_item;
      batch->item[i] = item;
      batch->image[i] = (gint32) image;
      batch->starts[i + 1] = batch->starts[i];
      if (batch->regions != NULL)
        {
          float *to = batch->regions + batch->starts[i] * reader->files->width;
          if (!region_files_read (reader->files, image, to, reader->buffer, error))
            return FALSE;
          batch->starts[i + 1] += (gint32) region_files_count (reader->files, image);
        }
      if (batch->clip != NULL
          && !region_files_read_clip (reader->files, image, batch->clip + i * reader->files->clip_width, reader->buffer, error))
        return FALSE;
    }
  return TRUE;
}

static gpointer
run (gpointer data)
{
  RegionReader *reader = data;
  gint64 end = item_order_end (reader->order);
  guint turn = 0;
  for (gint64 position = reader->start; position < end; position += reader->order->batch, turn = (turn + 1) % BATCHES)
    {
      pthread_mutex_lock (&reader->lock);
      while (reader->full[turn] && !reader->stop)
        pthread_cond_wait (&reader->changed, &reader->lock);
      gboolean stop = reader->stop;
      pthread_mutex_unlock (&reader->lock);
      if (stop)
        break;
      GError *error = NULL;
      gboolean ok = fill (reader, &reader->batches[turn], position, &error);
      pthread_mutex_lock (&reader->lock);
      reader->full[turn] = ok;
      reader->error = error;
      pthread_cond_signal (&reader->changed);
      pthread_mutex_unlock (&reader->lock);
      if (!ok)
        break;
    }
  return NULL;
}

static void
stop (RegionReader *reader)
{
  if (reader->thread == NULL)
    return;
  pthread_mutex_lock (&reader->lock);
  reader->stop = TRUE;
  pthread_cond_signal (&reader->changed);
  pthread_mutex_unlock (&reader->lock);
  g_thread_join (g_steal_pointer (&reader->thread));
}

static gboolean
start (RegionReader *reader, guint64 epoch, gint64 position, GError **error)
{
  stop (reader);
  g_clear_error (&reader->error);
  for (guint i = 0; i < BATCHES; i++)
    reader->full[i] = FALSE;
  reader->stop = reader->holding = FALSE;
  reader->turn = 0;
  reader->start = reader->next = position;
  reader->epoch = epoch;
  item_order_fill (reader->order, epoch, reader->items);
  reader->thread = g_thread_try_new ("regions", run, reader, error);
  reader->running = reader->thread != NULL;
  return reader->running;
}

RegionReader *
region_reader_new (const RegionFiles *files, const ItemOrder *order, gint64 captions_per_item, gboolean regions, gboolean clip)
{
  RegionReader *reader = g_new0 (RegionReader, 1);
  reader->files = files;
  reader->order = order;
  reader->captions_per_item = captions_per_item;
  reader->items = g_new (guint32, MAX (order->n, 1));
  reader->buffer = g_malloc (region_files_buffer (files));
  /* No batch is larger than all items. */
  gsize most = (gsize) MIN (order->batch, MAX (order->n, 1));
  for (guint i = 0; i < BATCHES; i++)
    {
      RegionBatch *batch = &reader->batches[i];
      batch->item = g_new (gint32, most);
      batch->image = g_new (gint32, most);
      batch->starts = g_new (gint32, most + 1);
      batch->regions = regions ? g_new (float, most *(gsize) (files->regions * files->width)) : NULL;
      batch->clip = clip ? g_new (float, most *(gsize) files->clip_width) : NULL;
    }
  pthread_mutex_init (&reader->lock, NULL);
  pthread_cond_init (&reader->changed, NULL);
  return reader;
}

void
region_reader_free (RegionReader *reader)
{
  if (reader == NULL)
    return;
  stop (reader);
  for (guint i = 0; i < BATCHES; i++)
    {
      g_free (reader->batches[i].item);
      g_free (reader->batches[i].image);
      g_free (reader->batches[i].starts);
      g_free (reader->batches[i].regions);
      g_free (reader->batches[i].clip);
    }
  pthread_mutex_destroy (&reader->lock);
  pthread_cond_destroy (&reader->changed);
  g_clear_error (&reader->error);
  g_free (reader->items);
  g_free (reader->buffer);
  g_free (reader);
}

/* Gives the batch that the consumer holds back to the thread. */
static void
give_back (RegionReader *reader)
{
  if (!reader->holding)
    return;
  pthread_mutex_lock (&reader->lock);
  reader->full[reader->turn] = FALSE;
  pthread_cond_signal (&reader->changed);
  pthread_mutex_unlock (&reader->lock);
  reader->turn = (reader->turn + 1) % BATCHES;
  reader->holding = FALSE;
}

const RegionBatch *
region_reader_take (RegionReader *reader, guint64 epoch, gint64 position, GError **error)
{
  give_back (reader);
  gboolean follows = reader->running && reader->epoch == epoch && reader->next == position;
  if (!follows && !start (reader, epoch, position, error))
    return NULL;
  pthread_mutex_lock (&reader->lock);
  while (!reader->full[reader->turn] && reader->error == NULL)
    pthread_cond_wait (&reader->changed, &reader->lock);
  gboolean full = reader->full[reader->turn];
  if (!full)
    g_propagate_error (error, g_steal_pointer (&reader->error));
  pthread_mutex_unlock (&reader->lock);
  if (!full)
    {
      reader->running = FALSE;
      return NULL;
    }
  reader->holding = TRUE;
  reader->next = position + reader->batches[reader->turn].n;
  return &reader->batches[reader->turn];
}
