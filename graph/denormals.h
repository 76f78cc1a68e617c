/* Denormal numbers, below 1.2e-38, count as zero while a step runs.
 *
 * Processors are slow with them, and training makes them: the moments of a word that no longer occurs shrink by a factor each step until
 * they are denormal, and stay so.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

G_BEGIN_DECLS

#ifdef __SSE2__
#define WEFT_FLUSHES_DENORMALS 1
#define WEFT_DENORMALS_ARE_ZERO 0x8040 /* operands and results, in the control register of the floating-point unit */
#else
#define WEFT_FLUSHES_DENORMALS 0
#endif

/* Of the calling thread. Returns: what weft_denormals_restore() takes. */
static inline guint
weft_denormals_flush (void)
{
#if WEFT_FLUSHES_DENORMALS
  guint before = _mm_getcsr ();
  _mm_setcsr (before | WEFT_DENORMALS_ARE_ZERO);
  return before;
#else
  return 0;
#endif
}

static inline void
weft_denormals_restore (guint before G_GNUC_UNUSED)
{
#if WEFT_FLUSHES_DENORMALS
  _mm_setcsr (before);
#endif
}

G_END_DECLS
