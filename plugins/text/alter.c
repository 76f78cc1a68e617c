/* Words that are hidden, replaced or dropped in training.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "words.h"

typedef enum
{
  KEEP,
  MASK,
  REPLACE,
  DROP,
} Fate;

enum
{
  FATE_STREAM,
  ENTRY_STREAM,
  SURVIVOR_STREAM
};

void
text_words_init (TextWords *words)
{
  words->pieces = g_array_new (FALSE, FALSE, sizeof (gint32));
  words->starts = g_array_new (FALSE, FALSE, sizeof (guint));
}

void
text_words_clear (TextWords *words)
{
  g_clear_pointer (&words->pieces, g_array_unref);
  g_clear_pointer (&words->starts, g_array_unref);
}

void
text_words_begin (TextWords *words)
{
  g_array_append_val (words->starts, words->pieces->len);
}

void
text_words_add (TextWords *words, gint32 piece)
{
  g_array_append_val (words->pieces, piece);
}

static Fate
fate (const TextAlteration *alteration, guint32 word)
{
  if (alteration->rate <= 0)
    return KEEP;
  float u = weft_random_uniform (weft_random_split (alteration->random, FATE_STREAM), word);
  if (u >= alteration->rate)
    return KEEP;
  u /= alteration->rate;
  return u < 0.5f ? MASK : u < 0.6f ? REPLACE : DROP;
}

/* Returns: the word that stays though all were to be dropped, -1 if there are others. */
static gint64
survivor (const TextAlteration *alteration, guint n)
{
  for (guint i = 0; i < n; i++)
    if (fate (alteration, alteration->word + i) != DROP)
      return -1;
  if (n == 0)
    return -1;
  return weft_random_below (weft_random_split (alteration->random, SURVIVOR_STREAM), alteration->word, n);
}

gint64
text_alter (const TextWords *words, TextAlteration *alteration, gint32 *to, gint64 room)
{
  guint n = words->starts->len;
  gint64 count = 0, kept = survivor (alteration, n);
  for (guint i = 0; i < n; i++)
    {
      Fate what = i == kept ? KEEP : fate (alteration, alteration->word + i);
      guint end = i + 1 < n ? g_array_index (words->starts, guint, i + 1) : words->pieces->len;
      for (guint p = g_array_index (words->starts, guint, i); p < end && what != DROP; p++)
        {
          gint32 id = what == MASK ? alteration->mask : g_array_index (words->pieces, gint32, p);
          if (what == REPLACE)
            id = (gint32) weft_random_below (weft_random_split (alteration->random, ENTRY_STREAM), alteration->piece++,
                                             (guint32) alteration->entries);
          if (count < room)
            to[count] = id;
          count++;
        }
    }
  alteration->word += n;
  return count;
}
