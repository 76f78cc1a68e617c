/* A graph's source replaced by feeds, so that somebody else gives the items.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "core.h"
#include "restrict.h"
#include "stages.h"

/* Somebody runs after @source beside what wires say, or works on its states. */
static const WeftNode *
find_dependent (const WeftGraph *graph, const WeftNode *source)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      gboolean depends = node->of == source;
      for (guint k = 0; k < node->after->len; k++)
        depends |= node->after->pdata[k] == source;
      for (guint port = 0; port < WEFT_MAX_PORTS; port++)
        depends |= node->inputs[port].state_of == source;
      if (depends)
        return node;
    }
  return NULL;
}

/* A feed that says what @wire is; shapes, and with them bounds, stay as they were inferred. */
static WeftNode *
feed_for (const WeftNode *source, WeftWire *wire)
{
  g_autofree char *path = g_strconcat (source->path, ".", source->op->outputs[wire->port].name, NULL);
  g_autofree char *store_path = g_strconcat (source->store_path, ".", source->op->outputs[wire->port].name, NULL);
  WeftNode *feed = weft_node_new (&weft_feed_operator, path, store_path, source->mark);
  feed->attributes = g_new0 (WeftFeed, 1);
  feed->mode = source->mode;
  feed->outputs[0] = wire;
  wire->node = feed;
  wire->port = 0;
  return feed;
}

gboolean
weft_graph_replace_source (WeftGraph *graph, GError **error)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  WeftNode *source = graph->source;
  const WeftNode *dependent = find_dependent (graph, source);
  if (dependent)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "graph `%s`: `%s` needs more of the source `%s` than its outputs", graph->name,
                   dependent->path, source->path);
      return FALSE;
    }
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    {
      WeftWire *wire = source->outputs[port];
      if (wire && wire->read)
        {
          WeftNode *feed = feed_for (source, wire);
          g_ptr_array_insert (graph->nodes, 0, feed);
          g_ptr_array_add (graph->feeds, feed);
        }
      else if (wire)
        {
          wire->node = NULL;
          wire->kept = FALSE;
        }
    }
  graph->source = NULL;
  g_ptr_array_remove (graph->nodes, source);
  weft_order_graph (graph, problems);
  return weft_problems_to_error (problems, error);
}
