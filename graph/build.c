/* Composed documents to graphs: modules, networks and repetitions are expanded into operator nodes, references into wires.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "attributes.h"
#include "compose.h"
#include "core.h"
#include "edit.h"
#include "registry.h"
#include "scope.h"
#include "settings.h"

/* Of all graphs together, bodies of modules counted wherever they are used: repetitions within repetitions multiply. */
#define MOST_NODES 20000

static const char *const plain_keys[] = { "op", "mode", "compute", NULL };
static const char *const use_keys[] = { "use", "weights", "mode", "compute", NULL };
static const char *const module_keys[] = { "module", "repeat", "mode", "compute", NULL };

static gboolean
is_one_of (const char *word, const char *const *words)
{
  return g_strv_contains (words, word);
}

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

static char *
join (const char *prefix, const char *name)
{
  return *prefix ? g_strconcat (prefix, ".", name, NULL) : g_strdup (name);
}

static WeftEdits *
edits_of (const WeftScope *scope)
{
  return scope->graph->pipeline->edits;
}

/* Keys of an operator node beside its ports and attributes are mistakes. */
static void
check_operator_keys (const WeftNode *node, const WeftValue *map, WeftProblems *problems)
{
  const WeftOperator *operator= node->operator;

  for (guint i = 0; i < weft_value_length (map); i++)
    {
      const char *key = weft_value_key (map, i);
      g_autoptr (GPtrArray) valid = NULL;
      g_autofree char *hint = NULL;
      if (is_one_of (key, plain_keys) || weft_operator_attribute (operator, key) || weft_port_index (operator->inputs, key) >= 0)
        continue;
      valid = g_ptr_array_new ();
      for (const WeftPort *port = operator->inputs; port && port->name; port++)
        g_ptr_array_add (valid, (gpointer) port->name);
      for (const WeftAttribute *attribute = operator->attributes; attribute && attribute->name; attribute++)
        g_ptr_array_add (valid, (gpointer) attribute->name);
      g_ptr_array_add (valid, NULL);
      hint = weft_suggestion (key, (const char *const *) valid->pdata);
      weft_problems_add (problems, weft_value_key_mark (map, i),
                         "operator %s (node `%s`) has no input or attribute \"%s\"%s", operator->name, node->path, key, hint);
    }
}

static void expand_nodes (WeftScope *scope, WeftValue *nodes, const WeftValue *kept);
static void expand_kind (WeftScope *scope, const char *name, WeftMark key_mark, WeftValue *map);

/* The attributes of an instance: the module's defaults, overlaid with what was given. */
static WeftValue *
instance_attributes (WeftScope *scope, const char *what, const char *name, const WeftValue *declared, const WeftValue *inputs,
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
      g_autoptr (GPtrArray) valid = NULL;
      g_autofree char *hint = NULL;
      if (is_one_of (key, reserved) || (declared && weft_value_lookup (declared, key)) || (inputs && weft_value_lookup (inputs, key)))
        continue;
      valid = g_ptr_array_new ();
      for (guint k = 0; inputs && k < weft_value_length (inputs); k++)
        g_ptr_array_add (valid, (gpointer) weft_value_key (inputs, k));
      for (guint k = 0; k < n; k++)
        g_ptr_array_add (valid, (gpointer) weft_value_key (declared, k));
      g_ptr_array_add (valid, NULL);
      hint = weft_suggestion (key, (const char *const *) valid->pdata);
      weft_problems_add (scope->problems, weft_value_key_mark (given, i), "module %s (`%s`) has no input or attribute \"%s\"%s", what, name,
                         key, hint);
    }
  return attributes;
}

/* A mistake in node @name was told: what refers to it is silent. */
static void
expect_nothing (WeftScope *scope, const char *name, WeftMark mark)
{
  weft_scope_add (scope, name, WEFT_ENTITY_FAULTY, mark);
}

/* Expands a module body into an own scope under @scope; the caller binds its inputs. */
static WeftEntity *
expand_body (WeftScope *scope, const char *name, const char *what, WeftValue *body, WeftValue *attributes, WeftMark mark)
{
  WeftEntity *entity = weft_scope_add (scope, name, WEFT_ENTITY_INSTANCE, mark);
  g_autofree char *path = join (scope->path, name);
  g_autofree char *store_path = join (scope->store_path, name);
  g_autofree char *label = g_strdup_printf ("attribute of %s", what);
  WeftValue *nodes = weft_value_lookup (body, "nodes");
  WeftValue *outputs = weft_value_lookup (body, "outputs");

  entity->what = g_strdup (what);
  entity->inner = weft_scope_new (scope, path, store_path);
  g_free (entity->inner->address);
  entity->inner->address = join (scope->address, name);
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

static void
bind_input (WeftEntity *instance, const char *input, WeftScope *outer, WeftValue *reference)
{
  WeftEntity *entity = weft_scope_add (instance->inner, input, WEFT_ENTITY_INPUT, weft_value_mark (reference));

  entity->outer = outer;
  entity->reference = weft_value_ref (reference);
}

/* Binds the declared inputs of a module to what the node says. */
static void
bind_inputs (WeftEntity *instance, WeftScope *scope, const WeftValue *inputs, const WeftValue *given, WeftMark mark)
{
  for (guint i = 0; inputs && i < weft_value_length (inputs); i++)
    {
      const char *key = weft_value_key (inputs, i);
      WeftValue *reference = weft_value_lookup (given, key);
      if (reference && weft_value_kind (reference) == WEFT_VALUE_SCALAR)
        {
          bind_input (instance, key, scope, reference);
          continue;
        }
      expect_nothing (instance->inner, key, mark);
      if (!reference)
        weft_problems_add (scope->problems, mark, "%s needs input \"%s\"", instance->what, key);
      else
        weft_problems_add (scope->problems, weft_value_mark (reference), "input \"%s\" of %s must be one reference", key, instance->what);
    }
}

static WeftValue *
find_module (WeftScope *scope, const WeftValue *name)
{
  WeftValue *modules = weft_value_lookup (scope->graph->pipeline->document, "modules");
  const char *text = weft_value_kind (name) == WEFT_VALUE_SCALAR ? weft_value_text (name) : "";
  WeftValue *module = modules ? weft_value_lookup (modules, text) : NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *hint = NULL;

  if (module)
    return module;
  for (guint i = 0; modules && i < weft_value_length (modules); i++)
    g_ptr_array_add (names, (gpointer) weft_value_key (modules, i));
  g_ptr_array_add (names, NULL);
  hint = weft_suggestion (text, (const char *const *) names->pdata);
  weft_problems_add (scope->problems, weft_value_mark (name), "there is no module \"%s\"%s", text, hint);
  return NULL;
}

/* One instance of a module. */
static void
expand_instance (WeftScope *scope, const char *name, WeftValue *map, WeftMark mark)
{
  WeftValue *module_name = weft_value_lookup (map, "module");
  WeftValue *module = find_module (scope, module_name);
  g_autoptr (WeftValue) attributes = NULL;
  g_autofree char *what = NULL;
  WeftEntity *instance;

  if (!module)
    {
      expect_nothing (scope, name, mark);
      return;
    }
  attributes = instance_attributes (scope, weft_value_text (module_name), name, weft_value_lookup (module, "attributes"),
                                    weft_value_lookup (module, "inputs"), map, module_keys, mark);
  what = g_strconcat ("module ", weft_value_text (module_name), NULL);
  instance = expand_body (scope, name, what, module, attributes, mark);
  weft_settings_read (instance->inner, map);
  bind_inputs (instance, scope, weft_value_lookup (module, "inputs"), map, mark);
  expand_nodes (instance->inner, instance->body, instance->outputs);
}

/* @map for instance @name of a repetition: without `repeat`, its first input from the instance before. */
static WeftValue *
repeated_map (WeftScope *scope, const char *name, WeftValue *map, const char *before)
{
  const WeftValue *module = find_module (scope, weft_value_lookup (map, "module"));
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
  WeftValue *edited = weft_edits_instance (edits_of (scope), scope, name, own);
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
      expect_nothing (scope, name, mark);
      return;
    }
  if (!find_module (scope, weft_value_lookup (map, "module")))
    return;
  /* Instances count, too: their bodies may be empty. */
  scope->graph->pipeline->written += (guint) times;
  for (gint64 i = 0; i < times; i++)
    {
      g_autofree char *own = g_strdup_printf ("%s.%" G_GINT64_FORMAT, name, i);
      g_autoptr (WeftValue) instance = repeated_map (scope, own, map, before);
      char *output;
      expand_kind (scope, own, mark, instance);
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

static void
expand_module_node (WeftScope *scope, const char *name, WeftValue *map, WeftMark mark)
{
  if (weft_value_lookup (map, "repeat"))
    expand_repetition (scope, name, map, mark);
  else
    expand_instance (scope, name, map, mark);
}

static void
check_use_keys (WeftScope *scope, const char *what, const WeftValue *map, const WeftValue *inputs)
{
  for (guint i = 0; i < weft_value_length (map); i++)
    {
      const char *key = weft_value_key (map, i);
      g_autoptr (GPtrArray) valid = g_ptr_array_new ();
      if (is_one_of (key, use_keys) || (inputs && weft_value_lookup (inputs, key)))
        continue;
      for (guint k = 0; inputs && k < weft_value_length (inputs); k++)
        g_ptr_array_add (valid, (gpointer) weft_value_key (inputs, k));
      for (const char *const *own = use_keys; *own; own++)
        g_ptr_array_add (valid, (gpointer) *own);
      g_ptr_array_add (valid, NULL);
      g_autofree char *hint = weft_suggestion (key, (const char *const *) valid->pdata);
      weft_problems_add (scope->problems, weft_value_key_mark (map, i), "%s has no input \"%s\"%s (attributes are set under `networks:`)",
                         what, key, hint);
    }
}

/* A network's nodes, with its own weights or with somebody's copy of them. */
static void
expand_use (WeftScope *scope, const char *name, WeftValue *map, WeftMark mark)
{
  WeftValue *used = weft_value_lookup (map, "use");
  WeftValue *weights = weft_value_lookup (map, "weights");
  WeftValue *networks = weft_value_lookup (scope->graph->pipeline->document, "networks");
  const char *network_name = weft_value_kind (used) == WEFT_VALUE_SCALAR ? weft_value_text (used) : "";
  WeftValue *given = networks ? weft_value_lookup (networks, network_name) : NULL;
  g_autoptr (WeftValue) network = given ? weft_edits_network (edits_of (scope), network_name, given) : NULL;
  WeftNetwork *settings = weft_pipeline_network (scope->graph->pipeline, network_name);
  static const char *const network_keys[] = { "module", "load", "frozen", "compute", NULL };
  g_autoptr (WeftValue) attributes = NULL;
  g_autofree char *what = NULL;
  WeftValue *module, *inputs;
  WeftEntity *instance;

  if (!network || !settings)
    {
      g_autoptr (GPtrArray) names = g_ptr_array_new ();
      for (guint i = 0; networks && i < weft_value_length (networks); i++)
        g_ptr_array_add (names, (gpointer) weft_value_key (networks, i));
      g_ptr_array_add (names, NULL);
      g_autofree char *hint = weft_suggestion (network_name, (const char *const *) names->pdata);
      weft_problems_add (scope->problems, weft_value_mark (used), "there is no network \"%s\"%s", network_name, hint);
      expect_nothing (scope, name, mark);
      return;
    }
  module = weft_value_lookup (network, "module") ? find_module (scope, weft_value_lookup (network, "module")) : NULL;
  if (!module)
    {
      expect_nothing (scope, name, mark);
      return;
    }
  inputs = weft_value_lookup (module, "inputs");
  attributes = instance_attributes (scope, weft_value_text (weft_value_lookup (network, "module")), network_name,
                                    weft_value_lookup (module, "attributes"), NULL, network, network_keys, settings->mark);
  what = g_strconcat ("network ", network_name, NULL);
  instance = expand_body (scope, name, what, module, attributes, mark);
  check_use_keys (scope, what, map, inputs);
  g_free (instance->inner->store_path);
  instance->inner->store_path = g_strdup (network_name);
  g_free (instance->inner->address);
  instance->inner->address = g_strdup (network_name);
  weft_settings_read (instance->inner, network);
  weft_settings_read (instance->inner, map);
  instance->inner->trainable = scope->trainable && !settings->frozen && !weights;
  instance->inner->network = settings->name;
  bind_inputs (instance, scope, inputs, map, mark);
  if (weights)
    {
      if (weft_value_kind (weights) != WEFT_VALUE_SCALAR)
        {
          weft_problems_add (scope->problems, weft_value_mark (weights), "weights must be a reference such as momentum.image");
          instance->kind = WEFT_ENTITY_FAULTY;
        }
      else if (!weft_scope_borrow_weights (scope, instance->inner, weights))
        instance->kind = WEFT_ENTITY_FAULTY;
      if (instance->kind == WEFT_ENTITY_FAULTY)
        return;
    }
  expand_nodes (instance->inner, instance->body, instance->outputs);
}

/* Operators without kernels are modules in disguise. */
static void
expand_composition (WeftScope *scope, const char *name, const WeftOperator *operator, WeftValue * map, WeftMark mark)
{
  g_autoptr (WeftProblems) own_problems = weft_problems_new ();
  g_autofree char *file = g_strdup_printf ("<composition of %s>", operator->name);
  g_autoptr (WeftValue) body = weft_document_parse (operator->composition, -1, file, own_problems);
  g_autoptr (WeftValue) attributes = weft_value_new_map (mark);
  g_autofree char *path = join (scope->path, name);
  g_autofree char *what = NULL;
  WeftNode *probe;
  WeftEntity *instance;

  for (guint i = 0; i < weft_problems_count (own_problems); i++)
    weft_problems_add (scope->problems, mark, "%s", weft_problems_get (own_problems, i));
  if (!body)
    return;
  probe = weft_node_new (operator, path, path, mark);
  check_operator_keys (probe, map, scope->problems);
  if (weft_attributes_store (probe, map, scope->problems))
    for (const WeftAttribute *attribute = operator->attributes; attribute && attribute->name; attribute++)
      {
        WeftValue *given = weft_value_lookup (map, attribute->name);
        weft_value_set (attributes, attribute->name, mark,
                        given ? weft_value_ref (given) : weft_value_new_scalar (attribute->fallback, FALSE, mark));
      }
  weft_node_free (probe);
  what = g_strconcat ("operator ", operator->name, NULL);
  instance = expand_body (scope, name, what, body, attributes, mark);
  weft_settings_read (instance->inner, map);
  for (const WeftPort *port = operator->inputs; port && port->name; port++)
    {
      WeftValue *reference = weft_value_lookup (map, port->name);
      if (reference)
        bind_input (instance, port->name, scope, reference);
      else if (!(port->flags & WEFT_PORT_OPTIONAL))
        weft_problems_add (scope->problems, mark, "operator %s (node `%s`) needs input \"%s\": %s", operator->name, name, port->name,
                           port->meaning ? port->meaning : "");
    }
  expand_nodes (instance->inner, instance->body, instance->outputs);
}

static void
expand_operator (WeftScope *scope, const char *name, WeftValue *map, WeftMark mark)
{
  WeftValue *value = weft_value_lookup (map, "op");
  const char *text = weft_value_kind (value) == WEFT_VALUE_SCALAR ? weft_value_text (value) : "";
  const WeftOperator *operator= weft_registry_find (text);
  g_autofree char *path = join (scope->path, name);
  g_autofree char *store_path = join (scope->store_path, name);
  WeftNode *node;

  if (!operator)
    {
      g_autofree char *hint = weft_suggestion (text, weft_registry_names ());
      weft_problems_add (scope->problems, weft_value_mark (value), "there is no operator \"%s\"%s (`weft inspect` lists all)", text, hint);
      expect_nothing (scope, name, mark);
      return;
    }
  if (!operator->forward)
    {
      expand_composition (scope, name, operator, map, mark);
      return;
    }
  node = weft_graph_add_node (scope->graph, operator, path, store_path, mark);
  weft_settings_read_node (scope, node, map);
  node->trainable = scope->trainable;
  node->network = scope->network;
  node->borrowed = scope->borrowed;
  if (scope->after)
    g_ptr_array_add (node->after, scope->after);
  check_operator_keys (node, map, scope->problems);
  node->faulty = !weft_attributes_store (node, map, scope->problems);
  weft_scope_add (scope, name, WEFT_ENTITY_NODE, mark)->node = node;
  weft_scope_await (scope, node, map);
}

static void
expand_kind (WeftScope *scope, const char *name, WeftMark key_mark, WeftValue *map)
{
  gboolean trainable = scope->trainable;

  if (weft_edits_freezes (edits_of (scope), scope, name))
    scope->trainable = FALSE;
  if (weft_value_lookup (map, "op"))
    expand_operator (scope, name, map, key_mark);
  else if (weft_value_lookup (map, "module"))
    expand_module_node (scope, name, map, key_mark);
  else
    expand_use (scope, name, map, key_mark);
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
      expect_nothing (scope, name, mark);
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
      expect_nothing (scope, name, mark);
    }
  else
    expand_kind (scope, name, key_mark, map);
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
  if (pipeline->written <= MOST_NODES)
    return TRUE;
  weft_problems_add (scope->problems, weft_value_mark (nodes), "the pipeline has more than %d nodes, those in modules counted in each use",
                     MOST_NODES);
  return FALSE;
}

/* @kept: (nullable): references to nodes that leave the body: a module's outputs, what a graph collects */
static void
expand_nodes (WeftScope *scope, WeftValue *all, const WeftValue *kept)
{
  if (!all || !count_nodes (scope, all))
    return;
  g_autoptr (WeftValue) nodes = weft_edits_nodes (edits_of (scope), scope, all, kept);
  guint n = weft_value_length (nodes);

  for (int late = 0; late < 2; late++)
    for (guint i = 0; i < n; i++)
      if (borrows (weft_value_item (nodes, i)) == late)
        expand_node (scope, weft_value_key (nodes, i), weft_value_key_mark (nodes, i), weft_value_item (nodes, i));
}

static void
read_collects (WeftScope *scope, const WeftValue *collect)
{
  for (guint i = 0; collect && i < weft_value_length (collect); i++)
    {
      WeftCollect entry = { g_strdup (weft_value_key (collect, i)), NULL, weft_value_key_mark (collect, i) };
      entry.wire = weft_scope_resolve_wire (scope, weft_value_item (collect, i));
      if (entry.wire)
        {
          entry.wire->read = entry.wire->kept = TRUE;
          g_array_append_val (scope->graph->collects, entry);
        }
      else
        {
          scope->graph->faulty = TRUE;
          g_free (entry.name);
        }
    }
}

/* Lets the run section, the command and programs name the outputs of instances, at the top ("v", "v.embedding") and inside ("v.gpo"). */
static void
note_aliases (WeftScope *scope)
{
  g_autoptr (WeftProblems) ignored = weft_problems_new ();
  WeftProblems *problems = scope->problems;

  scope->problems = ignored;
  for (guint i = 0; i < scope->owned->len; i++)
    {
      const WeftEntity *entity = scope->owned->pdata[i];
      guint n = entity->kind == WEFT_ENTITY_INSTANCE && entity->outputs ? weft_value_length (entity->outputs) : 0;
      g_autofree char *path = join (scope->path, entity->name);
      for (guint k = 0; k < n; k++)
        {
          g_autofree char *name = g_strconcat (entity->name, ".", weft_value_key (entity->outputs, k), NULL);
          g_autoptr (WeftValue) reference = weft_value_new_scalar (name, FALSE, entity->mark);
          WeftWire *wire = weft_scope_resolve_wire (scope, reference);
          if (wire)
            g_hash_table_insert (scope->graph->aliases, g_strconcat (path, ".", weft_value_key (entity->outputs, k), NULL), wire);
          if (wire && n == 1)
            g_hash_table_insert (scope->graph->aliases, g_strdup (path), wire);
        }
      if (n && entity->inner)
        note_aliases (entity->inner);
    }
  scope->problems = problems;
}

/* Whether @node moves weights towards an objective. */
static gboolean
is_optimizer (const WeftNode *node)
{
  gboolean minimizes = FALSE;

  for (guint port = 0; port < weft_port_count (node->operator->inputs); port++)
    minimizes |= (node->operator->inputs[port].flags & WEFT_PORT_OBJECTIVE) && node->inputs[port].n;
  return minimizes && node->operator->slots;
}

static void
build_graph (WeftPipeline *pipeline, WeftGraph *graph, WeftValue *definition, WeftProblems *problems)
{
  g_autoptr (WeftScope) scope = weft_scope_new (NULL, "", graph->name);
  WeftValue *nodes = weft_value_lookup (definition, "nodes");

  scope->graph = graph;
  scope->problems = problems;
  scope->mode = WEFT_MODE_INFER;
  weft_settings_read (scope, definition);
  graph->mode = scope->mode;
  graph->recompute = weft_value_lookup (definition, "recompute");
  scope->trainable = TRUE;
  if (!nodes || weft_value_kind (nodes) != WEFT_VALUE_MAP || !weft_value_length (nodes))
    {
      weft_problems_add (problems, graph->mark, "graph %s has no nodes", graph->name);
      return;
    }
  expand_nodes (scope, nodes, weft_value_lookup (definition, "collect"));
  if (pipeline->written > MOST_NODES)
    return;
  weft_scope_connect (scope);
  weft_edits_note_bypasses (edits_of (scope), scope);
  note_aliases (scope);
  read_collects (scope, weft_value_lookup (definition, "collect"));
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      WeftNode *node = graph->nodes->pdata[i];
      if (!weft_value_lookup (definition, "mode") && is_optimizer (node))
        weft_problems_add (
            problems, node->mark,
            "`%s` trains, but graph %s does not say `mode: train`: nothing would be dropped out, and norms would use running "
            "statistics that never move; add it, or `mode: infer` if that is meant",
            node->path, graph->name);
      if (node->operator->is_source && graph->source)
        weft_problems_add (problems, node->mark, "graph %s iterates over `%s` already; `%s` would be a second source", graph->name,
                           graph->source->path, node->path);
      else if (node->operator->is_source)
        graph->source = node;
    }
}

static void
read_networks (WeftPipeline *pipeline, WeftValue *networks, WeftProblems *problems)
{
  for (guint i = 0; networks && i < weft_value_length (networks); i++)
    {
      g_autoptr (WeftValue) map = weft_edits_network (pipeline->edits, weft_value_key (networks, i), weft_value_item (networks, i));
      WeftNetwork *network = g_new0 (WeftNetwork, 1);
      WeftValue *frozen;
      network->name = g_intern_string (weft_value_key (networks, i));
      network->mark = weft_value_key_mark (networks, i);
      g_ptr_array_add (pipeline->networks, network);
      if (weft_value_kind (map) != WEFT_VALUE_MAP || !weft_value_lookup (map, "module"))
        {
          weft_problems_add (problems, network->mark, "network %s needs `module:`", network->name);
          continue;
        }
      if (weft_value_lookup (map, "load"))
        network->load = weft_value_ref (weft_value_lookup (map, "load"));
      frozen = weft_value_lookup (map, "frozen");
      if (frozen && !weft_value_get_boolean (frozen, &network->frozen))
        weft_problems_add (problems, weft_value_mark (frozen), "frozen must be true or false");
      network->frozen |= weft_edits_freezes (pipeline->edits, NULL, network->name);
    }
}

gboolean
weft_build_graphs (WeftPipeline *pipeline, WeftProblems *problems)
{
  guint before = weft_problems_count (problems);
  WeftValue *graphs = weft_value_lookup (pipeline->document, "graphs");

  read_networks (pipeline, weft_value_lookup (pipeline->document, "networks"), problems);
  if (!graphs || weft_value_kind (graphs) != WEFT_VALUE_MAP || !weft_value_length (graphs))
    {
      weft_problems_add (problems, weft_value_mark (pipeline->document), "a pipeline needs `graphs:` with at least one graph");
      return FALSE;
    }
  for (guint i = 0; i < weft_value_length (graphs); i++)
    {
      WeftGraph *graph = weft_graph_new (pipeline, weft_value_key (graphs, i), weft_value_key_mark (graphs, i));
      g_ptr_array_add (pipeline->graphs, graph);
    }
  for (guint i = 0; i < weft_value_length (graphs); i++)
    build_graph (pipeline, pipeline->graphs->pdata[i], weft_value_item (graphs, i), problems);
  return weft_problems_count (problems) == before;
}
