/* BERT's WordPiece tokenizer.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "basic.h"
#include "caption.h"
#include "words.h"

enum
{
  TOKENS,
  TRUNCATED
};

/* Words of more characters are not cut into pieces. */
#define LONGEST_WORD 100

typedef struct
{
  const char *vocabulary;
  gint64 size, longest;
  double alter;
  gboolean lower;
} Attributes;

typedef struct
{
  GHashTable *ids; /* piece → id */
  gint32 entries, unknown, classification, separator, mask;
  TextWords words;
  GArray *characters;
} Instance;

static void
close_wordpiece (gpointer data)
{
  Instance *instance = data;
  g_hash_table_unref (instance->ids);
  g_array_unref (instance->characters);
  text_words_clear (&instance->words);
  g_free (instance);
}

static gboolean
find_special (const Instance *instance, const Attributes *a, const char *name, gint32 *id, GError **error)
{
  gpointer value;
  if (!g_hash_table_lookup_extended (instance->ids, name, NULL, &value))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has no line %s, expected a BERT vocabulary, one piece a line", a->vocabulary,
                   name);
      return FALSE;
    }
  *id = GPOINTER_TO_INT (value);
  return TRUE;
}

static gboolean
fill (Instance *instance, const Attributes *a, GError **error)
{
  g_autoptr (WeftLines) lines = weft_lines_read (a->vocabulary, TRUE, error);
  if (lines == NULL)
    return FALSE;
  instance->entries = (gint32) weft_lines_count (lines);
  if (instance->entries > a->size)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %d pieces, the pipeline declares size: %" G_GINT64_FORMAT "; set size: %d",
                   a->vocabulary, instance->entries, a->size, instance->entries);
      return FALSE;
    }
  for (gint32 i = 0; i < instance->entries; i++)
    if (!g_hash_table_replace (instance->ids, g_strdup (weft_lines_get (lines, (guint) i, NULL)), GINT_TO_POINTER (i)))
      {
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s:%d: \"%s\" stands on an earlier line too; every piece may stand once",
                     a->vocabulary, i + 1, weft_lines_get (lines, (guint) i, NULL));
        return FALSE;
      }
  return find_special (instance, a, "[UNK]", &instance->unknown, error)
         && find_special (instance, a, "[CLS]", &instance->classification, error)
         && find_special (instance, a, "[SEP]", &instance->separator, error)
         && find_special (instance, a, "[MASK]", &instance->mask, error);
}

static gpointer
open_wordpiece (const WeftOpening *opening, GError **error)
{
  Instance *instance = g_new0 (Instance, 1);
  instance->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  instance->characters = g_array_new (FALSE, FALSE, sizeof (gunichar));
  text_words_init (&instance->words);
  if (fill (instance, opening->attributes, error))
    return instance;
  close_wordpiece (instance);
  return NULL;
}

/* Cuts a word, always the longest piece first; all or nothing. */
static void
add_pieces (Instance *instance, const gunichar *word, guint n)
{
  TextWords *words = &instance->words;
  text_words_begin (words);
  guint first = words->pieces->len;
  char text[LONGEST_WORD * 6], piece[LONGEST_WORD * 6 + 3];
  guint at[LONGEST_WORD + 1], bytes = 0;
  for (guint i = 0; i < n && n <= LONGEST_WORD; i++)
    {
      at[i] = bytes;
      bytes += (guint) g_unichar_to_utf8 (word[i], text + bytes);
    }
  guint start = n <= LONGEST_WORD ? 0 : n;
  gboolean known = n <= LONGEST_WORD;
  at[MIN (n, LONGEST_WORD)] = bytes;
  while (start < n && known)
    {
      guint prefix = start > 0 ? 2 : 0, end;
      gpointer id = NULL;
      memcpy (piece, "##", prefix);
      memcpy (piece + prefix, text + at[start], bytes - at[start]);
      for (end = n; end > start; end--)
        {
          piece[prefix + at[end] - at[start]] = '\0';
          if (g_hash_table_lookup_extended (instance->ids, piece, NULL, &id))
            break;
        }
      known = end > start;
      if (known)
        text_words_add (words, GPOINTER_TO_INT (id));
      start = end;
    }
  if (!known)
    {
      g_array_set_size (words->pieces, first);
      text_words_add (words, instance->unknown);
    }
}

static void
tokenize (Instance *instance, const char *text, gsize length, gboolean lower)
{
  g_array_set_size (instance->words.pieces, 0);
  g_array_set_size (instance->words.starts, 0);
  basic_normalize (text, length, lower, instance->characters);
  const gunichar *c = (const gunichar *) (gconstpointer) instance->characters->data;
  for (guint start, end = 0; basic_next_word (instance->characters, end, &start, &end);)
    add_pieces (instance, c + start, end - start);
}

static void
forward (const WeftCall *call)
{
  const Attributes *a = call->attributes;
  Instance *instance = call->instance;
  const WeftTensor *text = call->in[0];
  WeftTensor *out = call->out[TOKENS];
  TextAlteration alteration = { .rate = call->mode == WEFT_MODE_TRAIN ? (float) a->alter : 0,
                                .random = call->random,
                                .mask = instance->mask,
                                .entries = instance->entries };
  gint32 *tokens = out->data, truncated = 0, count = 0;
  out->offsets[0] = 0;
  for (gint64 i = 0; i < text->samples; i++)
    {
      gsize length;
      const char *caption = text_caption (call, text, i, &length);
      if (caption == NULL)
        return;
      tokenize (instance, caption, length, a->lower);
      gint64 n = text_alter (&instance->words, &alteration, tokens + count + 1, a->longest - 2);
      truncated += n > a->longest - 2;
      tokens[count++] = instance->classification;
      count += (gint32) MIN (n, a->longest - 2);
      tokens[count++] = instance->separator;
      out->offsets[i + 1] = count;
    }
  weft_resize (call, out, text->samples, count);
  if (call->out[TRUNCATED] != NULL)
    *(gint32 *) call->out[TRUNCATED]->data = truncated;
}

static const WeftAttribute attributes[] = {
  WEFT_PATH (Attributes, vocabulary, NULL, "vocab.txt: one piece a line, its number (from 0) is its id"),
  WEFT_INTEGER (Attributes, size, "30522", 4, 1 << 24, "pieces", "size of the vocabulary; the file may have fewer lines, not more"),
  WEFT_INTEGER (Attributes, longest, "64", 3, 1 << 16, "tokens", "longer captions are cut; they keep their [SEP]"),
  WEFT_SCHEDULED (Attributes, alter, "0", 0, 1, "", "training: probability with which a word is altered"),
  WEFT_BOOLEAN (Attributes, lower, "true", "lower-case and strip accents, for uncased vocabularies"),
  { 0 },
};

static const WeftPort inputs[] = {
  { .name = "text", .signature = "u8[b:n]", .flags = WEFT_PORT_CONSTANT, .meaning = "captions, UTF-8" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "tokens", .signature = "i32[b : t <= b*$longest] < $size", .meaning = "ids: [CLS] … [SEP]" },
  { .name = "truncated", .signature = "i32[]", .flags = WEFT_PORT_OPTIONAL, .meaning = "number of captions that were cut" },
  { 0 },
};

static const WeftOperator wordpiece = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "wordpiece",
  .version = 1,
  .summary = "Cuts captions into BERT's word pieces",
  .documentation = "BERT's basic tokenizer (control characters removed, ideographs apart, lower case, accents stripped, punctuation "
                   "apart), then the longest "
                   "piece first; a word that cannot be cut, or of more than 100 characters, is [UNK]. Special tokens spelt out in a "
                   "caption are ordinary text.\n\n"
                   "In training, each word is altered with probability `alter`: of the altered words, 50 % have every piece replaced by "
                   "[MASK], 10 % have every "
                   "piece replaced by a random entry of the vocabulary, 40 % are dropped; a caption that would lose every word keeps one.",
  .source = "Devlin et al., BERT, arXiv 1810.04805; alterations: Chen et al., VSE-infinity, CVPR 2021",
  .attributes_size = sizeof (Attributes),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = forward,
  .not_differentiable = "text carries no gradient",
  .open = open_wordpiece,
  .close = close_wordpiece,
  .example = "text: {op: feed, signature: \"u8[b<=4 : n<=96]\"}\n"
             "tokens: {op: wordpiece, text: text, vocabulary: data/vocab.txt, longest: 16, alter: 0.2}\n",
};
WEFT_OPERATOR (wordpiece);
