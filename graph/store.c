/* Everything that lives longer than a step, by name.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct _WeftStore
{
  GHashTable *tensors; /* of utf8 to WeftTensor */
  WeftStoreGuard guard;
  gpointer guard_data;
};

static void
tensor_free (gpointer data)
{
  WeftTensor *tensor = data;
  free (tensor->data);
  g_free (tensor);
}

WeftStore *
weft_store_new (void)
{
  WeftStore *store = g_new0 (WeftStore, 1);
  store->tensors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, tensor_free);
  return store;
}

void
weft_store_free (WeftStore *store)
{
  if (store == NULL)
    return;
  g_hash_table_unref (store->tensors);
  g_free (store);
}

WeftTensor *
weft_store_lookup (const WeftStore *store, const char *path)
{
  return g_hash_table_lookup (store->tensors, path);
}

#define LINE 64
#define HUGE_PAGE ((gsize) 2 << 20)

/* Zeros; large ones lie in huge pages where the system has some, but for an end that does not fill one. NULL if there is not that much
 * memory. */
static gpointer
try_allocate (gsize bytes)
{
  gpointer data = NULL;
  bytes = MAX ((bytes + LINE - 1) / LINE * LINE, LINE);
  if (posix_memalign (&data, bytes < HUGE_PAGE ? LINE : HUGE_PAGE, bytes) != 0)
    return NULL;
#ifdef MADV_HUGEPAGE
  if (bytes >= HUGE_PAGE)
    madvise (data, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
  return memset (data, 0, bytes);
}

/* NULL if there is not that much memory. */
static WeftTensor *
try_add (WeftStore *store, const char *path, WeftType type, guint rank, const gint64 *shape)
{
  g_assert (rank <= WEFT_MAX_RANK && !g_hash_table_contains (store->tensors, path));
  WeftTensor *tensor = g_new0 (WeftTensor, 1);
  tensor->type = type;
  tensor->rank = rank;
  for (guint i = 0; i < rank; i++)
    tensor->shape[i] = shape[i];
  tensor->data = try_allocate (weft_tensor_bytes (tensor));
  if (!tensor->data)
    {
      g_free (tensor);
      return NULL;
    }
  g_hash_table_insert (store->tensors, g_strdup (path), tensor);
  return tensor;
}

WeftTensor *
weft_store_add (WeftStore *store, const char *path, WeftType type, guint rank, const gint64 *shape)
{
  WeftTensor *tensor = try_add (store, path, type, rank, shape);
  if (tensor == NULL)
    g_error ("no memory for %s", path);
  return tensor;
}

static gboolean
same_shape (const WeftTensor *tensor, const WeftShape *shape)
{
  if (tensor->type != shape->type || tensor->rank != shape->rank)
    return FALSE;
  for (guint i = 0; i < tensor->rank; i++)
    if (tensor->shape[i] != shape->dims[i].size)
      return FALSE;
  return TRUE;
}

static gboolean
prepare_variable (WeftStore *store, const WeftVariable *variable, guint64 seed, gboolean *is_new, GError **error)
{
  WeftTensor *tensor = weft_store_lookup (store, variable->path);
  gint64 shape[WEFT_MAX_RANK];
  *is_new = tensor == NULL;
  if (tensor != NULL)
    {
      if (same_shape (tensor, &variable->shape))
        return TRUE;
      g_autofree char *there = weft_tensor_describe (tensor), *wanted = weft_shape_print (&variable->shape);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s is %s already, the pipeline needs %s", variable->path, there, wanted);
      return FALSE;
    }
  for (guint i = 0; i < variable->shape.rank; i++)
    {
      g_assert (variable->shape.dims[i].symbol == NULL);
      shape[i] = variable->shape.dims[i].size;
    }
  tensor = try_add (store, variable->path, variable->shape.type, variable->shape.rank, shape);
  if (tensor == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "no memory for the %" G_GSIZE_FORMAT " bytes of %s",
                   weft_shape_bound_bytes (&variable->shape), variable->path);
      return FALSE;
    }
  return variable->copy_of != NULL || weft_initialise (tensor, variable->initial, variable->path, seed, error);
}

/* A copy of a copy is a copy of the original, whichever comes first in the pipeline. */
static const char *
original_of (const WeftPipeline *pipeline, const WeftVariable *variable)
{
  const char *path = variable->path;
  for (guint i = 0; variable != NULL && variable->copy_of != NULL; i++)
    {
      g_assert (i < pipeline->variables->len);
      path = variable->copy_of;
      variable = weft_pipeline_variable (pipeline, path);
    }
  return path;
}

void
weft_store_copy (WeftStore *store, const WeftPipeline *pipeline, gboolean (*wanted) (const char *copy, const char *original, gpointer data),
                 gpointer data)
{
  for (guint i = 0; i < pipeline->variables->len; i++)
    {
      const WeftVariable *variable = pipeline->variables->pdata[i];
      if (variable->copy_of == NULL)
        continue;
      const char *original = original_of (pipeline, variable);
      WeftTensor *to = weft_store_lookup (store, variable->path);
      const WeftTensor *from = weft_store_lookup (store, original);
      g_assert (to != NULL && from != NULL && weft_tensor_bytes (to) == weft_tensor_bytes (from));
      if (wanted (variable->path, original, data))
        memcpy (to->data, from->data, weft_tensor_bytes (to));
    }
}

static gboolean
is_among_new (const char *copy, const char *original, gpointer data)
{
  (void) original;
  return g_hash_table_contains (data, copy);
}

gboolean
weft_store_prepare (WeftStore *store, const WeftPipeline *pipeline, guint64 seed, GError **error)
{
  g_autoptr (GHashTable) added = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < pipeline->variables->len; i++)
    {
      const WeftVariable *variable = pipeline->variables->pdata[i];
      gboolean is_new;
      if (!prepare_variable (store, variable, seed, &is_new, error))
        return FALSE;
      if (is_new)
        g_hash_table_add (added, variable->path);
    }
  weft_store_copy (store, pipeline, is_among_new, added);
  return TRUE;
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
weft_store_paths (const WeftStore *store)
{
  GPtrArray *paths = g_ptr_array_sized_new (g_hash_table_size (store->tensors));
  GHashTableIter iter;
  gpointer path;
  g_hash_table_iter_init (&iter, store->tensors);
  while (g_hash_table_iter_next (&iter, &path, NULL))
    g_ptr_array_add (paths, path);
  g_ptr_array_sort (paths, compare_paths);
  return paths;
}

void
weft_store_set_guard (WeftStore *store, WeftStoreGuard guard, gpointer data)
{
  store->guard = guard;
  store->guard_data = data;
}

void
weft_store_guard (const WeftStore *store, const WeftTensor *tensor)
{
  if (store->guard != NULL)
    store->guard (store->guard_data, tensor);
}

gsize
weft_store_bytes (const WeftStore *store)
{
  GHashTableIter iter;
  gpointer tensor;
  gsize bytes = 0;
  g_hash_table_iter_init (&iter, store->tensors);
  while (g_hash_table_iter_next (&iter, NULL, &tensor))
    bytes += weft_tensor_bytes (tensor);
  return bytes;
}
