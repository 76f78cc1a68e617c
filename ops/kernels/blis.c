/* BLIS: which of its kernels to use, and matrix products with them.
 *
 * A BLIS does not know processors newer than itself and silently takes its generic kernels there, at a fifth of the speed. CPUID decides
 * rather than a list of models, so that a processor that hides a feature (valgrind hides AVX-512) is believed.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "blis.h"

#include <stdlib.h>
#include <string.h>

#ifdef WEFT_BLIS_IN_FOLDER
#include <blis/blis.h>
#else
#include <blis.h>
#endif

#if defined(__x86_64__)
#include <cpuid.h>
#endif

static char *chosen_why;

const char *
blis_choose (const BlisProcessor *processor)
{
  if (processor->avx512)
    return "skx";
  /* AMD's own configurations for Zen to Zen 3 are recognised by every BLIS that has them. */
  if (processor->avx2_fma && processor->amd && (processor->family == 0x17 || processor->family == 0x19))
    return NULL;
  if (processor->avx2_fma)
    return "haswell";
  return NULL;
}

/* The number that BLIS_ARCH_TYPE wants for a name, if that configuration was compiled in; -1 if not. */
static int
number_of (const char *name)
{
#ifdef BLIS_CONFIG_SKX
  if (strcmp (name, "skx") == 0)
    return BLIS_ARCH_SKX;
#endif
#ifdef BLIS_CONFIG_HASWELL
  if (strcmp (name, "haswell") == 0)
    return BLIS_ARCH_HASWELL;
#endif
  return -1;
}

static BlisProcessor
ask_processor (void)
{
  BlisProcessor processor = { 0 };
#if defined(__x86_64__)
  guint a, b, c, d;

  __builtin_cpu_init ();
  processor.amd = __builtin_cpu_is ("amd");
  processor.avx2_fma = __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
  processor.avx512 = __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512cd") && __builtin_cpu_supports ("avx512bw")
                     && __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("avx512vl");
  if (__get_cpuid (1, &a, &b, &c, &d))
    processor.family = ((a >> 8) & 15) + (((a >> 8) & 15) == 15 ? (a >> 20) & 255 : 0);
#endif
  return processor;
}

gboolean
blis_start (GError **error)
{
  BlisProcessor processor = ask_processor ();
  const char *name = blis_choose (&processor);
  int number = name ? number_of (name) : -1;
  const char *own = g_getenv ("BLIS_ARCH_TYPE");

  (void) error;
  if (own)
    chosen_why = g_strdup_printf ("BLIS_ARCH_TYPE=%s was set", own);
  else if (!name)
    chosen_why = g_strdup ("BLIS's own choice");
  else if (number < 0)
    chosen_why = g_strdup_printf ("BLIS's own choice; %s would fit this processor, but is not compiled in", name);
  else
    {
      g_autofree char *text = g_strdup_printf ("%d", number);
      g_setenv ("BLIS_ARCH_TYPE", text, TRUE);
      chosen_why = g_strdup_printf ("the processor has %s", processor.avx512 ? "AVX-512" : "AVX2 and FMA");
    }
  bli_init ();
  if (!own && number >= 0 && strcmp (bli_arch_string (bli_arch_query_id ()), name) != 0)
    {
      g_autofree char *before = chosen_why;
      chosen_why = g_strdup_printf ("%s, but BLIS did not take %s", before, name);
    }
  return TRUE;
}

char *
blis_report (void)
{
  return g_strdup_printf ("BLIS %s, kernels %s (%s)", bli_info_get_version_str (), bli_arch_string (bli_arch_query_id ()), chosen_why);
}

void
blis_product (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 a_stride, const float *b,
              gint64 b_stride, float beta, float *c, gint64 c_stride)
{
  rntm_t runtime;

  bli_rntm_init (&runtime);
  bli_rntm_set_num_threads (1, &runtime);
  bli_sgemm_ex (transpose_a ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, transpose_b ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, m, n, k, &alpha, (float *) a,
                a_stride, 1, (float *) b, b_stride, 1, &beta, c, c_stride, 1, NULL, &runtime);
}
