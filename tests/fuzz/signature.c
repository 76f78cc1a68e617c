/* Signatures of shapes, and the sizes in them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "signature.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL, size_error = NULL;
  g_autoptr (WeftSignature) signature = weft_signature_parse (text, &error);
  g_autoptr (WeftSize) expression = weft_size_parse (text, &size_error);
  g_assert ((signature == NULL) == (error != NULL) && (expression == NULL) == (size_error != NULL));
  g_assert (signature == NULL || signature->n <= G_N_ELEMENTS (signature->dims));
  return 0;
}
