/* What a run logs and watches.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "recipe-private.h"

void
weft_recipe_read_watch (WeftRecipeReader *reader, WeftGraph *train)
{
  static const char *const keys[] = { "finite", "silent", "silent_above", "norm", "norm_below", "collapse", "collapse_above", NULL };
  WeftRecipe *recipe = reader->recipe;
  recipe->watch_finite = TRUE;
  recipe->silent_above = 0.5;
  recipe->norm_below = 1e-8;
  recipe->collapse_above = 0.98;
  WeftValue *map = weft_recipe_read_map (reader, reader->pipeline->run, "watch", keys);
  recipe->watch_collapse = weft_recipe_read_named (reader, map, "collapse");
  if (!map || !train)
    return;
  WeftValue *finite = weft_value_lookup (map, "finite");
  if (finite && !weft_value_get_boolean (finite, &recipe->watch_finite))
    weft_problems_add (reader->problems, weft_value_mark (finite), "`finite` must be true or false");
  weft_recipe_read_number (reader, map, "silent_above", 0, &recipe->silent_above);
  weft_recipe_read_number (reader, map, "norm_below", 0, &recipe->norm_below);
  weft_recipe_read_number (reader, map, "collapse_above", -1, &recipe->collapse_above);
  recipe->watch_silent = weft_recipe_read_text (reader, map, "silent", &recipe->silent_mark);
  recipe->watch_norm = weft_recipe_read_text (reader, map, "norm", &recipe->norm_mark);
  if (recipe->watch_silent)
    weft_recipe_keep_scalar (reader, train, recipe->watch_silent, recipe->silent_mark);
  if (recipe->watch_norm)
    weft_recipe_keep_scalar (reader, train, recipe->watch_norm, recipe->norm_mark);
  for (guint i = 0; i < recipe->watch_collapse->len; i++)
    {
      const WeftNamed *named = &g_array_index (recipe->watch_collapse, WeftNamed, i);
      WeftWire *wire = weft_recipe_keep_wire (reader, train, named->reference, named->mark);
      if (wire && (wire->shape.type != WEFT_F32 || wire->shape.rank != 2))
        {
          g_autofree char *shape = weft_shape_print (&wire->shape);
          weft_problems_add (reader->problems, named->mark, "`%s` is %s; `collapse` watches embeddings, f32[n, d]", named->reference,
                             shape);
        }
    }
}

#define MOST_BINS 1000

static void
clear_histogram (gpointer data)
{
  WeftHistogramOf *histogram = data;
  g_free (histogram->value.name);
  g_free (histogram->value.reference);
}

/* A reference, or a map {of: reference, from: -1, to: 1, bins: 40}. */
static gboolean
read_histogram (WeftRecipeReader *reader, const char *name, WeftValue *item, WeftHistogramOf *histogram)
{
  static const char *const keys[] = { "of", "from", "to", "bins", NULL };
  gboolean map = weft_value_kind (item) == WEFT_VALUE_MAP;
  *histogram = (WeftHistogramOf){ { g_strdup (name), NULL, weft_value_mark (item) }, -1, 1, 40 };
  if (map)
    {
      weft_recipe_check_keys (reader, item, name, keys);
      weft_recipe_read_number (reader, item, "from", -G_MAXDOUBLE, &histogram->from);
      weft_recipe_read_number (reader, item, "to", -G_MAXDOUBLE, &histogram->to);
      weft_recipe_read_integer (reader, item, "bins", 1, &histogram->bins);
      histogram->value.reference = weft_recipe_read_text (reader, item, "of", &histogram->value.mark);
    }
  else if (weft_value_kind (item) == WEFT_VALUE_SCALAR)
    histogram->value.reference = g_strdup (weft_value_text (item));
  if (!histogram->value.reference)
    weft_problems_add (reader->problems, histogram->value.mark,
                       "a histogram is a reference such as `contrast.positive`, or {of: REFERENCE, from: -1, to: 1, bins: 40}");
  else if (!(histogram->from < histogram->to) || histogram->bins > MOST_BINS)
    weft_problems_add (reader->problems, weft_value_mark (item), "a histogram needs `from` below `to`, and at most %d bins", MOST_BINS);
  else
    return TRUE;
  return FALSE;
}

static void
read_histograms (WeftRecipeReader *reader, WeftValue *log, WeftGraph *train)
{
  WeftValue *map = log ? weft_recipe_read_map (reader, log, "histograms", NULL) : NULL;
  reader->recipe->histograms = g_array_new (FALSE, FALSE, sizeof (WeftHistogramOf));
  g_array_set_clear_func (reader->recipe->histograms, clear_histogram);
  for (guint i = 0; map && i < weft_value_length (map); i++)
    {
      WeftHistogramOf histogram;
      gboolean good = read_histogram (reader, weft_value_key (map, i), weft_value_item (map, i), &histogram);
      WeftWire *wire = good && train ? weft_recipe_keep_wire (reader, train, histogram.value.reference, histogram.value.mark) : NULL;
      if (wire && wire->shape.type != WEFT_F32)
        weft_problems_add (reader->problems, histogram.value.mark, "`%s` is %s; histograms are of f32 values", histogram.value.reference,
                           weft_type_name (wire->shape.type));
      g_array_append_val (reader->recipe->histograms, histogram);
    }
}

void
weft_recipe_read_log (WeftRecipeReader *reader, WeftGraph *train)
{
  static const char *const keys[] = { "every", "values", "histograms", NULL };
  WeftRecipe *recipe = reader->recipe;
  recipe->log_every = 10;
  WeftValue *map = weft_recipe_read_map (reader, reader->pipeline->run, "log", keys);
  weft_recipe_read_integer (reader, map, "every", 1, &recipe->log_every);
  recipe->log = weft_recipe_read_named (reader, map, "values");
  for (guint i = 0; train && i < recipe->log->len; i++)
    {
      const WeftNamed *named = &g_array_index (recipe->log, WeftNamed, i);
      weft_recipe_keep_scalar (reader, train, named->reference, named->mark);
    }
  read_histograms (reader, map, train);
}
