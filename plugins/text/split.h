/* Captions to words, for word vocabularies.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  SPLIT_SIMPLE,
  SPLIT_TREEBANK,
} SplitStyle;

/* Called with each word, as UTF-8, valid during the call. */
typedef void (*SplitWord) (gpointer data, const char *word);

/**
 * SplitBuffers:
 *
 * Memory that is reused from caption to caption.
 */
typedef struct
{
  GArray *text;
  GArray *chunk;
  GString *word;
} SplitBuffers;

void split_buffers_init (SplitBuffers *buffers);
void split_buffers_clear (SplitBuffers *buffers);

/**
 * split_words:
 * @text: valid UTF-8, @length bytes
 *
 * Lower-cases a caption and cuts it into words. Simple: runs of a to z and 0 to 9. Treebank: by the conventions of the Penn Treebank as
 * NLTK's word_tokenize() follows them: punctuation apart, contractions cut (do n't, it 's, can not), quotes as `` and ''. Periods are apart where
 * a sentence ends: at the end, and before white space unless the word is a common abbreviation or a single letter.
 */
void split_words (SplitBuffers *buffers, SplitStyle style, const char *text, gsize length, SplitWord word, gpointer data);

G_END_DECLS
