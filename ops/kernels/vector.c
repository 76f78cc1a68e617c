/* Which vector kernels this process uses.
 *
 * A plain table of functions, set by a constructor, rather than the linker's indirect functions: those are resolved before sanitizers
 * are ready.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "vector-tables.h"

#include <string.h>

const VectorKernels *vector = &vector_baseline;

/* Best first. */
static const VectorKernels *
usable (guint index)
{
#ifdef __x86_64__
  static const VectorKernels *const sets[] = { &vector_avx512, &vector_avx2, &vector_baseline, NULL };
  __builtin_cpu_init ();
  gboolean avx2 = __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
  gboolean avx512 = avx2 && __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("avx512bw")
                    && __builtin_cpu_supports ("avx512vl");
  return sets[index + (avx512 ? 0 : avx2 ? 1 : 2)];
#else
  static const VectorKernels *const sets[] = { &vector_baseline, NULL };
  return sets[index];
#endif
}

const VectorKernels *
vector_set (const char *name)
{
  const VectorKernels *set;
  for (guint i = 0; (set = usable (i)) != NULL; i++)
    if (strcmp (set->name, name) == 0)
      return set;
  return NULL;
}

__attribute__ ((constructor)) static void
choose_vector_kernels (void)
{
  const char *asked = g_getenv ("WEFT_VECTOR");
  const VectorKernels *set = asked ? vector_set (asked) : NULL;
  vector = set ? set : usable (0);
}
