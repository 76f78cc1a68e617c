/* Edits on the nodes of one body: remove, and what goes with it.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "edit-private.h"

/* @value of a variadic input without the references to @name; NULL if nothing is left. */
static WeftValue *
without_reference (const WeftValue *value, const char *name)
{
  if (weft_value_length (value) == 0)
    return NULL;
  gboolean map = weft_edit_is_map (value);
  WeftValue *rest = map ? weft_value_new_map (weft_value_mark (value)) : weft_value_new_list (weft_value_mark (value));
  for (guint i = 0; i < weft_value_length (value); i++)
    {
      WeftValue *item = weft_value_item (value, i);
      if (weft_edit_refers_to (item, name))
        continue;
      if (map)
        weft_value_set (rest, weft_value_key (value, i), weft_value_key_mark (value, i), weft_value_ref (item));
      else
        weft_value_append (rest, weft_value_ref (item));
    }
  if (weft_value_length (rest) == 0)
    g_clear_pointer (&rest, weft_value_unref);
  return rest;
}

/* Nodes that only serve what is removed go with it: writers of its state, uses of its weights. */
static gboolean
serves (const WeftKind *kind, const char *key)
{
  if (kind->use)
    return strcmp (key, "weights") == 0;
  for (const WeftPort *port = kind->op ? kind->op->inputs : NULL; port && port->name; port++)
    if (port->flags & WEFT_PORT_STATE_OF)
      return TRUE;
  return FALSE;
}

static void remove_node (WeftEditBody *body, WeftEdit *edit, const char *name, const char *because);

/* Takes references to the removed @name out of node @reader. Returns: whether @reader is to go too */
static gboolean
detach (WeftEditBody *body, WeftEdit *edit, const char *reader, const char *name)
{
  WeftValue *map = weft_value_lookup (body->nodes, reader);
  WeftKind kind = weft_edit_body_kind (body, map);
  g_autoptr (WeftValue) changed = weft_edit_copy (map);
  g_autofree char *address = weft_edit_address (body->scope, reader), *gone = weft_edit_address (body->scope, name);
  for (guint i = 0; i < weft_value_length (map); i++)
    {
      const char *key = weft_value_key (map, i);
      const WeftValue *value = weft_value_item (map, i);
      if (!weft_edit_kind_has_input (&kind, key) || !weft_edit_mentions (value, name))
        continue;
      const WeftPort *port = weft_edit_kind_port (&kind, key);
      WeftValue *rest = port && (port->flags & WEFT_PORT_VARIADIC) ? without_reference (value, name) : NULL;
      if (rest)
        weft_value_set (changed, key, weft_value_key_mark (map, i), rest);
      else if (port && (port->flags & WEFT_PORT_OPTIONAL))
        weft_value_remove (changed, key);
      else if (serves (&kind, key))
        return TRUE;
      else
        {
          weft_problems_add (body->edits->problems, edit->mark,
                             "`%s` can't be removed: `%s` needs it for its input \"%s\"; rewire that, bypass or replace `%s`, or remove "
                             "`%s` too",
                             gone, address, key, gone, address);
          body->refused = TRUE;
          continue;
        }
      weft_edit_say (body->edits, "  with it: input `%s.%s`%s", address, key, rest ? " reads the others" : " is left open");
    }
  weft_value_set (body->nodes, reader, weft_value_mark (map), weft_value_ref (changed));
  return FALSE;
}

static void
remove_node (WeftEditBody *body, WeftEdit *edit, const char *name, const char *because)
{
  g_autofree char *own = g_strdup (name);
  g_autofree char *address = weft_edit_address (body->scope, own);
  g_autoptr (WeftValue) map = weft_value_ref (weft_value_lookup (body->nodes, own));
  WeftMark mark = weft_value_mark (map);
  weft_edit_touch (body, own, map);
  body->refused = FALSE;
  ((WeftKnown *) g_hash_table_lookup (body->edits->known, address))->removed = edit->mark;
  if (because)
    weft_edit_say (body->edits, "  with it: `%s`, which serves `%s`", address, because);
  else
    weft_edit_say (body->edits, "remove `%s`", address);
  weft_value_remove (body->nodes, own);
  for (guint i = 0; body->kept && i < weft_value_length (body->kept); i++)
    if (weft_edit_mentions (weft_value_item (body->kept, i), own))
      {
        weft_problems_add (body->edits->problems, edit->mark,
                           "`%s` can't be removed: it gives `%s` its output \"%s\"; bypass or replace it", address, body->scope->address,
                           weft_value_key (body->kept, i));
        body->refused = TRUE;
      }
  g_autoptr (GPtrArray) readers = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < weft_value_length (body->nodes); i++)
    if (weft_edit_is_map (weft_value_item (body->nodes, i)) && weft_edit_mentions (weft_value_item (body->nodes, i), own))
      g_ptr_array_add (readers, g_strdup (weft_value_key (body->nodes, i)));
  for (guint i = 0; i < readers->len; i++)
    if (weft_value_lookup (body->nodes, readers->pdata[i]) && detach (body, edit, readers->pdata[i], own))
      remove_node (body, edit, readers->pdata[i], own);
  if (body->refused) /* back, so that nobody misses it as well */
    weft_value_set (body->nodes, own, mark, g_steal_pointer (&map));
}

void
weft_edit_remove (WeftEditBody *body, WeftEdit *edit)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < weft_value_length (body->nodes); i++)
    if (weft_edit_matches (edit, g_strv_length (edit->pattern), body->scope, weft_value_key (body->nodes, i)))
      g_ptr_array_add (names, g_strdup (weft_value_key (body->nodes, i)));
  edit->matched += names->len;
  for (guint i = 0; i < names->len; i++)
    if (weft_value_lookup (body->nodes, names->pdata[i]))
      remove_node (body, edit, names->pdata[i], NULL);
}
