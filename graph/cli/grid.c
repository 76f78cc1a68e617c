/* Rows of cells as text, CSV, Markdown or LaTeX.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "grid.h"

#include <string.h>

static glong
width_of (const char *text)
{
  return g_utf8_strlen (text, -1);
}

static void
append_escaped (GString *out, const char *text, WeftTableForm form)
{
  gboolean quote = form == WEFT_TABLE_CSV && strpbrk (text, ",\"\n");
  if (quote)
    g_string_append_c (out, '"');
  for (; *text; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);
      if (form == WEFT_TABLE_LATEX && c == 0x2212)
        g_string_append (out, "$-$");
      else if (form == WEFT_TABLE_LATEX && c == 0xb1)
        g_string_append (out, "$\\pm$");
      else
        {
          if (form == WEFT_TABLE_LATEX && c < 128 && strchr ("_%&#$", (int) c))
            g_string_append_c (out, '\\');
          if ((quote && c == '"') || (form == WEFT_TABLE_MARKDOWN && c == '|'))
            g_string_append_c (out, form == WEFT_TABLE_MARKDOWN ? '\\' : '"');
          g_string_append_unichar (out, c);
        }
    }
  if (quote)
    g_string_append_c (out, '"');
}

static void
append_row (GString *out, const GPtrArray *cells, const glong *widths, WeftTableForm form)
{
  static const char *const between[] = { "  ", ",", " | ", " & " };
  g_string_append (out, form == WEFT_TABLE_MARKDOWN ? "| " : "");
  for (guint i = 0; i < cells->len; i++)
    {
      int padding = form == WEFT_TABLE_TEXT || form == WEFT_TABLE_MARKDOWN ? (int) (widths[i] - width_of (cells->pdata[i])) : 0;
      g_string_append (out, i ? between[form] : "");
      g_string_append_printf (out, "%*s", i ? padding : 0, "");
      append_escaped (out, cells->pdata[i], form);
      if (!i)
        g_string_append_printf (out, "%*s", padding, "");
    }
  g_string_append (out, form == WEFT_TABLE_MARKDOWN ? " |\n" : form == WEFT_TABLE_LATEX ? " \\\\\n" : "\n");
}

static void
append_rule (GString *out, guint columns, const glong *widths, WeftTableForm form)
{
  if (form == WEFT_TABLE_LATEX)
    g_string_append (out, "\\hline\n");
  for (guint i = 0; form == WEFT_TABLE_MARKDOWN && i < columns; i++)
    {
      g_autofree char *dashes = g_strnfill ((gsize) MAX (widths[i] - (i ? 1 : 0), 1), '-');
      g_string_append_printf (out, "%s%s%s", i ? " | " : "| ", dashes, i ? ":" : "");
    }
  if (form == WEFT_TABLE_MARKDOWN)
    g_string_append (out, " |\n");
}

char *
weft_grid_print (const GPtrArray *rows, WeftTableForm form)
{
  guint columns = ((const GPtrArray *) rows->pdata[0])->len;
  g_autofree glong *widths = g_new0 (glong, columns);
  for (guint r = 0; r < rows->len; r++)
    for (guint c = 0; c < columns; c++)
      widths[c] = MAX (widths[c], width_of (g_ptr_array_index ((const GPtrArray *) rows->pdata[r], c)));
  GString *out = g_string_new (NULL);
  g_autofree char *alignment = g_strnfill (columns - 1, 'r');
  if (form == WEFT_TABLE_LATEX)
    g_string_append_printf (out, "\\begin{tabular}{l%s}\n\\hline\n", alignment);
  for (guint r = 0; r < rows->len; r++)
    {
      append_row (out, rows->pdata[r], widths, form);
      if (r == 0)
        append_rule (out, columns, widths, form);
    }
  if (form == WEFT_TABLE_LATEX)
    g_string_append (out, "\\hline\n\\end{tabular}\n");
  return g_string_free (out, FALSE);
}
