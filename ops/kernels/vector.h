/* Vectorised inner loops over float32: one set per instruction set, chosen once when the module is loaded.
 *
 * All of them run on the calling thread, take any n ≥ 0 and any alignment, and allow their result to be the same memory as an operand.
 * Sums of up to 512 elements are formed in float32 over independent lanes and joined in float64, in an order that depends on n alone.
 * Results differ between instruction sets in the last bits.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

#include <weft/random.h>

G_BEGIN_DECLS

/**
 * VectorKernels:
 * @name: instruction set
 * @lanes: floats in a register
 *
 * Used as `vector->exp (n, x, y)`. Accuracy is given in units in the last place (ulp) of float32, over the whole range.
 */
typedef struct
{
  const char *name;
  guint lanes;

  /* y = f(x) */
  void (*exp) (gint64 n, const float *x, float *y);        /* 2 ulp, denormal and infinite results included */
  void (*tanh) (gint64 n, const float *x, float *y);       /* 3 ulp */
  void (*sigmoid) (gint64 n, const float *x, float *y);    /* 3 ulp */
  void (*gelu) (gint64 n, const float *x, float *y);       /* x Φ(x), 5 ulp also in the negative tail */
  void (*gelu_quick) (gint64 n, const float *x, float *y); /* x sigmoid(1.702 x) */
  void (*relu) (gint64 n, const float *x, float *y);       /* max(x, 0); not-a-number stays */

  /* dx = f'(…) dy, from the operand x or the result y */
  void (*tanh_gradient) (gint64 n, const float *y, const float *dy, float *dx);
  void (*sigmoid_gradient) (gint64 n, const float *y, const float *dy, float *dx);
  void (*gelu_gradient) (gint64 n, const float *x, const float *dy, float *dx);
  void (*gelu_quick_gradient) (gint64 n, const float *x, const float *dy, float *dx);
  void (*relu_gradient) (gint64 n, const float *y, const float *dy, float *dx);

  /* arithmetic */
  void (*add) (gint64 n, const float *a, const float *b, float *y);
  void (*subtract) (gint64 n, const float *a, const float *b, float *y);
  void (*multiply) (gint64 n, const float *a, const float *b, float *y);
  void (*multiply_add) (gint64 n, const float *a, const float *b, float *y);              /* y += a b */
  void (*axpy) (gint64 n, float factor, const float *x, float *y);                        /* y += factor x */
  void (*scale) (gint64 n, float factor, float offset, const float *x, float *y);         /* y = factor x + offset */
  void (*combine) (gint64 n, float a, const float *x, float b, const float *z, float *y); /* y = a x + b z */
  void (*fill) (gint64 n, float value, float *y);

  /* reductions */
  double (*sum) (gint64 n, const float *x);
  double (*dot) (gint64 n, const float *a, const float *b);
  double (*squares) (gint64 n, const float *x, float shift); /* Σ (x − shift)² */
  float (*maximum) (gint64 n, const float *x);               /* −∞ for n = 0; not-a-numbers are passed over */

  /* y = exp ((x − shift) factor); returns its sum */
  double (*exp_sum) (gint64 n, const float *x, float shift, float factor, float *y);
  /* y = exp ((x − shift) factor) with a shift per element; sums += y */
  void (*exp_columns) (gint64 n, const float *x, const float *shifts, float factor, float *y, float *sums);
  /* dx = factor y (dy − dot) */
  void (*softmax_gradient) (gint64 n, const float *y, const float *dy, float dot, float factor, float *dx);

  /* dx = factor y (dy − dot) with a dot per element */
  void (*softmax_columns_gradient) (gint64 n, const float *y, const float *dy, const float *dots, float factor, float *dx);

  /* Rows of a matrix, one statistic for the whole row: x̂ = (x − mean) deviation, where deviation is 1/σ. */
  /* y = x̂ weight + bias */
  void (*normalize_row) (gint64 n, const float *x, float mean, float deviation, const float *weight, const float *bias, float *y);
  /* *sum = Σ dy weight, *dot = Σ dy weight x̂; weight may be NULL for 1 */
  void (*normalize_row_sums) (gint64 n, const float *x, float mean, float deviation, const float *weight, const float *dy, double *sum,
                              double *dot);
  /* dx = deviation (dy weight − sum − x̂ dot) */
  void (*normalize_row_gradient) (gint64 n, const float *x, float mean, float deviation, const float *weight, const float *dy, float sum,
                                  float dot, float *dx);
  /* weight_gradient += dy x̂, bias_gradient += dy */
  void (*normalize_row_accumulate) (gint64 n, const float *x, float mean, float deviation, const float *dy, float *weight_gradient,
                                    float *bias_gradient);
  /* y = (x − mean) factor + bias */
  void (*shift_scale) (gint64 n, const float *x, float mean, float factor, float bias, float *y);
  /* dx = a dy + (x − mean) b + c */
  void (*shift_combine) (gint64 n, const float *x, float mean, const float *dy, float a, float b, float c, float *dx);

  /* The same with a statistic per column. */
  /* y = (x − mean) factor + bias */
  void (*normalize_columns) (gint64 n, const float *x, const float *mean, const float *factor, const float *bias, float *y);
  /* dx = a dy + (x − mean) b + c */
  void (*normalize_columns_gradient) (gint64 n, const float *x, const float *mean, const float *dy, const float *a, const float *b,
                                      const float *c, float *dx);

  /* Sums down the columns of a rows × columns block whose rows are stride apart; sums are set, in float64. */
  void (*column_sums) (gint64 rows, gint64 columns, gint64 stride, const float *x, double *sums);
  /* Σ factors_i x_i: rows weighted by a number each */
  void (*column_weighted_sums) (gint64 rows, gint64 columns, gint64 stride, const float *x, const float *factors, double *sums);
  /* Σ (x − mean)² */
  void (*column_squares) (gint64 rows, gint64 columns, gint64 stride, const float *x, const float *mean, double *sums);
  /* Σ dy (x − mean) */
  void (*column_dots) (gint64 rows, gint64 columns, gint64 stride, const float *x, const float *mean, const float *dy, double *sums);

  /* y_i = factor x_i where draw (first + i) of the stream is at least threshold, else 0 */
  void (*dropout) (gint64 n, const float *x, WeftRandom random, guint32 first, guint32 threshold, float factor, float *y);
} VectorKernels;

/**
 * vector:
 *
 * The kernels for this processor. The environment variable `WEFT_VECTOR` (`baseline`, `avx2`, `avx512`) asks for a lesser set.
 */
extern const VectorKernels *vector G_GNUC_INTERNAL;

/**
 * vector_set:
 *
 * Returns: (nullable): the kernels named @name; %NULL if this processor or this build has none.
 */
const VectorKernels *vector_set (const char *name) G_GNUC_INTERNAL;

G_END_DECLS
