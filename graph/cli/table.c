/* Tables of trials.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <math.h>
#include <string.h>

typedef struct
{
  const GPtrArray *trials, *variants;
  GPtrArray *columns; /* (element-type utf8): full names of numbers */
  char *main;
  gboolean times, spread;
} Table;

static const char *
last_part (const char *name)
{
  const char *dot = strrchr (name, '.');
  return dot ? dot + 1 : name;
}

static const GArray *
numbers_of (const GPtrArray *trials)
{
  for (guint i = 0; i < trials->len; i++)
    if (((const WeftTrial *) trials->pdata[i])->numbers->len)
      return ((const WeftTrial *) trials->pdata[i])->numbers;
  return NULL;
}

char *
weft_table_main_number (const GPtrArray *trials)
{
  const GArray *numbers = numbers_of (trials);
  for (guint i = 0; numbers && i < numbers->len; i++)
    {
      const char *name = g_array_index (numbers, WeftTrialNumber, i).name;
      if (strcmp (last_part (name), "rsum") == 0)
        return g_strdup (name);
    }
  return numbers ? g_strdup (g_array_index (numbers, WeftTrialNumber, 0).name) : NULL;
}

static gboolean
is_recall (const char *name)
{
  return g_str_has_suffix (name, "_r1") || g_str_has_suffix (name, "_r5") || g_str_has_suffix (name, "_r10")
         || strcmp (last_part (name), "rsum") == 0;
}

static void
choose_columns (Table *table, gboolean all)
{
  const GArray *numbers = numbers_of (table->trials);
  gboolean recalls = FALSE;
  for (guint i = 0; numbers && i < numbers->len; i++)
    recalls |= is_recall (g_array_index (numbers, WeftTrialNumber, i).name);
  /* The sum comes after what it sums. */
  for (guint sums = 0; sums < 2; sums++)
    for (guint i = 0; numbers && i < numbers->len; i++)
      {
        const char *name = g_array_index (numbers, WeftTrialNumber, i).name;
        if ((all || !recalls || is_recall (name)) && (strcmp (last_part (name), "rsum") == 0) == (sums == 1))
          g_ptr_array_add (table->columns, (gpointer) name);
      }
}

guint
weft_table_measure (const GPtrArray *trials, const WeftVariant *variant, const char *name, double *mean, double *deviation)
{
  double sum = 0, squares = 0;
  guint n = 0;
  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < trials->len; i++)
      {
        const WeftTrial *trial = trials->pdata[i];
        for (guint k = 0; trial->variant == variant && trial->state == WEFT_TRIAL_DONE && k < trial->numbers->len; k++)
          {
            const WeftTrialNumber *number = &g_array_index (trial->numbers, WeftTrialNumber, k);
            if (strcmp (number->name, name) != 0 || !isfinite (number->value))
              continue;
            if (pass == 0)
              n++;
            if (pass == 0)
              sum += number->value;
            else
              squares += (number->value - sum / n) * (number->value - sum / n);
          }
      }
  *mean = n ? sum / n : (double) NAN;
  *deviation = n > 1 ? sqrt (squares / (n - 1)) : 0;
  return n;
}

static double
median_step (const Table *table, const WeftVariant *variant)
{
  double least = 0;
  for (guint i = 0; i < table->trials->len; i++)
    {
      const WeftTrial *trial = table->trials->pdata[i];
      if (trial->variant == variant && trial->step_seconds > 0 && (least <= 0 || trial->step_seconds < least))
        least = trial->step_seconds;
    }
  return least;
}

static const WeftTrial *
first_trial (const Table *table, const WeftVariant *variant)
{
  for (guint i = 0; i < table->trials->len; i++)
    if (((const WeftTrial *) table->trials->pdata[i])->variant == variant)
      return table->trials->pdata[i];
  return NULL;
}

static char *
print_number (double value)
{
  return !isfinite (value)                    ? g_strdup ("")
         : fabs (value) >= 0.01 || value == 0 ? g_strdup_printf ("%.2f", value)
                                              : g_strdup_printf ("%.4g", value);
}

static char *
group_digits (guint64 n)
{
  GString *text = g_string_new (NULL);
  g_string_printf (text, "%" G_GUINT64_FORMAT, n);
  for (gssize at = (gssize) text->len - 3; at > 0; at -= 3)
    g_string_insert (text, at, ",");
  return g_string_free (text, FALSE);
}

static GPtrArray *
header (const Table *table, WeftTableForm form)
{
  GPtrArray *cells = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (cells, g_strdup ("variant"));
  g_ptr_array_add (cells, g_strdup ("seeds"));
  for (guint i = 0; i < table->columns->len; i++)
    {
      const char *name = last_part (table->columns->pdata[i]);
      g_ptr_array_add (cells, g_strdup (name));
      if (form == WEFT_TABLE_CSV)
        g_ptr_array_add (cells, g_strdup_printf ("%s_deviation", name));
    }
  if (table->main)
    g_ptr_array_add (cells, g_strdup_printf (form == WEFT_TABLE_CSV ? "%s_difference" : "%s − base", last_part (table->main)));
  g_ptr_array_add (cells, g_strdup ("parameters"));
  if (table->times)
    g_ptr_array_add (cells, g_strdup (form == WEFT_TABLE_CSV ? "milliseconds_a_step" : "ms/step"));
  return cells;
}

static void
add_measures (const Table *table, const WeftVariant *variant, WeftTableForm form, GPtrArray *cells)
{
  for (guint i = 0; i < table->columns->len; i++)
    {
      double mean, deviation;
      guint n = weft_table_measure (table->trials, variant, table->columns->pdata[i], &mean, &deviation);
      if (form == WEFT_TABLE_CSV)
        {
          g_ptr_array_add (cells, n ? g_strdup_printf ("%.17g", mean) : g_strdup (""));
          g_ptr_array_add (cells, n > 1 ? g_strdup_printf ("%.17g", deviation) : g_strdup (""));
          continue;
        }
      g_autofree char *number = print_number (mean), *spread = print_number (deviation);
      g_ptr_array_add (cells, n > 1 && table->spread ? g_strdup_printf ("%s ± %s", number, spread) : g_strdup (number));
    }
}

static GPtrArray *
row (const Table *table, const WeftVariant *variant, WeftTableForm form)
{
  GPtrArray *cells = g_ptr_array_new_with_free_func (g_free);
  const WeftTrial *trial = first_trial (table, variant);
  double mean = 0, base = 0, deviation;
  guint n = table->main ? weft_table_measure (table->trials, variant, table->main, &mean, &deviation) : 0;
  guint reference = table->main ? weft_table_measure (table->trials, table->variants->pdata[0], table->main, &base, &deviation) : 0;
  g_ptr_array_add (cells, g_strdup (variant->name));
  g_ptr_array_add (cells, g_strdup_printf ("%u", n));
  add_measures (table, variant, form, cells);
  if (table->main)
    g_ptr_array_add (cells, !n || !reference || variant == table->variants->pdata[0] ? g_strdup ("")
                            : form == WEFT_TABLE_CSV                                 ? g_strdup_printf ("%.17g", mean - base)
                                                                                     : g_strdup_printf ("%+.2f", mean - base));
  g_ptr_array_add (cells,
                   form == WEFT_TABLE_CSV ? g_strdup_printf ("%" G_GUINT64_FORMAT, trial->parameters) : group_digits (trial->parameters));
  if (table->times)
    g_ptr_array_add (cells,
                     median_step (table, variant) > 0 ? g_strdup_printf ("%.1f", 1000 * median_step (table, variant)) : g_strdup (""));
  return cells;
}

char *
weft_table_print (const GPtrArray *trials, const GPtrArray *variants, WeftTableForm form, gboolean all, gboolean times)
{
  Table table = { trials, variants, g_ptr_array_new (), weft_table_main_number (trials), times, form != WEFT_TABLE_CSV };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  choose_columns (&table, all);
  g_ptr_array_add (rows, header (&table, form));
  for (guint v = 0; v < variants->len; v++)
    {
      const WeftTrial *trial = first_trial (&table, variants->pdata[v]);
      if (trial && trial->state != WEFT_TRIAL_UNFIT)
        g_ptr_array_add (rows, row (&table, variants->pdata[v], form));
    }
  g_ptr_array_unref (table.columns);
  g_free (table.main);
  return weft_grid_print (rows, form);
}
