/* Word vocabularies: words to ids.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

#include "split.h"

G_BEGIN_DECLS

/**
 * Lexicon:
 * @ids: word → id
 * @entries: one more than the greatest id
 * @unknown, @start, @end: ids of `<unk>`, `<start>` and `<end>`; @start and @end are -1 if there are none
 */
typedef struct
{
  GHashTable *ids;
  gint32 entries, unknown, start, end;
} Lexicon;

void lexicon_free (Lexicon *lexicon);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Lexicon, lexicon_free)

/**
 * lexicon_load:
 * @size: upper bound of the ids
 * @boundaries: whether `<start>` and `<end>` are needed
 *
 * Reads a vocabulary as SCAN stores it: JSON with a map `word2idx`.
 */
Lexicon *lexicon_load (const char *path, gint64 size, gboolean boundaries, GError **error);

/**
 * lexicon_build:
 * @path: captions, one a line; looked for in its folder's `precomp/` too
 * @minimum_count: least number of times that a word has to occur
 * @size: greatest number of entries; the most frequent words are kept
 *
 * Numbers: 0 padding, 1 `<unk>`, with boundaries 2 `<start>` and 3 `<end>`, then the words in the order of their bytes.
 */
Lexicon *lexicon_build (const char *path, SplitStyle style, gint64 minimum_count, gint64 size, gboolean boundaries, GError **error);

/* The id of a word, or that of `<unk>`. */
gint32 lexicon_id (const Lexicon *lexicon, const char *word);

G_END_DECLS
