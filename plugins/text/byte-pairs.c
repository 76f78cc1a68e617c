/* CLIP's byte-pair tokenizer.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "caption.h"
#include "clean.h"
#include "merges.h"

enum
{
  TOKENS,
  TRUNCATED
};

typedef struct
{
  const char *vocabulary, *merges;
  gint64 size, longest;
} Attributes;

typedef struct
{
  Merges *merges;
  GArray *characters, *pieces;
} Instance;

static void
close_byte_pairs (gpointer data)
{
  Instance *instance = data;
  merges_free (instance->merges);
  g_array_unref (instance->characters);
  g_array_unref (instance->pieces);
  g_free (instance);
}

static gpointer
open_byte_pairs (const WeftOpening *opening, GError **error)
{
  const Attributes *a = opening->attributes;
  Merges *merges = merges_load (a->vocabulary, a->merges, a->size, error);
  if (merges == NULL)
    return NULL;
  Instance *instance = g_new0 (Instance, 1);
  instance->merges = merges;
  instance->characters = g_array_new (FALSE, FALSE, sizeof (gunichar));
  instance->pieces = g_array_new (FALSE, FALSE, sizeof (gint32));
  return instance;
}

static void
cut_word (Instance *instance, const gunichar *word, guint n)
{
  const Merges *merges = instance->merges;
  g_array_set_size (instance->pieces, 0);
  for (guint i = 0; i < n; i++)
    {
      char bytes[6];
      int length = g_unichar_to_utf8 (word[i], bytes);
      for (int k = 0; k < length; k++)
        {
          gboolean last = i + 1 == n && k + 1 == length;
          gint32 id = (last ? merges->last_byte : merges->byte)[(guint8) bytes[k]];
          g_array_append_val (instance->pieces, id);
        }
    }
  merges_apply (merges, instance->pieces);
}

/* Returns how many pieces the caption has; as many as there is @room for are written. */
static gint64
tokenize (Instance *instance, const char *text, gsize length, gint32 *tokens, gint64 room)
{
  gint64 count = 0;
  clean_caption (text, length, instance->characters);
  const gunichar *c = (const gunichar *) (gconstpointer) instance->characters->data;
  for (guint start, end = 0; count <= room && clean_next_word (instance->characters, end, &start, &end);)
    {
      cut_word (instance, c + start, end - start);
      if (count < room)
        memcpy (tokens + count, instance->pieces->data, (gsize) MIN (instance->pieces->len, room - count) * sizeof (gint32));
      count += instance->pieces->len;
    }
  return count;
}

static void
forward (const WeftCall *call)
{
  const Attributes *a = call->attributes;
  Instance *instance = call->instance;
  const WeftTensor *text = call->in[0];
  WeftTensor *out = call->out[TOKENS];
  gint32 *tokens = out->data, truncated = 0, count = 0;
  out->offsets[0] = 0;
  for (gint64 i = 0; i < text->samples; i++)
    {
      gsize length;
      const char *caption = text_caption (call, text, i, &length);
      if (caption == NULL)
        return;
      tokens[count++] = instance->merges->start;
      gint64 n = tokenize (instance, caption, length, tokens + count, a->longest - 2);
      truncated += n > a->longest - 2;
      count += (gint32) MIN (n, a->longest - 2);
      tokens[count++] = instance->merges->end;
      out->offsets[i + 1] = count;
    }
  weft_resize (call, out, text->samples, count);
  if (call->out[TRUNCATED] != NULL)
    *(gint32 *) call->out[TRUNCATED]->data = truncated;
}

static const WeftAttribute attributes[] = {
  WEFT_PATH (Attributes, vocabulary, NULL,
             "bpe_simple_vocab_16e6.txt.gz, unpacked or not; or vocab.json; or a folder with vocab.json and merges.txt"),
  WEFT_PATH (Attributes, merges, "", "merges of a vocab.json; absent: merges.txt beside it"),
  WEFT_INTEGER (Attributes, size, "49408", 515, 1 << 24, "pieces", "size of the vocabulary"),
  WEFT_INTEGER (Attributes, longest, "77", 3, 1 << 16, "tokens", "longer captions are cut; they keep their end"),
  { 0 },
};

static const WeftPort inputs[] = {
  { .name = "text", .signature = "u8[b:n]", .flags = WEFT_PORT_CONSTANT, .meaning = "captions, UTF-8" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "tokens", .signature = "i32[b : t <= b*$longest] < $size", .meaning = "ids: start … end; the end is always last" },
  { .name = "truncated", .signature = "i32[]", .flags = WEFT_PORT_OPTIONAL, .meaning = "number of captions that were cut" },
  { 0 },
};

static const WeftOperator byte_pairs = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "byte_pairs",
  .version = 1,
  .summary = "Cuts captions into CLIP's byte pairs",
  .documentation =
      "Captions are lower-cased and cut into runs of letters, single numerals, contractions ('s, 't, 're, 've, 'm, 'll, 'd) and runs of "
      "everything else but white space. A word's bytes are joined pair by pair, those that were learnt first before others. Before that, "
      "quotes are made straight, full-width forms and ligatures plain, numeric and the common named entities of HTML replaced, and what "
      "can be composed is composed; text that was decoded wrongly is not repaired. Special tokens spelt out in a caption are ordinary "
      "text.\n\n"
      "OpenAI's list of merges gives ids by position. With vocab.json of Hugging Face, ids are those of the file.",
  .source = "Radford et al., CLIP, arXiv 2103.00020, section 2.4; byte pairs: Sennrich et al., arXiv 1508.07909",
  .attributes_size = sizeof (Attributes),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = forward,
  .not_differentiable = "text carries no gradient",
  .open = open_byte_pairs,
  .close = close_byte_pairs,
  .example = "text: {op: feed, signature: \"u8[b<=4 : n<=96]\"}\n"
             "tokens: {op: byte_pairs, text: text, vocabulary: data/merges.txt, size: 520, longest: 16}\n",
};
WEFT_OPERATOR (byte_pairs);
