/* Part of a graph: what some of its values need.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "restrict.h"
#include "stages.h"

typedef struct
{
  GHashTable *needed;
  GPtrArray *todo;
} Search;

static void
need (Search *search, WeftNode *node)
{
  if (node && g_hash_table_add (search->needed, node))
    g_ptr_array_add (search->todo, node);
}

static void
visit (WeftWire *wire, gpointer data)
{
  need (data, wire->node);
}

/* A gradient node works on what its forward node was bound to. */
static void
follow (Search *search)
{
  while (search->todo->len)
    {
      WeftNode *node = g_ptr_array_remove_index_fast (search->todo, search->todo->len - 1);
      weft_node_visit_reads (node, visit, search);
      need (search, node->of);
      for (guint i = 0; i < node->after->len; i++)
        need (search, node->after->pdata[i]);
      for (guint port = 0; port < WEFT_MAX_PORTS; port++)
        need (search, node->inputs[port].state_of);
    }
}

gboolean
weft_graph_restrict (WeftGraph *graph, const GPtrArray *wanted, WeftProblems *problems)
{
  Search search = { g_hash_table_new (NULL, NULL), g_ptr_array_new () };
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  for (guint i = 0; i < wanted->len; i++)
    need (&search, wanted->pdata[i]);
  if (graph->source)
    need (&search, graph->source);
  follow (&search);
  g_ptr_array_set_free_func (graph->nodes, NULL);
  for (guint i = 0; i < graph->nodes->len; i++)
    if (g_hash_table_contains (search.needed, graph->nodes->pdata[i]))
      g_ptr_array_add (kept, graph->nodes->pdata[i]);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      WeftNode *node = graph->nodes->pdata[i];
      if (g_hash_table_contains (search.needed, node))
        continue;
      for (guint w = 0; w < graph->wires->len; w++)
        {
          WeftWire *wire = graph->wires->pdata[w];
          if (wire->node == node)
            {
              wire->node = NULL;
              wire->read = wire->kept = FALSE;
            }
        }
      g_ptr_array_remove (graph->feeds, node);
    }
  for (guint i = graph->collects->len; i > 0; i--)
    if (!g_array_index (graph->collects, WeftCollect, i - 1).wire->node)
      {
        g_free (g_array_index (graph->collects, WeftCollect, i - 1).name);
        g_array_remove_index (graph->collects, i - 1);
      }
  for (guint i = 0; i < graph->nodes->len; i++)
    if (!g_hash_table_contains (search.needed, graph->nodes->pdata[i]))
      weft_node_free (graph->nodes->pdata[i]);
  g_ptr_array_set_size (graph->nodes, 0);
  for (guint i = 0; i < kept->len; i++)
    g_ptr_array_add (graph->nodes, kept->pdata[i]);
  g_ptr_array_set_free_func (graph->nodes, (GDestroyNotify) weft_node_free);
  g_hash_table_unref (search.needed);
  g_ptr_array_unref (search.todo);
  return weft_order_graph (graph, problems);
}
