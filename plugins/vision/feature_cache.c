/* feature_cache: features of photographs that are computed once.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cache.h"

enum
{
  PLACE,
  KEY,
  ROWS,
  VECTORS
};

typedef struct
{
  const char *path;
  gint64 most_rows;
} Attributes;

/* Errors are gathered item by item, since tiles run beside each other. */
typedef struct
{
  gint64 n;
  gint64 *counts; /* rows of each item */
  gint64 *firsts; /* the first item that has the fresh picture; -1: none */
  GError **errors;
} Instance;

typedef struct
{
  const WeftCall *call;
  Instance *instance;
} Work;

static gpointer
open_cache (const WeftOpening *opening, GError **error G_GNUC_UNUSED)
{
  Instance *instance = g_new0 (Instance, 1);
  gint64 items = MAX (opening->in[PLACE]->shape[0], 1), fresh = MAX (opening->in[VECTORS]->shape[0], 1);
  instance->n = MAX (items, fresh);
  instance->counts = g_new0 (gint64, instance->n);
  instance->firsts = g_new0 (gint64, instance->n);
  instance->errors = g_new0 (GError *, instance->n);
  return instance;
}

static void
close_cache (gpointer data)
{
  Instance *instance = data;
  for (gint64 i = 0; i < instance->n; i++)
    g_clear_error (&instance->errors[i]);
  g_free (instance->errors);
  g_free (instance->firsts);
  g_free (instance->counts);
  g_free (instance);
}

static gint32
place_of (const WeftCall *call, gint64 item)
{
  return ((const gint32 *) call->in[PLACE]->data)[item];
}

static const guint8 *
key_of (const WeftCall *call, gint64 item)
{
  return (const guint8 *) call->in[KEY]->data + item * CACHE_KEY;
}

static const char *
folder_of (const WeftCall *call)
{
  return ((const Attributes *) call->attributes)->path;
}

static gint64
fresh_rows (const WeftCall *call, gint64 place)
{
  return call->in[ROWS]->offsets[place + 1] - call->in[ROWS]->offsets[place];
}

/* Finds out how many rows the item has. */
static void
look (gpointer data, gint64 item, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  const WeftCall *call = work->call;
  gint64 place = place_of (call, item), width = call->in[ROWS]->shape[1], vector_width = call->in[VECTORS]->shape[1];
  GError **error = &work->instance->errors[item];
  CacheEntry entry;
  if (place >= 0)
    {
      work->instance->counts[item] = fresh_rows (call, place);
      return;
    }
  if (!cache_look (folder_of (call), key_of (call, item), &entry, error))
    return;
  work->instance->counts[item] = entry.n;
  if (entry.width != width || entry.vector_width != vector_width)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                 "%s: what was kept there has rows of %" G_GINT64_FORMAT " and vectors of %" G_GINT64_FORMAT
                 " numbers, here they have %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT "; keep these features in another folder",
                 folder_of (call), entry.width, entry.vector_width, width, vector_width);
}

/* Copies an item's features from those just computed, or reads them. */
static void
take (gpointer data, gint64 item, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  const WeftCall *call = work->call;
  WeftTensor *rows = call->out[ROWS - ROWS], *vectors = call->out[VECTORS - ROWS];
  gint64 place = place_of (call, item), width = call->in[ROWS]->shape[1], vector_width = call->in[VECTORS]->shape[1];
  float *to = (float *) rows->data + rows->offsets[item] * width, *vector = (float *) vectors->data + item * vector_width;
  if (place < 0)
    {
      CacheEntry entry = { work->instance->counts[item], width, vector_width };
      cache_load (folder_of (call), key_of (call, item), &entry, to, vector, &work->instance->errors[item]);
      return;
    }
  memcpy (to, (const float *) call->in[ROWS]->data + call->in[ROWS]->offsets[place] * width,
          (gsize) (fresh_rows (call, place) * width) * sizeof (float));
  memcpy (vector, (const float *) call->in[VECTORS]->data + place * vector_width, (gsize) vector_width * sizeof (float));
}

static void
keep (gpointer data, gint64 fresh, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  const WeftCall *call = work->call;
  gint64 item = work->instance->firsts[fresh];
  CacheEntry entry = { fresh_rows (call, fresh), call->in[ROWS]->shape[1], call->in[VECTORS]->shape[1] };
  if (item >= 0)
    cache_store (folder_of (call), key_of (call, item), &entry,
                 (const float *) call->in[ROWS]->data + call->in[ROWS]->offsets[fresh] * entry.width,
                 (const float *) call->in[VECTORS]->data + fresh * entry.vector_width, &work->instance->errors[item]);
}

/* Whether no item failed; the first that did is told. */
static gboolean
went_well (const WeftCall *call, Instance *instance)
{
  for (gint64 i = 0; i < instance->n; i++)
    if (instance->errors[i] != NULL)
      {
        weft_fail (call, "%s", instance->errors[i]->message);
        g_clear_error (&instance->errors[i]);
        return FALSE;
      }
  return TRUE;
}

static gboolean
check_places (const WeftCall *call, Instance *instance)
{
  gint64 fresh = call->in[VECTORS]->shape[0];
  for (gint64 i = 0; i < fresh; i++)
    instance->firsts[i] = -1;
  for (gint64 i = call->in[PLACE]->shape[0] - 1; i >= 0; i--)
    {
      gint64 place = place_of (call, i);
      if (place >= fresh || (place < 0 && folder_of (call) == NULL))
        {
          weft_fail (call,
                     "the place of item %" G_GINT64_FORMAT " is %" G_GINT64_FORMAT ", there are %" G_GINT64_FORMAT " fresh pictures%s", i,
                     place, fresh, place < 0 ? " and no folder of others; set path to that of photographs' cache" : "");
          return FALSE;
        }
      if (place >= 0)
        instance->firsts[place] = i;
    }
  return TRUE;
}

/* Offsets of the items' rows; fails if one has more than declared. */
static gboolean
lay_out (const WeftCall *call, const Instance *instance)
{
  WeftTensor *rows = call->out[0];
  gint64 most = ((const Attributes *) call->attributes)->most_rows, items = call->in[PLACE]->shape[0];
  rows->offsets[0] = 0;
  for (gint64 i = 0; i < items; i++)
    {
      if (instance->counts[i] > most)
        {
          weft_fail (call, "a picture has %" G_GINT64_FORMAT " rows; set most_rows: %" G_GINT64_FORMAT, instance->counts[i],
                     instance->counts[i]);
          return FALSE;
        }
      rows->offsets[i + 1] = rows->offsets[i] + (gint32) instance->counts[i];
    }
  weft_resize (call, rows, items, rows->offsets[items]);
  return TRUE;
}

static void
forward (const WeftCall *call)
{
  Work work = { call, call->instance };
  gint64 items = call->in[PLACE]->shape[0];
  if (!check_places (call, work.instance))
    return;
  weft_parallel (call, items, look, &work);
  if (!went_well (call, work.instance) || !lay_out (call, work.instance))
    return;
  weft_parallel (call, items, take, &work);
  if (folder_of (call) != NULL)
    weft_parallel (call, call->in[VECTORS]->shape[0], keep, &work);
  went_well (call, work.instance);
}

static const WeftAttribute attributes[] = {
  WEFT_WRITTEN_PATH (Attributes, path, "",
                     "folder in which features are kept, that of photographs' `cache`; absent: they are only handed on"),
  WEFT_INTEGER (Attributes, most_rows, "50", 1, 1 << 16, "rows", "greatest number of rows of a picture"),
  { 0 },
};

static const WeftPort inputs[] = {
  { .name = "place",
    .signature = "i32[b]",
    .flags = WEFT_PORT_CONSTANT,
    .meaning = "which of the fresh pictures is the item's; -1: one that was kept" },
  { .name = "key", .signature = "i32[b, 8]", .flags = WEFT_PORT_CONSTANT, .meaning = "what the item's features are kept by" },
  { .name = "rows", .signature = "f32[m:t, d]", .flags = WEFT_PORT_CONSTANT, .meaning = "of fresh pictures: features of regions" },
  { .name = "vectors", .signature = "f32[m, c]", .flags = WEFT_PORT_CONSTANT, .meaning = "of fresh pictures: features of the whole" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "rows", .signature = "f32[b : r <= b*$most_rows, d]", .meaning = "features of the items' regions" },
  { .name = "vectors", .signature = "f32[b, c]", .meaning = "features of the items' pictures" },
  { 0 },
};

static const WeftOperator feature_cache = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "feature_cache",
  .version = 1,
  .summary = "Keeps what networks compute of photographs, and hands it on item by item",
  .documentation =
      "Follows the networks that see `fresh` pictures of photographs. Items get the rows and the vector of their picture, from those just "
      "computed or from the folder, in which each picture's features are a file of 4 bytes a number. Files can be removed at any time "
      "between runs. The networks have to be frozen: nothing flows back through this operator, and their weights are part of the keys.",
  .attributes_size = sizeof (Attributes),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = forward,
  .not_differentiable = "what was kept cannot be moved; freeze the networks that compute it",
  .open = open_cache,
  .close = close_cache,
  .example = "place: {op: feed, signature: \"i32[b<=3] < 2\"}\n"
             "key: {op: feed, signature: \"i32[b, 8]\"}\n"
             "rows: {op: feed, signature: \"f32[2 : t<=12, 4]\"}\n"
             "vectors: {op: feed, signature: \"f32[2, 5]\"}\n"
             "kept: {op: feature_cache, place: place, key: key, rows: rows, vectors: vectors}\n",
};
WEFT_OPERATOR (feature_cache);
