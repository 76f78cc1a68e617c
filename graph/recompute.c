/* Values that are computed again for gradients rather than kept, in return for memory.
 *
 * A chosen node whose values some gradient reads gets a second node that runs its forward function once more, with the same random stream
 * and thus to the same bits. Gradients, and other nodes that run again, read what the second node gives; what the first one gave lives
 * until its last reader in the forward pass. (Chen et al., "Training deep nets with sublinear memory cost", 2016.)
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "graph.h"
#include "stages.h"

typedef struct
{
  WeftGraph *graph;
  WeftProblems *problems;
  guint n;              /* nodes before any is repeated */
  GHashTable *chosen;   /* of WeftNode */
  GHashTable *read;     /* WeftWires that gradients or repeated nodes read */
  GHashTable *repeated; /* WeftNode → the node that repeats it */
} Recomputation;

/* Length of the shortest part of @path, from its beginning to a dot or its end, that @pattern matches; 0 if none does. */
static gsize
matched_part (const char *pattern, const char *path)
{
  const char *end = path;

  do
    {
      g_autofree char *part = NULL;
      end = strchr (end, '.') ? strchr (end, '.') : end + strlen (end);
      part = g_strndup (path, (gsize) (end - path));
      if (weft_path_match (pattern, part))
        return (gsize) (end - path);
    }
  while (*end++);
  return 0;
}

/* Whether something outside of the instance whose path is the first @length characters of @node's reads what @node gives. */
static gboolean
leaves (const Recomputation *self, const WeftNode *node, gsize length)
{
  for (guint i = 0; i < self->n; i++)
    {
      const WeftNode *reader = self->graph->nodes->pdata[i];
      gboolean inside = strncmp (reader->path, node->path, length) == 0 && reader->path[length] == '.';
      for (guint port = 0; port < WEFT_MAX_PORTS && reader->kind == WEFT_NODE_FORWARD && !inside; port++)
        for (guint k = 0; k < reader->inputs[port].n; k++)
          if (reader->inputs[port].wires[k] && reader->inputs[port].wires[k]->node == node)
            return TRUE;
    }
  return FALSE;
}

static gboolean
is_input_size (const WeftNode *node, const WeftSymbol *symbol)
{
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    for (guint k = 0; k < node->inputs[port].n; k++)
      for (guint d = 0; node->inputs[port].wires[k] && d < node->inputs[port].wires[k]->shape.rank; d++)
        {
          const WeftDim *dim = &node->inputs[port].wires[k]->shape.dims[d];
          if (dim->symbol == symbol || dim->samples == symbol)
            return TRUE;
        }
  return FALSE;
}

/* Running again must do nothing but compute the same values: no files, no states, no sizes that only the first run may say. */
static const char *
why_not (const WeftNode *node)
{
  const WeftOperator *op = node->op;

  if (op->is_source || op->open)
    return "reads files or draws items";
  if (op->effect || op->slots || (op->states && op->states[0].name))
    return "has states or effects";
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    {
      const WeftWire *wire = node->outputs[port];
      if (node->inputs[port].state_of || (wire && wire->kept))
        return wire && wire->kept ? "gives what is kept to the end of the step" : "has states or effects";
      for (guint d = 0; wire && d < wire->shape.rank; d++)
        if ((wire->shape.dims[d].symbol && !is_input_size (node, wire->shape.dims[d].symbol))
            || (wire->shape.dims[d].samples && !is_input_size (node, wire->shape.dims[d].samples)))
          return "gives as many rows as it finds";
    }
  return node->inputs[0].n ? NULL : "takes no inputs";
}

static void
choose (Recomputation *self, const WeftValue *item)
{
  const char *pattern = weft_value_text (item);
  gboolean found = FALSE;

  for (guint i = 0; i < self->n; i++)
    {
      WeftNode *node = self->graph->nodes->pdata[i];
      gsize length = node->kind == WEFT_NODE_FORWARD ? matched_part (pattern, node->path) : 0;
      const char *reason = length ? why_not (node) : NULL;
      gboolean itself = length && node->path[length] == '\0';
      found |= length > 0;
      if (reason && itself)
        weft_problems_add (self->problems, weft_value_mark (item), "`%s` can't be computed again: it %s", node->path, reason);
      else if (length && !reason && (itself || !leaves (self, node, length)))
        g_hash_table_add (self->chosen, node);
    }
  if (!found)
    weft_problems_add (self->problems, weft_value_mark (item), "\"%s\" matches no node of graph %s", pattern, self->graph->name);
}

static void
note_read (WeftWire *wire, gpointer data)
{
  g_hash_table_add (((Recomputation *) data)->read, wire);
}

static gboolean
is_read (const Recomputation *self, const WeftNode *node)
{
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    if ((node->outputs[port] && g_hash_table_contains (self->read, node->outputs[port]))
        || (node->saved[port] && g_hash_table_contains (self->read, node->saved[port])))
      return TRUE;
  return FALSE;
}

/* The copy takes what is kept for backward from @node, which then keeps nothing. */
static void
repeat (Recomputation *self, WeftNode *node)
{
  g_autofree char *path = g_strconcat (node->path, "~again", NULL);
  WeftNode *again = weft_graph_add_node (self->graph, node->op, path, node->store_path, node->mark);

  again->kind = WEFT_NODE_AGAIN;
  again->repeats = node;
  again->attributes = node->attributes;
  again->mode = node->mode;
  again->compute = node->compute;
  memcpy (again->inputs, node->inputs, sizeof node->inputs);
  memcpy (again->parameters, node->parameters, sizeof node->parameters);
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    {
      if (node->saved[port])
        node->saved[port]->node = again;
      again->saved[port] = g_steal_pointer (&node->saved[port]);
      if (!node->outputs[port])
        continue;
      again->outputs[port]->shape = node->outputs[port]->shape;
      again->outputs[port]->read = node->outputs[port]->read;
      node->outputs[port]->again = again->outputs[port];
    }
  g_hash_table_insert (self->repeated, node, again);
  weft_node_visit_reads (again, note_read, self);
}

/* Backwards, so that what a repeated node reads is known to be read. */
static void
repeat_chosen (Recomputation *self)
{
  for (guint i = 0; i < self->n; i++)
    if (((WeftNode *) self->graph->nodes->pdata[i])->kind == WEFT_NODE_GRADIENT)
      weft_node_visit_reads (self->graph->nodes->pdata[i], note_read, self);
  for (guint i = self->n; i-- > 0;)
    if (g_hash_table_contains (self->chosen, self->graph->nodes->pdata[i]) && is_read (self, self->graph->nodes->pdata[i]))
      repeat (self, self->graph->nodes->pdata[i]);
  for (guint i = 0; i < self->n; i++)
    {
      WeftNode *node = self->graph->nodes->pdata[i], *again = node->of ? g_hash_table_lookup (self->repeated, node->of) : NULL;
      if (again)
        node->of = again;
    }
}

void
weft_recompute_graph (WeftGraph *graph, WeftProblems *problems)
{
  Recomputation self = { .graph = graph, .problems = problems, .n = graph->nodes->len };
  guint before = weft_problems_count (problems);

  if (!graph->recompute || weft_value_kind (graph->recompute) == WEFT_VALUE_NULL)
    return;
  if (weft_value_kind (graph->recompute) != WEFT_VALUE_LIST)
    {
      weft_problems_add (problems, weft_value_mark (graph->recompute),
                         "recompute must be a list of paths such as [v.projection, t.bert.layer.*]");
      return;
    }
  self.chosen = g_hash_table_new (NULL, NULL);
  self.read = g_hash_table_new (NULL, NULL);
  self.repeated = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < weft_value_length (graph->recompute); i++)
    {
      const WeftValue *item = weft_value_item (graph->recompute, i);
      if (weft_value_kind (item) == WEFT_VALUE_SCALAR)
        choose (&self, item);
      else
        weft_problems_add (problems, weft_value_mark (item), "recompute takes paths, such as t.bert.layer.*");
    }
  if (weft_problems_count (problems) == before)
    repeat_chosen (&self);
  g_hash_table_unref (self.chosen);
  g_hash_table_unref (self.read);
  g_hash_table_unref (self.repeated);
}
