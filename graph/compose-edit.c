/* Edits that are done before graphs are built: `set` on the document itself.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "compose-private.h"

#include <string.h>

/* Whether @path begins with a section that @document has. */
static gboolean
is_in_document (const WeftValue *document, const char *path)
{
  static const char *const sections[] = { "vars", "run", "networks", "graphs", "modules", NULL };
  for (const char *const *section = sections; *section; section++)
    if (g_str_has_prefix (path, *section) && path[strlen (*section)] == '.')
      return weft_value_lookup (document, *section) != NULL;
  return FALSE;
}

/* What sets @path of @document; %NULL if that was told to be impossible. */
static WeftValue *
setting_of (WeftComposer *self, const WeftValue *document, const char *path, WeftValue *value, WeftMark mark)
{
  const WeftValue *vars = weft_value_lookup (document, "vars");
  const char *variable = g_str_has_prefix (path, "vars.") ? path + strlen ("vars.") : NULL;
  if (!variable || (vars && weft_value_lookup (vars, variable)))
    return weft_compose_nest (self, document, path, value, "set", g_str_has_prefix (path, "run."), mark);
  weft_compose_report_step (self, vars, path, variable, "variable", mark);
  return NULL;
}

/* Does what @set says of the document. Returns: (transfer full): the paths of @set that say something else */
static WeftValue *
apply (WeftComposer *self, WeftValue **document, const WeftValue *set)
{
  WeftValue *others = weft_value_new_map (weft_value_mark (set));
  for (guint i = 0; i < weft_value_length (set); i++)
    {
      const char *path = weft_value_key (set, i);
      WeftMark mark = weft_value_key_mark (set, i);
      if (!is_in_document (*document, path))
        {
          weft_value_set (others, path, mark, weft_value_ref (weft_value_item (set, i)));
          continue;
        }
      WeftValue *over = setting_of (self, *document, path, weft_value_item (set, i), mark);
      weft_compose_note_layer (self, over);
      if (over)
        *document = weft_compose_merge (self, *document, over);
    }
  return others;
}

/* What is left of edit @entry after its part in the document. Returns: (transfer full) (nullable): nothing is left */
static WeftValue *
apply_entry (WeftComposer *self, WeftValue **document, WeftValue *entry)
{
  const WeftValue *set = weft_compose_is_map (entry) ? weft_value_lookup (entry, "set") : NULL;
  if (!weft_compose_is_map (set))
    return weft_value_ref (entry);
  g_autoptr (WeftValue) others = apply (self, document, set);
  if (weft_value_length (others) == weft_value_length (set) || weft_value_length (entry) > 1)
    return weft_value_ref (entry);
  if (!weft_value_length (others))
    return NULL;
  WeftValue *left = weft_value_new_map (weft_value_mark (entry));
  weft_value_set (left, "set", weft_value_key_mark (entry, 0), g_steal_pointer (&others));
  return left;
}

/* `set` on the document itself (`vars.batch`, `run.train.epochs`) is done before settings; everything else waits for the graphs. */
WeftValue *
weft_compose_edits (WeftComposer *self, WeftValue *document)
{
  WeftValue *edits = weft_value_lookup (document, "edits");
  if (!edits || weft_value_kind (edits) != WEFT_VALUE_LIST)
    return document;
  g_autoptr (WeftValue) list = weft_value_ref (edits);
  g_autoptr (WeftValue) rest = weft_value_new_list (weft_value_mark (list));
  for (guint i = 0; i < weft_value_length (list); i++)
    {
      WeftValue *left = apply_entry (self, &document, weft_value_item (list, i));
      if (left)
        weft_value_append (rest, left);
    }
  if (weft_value_length (rest))
    weft_value_set (document, "edits", weft_value_mark (list), g_steal_pointer (&rest));
  else
    weft_value_remove (document, "edits");
  return document;
}
