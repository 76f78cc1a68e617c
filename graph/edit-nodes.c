/* Edits on the nodes of one body: set, rewire, replace; and the order in which all are applied.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "compose.h"
#include "edit-private.h"

WeftValue *
weft_edit_copy (const WeftValue *map)
{
  WeftValue *copy = weft_value_new_map (weft_value_mark (map));
  for (guint i = 0; i < weft_value_length (map); i++)
    weft_value_set (copy, weft_value_key (map, i), weft_value_key_mark (map, i), weft_value_ref (weft_value_item (map, i)));
  return copy;
}

gboolean
weft_edit_is_map (const WeftValue *value)
{
  return value && weft_value_kind (value) == WEFT_VALUE_MAP;
}

WeftKind
weft_edit_body_kind (const WeftEditBody *body, const WeftValue *map)
{
  WeftKind kind = weft_edit_kind (body->edits, map);
  kind.network = body->scope == NULL;
  return kind;
}

/* A copy of @map with the value at @path (elements joined by dots; keys may hold dots) set. Returns: (nullable): NULL if reported */
static WeftValue *
set_within (WeftEditBody *body, const WeftEdit *edit, const WeftValue *map, const char *path, const char *where, gboolean top)
{
  const WeftValue *whole = weft_value_lookup (map, path);
  const char *dot = whole ? NULL : strchr (path, '.');
  g_autofree char *head = dot ? g_strndup (path, (gsize) (dot - path)) : g_strdup (path);
  WeftValue *before = weft_value_lookup (map, head), *copy = weft_edit_copy (map);
  g_autofree char *here = g_strconcat (where, ".", head, NULL);
  if (dot && (weft_edit_is_map (before) || (top && !before)))
    {
      g_autoptr (WeftValue) empty = weft_value_new_map (edit->mark);
      WeftValue *inner = set_within (body, edit, before ? before : empty, dot + 1, here, FALSE);
      if (inner)
        weft_value_set (copy, head, edit->mark, inner);
      else
        g_clear_pointer (&copy, weft_value_unref);
    }
  else if (dot && before)
    {
      weft_problems_add (body->edits->problems, edit->mark, "`%s` is no map that could hold \"%s\"", here, dot + 1);
      g_clear_pointer (&copy, weft_value_unref);
    }
  else if (weft_value_kind (edit->value) == WEFT_VALUE_NULL)
    weft_value_remove (copy, dot ? path : head);
  else
    weft_value_set (copy, dot ? path : head, edit->mark,
                    before && !dot ? weft_value_merge (before, edit->value) : weft_value_ref (edit->value));
  return copy;
}

/* `set` on one node: every way to cut the path into the node and one of its attributes. */
static WeftValue *
set_attribute (WeftEditBody *body, WeftEdit *edit, const char *name, WeftValue *map)
{
  guint length = g_strv_length (edit->pattern);
  WeftKind kind = weft_edit_body_kind (body, map);
  for (guint n = length - 1; n >= 1; n--)
    {
      const char *key = edit->pattern[n];
      if (strpbrk (key, "*?") || !weft_edit_kind_has_attribute (&kind, key) || !weft_edit_matches (edit, n, body->scope, name))
        continue;
      edit->matched++;
      g_autofree char *path = g_strjoinv (".", edit->pattern + n);
      g_autofree char *address = weft_edit_address (body->scope, name);
      WeftValue *changed = set_within (body, edit, map, path, address, TRUE);
      if (!changed)
        return NULL;
      const WeftValue *was = weft_value_at (map, path);
      g_autofree char *before = was ? g_strchomp (weft_document_print (was)) : g_strdup ("default");
      g_autofree char *after =
          weft_value_kind (edit->value) == WEFT_VALUE_NULL ? g_strdup ("default") : g_strchomp (weft_document_print (edit->value));
      g_strdelimit (before, "\n", ' ');
      g_strdelimit (after, "\n", ' ');
      weft_edit_say (body->edits, "set `%s.%s` to %s, from %s", address, path, after, before);
      return changed;
    }
  return NULL;
}

static WeftValue *
rewire_input (WeftEditBody *body, WeftEdit *edit, const char *name, WeftValue *map)
{
  guint n = g_strv_length (edit->pattern) - 1;
  const char *key = edit->pattern[n];
  WeftKind kind = weft_edit_body_kind (body, map);
  if (!body->scope || !weft_edit_kind_has_input (&kind, key) || !weft_edit_matches (edit, n, body->scope, name))
    return NULL;
  edit->matched++;
  g_autofree char *address = weft_edit_address (body->scope, name);
  int port = kind.op ? weft_port_index (kind.op->inputs, key) : -1;
  if (!edit->value && (port < 0 || !(kind.op->inputs[port].flags & WEFT_PORT_OPTIONAL)))
    {
      weft_problems_add (body->edits->problems, edit->mark, "`%s` needs its input \"%s\"; `null` leaves optional inputs open", address,
                         key);
      return NULL;
    }
  WeftValue *changed = weft_edit_copy (map);
  if (edit->value)
    weft_value_set (changed, key, edit->mark, weft_value_ref (edit->value));
  else
    weft_value_remove (changed, key);
  g_autofree char *to = edit->value ? g_strchomp (weft_document_print (edit->value)) : g_strdup ("nothing");
  weft_edit_say (body->edits, "rewire `%s.%s` to %s", address, key, to);
  return changed;
}

void
weft_edit_touch (WeftEditBody *body, const char *name, const WeftValue *map)
{
  const WeftValue *op = weft_edit_is_map (map) ? weft_value_lookup (map, "op") : NULL;
  if (!body->scope || body->scope->parent)
    return;
  g_hash_table_replace (body->edits->touched, weft_edit_place (body->scope, name),
                        g_strdup (op && weft_value_kind (op) == WEFT_VALUE_SCALAR ? weft_value_text (op) : ""));
}

/* The only required input of @kind, or its only one. */
const char *
weft_edit_main_input (const WeftKind *kind)
{
  const char *only = NULL;
  guint n = 0;
  for (const WeftPort *port = kind->op ? kind->op->inputs : NULL; port && port->name; port++)
    if (!(port->flags & WEFT_PORT_OPTIONAL))
      {
        only = port->name;
        n++;
      }
  const WeftValue *inputs = kind->module ? weft_value_lookup (kind->module, "inputs") : NULL;
  for (guint i = 0; weft_edit_is_map (inputs) && i < weft_value_length (inputs); i++, n++)
    only = weft_value_key (inputs, i);
  return n == 1 ? only : NULL;
}

/* Inputs keep their names; a single input keeps its value whatever it is called; modules keep attributes that both have. */
static WeftValue *
replaced (WeftEditBody *body, const WeftEdit *edit, const WeftValue *old)
{
  WeftValue *new = weft_edit_copy (edit->value);
  WeftKind before = weft_edit_body_kind (body, old), after = weft_edit_body_kind (body, edit->value);
  const char *from = weft_edit_main_input (&before), *to = weft_edit_main_input (&after);
  for (guint i = 0; i < weft_value_length (old); i++)
    {
      const char *key = weft_value_key (old, i);
      gboolean input = weft_edit_kind_has_input (&before, key) && weft_edit_kind_has_input (&after, key);
      gboolean attribute = before.module && after.module && !before.use && !after.use && weft_edit_kind_has_attribute (&before, key)
                           && weft_edit_kind_has_attribute (&after, key) && strcmp (key, "load") != 0;
      if (!weft_value_lookup (new, key) && (input || attribute || strcmp (key, "mode") == 0 || strcmp (key, "compute") == 0))
        weft_value_set (new, key, weft_value_key_mark (old, i), weft_value_ref (weft_value_item (old, i)));
    }
  if (from && to && !weft_value_lookup (new, to) && weft_value_lookup (old, from))
    weft_value_set (new, to, edit->mark, weft_value_ref (weft_value_lookup (old, from)));
  return new;
}

char *
weft_edit_name_kind (const WeftValue *map)
{
  static const char *const keys[] = { "op", "use", "module" };
  for (guint i = 0; i < G_N_ELEMENTS (keys) && weft_edit_is_map (map); i++)
    {
      const WeftValue *value = weft_value_lookup (map, keys[i]);
      if (value && weft_value_kind (value) == WEFT_VALUE_SCALAR)
        return g_strdup_printf ("%s %s", keys[i], weft_value_text (value));
    }
  return g_strdup ("nothing");
}

static WeftValue *
replace_node (WeftEditBody *body, WeftEdit *edit, const char *name, WeftValue *map)
{
  if (!weft_edit_matches (edit, g_strv_length (edit->pattern), body->scope, name))
    return NULL;
  edit->matched++;
  weft_edit_touch (body, name, map);
  g_autofree char *address = weft_edit_address (body->scope, name), *old = weft_edit_name_kind (map),
                  *new = weft_edit_name_kind (edit->value);
  weft_edit_say (body->edits, "replace `%s` (%s) by %s", address, old, new);
  return replaced (body, edit, map);
}

/* What is frozen and what is below it, or NULL if @path is neither. */
static gboolean
is_frozen_by (const WeftEdit *edit, const char *path)
{
  g_autofree char *prefix = g_strdup (path);
  for (char *dot = prefix; dot; dot = strrchr (prefix, '.'))
    {
      if (dot != prefix)
        *dot = '\0';
      if (weft_edit_pattern_matches (edit->pattern, g_strv_length (edit->pattern), prefix))
        return TRUE;
    }
  return FALSE;
}

/* Optimizers refuse factors for parameters that aren't trained: those of what is frozen go. */
static WeftValue *
without_frozen (WeftEditBody *body, const WeftEdit *edit, const char *name, const WeftValue *map)
{
  WeftKind kind = weft_edit_body_kind (body, map);
  WeftValue *changed = NULL;
  for (const WeftAttribute *attribute = kind.op ? kind.op->attributes : NULL; attribute && attribute->name; attribute++)
    {
      const WeftValue *factors = attribute->kind == WEFT_ATTRIBUTE_NUMBERS ? weft_value_lookup (map, attribute->name) : NULL;
      if (!weft_edit_is_map (factors))
        continue;
      g_autoptr (WeftValue) rest = weft_edit_copy (factors);
      g_autofree char *address = weft_edit_address (body->scope, name);
      for (guint i = 0; i < weft_value_length (factors); i++)
        if (is_frozen_by (edit, weft_value_key (factors, i)))
          {
            weft_value_remove (rest, weft_value_key (factors, i));
            weft_edit_say (body->edits, "left out: `%s.%s` of %s, which is frozen", address, attribute->name, weft_value_key (factors, i));
          }
      if (weft_value_length (rest) == weft_value_length (factors))
        continue;
      changed = changed ? changed : weft_edit_copy (map);
      if (weft_value_length (rest))
        weft_value_set (changed, attribute->name, weft_value_mark (factors), weft_value_ref (rest));
      else
        weft_value_remove (changed, attribute->name);
    }
  return changed;
}

/* An edit of one node alone. Returns: (transfer full) (nullable): the node afterwards; NULL if it stays as it is */
static WeftValue *
edit_node (WeftEditBody *body, WeftEdit *edit, const char *name, WeftValue *map)
{
  if (!weft_edit_is_map (map))
    return NULL;
  switch (edit->verb)
    {
    case WEFT_EDIT_SET:
      return set_attribute (body, edit, name, map);
    case WEFT_EDIT_REWIRE:
      return rewire_input (body, edit, name, map);
    case WEFT_EDIT_REPLACE:
      return replace_node (body, edit, name, map);
    case WEFT_EDIT_FREEZE:
      return without_frozen (body, edit, name, map);
    default:
      return NULL;
    }
}

/* Whether @reference is @name or one of its outputs. */
gboolean
weft_edit_refers_to (const WeftValue *reference, const char *name)
{
  gsize length = strlen (name);
  if (weft_value_kind (reference) != WEFT_VALUE_SCALAR || !g_str_has_prefix (weft_value_text (reference), name))
    return FALSE;
  char end = weft_value_text (reference)[length];
  return end == '\0' || end == '.';
}

gboolean
weft_edit_mentions (const WeftValue *value, const char *name)
{
  if (weft_value_length (value) == 0)
    return weft_edit_refers_to (value, name);
  for (guint i = 0; i < weft_value_length (value); i++)
    if (weft_edit_mentions (weft_value_item (value, i), name))
      return TRUE;
  return FALSE;
}

static void
know_all (const WeftEditBody *body)
{
  for (guint i = 0; i < weft_value_length (body->nodes); i++)
    {
      g_autofree char *address = weft_edit_address (body->scope, weft_value_key (body->nodes, i));
      g_autofree char *place = weft_edit_place (body->scope, weft_value_key (body->nodes, i));
      weft_edit_know (body->edits, address, weft_value_item (body->nodes, i));
      weft_edit_know (body->edits, place, weft_value_item (body->nodes, i));
    }
}

WeftValue *
weft_edits_nodes (WeftEdits *edits, WeftScope *scope, WeftValue *nodes, const WeftValue *kept)
{
  if (!edits || !weft_edit_is_map (nodes))
    return weft_value_ref (nodes);
  WeftEditBody body = { edits, scope, weft_edit_copy (nodes), kept, FALSE };
  know_all (&body);
  for (guint e = 0; e < edits->edits->len; e++)
    {
      WeftEdit *edit = edits->edits->pdata[e];
      if (edit->verb == WEFT_EDIT_REMOVE)
        weft_edit_remove (&body, edit);
      else if (edit->verb == WEFT_EDIT_INSERT)
        weft_edit_insert (&body, edit);
      else
        for (guint i = 0; i < weft_value_length (body.nodes); i++)
          {
            WeftValue *changed = edit_node (&body, edit, weft_value_key (body.nodes, i), weft_value_item (body.nodes, i));
            if (changed)
              weft_value_set (body.nodes, weft_value_key (body.nodes, i),
                              edit->verb == WEFT_EDIT_REPLACE ? edit->mark : weft_value_key_mark (body.nodes, i), changed);
          }
    }
  know_all (&body);
  return body.nodes;
}

WeftValue *
weft_edits_instance (WeftEdits *edits, WeftScope *scope, const char *name, WeftValue *map)
{
  WeftValue *result = weft_value_ref (map);
  if (!edits)
    return result;
  WeftEditBody body = { edits, scope, NULL, NULL, FALSE };
  g_autofree char *address = weft_edit_address (scope, name), *place = weft_edit_place (scope, name);
  weft_edit_know (edits, address, map);
  weft_edit_know (edits, place, map);
  for (guint e = 0; e < edits->edits->len; e++)
    {
      WeftEdit *edit = edits->edits->pdata[e];
      WeftValue *changed = edit_node (&body, edit, name, result);
      if (edit->verb == WEFT_EDIT_REMOVE && weft_edit_matches (edit, g_strv_length (edit->pattern), scope, name))
        {
          edit->matched++;
          weft_problems_add (edits->problems, edit->mark, "`%s` is one of a repetition and can't be removed; bypass it, or set `repeat`",
                             address);
        }
      if (!changed)
        continue;
      weft_value_unref (result);
      result = changed;
    }
  return result;
}

WeftValue *
weft_edits_network (WeftEdits *edits, const char *name, WeftValue *map)
{
  WeftValue *result = weft_value_ref (map);
  if (!edits || !weft_edit_is_map (map))
    return result;
  WeftEditBody body = { edits, NULL, NULL, NULL, FALSE };
  weft_edit_know (edits, name, map);
  for (guint e = 0; e < edits->edits->len; e++)
    {
      WeftEdit *edit = edits->edits->pdata[e];
      WeftValue *changed = edit_node (&body, edit, name, result);
      if ((edit->verb == WEFT_EDIT_REMOVE || edit->verb == WEFT_EDIT_BYPASS)
          && weft_edit_matches (edit, g_strv_length (edit->pattern), NULL, name) && !weft_edit_has_glob (edit))
        {
          edit->matched++;
          weft_problems_add (edits->problems, edit->mark, "`%s` is a network; bypass or remove its uses in graphs, or what is inside it",
                             name);
        }
      if (!changed)
        continue;
      if (edit->verb == WEFT_EDIT_REPLACE && !weft_value_lookup (changed, "module"))
        weft_problems_add (edits->problems, weft_value_mark (edit->value), "a network is replaced by `with: {module: NAME}`");
      weft_value_unref (result);
      result = changed;
    }
  return result;
}

gboolean
weft_edits_freezes (WeftEdits *edits, const WeftScope *scope, const char *name)
{
  gboolean frozen = FALSE;
  for (guint e = 0; edits && e < edits->edits->len; e++)
    {
      WeftEdit *edit = edits->edits->pdata[e];
      if (edit->verb != WEFT_EDIT_FREEZE || !weft_edit_matches (edit, g_strv_length (edit->pattern), scope, name))
        continue;
      g_autofree char *address = weft_edit_address (scope, name);
      weft_edit_say (edits, "freeze `%s`", address);
      edit->matched++;
      if (!edit->frozen)
        edit->frozen = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (edit->frozen, g_steal_pointer (&address));
      frozen = TRUE;
    }
  return frozen;
}
