/* The pieces are interpolated in float64 at Chebyshev's points when the module is loaded; that takes some microseconds.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "normal-pieces.h"

#include <math.h>

#define POINTS (NORMAL_DEGREE + 1)

NormalPieces normal_tail, gelu_slope_tail;

static double
tail (double x)
{
  return 0.5 * erfc (x * M_SQRT1_2);
}

static double
slope_tail (double x)
{
  return tail (x) - x * exp (-0.5 * x * x) * (0.5 * M_SQRT1_2 * M_2_SQRTPI);
}

/* Newton's divided differences, then multiplied out. */
static void
interpolate (double (*function) (double), double middle, double half_width, double coefficients[POINTS])
{
  double at[POINTS], differences[POINTS];

  for (int i = 0; i < POINTS; i++)
    {
      at[i] = half_width * cos (G_PI * (i + 0.5) / POINTS);
      differences[i] = function (middle + at[i]);
      coefficients[i] = 0;
    }
  for (int order = 1; order < POINTS; order++)
    for (int i = POINTS - 1; i >= order; i--)
      differences[i] = (differences[i] - differences[i - 1]) / (at[i] - at[i - order]);
  for (int order = POINTS - 1; order >= 0; order--)
    {
      for (int degree = POINTS - 1; degree > 0; degree--)
        coefficients[degree] = coefficients[degree - 1] - at[order] * coefficients[degree];
      coefficients[0] = differences[order] - at[order] * coefficients[0];
    }
}

static void
fill (NormalPieces pieces, double (*function) (double))
{
  for (int piece = 0; piece < NORMAL_PIECES; piece++)
    {
      double coefficients[POINTS], width = (double) NORMAL_PIECE_WIDTH;
      interpolate (function, piece * width, width / 2, coefficients);
      for (int degree = 0; degree < POINTS; degree++)
        pieces[degree][piece] = (float) coefficients[degree];
    }
}

__attribute__ ((constructor)) static void
fill_pieces (void)
{
  fill (normal_tail, tail);
  fill (gelu_slope_tail, slope_tail);
}
