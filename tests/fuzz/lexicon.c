/* Vocabularies of words: SCAN's files, and those made of captions.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "../../plugins/text/lexicon.h"

static void
look_up (Lexicon *lexicon, gint64 size, GError *error)
{
  if (lexicon == NULL)
    {
      fuzz_failed (error);
      return;
    }
  g_assert (lexicon->entries <= size && lexicon_id (lexicon, "word") < size && lexicon->unknown < lexicon->entries);
  lexicon_free (lexicon);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  GError *error = NULL;
  Lexicon *lexicon = lexicon_load (fuzz_file (data, size), 1000, size % 2, &error);
  look_up (lexicon, 1000, error);
  error = NULL;
  lexicon = lexicon_build (fuzz_file (data, size), size % 2, 1 + size % 3, 100, size % 2, &error);
  look_up (lexicon, 100, error);
  return 0;
}
