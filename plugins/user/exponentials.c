/* Sums of exponentials that neither overflow nor lose what is small.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "exponentials.h"
#include "loops.h"

#include <math.h>

WEFT_LOOP float
greatest_loop (const float *x, gint64 n)
{
  float most[LOOP_LANES], rest = -INFINITY;
  gint64 i = 0;
  for (int lane = 0; lane < LOOP_LANES; lane++)
    most[lane] = -INFINITY;
  for (; i + LOOP_LANES <= n; i += LOOP_LANES)
    for (int lane = 0; lane < LOOP_LANES; lane++)
      most[lane] = x[i + lane] > most[lane] ? x[i + lane] : most[lane];
  for (; i < n; i++)
    rest = x[i] > rest ? x[i] : rest;
  for (int lane = 0; lane < LOOP_LANES; lane++)
    rest = most[lane] > rest ? most[lane] : rest;
  return rest;
}
WEFT_DISPATCH (float, greatest_of, greatest_loop, (const float *x, gint64 n), (x, n))

/* Σ exp(scale (x_j − shift)), in blocks whose sums are added in double precision. */
WEFT_LOOP double
exponentials_loop (const float *x, gint64 n, float shift, float scale)
{
  double total = 0;
  for (gint64 begin = 0; begin < n; begin += 512)
    {
      float sums[LOOP_LANES] = { 0 };
      gint64 end = MIN (n, begin + 512), i = begin;
      for (; i + LOOP_LANES <= end; i += LOOP_LANES)
        for (int lane = 0; lane < LOOP_LANES; lane++)
          sums[lane] += loop_exp (scale * (x[i + lane] - shift));
      for (; i < end; i++)
        sums[0] += loop_exp (scale * (x[i] - shift));
      for (int width = LOOP_LANES / 2; width; width /= 2)
        for (int lane = 0; lane < width; lane++)
          sums[lane] += sums[lane + width];
      total += (double) sums[0];
    }
  return total;
}
WEFT_DISPATCH (double, exponentials, exponentials_loop, (const float *x, gint64 n, float shift, float scale), (x, n, shift, scale))

/* y_j = factor exp(scale (x_j − shift)) */
WEFT_LOOP void
weights_loop (const float *x, gint64 n, float shift, float scale, float factor, float *y)
{
  for (gint64 i = 0; i < n; i++)
    y[i] = factor * loop_exp (scale * (x[i] - shift));
}
WEFT_DISPATCH (void, weights_of, weights_loop, (const float *x, gint64 n, float shift, float scale, float factor, float *y),
               (x, n, shift, scale, factor, y))

/* y_j = factor (exp(scale (x_j − row)) + exp(scale (x_j − columns_j))) + constant */
WEFT_LOOP void
both_weights_loop (const float *x, gint64 n, float row, const float *columns, float scale, float factor, float constant, float *y)
{
  for (gint64 i = 0; i < n; i++)
    y[i] = factor * (loop_exp (scale * (x[i] - row)) + loop_exp (scale * (x[i] - columns[i]))) + constant;
}
WEFT_DISPATCH (void, weights_of_both, both_weights_loop,
               (const float *x, gint64 n, float row, const float *columns, float scale, float factor, float constant, float *y),
               (x, n, row, columns, scale, factor, constant, y))

void
exponentials_add (ExponentialSum *self, const float *x, gint64 n, double scale, double shift)
{
  if (n <= 0)
    return;
  float most = greatest_of (x, n);
  double exponent = scale * ((double) most - shift);
  double terms = exponentials (x, n, most, (float) scale);
  if (exponent > self->greatest)
    {
      self->sum = self->sum * exp (self->greatest - exponent) + terms;
      self->greatest = exponent;
    }
  else
    self->sum += terms * exp (exponent - self->greatest);
}

double
exponentials_logarithm (const ExponentialSum *self, double other, double *derivative)
{
  double greatest = MAX (self->greatest, 0), terms = self->sum * exp (self->greatest - greatest);
  double more = other > -INFINITY ? exp (other - greatest) : 0;
  *derivative = terms / (exp (-greatest) + terms + more);
  return greatest > 0 ? greatest + log (exp (-greatest) + terms + more) : log1p (terms + more);
}

void
exponentials_weights (const float *x, gint64 n, float shift, float scale, float factor, float *y)
{
  weights_of (x, n, shift, scale, factor, y);
}

void
exponentials_weights_of_both (const float *x, gint64 n, float row, const float *columns, float scale, float factor, float constant,
                              float *y)
{
  weights_of_both (x, n, row, columns, scale, factor, constant, y);
}
