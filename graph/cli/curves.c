/* weft curves: what a run has logged over training, as drawings and numbers.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "directory.h"
#include "history.h"

#define WIDTH 640.0
#define LEFT 64.0
#define RIGHT 16.0
#define PANEL 190.0
#define TOP 34.0
#define BOTTOM 30.0
#define COLUMNS 240 /* of a histogram; more steps than that share columns */

typedef struct
{
  GString *out;
  double top; /* of the panel */
  double first, last, low, high;
} Panel;

static double
across (const Panel *panel, double step)
{
  double share = panel->last > panel->first ? (step - panel->first) / (panel->last - panel->first) : 0.5;
  return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static double
down (const Panel *panel, double value)
{
  double share = panel->high > panel->low ? (value - panel->low) / (panel->high - panel->low) : 0.5;
  return panel->top + PANEL - BOTTOM - CLAMP (share, 0, 1) * (PANEL - TOP - BOTTOM);
}

static void
draw_axes (const Panel *panel, const WeftCurve *curve)
{
  const WeftCurvePoint *last = &g_array_index (curve->points, WeftCurvePoint, curve->points->len - 1);
  g_autofree char *name = g_markup_escape_text (curve->name, -1);
  g_string_append_printf (panel->out, "<text x=\"%g\" y=\"%g\" font-weight=\"bold\">%s</text>\n", LEFT, panel->top + 20, name);
  g_string_append_printf (panel->out, "<text x=\"%g\" y=\"%g\" text-anchor=\"end\" fill=\"#555\">%s, last %.4g</text>\n", WIDTH - RIGHT,
                          panel->top + 20, curve->bins ? "shares of values, mean as line" : "mean since the line before", last->value);
  for (int i = 0; i <= 4; i++)
    {
      double value = panel->low + (panel->high - panel->low) * i / 4, y = down (panel, value);
      double step = panel->first + (panel->last - panel->first) * i / 4;
      g_string_append_printf (panel->out,
                              "<path d=\"M%g %.2fH%g\" stroke=\"#ddd\"/>\n<text x=\"%g\" y=\"%.2f\" text-anchor=\"end\">%.3g</text>\n"
                              "<text x=\"%.2f\" y=\"%g\" text-anchor=\"middle\">%.0f</text>\n",
                              LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4, value, across (panel, step), panel->top + PANEL - BOTTOM + 15, step);
    }
}

/* Neighbouring steps are added up until few enough columns are left; a bin's darkness is its share of the column. */
static void
draw_cells (const Panel *panel, const WeftCurve *curve)
{
  guint n = curve->points->len, each = (n + COLUMNS - 1) / COLUMNS, columns = (n + each - 1) / each;
  double width = (WIDTH - LEFT - RIGHT) / columns;
  g_autofree guint64 *counts = g_new (guint64, curve->bins);
  for (guint column = 0; column < columns; column++)
    {
      guint64 most = 0;
      memset (counts, 0, curve->bins * sizeof *counts);
      for (guint i = column * each; i < MIN (n, (column + 1) * each); i++)
        for (guint bin = 0; bin < curve->bins; bin++)
          counts[bin] += ((const guint64 *) curve->counts->pdata[i])[bin];
      for (guint bin = 0; bin < curve->bins; bin++)
        most = MAX (most, counts[bin]);
      for (guint bin = 0; bin < curve->bins; bin++)
        if (counts[bin])
          {
            double step = (panel->high - panel->low) / curve->bins, y = down (panel, panel->low + step * (bin + 1));
            g_string_append_printf (panel->out, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill-opacity=\"%.3f\"/>\n",
                                    LEFT + column * width, y, width, down (panel, panel->low + step * bin) - y,
                                    (double) counts[bin] / (double) most);
          }
    }
}

static void
draw_line (const Panel *panel, const WeftCurve *curve)
{
  gboolean begun = FALSE;
  g_string_append (panel->out, "<path d=\"");
  for (guint i = 0; i < curve->points->len; i++)
    {
      const WeftCurvePoint *point = &g_array_index (curve->points, WeftCurvePoint, i);
      double x = curve->bins ? LEFT + (i + 0.5) * (WIDTH - LEFT - RIGHT) / curve->points->len : across (panel, (double) point->step);
      if (isfinite (point->value))
        g_string_append_printf (panel->out, "%s%.2f %.2f", begun ? "L" : "M", x, down (panel, point->value));
      begun = isfinite (point->value);
    }
  g_string_append_printf (panel->out, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>\n", curve->bins ? "#c03020" : "#3060a0");
}

static void
find_bounds (Panel *panel, const WeftCurve *curve)
{
  panel->low = curve->bins ? curve->from : G_MAXDOUBLE;
  panel->high = curve->bins ? curve->to : -G_MAXDOUBLE;
  for (guint i = 0; i < curve->points->len; i++)
    {
      const WeftCurvePoint *point = &g_array_index (curve->points, WeftCurvePoint, i);
      panel->first = i ? panel->first : (double) point->step;
      panel->last = (double) point->step;
      if (!curve->bins && isfinite (point->value))
        {
          panel->low = MIN (panel->low, point->value);
          panel->high = MAX (panel->high, point->value);
        }
    }
  if (panel->low >= panel->high)
    {
      double middle = panel->low > panel->high ? 0 : panel->low, span = fmax (fabs (middle) * 0.05, 1e-6);
      panel->low = middle - span;
      panel->high = middle + span;
    }
}

static char *
draw (const GPtrArray *curves)
{
  double height = PANEL * curves->len + 8;
  GString *out = g_string_new (NULL);
  g_string_append_printf (out,
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" font-family=\"Helvetica, sans-serif\" "
                          "font-size=\"11\">\n<rect width=\"%g\" height=\"%g\" fill=\"#fff\"/>\n",
                          WIDTH, height, WIDTH, height);
  for (guint i = 0; i < curves->len; i++)
    {
      const WeftCurve *curve = curves->pdata[i];
      Panel panel = { .out = out, .top = PANEL * i };
      find_bounds (&panel, curve);
      draw_axes (&panel, curve);
      g_string_append (out, "<g fill=\"#3060a0\">\n");
      if (curve->bins)
        draw_cells (&panel, curve);
      g_string_append (out, "</g>\n");
      draw_line (&panel, curve);
    }
  g_string_append (out, "</svg>\n");
  return g_string_free (out, FALSE);
}

/* One line for each number; bins of histograms have their lower bound beside them. */
static char *
print_numbers (const GPtrArray *curves)
{
  GString *out = g_string_new ("name,step,epoch,bin_from,value\n");
  for (guint c = 0; c < curves->len; c++)
    {
      const WeftCurve *curve = curves->pdata[c];
      for (guint i = 0; i < curve->points->len; i++)
        {
          const WeftCurvePoint *point = &g_array_index (curve->points, WeftCurvePoint, i);
          g_string_append_printf (out, "%s,%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",,", curve->name, point->step, point->epoch);
          g_string_append_printf (out, isfinite (point->value) ? "%.9g\n" : "\n", point->value);
          for (guint bin = 0; bin < curve->bins; bin++)
            g_string_append_printf (out, "%s,%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",%.9g,%" G_GUINT64_FORMAT "\n", curve->name,
                                    point->step, point->epoch, curve->from + (curve->to - curve->from) * bin / curve->bins,
                                    ((const guint64 *) curve->counts->pdata[i])[bin]);
        }
    }
  return g_string_free (out, FALSE);
}

/* The curves that were asked for: named ones, else histograms, else everything. */
static GPtrArray *
choose (const GPtrArray *all, char **names)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new (), known = g_ptr_array_new ();
  gboolean histograms = FALSE;
  for (guint i = 0; i < all->len; i++)
    {
      histograms |= ((const WeftCurve *) all->pdata[i])->bins > 0;
      g_ptr_array_add (known, ((const WeftCurve *) all->pdata[i])->name);
    }
  g_ptr_array_add (known, NULL);
  for (guint i = 0; i < all->len && !*names; i++)
    if (!histograms || ((const WeftCurve *) all->pdata[i])->bins)
      g_ptr_array_add (chosen, all->pdata[i]);
  for (char **name = names; *name; name++)
    {
      guint at = 0;
      while (at < all->len && strcmp (((const WeftCurve *) all->pdata[at])->name, *name) != 0)
        at++;
      if (at == all->len)
        {
          g_autofree char *hint = weft_suggestion (*name, (const char *const *) known->pdata);
          fprintf (stderr, "the run has logged no `%s`%s\n", *name, hint);
          return NULL;
        }
      g_ptr_array_add (chosen, all->pdata[at]);
    }
  return g_steal_pointer (&chosen);
}

static gboolean
write_beside (const char *folder, const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  gboolean written = g_mkdir_with_parents (folder, 0777) == 0 && g_file_set_contents (path, text, -1, &error);
  if (written)
    printf ("%s\n", path);
  else
    fprintf (stderr, "%s\n", error ? error->message : "the folder can't be made");
  return written;
}

static int
curves (const char *directory, char **names, const WeftCommonOptions *common)
{
  g_autoptr (GError) error = NULL;
  if (!weft_directory_is_run (directory))
    {
      fprintf (stderr, "%s is not the directory of a run, such as `weft train` makes\n", directory);
      return WEFT_EXIT_INPUT;
    }
  g_autoptr (GPtrArray) all = weft_history_read (directory, &error);
  if (!all || !all->len)
    {
      fprintf (stderr, "%s\n", error ? error->message : "the run has logged nothing yet");
      return WEFT_EXIT_INPUT;
    }
  g_autoptr (GPtrArray) chosen = choose (all, names);
  if (!chosen)
    return WEFT_EXIT_INPUT;
  for (guint i = 0; i < chosen->len && !common->quiet; i++)
    {
      const WeftCurve *curve = chosen->pdata[i];
      const WeftCurvePoint *points = (const WeftCurvePoint *) (gpointer) curve->points->data, *last = &points[curve->points->len - 1];
      printf ("%-24s %6u points, step %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ", %.4g to %.4g\n", curve->name, curve->points->len,
              points[0].step, last->step, points[0].value, last->value);
    }
  g_autofree char *drawing = draw (chosen), *numbers = print_numbers (chosen);
  const char *folder = common->output ? common->output : directory;
  return write_beside (folder, "curves.svg", drawing) && write_beside (folder, "curves.csv", numbers) ? 0 : WEFT_EXIT_INPUT;
}

int
weft_cli_curves (int argc, char **argv)
{
  WeftCommonOptions common;
  int status = 0;
  if (!weft_cli_parse_options (
          &argc, &argv, "RUN [NAME…]",
          "Draws what a run has logged over training into curves.svg, with the numbers in curves.csv, in the run's "
          "directory or --output. Without names: the histograms of `run: log: histograms:`, or all values if there are "
          "none.\n\nExamples:\n  weft curves runs/scenes\n  weft curves runs/scenes loss norm validate.recalls.rsum",
          NULL, &common, &status))
    return status;
  status =
      argc < 2 ? weft_cli_usage ("weft curves: expected the directory of a run, such as runs/scenes") : curves (argv[1], argv + 2, &common);
  weft_cli_options_clear (&common);
  return status;
}
