/* Files of ids and of answers.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <weft/lines.h>

#include "positives.h"

Positives *
positives_new (void)
{
  Positives *positives = g_new0 (Positives, 1);
  gint64 zero = 0;
  positives->offsets = g_array_new (FALSE, FALSE, sizeof (gint64));
  positives->items = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_array_append_val (positives->offsets, zero);
  return positives;
}

void
positives_free (Positives *positives)
{
  if (positives == NULL)
    return;
  g_array_unref (positives->offsets);
  g_array_unref (positives->items);
  g_free (positives->similarity);
  g_free (positives->before);
  g_free (positives);
}

static int
compare_items (gconstpointer a, gconstpointer b)
{
  gint32 x = *(const gint32 *) a, y = *(const gint32 *) b;
  return (x > y) - (x < y);
}

void
positives_end_query (Positives *positives)
{
  gint64 first = positives_offset (positives, positives->offsets->len - 1), kept = first;
  gint32 *items = (gint32 *) (gpointer) positives->items->data;
  gsize n = positives->items->len - (gsize) first;
  if (n > 0)
    qsort (items + first, n, sizeof *items, compare_items);
  for (gsize i = 0; i < n; i++)
    if (i == 0 || items[first + (gint64) i] != items[kept - 1])
      items[kept++] = items[first + (gint64) i];
  g_array_set_size (positives->items, (guint) kept);
  g_array_append_val (positives->offsets, kept);
}

void
positives_finish (Positives *positives)
{
  positives->similarity = g_new0 (double, positives->items->len + 1);
  positives->before = g_new0 (guint32, positives->items->len + 1);
}

gint64
positives_queries (const Positives *positives)
{
  return positives->offsets->len - 1;
}

IdTable *
id_table_read (const char *path, guint repeat, GError **error)
{
  g_autoptr (WeftLines) lines = weft_lines_read (path, FALSE, error);
  g_autoptr (IdTable) table = g_new0 (IdTable, 1);
  table->path = g_strdup (path);
  table->ids = g_ptr_array_new_with_free_func (g_free);
  table->rows = g_hash_table_new (g_str_hash, g_str_equal);
  if (lines == NULL)
    return NULL;
  for (guint i = 0; i < weft_lines_count (lines); i++)
    {
      g_autofree char *id = g_strstrip (g_strdup (weft_lines_get (lines, i, NULL)));
      if (i % repeat != 0 && !g_str_equal (id, table->ids->pdata[i / repeat]))
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s:%u: \"%s\", expected \"%s\" again: each id stands %u times", path, i + 1,
                       id, (char *) table->ids->pdata[i / repeat], repeat);
          return NULL;
        }
      if (i % repeat != 0)
        continue;
      if (g_hash_table_contains (table->rows, id))
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s:%u: id \"%s\" stands there twice", path, i + 1, id);
          return NULL;
        }
      g_hash_table_insert (table->rows, id, GUINT_TO_POINTER (table->ids->len));
      g_ptr_array_add (table->ids, g_steal_pointer (&id));
    }
  return g_steal_pointer (&table);
}

void
id_table_free (IdTable *table)
{
  if (table == NULL)
    return;
  g_hash_table_unref (table->rows);
  g_ptr_array_unref (table->ids);
  g_free (table->path);
  g_free (table);
}

gint64
id_table_find (const IdTable *table, JsonNode *id)
{
  GType type = JSON_NODE_HOLDS_VALUE (id) ? json_node_get_value_type (id) : G_TYPE_INVALID;
  g_autofree char *text = type == G_TYPE_STRING  ? json_node_dup_string (id)
                          : type == G_TYPE_INT64 ? g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (id))
                                                 : NULL;
  gpointer row;
  return text && g_hash_table_lookup_extended (table->rows, text, NULL, &row) ? (gint64) GPOINTER_TO_UINT (row) : -1;
}
