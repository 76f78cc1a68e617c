/* Whether denormal numbers can be had for zero here: not on every processor, nor under valgrind.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <float.h>
#include <stdio.h>

#include "denormals.h"

static inline float
half_of_least_normal (void)
{
  volatile float least = FLT_MIN;
  return least * 0.5f;
}

static inline gboolean
denormals_can_be_flushed (void)
{
  guint before = weft_denormals_flush ();
  gboolean flushed = half_of_least_normal () == 0.0f;
  weft_denormals_restore (before);
  if (!flushed)
    printf ("skipped: denormal numbers stay what they are here\n");
  return flushed;
}
