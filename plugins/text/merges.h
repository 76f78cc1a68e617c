/* Byte-pair vocabularies: which bytes and pairs of pieces are pieces, and their ids.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * Merges:
 * @byte: id of each byte inside a word
 * @last_byte: id of each byte that ends a word
 * @start, @end: ids of `<|startoftext|>` and `<|endoftext|>`
 */
typedef struct
{
  gint32 byte[256], last_byte[256];
  gint32 start, end;
  GHashTable *pairs;
  GArray *list;
} Merges;

/**
 * merges_load:
 * @vocabulary: OpenAI's list of merges (`bpe_simple_vocab_16e6.txt`, as it is or compressed by gzip), Hugging Face's `vocab.json`, or a
 *   folder with one
 * @merges: (nullable): Hugging Face's merges; %NULL: `merges.txt` beside `vocab.json`
 * @size: number of ids: of a list of merges as many are used as fit, in `vocab.json` no id may reach it
 */
Merges *merges_load (const char *vocabulary, const char *merges, gint64 size, GError **error);
void merges_free (Merges *merges);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Merges, merges_free)

/**
 * merges_apply:
 * @pieces: (element-type gint32): ids of a word's bytes; the pairs that were learnt first are joined first, until none is left
 */
void merges_apply (const Merges *merges, GArray *pieces);

G_END_DECLS
