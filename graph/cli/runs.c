/* Tables of several runs: one for each data set and scoring node, a row a run.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attributes.h"
#include "grid.h"

typedef struct
{
  char *name, *data;
  GArray *numbers; /* of WeftPassNumber */
} Row;

static const char *const forms[] = { "text", "csv", "markdown", "latex", NULL };

static void
row_free (gpointer data)
{
  Row *row = data;
  g_free (row->name);
  g_free (row->data);
  g_array_unref (row->numbers);
  g_free (row);
}

/* A text attribute of a node's operator, NULL if it has none or it is empty. */
static const char *
text_of (const WeftNode *node, const WeftAttribute *attribute)
{
  const char *text = attribute ? *(const char *const *) ((const char *) node->attributes + attribute->offset) : NULL;
  return text && *text ? text : NULL;
}

/* What the evaluation reads: the path of the first source, or its operator if it has none, and its split. */
static char *
describe_data (WeftSession *session, const GPtrArray *graphs)
{
  for (guint i = 0; i < graphs->len; i++)
    {
      const WeftNode *source = weft_pipeline_graph (weft_session_pipeline (session), graphs->pdata[i])->source;
      if (!source)
        continue;
      const WeftAttribute *path = weft_operator_attribute (source->op, "path"), *split = weft_operator_attribute (source->op, "split");
      const char *where = path && path->kind == WEFT_ATTRIBUTE_PATH ? text_of (source, path) : NULL;
      const char *part = split && split->kind == WEFT_ATTRIBUTE_STRING ? text_of (source, split) : NULL;
      return g_strdup_printf ("%s%s%s", where ? where : source->op->name, part ? " " : "", part ? part : "");
    }
  return g_strdup ("");
}

static char *
node_title (const WeftPassNumber *number)
{
  return g_strdup_printf ("%s.%s", number->graph, number->node);
}

/* The sum stands after what it sums; medians and means of ranks are not in papers. */
static gboolean
is_shown (const char *port, gboolean all)
{
  return all || (!g_str_has_suffix (port, "_median") && !g_str_has_suffix (port, "_mean"));
}

static GPtrArray *
columns_of (const Row *row, const char *title, gboolean all)
{
  GPtrArray *columns = g_ptr_array_new ();
  for (guint sums = 0; sums < 2; sums++)
    for (guint i = 0; i < row->numbers->len; i++)
      {
        const WeftPassNumber *number = &g_array_index (row->numbers, WeftPassNumber, i);
        g_autofree char *node = node_title (number);
        if (strcmp (node, title) == 0 && is_shown (number->port, all) && (strcmp (number->port, "rsum") == 0) == (sums == 1))
          g_ptr_array_add (columns, number->port);
      }
  return columns;
}

static char *
print_number (double value, WeftTableForm form)
{
  return !isfinite (value)                   ? g_strdup ("")
         : form == WEFT_TABLE_CSV            ? g_strdup_printf ("%.17g", value)
         : fabs (value) >= 0.1 || value == 0 ? g_strdup_printf ("%.1f", value)
                                             : g_strdup_printf ("%.3g", value);
}

static double
find_number (const Row *row, const char *title, const char *port)
{
  for (guint i = 0; i < row->numbers->len; i++)
    {
      const WeftPassNumber *number = &g_array_index (row->numbers, WeftPassNumber, i);
      g_autofree char *node = node_title (number);
      if (strcmp (node, title) == 0 && strcmp (number->port, port) == 0)
        return number->value;
    }
  return (double) NAN;
}

static char *
print_table (const GPtrArray *rows, const char *data, const char *title, WeftTableForm form, gboolean all)
{
  g_autoptr (GPtrArray) grid = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  g_autoptr (GPtrArray) columns = NULL;
  for (guint r = 0; r < rows->len; r++)
    {
      const Row *row = rows->pdata[r];
      if (strcmp (row->data, data) != 0)
        continue;
      GPtrArray *cells = g_ptr_array_new_with_free_func (g_free);
      if (!columns)
        {
          GPtrArray *header = g_ptr_array_new_with_free_func (g_free);
          columns = columns_of (row, title, all);
          g_ptr_array_add (header, g_strdup ("run"));
          for (guint c = 0; c < columns->len; c++)
            g_ptr_array_add (header,
                             form == WEFT_TABLE_CSV ? g_strdup (columns->pdata[c]) : g_strdelimit (g_strdup (columns->pdata[c]), "_", ' '));
          g_ptr_array_add (grid, header);
        }
      g_ptr_array_add (cells, g_strdup (row->name));
      for (guint c = 0; c < columns->len; c++)
        g_ptr_array_add (cells, print_number (find_number (row, title, columns->pdata[c]), form));
      g_ptr_array_add (grid, cells);
    }
  return weft_grid_print (grid, form);
}

static void
print_tables (const GPtrArray *rows, WeftTableForm form, gboolean all)
{
  static const char *const comments[] = { "", "# ", "### ", "% " };
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint r = 0; r < rows->len; r++)
    {
      const Row *row = rows->pdata[r];
      for (guint i = 0; i < row->numbers->len; i++)
        {
          g_autofree char *title = node_title (&g_array_index (row->numbers, WeftPassNumber, i));
          char *heading = g_strdup_printf ("%s, %s", row->data, title);
          gboolean first = g_hash_table_size (seen) == 0;
          if (!g_hash_table_add (seen, heading))
            continue;
          g_autofree char *table = print_table (rows, row->data, title, form, all);
          printf ("%s%s%s\n%s%s", first ? "" : "\n", comments[form], heading, form == WEFT_TABLE_MARKDOWN ? "\n" : "", table);
        }
    }
}

/* @data: (nullable): what the run has to be evaluated on; of a run on other data only @other is set. */
static Row *
evaluate_run (const char *path, const WeftCommonOptions *common, const char *split, WeftEnsemble *ensemble, const char *data,
              gboolean *other)
{
  g_autoptr (WeftSession) session = weft_evaluation_open (path, common, split, NULL);
  const GPtrArray *graphs = session ? weft_evaluation_graphs (session, path) : NULL;
  g_autofree char *own = graphs ? describe_data (session, graphs) : NULL;
  *other = own && data && strcmp (own, data) != 0;
  g_autoptr (WeftPasses) passes = graphs && !*other ? weft_evaluation_pass (session, graphs, common->quiet) : NULL;
  g_autoptr (GError) error = NULL;
  if (!passes)
    return NULL;
  if (ensemble && !weft_ensemble_add (ensemble, session, passes, graphs, &error))
    {
      fprintf (stderr, "%s: %s\n", path, error->message);
      return NULL;
    }
  Row *row = g_new0 (Row, 1);
  *row = (Row){ g_strdup (path), g_steal_pointer (&own), weft_passes_numbers (passes) };
  return row;
}

/* The ensemble's row, scored as the first run scores. */
static Row *
score_ensemble (const char *path, const WeftCommonOptions *common, const char *split, WeftEnsemble *ensemble, const char *data)
{
  g_autoptr (WeftSession) session = weft_evaluation_open (path, common, split, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftPasses) passes =
      session ? weft_ensemble_score (ensemble, session, weft_session_recipe (session)->evaluate.graphs, &error) : NULL;
  if (!passes)
    {
      if (error)
        fprintf (stderr, "%s\n", error->message);
      return NULL;
    }
  Row *row = g_new0 (Row, 1);
  *row = (Row){ g_strdup_printf ("ensemble of %u", ensemble->models), g_strdup (data), weft_passes_numbers (passes) };
  return row;
}

/* Evaluates the first run of @paths that is still there, those on the same data, and their ensemble, and takes them out. */
static gboolean
evaluate_data (GPtrArray *paths, gboolean ensembles, const WeftCommonOptions *common, const char *split, GPtrArray *rows)
{
  g_auto (WeftEnsemble) ensemble = { NULL, 0 };
  const char *first = paths->pdata[0], *data = NULL;
  weft_ensemble_init (&ensemble);
  for (guint i = 0; i < paths->len;)
    {
      gboolean other;
      Row *row = evaluate_run (paths->pdata[i], common, split, ensembles ? &ensemble : NULL, data, &other);
      if (!row && !other)
        return FALSE;
      if (other)
        {
          i++;
          continue;
        }
      data = data ? data : row->data;
      g_ptr_array_add (rows, row);
      g_ptr_array_remove_index (paths, i);
    }
  if (ensemble.models < 2)
    return TRUE;
  Row *mean = score_ensemble (first, common, split, &ensemble, data);
  if (mean)
    g_ptr_array_add (rows, mean);
  return mean != NULL;
}

int
weft_cli_evaluate_runs (const char *const *paths, const WeftCommonOptions *common, const char *split, const char *form, gboolean all)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (row_free);
  g_autoptr (GPtrArray) left = g_ptr_array_new ();
  guint chosen = 0;
  while (form && forms[chosen] && strcmp (forms[chosen], form) != 0)
    chosen++;
  if (!forms[chosen])
    return weft_cli_usage ("weft evaluate: --table is text, csv, markdown or latex");
  for (guint i = 0; paths[i]; i++)
    g_ptr_array_add (left, (gpointer) paths[i]);
  gboolean ensembles = left->len > 1;
  while (left->len > 0)
    if (!evaluate_data (left, ensembles, common, split, rows))
      return WEFT_EXIT_INPUT;
  print_tables (rows, (WeftTableForm) chosen, all);
  return 0;
}
