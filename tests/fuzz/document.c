/* YAML documents. What was read is printed and read again: it must come out the same.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "document.h"

/* Printing writes out what anchors stand for as often as they are used. */
#define MOST_PRINTED 2000

static guint
count (const WeftValue *value, guint n)
{
  for (guint i = 0; i < weft_value_length (value) && n <= MOST_PRINTED; i++)
    n = count (weft_value_item (value, i), n);
  return n + 1;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftValue) document = weft_document_parse ((const char *) data, (gssize) size, "document", problems);
  if (document == NULL || weft_problems_count (problems) > 0)
    {
      GError *error = NULL;
      g_assert (!weft_problems_to_error (problems, &error));
      fuzz_failed (error);
      return 0;
    }
  if (count (document, 0) > MOST_PRINTED)
    return 0;
  g_autofree char *text = weft_document_print (document);
  g_autoptr (WeftValue) again = weft_document_parse (text, -1, "printed", problems);
  g_assert (again != NULL && weft_problems_count (problems) == 0);
  g_autofree char *same = weft_document_print (again);
  g_assert_cmpstr (text, ==, same);
  return 0;
}
