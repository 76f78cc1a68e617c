/* Sums of exponentials that neither overflow nor lose what is small, and the weights that are their derivatives.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

/* Σ as exp(greatest) sum, with greatest the largest exponent so far. */
typedef struct
{
  double greatest, sum;
} ExponentialSum;

#define EXPONENTIALS_NONE ((ExponentialSum){ .greatest = -INFINITY })

/* Σ ← Σ + Σ_j exp(scale (x_j − shift)) */
void exponentials_add (ExponentialSum *self, const float *x, gint64 n, double scale, double shift);

/* log(1 + Σ + exp(other)); log1p keeps sums far below 1. @other: −∞ for none. @derivative: Σ / (1 + Σ + exp(other)). */
double exponentials_logarithm (const ExponentialSum *self, double other, double *derivative);

/* y_j = factor exp(scale (x_j − shift)) */
void exponentials_weights (const float *x, gint64 n, float shift, float scale, float factor, float *y);

/* y_j = factor (exp(scale (x_j − row)) + exp(scale (x_j − columns_j))) + constant */
void exponentials_weights_of_both (const float *x, gint64 n, float row, const float *columns, float scale, float factor, float constant,
                                   float *y);
