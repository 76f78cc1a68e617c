/* Batches of photographs, prepared by threads while the batch before is computed with.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "album.h"
#include "cache.h"
#include "picture.h"

G_BEGIN_DECLS

typedef struct _Loader Loader;

/**
 * LoaderSettings:
 * @album: (transfer none): must outlive the loader
 * @picture: how photographs are prepared
 * @batch, @end: items of a batch, and of a pass
 * @pairs: whether items are captions, not photographs
 * @threads: that decode; 0: one for each processor
 * @decode: whether pixels are wanted at all
 * @all: whether they are wanted of photographs that the cache has too
 * @cache: (nullable): folder of features that need not be computed again
 */
typedef struct
{
  const Album *album;
  PictureSettings picture;
  gint64 batch, end;
  gboolean pairs;
  guint threads;
  gboolean decode, all;
  const char *cache;
} LoaderSettings;

/**
 * LoadedPicture:
 * @photograph: its number in the album
 * @key: of its features; set if there is a cache
 * @cached: whether the cache has them
 * @pixels: 3 × size × size numbers
 */
typedef struct
{
  guint32 photograph;
  guint8 key[CACHE_KEY];
  gboolean cached;
  float *pixels;
  GError *error;
} LoadedPicture;

/**
 * LoadedBatch:
 * @n: items
 * @item: their numbers
 * @picture_of: index into @pictures
 * @pictures: every photograph of the batch once
 */
typedef struct
{
  gint64 n;
  guint32 *item, *picture_of;
  guint n_pictures;
  LoadedPicture *pictures;
} LoadedBatch;

/* @order: gives the items of a pass, room for all. */
Loader *loader_new (const LoaderSettings *settings, void (*order) (gpointer data, guint64 epoch, guint32 *items), gpointer data);
void loader_free (Loader *loader);

/* What features depend on besides the picture: part of every key. To be called before the first batch is taken. */
void loader_set_networks (Loader *loader, const guint8 *digest);

/**
 * loader_take:
 * @position: where in the pass of @epoch the batch begins
 *
 * Returns: (transfer none) (nullable): valid until the next call
 */
const LoadedBatch *loader_take (Loader *loader, guint64 epoch, gint64 position, GError **error);

/* Which photographs of an album can't be read or decoded; an array to be freed. Each is told on standard error. */
gboolean *loader_find_damaged (const Album *album, const PictureSettings *picture, guint threads, gint64 *n);

G_END_DECLS
