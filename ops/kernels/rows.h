/* Vectorised inner loops over the rows of one sample: products too small for a matrix library, and recurrent gates.
 *
 * All of them run on the calling thread, take any sizes and any alignment. Results depend on sizes alone, not on addresses.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Widths that row_kernels()->transpose() pads to. */
#define ROW_PAD 16
#define ROW_PADDED(n) (((n) + ROW_PAD - 1) / ROW_PAD * ROW_PAD)

/**
 * GruGradient: the rows that gates_gradient reads and writes, @units floats each
 * @scale: factor of @by_y
 * @by_y: gradient by the output row
 * @by_hidden: gradient by the state after this step, from later steps; becomes that part of the gradient by the state before it which
 *   does not pass through the gates
 * @gates: n, r, z and the recurrent part of the candidate, one after the other
 * @before: (nullable): state before this step; %NULL for zeros
 * @by_gates: receives the gradients by the arguments of n, r and z, and by the recurrent part of the candidate
 */
typedef struct
{
  gint64 units;
  float scale;
  const float *by_y;
  float *by_hidden;
  const float *gates;
  const float *before;
  float *by_gates;
} GruGradient;

typedef struct
{
  const char *name;

  /* C = A B, or C += A B: C is m × n, element (i, p) of A stands at a[i a_row + p a_column], rows of B and C are stride apart. */
  void (*product) (gint64 m, gint64 n, gint64 k, const float *a, gint64 a_row, gint64 a_column, const float *b, gint64 b_stride,
                   gboolean accumulate, float *c, gint64 c_stride);
  /* y[j y_stride + i] = x[i x_stride + j] for i < rows, j < columns; zero for rows ≤ i < ROW_PADDED (rows). */
  void (*transpose) (gint64 rows, gint64 columns, const float *x, gint64 x_stride, float *y, gint64 y_stride);
  void (*gates_gradient) (const GruGradient *rows);
  /* Per column: greatest[j] = max(greatest[j], x[j]); a not-a-number is passed over. */
  void (*maximum) (gint64 n, const float *x, float *greatest);
} RowKernels;

/**
 * row_kernels:
 *
 * Returns: the loops of the instruction set that `vector` uses.
 */
const RowKernels *row_kernels (void) G_GNUC_INTERNAL;

G_END_DECLS
