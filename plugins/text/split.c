/* Captions to words, for word vocabularies.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "split.h"

#include <string.h>

#include "caption.h"

typedef struct
{
  SplitBuffers *buffers;
  const gunichar *c;
  guint n;
  SplitWord word;
  gpointer data;
} Splitter;

void
split_buffers_init (SplitBuffers *buffers)
{
  buffers->text = g_array_new (FALSE, FALSE, sizeof (gunichar));
  buffers->chunk = g_array_new (FALSE, FALSE, sizeof (gunichar));
  buffers->word = g_string_new (NULL);
}

void
split_buffers_clear (SplitBuffers *buffers)
{
  g_clear_pointer (&buffers->text, g_array_unref);
  g_clear_pointer (&buffers->chunk, g_array_unref);
  if (buffers->word != NULL)
    g_string_free (g_steal_pointer (&buffers->word), TRUE);
}

/* Words of characters [start, end) of an array. */
static void
emit (const Splitter *splitter, const gunichar *characters, guint start, guint end)
{
  if (start >= end)
    return;
  GString *word = splitter->buffers->word;
  g_string_truncate (word, 0);
  for (guint i = start; i < end; i++)
    g_string_append_unichar (word, characters[i]);
  splitter->word (splitter->data, word->str);
}

static void
split_simple (const Splitter *splitter)
{
  guint start = 0;
  for (guint i = 0; i <= splitter->n; i++)
    if (i == splitter->n || splitter->c[i] >= 128 || !g_ascii_isalnum ((char) splitter->c[i]))
      {
        emit (splitter, splitter->c, start, i);
        start = i + 1;
      }
}

static gboolean
one_of (gunichar c, const char *set)
{
  return c != 0 && g_utf8_strchr (set, -1, c) != NULL;
}

static gunichar
at (const Splitter *splitter, guint i)
{
  return i < splitter->n ? splitter->c[i] : 0;
}

static gboolean
ends_with (const gunichar *c, guint n, const char *ending)
{
  guint length = (guint) strlen (ending);
  /* What stands before has to be neither missing nor an apostrophe. */
  if (n <= length || c[n - length - 1] == '\'')
    return FALSE;
  for (guint i = 0; i < length; i++)
    if (c[n - length + i] != (gunichar) ending[i])
      return FALSE;
  return TRUE;
}

/* Returns: where the first of these endings starts, @n if there is none. */
static guint
find_ending (const gunichar *c, guint n, const char *const *endings)
{
  for (gsize i = 0; endings[i] != NULL; i++)
    if (ends_with (c, n, endings[i]))
      return n - (guint) strlen (endings[i]);
  return n;
}

/* Words that are two to the Treebank. */
static guint
find_contraction (const gunichar *c, guint n)
{
  static const struct
  {
    const char *whole;
    guint first;
  } known[] = { { "cannot", 3 }, { "gonna", 3 }, { "gotta", 3 },  { "gimme", 3 }, { "lemme", 3 },
                { "wanna", 3 },  { "d'ye", 1 },  { "more'n", 4 }, { "'tis", 2 },  { "'twas", 2 } };
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    {
      guint length = 0;
      while (length < n && known[i].whole[length] != '\0' && c[length] == (gunichar) known[i].whole[length])
        length++;
      if (length == n && known[i].whole[length] == '\0')
        return known[i].first;
    }
  return n;
}

static void
emit_contraction (const Splitter *splitter, const gunichar *c, guint n)
{
  guint first = find_contraction (c, n);
  emit (splitter, c, 0, first);
  emit (splitter, c, first, n);
}

/* A run without white space or punctuation that stands apart: cuts off what apostrophes join, from the right. */
static void
emit_joined (const Splitter *splitter, const gunichar *c, guint n)
{
  static const char *const possessives[] = { "'s", "'m", "'d", "'", NULL };
  static const char *const verbs[] = { "'ll", "'re", "'ve", "n't", NULL };
  guint quote = n > 1 && c[n - 1] == '\'' && c[n - 2] != '\'' ? n - 1 : n;
  guint possessive = find_ending (c, quote, possessives);
  guint verb = find_ending (c, possessive, verbs);
  emit_contraction (splitter, c, verb);
  emit (splitter, c, verb, possessive);
  emit (splitter, c, possessive, quote);
  emit (splitter, c, quote, n);
}

static gboolean
is_word_character (gunichar c)
{
  return g_unichar_isalnum (c) || g_unichar_ismark (c) || c == '_';
}

/* An opening quote before a single letter ('a) leaves it, unless that letter makes a contraction ('s). */
static void
flush (const Splitter *splitter)
{
  GArray *chunk = splitter->buffers->chunk;
  const gunichar *c = (const gunichar *) (gconstpointer) chunk->data;
  guint start = 0, n = chunk->len;
  for (guint i = 0; i + 1 < n; i++)
    if (c[i] == '\'' && is_word_character (c[i + 1]) && !one_of (c[i + 1], "mtsdn") && (i + 2 == n || !is_word_character (c[i + 2])))
      {
        emit_joined (splitter, c + start, i + 1 - start);
        start = i + 1;
      }
  if (start < n)
    emit_joined (splitter, c + start, n - start);
  g_array_set_size (chunk, 0);
}

/* Whether the word that the chunk holds keeps its period inside a text: abbreviations of captions, and single letters. */
static gboolean
is_abbreviation (const Splitter *splitter)
{
  static const char *const known[] = { "mr",  "mrs", "ms",  "dr",  "st",  "jr",  "sr",  "prof", "vs",  "inc", "co", "corp",
                                       "ltd", "u.s", "u.k", "a.m", "p.m", "d.c", "e.g", "i.e",  "etc", "ft",  "mt" };
  GArray *chunk = splitter->buffers->chunk;
  const gunichar *c = (const gunichar *) (gconstpointer) chunk->data;
  if (chunk->len == 1 && g_unichar_isalpha (c[0]))
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    {
      guint n = (guint) strlen (known[i]), same = 0;
      while (same < n && same < chunk->len && c[same] == (gunichar) known[i][same])
        same++;
      if (same == n && n == chunk->len)
        return TRUE;
    }
  return FALSE;
}

/* Whether the single period at @i ends a sentence. */
static gboolean
is_final (const Splitter *splitter, guint i)
{
  guint j = i + 1;
  while (j < splitter->n && one_of (splitter->c[j], "])}>\"'»”’ "))
    j++;
  while (j < splitter->n && g_unichar_isspace (splitter->c[j]))
    j++;
  if (j >= splitter->n)
    return TRUE;
  j = i + 1;
  while (j < splitter->n && one_of (splitter->c[j], "])}>\"'»”’"))
    j++;
  return g_unichar_isspace (at (splitter, j)) && !is_abbreviation (splitter);
}

/* How many characters from @i on stand apart as one token; 0 if the character belongs to a word. */
static guint
apart (const Splitter *splitter, guint i)
{
  gunichar c = splitter->c[i], next = at (splitter, i + 1);
  guint run = 1;
  if (one_of (c, ";@#$%&?!*[](){}<>«»“”‘’„"))
    return 1;
  if (c == '.' || c == '`')
    while (at (splitter, i + run) == c)
      run++;
  if (c == '`' || (c == '.' && (run > 1 || is_final (splitter, i))))
    return run;
  if (c == ':' || c == ',')
    return !g_unichar_isdigit (next);
  if (c == '-' && next == '-')
    return 2;
  return 0;
}

static void
split_treebank (const Splitter *splitter)
{
  const gunichar *c = splitter->c;
  for (guint i = 0; i < splitter->n;)
    {
      gboolean pair = c[i] == '\'' && at (splitter, i + 1) == '\'';
      guint n = apart (splitter, i);
      if (g_unichar_isspace (c[i]))
        {
          flush (splitter);
          i++;
        }
      else if (c[i] == '"' || pair)
        {
          flush (splitter);
          gboolean opening = i == 0 ? !pair : one_of (c[i - 1], " ([{<");
          splitter->word (splitter->data, opening ? "``" : "''");
          i += pair ? 2 : 1;
        }
      else if (n > 0)
        {
          flush (splitter);
          emit (splitter, c, i, i + n);
          i += n;
        }
      else
        g_array_append_val (splitter->buffers->chunk, c[i++]);
    }
  flush (splitter);
}

void
split_words (SplitBuffers *buffers, SplitStyle style, const char *text, gsize length, SplitWord word, gpointer data)
{
  g_array_set_size (buffers->text, 0);
  g_array_set_size (buffers->chunk, 0);
  for (const char *p = text; p < text + length; p = g_utf8_next_char (p))
    {
      gunichar c = text_lower (g_utf8_get_char (p));
      g_array_append_val (buffers->text, c);
    }
  Splitter splitter = {
    .buffers = buffers, .c = (const gunichar *) (gconstpointer) buffers->text->data, .n = buffers->text->len, .word = word, .data = data
  };
  if (style == SPLIT_SIMPLE)
    split_simple (&splitter);
  else
    split_treebank (&splitter);
}
