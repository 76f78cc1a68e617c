/* Word vocabularies: SCAN's files, or built from captions.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "lexicon.h"

#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>
#include <weft/json.h>
#include <weft/operator.h>

typedef struct
{
  const char *word;
  gint64 count;
} Counted;

static Lexicon *
lexicon_new (void)
{
  Lexicon *lexicon = g_new0 (Lexicon, 1);
  lexicon->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  lexicon->start = lexicon->end = -1;
  return lexicon;
}

void
lexicon_free (Lexicon *lexicon)
{
  if (lexicon == NULL)
    return;
  g_hash_table_unref (lexicon->ids);
  g_free (lexicon);
}

gint32
lexicon_id (const Lexicon *lexicon, const char *word)
{
  gpointer id;
  return g_hash_table_lookup_extended (lexicon->ids, word, NULL, &id) ? GPOINTER_TO_INT (id) : lexicon->unknown;
}

static gboolean
find_special (const Lexicon *lexicon, const char *path, const char *word, gint32 *id, GError **error)
{
  gpointer value;
  if (!g_hash_table_lookup_extended (lexicon->ids, word, NULL, &value))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: word2idx has no \"%s\"%s", path, word,
                   strcmp (word, "<unk>") == 0 ? "" : "; add it or set boundaries: false");
      return FALSE;
    }
  *id = GPOINTER_TO_INT (value);
  return TRUE;
}

static gboolean
add_member (Lexicon *lexicon, const char *path, const char *word, JsonNode *node, gint64 size, GError **error)
{
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_INT64)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: word2idx has no integer for \"%s\"", path, word);
      return FALSE;
    }
  gint64 id = json_node_get_int (node);
  if (id < 0 || id >= size)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "%s: \"%s\" has the id %" G_GINT64_FORMAT ", the pipeline declares size: %" G_GINT64_FORMAT "%s", path, word, id, size,
                   id < 0 ? "" : "; set size to the number of words in the file");
      return FALSE;
    }
  g_hash_table_replace (lexicon->ids, g_strdup (word), GINT_TO_POINTER ((gint32) id));
  lexicon->entries = MAX (lexicon->entries, (gint32) id + 1);
  return TRUE;
}

Lexicon *
lexicon_load (const char *path, gint64 size, gboolean boundaries, GError **error)
{
  g_autoptr (JsonParser) parser = weft_json_load (path, error);
  if (parser == NULL)
    return NULL;
  JsonNode *map = json_object_get_member (json_node_get_object (json_parser_get_root (parser)), "word2idx");
  if (map == NULL || !JSON_NODE_HOLDS_OBJECT (map))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has no map \"word2idx\", expected a vocabulary as SCAN stores it", path);
      return NULL;
    }
  g_autoptr (Lexicon) lexicon = lexicon_new ();
  JsonObjectIter iter;
  const char *word;
  JsonNode *node;
  json_object_iter_init_ordered (&iter, json_node_get_object (map));
  while (json_object_iter_next_ordered (&iter, &word, &node))
    if (!add_member (lexicon, path, word, node, size, error))
      return NULL;
  if (!find_special (lexicon, path, "<unk>", &lexicon->unknown, error)
      || (boundaries
          && (!find_special (lexicon, path, "<start>", &lexicon->start, error)
              || !find_special (lexicon, path, "<end>", &lexicon->end, error))))
    return NULL;
  return g_steal_pointer (&lexicon);
}

static void
count_word (gpointer data, const char *word)
{
  GHashTable *counts = data;
  gpointer key, value;
  if (g_hash_table_lookup_extended (counts, word, &key, &value))
    g_hash_table_insert (counts, g_strdup (word), GSIZE_TO_POINTER (GPOINTER_TO_SIZE (value) + 1));
  else
    g_hash_table_insert (counts, g_strdup (word), GSIZE_TO_POINTER (1));
}

static int
compare_words (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Counted *) a)->word, ((const Counted *) b)->word);
}

/* The most frequent first; equal ones in the order of their bytes. */
static int
compare_counts (gconstpointer a, gconstpointer b)
{
  gint64 first = ((const Counted *) a)->count, second = ((const Counted *) b)->count;
  return first != second ? (first < second) - (first > second) : compare_words (a, b);
}

static GHashTable *
count_words (const WeftLines *lines, SplitStyle style)
{
  GHashTable *counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  SplitBuffers buffers;
  split_buffers_init (&buffers);
  for (guint i = 0; i < weft_lines_count (lines); i++)
    {
      gsize length;
      const char *line = weft_lines_get (lines, i, &length);
      split_words (&buffers, style, line, length, count_word, counts);
    }
  split_buffers_clear (&buffers);
  return counts;
}

static void
add (Lexicon *lexicon, const char *word)
{
  g_hash_table_replace (lexicon->ids, g_strdup (word), GINT_TO_POINTER (lexicon->entries++));
}

/* Captions lie where region features do: in a folder or in its precomp/. */
static char *
find_captions (const char *path)
{
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_autofree char *folder = g_path_get_dirname (path), *name = g_path_get_basename (path);
      g_autofree char *below = g_build_filename (folder, "precomp", name, NULL);
      if (g_file_test (below, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&below);
    }
  return g_strdup (path);
}

Lexicon *
lexicon_build (const char *path, SplitStyle style, gint64 minimum_count, gint64 size, gboolean boundaries, GError **error)
{
  g_autofree char *found = find_captions (path);
  g_autoptr (WeftLines) lines = weft_lines_read (found, FALSE, error);
  if (lines == NULL)
    return NULL;
  g_autoptr (GHashTable) counts = count_words (lines, style);
  g_autoptr (GArray) words = g_array_new (FALSE, FALSE, sizeof (Counted));
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init (&iter, counts);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      Counted word = { key, (gint64) GPOINTER_TO_SIZE (value) };
      if (word.count >= minimum_count)
        g_array_append_val (words, word);
    }
  if (words->len == 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: no word occurs %" G_GINT64_FORMAT " times; set a smaller minimum_count", found,
                   minimum_count);
      return NULL;
    }
  guint specials = boundaries ? 4 : 2;
  g_array_sort (words, compare_counts);
  g_array_set_size (words, (guint) MIN ((gint64) words->len, size - specials));
  g_array_sort (words, compare_words);

  Lexicon *lexicon = lexicon_new ();
  add (lexicon, "<pad>");
  add (lexicon, "<unk>");
  lexicon->unknown = 1;
  if (boundaries)
    {
      lexicon->start = lexicon->entries;
      add (lexicon, "<start>");
      lexicon->end = lexicon->entries;
      add (lexicon, "<end>");
    }
  for (guint i = 0; i < words->len; i++)
    add (lexicon, g_array_index (words, Counted, i).word);
  return lexicon;
}
