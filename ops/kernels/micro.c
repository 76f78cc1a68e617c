/* Which micro-kernels this process uses: those of the instruction set of its vector kernels.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "micro.h"

#include <string.h>

#include "vector.h"

const MicroKernels *
micro_kernels (void)
{
#ifdef __x86_64__
  static const MicroKernels *const sets[] = { &micro_avx512, &micro_avx2 };
  for (guint i = 0; i < G_N_ELEMENTS (sets); i++)
    if (strcmp (sets[i]->name, vector->name) == 0)
      return sets[i];
#endif
  return NULL;
}
