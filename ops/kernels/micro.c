/* Which micro-kernels this process uses: those for tiles where the processor has them, or those of the instruction set of its vector
 * kernels.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "micro.h"

#include <string.h>

#include "vector.h"

#ifdef __x86_64__
/* `WEFT_VECTOR` names a set of vector kernels: nothing beyond it is used then. */
static gboolean
has_more_than_vectors (void)
{
  const char *asked = g_getenv ("WEFT_VECTOR");
  return strcmp (vector->name, micro_avx512.name) == 0 && !(asked && vector_set (asked));
}

/* Instructions for bfloat16 without tiles are faster than those for float32 on AMD's processors, and slower on Intel's. */
static gboolean
has_fast_bf16 (void)
{
  __builtin_cpu_init ();
  return __builtin_cpu_supports ("avx512bf16") && __builtin_cpu_is ("amd");
}

static const MicroKernels *
choose_special (gboolean bf16)
{
  if (!has_more_than_vectors ())
    return NULL;
#ifdef MICRO_HAS_AMX
  if (micro_amx_allowed ())
    return bf16 ? &micro_amx_bf16 : &micro_amx;
#endif
  return bf16 && has_fast_bf16 () ? &micro_bf16 : NULL;
}

/* (nullable): kernels beyond those of vectors. The lock of an answer holds the answer, so that nothing else needs an order. */
static const MicroKernels *
special (gboolean bf16)
{
  enum
  {
    NONE = 1
  };
  static gsize answers[2];
  if (g_once_init_enter (&answers[bf16]))
    {
      const MicroKernels *set = choose_special (bf16);
      g_once_init_leave (&answers[bf16], set ? GPOINTER_TO_SIZE (set) : NONE);
    }
  return answers[bf16] == NONE ? NULL : GSIZE_TO_POINTER (answers[bf16]);
}
#endif

/* Tiles take 32 numbers of the sum at a time. Where five in eight at most are there, vectors are faster. */
static gboolean
fills_tiles (gint64 k)
{
  return 8 * k > 5 * ((k + 31) / 32 * 32);
}

const MicroKernels *
micro_kernels (WeftCompute compute, gint64 k)
{
#ifdef __x86_64__
  static const MicroKernels *const sets[][2] = { { &micro_avx512, &micro_avx512_rounding }, { &micro_avx2, &micro_avx2_rounding } };
  gboolean bf16 = compute == WEFT_COMPUTE_BF16;
  const MicroKernels *best = special (bf16);
  if (best && (bf16 || fills_tiles (k)))
    return best;
  for (guint i = 0; i < G_N_ELEMENTS (sets); i++)
    if (strcmp (sets[i][0]->name, vector->name) == 0)
      return sets[i][bf16];
#endif
  return NULL;
}
