/* safetensors files.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "safetensors.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  GError *error = NULL;
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (fuzz_file (data, size), &error);
  if (file == NULL)
    {
      fuzz_failed (error);
      return 0;
    }
  gsize sum = 0;
  for (const char *const *name = weft_safetensors_names (file); *name != NULL; name++)
    {
      const WeftTensor *tensor = weft_safetensors_find (file, *name);
      g_assert (g_utf8_validate (*name, -1, NULL));
      gsize bytes = weft_tensor_bytes (tensor), elements = (gsize) weft_tensor_elements (tensor);
      sum += bytes;
      g_assert (sum <= size);
      g_autofree char *values = g_malloc (bytes + 1);
      g_autofree float *floats = g_new (float, elements + 1);
      if (!weft_safetensors_read (file, *name, values, &error) || !weft_safetensors_read_f32 (file, *name, floats, &error))
        g_assert_not_reached ();
      fuzz_use (values, bytes);
      fuzz_use (floats, elements * sizeof (float));
    }
  for (const char *const *key = weft_safetensors_metadata_keys (file); *key != NULL; key++)
    g_assert (g_utf8_validate (weft_safetensors_metadata (file, *key), -1, NULL));
  return 0;
}
