/* Names in scope while a graph is built, and what references to them mean.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "scope.h"

#include <string.h>

#include "core.h"

/* More hops than any sensible nesting of modules has: a reference that goes round in circles. */
#define MAX_HOPS 100000
/* What is told after so many mistakes comes without suggestions, for which all names are compared. */
#define MOST_HINTS 100

typedef struct
{
  WeftScope *scope;
  WeftNode *node;
  WeftValue *map;
} Awaiting;

static void
entity_free (gpointer data)
{
  WeftEntity *entity = data;

  g_clear_pointer (&entity->inner, weft_scope_free);
  g_clear_pointer (&entity->body, weft_value_unref);
  g_clear_pointer (&entity->outputs, weft_value_unref);
  g_clear_pointer (&entity->reference, weft_value_unref);
  g_free (entity->what);
  g_free (entity->name);
  g_free (entity);
}

char *
weft_scope_join (const char *prefix, const char *name)
{
  return *prefix ? g_strconcat (prefix, ".", name, NULL) : g_strdup (name);
}

WeftScope *
weft_scope_new (WeftScope *parent, const char *path, const char *store_path)
{
  WeftScope *scope = g_new0 (WeftScope, 1);

  if (parent)
    {
      *scope = *parent;
      scope->parent = parent;
      scope->awaiting = NULL;
      scope->depth++;
    }
  scope->path = g_strdup (path);
  scope->store_path = g_strdup (store_path);
  scope->address = g_strdup (store_path);
  scope->entities = g_hash_table_new (g_str_hash, g_str_equal);
  scope->owned = g_ptr_array_new_with_free_func (entity_free);
  return scope;
}

void
weft_scope_free (WeftScope *scope)
{
  g_free (scope->path);
  g_free (scope->store_path);
  g_free (scope->address);
  g_hash_table_unref (scope->entities);
  g_ptr_array_unref (scope->owned);
  if (scope->awaiting)
    g_array_unref (scope->awaiting);
  g_free (scope);
}

gboolean
weft_scope_has (const WeftScope *scope, const char *name)
{
  return g_hash_table_contains (scope->entities, name);
}

WeftEntity *
weft_scope_add (WeftScope *scope, const char *name, WeftEntityKind kind, WeftMark mark)
{
  WeftEntity *entity = g_new0 (WeftEntity, 1);

  entity->kind = kind;
  entity->mark = mark;
  entity->name = g_strdup (name);
  g_ptr_array_add (scope->owned, entity);
  g_hash_table_insert (scope->entities, entity->name, entity);
  return entity;
}

void
weft_scope_alias (WeftScope *scope, const char *name, WeftEntity *entity)
{
  g_hash_table_insert (scope->entities, (gpointer) g_intern_string (name), entity);
}

void
weft_scope_await (WeftScope *scope, WeftNode *node, WeftValue *map)
{
  WeftScope *root = scope;
  Awaiting awaiting = { scope, node, map };

  node->map = weft_value_ref (map);
  while (root->parent)
    root = root->parent;
  if (!root->awaiting)
    root->awaiting = g_array_new (FALSE, FALSE, sizeof (Awaiting));
  g_array_append_val (root->awaiting, awaiting);
}

/* The entity that the longest leading part of @text names; @rest is what follows it, or %NULL. */
static WeftEntity *
find_entity (WeftScope *scope, const char *text, const char **rest)
{
  g_autofree char *head = g_strdup (text);

  *rest = NULL;
  for (;;)
    {
      WeftEntity *entity = g_hash_table_lookup (scope->entities, head);
      char *dot;
      if (entity)
        {
          *rest = text[strlen (head)] == '.' ? text + strlen (head) + 1 : NULL;
          return entity;
        }
      dot = strrchr (head, '.');
      if (!dot)
        return NULL;
      *dot = '\0';
    }
}

static const WeftPort *
default_output (const WeftOperator *op, const char **wrong)
{
  const WeftPort *only = NULL, *required = NULL;
  guint n = 0, n_required = 0;

  for (const WeftPort *port = op->outputs; port && port->name; port++)
    {
      n++;
      only = port;
      if (!(port->flags & WEFT_PORT_OPTIONAL))
        {
          n_required++;
          required = port;
        }
    }
  *wrong = n == 0 ? "has no outputs" : "has several outputs";
  return n == 1 ? only : n_required == 1 ? required : NULL;
}

static char *
list_outputs (const WeftOperator *op, const char *near_to)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (const WeftPort *port = op->outputs; port && port->name; port++)
    g_ptr_array_add (names, (gpointer) port->name);
  g_ptr_array_add (names, NULL);
  return weft_suggestion (near_to, (const char *const *) names->pdata);
}

static WeftWire *
output_of (WeftNode *node, const char *port_name, const char *written, WeftMark mark, WeftProblems *problems)
{
  const char *wrong = NULL;
  const WeftPort *port;
  int index;

  if (!port_name)
    {
      port = default_output (node->op, &wrong);
      if (port)
        return node->outputs[port - node->op->outputs];
      g_autofree char *hint = list_outputs (node->op, "");
      weft_problems_add (problems, mark, "`%s` %s: say which one%s", written, wrong, hint);
      return NULL;
    }
  index = weft_port_index (node->op->outputs, port_name);
  if (index >= 0 && node->outputs[index])
    return node->outputs[index];
  g_autofree char *hint = list_outputs (node->op, port_name);
  weft_problems_add (problems, mark, "operator %s (node `%s`) has no output \"%s\"%s", node->op->name, node->path, port_name, hint);
  return NULL;
}

/* GRAPH.NAME: a feed of this graph that takes what the other graph collects. */
static WeftWire *
collected_feed (WeftScope *scope, const char *text, WeftMark mark)
{
  const char *dot = strchr (text, '.');
  g_autofree char *name = dot ? g_strndup (text, dot - text) : NULL;
  WeftGraph *other = name ? weft_pipeline_graph (scope->graph->pipeline, name) : NULL;
  WeftNode *node;

  if (!other || other == scope->graph)
    return NULL;
  node = weft_graph_node (scope->graph, text);
  if (!node)
    {
      node = weft_graph_add_node (scope->graph, &weft_feed_operator, text, text, mark);
      node->attributes = g_new0 (WeftFeed, 1);
      node->collected_graph = g_steal_pointer (&name);
      node->collected_name = g_strdup (dot + 1);
      g_ptr_array_add (scope->graph->feeds, node);
    }
  return node->outputs[0];
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
unknown_name (WeftScope *scope, const char *text, WeftMark mark)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *dot = strchr (text, '.');
  g_autofree char *head = dot ? g_strndup (text, dot - text) : g_strdup (text);
  g_autofree char *hint = NULL;
  GHashTableIter iter;
  gpointer name;

  if (weft_problems_count (scope->problems) > MOST_HINTS)
    {
      weft_problems_add (scope->problems, mark, "nothing here is called \"%s\"", head);
      return;
    }
  g_hash_table_iter_init (&iter, scope->entities);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_ptr_array_add (names, name);
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  hint = weft_suggestion (head, (const char *const *) names->pdata);
  weft_problems_add (scope->problems, mark, "nothing here is called \"%s\"%s", head, hint);
}

/* Where a reference leads. */
typedef struct
{
  WeftScope *scope;
  WeftEntity *entity; /* a node; NULL: @text is what another graph collects, or nothing if that is NULL too */
  char *text;         /* the last reference on the way */
  const char *port;   /* (nullable): part of @text */
  WeftMark mark;      /* where @port, or what should have it, was written */
  WeftMark outermost; /* the reference on the way that stands in the fewest modules */
  guint depth;        /* of that */
} Found;

static void
found_clear (Found *found)
{
  g_free (found->text);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Found, found_clear)

static void
unknown_output (const Found *found, const WeftEntity *entity, const char *rest)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; entity->outputs && i < weft_value_length (entity->outputs); i++)
    g_ptr_array_add (names, (gpointer) weft_value_key (entity->outputs, i));
  g_ptr_array_add (names, NULL);
  g_autofree char *hint = weft_suggestion (rest ? rest : "", (const char *const *) names->pdata);
  if (rest)
    weft_problems_add (found->scope->problems, found->mark, "`%s` (%s) has no output \"%s\"%s", entity->name, entity->what, rest, hint);
  else
    weft_problems_add (found->scope->problems, found->mark, "`%s` (%s) has several outputs: say which one%s", entity->name, entity->what,
                       hint);
}

/* One step into an instance: the reference behind its output @rest. */
static char *
step_inwards (Found *found, const WeftEntity *entity, const char *rest)
{
  guint n = entity->outputs ? weft_value_length (entity->outputs) : 0;
  WeftValue *output = rest ? (n ? weft_value_lookup (entity->outputs, rest) : NULL) : n == 1 ? weft_value_item (entity->outputs, 0) : NULL;
  const char *inner_rest;

  if (output && weft_value_kind (output) == WEFT_VALUE_SCALAR)
    found->mark = weft_value_mark (output);
  else if (!rest || !find_entity (entity->inner, rest, &inner_rest))
    {
      unknown_output (found, entity, rest);
      return NULL;
    }
  found->scope = entity->inner;
  return g_strdup (output && weft_value_kind (output) == WEFT_VALUE_SCALAR ? weft_value_text (output) : rest);
}

/* One step out of a module: what its caller wrote for an input, and output @rest of that. */
static char *
step_outwards (Found *found, const WeftEntity *entity, const char *rest)
{
  WeftMark mark = weft_value_mark (entity->reference);

  if (!rest)
    found->mark = mark;
  found->scope = entity->outer;
  if (entity->outer->depth < found->depth)
    {
      found->depth = entity->outer->depth;
      found->outermost = mark;
    }
  return g_strconcat (weft_value_text (entity->reference), rest ? "." : NULL, rest, NULL);
}

/* Follows module inputs outwards and module outputs inwards until a node is found. */
static Found
follow (WeftScope *scope, WeftValue *reference)
{
  WeftMark mark = weft_value_mark (reference);
  Found found = { scope, NULL, NULL, NULL, mark, mark, scope->depth };
  WeftMark head = mark; /* where what is looked up was written */

  if (weft_value_kind (reference) != WEFT_VALUE_SCALAR)
    {
      weft_problems_add (scope->problems, mark, "expected a reference such as `node` or `node.port`");
      return found;
    }
  found.text = g_strdup (weft_value_text (reference));
  for (guint hops = 0; hops < MAX_HOPS; hops++)
    {
      const char *rest;
      WeftEntity *entity = find_entity (found.scope, found.text, &rest);
      char *next = NULL;
      if (entity && entity->kind == WEFT_ENTITY_FAULTY)
        {
          g_clear_pointer (&found.text, g_free);
          return found;
        }
      if (entity && entity->kind == WEFT_ENTITY_NODE)
        {
          found.entity = entity;
          found.port = rest;
          return found;
        }
      if (!entity && !found.scope->parent && collected_feed (found.scope, found.text, head))
        return found;
      if (!entity)
        unknown_name (found.scope, found.text, head);
      else if (entity->kind == WEFT_ENTITY_INPUT)
        {
          head = weft_value_mark (entity->reference);
          next = step_outwards (&found, entity, rest);
        }
      else
        {
          next = step_inwards (&found, entity, rest);
          head = found.mark;
        }
      g_free (found.text);
      found.text = next;
      if (!next)
        return found;
    }
  weft_problems_add (scope->problems, mark, "the reference \"%s\" goes round in circles", weft_value_text (reference));
  g_clear_pointer (&found.text, g_free);
  return found;
}

static WeftWire *
found_wire (const Found *found)
{
  if (found->entity)
    return output_of (found->entity->node, found->port, found->text, found->mark, found->scope->problems);
  return found->text ? collected_feed (found->scope, found->text, found->mark) : NULL;
}

WeftWire *
weft_scope_resolve_wire (WeftScope *scope, WeftValue *reference)
{
  g_auto (Found) found = follow (scope, reference);

  return found_wire (&found);
}

static gboolean
push_input (WeftInput *input, WeftWire *wire, const char *key, const char *weights, const char *network)
{
  guint n = input->n++;

  input->wires = g_renew (WeftWire *, input->wires, n + 1);
  input->keys = g_renew (char *, input->keys, n + 1);
  input->weights = g_renew (char *, input->weights, n + 1);
  input->weight_networks = g_renew (char *, input->weight_networks, n + 1);
  input->wires[n] = wire;
  input->keys[n] = g_strdup (key);
  input->weights[n] = g_strdup (weights);
  input->weight_networks[n] = g_strdup (network);
  return TRUE;
}

/* %FALSE if @value leads nowhere. */
static gboolean
connect_value (WeftScope *scope, WeftNode *node, const WeftPort *port, const char *key, WeftValue *value)
{
  WeftInput *input = &node->inputs[port - node->op->inputs];

  if (port->flags & WEFT_PORT_WEIGHTS)
    {
      const char *name = weft_value_kind (value) == WEFT_VALUE_SCALAR ? weft_value_text (value) : "";
      if (weft_pipeline_network (scope->graph->pipeline, name))
        return push_input (input, NULL, key ? key : name, name, name);
      weft_problems_add (scope->problems, weft_value_mark (value), "`%s.%s` takes networks; there is no network \"%s\"", node->path,
                         port->name, name);
      return FALSE;
    }
  g_auto (Found) found = follow (scope, value);
  if (port->flags & WEFT_PORT_STATE_OF)
    {
      if (!found.entity)
        return FALSE;
      input->state_of = found.entity->node;
      return push_input (input, NULL, key, NULL, NULL);
    }
  WeftWire *wire = found_wire (&found);
  if (!wire)
    return FALSE;
  wire->read = TRUE;
  if (!input->n || found.depth < input->depth)
    {
      input->depth = found.depth;
      input->outermost = found.outermost;
    }
  return push_input (input, wire, key, NULL, NULL);
}

static gboolean
connect_port (WeftScope *scope, WeftNode *node, const WeftPort *port, WeftValue *value)
{
  WeftInput *input = &node->inputs[port - node->op->inputs];
  gboolean good = TRUE;

  if (!value || weft_value_kind (value) == WEFT_VALUE_NULL)
    {
      if (port->flags & WEFT_PORT_OPTIONAL)
        return TRUE;
      weft_problems_add (scope->problems, node->mark, "operator %s (node `%s`) needs input \"%s\": %s", node->op->name, node->path,
                         port->name, port->meaning ? port->meaning : "");
      return FALSE;
    }
  input->mark = weft_value_mark (value);
  if (weft_value_kind (value) == WEFT_VALUE_SCALAR)
    return connect_value (scope, node, port, NULL, value);
  if (!(port->flags & WEFT_PORT_VARIADIC))
    weft_problems_add (scope->problems, input->mark, "input \"%s\" of `%s` takes one reference", port->name, node->path);
  else if (!weft_value_length (value))
    weft_problems_add (scope->problems, input->mark, "input \"%s\" of `%s` needs at least one value", port->name, node->path);
  for (guint i = 0; (port->flags & WEFT_PORT_VARIADIC) && i < weft_value_length (value); i++)
    good &= connect_value (scope, node, port, weft_value_kind (value) == WEFT_VALUE_MAP ? weft_value_key (value, i) : NULL,
                           weft_value_item (value, i));
  return good && input->n;
}

void
weft_scope_connect (WeftScope *root)
{
  for (guint i = 0; root->awaiting && i < root->awaiting->len; i++)
    {
      Awaiting *awaiting = &g_array_index (root->awaiting, Awaiting, i);
      WeftNode *node = awaiting->node;
      for (const WeftPort *port = node->op->inputs; port && port->name; port++)
        if (!connect_port (awaiting->scope, node, port, weft_value_lookup (awaiting->map, port->name)))
          node->faulty = TRUE;
      if (node->op == &weft_feed_operator)
        g_ptr_array_add (root->graph->feeds, node);
    }
}

/* The slot whose weights @node offers to others, if it does. */
static const WeftSlot *
offered_slot (const WeftNode *node)
{
  for (const WeftSlot *slot = node->op->slots; slot && slot->name; slot++)
    if (slot->weights)
      return slot;
  return NULL;
}

/* The network that @node's weights input knows as @key. */
static const char *
network_for_key (const WeftNode *node, const char *key)
{
  for (const WeftPort *port = node->op->inputs; port && port->name; port++)
    {
      WeftValue *value = port->flags & WEFT_PORT_WEIGHTS ? weft_value_lookup (node->map, port->name) : NULL;
      WeftValue *named = value && weft_value_kind (value) == WEFT_VALUE_MAP ? weft_value_lookup (value, key) : NULL;
      if (named && weft_value_kind (named) == WEFT_VALUE_SCALAR)
        return weft_value_text (named);
    }
  return NULL;
}

gboolean
weft_scope_borrow_weights (WeftScope *scope, WeftScope *inner, WeftValue *reference)
{
  WeftMark mark = weft_value_mark (reference);
  g_auto (Found) found = follow (scope, reference);
  const WeftEntity *entity = found.entity;
  const char *key = found.port, *network;
  const WeftSlot *slot;

  if (!entity)
    return FALSE;
  slot = offered_slot (entity->node);
  if (!slot)
    {
      weft_problems_add (scope->problems, mark, "`%s` (%s) has no weights to offer; momentum_update has", entity->node->path,
                         entity->node->op->name);
      return FALSE;
    }
  network = key ? network_for_key (entity->node, key) : NULL;
  if (!network)
    {
      weft_problems_add (scope->problems, mark, "`%s` keeps no weights called \"%s\": its source is a map of names to networks",
                         entity->node->path, key ? key : "");
      return FALSE;
    }
  if (g_strcmp0 (network, inner->network) != 0)
    {
      weft_problems_add (scope->problems, mark, "`%s` are weights of network %s, not of %s", weft_value_text (reference), network,
                         inner->network);
      return FALSE;
    }
  g_free (inner->store_path);
  inner->store_path = g_strconcat (entity->node->store_path, ".", slot->name, ".", network, NULL);
  inner->borrowed = TRUE;
  inner->after = entity->node;
  return TRUE;
}
