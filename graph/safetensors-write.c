/* safetensors files: writing.
 *
 * Deterministic: metadata sorted by key, tensors by element size (largest first, so that all data is aligned without holes, which
 * the format forbids) and then by name; the header is padded so that the data begins at a multiple of eight.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <weft/operator.h>

#include "aside.h"
#include "checkpoint.h"
#include "safetensors.h"

#define CHUNK ((gsize) 1 << 20) /* summed and written while it is in the cache */

typedef struct
{
  char *name;
  WeftTensor tensor;
  guint64 offset; /* in the file; set by weft_safetensors_writer_begin() */
  guint32 sum;
} Item;

struct _WeftSafetensorsWriter
{
  GTree *metadata;
  GArray *items;     /* of Item */
  GHashTable *names; /* to places in @items once writing has begun */
  char *prefix, *whole;
  WeftAside aside;
  gboolean begun;
  gsize header_length;
};

static int
compare_keys (gconstpointer a, gconstpointer b, gpointer data)
{
  (void) data;
  return strcmp (a, b);
}

static void
item_clear (gpointer data)
{
  g_free (((Item *) data)->name);
}

WeftSafetensorsWriter *
weft_safetensors_writer_new (void)
{
  WeftSafetensorsWriter *writer = g_new0 (WeftSafetensorsWriter, 1);
  writer->metadata = g_tree_new_full (compare_keys, NULL, g_free, g_free);
  writer->items = g_array_new (FALSE, TRUE, sizeof (Item));
  g_array_set_clear_func (writer->items, item_clear);
  writer->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return writer;
}

void
weft_safetensors_writer_free (WeftSafetensorsWriter *writer)
{
  if (writer == NULL)
    return;
  if (writer->begun)
    weft_aside_abandon (&writer->aside);
  g_free (writer->prefix);
  g_free (writer->whole);
  g_tree_unref (writer->metadata);
  g_array_unref (writer->items);
  g_hash_table_unref (writer->names);
  g_free (writer);
}

void
weft_safetensors_writer_metadata (WeftSafetensorsWriter *writer, const char *key, const char *value)
{
  g_tree_replace (writer->metadata, g_strdup (key), g_strdup (value));
}

void
weft_safetensors_writer_add (WeftSafetensorsWriter *writer, const char *name, const WeftTensor *tensor)
{
  Item item = { .name = g_strdup (name), .tensor = *tensor };
  g_assert (!g_str_equal (name, "__metadata__"));
  gboolean is_new = g_hash_table_add (writer->names, g_strdup (name));
  g_assert (is_new);
  g_array_append_val (writer->items, item);
}

static int
compare_items (gconstpointer a, gconstpointer b)
{
  const Item *x = a, *y = b;
  gsize size_x = weft_type_size (x->tensor.type), size_y = weft_type_size (y->tensor.type);
  if (size_x != size_y)
    return size_x > size_y ? -1 : 1;
  return strcmp (x->name, y->name);
}

static void
append_string (GString *text, const char *string)
{
  g_string_append_c (text, '"');
  for (const char *at = string; *at != '\0'; at++)
    if (*at == '"' || *at == '\\')
      g_string_append_printf (text, "\\%c", *at);
    else if ((guchar) *at < 0x20)
      g_string_append_printf (text, "\\u%04x", (guchar) *at);
    else
      g_string_append_c (text, *at);
  g_string_append_c (text, '"');
}

static void
begin_member (GString *text, const char *name)
{
  g_string_append_c (text, text->str[text->len - 1] == '{' ? ' ' : ',');
  append_string (text, name);
  g_string_append_c (text, ':');
}

static gboolean
append_metadata (gpointer key, gpointer value, gpointer data)
{
  begin_member (data, key);
  append_string (data, value);
  return FALSE;
}

static const char *
type_word (WeftType type)
{
  switch (type)
    {
    case WEFT_F32:
      return "F32";
    case WEFT_F64:
      return "F64";
    case WEFT_F16:
      return "F16";
    case WEFT_BF16:
      return "BF16";
    case WEFT_I64:
      return "I64";
    case WEFT_I32:
      return "I32";
    case WEFT_U8:
      return "U8";
    default:
      g_assert_not_reached ();
    }
}

static GString *
make_header (WeftSafetensorsWriter *writer)
{
  GString *text = g_string_new ("{");
  guint64 offset = 0;
  if (g_tree_nnodes (writer->metadata) > 0)
    {
      begin_member (text, "__metadata__");
      g_string_append_c (text, '{');
      g_tree_foreach (writer->metadata, append_metadata, text);
      g_string_append_c (text, '}');
    }
  g_array_sort (writer->items, compare_items);
  for (guint i = 0; i < writer->items->len; i++)
    {
      const Item *item = &g_array_index (writer->items, Item, i);
      begin_member (text, item->name);
      g_string_append_printf (text, "{\"dtype\":\"%s\",\"shape\":[", type_word (item->tensor.type));
      for (guint d = 0; d < item->tensor.rank; d++)
        g_string_append_printf (text, "%s%" G_GINT64_FORMAT, d == 0 ? "" : ",", item->tensor.shape[d]);
      guint64 end = offset + weft_tensor_bytes (&item->tensor);
      g_string_append_printf (text, "],\"data_offsets\":[%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]}", offset, end);
      offset = end;
    }
  g_string_append_c (text, '}');
  while (text->len % 8 != 0)
    g_string_append_c (text, ' ');
  return text;
}

void
weft_safetensors_writer_sum (WeftSafetensorsWriter *writer, const char *prefix, const char *whole)
{
  writer->prefix = g_strdup (prefix);
  writer->whole = g_strdup (whole);
}

static void
set_sum (WeftSafetensorsWriter *writer, const char *prefix, const char *name, guint32 sum)
{
  g_tree_replace (writer->metadata, g_strconcat (prefix, name, NULL), g_strdup_printf ("%08x", sum));
}

/* The header with its length before it, as long whatever the sums are. */
static GString *
make_start (WeftSafetensorsWriter *writer)
{
  for (guint i = 0; writer->prefix && i < writer->items->len; i++)
    {
      const Item *item = &g_array_index (writer->items, Item, i);
      set_sum (writer, writer->prefix, item->name, item->sum);
    }
  GString *header = make_header (writer);
  guint8 length[8];
  for (guint i = 0; i < 8; i++)
    length[i] = (guint8) ((guint64) header->len >> 8 * i);
  return g_string_prepend_len (header, (const char *) length, sizeof length);
}

gboolean
weft_safetensors_writer_begin (WeftSafetensorsWriter *writer, const char *path, GError **error)
{
  g_assert (!writer->begun);
  if (writer->whole)
    set_sum (writer, writer->whole, "", 0);
  GString *start = make_start (writer);
  writer->header_length = start->len;
  guint64 offset = start->len;
  g_string_free (start, TRUE);
  for (guint i = 0; i < writer->items->len; i++)
    {
      Item *item = &g_array_index (writer->items, Item, i);
      item->offset = offset;
      offset += weft_tensor_bytes (&item->tensor);
      g_hash_table_insert (writer->names, g_strdup (item->name), GUINT_TO_POINTER (i));
    }
  writer->begun = weft_aside_open (&writer->aside, path, error);
  return writer->begun;
}

gboolean
weft_safetensors_writer_put (WeftSafetensorsWriter *writer, const char *name, gconstpointer data, GError **error)
{
  Item *item = &g_array_index (writer->items, Item, GPOINTER_TO_UINT (g_hash_table_lookup (writer->names, name)));
  gsize bytes = weft_tensor_bytes (&item->tensor);
  for (gsize at = 0; at < bytes; at += CHUNK)
    {
      gsize length = MIN (bytes - at, CHUNK);
      if (writer->prefix)
        item->sum = weft_crc32c (item->sum, (const char *) data + at, length);
      if (!weft_aside_write_at (&writer->aside, item->offset + at, (const char *) data + at, length, error))
        return FALSE;
    }
  return TRUE;
}

/* Only now are all sums known. */
gboolean
weft_safetensors_writer_end (WeftSafetensorsWriter *writer, GError **error)
{
  GString *start = make_start (writer);
  if (writer->whole)
    {
      set_sum (writer, writer->whole, "", weft_crc32c (0, start->str, start->len));
      g_string_free (start, TRUE);
      start = make_start (writer);
    }
  g_assert (start->len == writer->header_length);
  gboolean good = weft_aside_write_at (&writer->aside, 0, start->str, start->len, error);
  g_string_free (start, TRUE);
  writer->begun = FALSE;
  if (good)
    return weft_aside_commit (&writer->aside, error);
  weft_aside_abandon (&writer->aside);
  return FALSE;
}

gboolean
weft_safetensors_writer_write (WeftSafetensorsWriter *writer, const char *path, GError **error)
{
  if (!weft_safetensors_writer_begin (writer, path, error))
    return FALSE;
  for (guint i = 0; i < writer->items->len; i++)
    {
      const Item *item = &g_array_index (writer->items, Item, i);
      if (!weft_safetensors_writer_put (writer, item->name, item->tensor.data, error))
        return FALSE;
    }
  return weft_safetensors_writer_end (writer, error);
}
