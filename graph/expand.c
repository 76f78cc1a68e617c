/* The nodes of one body to operator nodes and instances of modules.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "expand.h"

#include "attributes.h"
#include "edit.h"
#include "registry.h"
#include "settings.h"

static const char *const plain_keys[] = { "op", "mode", "compute", NULL };

static gboolean
name_is_valid (const char *name)
{
  if (!g_ascii_isalpha (*name) && *name != '_')
    return FALSE;
  for (; *name; name++)
    if (!g_ascii_isalnum (*name) && *name != '_' && *name != '-')
      return FALSE;
  return TRUE;
}

void
weft_expand_check_keys (const WeftNode *node, const WeftValue *map, WeftProblems *problems)
{
  const WeftOperator *op = node->op;

  for (guint i = 0; i < weft_value_length (map); i++)
    {
      const char *key = weft_value_key (map, i);
      g_autoptr (GPtrArray) valid = NULL;
      g_autofree char *hint = NULL;
      if (g_strv_contains (plain_keys, key) || weft_operator_attribute (op, key) || weft_port_index (op->inputs, key) >= 0)
        continue;
      valid = g_ptr_array_new ();
      for (const WeftPort *port = op->inputs; port && port->name; port++)
        g_ptr_array_add (valid, (gpointer) port->name);
      for (const WeftAttribute *attribute = op->attributes; attribute && attribute->name; attribute++)
        g_ptr_array_add (valid, (gpointer) attribute->name);
      g_ptr_array_add (valid, NULL);
      hint = weft_suggestion (key, (const char *const *) valid->pdata);
      weft_problems_add (problems, weft_value_key_mark (map, i), "operator %s (node `%s`) has no input or attribute \"%s\"%s", op->name,
                         node->path, key, hint);
    }
}

static void
expand_operator (WeftScope *scope, const char *name, WeftValue *map, WeftMark mark)
{
  WeftValue *value = weft_value_lookup (map, "op");
  const char *text = weft_value_kind (value) == WEFT_VALUE_SCALAR ? weft_value_text (value) : "";
  const WeftOperator *op = weft_registry_find (text);
  g_autofree char *path = weft_scope_join (scope->path, name);
  g_autofree char *store_path = weft_scope_join (scope->store_path, name);
  WeftNode *node;

  if (!op)
    {
      g_autofree char *hint = weft_suggestion (text, weft_registry_names ());
      weft_problems_add (scope->problems, weft_value_mark (value), "there is no operator \"%s\"%s (`weft inspect` lists all)", text, hint);
      weft_expand_nothing (scope, name, mark);
      return;
    }
  if (!op->forward)
    {
      weft_expand_composition (scope, name, op, map, mark);
      return;
    }
  node = weft_graph_add_node (scope->graph, op, path, store_path, mark);
  weft_settings_read_node (scope, node, map);
  node->trainable = scope->trainable;
  node->network = scope->network;
  node->borrowed = scope->borrowed;
  if (scope->after)
    g_ptr_array_add (node->after, scope->after);
  weft_expand_check_keys (node, map, scope->problems);
  node->faulty = !weft_attributes_store (node, map, scope->problems);
  weft_scope_add (scope, name, WEFT_ENTITY_NODE, mark)->node = node;
  weft_scope_await (scope, node, map);
}

void
weft_expand_kind (WeftScope *scope, const char *name, WeftMark key_mark, WeftValue *map)
{
  gboolean trainable = scope->trainable;

  if (weft_edits_freezes (scope->graph->pipeline->edits, scope, name))
    scope->trainable = FALSE;
  if (weft_value_lookup (map, "op"))
    expand_operator (scope, name, map, key_mark);
  else if (weft_value_lookup (map, "module"))
    weft_expand_module (scope, name, map, key_mark);
  else
    weft_expand_use (scope, name, map, key_mark);
  scope->trainable = trainable;
}

static void
expand_node (WeftScope *scope, const char *name, WeftMark key_mark, WeftValue *map)
{
  WeftMark mark = weft_value_mark (map);
  guint kinds = 0;

  if (!name_is_valid (name))
    {
      weft_problems_add (scope->problems, key_mark, "\"%s\" is no name for a node: letters, digits, _ and - please, and no dot", name);
      return;
    }
  if (weft_value_kind (map) != WEFT_VALUE_MAP)
    {
      weft_problems_add (scope->problems, mark, "node `%s` must be a map such as {op: linear, x: …}", name);
      weft_expand_nothing (scope, name, mark);
      return;
    }
  if (weft_scope_has (scope, name))
    {
      weft_problems_add (scope->problems, key_mark, "\"%s\" names an input of the module already", name);
      return;
    }
  for (const char *const *kind = (const char *const[]){ "op", "use", "module", NULL }; *kind; kind++)
    kinds += weft_value_lookup (map, *kind) != NULL;
  if (kinds != 1)
    {
      const char *near = NULL;
      for (guint i = 0; i < weft_value_length (map) && !near; i++)
        near = weft_nearest (weft_value_key (map, i), (const char *const[]){ "op", "use", "module", NULL });
      weft_problems_add (scope->problems, mark, "node `%s` needs exactly one of `op:`, `use:` and `module:`%s%s%s", name,
                         near && !kinds ? "; did you mean \"" : "", near && !kinds ? near : "", near && !kinds ? "\"?" : "");
      weft_expand_nothing (scope, name, mark);
    }
  else
    weft_expand_kind (scope, name, key_mark, map);
}

/* Momentum updates and the like come first: what borrows their weights needs to know their node. */
static gboolean
borrows (const WeftValue *map)
{
  return weft_value_kind (map) == WEFT_VALUE_MAP && weft_value_lookup (map, "weights") && weft_value_lookup (map, "use");
}

static gboolean
count_nodes (WeftScope *scope, const WeftValue *nodes)
{
  WeftPipeline *pipeline = scope->graph->pipeline;

  pipeline->written += weft_value_length (nodes);
  if (pipeline->written <= WEFT_MOST_NODES)
    return TRUE;
  weft_problems_add (scope->problems, weft_value_mark (nodes), "the pipeline has more than %d nodes, those in modules counted in each use",
                     WEFT_MOST_NODES);
  return FALSE;
}

void
weft_expand_nodes (WeftScope *scope, WeftValue *all, const WeftValue *kept)
{
  if (!all || !count_nodes (scope, all))
    return;
  g_autoptr (WeftValue) nodes = weft_edits_nodes (scope->graph->pipeline->edits, scope, all, kept);
  guint n = weft_value_length (nodes);

  for (int late = 0; late < 2; late++)
    for (guint i = 0; i < n; i++)
      if (borrows (weft_value_item (nodes, i)) == late)
        expand_node (scope, weft_value_key (nodes, i), weft_value_key_mark (nodes, i), weft_value_item (nodes, i));
}
