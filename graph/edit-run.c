/* What the run section says of nodes that edits have taken away.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "edit-private.h"
#include "registry.h"

/* Values of the log and the watches whose node an edit has taken away or given another operator. */
static gboolean
lost (const WeftEdits *edits, const WeftGraph *graph, const WeftValue *reference)
{
  if (!reference || weft_value_kind (reference) != WEFT_VALUE_SCALAR || weft_graph_wire (graph, weft_value_text (reference)))
    return FALSE;
  const char *text = weft_value_text (reference), *dot = strchr (text, '.');
  g_autofree char *head = g_strndup (text, dot ? (gsize) (dot - text) : strlen (text));
  g_autofree char *place = g_strconcat (graph->name, ".", head, NULL);
  const char *old = g_hash_table_lookup (edits->touched, place);
  const WeftOperator *op = old && *old ? weft_registry_find (old) : NULL;
  return old && (!op || !dot || weft_port_index (op->outputs, dot + 1) >= 0);
}

static WeftValue *
without_lost (WeftEdits *edits, const WeftGraph *graph, WeftValue *map, const char *path)
{
  if (!weft_edit_is_map (map))
    return weft_value_ref (map);
  WeftValue *rest = weft_value_new_map (weft_value_mark (map));
  for (guint i = 0; i < weft_value_length (map); i++)
    {
      WeftValue *item = weft_value_item (map, i);
      g_autofree char *here = g_strconcat (path, ".", weft_value_key (map, i), NULL);
      /* A histogram's map goes as a whole. */
      const WeftValue *of = weft_edit_is_map (item) ? weft_value_lookup (item, "of") : item;
      if (lost (edits, graph, of))
        weft_edit_say (edits, "left out: `%s`, as `%s` is no more", here, weft_value_text (of));
      else
        weft_value_set (rest, weft_value_key (map, i), weft_value_key_mark (map, i), without_lost (edits, graph, item, here));
    }
  return rest;
}

WeftValue *
weft_edits_run (WeftEdits *edits, WeftValue *run)
{
  const WeftValue *name = edits && weft_edit_is_map (run) ? weft_value_at (run, "train.graph") : NULL;
  const WeftGraph *graph =
      name && weft_value_kind (name) == WEFT_VALUE_SCALAR ? weft_pipeline_graph (edits->pipeline, weft_value_text (name)) : NULL;
  if (!graph)
    return run;
  edits->run = weft_edit_copy (run);
  static const char *const sections[] = { "log", "watch" };
  for (guint i = 0; i < G_N_ELEMENTS (sections); i++)
    {
      WeftValue *section = weft_value_lookup (run, sections[i]);
      g_autofree char *path = g_strconcat ("run.", sections[i], NULL);
      if (section)
        weft_value_set (edits->run, sections[i], weft_value_mark (section), without_lost (edits, graph, section, path));
    }
  return edits->run;
}
