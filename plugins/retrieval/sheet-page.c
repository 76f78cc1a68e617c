/* The page of a retrieval sheet: HTML that needs nothing beside it.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sheet-page.h"

#include <string.h>

#define BAR 12
#define BAR_ROW 56
#define BAR_TITLE 420 /* room for the text above bars */
#define CHART_WIDTH 520.0
#define CHART_HEIGHT 220.0
#define CHART_LEFT 44.0
#define CHART_BOTTOM 24.0
#define CHART_RIGHT 90.0
#define CHART_TOP 12.0

static const char *const paints[] = { "#3060a0", "#c03020", "#2a9d3a", "#7b3fb3", "#f28a1c", "#555555" };

static void
append_number (GString *page, const char *format, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append (page, g_ascii_formatd (text, sizeof text, format, value));
}

void
sheet_page_begin (GString *page, gint64 images, gint64 captions)
{
  g_string_append (page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>Retrieval sheet</title>\n<style>\n"
                         "body { font: 14px/1.4 Helvetica, Arial, sans-serif; margin: 24px; max-width: 1180px }\n"
                         ".query { border-top: 1px solid #ccc; padding: 10px 0 }\n"
                         ".hits { display: flex; gap: 10px }\n"
                         ".hit { width: 200px; padding: 6px; border: 2px solid #ddd; overflow-wrap: anywhere }\n"
                         ".right { border-color: #2a9d3a; background: #eef8ef }\n"
                         ".hit img { width: 100% }\n"
                         ".query > img { width: 240px }\n"
                         ".similarity { color: #555; font-size: 12px }\n"
                         "</style></head><body>\n<h1>Retrieval sheet</h1>\n");
  g_string_append_printf (page,
                          "<p>%" G_GINT64_FORMAT " images, %" G_GINT64_FORMAT
                          " captions. What belongs to the query is framed in green; equal similarities count against the query.</p>\n",
                          images, captions);
}

void
sheet_page_end (GString *page)
{
  g_string_append (page, "</body></html>\n");
}

void
sheet_page_text (GString *page, const char *text, gsize length)
{
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) length), *escaped = g_markup_escape_text (valid, -1);
  g_string_append (page, escaped);
}

void
sheet_page_heading (GString *page, const char *text)
{
  g_string_append (page, "<h2>");
  sheet_page_text (page, text, strlen (text));
  g_string_append (page, "</h2>\n");
}

void
sheet_page_rank (GString *page, gint64 rank, gint64 of)
{
  g_string_append_printf (page, "<span class=\"similarity\">rank %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT "</span>\n", rank, of);
}

void
sheet_page_similarity (GString *page, const SheetHit *hit)
{
  g_string_append (page, "<span class=\"similarity\">");
  append_number (page, "%.3f", hit->similarity);
  g_string_append (page, hit->right ? " ✓</span>" : "</span>");
}

gboolean
sheet_page_picture (GString *page, const char *path, GError **error)
{
  g_autofree char *data = NULL;
  gsize length;
  if (!g_file_get_contents (path, &data, &length, error))
    return FALSE;
  const char *type = g_str_has_suffix (path, ".svg")                                       ? "image/svg+xml"
                     : g_str_has_suffix (path, ".png")                                     ? "image/png"
                     : g_str_has_suffix (path, ".jpg") || g_str_has_suffix (path, ".jpeg") ? "image/jpeg"
                                                                                           : "application/octet-stream";
  g_autofree char *encoded = g_base64_encode ((const guchar *) data, length);
  g_string_append_printf (page, "<img alt=\"\" src=\"data:%s;base64,%s\"/>\n", type, encoded);
  return TRUE;
}

static float
greatest (const SheetWeights *weights)
{
  float most = 0;
  for (gint64 i = 0; i < weights->n; i++)
    most = MAX (most, weights->values[i]);
  return most;
}

void
sheet_page_bars (GString *page, const SheetWeights *weights, guint n)
{
  gint64 longest = 0;
  for (guint row = 0; row < n; row++)
    longest = MAX (longest, weights[row].n);
  g_string_append_printf (page, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" font-size=\"11\">\n",
                          MAX ((int) longest * BAR, BAR_TITLE) + 10, n * BAR_ROW);
  for (guint row = 0; row < n; row++)
    {
      float most = greatest (&weights[row]);
      g_string_append_printf (page, "<text x=\"0\" y=\"%u\">%s, at most ", row * BAR_ROW + 11, weights[row].title);
      append_number (page, "%.3f", (double) most);
      g_string_append (page, "</text>\n");
      for (gint64 i = 0; i < weights[row].n; i++)
        {
          double height = most > 0 ? (double) (weights[row].values[i] / most) * (BAR_ROW - 20) : 0;
          g_string_append_printf (page, "<rect x=\"%d\" width=\"%d\" fill=\"%s\" y=\"", (int) i * BAR, BAR - 2, paints[row % 6]);
          append_number (page, "%.1f", (row + 1) * BAR_ROW - 3 - height);
          g_string_append (page, "\" height=\"");
          append_number (page, "%.1f", MAX (height, 0.5));
          g_string_append (page, "\"/>\n");
        }
    }
  g_string_append (page, "</svg>\n");
}

static void
append_line (GString *page, const SheetWeights *weights, gint64 longest, double most, const char *paint)
{
  double width = CHART_WIDTH - CHART_LEFT - CHART_RIGHT, height = CHART_HEIGHT - CHART_TOP - CHART_BOTTOM;
  g_string_append_printf (page, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" d=\"", paint);
  for (gint64 i = 0; i < weights->n; i++)
    {
      g_string_append (page, i ? "L" : "M");
      append_number (page, "%.2f ", CHART_LEFT + width * (longest > 1 ? (double) i / (double) (longest - 1) : 0));
      append_number (page, "%.2f", CHART_TOP + height * (1 - (double) weights->values[i] / most));
    }
  g_string_append (page, "\"/>\n");
}

void
sheet_page_lines (GString *page, const SheetWeights *weights, guint n)
{
  gint64 longest = 0;
  double most = 0, bottom = CHART_HEIGHT - CHART_BOTTOM;
  for (guint i = 0; i < n; i++)
    {
      longest = MAX (longest, weights[i].n);
      most = MAX (most, (double) greatest (&weights[i]));
    }
  if (n == 0 || most <= 0)
    return;
  g_string_append_printf (page,
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-size=\"11\">\n"
                          "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#444\"/>\n<text x=\"%d\" y=\"%d\">1</text>\n"
                          "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%" G_GINT64_FORMAT "</text>\n"
                          "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>\n<text x=\"%d\" y=\"%d\" text-anchor=\"end\">",
                          (int) CHART_WIDTH, (int) CHART_HEIGHT, (int) CHART_LEFT, (int) CHART_TOP, (int) bottom,
                          (int) (CHART_WIDTH - CHART_RIGHT), (int) CHART_LEFT, (int) bottom + 15, (int) (CHART_WIDTH - CHART_RIGHT),
                          (int) bottom + 15, longest, (int) CHART_LEFT - 4, (int) bottom, (int) CHART_LEFT - 4, (int) CHART_TOP + 8);
  append_number (page, "%.3g", most);
  g_string_append (page, "</text>\n");
  for (guint i = 0; i < n; i++)
    {
      const char *paint = paints[i % G_N_ELEMENTS (paints)];
      append_line (page, &weights[i], longest, most, paint);
      g_string_append_printf (page, "<text x=\"%d\" y=\"%d\" fill=\"%s\">length %" G_GINT64_FORMAT "</text>\n",
                              (int) (CHART_WIDTH - CHART_RIGHT) + 8, (int) CHART_TOP + 12 + (int) i * 15, paint, weights[i].n);
    }
  g_string_append (page, "</svg>\n");
}
