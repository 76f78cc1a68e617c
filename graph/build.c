/* Composed documents to graphs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "core.h"
#include "edit.h"
#include "expand.h"
#include "settings.h"
#include "stages.h"

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
      g_autofree char *path = weft_scope_join (scope->path, entity->name);
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

  for (guint port = 0; port < weft_port_count (node->op->inputs); port++)
    minimizes |= (node->op->inputs[port].flags & WEFT_PORT_OBJECTIVE) && node->inputs[port].n;
  return minimizes && node->op->slots;
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
  weft_expand_nodes (scope, nodes, weft_value_lookup (definition, "collect"));
  if (pipeline->written > WEFT_MOST_NODES)
    return;
  weft_scope_connect (scope);
  weft_edits_note_bypasses (scope->graph->pipeline->edits, scope);
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
      if (node->op->is_source && graph->source)
        weft_problems_add (problems, node->mark, "graph %s iterates over `%s` already; `%s` would be a second source", graph->name,
                           graph->source->path, node->path);
      else if (node->op->is_source)
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
