/* Which micro-kernels this process uses: those of the instruction set of its vector kernels, and for bfloat16 those of the processor unless
 * `WEFT_VECTOR` asks for less.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "micro.h"

#include <string.h>

#include "vector.h"

#ifdef __x86_64__
static gboolean
has_bf16 (void)
{
  static gsize known;
  if (g_once_init_enter (&known))
    {
      const char *asked = g_getenv ("WEFT_VECTOR");
      gboolean lesser = asked && vector_set (asked);
      __builtin_cpu_init ();
      g_once_init_leave (&known, strcmp (vector->name, micro_avx512.name) == 0 && !lesser && __builtin_cpu_supports ("avx512bf16") ? 2 : 1);
    }
  return known == 2;
}
#endif

const MicroKernels *
micro_kernels (WeftCompute compute)
{
#ifdef __x86_64__
  static const MicroKernels *const sets[][2] = { { &micro_avx512, &micro_avx512_rounding }, { &micro_avx2, &micro_avx2_rounding } };
  if (compute == WEFT_COMPUTE_BF16 && has_bf16 ())
    return &micro_bf16;
  for (guint i = 0; i < G_N_ELEMENTS (sets); i++)
    if (strcmp (sets[i][0]->name, vector->name) == 0)
      return sets[i][compute == WEFT_COMPUTE_BF16];
#endif
  return NULL;
}
