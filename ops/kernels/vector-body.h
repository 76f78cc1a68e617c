/* The kernels of vector.h for registers of VECTOR_BYTES bytes; included once per instruction set.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "vector-lanes.h"

#define SUM_BLOCK 512     /* elements whose sum is formed in float32 */
#define ROW_BLOCK 64      /* rows whose column sums are formed in float32 */
#define COLUMN_BLOCK 1024 /* columns whose sums stay in the first cache */

/* One output from one operand `a`, or from two, `a` and `b`, or three; the part of a register at the end is computed like a whole. */
#define EACH_1(n, x, y, expression)                                                                                                        \
  do                                                                                                                                       \
    {                                                                                                                                      \
      gint64 at = 0, ahead = (n) > FETCH_AHEAD ? FETCH_AHEAD : 0;                                                                          \
      for (; at <= (n) -LANES; at += LANES)                                                                                                \
        {                                                                                                                                  \
          fetch ((x) + at, ahead);                                                                                                         \
          Lanes a = load ((x) + at);                                                                                                       \
          store ((y) + at, (expression));                                                                                                  \
        }                                                                                                                                  \
      if (at < (n))                                                                                                                        \
        {                                                                                                                                  \
          Lanes a = load_part ((x) + at, (n) -at, 0.0f);                                                                                   \
          store_part ((y) + at, (expression), (n) -at);                                                                                    \
        }                                                                                                                                  \
    }                                                                                                                                      \
  while (0)

#define EACH_2(n, x, z, y, expression)                                                                                                     \
  do                                                                                                                                       \
    {                                                                                                                                      \
      gint64 at = 0, ahead = (n) > FETCH_AHEAD ? FETCH_AHEAD : 0;                                                                          \
      for (; at <= (n) -LANES; at += LANES)                                                                                                \
        {                                                                                                                                  \
          fetch ((x) + at, ahead);                                                                                                         \
          fetch ((z) + at, ahead);                                                                                                         \
          Lanes a = load ((x) + at), b = load ((z) + at);                                                                                  \
          store ((y) + at, (expression));                                                                                                  \
        }                                                                                                                                  \
      if (at < (n))                                                                                                                        \
        {                                                                                                                                  \
          Lanes a = load_part ((x) + at, (n) -at, 0.0f), b = load_part ((z) + at, (n) -at, 0.0f);                                          \
          store_part ((y) + at, (expression), (n) -at);                                                                                    \
        }                                                                                                                                  \
    }                                                                                                                                      \
  while (0)

/* Sum over elements: `term` is an expression of the operands `a` and `b` and must be 0 for both at their rests. */
#define SUM_2(n, x, x_rest, z, z_rest, term, total)                                                                                        \
  do                                                                                                                                       \
    {                                                                                                                                      \
      (total) = 0.0;                                                                                                                       \
      for (gint64 begin = 0; begin < (n); begin += SUM_BLOCK)                                                                              \
        {                                                                                                                                  \
          gint64 end = MIN ((n), begin + SUM_BLOCK), at = begin;                                                                           \
          Lanes sum_0 = { 0 }, sum_1 = { 0 }, sum_2 = { 0 }, sum_3 = { 0 };                                                                \
          for (; at <= end - 4 * LANES; at += 4 * LANES)                                                                                   \
            {                                                                                                                              \
              {                                                                                                                            \
                Lanes a = load ((x) + at), b = load ((z) + at);                                                                            \
                sum_0 += (term);                                                                                                           \
              }                                                                                                                            \
              {                                                                                                                            \
                Lanes a = load ((x) + at + LANES), b = load ((z) + at + LANES);                                                            \
                sum_1 += (term);                                                                                                           \
              }                                                                                                                            \
              {                                                                                                                            \
                Lanes a = load ((x) + at + 2 * LANES), b = load ((z) + at + 2 * LANES);                                                    \
                sum_2 += (term);                                                                                                           \
              }                                                                                                                            \
              {                                                                                                                            \
                Lanes a = load ((x) + at + 3 * LANES), b = load ((z) + at + 3 * LANES);                                                    \
                sum_3 += (term);                                                                                                           \
              }                                                                                                                            \
            }                                                                                                                              \
          for (; at <= end - LANES; at += LANES)                                                                                           \
            {                                                                                                                              \
              Lanes a = load ((x) + at), b = load ((z) + at);                                                                              \
              sum_0 += (term);                                                                                                             \
            }                                                                                                                              \
          if (at < end)                                                                                                                    \
            {                                                                                                                              \
              Lanes a = load_part ((x) + at, end - at, x_rest), b = load_part ((z) + at, end - at, z_rest);                                \
              sum_1 += (term);                                                                                                             \
            }                                                                                                                              \
          (total) += (double) lanes_sum ((sum_0 + sum_1) + (sum_2 + sum_3));                                                               \
        }                                                                                                                                  \
    }                                                                                                                                      \
  while (0)

#define MAP(name, expression)                                                                                                              \
  static void name (gint64 n, const float *x, float *y)                                                                                    \
  {                                                                                                                                        \
    EACH_1 (n, x, y, expression);                                                                                                          \
  }
#define MAP_2(name, expression)                                                                                                            \
  static void name (gint64 n, const float *x, const float *z, float *y)                                                                    \
  {                                                                                                                                        \
    EACH_2 (n, x, z, y, expression);                                                                                                       \
  }

LANE_INLINE Lanes
lanes_gelu (Lanes x)
{
  Lanes bell;
  return x * lanes_normal (x, &bell);
}

/* d/dx x Φ(x) = Φ(x) + x φ(x) */
LANE_INLINE Lanes
lanes_gelu_slope (Lanes x)
{
  Lanes bell, distribution = lanes_normal (x, &bell);
  return distribution + x * bell * 0.398942280f;
}

LANE_INLINE Lanes
lanes_quick_slope (Lanes x)
{
  Lanes s = lanes_sigmoid (x * 1.702f);
  return s + x * 1.702f * s * (1.0f - s);
}

MAP (map_exp, lanes_exp (a))
MAP (map_tanh, lanes_tanh (a))
MAP (map_sigmoid, lanes_sigmoid (a))
MAP (map_gelu_quick, a *lanes_sigmoid (a * 1.702f))
MAP (map_relu, choose (a <= 0.0f, every (0.0f), a))
MAP_2 (tanh_gradient, b *(1.0f - a * a))
MAP_2 (sigmoid_gradient, b *a *(1.0f - a))
MAP_2 (gelu_quick_gradient, b *lanes_quick_slope (a))
MAP_2 (relu_gradient, choose (a <= 0.0f, every (0.0f), b))
MAP_2 (map_add, a + b)
MAP_2 (map_subtract, a - b)
MAP_2 (map_multiply, a *b)

#if VECTOR_BYTES == 64
/* What lies beyond the pieces is rare; lanes don't depend on their neighbours all the same. */
LANE_INLINE Lanes
lanes_gelu_by (const LanesPieces *pieces, Lanes x)
{
  Lanes near = x * lanes_from_pieces (pieces, x);
  return G_LIKELY (within_pieces (x)) ? near : choose (absolute (x) < NORMAL_PIECES_END, near, lanes_gelu (x));
}

LANE_INLINE Lanes
lanes_gelu_slope_by (const LanesPieces *pieces, Lanes x)
{
  Lanes near = lanes_from_pieces (pieces, x);
  return G_LIKELY (within_pieces (x)) ? near : choose (absolute (x) < NORMAL_PIECES_END, near, lanes_gelu_slope (x));
}

static void
map_gelu (gint64 n, const float *x, float *y)
{
  const LanesPieces pieces = load_pieces (normal_tail);
  EACH_1 (n, x, y, lanes_gelu_by (&pieces, a));
}

static void
gelu_gradient (gint64 n, const float *x, const float *z, float *y)
{
  const LanesPieces pieces = load_pieces (gelu_slope_tail);
  EACH_2 (n, x, z, y, b * lanes_gelu_slope_by (&pieces, a));
}
#else
MAP (map_gelu, lanes_gelu (a))
MAP_2 (gelu_gradient, b *lanes_gelu_slope (a))
#endif

static void
multiply_add (gint64 n, const float *x, const float *z, float *y)
{
  gint64 at = 0;
  for (; at <= n - LANES; at += LANES)
    store (y + at, load (y + at) + load (x + at) * load (z + at));
  if (at < n)
    store_part (y + at, load_part (y + at, n - at, 0) + load_part (x + at, n - at, 0) * load_part (z + at, n - at, 0), n - at);
}

static void
axpy (gint64 n, float factor, const float *x, float *y)
{
  EACH_2 (n, x, y, y, a * factor + b);
}

static void
map_scale (gint64 n, float factor, float offset, const float *x, float *y)
{
  EACH_1 (n, x, y, a * factor + offset);
}

static void
combine (gint64 n, float factor_a, const float *x, float factor_b, const float *z, float *y)
{
  EACH_2 (n, x, z, y, a * factor_a + b * factor_b);
}

static void
fill (gint64 n, float value, float *y)
{
  gint64 at = 0;
  for (; at <= n - LANES; at += LANES)
    store (y + at, every (value));
  for (; at < n; at++)
    y[at] = value;
}

static double
sum (gint64 n, const float *x)
{
  double total;
  SUM_2 (n, x, 0.0f, x, 0.0f, ((void) b, a), total);
  return total;
}

static double
dot (gint64 n, const float *x, const float *z)
{
  double total;
  SUM_2 (n, x, 0.0f, z, 0.0f, a * b, total);
  return total;
}

static double
squares (gint64 n, const float *x, float shift)
{
  double total;
  SUM_2 (n, x, shift, x, shift, (a - shift) * (b - shift), total);
  return total;
}

static float
maximum (gint64 n, const float *x)
{
  Lanes most = every (-INFINITY), most_1 = most, most_2 = most, most_3 = most;
  gint64 at = 0;
  for (; at <= n - 4 * LANES; at += 4 * LANES)
    {
      most = greater (load (x + at), most);
      most_1 = greater (load (x + at + LANES), most_1);
      most_2 = greater (load (x + at + 2 * LANES), most_2);
      most_3 = greater (load (x + at + 3 * LANES), most_3);
    }
  most = greater (greater (most_1, most), greater (most_2, most_3));
  for (; at <= n - LANES; at += LANES)
    most = greater (load (x + at), most);
  if (at < n)
    most = greater (load_part (x + at, n - at, -INFINITY), most);
  return lanes_maximum (most);
}

static double
exp_sum (gint64 n, const float *x, float shift, float factor, float *y)
{
  double total = 0.0;
  for (gint64 begin = 0; begin < n; begin += SUM_BLOCK)
    {
      gint64 end = MIN (n, begin + SUM_BLOCK), at = begin;
      Lanes sum_0 = { 0 }, sum_1 = { 0 };
      for (; at <= end - 2 * LANES; at += 2 * LANES)
        {
          Lanes a = lanes_exp ((load (x + at) - shift) * factor), b = lanes_exp ((load (x + at + LANES) - shift) * factor);
          store (y + at, a);
          store (y + at + LANES, b);
          sum_0 += a;
          sum_1 += b;
        }
      for (; at < end; at += LANES)
        {
          gint64 count = MIN (LANES, end - at);
          Lanes a = lanes_exp ((load_part (x + at, count, shift) - shift) * factor);
          store_part (y + at, a, count);
          sum_0 += keep_part (a, count);
        }
      total += (double) lanes_sum (sum_0 + sum_1);
    }
  return total;
}

static void
exp_columns (gint64 n, const float *x, const float *shifts, float factor, float *y, float *sums)
{
  for (gint64 at = 0; at < n; at += LANES)
    {
      gint64 count = MIN (LANES, n - at);
      Lanes a = lanes_exp ((load_part (x + at, count, 0.0f) - load_part (shifts + at, count, 0.0f)) * factor);
      store_part (y + at, a, count);
      store_part (sums + at, load_part (sums + at, count, 0.0f) + a, count);
    }
}

static void
softmax_columns_gradient (gint64 n, const float *x, const float *z, const float *totals, float factor, float *y)
{
  gint64 at = 0;
  for (; at <= n - LANES; at += LANES)
    store (y + at, load (x + at) * (load (z + at) - load (totals + at)) * factor);
  for (; at < n; at++)
    y[at] = x[at] * (z[at] - totals[at]) * factor;
}

static void
softmax_gradient (gint64 n, const float *x, const float *z, float total, float factor, float *y)
{
  EACH_2 (n, x, z, y, a * (b - total) * factor);
}

static void
normalize_row (gint64 n, const float *x, float mean, float deviation, const float *weight, const float *bias, float *y)
{
  gint64 at = 0;
  for (; at <= n - LANES; at += LANES)
    store (y + at, (load (x + at) - mean) * deviation * load (weight + at) + load (bias + at));
  if (at < n)
    store_part (y + at,
                (load_part (x + at, n - at, 0) - mean) * deviation * load_part (weight + at, n - at, 0) + load_part (bias + at, n - at, 0),
                n - at);
}

static void
normalize_row_sums (gint64 n, const float *x, float mean, float deviation, const float *weight, const float *dy, double *total,
                    double *product)
{
  *total = *product = 0.0;
  for (gint64 begin = 0; begin < n; begin += SUM_BLOCK)
    {
      gint64 end = MIN (n, begin + SUM_BLOCK), at = begin;
      Lanes sums = { 0 }, dots = { 0 };
      for (; at <= end - LANES; at += LANES)
        {
          Lanes g = load (dy + at);
          if (weight)
            g *= load (weight + at);
          sums += g;
          dots += g * (load (x + at) - mean);
        }
      if (at < end)
        {
          Lanes g = load_part (dy + at, end - at, 0);
          if (weight)
            g *= load_part (weight + at, end - at, 0);
          sums += g;
          dots += g * (load_part (x + at, end - at, 0) - mean);
        }
      *total += (double) lanes_sum (sums);
      *product += (double) lanes_sum (dots);
    }
  *product *= deviation;
}

static void
normalize_row_gradient (gint64 n, const float *x, float mean, float deviation, const float *weight, const float *dy, float total,
                        float product, float *dx)
{
  float slope = deviation * product;
  gint64 at = 0;
  for (; at <= n - LANES; at += LANES)
    {
      Lanes g = load (dy + at);
      if (weight)
        g *= load (weight + at);
      store (dx + at, (g - total - (load (x + at) - mean) * slope) * deviation);
    }
  if (at < n)
    {
      Lanes g = load_part (dy + at, n - at, 0);
      if (weight)
        g *= load_part (weight + at, n - at, 0);
      store_part (dx + at, (g - total - (load_part (x + at, n - at, 0) - mean) * slope) * deviation, n - at);
    }
}

static void
normalize_row_accumulate (gint64 n, const float *x, float mean, float deviation, const float *dy, float *weight_gradient,
                          float *bias_gradient)
{
  gint64 at = 0;
  for (; at <= n - LANES; at += LANES)
    {
      Lanes g = load (dy + at);
      store (weight_gradient + at, load (weight_gradient + at) + g * (load (x + at) - mean) * deviation);
      store (bias_gradient + at, load (bias_gradient + at) + g);
    }
  for (; at < n; at++)
    {
      weight_gradient[at] += dy[at] * (x[at] - mean) * deviation;
      bias_gradient[at] += dy[at];
    }
}

static void
shift_scale (gint64 n, const float *x, float mean, float factor, float bias, float *y)
{
  EACH_1 (n, x, y, (a - mean) * factor + bias);
}

static void
shift_combine (gint64 n, const float *x, float mean, const float *dy, float factor, float slope, float offset, float *dx)
{
  EACH_2 (n, x, dy, dx, b * factor + (a - mean) * slope + offset);
}

static void
normalize_columns (gint64 n, const float *x, const float *mean, const float *factor, const float *bias, float *y)
{
  gint64 at = 0;
  for (; at <= n - LANES; at += LANES)
    store (y + at, (load (x + at) - load (mean + at)) * load (factor + at) + load (bias + at));
  for (; at < n; at++)
    y[at] = (x[at] - mean[at]) * factor[at] + bias[at];
}

static void
normalize_columns_gradient (gint64 n, const float *x, const float *mean, const float *dy, const float *factor, const float *slope,
                            const float *offset, float *dx)
{
  gint64 at = 0;
  for (; at <= n - LANES; at += LANES)
    store (dx + at, load (dy + at) * load (factor + at) + (load (x + at) - load (mean + at)) * load (slope + at) + load (offset + at));
  for (; at < n; at++)
    dx[at] = dy[at] * factor[at] + (x[at] - mean[at]) * slope[at] + offset[at];
}

typedef enum
{
  COLUMN_SUM,
  COLUMN_WEIGHTED,
  COLUMN_SQUARES,
  COLUMN_DOT,
} ColumnTerm;

/* sums[c] += term for one row; `term` is a constant in every caller. */
LANE_INLINE void
column_row (ColumnTerm term, gint64 columns, const float *x, const float *mean, const float *dy, float factor, float *sums)
{
#define COLUMN_VALUE(take)                                                                                                                 \
  (term == COLUMN_SUM        ? take (x)                                                                                                    \
   : term == COLUMN_WEIGHTED ? take (x) * factor                                                                                           \
   : term == COLUMN_SQUARES  ? (take (x) - take (mean)) * (take (x) - take (mean))                                                         \
                             : (take (x) - take (mean)) * take (dy))
  gint64 at = 0;
#define TAKE_LANES(from) load ((from) + at)
  for (; at <= columns - LANES; at += LANES)
    store (sums + at, load (sums + at) + COLUMN_VALUE (TAKE_LANES));
#define TAKE_ONE(from) (from)[at]
  for (; at < columns; at++)
    sums[at] += COLUMN_VALUE (TAKE_ONE);
}

/* Rows are walked in memory order, with the sums of COLUMN_BLOCK columns in the first cache. */
LANE_INLINE void
column_reduce (ColumnTerm term, gint64 rows, gint64 columns, gint64 stride, const float *x, const float *mean, const float *dy,
               const float *factors, double *sums)
{
  float block[COLUMN_BLOCK];
  for (gint64 first = 0; first < columns; first += COLUMN_BLOCK)
    {
      gint64 width = MIN (COLUMN_BLOCK, columns - first);
      for (gint64 c = 0; c < width; c++)
        sums[first + c] = 0.0;
      for (gint64 begin = 0; begin < rows; begin += ROW_BLOCK)
        {
          gint64 end = MIN (rows, begin + ROW_BLOCK);
          memset (block, 0, sizeof block);
          for (gint64 row = begin; row < end; row++)
            column_row (term, width, x + row * stride + first, mean ? mean + first : NULL, dy ? dy + row * stride + first : NULL,
                        factors ? factors[row] : 0.0f, block);
          for (gint64 c = 0; c < width; c++)
            sums[first + c] += (double) block[c];
        }
    }
}

static void
column_sums (gint64 rows, gint64 columns, gint64 stride, const float *x, double *sums)
{
  column_reduce (COLUMN_SUM, rows, columns, stride, x, NULL, NULL, NULL, sums);
}

static void
column_weighted_sums (gint64 rows, gint64 columns, gint64 stride, const float *x, const float *factors, double *sums)
{
  column_reduce (COLUMN_WEIGHTED, rows, columns, stride, x, NULL, NULL, factors, sums);
}

static void
column_squares (gint64 rows, gint64 columns, gint64 stride, const float *x, const float *mean, double *sums)
{
  column_reduce (COLUMN_SQUARES, rows, columns, stride, x, mean, NULL, NULL, sums);
}

static void
column_dots (gint64 rows, gint64 columns, gint64 stride, const float *x, const float *mean, const float *dy, double *sums)
{
  column_reduce (COLUMN_DOT, rows, columns, stride, x, mean, dy, NULL, sums);
}

static void
dropout (gint64 n, const float *x, WeftRandom random, guint32 first, guint32 threshold, float factor, float *y)
{
  guint32 draws[64]; /* first a block's draws: the compiler vectorises that loop by itself */
  for (gint64 begin = 0; begin < n; begin += 64)
    {
      gint64 count = MIN (64, n - begin), i = 0;
      if (count > 16)
        for (guint32 draw = 0; draw < 64; draw++)
          draws[draw] = weft_random_bits (random, first + (guint32) begin + draw);
      else
        for (guint32 draw = 0; draw < 16; draw++)
          draws[draw] = weft_random_bits (random, first + (guint32) begin + draw);
      for (; i <= count - LANES; i += LANES)
        {
          LanesUnsigned draw;
          memcpy (&draw, draws + i, sizeof draw);
          store (y + begin + i, choose ((LanesInt) (draw >= threshold), load (x + begin + i) * factor, every (0.0f)));
        }
      for (; i < count; i++)
        y[begin + i] = draws[i] >= threshold ? x[begin + i] * factor : 0.0f;
    }
}

const VectorKernels VECTOR_TABLE = {
  .name = VECTOR_NAME,
  .lanes = VECTOR_BYTES / sizeof (float),
  .exp = map_exp,
  .tanh = map_tanh,
  .sigmoid = map_sigmoid,
  .gelu = map_gelu,
  .gelu_quick = map_gelu_quick,
  .relu = map_relu,
  .tanh_gradient = tanh_gradient,
  .sigmoid_gradient = sigmoid_gradient,
  .gelu_gradient = gelu_gradient,
  .gelu_quick_gradient = gelu_quick_gradient,
  .relu_gradient = relu_gradient,
  .add = map_add,
  .subtract = map_subtract,
  .multiply = map_multiply,
  .multiply_add = multiply_add,
  .axpy = axpy,
  .scale = map_scale,
  .combine = combine,
  .fill = fill,
  .sum = sum,
  .dot = dot,
  .squares = squares,
  .maximum = maximum,
  .exp_sum = exp_sum,
  .exp_columns = exp_columns,
  .softmax_gradient = softmax_gradient,
  .softmax_columns_gradient = softmax_columns_gradient,
  .normalize_row = normalize_row,
  .normalize_row_sums = normalize_row_sums,
  .normalize_row_gradient = normalize_row_gradient,
  .normalize_row_accumulate = normalize_row_accumulate,
  .shift_scale = shift_scale,
  .shift_combine = shift_combine,
  .normalize_columns = normalize_columns,
  .normalize_columns_gradient = normalize_columns_gradient,
  .column_sums = column_sums,
  .column_weighted_sums = column_weighted_sums,
  .column_squares = column_squares,
  .column_dots = column_dots,
  .dropout = dropout,
};
