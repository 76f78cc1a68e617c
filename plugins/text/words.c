/* Words of captions as numbers of a word vocabulary.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "words.h"

#include "caption.h"
#include "lexicon.h"

enum
{
  TOKENS,
  TRUNCATED
};

typedef struct
{
  const char *vocabulary, *captions;
  gint64 size, longest, minimum_count;
  int tokenizer;
  gboolean boundaries;
  double alter;
} Attributes;

typedef struct
{
  Lexicon *lexicon;
  SplitBuffers buffers;
  TextWords words;
} Instance;

static void
close_words (gpointer data)
{
  Instance *instance = data;
  lexicon_free (instance->lexicon);
  split_buffers_clear (&instance->buffers);
  text_words_clear (&instance->words);
  g_free (instance);
}

static gpointer
open_words (const WeftOpening *opening, GError **error)
{
  const Attributes *a = opening->attributes;
  g_autoptr (Lexicon) lexicon =
      a->vocabulary != NULL ? lexicon_load (a->vocabulary, a->size, a->boundaries, error)
                            : lexicon_build (a->captions, (SplitStyle) a->tokenizer, a->minimum_count, a->size, a->boundaries, error);
  if (lexicon == NULL)
    return NULL;
  Instance *instance = g_new0 (Instance, 1);
  instance->lexicon = g_steal_pointer (&lexicon);
  split_buffers_init (&instance->buffers);
  text_words_init (&instance->words);
  return instance;
}

static void
add_id (TextWords *words, gint32 id)
{
  text_words_begin (words);
  text_words_add (words, id);
}

static void
add_word (gpointer data, const char *word)
{
  Instance *instance = data;
  add_id (&instance->words, lexicon_id (instance->lexicon, word));
}

static void
look_up (Instance *instance, const Attributes *a, const char *text, gsize length)
{
  TextWords *words = &instance->words;
  g_array_set_size (words->pieces, 0);
  g_array_set_size (words->starts, 0);
  if (a->boundaries)
    add_id (words, instance->lexicon->start);
  split_words (&instance->buffers, (SplitStyle) a->tokenizer, text, length, add_word, instance);
  if (a->boundaries)
    add_id (words, instance->lexicon->end);
  /* A caption without words ("...") still is a caption: encoders need a state to start from. */
  if (words->starts->len == 0)
    add_id (words, instance->lexicon->unknown);
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
                                .mask = instance->lexicon->unknown,
                                .entries = instance->lexicon->entries };
  gint32 *tokens = out->data, truncated = 0, count = 0;
  out->offsets[0] = 0;
  for (gint64 i = 0; i < text->samples; i++)
    {
      gsize length;
      const char *caption = text_caption (call, text, i, &length);
      if (caption == NULL)
        return;
      look_up (instance, a, caption, length);
      gint64 n = text_alter (&instance->words, &alteration, tokens + count, a->longest);
      if (n > a->longest)
        {
          truncated++;
          n = a->longest;
          if (a->boundaries)
            tokens[count + n - 1] = instance->lexicon->end;
        }
      count += (gint32) n;
      out->offsets[i + 1] = count;
    }
  weft_resize (call, out, text->samples, count);
  if (call->out[TRUNCATED] != NULL)
    *(gint32 *) call->out[TRUNCATED]->data = truncated;
}

static char *
check (gconstpointer attributes)
{
  const Attributes *a = attributes;
  if ((a->vocabulary == NULL) == (a->captions == NULL))
    return g_strdup ("needs either vocabulary (a JSON file as SCAN stores it) or captions (a file to build a vocabulary from)");
  return NULL;
}

static const WeftAttribute attributes[] = {
  WEFT_PATH (Attributes, vocabulary, "", "JSON with a map word2idx, as SCAN stores vocabularies"),
  WEFT_PATH (Attributes, captions, "", "build the vocabulary from this file of captions, one a line"),
  WEFT_INTEGER (Attributes, size, "10000", 5, 1 << 24, "words", "bound of the vocabulary; when built, the most frequent words are kept"),
  WEFT_INTEGER (Attributes, longest, "64", 3, 1 << 16, "tokens", "longer captions are cut; they keep their <end>"),
  WEFT_INTEGER (Attributes, minimum_count, "4", 1, G_MAXINT32, "", "when built: how often a word has to occur"),
  WEFT_CHOICE (Attributes, tokenizer, "nltk", "simple: runs of a-z and 0-9; nltk: words, punctuation and contractions as NLTK cuts them",
               "simple", "nltk"),
  WEFT_BOOLEAN (Attributes, boundaries, "true", "captions begin with <start> and end with <end>"),
  WEFT_SCHEDULED (Attributes, alter, "0", 0, 1, "", "training: probability with which a word is altered"),
  { 0 },
};

static const WeftPort inputs[] = {
  { .name = "text", .signature = "u8[b:n]", .flags = WEFT_PORT_CONSTANT, .meaning = "captions, UTF-8" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "tokens", .signature = "i32[b : t <= b*$longest] < $size", .meaning = "ids of words" },
  { .name = "truncated", .signature = "i32[]", .flags = WEFT_PORT_OPTIONAL, .meaning = "number of captions that were cut" },
  { 0 },
};

static const WeftOperator words_operator = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "words",
  .version = 1,
  .summary = "Cuts captions into words and looks them up in a word vocabulary",
  .documentation = "Captions are lower-cased. A vocabulary that is built has the ids 0 padding, 1 <unk>, with boundaries 2 <start> and 3 "
                   "<end>, then the words "
                   "in the order of their bytes; one that is read keeps its ids. Words that are not in it are <unk>, and so is a caption "
                   "without words.\n\n"
                   "In training, each word, <start> and <end> included, is altered with probability `alter`: of the altered words, 50 % "
                   "become <unk>, 10 % a random "
                   "entry of the vocabulary, 40 % are dropped; a caption that would lose every word keeps one.",
  .source = "Vocabulary: Lee et al., Stacked Cross Attention, ECCV 2018; alterations: Chen et al., VSE-infinity, CVPR 2021",
  .attributes_size = sizeof (Attributes),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = forward,
  .not_differentiable = "text carries no gradient",
  .open = open_words,
  .close = close_words,
  .check = check,
  .example = "text: {op: feed, signature: \"u8[b<=4 : n<=96]\"}\n"
             "tokens: {op: words, text: text, captions: data/train_caps.txt, minimum_count: 1, longest: 16, alter: 0.2}\n",
};
WEFT_OPERATOR (words_operator);
