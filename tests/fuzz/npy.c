/* `.npy` files.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "npy.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *path = fuzz_file (data, size);
  GError *error = NULL;
  g_autoptr (WeftNpy) npy = weft_npy_open (path, &error);
  if (npy == NULL)
    {
      fuzz_failed (error);
      return 0;
    }
  const WeftTensor *tensor = weft_npy_tensor (npy);
  gsize bytes = weft_tensor_bytes (tensor);
  g_assert (bytes <= size);
  gint64 rows = tensor->rank > 0 ? tensor->shape[0] : 1, part = rows - rows / 2;
  g_autofree char *values = g_malloc (bytes + 1);
  if (!weft_npy_read (npy, rows / 2, part, values, &error))
    g_assert_not_reached ();
  WeftTensor whole;
  g_autofree float *floats = weft_npy_read_f32 (path, &whole, &error);
  g_assert (floats != NULL && weft_tensor_elements (&whole) == weft_tensor_elements (tensor));
  fuzz_use (floats, (gsize) weft_tensor_elements (&whole) * sizeof (float));
  return 0;
}
