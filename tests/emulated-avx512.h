/* The few instructions of AVX-512 that micro-bf16.c uses, in plain C: so that its order of numbers can be tested on any processor.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <string.h>

#include <glib.h>

/* Not inlined: two hundred copies would take sanitizers minutes to compile. */
#define EMULATED static __attribute__ ((noinline, unused))

typedef float __m512 __attribute__ ((vector_size (64)));
typedef gint64 __m512i __attribute__ ((vector_size (64)));
typedef gint16 __m512bh __attribute__ ((vector_size (64)));
typedef guint16 __mmask16;
typedef guint16 EmulatedWords __attribute__ ((vector_size (64)));
typedef gint32 EmulatedIntegers __attribute__ ((vector_size (64)));

EMULATED __m512
_mm512_maskz_loadu_ps (__mmask16 mask, const float *from)
{
  __m512 value = { 0 };
  for (int i = 0; i < 16; i++)
    if (mask >> i & 1)
      value[i] = from[i];
  return value;
}

EMULATED __m512
_mm512_loadu_ps (const float *from)
{
  return _mm512_maskz_loadu_ps (0xffff, from);
}

EMULATED void
_mm512_mask_storeu_ps (float *to, __mmask16 mask, __m512 value)
{
  for (int i = 0; i < 16; i++)
    if (mask >> i & 1)
      to[i] = value[i];
}

EMULATED void
_mm512_storeu_ps (float *to, __m512 value)
{
  _mm512_mask_storeu_ps (to, 0xffff, value);
}

EMULATED __m512
_mm512_set1_ps (float value)
{
  __m512 all;
  for (int i = 0; i < 16; i++)
    all[i] = value;
  return all;
}

EMULATED __m512i
_mm512_max_epi32 (__m512i a, __m512i b)
{
  EmulatedIntegers x = (EmulatedIntegers) a, y = (EmulatedIntegers) b;
  for (int i = 0; i < 16; i++)
    x[i] = MAX (x[i], y[i]);
  return (__m512i) x;
}

EMULATED __mmask16
_mm512_cmpgt_epi32_mask (__m512i a, __m512i b)
{
  EmulatedIntegers x = (EmulatedIntegers) a, y = (EmulatedIntegers) b;
  __mmask16 mask = 0;
  for (int i = 0; i < 16; i++)
    mask |= (__mmask16) ((x[i] > y[i]) << i);
  return mask;
}

/* Within quarters of registers: two numbers of each operand in turn. */
EMULATED __m512
_mm512_unpacklo_ps (__m512 a, __m512 b)
{
  __m512 value;
  for (int i = 0; i < 16; i += 4)
    for (int j = 0; j < 2; j++)
      {
        value[i + 2 * j] = a[i + j];
        value[i + 2 * j + 1] = b[i + j];
      }
  return value;
}

EMULATED __m512
_mm512_unpackhi_ps (__m512 a, __m512 b)
{
  __m512 value;
  for (int i = 0; i < 16; i += 4)
    for (int j = 0; j < 2; j++)
      {
        value[i + 2 * j] = a[i + 2 + j];
        value[i + 2 * j + 1] = b[i + 2 + j];
      }
  return value;
}

EMULATED __m512
_mm512_shuffle_ps (__m512 a, __m512 b, int from)
{
  __m512 value;
  for (int i = 0; i < 16; i++)
    {
      int at = (i & ~3) + (from >> (2 * (i & 3)) & 3);
      value[i] = (i & 3) < 2 ? a[at] : b[at];
    }
  return value;
}

EMULATED __m512
_mm512_shuffle_f32x4 (__m512 a, __m512 b, int from)
{
  __m512 value;
  for (int i = 0; i < 16; i++)
    {
      int at = (from >> (2 * (i / 4)) & 3) * 4 + i % 4;
      value[i] = i < 8 ? a[at] : b[at];
    }
  return value;
}

EMULATED __m512i
_mm512_permutexvar_epi16 (__m512i from, __m512i x)
{
  EmulatedWords at = (EmulatedWords) from, words = (EmulatedWords) x, value;
  for (int i = 0; i < 32; i++)
    value[i] = words[at[i] & 31];
  return (__m512i) value;
}

/* To the nearest, ties to even; what is no normal number to zero. */
EMULATED guint16
emulated_to_bf16 (float value)
{
  guint32 bits;
  memcpy (&bits, &value, sizeof bits);
  guint32 rest = bits & 0xffff, high = bits >> 16;
  if ((bits & 0x7fffffff) > 0x7f800000)
    return (guint16) (high | 0x40);
  if ((bits & 0x7f800000) == 0)
    return (guint16) (high & 0x8000);
  return (guint16) (high + (rest > 0x8000 || (rest == 0x8000 && (high & 1))));
}

EMULATED float
emulated_from_bf16 (guint16 half)
{
  guint32 bits = (guint32) half << 16;
  float value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

/* The second operand comes first. */
EMULATED __m512bh
_mm512_cvtne2ps_pbh (__m512 a, __m512 b)
{
  EmulatedWords value;
  for (int i = 0; i < 16; i++)
    {
      value[i] = emulated_to_bf16 (b[i]);
      value[16 + i] = emulated_to_bf16 (a[i]);
    }
  return (__m512bh) value;
}

EMULATED __m512
_mm512_dpbf16_ps (__m512 sum, __m512bh a, __m512bh b)
{
  EmulatedWords x = (EmulatedWords) a, y = (EmulatedWords) b;
  for (int i = 0; i < 16; i++)
    {
      sum[i] += emulated_from_bf16 (x[2 * i + 1]) * emulated_from_bf16 (y[2 * i + 1]);
      sum[i] += emulated_from_bf16 (x[2 * i]) * emulated_from_bf16 (y[2 * i]);
    }
  return sum;
}
