/* Mistakes found in a document, gathered so that all of them are reported at once.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * WeftMark:
 * @file: (nullable): interned file name, or a name such as `--set`
 * @line, @column: counted from 1; 0 when unknown
 */
typedef struct
{
  const char *file;
  guint line, column;
} WeftMark;

typedef struct _WeftProblems WeftProblems;

WeftProblems *weft_problems_new (void);
void weft_problems_free (WeftProblems *problems);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftProblems, weft_problems_free)

/**
 * weft_problems_add:
 *
 * Adds `file:line:column: message`. A message says what is wrong, what was expected and what to do.
 */
void weft_problems_add (WeftProblems *problems, WeftMark mark, const char *format, ...) G_GNUC_PRINTF (3, 4);
guint weft_problems_count (const WeftProblems *problems);
/* Message @index including its mark. */
const char *weft_problems_get (const WeftProblems *problems, guint index);

/**
 * weft_problems_to_error:
 *
 * Returns: %TRUE if there are none; otherwise %FALSE with @error set to all messages, one a line, ordered by file and line.
 */
gboolean weft_problems_to_error (const WeftProblems *problems, GError **error);

/**
 * weft_nearest:
 * @word: what was written
 * @choices: (array zero-terminated=1): what is valid
 *
 * Returns: (nullable): the choice within an edit distance (Damerau and Levenshtein) of a third of the word's length, or %NULL.
 */
const char *weft_nearest (const char *word, const char *const *choices);

/**
 * weft_suggestion:
 *
 * Returns: (transfer full): `; did you mean "x"?` if something is near, followed by `; valid: a, b, c` when there are few choices;
 *   never %NULL, so that it can end any message.
 */
char *weft_suggestion (const char *word, const char *const *choices);

G_END_DECLS
