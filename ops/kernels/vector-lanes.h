/* Registers of VECTOR_BYTES bytes and the functions on them; included once per instruction set by vector-body.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause */

#define LANES ((gint64) (VECTOR_BYTES / sizeof (float)))
#define LANE_INLINE static inline __attribute__ ((always_inline))

typedef float Lanes __attribute__ ((vector_size (VECTOR_BYTES)));
typedef gint32 LanesInt __attribute__ ((vector_size (VECTOR_BYTES)));
typedef guint32 LanesUnsigned __attribute__ ((vector_size (VECTOR_BYTES)));
typedef float LanesAnywhere __attribute__ ((vector_size (VECTOR_BYTES), aligned (4), may_alias));

LANE_INLINE Lanes
load (const float *from)
{
  return *(const LanesAnywhere *) from;
}

/* What a loop comes to later is on its way meanwhile: where the processor does not foresee it, or its virtual machine does not let it, a loop
 * that computes much for each number would wait for every line. Short loops come to nothing that far on. */
#define FETCH_AHEAD 512

LANE_INLINE void
fetch (const float *from, gint64 ahead)
{
  __builtin_prefetch (from + ahead);
}

LANE_INLINE void
store (float *to, Lanes value)
{
  *(LanesAnywhere *) to = value;
}

LANE_INLINE Lanes
every (float value)
{
  return (Lanes){ 0 } + value;
}

LANE_INLINE Lanes
absolute (Lanes x)
{
  return (Lanes) ((LanesInt) x & 0x7fffffff);
}

/* Up to here eˣ is nearer to 0 than to the least denormal number; processors are slow to find that out by multiplying. */
#define EXP_IS_0 -104.0f

/* eʳ for |r| ≤ ln 2 / 2: the polynomial approximates (eʳ − 1 − r) / r². */
LANE_INLINE Lanes
lanes_exp_near_0 (Lanes r)
{
  Lanes p = every (1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return p * (r * r) + r + 1.0f;
}

#if VECTOR_BYTES == 64
#include "vector-lanes-avx512.h"
#elif VECTOR_BYTES == 32
#include "vector-lanes-avx2.h"
#else
#include "vector-lanes-baseline.h"
#endif

#if VECTOR_BYTES != 64
LANE_INLINE float
lanes_sum (Lanes x)
{
  float part[VECTOR_BYTES / sizeof (float)];
  store (part, x);
  for (gint64 half = LANES / 2; half > 0; half /= 2)
    for (gint64 i = 0; i < half; i++)
      part[i] += part[i + half];
  return part[0];
}

LANE_INLINE float
lanes_maximum (Lanes x)
{
  float part[VECTOR_BYTES / sizeof (float)], most = -INFINITY;
  store (part, x);
  for (gint64 i = 0; i < LANES; i++)
    most = MAX (most, part[i]);
  return most;
}

/* exp (x + rest) for a small rest. x = n ln 2 + r with |r| ≤ ln 2 / 2. 2ⁿ is multiplied in two steps so that denormal and infinite
 * results come out right. */
LANE_INLINE Lanes
lanes_exp_sum_of (Lanes x, Lanes rest)
{
  const Lanes magic = every (0x1.8p23f); /* adding it rounds to an integer in the low bits */
  LanesInt vanishes = x <= EXP_IS_0;
  x = at_most (choose (vanishes, every (0.0f), x), 90.0f);
  Lanes shifted = x * 1.44269504f + magic;
  LanesInt n = (LanesInt) shifted - (LanesInt) magic;
  Lanes whole = shifted - magic;
  Lanes r = x - whole * 0x1.63p-1f;
  r = r + whole * 2.12194440e-4f;
  r = r + rest;
  Lanes p = lanes_exp_near_0 (r);
  LanesInt n_half = n >> 1;
  Lanes first = (Lanes) ((n_half + 127) << 23);
  Lanes second = (Lanes) ((n - n_half + 127) << 23);
  return choose (vanishes, every (0.0f), p * first * second);
}
#endif

LANE_INLINE Lanes
lanes_exp (Lanes x)
{
  return lanes_exp_sum_of (x, (Lanes){ 0 });
}

/* With exponentials of negative numbers only, so that both tails keep their precision. */
LANE_INLINE Lanes
lanes_sigmoid (Lanes x)
{
  Lanes e = lanes_exp (-absolute (x));
  return choose (x < 0.0f, e, every (1.0f)) / (e + 1.0f);
}

/* An odd polynomial near zero, where 1 − 2 / (exp 2|x| + 1) would cancel. */
LANE_INLINE Lanes
lanes_tanh (Lanes x)
{
  Lanes size = absolute (x), square = x * x;
  Lanes p = every (-5.70498872745e-3f);
  p = p * square + 2.06390887954e-2f;
  p = p * square - 5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square - 3.33332819422e-1f;
  Lanes near = size + size * (square * p);
  Lanes far = 1.0f - 2.0f / (lanes_exp (size + size) + 1.0f);
  Lanes value = choose (size < 0.625f, near, far);
  return (Lanes) ((LanesInt) value | ((LanesInt) x & (gint32) 0x80000000));
}

/* Φ(x), the normal distribution function, and exp(−x²/2). The tail beyond |x| is ½ erfc(z) = ½ exp(−z²) t P(t) with z = |x|/√2 and
 * t = 1 / (1 + 0.4 z), P a minimax fit of relative error 6e-8 over z in [0, 10.3]. x² is formed in two parts, because the exponential
 * turns its rounding error into a relative one. */
LANE_INLINE Lanes
lanes_normal (Lanes x, Lanes *bell)
{
  Lanes size = at_most (absolute (x), 16.0f);
  Lanes high = (Lanes) ((LanesInt) size & (gint32) 0xfffff000);
  *bell = lanes_exp_sum_of (high * high * -0.5f, (size - high) * (size + high) * -0.5f);
  Lanes t = 1.0f / (size * 0.282842712f + 1.0f);
  Lanes p = every (4.178444240e-02f);
  p = p * t - 1.429209453e-01f;
  p = p * t + 8.940170225e-02f;
  p = p * t + 8.172529729e-02f;
  p = p * t + 8.409798295e-02f;
  p = p * t + 1.915304926e-01f;
  p = p * t + 2.023674386e-01f;
  p = p * t + 2.263754279e-01f;
  p = p * t + 2.256382254e-01f;
  Lanes tail = *bell * (t * p) * 0.5f;
  return choose (x < 0.0f, tail, 1.0f - tail);
}
