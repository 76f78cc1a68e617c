/* A document through all stages: built, edited, inferred, pruned, ordered, differentiated.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

#include <string.h>

#include "edit.h"
#include "stages.h"

/* What the run section mentions is computed and kept: logged values, watched embeddings, metrics. */
static void
keep_mentioned (WeftPipeline *pipeline, const WeftValue *value)
{
  if (weft_value_kind (value) == WEFT_VALUE_MAP || weft_value_kind (value) == WEFT_VALUE_LIST)
    {
      for (guint i = 0; i < weft_value_length (value); i++)
        keep_mentioned (pipeline, weft_value_item (value, i));
      return;
    }
  if (weft_value_kind (value) != WEFT_VALUE_SCALAR)
    return;
  for (guint i = 0; i < pipeline->graphs->len; i++)
    {
      WeftGraph *graph = pipeline->graphs->pdata[i];
      const char *text = weft_value_text (value);
      gsize length = strlen (graph->name);
      WeftWire *wire = weft_graph_wire (graph, text);
      if (!wire && g_str_has_prefix (text, graph->name) && text[length] == '.')
        wire = weft_graph_wire (graph, text + length + 1);
      if (wire)
        wire->read = wire->kept = TRUE;
    }
}

static gboolean
finish_graph (WeftGraph *graph, WeftProblems *problems)
{
  weft_prune_graph (graph, problems);
  if (!weft_order_graph (graph, problems) || !weft_differentiate_graph (graph, problems))
    return FALSE;
  weft_recompute_graph (graph, problems);
  return TRUE;
}

WeftPipeline *
weft_pipeline_build (WeftValue *document, WeftProblems *problems)
{
  g_autoptr (WeftPipeline) pipeline = g_new0 (WeftPipeline, 1);
  WeftValue *name = weft_value_lookup (document, "pipeline");
  guint before = weft_problems_count (problems);

  pipeline->document = weft_value_ref (document);
  pipeline->name = g_strdup (name && weft_value_kind (name) == WEFT_VALUE_SCALAR ? weft_value_text (name) : "unnamed");
  pipeline->networks = g_ptr_array_new ();
  pipeline->graphs = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_graph_free);
  pipeline->variables = g_ptr_array_new ();
  pipeline->run = weft_value_lookup (document, "run");
  pipeline->edits = weft_edits_new (pipeline, problems);
  weft_build_graphs (pipeline, problems);
  weft_edits_finish (pipeline->edits);
  pipeline->run = weft_edits_run (pipeline->edits, pipeline->run);
  if (pipeline->run)
    keep_mentioned (pipeline, pipeline->run);
  for (guint i = 0; i < pipeline->graphs->len; i++)
    weft_infer_graph (pipeline->graphs->pdata[i], problems);
  if (weft_problems_count (problems) > before)
    return NULL;
  weft_edits_bypass (pipeline->edits);
  if (weft_problems_count (problems) > before)
    return NULL;
  for (guint i = 0; i < pipeline->graphs->len; i++)
    finish_graph (pipeline->graphs->pdata[i], problems);
  if (weft_problems_count (problems) > before || !weft_gather_variables (pipeline, problems))
    return NULL;
  for (guint i = 0; i < pipeline->graphs->len; i++)
    weft_order_graph (pipeline->graphs->pdata[i], problems);
  return weft_problems_count (problems) > before ? NULL : g_steal_pointer (&pipeline);
}

void
weft_pipeline_free (WeftPipeline *pipeline)
{
  g_clear_pointer (&pipeline->edits, weft_edits_free);
  g_ptr_array_unref (pipeline->graphs);
  for (guint i = 0; i < pipeline->networks->len; i++)
    {
      WeftNetwork *network = pipeline->networks->pdata[i];
      g_clear_pointer (&network->load, weft_value_unref);
      g_free (network);
    }
  g_ptr_array_unref (pipeline->networks);
  for (guint i = 0; i < pipeline->variables->len; i++)
    {
      WeftVariable *variable = pipeline->variables->pdata[i];
      g_free (variable->path);
      g_free ((char *) variable->initial);
      g_free (variable->copy_of);
      g_free (variable);
    }
  g_ptr_array_unref (pipeline->variables);
  weft_value_unref (pipeline->document);
  g_free (pipeline->name);
  g_free (pipeline);
}
