/* Byte-pair vocabularies from files.
 *
 * Pieces are spelt with one character a byte: printable characters of Latin-1 for themselves, U+0100 and on for the other bytes in order.
 * `</w>` ends the last piece of a word.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "merges.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <weft/json.h>
#include <weft/operator.h>

/* OpenAI's list takes 3 MiB; a file that unpacks to more than this is none. */
#define MOST_BYTES (64 << 20)
#define WORD_END "</w>"

typedef struct
{
  gint64 pair;
  gint32 rank, id;
} Merge;

/* Words that name pieces, to their ids. */
typedef struct
{
  const char *path;
  GHashTable *ids;
  gint64 size;
} Pieces;

static gint64
pair_of (gint32 left, gint32 right)
{
  return ((gint64) left << 32) | right;
}

void
merges_free (Merges *merges)
{
  if (merges == NULL)
    return;
  g_hash_table_unref (merges->pairs);
  g_array_unref (merges->list);
  g_free (merges);
}

static gboolean
is_printable (guint byte)
{
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

/* Bytes in the order of their ids, and how they are spelt. */
static void
spell_bytes (guint8 order[256], char spelling[256][8])
{
  guint printable = 0, other = 0, n_printable = 0;
  for (guint byte = 0; byte < 256; byte++)
    n_printable += is_printable (byte);
  for (guint byte = 0; byte < 256; byte++)
    {
      gboolean plain = is_printable (byte);
      order[plain ? printable : n_printable + other] = (guint8) byte;
      int length = g_unichar_to_utf8 (plain ? byte : 256 + other, spelling[byte]);
      spelling[byte][length] = '\0';
      *(plain ? &printable : &other) += 1;
    }
}

static gboolean
unpack (const char *path, char **text, gsize *length, GError **error)
{
  g_autoptr (GInputStream) packed = g_memory_input_stream_new_from_data (*text, (gssize) *length, NULL);
  g_autoptr (GConverter) converter = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GInputStream) stream = g_converter_input_stream_new (packed, converter);
  g_autoptr (GString) all = g_string_new (NULL);
  g_autofree char *buffer = g_malloc (1 << 16);
  g_autoptr (GError) reason = NULL;
  gssize n;
  while ((n = g_input_stream_read (stream, buffer, 1 << 16, NULL, &reason)) > 0 && all->len <= MOST_BYTES)
    g_string_append_len (all, buffer, n);
  if (n < 0 || all->len > MOST_BYTES)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: cannot unpack this: %s", path,
                   n < 0 ? reason->message : "it holds more than 64 MiB");
      return FALSE;
    }
  g_free (*text);
  *length = all->len;
  *text = g_string_free (g_steal_pointer (&all), FALSE);
  return TRUE;
}

static char *
read_text (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;
  const char *end;
  if (!g_file_get_contents (path, &text, &length, error))
    return NULL;
  if (length > 2 && memcmp (text, "\x1f\x8b", 2) == 0 && !unpack (path, &text, &length, error))
    return NULL;
  if (g_utf8_validate (text, (gssize) length, &end))
    return g_steal_pointer (&text);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: byte %" G_GSIZE_FORMAT " is no UTF-8, expected a list of merges", path,
               (gsize) (end - text));
  return NULL;
}

static gint32
find_piece (const Pieces *pieces, const char *piece)
{
  gpointer id;
  return g_hash_table_lookup_extended (pieces->ids, piece, NULL, &id) ? GPOINTER_TO_INT (id) : -1;
}

static gint32
add_piece (Pieces *pieces, char *piece)
{
  gint32 id = (gint32) pieces->size++;
  g_hash_table_replace (pieces->ids, piece, GINT_TO_POINTER (id));
  return id;
}

/* One line `LEFT RIGHT`; @grow: what it joins to is a new piece. */
static gboolean
add_merge (Merges *merges, Pieces *pieces, const char *path, guint number, const char *line, gboolean grow, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (line, " ", 3);
  if (g_strv_length (parts) != 2 || *parts[0] == '\0' || *parts[1] == '\0')
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s:%u: \"%s\" is not two pieces with a space between", path, number, line);
      return FALSE;
    }
  g_autofree char *joined = g_strconcat (parts[0], parts[1], NULL);
  gint32 left = find_piece (pieces, parts[0]), right = find_piece (pieces, parts[1]), whole = find_piece (pieces, joined);
  if (left < 0 || right < 0 || (!grow && whole < 0))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s:%u: \"%s\" is not in the vocabulary%s", path, number,
                   left < 0    ? parts[0]
                   : right < 0 ? parts[1]
                               : joined,
                   grow ? " yet: a piece is joined before it is used" : "; the two files do not belong together");
      return FALSE;
    }
  Merge merge = { pair_of (left, right), (gint32) merges->list->len, grow ? add_piece (pieces, g_steal_pointer (&joined)) : whole };
  g_array_append_val (merges->list, merge);
  return TRUE;
}

static gboolean
read_merges (Merges *merges, Pieces *pieces, const char *path, gint64 most, gboolean grow, GError **error)
{
  g_autofree char *text = read_text (path, error);
  if (text == NULL)
    return FALSE;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint first = lines[0] != NULL && strstr (lines[0], "#version") != NULL;
  for (guint i = first; lines[i] != NULL && merges->list->len < most; i++)
    {
      g_strchomp (lines[i]);
      if (*lines[i] != '\0' && !add_merge (merges, pieces, path, i + 1, lines[i], grow, error))
        return FALSE;
    }
  for (guint i = 0; i < merges->list->len; i++)
    {
      Merge *merge = &g_array_index (merges->list, Merge, i);
      g_hash_table_replace (merges->pairs, &merge->pair, merge);
    }
  return TRUE;
}

/* OpenAI's list: ids are those of bytes, of bytes that end words, of merges in order, of the two special pieces. */
static gboolean
read_list (Merges *merges, Pieces *pieces, gint64 size, GError **error)
{
  guint8 order[256];
  char spelling[256][8];
  spell_bytes (order, spelling);
  for (guint i = 0; i < 256; i++)
    merges->byte[order[i]] = add_piece (pieces, g_strdup (spelling[order[i]]));
  for (guint i = 0; i < 256; i++)
    merges->last_byte[order[i]] = add_piece (pieces, g_strconcat (spelling[order[i]], WORD_END, NULL));
  if (!read_merges (merges, pieces, pieces->path, size - pieces->size - 2, TRUE, error))
    return FALSE;
  merges->start = (gint32) pieces->size;
  merges->end = merges->start + 1;
  return TRUE;
}

static gboolean
read_ids (Pieces *pieces, gint64 size, GError **error)
{
  g_autoptr (JsonParser) parser = weft_json_load (pieces->path, error);
  if (parser == NULL)
    return FALSE;
  JsonNode *root = json_parser_get_root (parser), *node;
  JsonObjectIter iter;
  const char *piece;
  json_object_iter_init_ordered (&iter, json_node_get_object (root));
  while (json_object_iter_next_ordered (&iter, &piece, &node))
    {
      gboolean number = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64;
      if (!number || json_node_get_int (node) < 0 || json_node_get_int (node) >= size)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                       "%s: the id of \"%s\" is no integer below %" G_GINT64_FORMAT ", the size that the pipeline declares", pieces->path,
                       piece, size);
          return FALSE;
        }
      g_hash_table_replace (pieces->ids, g_strdup (piece), GINT_TO_POINTER ((gint32) json_node_get_int (node)));
    }
  return TRUE;
}

static gboolean
find_special (const Pieces *pieces, const char *piece, gint32 *id, GError **error)
{
  *id = find_piece (pieces, piece);
  if (*id >= 0)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has no \"%s\", expected the vocabulary of a CLIP", pieces->path, piece);
  return FALSE;
}

/* Bytes that a small vocabulary lacks are unknown, which Hugging Face writes as the end. */
static gboolean
read_pair (Merges *merges, Pieces *pieces, const char *merges_path, gint64 size, GError **error)
{
  guint8 order[256];
  char spelling[256][8];
  if (!read_ids (pieces, size, error) || !find_special (pieces, "<|startoftext|>", &merges->start, error)
      || !find_special (pieces, "<|endoftext|>", &merges->end, error))
    return FALSE;
  spell_bytes (order, spelling);
  for (guint byte = 0; byte < 256; byte++)
    {
      g_autofree char *last = g_strconcat (spelling[byte], WORD_END, NULL);
      merges->byte[byte] = find_piece (pieces, spelling[byte]);
      merges->last_byte[byte] = find_piece (pieces, last);
      merges->byte[byte] = merges->byte[byte] < 0 ? merges->end : merges->byte[byte];
      merges->last_byte[byte] = merges->last_byte[byte] < 0 ? merges->end : merges->last_byte[byte];
    }
  return read_merges (merges, pieces, merges_path, G_MAXINT32, FALSE, error);
}

Merges *
merges_load (const char *vocabulary, const char *merges_path, gint64 size, GError **error)
{
  gboolean folder = g_file_test (vocabulary, G_FILE_TEST_IS_DIR);
  g_autofree char *path = folder ? g_build_filename (vocabulary, "vocab.json", NULL) : g_strdup (vocabulary);
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *beside = merges_path != NULL ? g_strdup (merges_path) : g_build_filename (parent, "merges.txt", NULL);
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (Merges) merges = g_new0 (Merges, 1);
  Pieces pieces = { .path = path, .ids = ids };
  merges->pairs = g_hash_table_new (g_int64_hash, g_int64_equal);
  merges->list = g_array_new (FALSE, FALSE, sizeof (Merge));
  gboolean ok =
      g_str_has_suffix (path, ".json") ? read_pair (merges, &pieces, beside, size, error) : read_list (merges, &pieces, size, error);
  return ok ? g_steal_pointer (&merges) : NULL;
}

static const Merge *
find_merge (const Merges *merges, gint32 left, gint32 right)
{
  gint64 pair = pair_of (left, right);
  return g_hash_table_lookup (merges->pairs, &pair);
}

void
merges_apply (const Merges *merges, GArray *pieces)
{
  gint32 *ids = (gint32 *) (gpointer) pieces->data;
  guint n = pieces->len;
  while (n > 1)
    {
      const Merge *first = NULL;
      for (guint i = 0; i + 1 < n; i++)
        {
          const Merge *merge = find_merge (merges, ids[i], ids[i + 1]);
          if (merge != NULL && (first == NULL || merge->rank < first->rank))
            first = merge;
        }
      if (first == NULL)
        break;
      guint kept = 0;
      for (guint i = 0; i < n; i++)
        {
          gboolean join = i + 1 < n && pair_of (ids[i], ids[i + 1]) == first->pair;
          ids[kept++] = join ? first->id : ids[i];
          i += join;
        }
      n = kept;
    }
  g_array_set_size (pieces, n);
}
