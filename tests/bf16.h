/* What tests expect of bfloat16.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <math.h>

#include <glib.h>

/* The nearest number with eight significant bits, ties to even, by arithmetic; what is below 2⁻¹²⁶ is zero. */
static inline float
nearest_bf16 (float value)
{
  int exponent;
  double fraction = frexp ((double) value, &exponent);
  if (!isfinite (value))
    return value;
  if (fabsf (value) < 0x1p-126f)
    return copysignf (0, value);
  return (float) ldexp (nearbyint (ldexp (fraction, 8)), exponent - 8);
}
