/* Which of BLIS's configurations fits a processor.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What CPUID says, as far as it matters for the choice. */
typedef struct
{
  gboolean amd;
  guint family, model;
  gboolean avx2_fma;
  gboolean avx512;         /* F, CD, BW, DQ and VL together */
  gboolean avx512_knights; /* F and ER: Knights Landing */
} BlisProcessor;

/**
 * blis_choose:
 * @available: names of the configurations that were compiled in, ended by %NULL
 * @why: (out): what decided
 *
 * Returns: (nullable): the one of @available that BLIS should be told to use, or %NULL to leave the choice to it: it knows older processors
 *   itself. A pure function, so that it can be tested for processors that are not there.
 */
const char *blis_choose (const BlisProcessor *processor, const char *const *available, const char **why) G_GNUC_INTERNAL;

G_END_DECLS
