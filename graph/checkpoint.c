/* Checkpoints: the store, with what a run needs to go on, in one safetensors file.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "checkpoint.h"

#include <string.h>

#define VERSION_KEY "weft.checkpoint"
#define CHECKSUM_PREFIX "crc32c:"
#define WHOLE_KEY "weft.crc32c"
#define UNSUMMED_VERSION "1" /* without WHOLE_KEY */
#define MAX_NAMED 8          /* names that a message lists */

static gboolean
is_below (const char *path, const char *const *prefixes)
{
  if (prefixes == NULL)
    return TRUE;
  for (; *prefixes != NULL; prefixes++)
    {
      gsize length = strlen (*prefixes);
      if (strncmp (path, *prefixes, length) == 0 && (path[length] == '\0' || path[length] == '.'))
        return TRUE;
    }
  return FALSE;
}

static gboolean
is_own_key (const char *key)
{
  return g_str_has_prefix (key, "weft.") || g_str_has_prefix (key, CHECKSUM_PREFIX);
}

WeftSafetensorsWriter *
weft_checkpoint_writer (const WeftStore *store, const char *const *prefixes, GHashTable *metadata, GHashTable *names)
{
  WeftSafetensorsWriter *writer = weft_safetensors_writer_new ();
  g_autoptr (GPtrArray) paths = weft_store_paths (store);
  weft_safetensors_writer_metadata (writer, VERSION_KEY, WEFT_CHECKPOINT_VERSION);
  weft_safetensors_writer_sum (writer, CHECKSUM_PREFIX, WHOLE_KEY);
  for (guint i = 0; i < paths->len; i++)
    if (is_below (paths->pdata[i], prefixes))
      {
        weft_safetensors_writer_add (writer, paths->pdata[i], weft_store_lookup (store, paths->pdata[i]));
        if (names != NULL)
          g_hash_table_add (names, g_strdup (paths->pdata[i]));
      }
  GHashTableIter iter;
  gpointer key, value;
  if (metadata != NULL)
    for (g_hash_table_iter_init (&iter, metadata); g_hash_table_iter_next (&iter, &key, &value);)
      {
        g_assert (!is_own_key (key));
        weft_safetensors_writer_metadata (writer, key, value);
      }
  return writer;
}

gboolean
weft_checkpoint_save_below (const WeftStore *store, const char *const *prefixes, const char *path, GHashTable *metadata, GError **error)
{
  g_autoptr (WeftSafetensorsWriter) writer = weft_checkpoint_writer (store, prefixes, metadata, NULL);
  return weft_safetensors_writer_write (writer, path, error);
}

gboolean
weft_checkpoint_save (const WeftStore *store, const char *path, GHashTable *metadata, GError **error)
{
  return weft_checkpoint_save_below (store, NULL, path, metadata, error);
}

static gboolean
is_checkpoint (const WeftSafetensors *file, const char *path, GError **error)
{
  if (weft_safetensors_metadata (file, VERSION_KEY) != NULL)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: not a checkpoint: its metadata has no \"" VERSION_KEY "\"", path);
  return FALSE;
}

static gboolean
check_version (const WeftSafetensors *file, const char *path, GError **error)
{
  const char *version = weft_safetensors_metadata (file, VERSION_KEY);
  if (g_str_equal (version, WEFT_CHECKPOINT_VERSION) || g_str_equal (version, UNSUMMED_VERSION))
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
               "%s: checkpoint of version %s; this library reads versions " UNSUMMED_VERSION " to " WEFT_CHECKPOINT_VERSION, path, version);
  return FALSE;
}

/* Everything before the data, sums of the data among it, against the sum of the whole. */
static gboolean
check_whole (WeftSafetensors *file, const char *path, GError **error)
{
  static const char key[] = "\"" WHOLE_KEY "\":\"";
  const char *expected = weft_safetensors_metadata (file, WHOLE_KEY);
  if (expected == NULL && g_str_equal (weft_safetensors_metadata (file, VERSION_KEY), UNSUMMED_VERSION))
    return TRUE;
  gsize length;
  g_autofree char *start = weft_safetensors_header (file, &length, error);
  if (start == NULL)
    return FALSE;
  char *digits = memmem (start, length, key, strlen (key));
  if (expected != NULL && strlen (expected) == 8 && digits != NULL)
    {
      digits += strlen (key);
      g_autofree char *sum = NULL;
      memset (digits, '0', MIN (8, (gsize) (start + length - digits)));
      sum = g_strdup_printf ("%08x", weft_crc32c (0, start, length));
      if (g_str_equal (sum, expected))
        return TRUE;
    }
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
               "%s: damaged: its header does not agree with the checksum \"" WHOLE_KEY "\"; use another checkpoint", path);
  return FALSE;
}

/* What was read of one tensor against its checksum. */
static gboolean
has_sum (const WeftSafetensors *file, const char *path, const char *name, gconstpointer data, GError **error)
{
  g_autofree char *key = g_strconcat (CHECKSUM_PREFIX, name, NULL);
  const char *expected = weft_safetensors_metadata (file, key);
  if (expected == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: tensor \"%s\" has no checksum", path, name);
      return FALSE;
    }
  g_autofree char *sum = g_strdup_printf ("%08x", weft_crc32c (0, data, weft_tensor_bytes (weft_safetensors_find (file, name))));
  if (g_str_equal (sum, expected))
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
               "%s: tensor \"%s\" is damaged: its data has the checksum %s, %s was written; use another checkpoint", path, name, sum,
               expected);
  return FALSE;
}

static gboolean
check_sum (WeftSafetensors *file, const char *path, const char *name, GError **error)
{
  gsize bytes = weft_tensor_bytes (weft_safetensors_find (file, name));
  g_autofree char *data = g_try_malloc (MAX (bytes, 1));
  if (data == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: no memory for the %" G_GSIZE_FORMAT " bytes of \"%s\"", path, bytes, name);
      return FALSE;
    }
  return weft_safetensors_read (file, name, data, error) && has_sum (file, path, name, data, error);
}

static WeftSafetensors *
open_verified (const char *path, GHashTable **metadata, GError **error)
{
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, error);
  if (file == NULL || !is_checkpoint (file, path, error) || !check_whole (file, path, error) || !check_version (file, path, error))
    return NULL;
  for (const char *const *name = weft_safetensors_names (file); *name != NULL; name++)
    if (!check_sum (file, path, *name, error))
      return NULL;
  if (metadata != NULL)
    {
      *metadata = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
      for (const char *const *key = weft_safetensors_metadata_keys (file); *key != NULL; key++)
        if (!is_own_key (*key))
          g_hash_table_insert (*metadata, g_strdup (*key), g_strdup (weft_safetensors_metadata (file, *key)));
    }
  return g_steal_pointer (&file);
}

gboolean
weft_checkpoint_verify (const char *path, GHashTable **metadata, GError **error)
{
  g_autoptr (WeftSafetensors) file = open_verified (path, metadata, error);
  return file != NULL;
}

gboolean
weft_checkpoint_is_damaged (const char *path)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, &failure);
  if (file != NULL && is_checkpoint (file, path, &failure) && check_whole (file, path, &failure) && !check_version (file, path, NULL))
    return FALSE;
  for (const char *const *name = file != NULL ? weft_safetensors_names (file) : NULL; failure == NULL && *name != NULL; name++)
    check_sum (file, path, *name, &failure);
  return failure != NULL && failure->code != WEFT_ERROR_SYSTEM;
}

static void
list_name (GString *list, guint *n, const char *name)
{
  if (++*n <= MAX_NAMED)
    g_string_append_printf (list, "%s%s", *n == 1 ? "" : ", ", name);
  else if (*n == MAX_NAMED + 1)
    g_string_append (list, ", …");
}

/* Both sides must have the same tensors with the same types and shapes; all differences are reported together. */
static gboolean
check_agreement (const WeftStore *store, const char *const *prefixes, const WeftSafetensors *file, const char *path, GError **error)
{
  g_autoptr (GString) missing = g_string_new (NULL), extra = g_string_new (NULL), other = g_string_new (NULL);
  g_autoptr (GPtrArray) paths = weft_store_paths (store);
  guint n_missing = 0, n_extra = 0, n_other = 0;
  for (guint i = 0; i < paths->len; i++)
    {
      const WeftTensor *there = weft_safetensors_find (file, paths->pdata[i]), *here = weft_store_lookup (store, paths->pdata[i]);
      if (!is_below (paths->pdata[i], prefixes))
        continue;
      if (there == NULL)
        list_name (missing, &n_missing, paths->pdata[i]);
      else if (there->type != here->type || there->rank != here->rank
               || memcmp (there->shape, here->shape, here->rank * sizeof (gint64)) != 0)
        {
          g_autofree char *file_shape = weft_tensor_describe (there), *store_shape = weft_tensor_describe (here);
          g_autofree char *text =
              g_strdup_printf ("%s (%s in the file, %s in the pipeline)", (char *) paths->pdata[i], file_shape, store_shape);
          list_name (other, &n_other, text);
        }
    }
  for (const char *const *name = weft_safetensors_names (file); *name != NULL; name++)
    if (!is_below (*name, prefixes) || weft_store_lookup (store, *name) == NULL)
      list_name (extra, &n_extra, *name);
  if (n_missing + n_extra + n_other == 0)
    return TRUE;
  g_autoptr (GString) message = g_string_new (NULL);
  if (n_missing > 0)
    g_string_append_printf (message, "; it lacks %u: %s", n_missing, missing->str);
  if (n_extra > 0)
    g_string_append_printf (message, "; the pipeline has no place for %u: %s", n_extra, extra->str);
  if (n_other > 0)
    g_string_append_printf (message, "; %u differ in shape: %s", n_other, other->str);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: the checkpoint is of another pipeline%s", path, message->str);
  return FALSE;
}

gboolean
weft_checkpoint_load_below (WeftStore *store, const char *const *prefixes, const char *path, GHashTable **metadata, GError **error)
{
  g_autoptr (GHashTable) entries = NULL;
  g_autoptr (WeftSafetensors) file = open_verified (path, &entries, error);
  if (file == NULL || !check_agreement (store, prefixes, file, path, error))
    return FALSE;
  for (const char *const *name = weft_safetensors_names (file); *name != NULL; name++)
    {
      gpointer data = weft_store_lookup (store, *name)->data;
      /* Once more: what was verified has been read again since. */
      if (!weft_safetensors_read (file, *name, data, error) || !has_sum (file, path, *name, data, error))
        return FALSE;
    }
  if (metadata != NULL)
    *metadata = g_steal_pointer (&entries);
  return TRUE;
}

gboolean
weft_checkpoint_load (WeftStore *store, const char *path, GHashTable **metadata, GError **error)
{
  return weft_checkpoint_load_below (store, NULL, path, metadata, error);
}
