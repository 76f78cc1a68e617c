/* The directories of zip archives.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "zip.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  GError *error = NULL;
  g_autoptr (WeftBytes) bytes = weft_bytes_open (fuzz_file (data, size), &error);
  g_autoptr (GHashTable) members = weft_zip_read (bytes, &error);
  if (members == NULL)
    {
      fuzz_failed (error);
      return 0;
    }
  GHashTableIter iterator;
  gpointer name, value;
  g_hash_table_iter_init (&iterator, members);
  while (g_hash_table_iter_next (&iterator, &name, &value))
    {
      const WeftZipMember *member = value;
      g_assert (g_utf8_validate (name, -1, NULL));
      g_assert (member->offset <= size && member->size <= size - member->offset);
      fuzz_use (data + member->offset, member->size);
    }
  return 0;
}
