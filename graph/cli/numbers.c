/* Tables of the numbers that evaluations give out.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "metrics.h"
#include "numbers.h"

typedef struct
{
  GPtrArray *rows, *columns; /* (element-type utf8): "image" and "r1" of `image_r1`; in order of appearance */
  GHashTable *cells;         /* "image_r1" → text */
} Table;

static void
add_once (GPtrArray *names, const char *name)
{
  if (!g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
    g_ptr_array_add (names, g_strdup (name));
}

static char *
print_number (double value)
{
  return fabs (value) >= 0.01 || value == 0 ? g_strdup_printf ("%.2f", value) : g_strdup_printf ("%.4g", value);
}

/* Width on the screen, which for names in UTF-8 is not their length. */
static void
print_padded (const char *text, glong width, gboolean right)
{
  int padding = (int) MAX (width - g_utf8_strlen (text, -1), 0);
  printf ("%*s%s%*s", right ? padding : 0, "", text, right ? 0 : padding, "");
}

static glong
widest (const GPtrArray *names)
{
  glong width = 0;
  for (guint i = 0; i < names->len; i++)
    width = MAX (width, g_utf8_strlen (names->pdata[i], -1));
  return width;
}

static void
print_table (const Table *table)
{
  glong first = widest (table->rows) + 2;
  glong *widths = g_newa (glong, table->columns->len + 1);
  for (guint c = 0; c < table->columns->len; c++)
    {
      widths[c] = g_utf8_strlen (table->columns->pdata[c], -1);
      for (guint r = 0; r < table->rows->len; r++)
        {
          g_autofree char *port = g_strdup_printf ("%s_%s", (char *) table->rows->pdata[r], (char *) table->columns->pdata[c]);
          const char *cell = g_hash_table_lookup (table->cells, port);
          widths[c] = MAX (widths[c], cell ? (glong) strlen (cell) : 0);
        }
    }
  for (int r = -1; r < (int) table->rows->len; r++)
    {
      print_padded (r < 0 ? "" : table->rows->pdata[r], first, FALSE);
      for (guint c = 0; c < table->columns->len; c++)
        {
          g_autofree char *port =
              r < 0 ? NULL : g_strdup_printf ("%s_%s", (char *) table->rows->pdata[r], (char *) table->columns->pdata[c]);
          const char *cell = r < 0 ? table->columns->pdata[c] : g_hash_table_lookup (table->cells, port);
          print_padded (cell ? cell : "", widths[c] + 2, TRUE);
        }
      printf ("\n");
    }
}

/* Ports of one node: those whose prefix others share form the table, the rest stand below it. */
static void
print_node (const GArray *numbers, guint begin, guint end)
{
  Table table = { g_ptr_array_new_with_free_func (g_free), g_ptr_array_new_with_free_func (g_free),
                  g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free) };
  g_autoptr (GHashTable) shared = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = begin; i < end; i++)
    {
      const char *port = g_array_index (numbers, WeftPassNumber, i).port, *line = strchr (port, '_');
      char *prefix = g_strndup (port, line ? (gsize) (line - port) : strlen (port));
      guint n = GPOINTER_TO_UINT (g_hash_table_lookup (shared, prefix));
      g_hash_table_replace (shared, prefix, GUINT_TO_POINTER (n + (line != NULL)));
    }
  g_autoptr (GPtrArray) plain = g_ptr_array_new ();
  for (guint i = begin; i < end; i++)
    {
      const WeftPassNumber *number = &g_array_index (numbers, WeftPassNumber, i);
      const char *line = strchr (number->port, '_');
      g_autofree char *prefix = line ? g_strndup (number->port, (gsize) (line - number->port)) : NULL;
      if (!prefix || GPOINTER_TO_UINT (g_hash_table_lookup (shared, prefix)) < 2)
        {
          g_ptr_array_add (plain, (gpointer) number);
          continue;
        }
      add_once (table.rows, prefix);
      add_once (table.columns, line + 1);
      g_hash_table_insert (table.cells, g_strdup (number->port), print_number (number->value));
    }
  if (table.rows->len)
    print_table (&table);
  glong width = MAX (widest (table.rows) + 2, 4);
  for (guint i = 0; i < plain->len; i++)
    {
      const WeftPassNumber *number = plain->pdata[i];
      g_autofree char *text = print_number (number->value);
      print_padded (number->port, MAX (width, (glong) strlen (number->port) + 1), FALSE);
      printf (" %s\n", text);
    }
  g_ptr_array_unref (table.rows);
  g_ptr_array_unref (table.columns);
  g_hash_table_unref (table.cells);
}

static gboolean
same_node (const WeftPassNumber *a, const WeftPassNumber *b)
{
  return strcmp (a->graph, b->graph) == 0 && strcmp (a->node, b->node) == 0;
}

void
weft_cli_print_numbers (const GArray *numbers)
{
  for (guint begin = 0, end; begin < numbers->len; begin = end)
    {
      const WeftPassNumber *first = &g_array_index (numbers, WeftPassNumber, begin);
      for (end = begin; end < numbers->len && same_node (first, &g_array_index (numbers, WeftPassNumber, end));)
        end++;
      printf ("%s%s.%s\n", begin ? "\n" : "", first->graph, first->node);
      print_node (numbers, begin, end);
    }
}

void
weft_cli_print_json (const GArray *numbers)
{
  g_autoptr (GString) json = g_string_new ("{");
  for (guint i = 0; i < numbers->len; i++)
    {
      const WeftPassNumber *number = &g_array_index (numbers, WeftPassNumber, i);
      g_autofree char *name = g_strdup_printf ("%s.%s.%s", number->graph, number->node, number->port);
      g_string_append (json, i ? ", " : "");
      weft_json_append_string (json, name);
      g_string_append (json, ": ");
      weft_json_append_number (json, number->value);
    }
  printf ("%s}\n", json->str);
}
