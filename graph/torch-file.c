/* Files of torch.save.
 *
 * Form: torch/serialization.py and torch/_utils.py of PyTorch. A pickle describes the tensors; a persistent identifier ('storage', type,
 * key, location, elements) stands for the memory of one or several of them. Memory lies in the zip member `data/KEY`, or in the older form
 * behind the pickles, each with its number of elements in front, in the order of a list of keys.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "torch-file.h"

#include <stdarg.h>
#include <string.h>

#include <weft/operator.h>

#include "pickle.h"
#include "zip.h"

#define MOST_PICKLE ((guint64) 64 << 20)
#define MOST_DEPTH 32
/* A name is made of what the pickle holds, so that names and the steps to them grow with it, unless containers are held by many others. */
#define NAMES_PER_PICKLE 64
#define CHUNK (1 << 20)

/* 0x1950a86a20f9469cfc6c, the first pickle of the older form. */
#define MAGIC "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
#define OLD_VERSION 1001

typedef struct
{
  WeftType type;
  gint64 elements;
  guint64 offset; /* in the file */
  gboolean found;
} Storage;

typedef struct
{
  WeftTensor tensor;
  const Storage *storage;
  gint64 first; /* element of the storage */
  gint64 strides[WEFT_MAX_RANK];
} Entry;

struct _WeftTorchFile
{
  WeftBytes *bytes;
  GHashTable *storages; /* key → Storage */
  GHashTable *entries;  /* name → Entry */
  GPtrArray *names;     /* (element-type utf8): in the file's order */
  guint64 work;         /* bytes of names that walking through the containers may still make */
};

static const struct
{
  const char *name;
  WeftType type;
} storage_types[] = {
  { "torch.FloatStorage", WEFT_F32 },     { "torch.DoubleStorage", WEFT_F64 }, { "torch.HalfStorage", WEFT_F16 },
  { "torch.BFloat16Storage", WEFT_BF16 }, { "torch.LongStorage", WEFT_I64 },   { "torch.IntStorage", WEFT_I32 },
  { "torch.ByteStorage", WEFT_U8 },       { "torch.BoolStorage", WEFT_U8 },
};

static const char *const globals[] = {
  "torch.FloatStorage",
  "torch.DoubleStorage",
  "torch.HalfStorage",
  "torch.BFloat16Storage",
  "torch.LongStorage",
  "torch.IntStorage",
  "torch.ByteStorage",
  "torch.BoolStorage",
  "torch._utils._rebuild_tensor",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_parameter",
  "torch.Size",
  "torch.device",
  "collections.OrderedDict",
  "argparse.Namespace",
  NULL,
};

static gboolean G_GNUC_PRINTF (4, 5) refuse (const WeftTorchFile *file, guint64 at, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: at byte %" G_GUINT64_FORMAT ": %s", weft_bytes_path (file->bytes), at, what);
  return FALSE;
}

static gboolean
add_storage (WeftTorchFile *file, const WeftPickled *identifier, GError **error)
{
  const WeftPickled *tuple = weft_pickled_item (identifier, 0, WEFT_PICKLE_TUPLE);
  const WeftPickled *tag = tuple ? weft_pickled_item (tuple, 0, WEFT_PICKLE_TEXT) : NULL;
  const WeftPickled *type = tuple ? weft_pickled_item (tuple, 1, WEFT_PICKLE_GLOBAL) : NULL;
  const WeftPickled *key = tuple ? weft_pickled_item (tuple, 2, WEFT_PICKLE_TEXT) : NULL;
  const WeftPickled *elements = tuple ? weft_pickled_item (tuple, 4, WEFT_PICKLE_INTEGER) : NULL;
  guint t = 0;
  if (!tag || !type || !key || !elements || !g_str_equal (tag->text, "storage") || elements->integer < 0)
    return refuse (file, identifier->offset, error, "a persistent identifier that is not ('storage', type, key, location, elements)");
  while (t < G_N_ELEMENTS (storage_types) && !g_str_equal (storage_types[t].name, type->text))
    t++;
  if (t == G_N_ELEMENTS (storage_types))
    return refuse (file, type->offset, error, "`%s` is no type of storage", type->text);
  const Storage *known = g_hash_table_lookup (file->storages, key->text);
  if (known != NULL && (known->type != storage_types[t].type || known->elements != elements->integer))
    return refuse (file, identifier->offset, error, "storage \"%s\" occurs with two types or sizes", key->text);
  if (known == NULL)
    {
      Storage storage = { .type = storage_types[t].type, .elements = elements->integer };
      g_hash_table_insert (file->storages, g_strdup (key->text), g_memdup2 (&storage, sizeof storage));
    }
  return TRUE;
}

static gboolean
add_storages (WeftTorchFile *file, const WeftPickle *pickle, GError **error)
{
  const GPtrArray *values = weft_pickle_values (pickle);
  for (guint i = 0; i < values->len; i++)
    {
      const WeftPickled *value = values->pdata[i];
      if (value->kind == WEFT_PICKLE_PERSISTENT && !add_storage (file, value, error))
        return FALSE;
    }
  return TRUE;
}

/* Reads shape and strides and checks that the last element lies in the storage. */
static gboolean
read_layout (const WeftTorchFile *file, const WeftPickled *shape, const WeftPickled *strides, Entry *entry, GError **error)
{
  gboolean empty = FALSE;
  gint64 last = entry->first, elements = 1;
  if (shape->items->len > WEFT_MAX_RANK || strides->items->len != shape->items->len)
    return refuse (file, shape->offset, error, "a tensor of %u dimensions with %u strides; at most %d are supported", shape->items->len,
                   strides->items->len, WEFT_MAX_RANK);
  entry->tensor.rank = shape->items->len;
  for (guint d = 0; d < entry->tensor.rank; d++)
    {
      const WeftPickled *size = weft_pickled_item (shape, d, WEFT_PICKLE_INTEGER);
      const WeftPickled *stride = weft_pickled_item (strides, d, WEFT_PICKLE_INTEGER);
      gint64 reach;
      if (!size || !stride || size->integer < 0 || stride->integer < 0)
        return refuse (file, shape->offset, error, "a size or stride that is no number of at least 0");
      entry->tensor.shape[d] = size->integer;
      /* A stride is no number of anything where there is one element. */
      entry->strides[d] = size->integer > 1 ? stride->integer : 0;
      empty = empty || size->integer == 0;
      if (__builtin_mul_overflow (elements, MAX (size->integer, 1), &elements)
          || __builtin_mul_overflow (MAX (size->integer - 1, 0), entry->strides[d], &reach) || __builtin_add_overflow (last, reach, &last))
        return refuse (file, shape->offset, error, "sizes and strides beyond 64 bits");
    }
  if (!empty && last >= entry->storage->elements)
    return refuse (file, shape->offset, error, "a tensor reaches element %" G_GINT64_FORMAT " of a storage of %" G_GINT64_FORMAT, last,
                   entry->storage->elements);
  /* Strides of zero repeat elements: a few bytes could stand for any number of them. */
  if (!empty && (guint64) elements > weft_bytes_length (file->bytes) / weft_type_size (entry->tensor.type))
    return refuse (file, shape->offset, error,
                   "a tensor of %" G_GINT64_FORMAT " elements, more than the file has room for; save it as it is "
                   "after tensor.contiguous ()",
                   elements);
  return TRUE;
}

static gboolean
add_tensor (WeftTorchFile *file, const char *name, const WeftPickled *call, GError **error)
{
  const WeftPickled *arguments = weft_pickled_item (call, 1, WEFT_PICKLE_TUPLE);
  const WeftPickled *identifier = weft_pickled_item (arguments, 0, WEFT_PICKLE_PERSISTENT);
  const WeftPickled *first = weft_pickled_item (arguments, 1, WEFT_PICKLE_INTEGER);
  const WeftPickled *shape = weft_pickled_item (arguments, 2, WEFT_PICKLE_TUPLE);
  const WeftPickled *strides = weft_pickled_item (arguments, 3, WEFT_PICKLE_TUPLE);
  if (!identifier || !first || first->integer < 0 || !shape || !strides)
    return refuse (file, call->offset, error, "a tensor that is not (storage, first element, shape, strides)");
  const WeftPickled *key = weft_pickled_item (weft_pickled_item (identifier, 0, WEFT_PICKLE_TUPLE), 2, WEFT_PICKLE_TEXT);
  const Storage *storage = g_hash_table_lookup (file->storages, key->text);
  if (!storage->found)
    return refuse (file, identifier->offset, error, "the file has no storage \"%s\"", key->text);
  Entry entry = { .tensor.type = storage->type, .storage = storage, .first = first->integer };
  if (!read_layout (file, shape, strides, &entry, error))
    return FALSE;
  char *owned = g_strdup (name);
  if (!g_hash_table_insert (file->entries, owned, g_memdup2 (&entry, sizeof entry)))
    return refuse (file, call->offset, error, "two tensors are called \"%s\"", name);
  g_ptr_array_add (file->names, owned);
  return TRUE;
}

static gboolean walk (WeftTorchFile *file, const WeftPickled *value, const char *name, guint depth, GError **error);

static gboolean
walk_item (WeftTorchFile *file, const WeftPickled *item, const char *name, const char *key, guint depth, GError **error)
{
  g_autofree char *full = *name != '\0' ? g_strconcat (name, ".", key, NULL) : g_strdup (key);
  return walk (file, item, full, depth + 1, error);
}

static gboolean
walk_numbered (WeftTorchFile *file, const WeftPickled *item, const char *name, gint64 number, guint depth, GError **error)
{
  g_autofree char *key = g_strdup_printf ("%" G_GINT64_FORMAT, number);
  return walk_item (file, item, name, key, depth, error);
}

/* Containers may hold themselves, and one may be held by many: names and depth are bounded. */
static gboolean
walk (WeftTorchFile *file, const WeftPickled *value, const char *name, guint depth, GError **error)
{
  guint64 work = strlen (name) + 1;
  if (work > file->work || depth > MOST_DEPTH)
    return refuse (file, value->offset, error, "containers nested too deeply, or in themselves");
  file->work -= work;
  if (weft_pickled_calls (value, "torch._utils._rebuild_tensor_v2") || weft_pickled_calls (value, "torch._utils._rebuild_tensor"))
    return add_tensor (file, name, value, error);
  if (weft_pickled_calls (value, "torch._utils._rebuild_parameter"))
    {
      const WeftPickled *tensor = weft_pickled_item (weft_pickled_item (value, 1, WEFT_PICKLE_TUPLE), 0, WEFT_PICKLE_CALL);
      return tensor != NULL ? walk (file, tensor, name, depth + 1, error) : refuse (file, value->offset, error, "a parameter of no tensor");
    }
  if (value->kind == WEFT_PICKLE_LIST || value->kind == WEFT_PICKLE_TUPLE)
    for (guint i = 0; i < value->items->len; i++)
      if (!walk_numbered (file, value->items->pdata[i], name, i, depth, error))
        return FALSE;
  for (guint i = 0; value->kind == WEFT_PICKLE_DICTIONARY && i + 1 < value->items->len; i += 2)
    {
      const WeftPickled *key = value->items->pdata[i], *item = value->items->pdata[i + 1];
      if (key->kind == WEFT_PICKLE_TEXT && !walk_item (file, item, name, key->text, depth, error))
        return FALSE;
      if (key->kind == WEFT_PICKLE_INTEGER && !walk_numbered (file, item, name, key->integer, depth, error))
        return FALSE;
    }
  return TRUE;
}

static WeftPickle *
read_pickle (const WeftTorchFile *file, const guint8 *data, gsize length, guint64 offset, gsize *used, GError **error)
{
  return weft_pickle_read (data, length, offset, used, globals, weft_bytes_path (file->bytes), error);
}

/* Holds the member that is to be a storage against the elements that the pickle says. */
static gboolean
place_member (const WeftTorchFile *file, const char *key, Storage *storage, const WeftZipMember *member, GError **error)
{
  guint64 size = weft_type_size (storage->type);
  if (member == NULL)
    return TRUE;
  if ((guint64) storage->elements > member->size / size)
    return refuse (file, member->offset, error,
                   "storage \"%s\" has %" G_GUINT64_FORMAT " bytes, too few for %" G_GINT64_FORMAT " elements of %s", key, member->size,
                   storage->elements, weft_type_name (storage->type));
  storage->offset = member->offset;
  storage->found = TRUE;
  return TRUE;
}

static const char *
find_pickle (GHashTable *members)
{
  GHashTableIter iterator;
  gpointer name;
  g_hash_table_iter_init (&iterator, members);
  while (g_hash_table_iter_next (&iterator, &name, NULL))
    if (g_str_has_suffix (name, "/data.pkl"))
      return name;
  return NULL;
}

static guint8 *
read_member (const WeftTorchFile *file, const WeftZipMember *member, GError **error)
{
  if (member->size > MOST_PICKLE)
    {
      refuse (file, member->offset, error, "the description of the tensors is larger than any model's");
      return NULL;
    }
  g_autofree guint8 *data = g_malloc (member->size + 1);
  if (!weft_bytes_read (file->bytes, member->offset, data, member->size, error))
    return NULL;
  if (weft_zip_checksum (0, data, member->size) != member->checksum)
    {
      refuse (file, member->offset, error, "the description of the tensors is damaged: its checksum differs");
      return NULL;
    }
  return g_steal_pointer (&data);
}

static gboolean
check_byte_order (const WeftTorchFile *file, const WeftZipMember *member, GError **error)
{
  g_autofree guint8 *data = member != NULL ? read_member (file, member, error) : NULL;
  if (member == NULL)
    return TRUE;
  if (data == NULL)
    return FALSE;
  if (member->size != strlen ("little") || memcmp (data, "little", member->size) != 0)
    return refuse (file, member->offset, error, "the file is not little-endian; save it again on a little-endian machine");
  return TRUE;
}

static WeftPickle *
open_zip (WeftTorchFile *file, GError **error)
{
  g_autoptr (GHashTable) members = weft_zip_read (file->bytes, error);
  const char *name = members != NULL ? find_pickle (members) : NULL;
  if (members == NULL)
    return NULL;
  if (name == NULL)
    {
      refuse (file, 0, error,
              "a zip archive without data.pkl: not a file of torch.save (or one of torch.jit.save, which is not supported)");
      return NULL;
    }
  g_autofree char *folder = g_path_get_dirname (name), *order = g_build_filename (folder, "byteorder", NULL);
  const WeftZipMember *member = g_hash_table_lookup (members, name);
  g_autofree guint8 *data = read_member (file, member, error);
  if (data == NULL || !check_byte_order (file, g_hash_table_lookup (members, order), error))
    return NULL;
  g_autoptr (WeftPickle) pickle = read_pickle (file, data, member->size, member->offset, NULL, error);
  if (pickle == NULL || !add_storages (file, pickle, error))
    return NULL;
  GHashTableIter iterator;
  gpointer key, storage;
  g_hash_table_iter_init (&iterator, file->storages);
  while (g_hash_table_iter_next (&iterator, &key, &storage))
    {
      g_autofree char *path = g_build_filename (folder, "data", key, NULL);
      if (!place_member (file, key, storage, g_hash_table_lookup (members, path), error))
        return NULL;
    }
  return g_steal_pointer (&pickle);
}

static gboolean
little_endian (const WeftPickled *facts)
{
  for (guint i = 0; facts->kind == WEFT_PICKLE_DICTIONARY && i + 1 < facts->items->len; i += 2)
    {
      const WeftPickled *key = facts->items->pdata[i], *value = facts->items->pdata[i + 1];
      if (key->kind == WEFT_PICKLE_TEXT && g_str_equal (key->text, "little_endian"))
        return value->kind == WEFT_PICKLE_BOOLEAN && value->integer;
    }
  return FALSE;
}

/* The older form begins with three pickles of its own: a magic number, a version, facts about the machine. */
static gboolean
check_old_head (const WeftTorchFile *file, const guint8 *data, gsize length, gsize *at, GError **error)
{
  for (int i = 0; i < 3; i++)
    {
      gsize used;
      g_autoptr (WeftPickle) pickle = read_pickle (file, data + *at, length - *at, *at, &used, error);
      if (pickle == NULL)
        return FALSE;
      const WeftPickled *root = weft_pickle_root (pickle);
      if (i == 0 && (root->kind != WEFT_PICKLE_LONG || root->length != strlen (MAGIC) || memcmp (root->text, MAGIC, root->length) != 0))
        return refuse (file, *at, error, "a pickle, but not one of torch.save");
      if (i == 1 && (root->kind != WEFT_PICKLE_INTEGER || root->integer != OLD_VERSION))
        return refuse (file, *at, error, "an unknown version of the older form of torch.save");
      if (i == 2 && !little_endian (root))
        return refuse (file, *at, error, "the file is not little-endian; save it again on a little-endian machine");
      *at += used;
    }
  return TRUE;
}

static gboolean
place_old_storage (WeftTorchFile *file, const WeftPickled *key, guint64 *at, GError **error)
{
  guint64 elements, size;
  Storage *storage = key->kind == WEFT_PICKLE_TEXT ? g_hash_table_lookup (file->storages, key->text) : NULL;
  if (storage == NULL)
    return refuse (file, key->offset, error, "a storage that no tensor uses");
  if (!weft_bytes_read (file->bytes, *at, &elements, sizeof elements, error))
    return FALSE;
  if (GUINT64_FROM_LE (elements) != (guint64) storage->elements)
    return refuse (file, *at, error, "storage \"%s\" has %" G_GUINT64_FORMAT " elements, %" G_GINT64_FORMAT " are expected", key->text,
                   (guint64) GUINT64_FROM_LE (elements), storage->elements);
  *at += sizeof elements;
  if (__builtin_mul_overflow ((guint64) storage->elements, (guint64) weft_type_size (storage->type), &size)
      || size > weft_bytes_length (file->bytes) - *at)
    return refuse (file, *at, error, "storage \"%s\" reaches beyond the end of the file", key->text);
  storage->offset = *at;
  storage->found = TRUE;
  *at += size;
  return TRUE;
}

static WeftPickle *
open_old (WeftTorchFile *file, GError **error)
{
  gsize length = MIN (weft_bytes_length (file->bytes), MOST_PICKLE), at = 0, used, after;
  g_autofree guint8 *data = g_malloc (length + 1);
  if (!weft_bytes_read (file->bytes, 0, data, length, error) || !check_old_head (file, data, length, &at, error))
    return NULL;
  g_autoptr (WeftPickle) pickle = read_pickle (file, data + at, length - at, at, &used, error);
  if (pickle == NULL || !add_storages (file, pickle, error))
    return NULL;
  at += used;
  g_autoptr (WeftPickle) keys = read_pickle (file, data + at, length - at, at, &after, error);
  if (keys == NULL)
    return NULL;
  const WeftPickled *list = weft_pickle_root (keys);
  guint64 content = at + after;
  if (list->kind != WEFT_PICKLE_LIST)
    {
      refuse (file, at, error, "no list of storages behind the description of the tensors");
      return NULL;
    }
  for (guint i = 0; i < list->items->len; i++)
    if (!place_old_storage (file, list->items->pdata[i], &content, error))
      return NULL;
  return g_steal_pointer (&pickle);
}

gboolean
weft_torch_file_begins (const guint8 *data, gsize length)
{
  return length >= 4 && (memcmp (data, "PK\3\4", 4) == 0 || (data[0] == 0x80 && data[1] >= 2 && data[1] <= 5));
}

WeftTorchFile *
weft_torch_file_open (const char *path, GError **error)
{
  guint8 begin[4] = { 0 };
  WeftBytes *bytes = weft_bytes_open (path, error);
  if (bytes == NULL)
    return NULL;
  g_autoptr (WeftTorchFile) file = g_new0 (WeftTorchFile, 1);
  file->bytes = bytes;
  file->storages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  file->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  file->names = g_ptr_array_new ();
  if (!weft_bytes_read (bytes, 0, begin, MIN (weft_bytes_length (bytes), sizeof begin), error))
    return NULL;
  g_autoptr (WeftPickle) pickle = begin[0] == 'P' ? open_zip (file, error) : open_old (file, error);
  file->work = NAMES_PER_PICKLE * MIN (weft_bytes_length (bytes), MOST_PICKLE);
  if (pickle == NULL || !walk (file, weft_pickle_root (pickle), "", 0, error))
    return NULL;
  g_ptr_array_add (file->names, NULL);
  return g_steal_pointer (&file);
}

void
weft_torch_file_close (WeftTorchFile *file)
{
  if (file == NULL)
    return;
  g_ptr_array_unref (file->names);
  g_hash_table_unref (file->entries);
  g_hash_table_unref (file->storages);
  weft_bytes_close (file->bytes);
  g_free (file);
}

const char *const *
weft_torch_file_names (const WeftTorchFile *file)
{
  return (const char *const *) file->names->pdata;
}

const WeftTensor *
weft_torch_file_find (const WeftTorchFile *file, const char *name)
{
  const Entry *entry = g_hash_table_lookup (file->entries, name);
  return entry != NULL ? &entry->tensor : NULL;
}

static gboolean
contiguous (const Entry *entry)
{
  gint64 expected = 1;
  for (guint d = entry->tensor.rank; d-- > 0;)
    {
      if (entry->tensor.shape[d] != 1 && entry->strides[d] != expected)
        return FALSE;
      expected *= entry->tensor.shape[d];
    }
  return TRUE;
}

static void
convert (WeftType type, gconstpointer from, gint64 n, gboolean to_f32, char *to)
{
  if (to_f32 && type != WEFT_F32)
    weft_convert_to_f32 (type, from, n, (float *) to);
  else
    memcpy (to, from, (gsize) n * weft_type_size (type));
}

static gboolean
read_contiguous (const WeftTorchFile *file, const Entry *entry, gboolean to_f32, char *data, GError **error)
{
  gsize size = weft_type_size (entry->tensor.type), out = to_f32 ? sizeof (float) : size;
  gint64 n = weft_tensor_elements (&entry->tensor), most = CHUNK / (gint64) size;
  g_autofree char *chunk = g_malloc (CHUNK);
  for (gint64 at = 0; at < n; at += most)
    {
      gint64 count = MIN (most, n - at);
      if (!weft_bytes_read (file->bytes, entry->storage->offset + (guint64) (entry->first + at) * size, chunk, (guint64) count * size,
                            error))
        return FALSE;
      convert (entry->tensor.type, chunk, count, to_f32, data + (gsize) at * out);
    }
  return TRUE;
}

/* Gathers from the whole storage, which is in the file, so that memory stays within the file's size. */
static gboolean
read_strided (const WeftTorchFile *file, const Entry *entry, gboolean to_f32, char *data, GError **error)
{
  gsize size = weft_type_size (entry->tensor.type), out = to_f32 ? sizeof (float) : size;
  gint64 n = weft_tensor_elements (&entry->tensor), index[WEFT_MAX_RANK] = { 0 }, at = entry->first;
  guint64 bytes = (guint64) entry->storage->elements * size;
  g_autofree char *storage = g_malloc (bytes + 1);
  if (!weft_bytes_read (file->bytes, entry->storage->offset, storage, bytes, error))
    return FALSE;
  for (gint64 i = 0; i < n; i++)
    {
      convert (entry->tensor.type, storage + (gsize) at * size, 1, to_f32, data + (gsize) i * out);
      for (guint d = entry->tensor.rank; d-- > 0;)
        {
          at += entry->strides[d];
          if (++index[d] < entry->tensor.shape[d])
            break;
          at -= entry->strides[d] * entry->tensor.shape[d];
          index[d] = 0;
        }
    }
  return TRUE;
}

static gboolean
read_entry (const WeftTorchFile *file, const char *name, gboolean to_f32, gpointer data, GError **error)
{
  const Entry *entry = g_hash_table_lookup (file->entries, name);
  if (entry == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has no tensor \"%s\"", weft_bytes_path (file->bytes), name);
      return FALSE;
    }
  return (contiguous (entry) ? read_contiguous : read_strided) (file, entry, to_f32, data, error);
}

gboolean
weft_torch_file_read (WeftTorchFile *file, const char *name, gpointer data, GError **error)
{
  return read_entry (file, name, FALSE, data, error);
}

gboolean
weft_torch_file_read_f32 (WeftTorchFile *file, const char *name, float *data, GError **error)
{
  return read_entry (file, name, TRUE, data, error);
}
