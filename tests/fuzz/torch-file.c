/* Files of torch.save. In zip archives the checksum of data.pkl is set right first: it would hide the pickle from mutations.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "torch-file.h"
#include "zip.h"

static void
set_checksum (guint8 *data, gsize size)
{
  g_autoptr (WeftBytes) bytes = weft_bytes_open (fuzz_file (data, size), NULL);
  g_autoptr (GHashTable) members = weft_zip_read (bytes, NULL);
  GHashTableIter iterator;
  gpointer name, value;
  if (members == NULL)
    return;
  g_hash_table_iter_init (&iterator, members);
  while (g_hash_table_iter_next (&iterator, &name, &value))
    {
      const WeftZipMember *member = value;
      guint32 old = GUINT32_TO_LE (member->checksum);
      guint32 right = GUINT32_TO_LE (weft_zip_checksum (0, data + member->offset, member->size));
      guint8 *at = g_str_has_suffix (name, ".pkl") ? data : data + size;
      while ((at = memmem (at, (gsize) (data + size - at), &old, sizeof old)) != NULL)
        {
          memcpy (at, &right, sizeof right);
          at += sizeof right;
        }
    }
}

static void
read_tensor (WeftTorchFile *file, const char *name, gsize size)
{
  const WeftTensor *tensor = weft_torch_file_find (file, name);
  gsize bytes = weft_tensor_bytes (tensor), elements = (gsize) weft_tensor_elements (tensor);
  g_assert (bytes <= size);
  g_autofree char *values = g_malloc (bytes + 1);
  g_autofree float *floats = g_new (float, elements + 1);
  if (!weft_torch_file_read (file, name, values, NULL) || !weft_torch_file_read_f32 (file, name, floats, NULL))
    g_assert_not_reached ();
  fuzz_use (values, bytes);
  fuzz_use (floats, elements * sizeof (float));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree guint8 *copy = g_memdup2 (data, size);
  GError *error = NULL;
  if (size > 0)
    set_checksum (copy, size);
  g_autoptr (WeftTorchFile) file = weft_torch_file_open (fuzz_file (copy, size), &error);
  if (file == NULL)
    {
      fuzz_failed (error);
      return 0;
    }
  const char *const *names = weft_torch_file_names (file);
  for (guint i = 0; names[i] != NULL && i < 64; i++)
    read_tensor (file, names[i], size);
  return 0;
}
