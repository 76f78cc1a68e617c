/* BERT's basic tokenizer: text to words and punctuation.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * basic_normalize:
 * @text: valid UTF-8, @length bytes
 * @lower: lower-case and strip accents
 * @characters: (element-type gunichar): replaced by the characters, with runs of ' ' between words
 *
 * Control characters are removed, all white space becomes ' ', CJK ideographs stand alone.
 */
void basic_normalize (const char *text, gsize length, gboolean lower, GArray *characters);

/* Finds the next word at or after @from: a punctuation character, or a run of others. Returns: FALSE at the end. */
gboolean basic_next_word (const GArray *characters, guint from, guint *start, guint *end);

G_END_DECLS
