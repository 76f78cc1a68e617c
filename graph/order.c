/* Order of execution: values before their readers, readers of a state before its writer.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "graph.h"
#include "stages.h"

typedef struct
{
  guint from, to;
} Edge;

typedef struct
{
  WeftGraph *graph;
  GArray *edges;
  WeftNode *reader; /* of the wires being visited */
} Ordering;

static void
add_edge (Ordering *self, const WeftNode *from, const WeftNode *to)
{
  Edge edge = { from->index, to->index };

  if (from != to)
    g_array_append_val (self->edges, edge);
}

static void
visit_read (WeftWire *wire, gpointer data)
{
  Ordering *self = data;
  Edge edge = { wire->node->index, self->reader->index };

  g_array_append_val (self->edges, edge); /* also from a node to itself, which is a circle */
}

static void
add_value_edges (Ordering *self, WeftNode *node)
{
  self->reader = node;
  weft_node_visit_reads (node, visit_read, self);
  if (node->of)
    add_edge (self, node->of, node);
  for (guint i = 0; i < node->after->len; i++)
    add_edge (self, node->after->pdata[i], node);
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    if (node->inputs[port].state_of)
      add_edge (self, node->inputs[port].state_of, node);
}

/* Whether @node writes the weights it is handed, rather than only its own slots or nothing. */
static gboolean
updates_weights (const WeftNode *node)
{
  gboolean objective = FALSE;

  for (guint i = 0; node->op->inputs && node->op->inputs[i].name; i++)
    objective |= (node->op->inputs[i].flags & WEFT_PORT_OBJECTIVE) != 0;
  return objective && node->op->slots;
}

/* store path → the node that updates it */
static GHashTable *
find_updaters (Ordering *self, WeftProblems *problems)
{
  GHashTable *updaters = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < self->graph->nodes->len; i++)
    {
      WeftNode *node = self->graph->nodes->pdata[i];
      if (node->kind != WEFT_NODE_FORWARD || !updates_weights (node))
        continue;
      for (guint k = 0; k < node->targets->len; k++)
        {
          const char *path = g_array_index (node->targets, WeftTarget, k).path;
          const WeftNode *other = g_hash_table_lookup (updaters, path);
          if (other)
            {
              weft_problems_add (problems, node->mark, "`%s` and `%s` both update %s in graph %s, and nothing says which goes first",
                                 other->path, node->path, path, self->graph->name);
              break;
            }
          g_hash_table_insert (updaters, (gpointer) path, node);
        }
    }
  return updaters;
}

static void
before_updater (Ordering *self, GHashTable *updaters, const char *path, const WeftNode *reader)
{
  const WeftNode *updater = path ? g_hash_table_lookup (updaters, path) : NULL;

  if (updater)
    add_edge (self, reader, updater);
}

static void
add_parameter_edges (Ordering *self, GHashTable *updaters)
{
  for (guint i = 0; i < self->graph->nodes->len; i++)
    {
      const WeftNode *node = self->graph->nodes->pdata[i];
      const WeftNode *owner = node->of ? node->of : node;
      for (guint port = 0; port < WEFT_MAX_PORTS; port++)
        before_updater (self, updaters, owner->parameters[port].path, node);
      if (!updates_weights (owner))
        for (guint k = 0; k < owner->targets->len; k++)
          before_updater (self, updaters, g_array_index (owner->targets, WeftTarget, k).path, node);
    }
}

/* Whoever reads an output that shows a state runs before the node that writes into that state. */
static void
visit_shown (WeftWire *wire, gpointer data)
{
  Ordering *self = data;
  const WeftNode *node = wire->node;

  if (wire->kind != WEFT_WIRE_OUTPUT || !node->op->outputs[wire->port].shows)
    return;
  for (guint i = 0; i < self->graph->nodes->len; i++)
    {
      const WeftNode *writer = self->graph->nodes->pdata[i];
      for (guint port = 0; port < WEFT_MAX_PORTS; port++)
        if (writer->inputs[port].state_of == node && writer != self->reader)
          add_edge (self, self->reader, writer);
    }
}

static void
add_state_edges (Ordering *self, WeftProblems *problems)
{
  g_autoptr (GHashTable) writers = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) own = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < self->graph->nodes->len; i++)
    {
      WeftNode *node = self->graph->nodes->pdata[i];
      for (guint port = 0; port < WEFT_MAX_PORTS; port++)
        {
          WeftNode *state_of = node->inputs[port].state_of;
          const char *state = node->kind == WEFT_NODE_FORWARD ? node->states[port].path : NULL;
          const WeftNode *other = state_of ? g_hash_table_lookup (writers, state_of) : NULL;
          if (other)
            weft_problems_add (problems, node->mark, "`%s` and `%s` both write the states of `%s`, and nothing says which goes first",
                               other->path, node->path, state_of->path);
          if (state_of)
            g_hash_table_insert (writers, state_of, node);
          if (state && g_hash_table_lookup (own, state))
            add_edge (self, g_hash_table_lookup (own, state), node);
          if (state)
            g_hash_table_insert (own, (gpointer) state, node);
        }
    }
  if (!g_hash_table_size (writers))
    return;
  for (guint i = 0; i < self->graph->nodes->len; i++)
    {
      self->reader = self->graph->nodes->pdata[i];
      weft_node_visit_reads (self->reader, visit_shown, self);
    }
}

/* A binary heap of node indices: among the nodes that could run, the earliest written one does. */
static void
heap_push (GArray *heap, guint value)
{
  guint at = heap->len;

  g_array_append_val (heap, value);
  while (at && g_array_index (heap, guint, (at - 1) / 2) > value)
    {
      g_array_index (heap, guint, at) = g_array_index (heap, guint, (at - 1) / 2);
      at = (at - 1) / 2;
    }
  g_array_index (heap, guint, at) = value;
}

static guint
heap_pop (GArray *heap)
{
  guint top = g_array_index (heap, guint, 0);
  guint last = g_array_index (heap, guint, heap->len - 1);
  guint at = 0;

  g_array_set_size (heap, heap->len - 1);
  for (guint child = 1; child < heap->len; child = 2 * at + 1)
    {
      if (child + 1 < heap->len && g_array_index (heap, guint, child + 1) < g_array_index (heap, guint, child))
        child++;
      if (g_array_index (heap, guint, child) >= last)
        break;
      g_array_index (heap, guint, at) = g_array_index (heap, guint, child);
      at = child;
    }
  if (heap->len)
    g_array_index (heap, guint, at) = last;
  return top;
}

/* The input of @reader that takes what @node gives, (nullable). */
static const WeftInput *
input_from (const WeftNode *reader, const WeftNode *node)
{
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    for (guint i = 0; i < reader->inputs[port].n; i++)
      if (reader->inputs[port].wires[i] && reader->inputs[port].wires[i]->node == node)
        return &reader->inputs[port];
  return NULL;
}

/* Walks backwards from a node that never became ready until it meets itself. */
static void
report_cycle (Ordering *self, const guint *waiting, WeftProblems *problems)
{
  WeftNode *const *nodes = (WeftNode *const *) self->graph->nodes->pdata;
  guint n = self->graph->nodes->len, at = 0, depth = G_MAXUINT;
  g_autofree guint *before = g_new (guint, n);
  g_autofree gboolean *seen = g_new0 (gboolean, n);
  g_autoptr (GString) way = g_string_new (NULL);
  WeftMark mark;
  guint start;

  for (guint i = 0; i < self->edges->len; i++)
    {
      const Edge *edge = &g_array_index (self->edges, Edge, i);
      if (waiting[edge->from] && waiting[edge->to])
        before[edge->to] = edge->from;
    }
  while (!waiting[at])
    at++;
  while (!seen[at])
    {
      seen[at] = TRUE;
      at = before[at];
    }
  start = at;
  mark = nodes[start]->mark;
  do
    {
      const WeftInput *input = input_from (nodes[at], nodes[before[at]]);
      if (input && input->depth < depth)
        {
          depth = input->depth;
          mark = input->outermost;
        }
      g_string_prepend (way, nodes[at]->path);
      g_string_prepend (way, " → ");
      at = before[at];
    }
  while (at != start);
  g_string_prepend (way, nodes[start]->path);
  weft_problems_add (problems, mark, "graph %s goes round in circles: %s", self->graph->name, way->str);
}

static gboolean
sort_nodes (Ordering *self, WeftProblems *problems)
{
  WeftGraph *graph = self->graph;
  guint n = graph->nodes->len, done = 0;
  g_autofree guint *waiting = g_new0 (guint, n + 1);
  g_autofree guint *first = g_new0 (guint, n + 2);
  g_autofree guint *targets = g_new (guint, self->edges->len + 1);
  g_autofree gpointer *order = g_new (gpointer, n + 1);
  g_autoptr (GArray) ready = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < self->edges->len; i++)
    first[g_array_index (self->edges, Edge, i).from + 2]++;
  for (guint i = 2; i <= n; i++)
    first[i] += first[i - 1];
  for (guint i = 0; i < self->edges->len; i++)
    {
      const Edge *edge = &g_array_index (self->edges, Edge, i);
      targets[first[edge->from + 1]++] = edge->to;
      waiting[edge->to]++;
    }
  for (guint i = 0; i < n; i++)
    if (!waiting[i])
      heap_push (ready, i);
  while (ready->len)
    {
      guint at = heap_pop (ready);
      order[done++] = graph->nodes->pdata[at];
      for (guint i = first[at]; i < first[at + 1]; i++)
        if (--waiting[targets[i]] == 0)
          heap_push (ready, targets[i]);
    }
  if (done < n)
    {
      report_cycle (self, waiting, problems);
      return FALSE;
    }
  for (guint i = 0; i < n; i++)
    {
      graph->nodes->pdata[i] = order[i];
      ((WeftNode *) order[i])->index = i;
    }
  return TRUE;
}

gboolean
weft_order_graph (WeftGraph *graph, WeftProblems *problems)
{
  guint before = weft_problems_count (problems);
  g_autoptr (GArray) edges = g_array_new (FALSE, FALSE, sizeof (Edge));
  Ordering self = { .graph = graph, .edges = edges };
  g_autoptr (GHashTable) updaters = find_updaters (&self, problems);

  for (guint i = 0; i < graph->nodes->len; i++)
    ((WeftNode *) graph->nodes->pdata[i])->index = i;
  for (guint i = 0; i < graph->nodes->len; i++)
    add_value_edges (&self, graph->nodes->pdata[i]);
  add_parameter_edges (&self, updaters);
  add_state_edges (&self, problems);
  return weft_problems_count (problems) == before && sort_nodes (&self, problems);
}
