/* The `run:` section of a pipeline: what is trained, validated, logged and kept, and when.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "recipe-private.h"

#include <string.h>

void
weft_recipe_check_keys (WeftRecipeReader *reader, const WeftValue *map, const char *what, const char *const *keys)
{
  for (guint i = 0; i < weft_value_length (map); i++)
    {
      const char *key = weft_value_key (map, i);
      if (g_strv_contains (keys, key))
        continue;
      g_autofree char *suggestion = weft_suggestion (key, keys);
      weft_problems_add (reader->problems, weft_value_key_mark (map, i), "`%s` knows no `%s`%s", what, key, suggestion);
    }
}

/* A map below @parent, or NULL if it is absent or something else, which is a problem. */
WeftValue *
weft_recipe_read_map (WeftRecipeReader *reader, const WeftValue *parent, const char *key, const char *const *keys)
{
  WeftValue *map = weft_value_lookup (parent, key);
  if (!map || weft_value_kind (map) == WEFT_VALUE_NULL)
    return NULL;
  if (weft_value_kind (map) != WEFT_VALUE_MAP)
    {
      weft_problems_add (reader->problems, weft_value_mark (map), "`%s` must be a map", key);
      return NULL;
    }
  if (keys)
    weft_recipe_check_keys (reader, map, key, keys);
  return map;
}

void
weft_recipe_read_integer (WeftRecipeReader *reader, const WeftValue *map, const char *key, gint64 minimum, gint64 *result)
{
  WeftValue *value = map ? weft_value_lookup (map, key) : NULL;
  if (!value || weft_value_kind (value) == WEFT_VALUE_NULL)
    return;
  gint64 integer;
  if (!weft_value_get_integer (value, &integer) || integer < minimum)
    weft_problems_add (reader->problems, weft_value_mark (value), "`%s` must be an integer, at least %" G_GINT64_FORMAT, key, minimum);
  else
    *result = integer;
}

void
weft_recipe_read_number (WeftRecipeReader *reader, const WeftValue *map, const char *key, double minimum, double *result)
{
  WeftValue *value = map ? weft_value_lookup (map, key) : NULL;
  if (!value || weft_value_kind (value) == WEFT_VALUE_NULL)
    return;
  double number;
  if (!weft_value_get_number (value, &number) || number < minimum)
    weft_problems_add (reader->problems, weft_value_mark (value),
                       minimum > -G_MAXDOUBLE ? "`%s` must be a number, at least %g" : "`%s` must be a number", key, minimum);
  else
    *result = number;
}

/* A scalar's text, or NULL; @mark is where it stands. */
char *
weft_recipe_read_text (WeftRecipeReader *reader, const WeftValue *map, const char *key, WeftMark *mark)
{
  WeftValue *value = map ? weft_value_lookup (map, key) : NULL;
  if (!value || weft_value_kind (value) == WEFT_VALUE_NULL)
    return NULL;
  *mark = weft_value_mark (value);
  if (weft_value_kind (value) == WEFT_VALUE_SCALAR)
    return g_strdup (weft_value_text (value));
  weft_problems_add (reader->problems, *mark, "`%s` must be a word", key);
  return NULL;
}

static void
read_every (WeftRecipeReader *reader, const WeftValue *parent, WeftEvery *every)
{
  static const char *const keys[] = { "epochs", "steps", "seconds", NULL };
  WeftValue *map = parent ? weft_recipe_read_map (reader, parent, "every", keys) : NULL;
  if (!map)
    return;
  *every = (WeftEvery){ 0 };
  weft_recipe_read_integer (reader, map, "epochs", 1, &every->epochs);
  weft_recipe_read_integer (reader, map, "steps", 1, &every->steps);
  weft_recipe_read_number (reader, map, "seconds", 1, &every->seconds);
}

static WeftGraph *
find_graph (WeftRecipeReader *reader, const char *name, WeftMark mark)
{
  WeftGraph *graph = weft_pipeline_graph (reader->pipeline, name);
  if (graph)
    return graph;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; i < reader->pipeline->graphs->len; i++)
    g_ptr_array_add (names, ((WeftGraph *) reader->pipeline->graphs->pdata[i])->name);
  g_ptr_array_add (names, NULL);
  g_autofree char *suggestion = weft_suggestion (name, (const char *const *) names->pdata);
  weft_problems_add (reader->problems, mark, "there is no graph `%s`%s", name, suggestion);
  return NULL;
}

/* Marks the value of @graph at @reference as read and kept. */
WeftWire *
weft_recipe_keep_wire (WeftRecipeReader *reader, WeftGraph *graph, const char *reference, WeftMark mark)
{
  WeftWire *wire = weft_graph_wire (graph, reference);
  if (!wire)
    {
      g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
      for (guint i = 0; i < graph->nodes->len; i++)
        {
          WeftNode *node = graph->nodes->pdata[i];
          for (guint port = 0; node->kind == WEFT_NODE_FORWARD && port < weft_port_count (node->op->outputs); port++)
            g_ptr_array_add (names, g_strdup_printf ("%s.%s", node->path, node->op->outputs[port].name));
        }
      g_ptr_array_add (names, NULL);
      g_autofree char *suggestion = weft_suggestion (reference, (const char *const *) names->pdata);
      weft_problems_add (reader->problems, mark, "graph `%s` has no value `%s`%s", graph->name, reference, suggestion);
      return NULL;
    }
  wire->read = TRUE;
  wire->kept = TRUE;
  return wire;
}

void
weft_recipe_keep_scalar (WeftRecipeReader *reader, WeftGraph *graph, const char *reference, WeftMark mark)
{
  WeftWire *wire = weft_recipe_keep_wire (reader, graph, reference, mark);
  if (!wire || weft_shape_bound_elements (&wire->shape) == 1)
    return;
  g_autofree char *shape = weft_shape_print (&wire->shape);
  weft_problems_add (reader->problems, mark, "`%s` is %s; only single numbers can be logged or compared", reference, shape);
}

/* "GRAPH.REST" to the graph and REST. */
static WeftGraph *
split_reference (WeftRecipeReader *reader, const char *reference, WeftMark mark, const char **rest)
{
  const char *dot = strchr (reference, '.');
  if (!dot)
    {
      weft_problems_add (reader->problems, mark, "`%s` must say which graph it is in: `GRAPH.%s`", reference, reference);
      return NULL;
    }
  g_autofree char *name = g_strndup (reference, (gsize) (dot - reference));
  *rest = dot + 1;
  return find_graph (reader, name, mark);
}

static void
clear_named (gpointer data)
{
  WeftNamed *named = data;
  g_free (named->name);
  g_free (named->reference);
}

/* A map of names to references, or a list of references, which are their own names. */
GArray *
weft_recipe_read_named (WeftRecipeReader *reader, const WeftValue *parent, const char *key)
{
  GArray *array = g_array_new (FALSE, FALSE, sizeof (WeftNamed));
  g_array_set_clear_func (array, clear_named);
  WeftValue *values = parent ? weft_value_lookup (parent, key) : NULL;
  if (!values || weft_value_kind (values) == WEFT_VALUE_NULL)
    return array;
  gboolean map = weft_value_kind (values) == WEFT_VALUE_MAP;
  if (!map && weft_value_kind (values) != WEFT_VALUE_LIST)
    weft_problems_add (reader->problems, weft_value_mark (values), "`%s` must be a map {name: reference} or a list of references", key);
  for (guint i = 0; i < weft_value_length (values); i++)
    {
      WeftValue *item = weft_value_item (values, i);
      WeftMark mark = weft_value_mark (item);
      if (weft_value_kind (item) != WEFT_VALUE_SCALAR)
        {
          weft_problems_add (reader->problems, mark, "a reference such as `loss` or `loss.batch` is expected here");
          continue;
        }
      const char *text = weft_value_text (item);
      WeftNamed named = { g_strdup (map ? weft_value_key (values, i) : text), g_strdup (text), mark };
      g_array_append_val (array, named);
    }
  return array;
}

static char *
print_setting (const char *name, const WeftValue *value)
{
  g_autofree char *text = weft_document_print (value);
  return g_strdup_printf ("%s=%s", name, g_strchomp (text));
}

static void
read_vars (WeftRecipeReader *reader, const WeftValue *map, WeftPhase *phase)
{
  WeftValue *vars = weft_recipe_read_map (reader, map, "vars", NULL);
  WeftValue *known = weft_value_lookup (reader->pipeline->document, "vars");
  for (guint i = 0; vars && i < weft_value_length (vars); i++)
    {
      const char *name = weft_value_key (vars, i);
      WeftValue *item = weft_value_item (vars, i);
      if (!known || !weft_value_lookup (known, name))
        {
          g_autoptr (GPtrArray) names = g_ptr_array_new ();
          for (guint n = 0; known && n < weft_value_length (known); n++)
            g_ptr_array_add (names, (gpointer) weft_value_key (known, n));
          g_ptr_array_add (names, NULL);
          g_autofree char *suggestion = weft_suggestion (name, (const char *const *) names->pdata);
          weft_problems_add (reader->problems, weft_value_key_mark (vars, i), "there is no variable `%s`%s", name, suggestion);
          continue;
        }
      g_ptr_array_add (phase->vars, print_setting (name, item));
    }
}

static WeftValue *
read_phase (WeftRecipeReader *reader, const char *key, const char *const *keys, WeftPhase *phase)
{
  phase->graphs = g_ptr_array_new_with_free_func (g_free);
  phase->vars = g_ptr_array_new_with_free_func (g_free);
  WeftValue *map = reader->pipeline->run ? weft_recipe_read_map (reader, reader->pipeline->run, key, keys) : NULL;
  if (!map)
    return NULL;
  phase->given = TRUE;
  phase->mark = weft_value_mark (map);
  WeftValue *graphs = weft_value_lookup (map, "graphs");
  if (!graphs || weft_value_kind (graphs) != WEFT_VALUE_LIST || weft_value_length (graphs) == 0)
    weft_problems_add (reader->problems, graphs ? weft_value_mark (graphs) : phase->mark, "`%s` needs `graphs: [NAME, …]`, in order", key);
  else
    for (guint i = 0; i < weft_value_length (graphs); i++)
      {
        WeftValue *name = weft_value_item (graphs, i);
        if (weft_value_kind (name) != WEFT_VALUE_SCALAR)
          weft_problems_add (reader->problems, weft_value_mark (name), "the name of a graph is expected here");
        else if (find_graph (reader, weft_value_text (name), weft_value_mark (name)))
          g_ptr_array_add (phase->graphs, g_strdup (weft_value_text (name)));
      }
  read_vars (reader, map, phase);
  return map;
}

/* What a graph reads of others must have been collected by an earlier one of the same phase. */
static void
check_order (WeftRecipeReader *reader, const WeftPhase *phase)
{
  for (guint i = 0; i < phase->graphs->len; i++)
    {
      WeftGraph *graph = weft_pipeline_graph (reader->pipeline, phase->graphs->pdata[i]);
      for (guint f = 0; f < graph->feeds->len; f++)
        {
          WeftNode *feed = graph->feeds->pdata[f];
          gboolean before = FALSE;
          for (guint j = 0; feed->collected_graph && j < i; j++)
            before |= strcmp (phase->graphs->pdata[j], feed->collected_graph) == 0;
          if (!feed->collected_graph)
            weft_problems_add (reader->problems, phase->mark, "graph `%s` wants `%s` to be fed; a run can't feed it", graph->name,
                               feed->path);
          else if (!before)
            weft_problems_add (reader->problems, phase->mark, "graph `%s` reads `%s.%s`, so `%s` must stand before it in `graphs`",
                               graph->name, feed->collected_graph, feed->collected_name, feed->collected_graph);
        }
    }
}

static void
read_validate (WeftRecipeReader *reader)
{
  static const char *const keys[] = { "graphs", "metric", "best", "every", "patience", "vars", NULL };
  WeftRecipe *recipe = reader->recipe;
  recipe->validate_every.epochs = 1;
  WeftValue *map = read_phase (reader, "validate", keys, &recipe->validate);
  if (!map)
    return;
  read_every (reader, map, &recipe->validate_every);
  weft_recipe_read_integer (reader, map, "patience", 0, &recipe->patience);
  recipe->metric = weft_recipe_read_text (reader, map, "metric", &recipe->metric_mark);
  WeftMark mark = { 0 };
  g_autofree char *best = weft_recipe_read_text (reader, map, "best", &mark);
  recipe->minimize = best && strcmp (best, "min") == 0;
  if (best && !recipe->minimize && strcmp (best, "max") != 0)
    weft_problems_add (reader->problems, mark, "`best` is `max` or `min`, not `%s`", best);
  const char *rest;
  WeftGraph *graph = recipe->metric ? split_reference (reader, recipe->metric, recipe->metric_mark, &rest) : NULL;
  if (graph)
    {
      weft_recipe_keep_scalar (reader, graph, rest, recipe->metric_mark);
      if (!g_ptr_array_find_with_equal_func (recipe->validate.graphs, graph->name, g_str_equal, NULL))
        weft_problems_add (reader->problems, recipe->metric_mark, "`metric` is in graph `%s`, which `validate` does not pass over",
                           graph->name);
    }
  if (recipe->patience && !recipe->metric)
    weft_problems_add (reader->problems, recipe->validate.mark, "`patience` needs a `metric` to judge by");
  check_order (reader, &recipe->validate);
}

static void
read_train (WeftRecipeReader *reader)
{
  static const char *const keys[] = { "graph", "epochs", "steps", "limit", "overfit", NULL };
  WeftRecipe *recipe = reader->recipe;
  WeftValue *map = weft_recipe_read_map (reader, reader->pipeline->run, "train", keys);
  if (!map)
    return;
  recipe->train_mark = weft_value_mark (map);
  WeftMark mark = recipe->train_mark;
  g_autofree char *name = weft_recipe_read_text (reader, map, "graph", &mark);
  weft_recipe_read_integer (reader, map, "epochs", 0, &recipe->epochs);
  weft_recipe_read_integer (reader, map, "steps", 0, &recipe->steps);
  weft_recipe_read_integer (reader, map, "limit", 1, &recipe->limit);
  WeftValue *overfit = weft_value_lookup (map, "overfit");
  if (overfit && weft_value_kind (overfit) != WEFT_VALUE_NULL && !weft_value_get_boolean (overfit, &recipe->overfit))
    weft_problems_add (reader->problems, weft_value_mark (overfit), "`overfit` must be true or false");
  if (!name)
    weft_problems_add (reader->problems, mark, "`train` needs `graph: NAME`");
  WeftGraph *graph = name ? find_graph (reader, name, mark) : NULL;
  if (!graph)
    return;
  recipe->train_graph = g_strdup (name);
  if (!weft_value_lookup (map, "epochs") && !weft_value_lookup (map, "steps"))
    weft_problems_add (reader->problems, recipe->train_mark, "`train` needs `epochs: N` or `steps: N`");
  if (!graph->source && weft_value_lookup (map, "epochs"))
    weft_problems_add (reader->problems, recipe->train_mark,
                       "graph `%s` has no source to pass over, so `train` needs `steps` instead of `epochs`", name);
  for (guint i = 0; i < graph->feeds->len; i++)
    weft_problems_add (reader->problems, recipe->train_mark, "graph `%s` wants `%s` to be fed; a run can't feed the graph that it trains",
                       name, ((WeftNode *) graph->feeds->pdata[i])->path);
}

static void
read_encode (WeftRecipeReader *reader)
{
  WeftRecipe *recipe = reader->recipe;
  recipe->encode = weft_recipe_read_named (reader, reader->pipeline->run, "encode");
  for (guint i = 0; i < recipe->encode->len; i++)
    {
      const WeftNamed *named = &g_array_index (recipe->encode, WeftNamed, i);
      const char *rest;
      WeftGraph *graph = split_reference (reader, named->reference, named->mark, &rest);
      g_autoptr (GPtrArray) names = g_ptr_array_new ();
      for (guint c = 0; graph && c < graph->collects->len; c++)
        g_ptr_array_add (names, g_array_index (graph->collects, WeftCollect, c).name);
      if (!graph || g_ptr_array_find_with_equal_func (names, rest, g_str_equal, NULL))
        continue;
      g_ptr_array_add (names, NULL);
      g_autofree char *hint = weft_suggestion (rest, (const char *const *) names->pdata);
      weft_problems_add (reader->problems, named->mark, "graph `%s` does not `collect` `%s`%s", graph->name, rest, hint);
    }
}

WeftRecipe *
weft_recipe_new (WeftPipeline *pipeline, WeftProblems *problems)
{
  static const char *const keys[] = { "train", "validate", "evaluate", "encode", "log", "checkpoint", "watch", "seed", NULL };
  static const char *const evaluate_keys[] = { "graphs", "vars", NULL };
  static const char *const checkpoint_keys[] = { "every", "keep", NULL };
  guint before = weft_problems_count (problems);
  g_autoptr (WeftRecipe) recipe = g_new0 (WeftRecipe, 1);
  g_autoptr (WeftValue) nothing = weft_value_new_map (weft_value_mark (pipeline->document));
  WeftRecipeReader reader = { recipe, pipeline, problems };
  WeftValue *run = pipeline->run;
  if (!run || weft_value_kind (run) != WEFT_VALUE_MAP)
    {
      if (run && weft_value_kind (run) != WEFT_VALUE_NULL)
        weft_problems_add (problems, weft_value_mark (run), "`run` must be a map");
      run = nothing;
    }
  WeftValue *original = pipeline->run;
  pipeline->run = run;
  recipe->mark = weft_value_mark (run);
  weft_recipe_check_keys (&reader, run, "run", keys);
  read_train (&reader);
  WeftGraph *train = recipe->train_graph ? weft_pipeline_graph (pipeline, recipe->train_graph) : NULL;
  read_validate (&reader);
  read_phase (&reader, "evaluate", evaluate_keys, &recipe->evaluate);
  check_order (&reader, &recipe->evaluate);
  weft_recipe_read_log (&reader, train);
  weft_recipe_read_watch (&reader, train);
  read_encode (&reader);
  WeftValue *checkpoint = weft_recipe_read_map (&reader, run, "checkpoint", checkpoint_keys);
  recipe->checkpoint_every.epochs = 1;
  recipe->keep = 2;
  read_every (&reader, checkpoint, &recipe->checkpoint_every);
  weft_recipe_read_integer (&reader, checkpoint, "keep", 1, &recipe->keep);
  weft_recipe_read_integer (&reader, run, "seed", 0, &recipe->seed);
  pipeline->run = original;
  return weft_problems_count (problems) == before ? g_steal_pointer (&recipe) : NULL;
}

static void
clear_phase (WeftPhase *phase)
{
  g_clear_pointer (&phase->graphs, g_ptr_array_unref);
  g_clear_pointer (&phase->vars, g_ptr_array_unref);
}

void
weft_recipe_free (WeftRecipe *recipe)
{
  if (!recipe)
    return;
  clear_phase (&recipe->validate);
  clear_phase (&recipe->evaluate);
  g_clear_pointer (&recipe->encode, g_array_unref);
  g_clear_pointer (&recipe->log, g_array_unref);
  g_clear_pointer (&recipe->histograms, g_array_unref);
  g_clear_pointer (&recipe->watch_collapse, g_array_unref);
  g_free (recipe->train_graph);
  g_free (recipe->metric);
  g_free (recipe->watch_silent);
  g_free (recipe->watch_norm);
  g_free (recipe);
}

gboolean
weft_every_due (const WeftEvery *every, guint64 step, gboolean epoch_over, guint64 epoch, double seconds)
{
  return (every->epochs && epoch_over && epoch % (guint64) every->epochs == 0) || (every->steps && step % (guint64) every->steps == 0)
         || (every->seconds > 0 && seconds >= every->seconds);
}

GPtrArray *
weft_recipe_phase_vars (const WeftValue *document, const char *phase)
{
  GPtrArray *settings = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = g_strdup_printf ("run.%s.vars", phase);
  const WeftValue *vars = weft_value_at (document, path);
  for (guint i = 0; vars && i < weft_value_length (vars); i++)
    g_ptr_array_add (settings, print_setting (weft_value_key (vars, i), weft_value_item (vars, i)));
  return settings;
}

GHashTable *
weft_recipe_late_variables (const WeftValue *document)
{
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  static const char *const places[] = { "run.validate.vars", "run.evaluate.vars", NULL };
  for (guint i = 0; places[i]; i++)
    {
      const WeftValue *vars = weft_value_at (document, places[i]);
      for (guint n = 0; vars && n < weft_value_length (vars); n++)
        g_hash_table_add (names, g_strdup (weft_value_key (vars, n)));
    }
  if (weft_value_at (document, "vars.split"))
    g_hash_table_add (names, g_strdup ("split"));
  return names;
}
