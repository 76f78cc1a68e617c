/* Graphs, nodes and wires, and the way from a document to graphs that can be planned.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "graph.h"

#include <string.h>

#include "edit.h"

int
weft_port_index (const WeftPort *ports, const char *name)
{
  for (int i = 0; ports && ports[i].name; i++)
    if (strcmp (ports[i].name, name) == 0)
      return i;
  return -1;
}

guint
weft_port_count (const WeftPort *ports)
{
  guint n = 0;

  while (ports && ports[n].name)
    n++;
  return n;
}

static void
input_clear (WeftInput *input)
{
  for (guint i = 0; i < input->n; i++)
    {
      g_free (input->keys[i]);
      g_free (input->weights[i]);
      g_free (input->weight_networks[i]);
    }
  g_free (input->wires);
  g_free (input->keys);
  g_free (input->weights);
  g_free (input->weight_networks);
}

static void
target_clear (gpointer data)
{
  WeftTarget *target = data;

  g_free (target->path);
  for (guint i = 0; i < WEFT_MAX_SLOTS; i++)
    g_free (target->slots[i]);
}

WeftNode *
weft_node_new (const WeftOperator *op, const char *path, const char *store_path, WeftMark mark)
{
  WeftNode *node = g_new0 (WeftNode, 1);

  node->op = op;
  node->path = g_strdup (path);
  node->store_path = g_strdup (store_path);
  node->mark = mark;
  node->after = g_ptr_array_new ();
  node->owned = g_ptr_array_new_with_free_func (g_free);
  node->targets = g_array_new (FALSE, TRUE, sizeof (WeftTarget));
  g_array_set_clear_func (node->targets, target_clear);
  return node;
}

static void
free_schedules (GArray *scheduled)
{
  for (guint i = 0; i < scheduled->len; i++)
    weft_schedule_free (g_array_index (scheduled, WeftScheduled, i).schedule);
  g_array_unref (scheduled);
}

void
weft_node_free (WeftNode *node)
{
  for (guint i = 0; i < WEFT_MAX_PORTS && node->kind != WEFT_NODE_AGAIN; i++)
    {
      input_clear (&node->inputs[i]);
      g_free (node->parameters[i].path);
      g_free ((char *) node->parameters[i].initial);
      g_free (node->states[i].path);
      g_free ((char *) node->states[i].initial);
      g_free (node->in_gradients[i]);
    }
  if (node->kind == WEFT_NODE_FORWARD)
    g_free (node->attributes);
  g_clear_pointer (&node->scheduled, free_schedules);
  g_clear_pointer (&node->map, weft_value_unref);
  g_ptr_array_unref (node->after);
  g_ptr_array_unref (node->owned);
  g_array_unref (node->targets);
  g_free (node->collected_graph);
  g_free (node->collected_name);
  g_free (node->path);
  g_free (node->store_path);
  g_free (node);
}

WeftGraph *
weft_graph_new (WeftPipeline *pipeline, const char *name, WeftMark mark)
{
  WeftGraph *graph = g_new0 (WeftGraph, 1);

  graph->pipeline = pipeline;
  graph->name = g_strdup (name);
  graph->mark = mark;
  graph->mode = WEFT_MODE_INFER;
  graph->nodes = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_node_free);
  graph->wires = g_ptr_array_new_with_free_func (g_free);
  graph->symbols = g_ptr_array_new ();
  graph->collects = g_array_new (FALSE, TRUE, sizeof (WeftCollect));
  graph->feeds = g_ptr_array_new ();
  graph->pruned = g_ptr_array_new_with_free_func (g_free);
  graph->feed_letters = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  graph->aliases = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return graph;
}

void
weft_graph_free (WeftGraph *graph)
{
  for (guint i = 0; i < graph->symbols->len; i++)
    {
      WeftSymbol *symbol = graph->symbols->pdata[i];
      g_free (symbol->name);
      g_free (symbol->owner);
      g_free (symbol);
    }
  for (guint i = 0; i < graph->collects->len; i++)
    g_free (g_array_index (graph->collects, WeftCollect, i).name);
  g_ptr_array_unref (graph->nodes);
  g_ptr_array_unref (graph->wires);
  g_ptr_array_unref (graph->symbols);
  g_array_unref (graph->collects);
  g_ptr_array_unref (graph->feeds);
  g_ptr_array_unref (graph->pruned);
  g_hash_table_unref (graph->feed_letters);
  g_hash_table_unref (graph->aliases);
  g_free (graph->name);
  g_free (graph);
}

WeftNode *
weft_graph_add_node (WeftGraph *graph, const WeftOperator *op, const char *path, const char *store_path, WeftMark mark)
{
  WeftNode *node = weft_node_new (op, path, store_path, mark);

  node->index = graph->nodes->len;
  g_ptr_array_add (graph->nodes, node);
  for (guint i = 0; op->outputs[i].name; i++)
    if (!(op->outputs[i].flags & WEFT_PORT_WEIGHTS))
      node->outputs[i] = weft_graph_add_wire (graph, node, WEFT_WIRE_OUTPUT, i, 0);
  return node;
}

WeftWire *
weft_graph_add_wire (WeftGraph *graph, WeftNode *node, WeftWireKind kind, guint port, guint which)
{
  WeftWire *wire = g_new0 (WeftWire, 1);

  wire->node = node;
  wire->kind = kind;
  wire->port = port;
  wire->which = which;
  wire->index = graph->wires->len;
  g_ptr_array_add (graph->wires, wire);
  return wire;
}

WeftSymbol *
weft_graph_add_symbol (WeftGraph *graph, const char *name, gint64 bound, const char *owner)
{
  WeftSymbol *symbol = g_new0 (WeftSymbol, 1);

  symbol->name = g_strdup (name);
  symbol->bound = bound;
  symbol->owner = g_strdup (owner);
  symbol->index = graph->symbols->len;
  g_ptr_array_add (graph->symbols, symbol);
  return symbol;
}

const WeftNode *
weft_node_origin (const WeftNode *node)
{
  if (node->of)
    node = node->of;
  return node->repeats ? node->repeats : node;
}

WeftWire *
weft_node_wire (const WeftNode *node, WeftWire *wire)
{
  return node->kind != WEFT_NODE_FORWARD && wire && wire->again ? wire->again : wire;
}

void
weft_node_visit_reads (const WeftNode *node, void (*visit) (WeftWire *wire, gpointer data), gpointer data)
{
  const WeftNode *of = node->of;

  if (node->kind != WEFT_NODE_GRADIENT)
    {
      for (guint port = 0; port < WEFT_MAX_PORTS; port++)
        for (guint i = 0; i < node->inputs[port].n; i++)
          if (node->inputs[port].wires[i])
            visit (weft_node_wire (node, node->inputs[port].wires[i]), data);
      for (guint i = 0; i < node->targets->len; i++)
        if (g_array_index (node->targets, WeftTarget, i).gradient)
          visit (g_array_index (node->targets, WeftTarget, i).gradient, data);
      return;
    }
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    {
      if (node->out_gradients[port])
        visit (node->out_gradients[port], data);
      if (of->saved[port])
        visit (of->saved[port], data);
    }
  for (guint port = 0; of->op->outputs[port].name; port++)
    if (of->outputs[port] && (of->op->outputs[port].flags & WEFT_PORT_READ))
      visit (of->outputs[port], data);
  for (guint port = 0; of->op->inputs && of->op->inputs[port].name; port++)
    if (of->op->inputs[port].flags & WEFT_PORT_READ)
      for (guint i = 0; i < of->inputs[port].n; i++)
        if (of->inputs[port].wires[i])
          visit (weft_node_wire (node, of->inputs[port].wires[i]), data);
}

char *
weft_node_port_name (const WeftNode *node, const WeftPort *port)
{
  return g_strdup_printf ("%s.%s", node->path, port->name);
}

WeftGraph *
weft_pipeline_graph (const WeftPipeline *pipeline, const char *name)
{
  for (guint i = 0; i < pipeline->graphs->len; i++)
    if (strcmp (((WeftGraph *) pipeline->graphs->pdata[i])->name, name) == 0)
      return pipeline->graphs->pdata[i];
  return NULL;
}

WeftNetwork *
weft_pipeline_network (const WeftPipeline *pipeline, const char *name)
{
  for (guint i = 0; i < pipeline->networks->len; i++)
    if (strcmp (((WeftNetwork *) pipeline->networks->pdata[i])->name, name) == 0)
      return pipeline->networks->pdata[i];
  return NULL;
}

WeftNode *
weft_graph_node (const WeftGraph *graph, const char *path)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    if (strcmp (((WeftNode *) graph->nodes->pdata[i])->path, path) == 0)
      return graph->nodes->pdata[i];
  return NULL;
}

static WeftWire *
only_output (const WeftNode *node)
{
  WeftWire *only = NULL, *required = NULL;
  guint n = 0, n_required = 0;

  for (guint i = 0; node->op->outputs[i].name; i++)
    {
      n++;
      only = node->outputs[i];
      if (!(node->op->outputs[i].flags & WEFT_PORT_OPTIONAL))
        {
          n_required++;
          required = node->outputs[i];
        }
    }
  return n == 1 ? only : n_required == 1 ? required : NULL;
}

WeftWire *
weft_graph_wire (const WeftGraph *graph, const char *reference)
{
  WeftWire *alias = g_hash_table_lookup (graph->aliases, reference);
  WeftNode *node = alias ? NULL : weft_graph_node (graph, reference);
  const char *dot = strrchr (reference, '.');
  g_autofree char *head = NULL;
  int port;

  if (alias)
    return alias->node ? alias : NULL;
  if (node)
    return only_output (node);
  if (!dot)
    return NULL;
  head = g_strndup (reference, dot - reference);
  node = weft_graph_node (graph, head);
  port = node ? weft_port_index (node->op->outputs, dot + 1) : -1;
  return port >= 0 ? node->outputs[port] : NULL;
}

WeftVariable *
weft_pipeline_variable (const WeftPipeline *pipeline, const char *path)
{
  for (guint i = 0; i < pipeline->variables->len; i++)
    if (strcmp (((WeftVariable *) pipeline->variables->pdata[i])->path, path) == 0)
      return pipeline->variables->pdata[i];
  return NULL;
}
