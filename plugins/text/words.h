/* A caption as words of pieces, and what training does to them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

/**
 * TextWords:
 * @pieces: gint32 ids
 * @starts: guint, for each word the index of its first piece
 *
 * Reused from caption to caption.
 */
typedef struct
{
  GArray *pieces;
  GArray *starts;
} TextWords;

void text_words_init (TextWords *words);
void text_words_clear (TextWords *words);
void text_words_begin (TextWords *words);
void text_words_add (TextWords *words, gint32 piece);

/**
 * TextAlteration:
 * @rate: probability with which a word is altered; 0 alters nothing
 * @random: stream of this step
 * @mask: what stands for a hidden piece
 * @entries: number of vocabulary entries to draw from
 * @word, @piece: how many were drawn for so far; start at 0 in every step
 *
 * Of the altered words, half have every piece replaced by @mask, a tenth have every piece replaced by a random entry, and the others are
 * dropped; a caption that would lose every word keeps one. (USER after VSE-infinity)
 */
typedef struct
{
  float rate;
  WeftRandom random;
  gint32 mask;
  gint32 entries;
  guint32 word, piece;
} TextAlteration;

/**
 * text_alter:
 * @to: room for @room ids
 *
 * Writes a caption's ids, altered. Returns: how many there are, more than @room if some were cut off.
 */
gint64 text_alter (const TextWords *words, TextAlteration *alteration, gint32 *to, gint64 room);

G_END_DECLS
