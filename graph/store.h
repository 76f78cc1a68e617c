/* Everything that lives longer than a step: parameters, statistics, moments, queues, counters, data positions. By name.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

typedef struct _WeftStore WeftStore;

WeftStore *weft_store_new (void);
void weft_store_free (WeftStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftStore, weft_store_free)

/**
 * weft_store_prepare:
 *
 * Allocates every variable of @pipeline that the store does not have yet and gives it its initial value, which depends on path and
 * @seed alone. New copies (`copy_of`) are made last; weft_weights_load() makes those anew whose originals it loads.
 */
gboolean weft_store_prepare (WeftStore *store, const WeftPipeline *pipeline, guint64 seed, GError **error);

/**
 * weft_store_copy:
 * @wanted: asked for each copy with the store path of its original
 *
 * Sets variables that start as copies to what their originals hold now.
 */
void weft_store_copy (WeftStore *store, const WeftPipeline *pipeline,
                      gboolean (*wanted) (const char *copy, const char *original, gpointer data), gpointer data);

/* Writes the initial value that @initial describes; for tests as well. @path names the random stream. */
gboolean weft_initialise (WeftTensor *tensor, const char *initial, const char *path, guint64 seed, GError **error);

WeftTensor *weft_store_lookup (const WeftStore *store, const char *path); /* (transfer none) (nullable); data is 64-byte aligned */
/* Adds a zeroed tensor; it must not exist yet. */
WeftTensor *weft_store_add (WeftStore *store, const char *path, WeftType type, guint rank, const gint64 *shape);
GPtrArray *weft_store_paths (const WeftStore *store); /* (transfer container) (element-type utf8), sorted */
/* Called by whoever executes steps, before one changes @tensor of the store; it may wait. */
typedef void (*WeftStoreGuard) (gpointer data, const WeftTensor *tensor);
void weft_store_set_guard (WeftStore *store, WeftStoreGuard guard, gpointer data);
void weft_store_guard (const WeftStore *store, const WeftTensor *tensor);
gsize weft_store_bytes (const WeftStore *store);

G_END_DECLS
