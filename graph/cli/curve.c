/* Curves over the values of a matrix, as SVG.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "table.h"

#define WIDTH 560.0
#define HEIGHT 360.0
#define LEFT 70.0
#define RIGHT 20.0
#define TOP 30.0
#define BOTTOM 60.0

typedef struct
{
  const char *label;
  double mean, deviation;
} Point;

static double
position (double value, double low, double high, double from, double to)
{
  return from + (high > low ? (value - low) / (high - low) : 0.5) * (to - from);
}

static GArray *
gather_points (const GPtrArray *trials, const GPtrArray *variants, const char *axis, const char *number)
{
  GArray *points = g_array_new (FALSE, FALSE, sizeof (Point));
  for (guint v = 0; v < variants->len; v++)
    {
      const WeftVariant *variant = variants->pdata[v];
      Point point = { variant->label, 0, 0 };
      if (g_strcmp0 (variant->axis, axis) == 0 && weft_table_measure (trials, variant, number, &point.mean, &point.deviation))
        g_array_append_val (points, point);
    }
  return points;
}

static void
draw_axes (GString *out, double low, double high, const char *axis, const char *number)
{
  g_string_append_printf (out, "<path d=\"M%g %gV%gH%g\" fill=\"none\" stroke=\"#444\"/>\n", LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
  for (int i = 0; i <= 4; i++)
    {
      double value = low + (high - low) * i / 4, y = position (value, low, high, HEIGHT - BOTTOM, TOP);
      g_string_append_printf (out, "<path d=\"M%g %.2fH%g\" stroke=\"#ddd\"/>\n<text x=\"%g\" y=\"%.2f\" text-anchor=\"end\">%.4g</text>\n",
                              LEFT, y, WIDTH - RIGHT, LEFT - 8, y + 4, value);
    }
  g_autofree char *shown = g_markup_escape_text (axis, -1), *measured = g_markup_escape_text (number, -1);
  g_string_append_printf (out, "<text x=\"%g\" y=\"%g\" text-anchor=\"middle\">%s</text>\n<text x=\"%g\" y=\"%g\">%s</text>\n",
                          (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, shown, LEFT, TOP - 12, measured);
}

char *
weft_curve_draw (const GPtrArray *trials, const GPtrArray *variants, const char *axis)
{
  g_autofree char *number = weft_table_main_number (trials);
  g_autoptr (GArray) points = number ? gather_points (trials, variants, axis, number) : NULL;
  if (!points || points->len < 2)
    return NULL;
  double low = G_MAXDOUBLE, high = -G_MAXDOUBLE;
  for (guint i = 0; i < points->len; i++)
    {
      const Point *point = &g_array_index (points, Point, i);
      low = MIN (low, point->mean - point->deviation);
      high = MAX (high, point->mean + point->deviation);
    }
  double margin = MAX ((high - low) * 0.08, 1e-9);
  low -= margin;
  high += margin;
  GString *out = g_string_new (NULL);
  g_string_append_printf (out,
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" font-family=\"Helvetica, sans-serif\" "
                          "font-size=\"12\">\n<rect width=\"%g\" height=\"%g\" fill=\"#fff\"/>\n",
                          WIDTH, HEIGHT, WIDTH, HEIGHT);
  const char *last = strrchr (number, '.');
  draw_axes (out, low, high, axis, last ? last + 1 : number);
  g_autoptr (GString) line = g_string_new (NULL);
  for (guint i = 0; i < points->len; i++)
    {
      const Point *point = &g_array_index (points, Point, i);
      double x = position (i, 0, points->len - 1, LEFT + 20, WIDTH - RIGHT - 20);
      double y = position (point->mean, low, high, HEIGHT - BOTTOM, TOP);
      const char *equals = strchr (point->label, '=');
      g_autofree char *label = g_markup_escape_text (equals && !strchr (equals + 1, '=') ? equals + 1 : point->label, -1);
      g_string_append_printf (line, "%s%.2f %.2f", i ? "L" : "M", x, y);
      if (point->deviation > 0)
        g_string_append_printf (out, "<path d=\"M%.2f %.2fV%.2f\" stroke=\"#3060a0\"/>\n", x,
                                position (point->mean - point->deviation, low, high, HEIGHT - BOTTOM, TOP),
                                position (point->mean + point->deviation, low, high, HEIGHT - BOTTOM, TOP));
      g_string_append_printf (out,
                              "<circle cx=\"%.2f\" cy=\"%.2f\" r=\"3.5\" fill=\"#3060a0\"/>\n"
                              "<text x=\"%.2f\" y=\"%g\" text-anchor=\"middle\">%s</text>\n",
                              x, y, x, HEIGHT - BOTTOM + 18, label);
    }
  g_string_append_printf (out, "<path d=\"%s\" fill=\"none\" stroke=\"#3060a0\"/>\n</svg>\n", line->str);
  return g_string_free (out, FALSE);
}
