/* BLIS: which of its kernels to use, and matrix products with them.
 *
 * Configurations are known by name and by the number that the header gives them. The library may be another one than the header's, and
 * orders differ between versions; so what BLIS took is asked by name afterwards.
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

#ifdef __x86_64__
#include <cpuid.h>
#endif

#include <weft/operator.h>

#include "blis-choice.h"
#include "micro.h"

#define MISMATCH ", but BLIS took another: its library and its header are of different versions"

static char *chosen_why;

/* What was compiled in, and the number by which this version wants to be told. */
static const struct
{
  const char *name;
  int number;
} configurations[] = {
#ifdef BLIS_CONFIG_SKX
  { "skx", BLIS_ARCH_SKX },
#endif
#ifdef BLIS_CONFIG_KNL
  { "knl", BLIS_ARCH_KNL },
#endif
#ifdef BLIS_CONFIG_HASWELL
  { "haswell", BLIS_ARCH_HASWELL },
#endif
#ifdef BLIS_CONFIG_SANDYBRIDGE
  { "sandybridge", BLIS_ARCH_SANDYBRIDGE },
#endif
#ifdef BLIS_CONFIG_PENRYN
  { "penryn", BLIS_ARCH_PENRYN },
#endif
#ifdef BLIS_CONFIG_ZEN5
  { "zen5", BLIS_ARCH_ZEN5 },
#endif
#ifdef BLIS_CONFIG_ZEN4
  { "zen4", BLIS_ARCH_ZEN4 },
#endif
#ifdef BLIS_CONFIG_ZEN3
  { "zen3", BLIS_ARCH_ZEN3 },
#endif
#ifdef BLIS_CONFIG_ZEN2
  { "zen2", BLIS_ARCH_ZEN2 },
#endif
#ifdef BLIS_CONFIG_ZEN
  { "zen", BLIS_ARCH_ZEN },
#endif
#ifdef BLIS_CONFIG_EXCAVATOR
  { "excavator", BLIS_ARCH_EXCAVATOR },
#endif
#ifdef BLIS_CONFIG_STEAMROLLER
  { "steamroller", BLIS_ARCH_STEAMROLLER },
#endif
#ifdef BLIS_CONFIG_PILEDRIVER
  { "piledriver", BLIS_ARCH_PILEDRIVER },
#endif
#ifdef BLIS_CONFIG_BULLDOZER
  { "bulldozer", BLIS_ARCH_BULLDOZER },
#endif
#ifdef BLIS_CONFIG_ARMSVE
  { "armsve", BLIS_ARCH_ARMSVE },
#endif
#ifdef BLIS_CONFIG_A64FX
  { "a64fx", BLIS_ARCH_A64FX },
#endif
#ifdef BLIS_CONFIG_FIRESTORM
  { "firestorm", BLIS_ARCH_FIRESTORM },
#endif
#ifdef BLIS_CONFIG_THUNDERX2
  { "thunderx2", BLIS_ARCH_THUNDERX2 },
#endif
#ifdef BLIS_CONFIG_CORTEXA57
  { "cortexa57", BLIS_ARCH_CORTEXA57 },
#endif
#ifdef BLIS_CONFIG_CORTEXA53
  { "cortexa53", BLIS_ARCH_CORTEXA53 },
#endif
#ifdef BLIS_CONFIG_POWER10
  { "power10", BLIS_ARCH_POWER10 },
#endif
#ifdef BLIS_CONFIG_POWER9
  { "power9", BLIS_ARCH_POWER9 },
#endif
#ifdef BLIS_CONFIG_POWER7
  { "power7", BLIS_ARCH_POWER7 },
#endif
#ifdef BLIS_CONFIG_GENERIC
  { "generic", BLIS_ARCH_GENERIC },
#endif
  { NULL, -1 },
};

static int
number_of (const char *name)
{
  guint i = 0;

  while (configurations[i].name && strcmp (configurations[i].name, name) != 0)
    i++;
  return configurations[i].number;
}

static const char *
name_of (gint64 number)
{
  guint i = 0;

  while (configurations[i].name && configurations[i].number != number)
    i++;
  return configurations[i].name;
}

static BlisProcessor
ask_processor (void)
{
  BlisProcessor processor = { 0 };
#ifdef __x86_64__
  guint a, b, c, d;

  __builtin_cpu_init ();
  processor.amd = __builtin_cpu_is ("amd");
  processor.avx2_fma = __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
  processor.avx512 = __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512cd") && __builtin_cpu_supports ("avx512bw")
                     && __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("avx512vl");
  processor.avx512_knights = __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512er");
  if (__get_cpuid (1, &a, &b, &c, &d))
    {
      processor.family = (a >> 8) & 15;
      processor.model = (a >> 4) & 15;
      if (processor.family == 6 || processor.family == 15)
        processor.model |= (a >> 12) & 0xf0;
      if (processor.family == 15)
        processor.family += (a >> 20) & 255;
    }
#endif
  return processor;
}

/* BLIS reads its environment once and wants a number: its versions before 1.0 read any word as 0. Returns whether it took @name. */
static gboolean
start_as (const char *name)
{
  g_autofree char *user = g_strdup (g_getenv ("BLIS_ARCH_TYPE")), *number = g_strdup_printf ("%d", number_of (name));

  g_setenv ("BLIS_ARCH_TYPE", number, TRUE);
  bli_init ();
  /* Programs that are started from here decide for themselves. */
  if (user)
    g_setenv ("BLIS_ARCH_TYPE", user, TRUE);
  else
    g_unsetenv ("BLIS_ARCH_TYPE");
  return strcmp (bli_arch_string (bli_arch_query_id ()), name) == 0;
}

/* BLIS aborts at a number that it has nothing for. */
static gboolean
take_user_choice (const char *user, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);
  gint64 number;
  gboolean is_number = g_ascii_string_to_signed (user, 10, 0, G_MAXINT, &number, NULL);
  const char *name = is_number ? name_of (number) : name_of (number_of (user));

  if (name)
    {
      chosen_why = g_strdup_printf ("BLIS_ARCH_TYPE=%s was set%s", user, start_as (name) ? "" : MISMATCH);
      return TRUE;
    }
  for (guint i = 0; configurations[i].name; i++)
    g_string_append_printf (known, "%s%d (%s)", i ? ", " : "", configurations[i].number, configurations[i].name);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
               "the environment variable BLIS_ARCH_TYPE=%s names none of BLIS's configurations: %s; unset it to leave the choice to Weft",
               user, known->str);
  return FALSE;
}

static void
take_own_choice (void)
{
  BlisProcessor processor = ask_processor ();
  const char *available[G_N_ELEMENTS (configurations)], *why, *name;

  for (guint i = 0; i < G_N_ELEMENTS (configurations); i++)
    available[i] = configurations[i].name;
  name = blis_choose (&processor, available, &why);
  if (name)
    chosen_why = g_strdup_printf ("%s%s", why, start_as (name) ? "" : MISMATCH);
  else
    {
      bli_init ();
      chosen_why = g_strdup (why);
    }
}

gboolean
blis_start (GError **error)
{
  const char *user = g_getenv ("BLIS_ARCH_TYPE");

  if (user)
    return take_user_choice (user, error);
  take_own_choice ();
  return TRUE;
}

/* Of which the report speaks; for short ones there may be other kernels. */
#define LONG_SUM 1024

char *
blis_report (void)
{
  const MicroKernels *micro = micro_kernels (WEFT_COMPUTE_FLOAT32, LONG_SUM), *bf16 = micro_kernels (WEFT_COMPUTE_BF16, LONG_SUM);
  g_autofree char *own = micro ? g_strdup_printf ("own kernels for %s, for `compute: bf16` %s%s; for other processors ", micro->name,
                                                  bf16->numbers > 1 ? "for " : "on rounded operands", bf16->numbers > 1 ? bf16->name : "")
                               : g_strdup ("");

  return g_strdup_printf ("matrix products: %sBLIS %s, kernels %s (%s)", own, bli_info_get_version_str (),
                          bli_arch_string (bli_arch_query_id ()), chosen_why);
}

void
blis_product (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 a_stride,
              const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride)
{
  rntm_t runtime;

  bli_rntm_init (&runtime);
  bli_rntm_set_num_threads (1, &runtime);
  bli_sgemm_ex (transpose_a ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, transpose_b ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, m, n, k, &alpha,
                (float *) a, a_stride, 1, (float *) b, b_stride, 1, &beta, c, c_stride, 1, NULL, &runtime);
}
