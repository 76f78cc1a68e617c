/* Operators without kernels: modules in disguise.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "expand.h"

#include "attributes.h"
#include "edit.h"
#include "settings.h"

void
weft_expand_composition (WeftScope *scope, const char *name, const WeftOperator *op, WeftValue *map, WeftMark mark)
{
  g_autoptr (WeftProblems) own_problems = weft_problems_new ();
  g_autofree char *edited = weft_edits_within (scope->graph->pipeline->edits, scope, name);
  g_autofree char *file = g_strdup_printf ("<composition of %s%s%s>", op->name, edited ? ", edited at " : "", edited ? edited : "");
  g_autoptr (WeftValue) body = weft_document_parse (op->composition, -1, file, own_problems);
  g_autoptr (WeftValue) attributes = weft_value_new_map (mark);
  g_autofree char *path = weft_scope_join (scope->path, name);
  g_autofree char *what = NULL;
  WeftNode *probe;
  WeftEntity *instance;

  for (guint i = 0; i < weft_problems_count (own_problems); i++)
    weft_problems_add (scope->problems, mark, "%s", weft_problems_get (own_problems, i));
  if (!body)
    return;
  probe = weft_node_new (op, path, path, mark);
  weft_expand_check_keys (probe, map, scope->problems);
  if (weft_attributes_store (probe, map, scope->problems))
    for (const WeftAttribute *attribute = op->attributes; attribute && attribute->name; attribute++)
      {
        WeftValue *given = weft_value_lookup (map, attribute->name);
        weft_value_set (attributes, attribute->name, mark,
                        given ? weft_value_ref (given) : weft_value_new_scalar (attribute->fallback, FALSE, mark));
      }
  weft_node_free (probe);
  what = g_strconcat ("operator ", op->name, NULL);
  instance = weft_expand_body (scope, name, what, body, attributes, mark);
  weft_settings_read (instance->inner, map);
  for (const WeftPort *port = op->inputs; port && port->name; port++)
    {
      WeftValue *reference = weft_value_lookup (map, port->name);
      if (reference)
        weft_expand_bind (instance, port->name, scope, reference);
      else if (!(port->flags & WEFT_PORT_OPTIONAL))
        weft_problems_add (scope->problems, mark, "operator %s (node `%s`) needs input \"%s\": %s", op->name, name, port->name,
                           port->meaning ? port->meaning : "");
    }
  weft_expand_nodes (instance->inner, instance->body, instance->outputs);
}
