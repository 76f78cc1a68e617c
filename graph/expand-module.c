/* Instances of modules, single and repeated.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "expand.h"

#include <string.h>

#include "edit.h"
#include "settings.h"

static const char *const module_keys[] = { "module", "repeat", "mode", "compute", NULL };

/* One instance of a module. */
static void
expand_instance (WeftScope *scope, const char *name, WeftValue *map, WeftMark mark)
{
  WeftValue *module_name = weft_value_lookup (map, "module");
  WeftValue *module = weft_expand_find_module (scope, module_name);
  g_autoptr (WeftValue) attributes = NULL;
  g_autofree char *what = NULL;
  WeftEntity *instance;

  if (!module)
    {
      weft_expand_nothing (scope, name, mark);
      return;
    }
  attributes = weft_expand_attributes (scope, weft_value_text (module_name), name, weft_value_lookup (module, "attributes"),
                                       weft_value_lookup (module, "inputs"), map, module_keys, mark);
  what = g_strconcat ("module ", weft_value_text (module_name), NULL);
  instance = weft_expand_body (scope, name, what, module, attributes, mark);
  weft_settings_read (instance->inner, map);
  weft_expand_bind_all (instance, scope, weft_value_lookup (module, "inputs"), map, mark);
  weft_expand_nodes (instance->inner, instance->body, instance->outputs);
}

/* @map for instance @name of a repetition: without `repeat`, its first input from the instance before. */
static WeftValue *
repeated_map (WeftScope *scope, const char *name, WeftValue *map, const char *before)
{
  const WeftValue *module = weft_expand_find_module (scope, weft_value_lookup (map, "module"));
  const WeftValue *inputs = module ? weft_value_lookup (module, "inputs") : NULL;
  WeftValue *own = weft_value_new_map (weft_value_mark (map));
  const char *first = inputs && weft_value_length (inputs) ? weft_value_key (inputs, 0) : NULL;

  for (guint i = 0; i < weft_value_length (map); i++)
    {
      const char *key = weft_value_key (map, i);
      WeftValue *value = weft_value_ref (weft_value_item (map, i));
      if (before && g_strcmp0 (key, first) == 0)
        {
          WeftMark mark = weft_value_mark (value);
          weft_value_unref (value);
          value = weft_value_new_scalar (before, FALSE, mark);
        }
      if (strcmp (key, "repeat") == 0)
        weft_value_unref (value);
      else
        weft_value_set (own, key, weft_value_key_mark (map, i), value);
    }
  WeftValue *edited = weft_edits_instance (scope->graph->pipeline->edits, scope, name, own);
  weft_value_unref (own);
  return edited;
}

/* The first output of what was just expanded as @name: %NULL if it has none. */
static char *
first_output (const WeftScope *scope, const char *name)
{
  const WeftEntity *entity = g_hash_table_lookup (scope->entities, name);

  if (entity && entity->kind == WEFT_ENTITY_NODE)
    return g_strdup (name);
  if (!entity || !entity->outputs || !weft_value_length (entity->outputs))
    return NULL;
  return g_strconcat (name, ".", weft_value_key (entity->outputs, 0), NULL);
}

static void
expand_repetition (WeftScope *scope, const char *name, WeftValue *map, WeftMark mark)
{
  WeftValue *repeat = weft_value_lookup (map, "repeat");
  guint problems = weft_problems_count (scope->problems);
  g_autofree char *before = NULL;
  gint64 times = 1;

  if (!weft_value_get_integer (repeat, &times) || times < 1 || times > 10000)
    {
      weft_problems_add (scope->problems, weft_value_mark (repeat), "repeat must be a number from 1 to 10000");
      weft_expand_nothing (scope, name, mark);
      return;
    }
  if (!weft_expand_find_module (scope, weft_value_lookup (map, "module")))
    {
      weft_expand_nothing (scope, name, mark);
      return;
    }
  /* Instances count, too: their bodies may be empty. */
  scope->graph->pipeline->written += (guint) times;
  for (gint64 i = 0; i < times; i++)
    {
      g_autofree char *own = g_strdup_printf ("%s.%" G_GINT64_FORMAT, name, i);
      g_autoptr (WeftValue) instance = repeated_map (scope, own, map, before);
      char *output;
      weft_expand_kind (scope, own, mark, instance);
      output = first_output (scope, own);
      if (!output)
        return;
      g_free (before);
      before = output;
      if (weft_problems_count (scope->problems) > problems)
        times = i + 1; /* the others would say the same */
      if (i + 1 == times)
        weft_scope_alias (scope, name, g_hash_table_lookup (scope->entities, own));
    }
}

void
weft_expand_module (WeftScope *scope, const char *name, WeftValue *map, WeftMark mark)
{
  if (weft_value_lookup (map, "repeat"))
    expand_repetition (scope, name, map, mark);
  else
    expand_instance (scope, name, map, mark);
}
