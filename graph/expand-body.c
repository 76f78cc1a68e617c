/* What instances of modules, uses of networks and compositions of operators have in common: a body with attributes, inputs and outputs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "expand.h"

#include "compose.h"

static void
note_keys (GPtrArray *names, const WeftValue *map)
{
  for (guint i = 0; map && i < weft_value_length (map); i++)
    g_ptr_array_add (names, (gpointer) weft_value_key (map, i));
}

char *
weft_expand_hint (const char *key, const WeftValue *first, const WeftValue *second, const char *const *words)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  note_keys (names, first);
  note_keys (names, second);
  for (; words && *words; words++)
    g_ptr_array_add (names, (gpointer) *words);
  g_ptr_array_add (names, NULL);
  return weft_suggestion (key, (const char *const *) names->pdata);
}

void
weft_expand_nothing (WeftScope *scope, const char *name, WeftMark mark)
{
  weft_scope_add (scope, name, WEFT_ENTITY_FAULTY, mark);
}

WeftValue *
weft_expand_find_module (WeftScope *scope, const WeftValue *name)
{
  WeftValue *modules = weft_value_lookup (scope->graph->pipeline->document, "modules");
  const char *text = weft_value_kind (name) == WEFT_VALUE_SCALAR ? weft_value_text (name) : "";
  WeftValue *module = modules ? weft_value_lookup (modules, text) : NULL;

  if (module)
    return module;
  g_autofree char *hint = weft_expand_hint (text, modules, NULL, NULL);
  weft_problems_add (scope->problems, weft_value_mark (name), "there is no module \"%s\"%s", text, hint);
  return NULL;
}

WeftValue *
weft_expand_attributes (WeftScope *scope, const char *what, const char *name, const WeftValue *declared, const WeftValue *inputs,
                        const WeftValue *given, const char *const *reserved, WeftMark mark)
{
  WeftValue *attributes = weft_value_new_map (mark);
  guint n = declared ? weft_value_length (declared) : 0;

  for (guint i = 0; i < n; i++)
    {
      const char *key = weft_value_key (declared, i);
      WeftValue *value = weft_value_lookup (given, key);
      if (!value)
        value = weft_value_item (declared, i);
      if (weft_value_kind (value) == WEFT_VALUE_NULL)
        {
          weft_problems_add (scope->problems, mark, "module %s (`%s`) needs attribute \"%s\"", what, name, key);
          weft_value_set (attributes, key, mark, weft_value_new_unknown ("", mark));
        }
      else
        weft_value_set (attributes, key, weft_value_mark (value), weft_value_ref (value));
    }
  for (guint i = 0; i < weft_value_length (given); i++)
    {
      const char *key = weft_value_key (given, i);
      if (g_strv_contains (reserved, key) || (declared && weft_value_lookup (declared, key)) || (inputs && weft_value_lookup (inputs, key)))
        continue;
      g_autofree char *hint = weft_expand_hint (key, inputs, declared, NULL);
      const WeftValue *module = weft_value_lookup (given, "module");
      const char *merged = module && weft_value_mark (module).file != weft_value_key_mark (given, i).file
                               ? "; `null` in its place takes out what was merged in"
                               : "";
      weft_problems_add (scope->problems, weft_value_key_mark (given, i), "module %s (`%s`) has no input or attribute \"%s\"%s%s", what,
                         name, key, hint, merged);
    }
  return attributes;
}

WeftEntity *
weft_expand_body (WeftScope *scope, const char *name, const char *what, WeftValue *body, WeftValue *attributes, WeftMark mark)
{
  WeftEntity *entity = weft_scope_add (scope, name, WEFT_ENTITY_INSTANCE, mark);
  g_autofree char *path = weft_scope_join (scope->path, name);
  g_autofree char *store_path = weft_scope_join (scope->store_path, name);
  g_autofree char *label = g_strdup_printf ("attribute of %s", what);
  WeftValue *nodes = weft_value_lookup (body, "nodes");
  WeftValue *outputs = weft_value_lookup (body, "outputs");

  entity->what = g_strdup (what);
  entity->inner = weft_scope_new (scope, path, store_path);
  g_free (entity->inner->address);
  entity->inner->address = weft_scope_join (scope->address, name);
  if (scope->depth >= WEFT_MAX_SCOPE_DEPTH)
    {
      weft_problems_add (scope->problems, mark, "%s is nested more than %d deep; does it contain itself?", what, WEFT_MAX_SCOPE_DEPTH);
      entity->kind = WEFT_ENTITY_FAULTY;
      return entity;
    }
  if (!outputs || weft_value_kind (outputs) != WEFT_VALUE_MAP || !nodes || weft_value_kind (nodes) != WEFT_VALUE_MAP)
    {
      weft_problems_add (scope->problems, mark, "%s needs `nodes:` and `outputs:`", what);
      entity->kind = WEFT_ENTITY_FAULTY;
      return entity;
    }
  entity->outputs = weft_substitute (outputs, attributes, label, scope->problems);
  entity->body = weft_substitute (nodes, attributes, label, scope->problems);
  return entity;
}

void
weft_expand_bind (WeftEntity *instance, const char *input, WeftScope *outer, WeftValue *reference)
{
  WeftEntity *entity = weft_scope_add (instance->inner, input, WEFT_ENTITY_INPUT, weft_value_mark (reference));

  entity->outer = outer;
  entity->reference = weft_value_ref (reference);
}

void
weft_expand_bind_all (WeftEntity *instance, WeftScope *scope, const WeftValue *inputs, const WeftValue *given, WeftMark mark)
{
  for (guint i = 0; inputs && i < weft_value_length (inputs); i++)
    {
      const char *key = weft_value_key (inputs, i);
      WeftValue *reference = weft_value_lookup (given, key);
      if (reference && weft_value_kind (reference) == WEFT_VALUE_SCALAR)
        {
          weft_expand_bind (instance, key, scope, reference);
          continue;
        }
      weft_expand_nothing (instance->inner, key, mark);
      if (!reference)
        weft_problems_add (scope->problems, mark, "%s needs input \"%s\"", instance->what, key);
      else
        weft_problems_add (scope->problems, weft_value_mark (reference), "input \"%s\" of %s must be one reference", key, instance->what);
    }
}
