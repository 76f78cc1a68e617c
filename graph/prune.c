/* What nobody needs is not computed: nodes without readers and effects are left out, and listed.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "graph.h"
#include "stages.h"

typedef struct
{
  GHashTable *needed;
  GPtrArray *todo;
} Search;

static void
need (Search *search, WeftNode *node)
{
  if (g_hash_table_add (search->needed, node))
    g_ptr_array_add (search->todo, node);
}

static void
visit_needed (WeftWire *wire, gpointer data)
{
  need (data, wire->node);
}

static gboolean
is_root (const WeftNode *node, gboolean everything)
{
  if (node->op->effect || everything)
    return TRUE;
  for (guint i = 0; i < WEFT_MAX_PORTS; i++)
    if (node->outputs[i] && node->outputs[i]->kept)
      return TRUE;
  return FALSE;
}

static void
visit_read (WeftWire *wire, gpointer data)
{
  (void) data;
  wire->read = TRUE;
}

/* Writers of other nodes' states serve whoever reads those states, and copies of weights whoever borrows them: neither is a purpose in itself. */
static gboolean
serves_others (const WeftNode *node)
{
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    if (node->inputs[port].state_of)
      return TRUE;
  for (const WeftSlot *slot = node->op->slots; slot && slot->name; slot++)
    if (slot->weights)
      return TRUE;
  return FALSE;
}

static void
follow_needs (Search *search)
{
  while (search->todo->len)
    {
      WeftNode *node = g_ptr_array_remove_index_fast (search->todo, search->todo->len - 1);
      weft_node_visit_reads (node, visit_needed, search);
      for (guint i = 0; i < node->after->len; i++)
        need (search, node->after->pdata[i]);
      for (guint port = 0; port < WEFT_MAX_PORTS; port++)
        if (node->inputs[port].state_of)
          need (search, node->inputs[port].state_of);
    }
}

static void
find_needed (WeftGraph *graph, gboolean everything, Search *search)
{
  guint before;

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      WeftNode *node = graph->nodes->pdata[i];
      if (is_root (node, everything) && !serves_others (node))
        need (search, node);
    }
  do
    {
      follow_needs (search);
      before = g_hash_table_size (search->needed);
      for (guint i = 0; i < graph->nodes->len; i++)
        {
          WeftNode *node = graph->nodes->pdata[i];
          for (guint port = 0; port < WEFT_MAX_PORTS; port++)
            if (node->inputs[port].state_of && g_hash_table_contains (search->needed, node->inputs[port].state_of))
              need (search, node);
        }
    }
  while (g_hash_table_size (search->needed) > before);
}

static void
leave_out (WeftGraph *graph, WeftNode *node)
{
  g_ptr_array_add (graph->pruned, g_strdup (node->path));
  for (guint i = 0; i < WEFT_MAX_PORTS; i++)
    if (node->outputs[i])
      node->outputs[i]->node = NULL;
  g_ptr_array_remove (graph->feeds, node);
  if (graph->source == node)
    graph->source = NULL;
  weft_node_free (node);
}

void
weft_prune_graph (WeftGraph *graph, WeftProblems *problems)
{
  Search search = { g_hash_table_new (NULL, NULL), g_ptr_array_new () };
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  gboolean everything = graph->collects->len == 0;

  (void) problems;
  for (guint i = 0; i < graph->nodes->len; i++)
    everything &= !((WeftNode *) graph->nodes->pdata[i])->op->effect;
  find_needed (graph, everything, &search);
  for (guint i = 0; i < graph->wires->len; i++)
    {
      WeftWire *wire = graph->wires->pdata[i];
      wire->read = wire->kept || everything;
      wire->kept |= everything && wire->shape.rank == 0;
    }
  g_ptr_array_set_free_func (graph->nodes, NULL);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      WeftNode *node = graph->nodes->pdata[i];
      if (g_hash_table_contains (search.needed, node))
        {
          g_ptr_array_add (kept, node);
          weft_node_visit_reads (node, visit_read, NULL);
        }
      else
        leave_out (graph, node);
    }
  g_ptr_array_set_size (graph->nodes, 0);
  for (guint i = 0; i < kept->len; i++)
    g_ptr_array_add (graph->nodes, kept->pdata[i]);
  g_ptr_array_set_free_func (graph->nodes, (GDestroyNotify) weft_node_free);
  g_hash_table_unref (search.needed);
  g_ptr_array_unref (search.todo);
}
