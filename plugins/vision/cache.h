/* Features of pictures on disk, a file each.
 *
 * A file is named after its key, in one of 256 folders, and holds a header, rows of numbers and a vector, as float32 in the order of bytes
 * of the machine. Files are written aside and renamed, so that several runs may share a folder.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

/* Bytes of a key. */
#define CACHE_KEY 32

/**
 * CacheEntry:
 * @n: number of rows
 * @width, @vector_width: of a row, of the vector
 */
typedef struct
{
  gint64 n, width, vector_width;
} CacheEntry;

gboolean cache_has (const char *folder, const guint8 *key);
/* How much an entry holds; fails if it is not there or not what it should be. */
gboolean cache_look (const char *folder, const guint8 *key, CacheEntry *entry, GError **error);
/* Reads what cache_look() found. */
gboolean cache_load (const char *folder, const guint8 *key, const CacheEntry *entry, float *rows, float *vector, GError **error);
gboolean cache_store (const char *folder, const guint8 *key, const CacheEntry *entry, const float *rows, const float *vector,
                      GError **error);

G_END_DECLS
