/* Name maps of other people's weights.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "name-map.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const names[] = { "", "bert.encoder.layer.11.attention.self.query.weight", "module.rnn.weight_hh_l0_reverse" };
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftNameMap) map = weft_name_map_load (fuzz_file (data, size), problems);
  g_assert ((map == NULL) == (weft_problems_count (problems) > 0));
  for (guint i = 0; map != NULL && i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = weft_name_map_apply (map, names[i]);
      g_assert (name == NULL || g_utf8_validate (name, -1, NULL));
    }
  return 0;
}
