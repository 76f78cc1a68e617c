/* Python pickles.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "pickle.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const globals[] = { "collections.OrderedDict", "torch.FloatStorage", "torch._utils._rebuild_tensor_v2", NULL };
  GError *error = NULL;
  gsize used = 0;
  g_autoptr (WeftPickle) pickle = weft_pickle_read (data, size, 0, &used, globals, "pickle", &error);
  if (pickle == NULL)
    {
      fuzz_failed (error);
      return 0;
    }
  g_assert (used <= size && weft_pickle_root (pickle) != NULL);
  const GPtrArray *values = weft_pickle_values (pickle);
  for (guint i = 0; i < values->len; i++)
    {
      const WeftPickled *value = values->pdata[i];
      g_assert (value->offset < size);
      if (value->text != NULL)
        fuzz_use (value->text, value->length);
      for (guint k = 0; value->items != NULL && k < value->items->len; k++)
        g_assert (value->items->pdata[k] != NULL);
    }
  return 0;
}
