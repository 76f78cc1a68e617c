/* The loops of rows.h for one instruction set; rows.c includes this once for each, with LANES (floats in a register), BLOCK_ROWS (rows
 * of a register block), TARGET (attribute) and NAME(word) defined; TRANSPOSE, if somebody else does that.
 *
 * SPDX-License-Identifier: BSD-3-Clause */

typedef float NAME (lanes) __attribute__ ((vector_size (LANES * 4), aligned (4), may_alias));
typedef gint32 NAME (masks) __attribute__ ((vector_size (LANES * 4), aligned (4), may_alias));

#define VECTOR(address) (*(NAME (lanes) *) (address))
#define CONST_VECTOR(address) (*(const NAME (lanes) *) (address))

/* A block of `rows` × `vectors` registers; both are constants at every call, so that the sums stay in registers. */
static inline TARGET __attribute__ ((always_inline)) void
NAME (block) (const int rows, const int vectors, gint64 k, const float *a, gint64 a_row, gint64 a_column, const float *b, gint64 b_stride,
              gboolean accumulate, float *c, gint64 c_stride)
{
  NAME (lanes) sums[BLOCK_ROWS][2];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++)
      sums[r][v] = accumulate ? CONST_VECTOR (c + r * c_stride + v * LANES) : (NAME (lanes)){ 0 };
  for (gint64 p = 0; p < k; p++)
    {
      const float *factors = a + p * a_column;
      NAME (lanes) right[2];
#pragma GCC unroll 2
      for (int v = 0; v < vectors; v++)
        right[v] = CONST_VECTOR (b + p * b_stride + v * LANES);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
          sums[r][v] += factors[r * a_row] * right[v];
    }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++)
      VECTOR (c + r * c_stride + v * LANES) = sums[r][v];
}

#define ROWS_CASE(count)                                                                                                                   \
  case count:                                                                                                                              \
    if (vectors == 2)                                                                                                                      \
      NAME (block) (count, 2, k, a, a_row, a_column, b, b_stride, accumulate, c, c_stride);                                                \
    else                                                                                                                                   \
      NAME (block) (count, 1, k, a, a_row, a_column, b, b_stride, accumulate, c, c_stride);                                                \
    break;

static TARGET void
NAME (strip) (gint64 m, int vectors, gint64 k, const float *a, gint64 a_row, gint64 a_column, const float *b, gint64 b_stride,
              gboolean accumulate, float *c, gint64 c_stride)
{
  while (m > 0)
    {
      gint64 rows = MIN (m, BLOCK_ROWS);
      switch (rows)
        {
          ROWS_CASE (1)
          ROWS_CASE (2)
          ROWS_CASE (3)
          ROWS_CASE (4)
#if BLOCK_ROWS == 8
          ROWS_CASE (5)
          ROWS_CASE (6)
          ROWS_CASE (7)
          ROWS_CASE (8)
#endif
        }
      m -= rows;
      a += rows * a_row;
      c += rows * c_stride;
    }
}
#undef ROWS_CASE

static TARGET void
NAME (product) (gint64 m, gint64 n, gint64 k, const float *a, gint64 a_row, gint64 a_column, const float *b, gint64 b_stride,
                gboolean accumulate, float *c, gint64 c_stride)
{
  gint64 j = 0;
  for (; j + 2 * LANES <= n; j += 2 * LANES)
    NAME (strip) (m, 2, k, a, a_row, a_column, b + j, b_stride, accumulate, c + j, c_stride);
  for (; j + LANES <= n; j += LANES)
    NAME (strip) (m, 1, k, a, a_row, a_column, b + j, b_stride, accumulate, c + j, c_stride);
  if (j == n)
    return;
  for (gint64 i = 0; i < m; i++)
    {
      float sums[LANES] = { 0 };
      for (gint64 p = 0; p < k; p++)
        for (gint64 l = 0; l < n - j; l++)
          sums[l] += a[i * a_row + p * a_column] * b[p * b_stride + j + l];
      for (gint64 l = 0; l < n - j; l++)
        c[i * c_stride + j + l] = accumulate ? c[i * c_stride + j + l] + sums[l] : sums[l];
    }
}

#ifndef TRANSPOSE
#define TRANSPOSE NAME (transpose)
static TARGET void
NAME (transpose) (gint64 rows, gint64 columns, const float *x, gint64 x_stride, float *y, gint64 y_stride)
{
  for (gint64 i = 0; i < ROW_PADDED (rows); i += 4)
    {
      gint64 wide = CLAMP (rows - i, 0, 4), j = 0;
      for (; j + 4 <= columns; j += 4)
        transpose_square (wide, x + i * x_stride + j, x_stride, y + j * y_stride + i, y_stride);
      for (; j < columns; j++)
        for (gint64 l = 0; l < 4; l++)
          y[j * y_stride + i + l] = l < wide ? x[(i + l) * x_stride + j] : 0;
    }
}
#endif

/* h = n + z (h' − n), n = tanh(a_n + r (W_hn h' + b_hn)), r and z sigmoids */
#define GATES_GRADIENT(type, at)                                                                                                           \
  {                                                                                                                                        \
    type n = at (candidate + i), r = at (reset + i), z = at (update + i), by = at (by_hidden + i) + scale * at (by_y + i);                 \
    type old = before ? at (before + i) : (type){ 0 };                                                                                     \
    type by_n = by * (1.0f - z) * (1.0f - n * n);                                                                                          \
    at (out + i) = by_n;                                                                                                                   \
    at (out + units + i) = by_n * at (recurrent + i) * r * (1.0f - r);                                                                     \
    at (out + 2 * units + i) = by * (old - n) * z * (1.0f - z);                                                                            \
    at (out + 3 * units + i) = by_n * r;                                                                                                   \
    at (by_hidden + i) = by * z;                                                                                                           \
  }
#define SCALAR(address) (*(address))

static TARGET void
NAME (gates_gradient) (const GruGradient *rows)
{
  gint64 units = rows->units, i = 0;
  float scale = rows->scale, *by_hidden = rows->by_hidden, *out = rows->by_gates, *by_y = (float *) rows->by_y;
  float *before = (float *) rows->before, *candidate = (float *) rows->gates;
  float *reset = candidate + units, *update = reset + units, *recurrent = update + units;
  for (; i + LANES <= units; i += LANES)
    GATES_GRADIENT (NAME (lanes), VECTOR)
  for (; i < units; i++)
    GATES_GRADIENT (float, SCALAR)
}
#undef GATES_GRADIENT
#undef SCALAR

static TARGET void
NAME (maximum) (gint64 n, const float *x, float *greatest)
{
  gint64 i = 0;
  for (; i + LANES <= n; i += LANES)
    {
      NAME (lanes) a = CONST_VECTOR (x + i), b = CONST_VECTOR (greatest + i);
      NAME (masks) above = a > b;
      VECTOR (greatest + i) = (NAME (lanes)) ((above & (NAME (masks)) a) | (~above & (NAME (masks)) b));
    }
  for (; i < n; i++)
    greatest[i] = x[i] > greatest[i] ? x[i] : greatest[i];
}

static const RowKernels NAME (kernels) = {
  .name = KERNELS_NAME,
  .product = NAME (product),
  .transpose = TRANSPOSE,
  .gates_gradient = NAME (gates_gradient),
  .maximum = NAME (maximum),
};

#undef VECTOR
#undef CONST_VECTOR
#undef TRANSPOSE
