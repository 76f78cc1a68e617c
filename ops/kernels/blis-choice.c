/* Which of BLIS's configurations fits a processor.
 *
 * A BLIS does not know processors newer than itself and silently takes its generic kernels there, at a fifth of the speed. Features decide
 * rather than a list of models, so that a processor that hides one (valgrind hides AVX-512) is believed, and one that is newer than this
 * file is served.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "blis-choice.h"

static const char *
first_available (const char *const *wanted, const char *const *available)
{
  for (; *wanted; wanted++)
    if (g_strv_contains (available, *wanted))
      return *wanted;
  return NULL;
}

/* Best first. Configurations of earlier processors serve later ones; AMD's own differ from haswell's by sizes of caches. */
static const char *const *
fitting (const BlisProcessor *processor)
{
  static const char *const zen5[] = { "zen5", "zen4", "skx", "zen3", "zen2", "zen", "haswell", NULL };
  static const char *const zen4[] = { "zen4", "skx", "zen3", "zen2", "zen", "haswell", NULL };
  static const char *const skx[] = { "skx", "haswell", NULL };
  static const char *const zen3[] = { "zen3", "zen2", "zen", "haswell", NULL };
  static const char *const zen2[] = { "zen2", "zen", "haswell", NULL };
  static const char *const zen[] = { "zen", "haswell", NULL };
  static const char *const haswell[] = { "haswell", NULL };
  static const char *const none[] = { NULL };

  if (processor->avx512)
    return !processor->amd ? skx : processor->family > 0x19 ? zen5 : zen4;
  if (processor->avx512_knights || !processor->avx2_fma)
    return none;
  if (!processor->amd || processor->family < 0x17)
    return haswell;
  if (processor->family >= 0x19)
    return zen3;
  return processor->model >= 0x30 ? zen2 : zen;
}

const char *
blis_choose (const BlisProcessor *processor, const char *const *available, const char **why)
{
  const char *const *wanted = fitting (processor);
  const char *found = first_available (wanted, available);

  if (!*wanted)
    *why =
        processor->avx512_knights ? "BLIS's own choice; it knows Knights Landing" : "BLIS's own choice; the processor has no AVX2 and FMA";
  else if (!found)
    *why = "BLIS's own choice; nothing that was compiled in is made for this processor";
  else
    *why = processor->avx512 ? "the processor has AVX-512" : "the processor has AVX2 and FMA, but no AVX-512";
  return found;
}
