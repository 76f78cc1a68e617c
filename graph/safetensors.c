/* safetensors files: reading.
 *
 * Format: https://github.com/huggingface/safetensors, "Format". The header is held against everything that the format promises before
 * any of it is believed: nesting, number syntax, duplicate keys, types, sizes without overflow, offsets without holes or overlaps.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/operator.h>

#include "json.h"

#define MAX_HEADER 100000000 /* the limit of the reference implementation */
#define MAX_DEPTH 3          /* { name: { "shape": [ … */
#define CHUNK 65536

G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

typedef struct
{
  char *name;
  WeftTensor tensor;
  guint64 begin, end; /* from the start of the data */
  char *unreadable;   /* why this library has no tensor for it; its place in the file is checked all the same */
} Entry;

struct _WeftSafetensors
{
  char *path;
  int file;
  guint64 data; /* offset of the first byte of data */
  GPtrArray *entries;
  GHashTable *by_name;
  GPtrArray *names;
  GHashTable *metadata;
  GPtrArray *metadata_keys;
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  g_free (entry->name);
  g_free (entry->unreadable);
  g_free (entry);
}

static gboolean G_GNUC_PRINTF (3, 4) wrong (const WeftSafetensors *file, GError **error, const char *format, ...)
{
  va_list list;
  va_start (list, format);
  g_autofree char *message = g_strdup_vprintf (format, list);
  va_end (list);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: not a valid safetensors file: %s", file->path, message);
  return FALSE;
}

static gboolean
read_at (const WeftSafetensors *file, guint64 offset, gpointer data, guint64 length, GError **error)
{
  char *at = data;
  while (length > 0)
    {
      gssize n = pread (file->file, at, MIN (length, (guint64) 1 << 30), (off_t) offset);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: can't be read at offset %" G_GUINT64_FORMAT ": %s", file->path, offset,
                       n < 0 ? g_strerror (errno) : "the file ends there");
          return FALSE;
        }
      at += n;
      offset += (guint64) n;
      length -= (guint64) n;
    }
  return TRUE;
}

/* One number: digits without sign, leading zero, fraction or exponent, small enough for 63 bits. Leaves *at on its last digit. */
static gboolean
scan_number (const WeftSafetensors *file, const char *text, gsize length, gsize *at, GError **error)
{
  gsize start = *at;
  guint64 value = 0;
  while (*at < length && g_ascii_isdigit (text[*at]))
    {
      guint digit = (guint) (text[*at] - '0');
      if (value > ((guint64) G_MAXINT64 - digit) / 10)
        return wrong (file, error, "the number at byte %" G_GSIZE_FORMAT " of the header is too large", start);
      value = value * 10 + digit;
      ++*at;
    }
  if (*at - start > 1 && text[start] == '0')
    return wrong (file, error, "the number at byte %" G_GSIZE_FORMAT " of the header has a leading zero", start);
  --*at;
  return TRUE;
}

static gboolean
scan_string (const WeftSafetensors *file, const char *text, gsize length, gsize *at, GError **error)
{
  gsize start = *at;
  for (++*at; *at < length && text[*at] != '"'; ++*at)
    {
      if ((guchar) text[*at] < 0x20)
        return wrong (file, error, "control character in a string at byte %" G_GSIZE_FORMAT " of the header", *at);
      if (text[*at] != '\\')
        continue;
      gsize bytes = weft_json_escape (text + *at, length - *at);
      if (bytes == 0)
        return wrong (file, error, "the escape at byte %" G_GSIZE_FORMAT " of the header is no character", *at);
      *at += bytes - 1;
    }
  return *at < length || wrong (file, error, "the string at byte %" G_GSIZE_FORMAT " of the header does not end", start);
}

/* Only what a safetensors header can consist of gets to the JSON parser: it recurses without bound and is lenient where
 * the format is not. */
static gboolean
scan_header (const WeftSafetensors *file, const char *text, gsize length, GError **error)
{
  guint depth = 0;
  const char *valid_end;
  if (!g_utf8_validate_len (text, length, &valid_end))
    return wrong (file, error, "the header is not UTF-8 at byte %" G_GSIZE_FORMAT, (gsize) (valid_end - text));
  if (length == 0 || text[0] != '{')
    return wrong (file, error, "the header does not begin with \"{\"");
  for (gsize at = 0; at < length; at++)
    switch (text[at])
      {
      case '{':
      case '[':
        if (depth == 0 && at > 0)
          return wrong (file, error, "something follows the header's object at byte %" G_GSIZE_FORMAT, at);
        if (++depth > MAX_DEPTH)
          return wrong (file, error, "the header is nested too deeply at byte %" G_GSIZE_FORMAT, at);
        break;
      case '}':
      case ']':
        if (depth-- == 0)
          return wrong (file, error, "unexpected \"%c\" at byte %" G_GSIZE_FORMAT " of the header", text[at], at);
        break;
      case '"':
        if (!scan_string (file, text, length, &at, error))
          return FALSE;
        break;
      case ':':
      case ',':
      case ' ':
      case '\t':
      case '\n':
      case '\r':
        break;
      default:
        if (!g_ascii_isdigit (text[at]))
          return wrong (file, error, "unexpected byte 0x%02x at byte %" G_GSIZE_FORMAT " of the header", (guchar) text[at], at);
        if (!scan_number (file, text, length, &at, error))
          return FALSE;
      }
  return depth == 0 || wrong (file, error, "the header ends inside an object");
}

static void
count_member (JsonParser *parser, JsonObject *object, const char *name, gpointer data)
{
  (void) parser, (void) object, (void) name;
  ++*(guint *) data;
}

/* Members that are left in the tree; the parser lets later duplicates replace earlier ones. */
static guint
members_in (JsonObject *root)
{
  guint n = json_object_get_size (root);
  g_autoptr (GList) values = json_object_get_values (root);
  for (GList *at = values; at != NULL; at = at->next)
    if (JSON_NODE_HOLDS_OBJECT (at->data))
      n += json_object_get_size (json_node_get_object (at->data));
  return n;
}

static JsonObject *
parse_header (const WeftSafetensors *file, JsonParser *parser, const char *text, gsize length, GError **error)
{
  guint members = 0;
  g_autoptr (GError) local = NULL;
  if (!scan_header (file, text, length, error))
    return NULL;
  g_signal_connect (parser, "object-member", G_CALLBACK (count_member), &members);
  if (!json_parser_load_from_data (parser, text, (gssize) length, &local))
    {
      /* It quotes the header, and cuts it anywhere. */
      g_autofree char *reason = g_utf8_make_valid (local->message, -1);
      wrong (file, error, "the header is not JSON: %s", reason);
      return NULL;
    }
  JsonNode *root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    {
      wrong (file, error, "the header is not a JSON object");
      return NULL;
    }
  if (members != members_in (json_node_get_object (root)))
    {
      wrong (file, error, "a name occurs twice in the header");
      return NULL;
    }
  return json_node_get_object (root);
}

static gboolean
read_metadata (WeftSafetensors *file, JsonNode *node, GError **error)
{
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return wrong (file, error, "__metadata__ is not an object");
  JsonObject *object = json_node_get_object (node);
  g_autoptr (GList) members = json_object_get_members (object);
  for (GList *at = members; at != NULL; at = at->next)
    {
      JsonNode *value = json_object_get_member (object, at->data);
      if (!JSON_NODE_HOLDS_VALUE (value) || json_node_get_value_type (value) != G_TYPE_STRING)
        return wrong (file, error, "\"%s\" in __metadata__ is not a string", (const char *) at->data);
      char *key = g_strdup (at->data);
      g_hash_table_insert (file->metadata, key, json_node_dup_string (value));
      g_ptr_array_insert (file->metadata_keys, (int) file->metadata_keys->len - 1, key);
    }
  return TRUE;
}

/* Types of the format; those without a WeftType keep their place in the file but can't be read. */
static gboolean
read_type (const WeftSafetensors *file, Entry *entry, const char *name, gsize *size, GError **error)
{
  static const struct
  {
    const char *name;
    gsize size;
    WeftType type;
  } types[] = {
    { "F64", 8, WEFT_F64 },         { "F32", 4, WEFT_F32 },     { "F16", 2, WEFT_F16 },         { "BF16", 2, WEFT_BF16 },
    { "I64", 8, WEFT_I64 },         { "I32", 4, WEFT_I32 },     { "U8", 1, WEFT_U8 },           { "BOOL", 1, WEFT_U8 },
    { "I8", 1, WEFT_N_TYPES },      { "I16", 2, WEFT_N_TYPES }, { "U16", 2, WEFT_N_TYPES },     { "U32", 4, WEFT_N_TYPES },
    { "U64", 8, WEFT_N_TYPES },     { "C64", 8, WEFT_N_TYPES }, { "F8_E5M2", 1, WEFT_N_TYPES }, { "F8_E4M3", 1, WEFT_N_TYPES },
    { "F8_E8M0", 1, WEFT_N_TYPES },
  };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_equal (name, types[i].name))
      {
        *size = types[i].size;
        entry->tensor.type = types[i].type;
        if (types[i].type == WEFT_N_TYPES)
          entry->unreadable = g_strdup_printf ("type %s is not supported", name);
        return TRUE;
      }
  return wrong (file, error, "tensor \"%s\" has the unknown type \"%s\"", entry->name, name);
}

static gboolean
get_array (const WeftSafetensors *file, const Entry *entry, JsonObject *object, const char *key, JsonArray **array, GError **error)
{
  JsonNode *node = json_object_get_member (object, key);
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return wrong (file, error, "tensor \"%s\" has no list \"%s\"", entry->name, key);
  *array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (*array); i++)
    {
      JsonNode *item = json_array_get_element (*array, i);
      if (!JSON_NODE_HOLDS_VALUE (item) || json_node_get_value_type (item) != G_TYPE_INT64 || json_node_get_int (item) < 0)
        return wrong (file, error, "\"%s\" of tensor \"%s\" holds something else than sizes", key, entry->name);
    }
  return TRUE;
}

/* Shape and offsets of one tensor; the data must be as long as type and shape say. */
static gboolean
read_layout (const WeftSafetensors *file, Entry *entry, JsonObject *object, gsize size, GError **error)
{
  JsonArray *shape, *offsets;
  if (!get_array (file, entry, object, "shape", &shape, error) || !get_array (file, entry, object, "data_offsets", &offsets, error))
    return FALSE;
  guint64 bytes = size;
  guint rank = json_array_get_length (shape);
  if (rank > WEFT_MAX_RANK && entry->unreadable == NULL)
    entry->unreadable = g_strdup_printf ("it has %u dimensions, at most %d are supported", rank, WEFT_MAX_RANK);
  for (guint i = 0; i < rank; i++)
    {
      gint64 length = json_array_get_int_element (shape, i);
      if (!g_uint64_checked_mul (&bytes, bytes, (guint64) length) || bytes > G_MAXINT64)
        return wrong (file, error, "the shape of tensor \"%s\" is too large", entry->name);
      if (i < WEFT_MAX_RANK)
        entry->tensor.shape[i] = length;
    }
  entry->tensor.rank = MIN (rank, WEFT_MAX_RANK);
  if (json_array_get_length (offsets) != 2)
    return wrong (file, error, "\"data_offsets\" of tensor \"%s\" are not two numbers", entry->name);
  entry->begin = (guint64) json_array_get_int_element (offsets, 0);
  entry->end = (guint64) json_array_get_int_element (offsets, 1);
  if (entry->end < entry->begin || entry->end - entry->begin != bytes)
    return wrong (file, error,
                  "tensor \"%s\" needs %" G_GUINT64_FORMAT " bytes by its type and shape, its offsets are %" G_GUINT64_FORMAT
                  " and %" G_GUINT64_FORMAT,
                  entry->name, bytes, entry->begin, entry->end);
  return TRUE;
}

static gboolean
read_entry (WeftSafetensors *file, const char *name, JsonNode *node, GError **error)
{
  Entry *entry = g_new0 (Entry, 1);
  gsize size = 0;
  entry->name = g_strdup (name);
  g_ptr_array_add (file->entries, entry);
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return wrong (file, error, "tensor \"%s\" is not described by an object", name);
  JsonObject *object = json_node_get_object (node);
  JsonNode *type = json_object_get_member (object, "dtype");
  if (type == NULL || !JSON_NODE_HOLDS_VALUE (type) || json_node_get_value_type (type) != G_TYPE_STRING)
    return wrong (file, error, "tensor \"%s\" has no \"dtype\"", name);
  if (json_object_get_size (object) != 3)
    return wrong (file, error, "tensor \"%s\" is not described by dtype, shape and data_offsets alone", name);
  return read_type (file, entry, json_node_get_string (type), &size, error) && read_layout (file, entry, object, size, error);
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const Entry *x = *(Entry *const *) a, *y = *(Entry *const *) b;
  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  if (x->end != y->end)
    return x->end < y->end ? -1 : 1;
  return strcmp (x->name, y->name);
}

/* The data is covered exactly once. */
static gboolean
check_offsets (const WeftSafetensors *file, guint64 data_length, GError **error)
{
  guint64 expected = 0;
  for (guint i = 0; i < file->entries->len; i++)
    {
      const Entry *entry = file->entries->pdata[i];
      if (entry->begin != expected)
        return wrong (file, error, "tensor \"%s\" begins at %" G_GUINT64_FORMAT " of the data, %s %" G_GUINT64_FORMAT, entry->name,
                      entry->begin, entry->begin < expected ? "inside another one that ends at" : "leaving a hole after", expected);
      expected = entry->end;
      if (entry->end > data_length)
        return wrong (file, error,
                      "tensor \"%s\" ends at %" G_GUINT64_FORMAT " of the data, but only %" G_GUINT64_FORMAT
                      " bytes are there; the file was cut short",
                      entry->name, entry->end, data_length);
    }
  return expected == data_length || wrong (file, error, "%" G_GUINT64_FORMAT " bytes follow the last tensor", data_length - expected);
}

static gboolean
read_header (WeftSafetensors *file, const char *text, gsize length, guint64 data_length, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *root = parse_header (file, parser, text, length, error);
  if (root == NULL)
    return FALSE;
  g_autoptr (GList) members = json_object_get_members (root);
  for (GList *at = members; at != NULL; at = at->next)
    {
      JsonNode *node = json_object_get_member (root, at->data);
      gboolean ok = g_str_equal (at->data, "__metadata__") ? read_metadata (file, node, error) : read_entry (file, at->data, node, error);
      if (!ok)
        return FALSE;
    }
  g_ptr_array_sort (file->entries, compare_entries);
  if (!check_offsets (file, data_length, error))
    return FALSE;
  for (guint i = 0; i < file->entries->len; i++)
    {
      Entry *entry = file->entries->pdata[i];
      g_hash_table_insert (file->by_name, entry->name, entry);
      if (entry->unreadable == NULL)
        g_ptr_array_add (file->names, entry->name);
    }
  g_ptr_array_add (file->names, NULL);
  return TRUE;
}

static gboolean
open_file (WeftSafetensors *file, GError **error)
{
  struct stat status;
  guint8 prefix[8];
  file->file = open (file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file->file < 0 || fstat (file->file, &status) < 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: can't be opened: %s", file->path, g_strerror (errno));
      return FALSE;
    }
  if (!S_ISREG (status.st_mode))
    return wrong (file, error, "it is no regular file");
  guint64 size = (guint64) status.st_size;
  if (size < sizeof prefix)
    return wrong (file, error, "%" G_GUINT64_FORMAT " bytes are too few", size);
  if (!read_at (file, 0, prefix, sizeof prefix, error))
    return FALSE;
  guint64 length = 0;
  for (int i = 7; i >= 0; i--)
    length = length << 8 | prefix[i];
  if (length > MAX_HEADER || length > size - sizeof prefix)
    return wrong (file, error, "the header would be %" G_GUINT64_FORMAT " bytes long, the file has %" G_GUINT64_FORMAT " (limit %d)",
                  length, size, MAX_HEADER);
  g_autofree char *text = g_malloc (length + 1);
  text[length] = '\0';
  file->data = sizeof prefix + length;
  return read_at (file, sizeof prefix, text, length, error) && read_header (file, text, length, size - file->data, error);
}

WeftSafetensors *
weft_safetensors_open (const char *path, GError **error)
{
  g_autoptr (WeftSafetensors) file = g_new0 (WeftSafetensors, 1);
  file->path = g_strdup (path);
  file->entries = g_ptr_array_new_with_free_func (entry_free);
  file->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  file->names = g_ptr_array_new ();
  file->metadata = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  file->metadata_keys = g_ptr_array_new ();
  g_ptr_array_add (file->metadata_keys, NULL);
  return open_file (file, error) ? g_steal_pointer (&file) : NULL;
}

void
weft_safetensors_close (WeftSafetensors *file)
{
  if (file == NULL)
    return;
  if (file->file >= 0)
    close (file->file);
  g_ptr_array_unref (file->metadata_keys);
  g_hash_table_unref (file->metadata);
  g_ptr_array_unref (file->names);
  g_hash_table_unref (file->by_name);
  g_ptr_array_unref (file->entries);
  g_free (file->path);
  g_free (file);
}

const char *const *
weft_safetensors_names (const WeftSafetensors *file)
{
  return (const char *const *) file->names->pdata;
}

const WeftTensor *
weft_safetensors_find (const WeftSafetensors *file, const char *name)
{
  const Entry *entry = g_hash_table_lookup (file->by_name, name);
  return entry != NULL && entry->unreadable == NULL ? &entry->tensor : NULL;
}

static const Entry *
readable (const WeftSafetensors *file, const char *name, GError **error)
{
  const Entry *entry = g_hash_table_lookup (file->by_name, name);
  if (entry != NULL && entry->unreadable == NULL)
    return entry;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: tensor \"%s\": %s", file->path, name,
               entry == NULL ? "there is none of this name" : entry->unreadable);
  return NULL;
}

gboolean
weft_safetensors_read (WeftSafetensors *file, const char *name, gpointer data, GError **error)
{
  const Entry *entry = readable (file, name, error);
  return entry != NULL && read_at (file, file->data + entry->begin, data, entry->end - entry->begin, error);
}

gboolean
weft_safetensors_read_f32 (WeftSafetensors *file, const char *name, float *data, GError **error)
{
  const Entry *entry = readable (file, name, error);
  if (entry == NULL)
    return FALSE;
  if (entry->tensor.type == WEFT_F32)
    return weft_safetensors_read (file, name, data, error);
  gsize size = weft_type_size (entry->tensor.type);
  g_autofree char *chunk = g_malloc (CHUNK);
  for (guint64 at = entry->begin; at < entry->end;)
    {
      guint64 length = MIN (entry->end - at, CHUNK);
      if (!read_at (file, file->data + at, chunk, length, error))
        return FALSE;
      weft_convert_to_f32 (entry->tensor.type, chunk, (gint64) (length / size), data);
      data += length / size;
      at += length;
    }
  return TRUE;
}

char *
weft_safetensors_header (WeftSafetensors *file, gsize *length, GError **error)
{
  g_autofree char *bytes = g_malloc (file->data);
  *length = file->data;
  return read_at (file, 0, bytes, file->data, error) ? g_steal_pointer (&bytes) : NULL;
}

const char *
weft_safetensors_metadata (const WeftSafetensors *file, const char *key)
{
  return g_hash_table_lookup (file->metadata, key);
}

const char *const *
weft_safetensors_metadata_keys (const WeftSafetensors *file)
{
  return (const char *const *) file->metadata_keys->pdata;
}
