/* One loop, compiled for several instruction sets and chosen at run time, for modules that have no kernels of their own.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

typedef enum
{
  WEFT_INSTRUCTIONS_BASELINE,
  WEFT_INSTRUCTIONS_AVX2,
  WEFT_INSTRUCTIONS_AVX512,
} WeftInstructions;

/**
 * weft_instructions:
 *
 * Returns: the best set that the processor has; the environment variable `WEFT_VECTOR` (`baseline`, `avx2`) asks for a lesser one
 */
static inline WeftInstructions
weft_instructions (void)
{
#ifdef __x86_64__
  static int known; /* one above; every thread that asks first finds the same */
  int now = __atomic_load_n (&known, __ATOMIC_RELAXED);
  if (!now)
    {
      const char *asked = g_getenv ("WEFT_VECTOR");
      gboolean avx2 = __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
      gboolean avx512 = avx2 && __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512dq")
                        && __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512vl");
      now = 1 + (avx512 ? WEFT_INSTRUCTIONS_AVX512 : avx2 ? WEFT_INSTRUCTIONS_AVX2 : WEFT_INSTRUCTIONS_BASELINE);
      if (asked && strcmp (asked, "baseline") == 0)
        now = 1 + WEFT_INSTRUCTIONS_BASELINE;
      else if (asked && strcmp (asked, "avx2") == 0)
        now = MIN (now, 1 + WEFT_INSTRUCTIONS_AVX2);
      __atomic_store_n (&known, now, __ATOMIC_RELAXED);
    }
  return (WeftInstructions) (now - 1);
#else
  return WEFT_INSTRUCTIONS_BASELINE;
#endif
}

/* What a loop to be compiled several times is declared with. */
#define WEFT_LOOP static inline __attribute__ ((always_inline))

/**
 * WEFT_DISPATCH:
 * @type: what the function returns
 * @name: of the function that is made
 * @loop: a function declared with %WEFT_LOOP
 * @parameters, @arguments: in parentheses, with and without types
 *
 * Makes a static function that calls the best version of @loop. Versions differ in the last bits, since some have fused products and sums;
 * none depends on addresses or threads if the loop does not.
 */
#ifdef __x86_64__
#define WEFT_DISPATCH(type, name, loop, parameters, arguments)                                                                             \
  static type name##_baseline parameters                                                                                                   \
  {                                                                                                                                        \
    return loop arguments;                                                                                                                 \
  }                                                                                                                                        \
  __attribute__ ((target ("avx2,fma"))) static type name##_avx2 parameters                                                                 \
  {                                                                                                                                        \
    return loop arguments;                                                                                                                 \
  }                                                                                                                                        \
  __attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))) static type name##_avx512 parameters                            \
  {                                                                                                                                        \
    return loop arguments;                                                                                                                 \
  }                                                                                                                                        \
  static inline type name parameters                                                                                                       \
  {                                                                                                                                        \
    WeftInstructions set = weft_instructions ();                                                                                           \
    return set == WEFT_INSTRUCTIONS_AVX512 ? name##_avx512 arguments                                                                       \
           : set == WEFT_INSTRUCTIONS_AVX2 ? name##_avx2 arguments                                                                         \
                                           : name##_baseline arguments;                                                                    \
  }
#else
#define WEFT_DISPATCH(type, name, loop, parameters, arguments)                                                                             \
  static inline type name parameters                                                                                                       \
  {                                                                                                                                        \
    return loop arguments;                                                                                                                 \
  }
#endif

G_END_DECLS
