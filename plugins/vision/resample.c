/* Pillow's bicubic resampling, of the part of the result that is wanted.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "resample.h"

#include <math.h>
#include <string.h>
#include <weft/dispatch.h>

#define FRACTION 22
#define HALF (1 << (FRACTION - 1))
#define CHANNELS 3
/* Lines that are resampled beside each other: bytes of a column of as many lines stand together. */
#define LINES 16

/* What each number of the result along one axis is made of. */
typedef struct
{
  int n, most;
  int *first, *count;
  gint32 *weights; /* n rows of most */
} Axis;

/* Keys' kernel (1981), a = −1/2. */
static double
bicubic (double x)
{
  const double a = -0.5;
  x = fabs (x);
  if (x < 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static Axis
axis_new (int from, int to, int start, int n)
{
  double scale = (double) from / to, stretch = MAX (scale, 1), support = 2 * stretch;
  Axis axis = { .n = n, .most = (int) ceil (support) * 2 + 1, .first = g_new (int, n), .count = g_new (int, n) };
  axis.weights = g_new0 (gint32, (gsize) n * (gsize) axis.most);
  g_autofree double *weights = g_new (double, axis.most);
  for (int i = 0; i < n; i++)
    {
      double centre = (start + i + 0.5) * scale, sum = 0;
      int first = MAX ((int) (centre - support + 0.5), 0), end = MIN ((int) (centre + support + 0.5), from);
      axis.first[i] = first;
      axis.count[i] = end - first;
      for (int k = 0; k < end - first; k++)
        sum += weights[k] = bicubic ((first + k - centre + 0.5) / stretch);
      for (int k = 0; k < end - first; k++)
        axis.weights[i * axis.most + k] = (gint32) lround (weights[k] / sum * (1 << FRACTION));
    }
  return axis;
}

static void
axis_clear (Axis *axis)
{
  g_free (axis->first);
  g_free (axis->count);
  g_free (axis->weights);
}

/* The numbers [first, end) that are needed to make the result. */
static void
axis_span (const Axis *axis, int *first, int *end)
{
  *first = axis->first[0];
  *end = axis->first[axis->n - 1] + axis->count[axis->n - 1];
}

WEFT_LOOP guint8
to_byte (gint32 sum)
{
  sum >>= FRACTION;
  return (guint8) (sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* @columns: bytes by column and channel, LINES of them each; @out: the same by column of the result. */
WEFT_LOOP void
mix_columns_loop (const Axis *axis, int start, const guint8 *restrict columns, guint8 *restrict out)
{
  for (int i = 0; i < axis->n; i++)
    {
      gint32 sums[CHANNELS * LINES];
      const guint8 *from = columns + (axis->first[i] - start) * CHANNELS * LINES;
      const gint32 *weights = axis->weights + i * axis->most;
      for (int j = 0; j < CHANNELS * LINES; j++)
        sums[j] = HALF;
      for (int k = 0; k < axis->count[i]; k++)
        for (int j = 0; j < CHANNELS * LINES; j++)
          sums[j] += weights[k] * from[k * CHANNELS * LINES + j];
      for (int j = 0; j < CHANNELS * LINES; j++)
        out[i * CHANNELS * LINES + j] = to_byte (sums[j]);
    }
}
WEFT_DISPATCH (void, mix_columns, mix_columns_loop, (const Axis *axis, int start, const guint8 *columns, guint8 *out),
               (axis, start, columns, out))

/* One line of the result from lines of @length bytes. */
WEFT_LOOP void
mix_lines_loop (const gint32 *restrict weights, int count, int length, const guint8 *restrict lines, gint32 *restrict sums,
                guint8 *restrict out)
{
  for (int j = 0; j < length; j++)
    sums[j] = HALF;
  for (int k = 0; k < count; k++)
    for (int j = 0; j < length; j++)
      sums[j] += weights[k] * lines[k * length + j];
  for (int j = 0; j < length; j++)
    out[j] = to_byte (sums[j]);
}
WEFT_DISPATCH (void, mix_lines, mix_lines_loop,
               (const gint32 *weights, int count, int length, const guint8 *lines, gint32 *sums, guint8 *out),
               (weights, count, length, lines, sums, out))

/* Lines [first, end) of the picture, as wide as the result. */
static void
resample_columns (const Resampling *plan, const Axis *axis, int first, int end, const guint8 *rgb, guint8 *lines)
{
  int start, stop, side = plan->side * CHANNELS;
  axis_span (axis, &start, &stop);
  int width = (stop - start) * CHANNELS;
  g_autofree guint8 *columns = g_malloc0 ((gsize) width * LINES), *mixed = g_malloc ((gsize) side * LINES);
  for (int y = first; y < end; y += LINES)
    {
      int n = MIN (LINES, end - y);
      for (int line = 0; line < n; line++)
        {
          const guint8 *from = rgb + ((gsize) (y + line) * (gsize) plan->width + (gsize) start) * CHANNELS;
          for (int j = 0; j < width; j++)
            columns[j * LINES + line] = from[j];
        }
      mix_columns (axis, start, columns, mixed);
      for (int line = 0; line < n; line++)
        for (int j = 0; j < side; j++)
          lines[(y + line - first) * side + j] = mixed[j * LINES + line];
    }
}

void
resample (const Resampling *plan, const guint8 *rgb, guint8 *out)
{
  Axis across = axis_new (plan->width, plan->to_width, plan->left, plan->side);
  Axis down = axis_new (plan->height, plan->to_height, plan->top, plan->side);
  int first, end, length = plan->side * CHANNELS;
  axis_span (&down, &first, &end);
  g_autofree guint8 *lines = g_malloc ((gsize) (end - first) * (gsize) length);
  g_autofree gint32 *sums = g_new (gint32, length);
  resample_columns (plan, &across, first, end, rgb, lines);
  for (int y = 0; y < plan->side; y++)
    mix_lines (down.weights + y * down.most, down.count[y], length, lines + (gsize) (down.first[y] - first) * (gsize) length, sums,
               out + (gsize) y * (gsize) length);
  axis_clear (&across);
  axis_clear (&down);
}
