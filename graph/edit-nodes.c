/* Edits on the nodes of one body: set, rewire, replace, insert, remove.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "compose.h"
#include "edit-private.h"
#include "registry.h"

typedef struct
{
  WeftEdits *edits;
  WeftScope *scope; /* NULL among networks */
  WeftValue *nodes; /* an own copy, by name */
  const WeftValue *kept;
  gboolean refused; /* a removal */
} Body;

static WeftValue *
copy_map (const WeftValue *map)
{
  WeftValue *copy = weft_value_new_map (weft_value_mark (map));
  for (guint i = 0; i < weft_value_length (map); i++)
    weft_value_set (copy, weft_value_key (map, i), weft_value_key_mark (map, i), weft_value_ref (weft_value_item (map, i)));
  return copy;
}

static gboolean
is_map (const WeftValue *value)
{
  return value && weft_value_kind (value) == WEFT_VALUE_MAP;
}

static WeftKind
kind_of (const Body *body, const WeftValue *map)
{
  WeftKind kind = weft_edit_kind (body->edits, map);
  kind.network = body->scope == NULL;
  return kind;
}

/* A copy of @map with the value at @path (elements joined by dots; keys may hold dots) set. Returns: (nullable): NULL if reported */
static WeftValue *
set_within (Body *body, const WeftEdit *edit, const WeftValue *map, const char *path, const char *where, gboolean top)
{
  const WeftValue *whole = weft_value_lookup (map, path);
  const char *dot = whole ? NULL : strchr (path, '.');
  g_autofree char *head = dot ? g_strndup (path, (gsize) (dot - path)) : g_strdup (path);
  WeftValue *before = weft_value_lookup (map, head), *copy = copy_map (map);
  g_autofree char *here = g_strconcat (where, ".", head, NULL);
  if (dot && (is_map (before) || (top && !before)))
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
set_attribute (Body *body, WeftEdit *edit, const char *name, WeftValue *map)
{
  guint length = g_strv_length (edit->pattern);
  WeftKind kind = kind_of (body, map);
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
rewire_input (Body *body, WeftEdit *edit, const char *name, WeftValue *map)
{
  guint n = g_strv_length (edit->pattern) - 1;
  const char *key = edit->pattern[n];
  WeftKind kind = kind_of (body, map);
  if (!body->scope || !weft_edit_kind_has_input (&kind, key) || !weft_edit_matches (edit, n, body->scope, name))
    return NULL;
  edit->matched++;
  WeftValue *changed = copy_map (map);
  g_autofree char *address = weft_edit_address (body->scope, name);
  if (edit->value)
    weft_value_set (changed, key, edit->mark, weft_value_ref (edit->value));
  else
    weft_value_remove (changed, key);
  g_autofree char *to = edit->value ? g_strchomp (weft_document_print (edit->value)) : g_strdup ("nothing");
  weft_edit_say (body->edits, "rewire `%s.%s` to %s", address, key, to);
  return changed;
}

static void
touch (Body *body, const char *name, const WeftValue *map)
{
  const WeftValue *op = is_map (map) ? weft_value_lookup (map, "op") : NULL;
  if (!body->scope || body->scope->parent)
    return;
  g_hash_table_replace (body->edits->touched, weft_edit_place (body->scope, name),
                        g_strdup (op && weft_value_kind (op) == WEFT_VALUE_SCALAR ? weft_value_text (op) : ""));
}

/* The only required input of @kind, or its only one. */
static const char *
main_input (const WeftKind *kind)
{
  const char *only = NULL;
  guint n = 0;
  for (const WeftPort *port = kind->operator? kind->operator->inputs : NULL; port && port->name; port++)
    if (!(port->flags & WEFT_PORT_OPTIONAL))
      {
        only = port->name;
        n++;
      }
  const WeftValue *inputs = kind->module ? weft_value_lookup (kind->module, "inputs") : NULL;
  for (guint i = 0; is_map (inputs) && i < weft_value_length (inputs); i++, n++)
    only = weft_value_key (inputs, i);
  return n == 1 ? only : NULL;
}

/* Inputs keep their names; a single input keeps its value whatever it is called; modules keep attributes that both have. */
static WeftValue *
replaced (Body *body, const WeftEdit *edit, const WeftValue *old)
{
  WeftValue *new = copy_map (edit->value);
  WeftKind before = kind_of (body, old), after = kind_of (body, edit->value);
  const char *from = main_input (&before), *to = main_input (&after);
  for (guint i = 0; i < weft_value_length (old); i++)
    {
      const char *key = weft_value_key (old, i);
      gboolean input = weft_edit_kind_has_input (&before, key) && weft_edit_kind_has_input (&after, key);
      gboolean attribute = before.module && after.module && !before.use && !after.use && weft_edit_kind_has_attribute (&before, key)
                           && weft_edit_kind_has_attribute (&after, key) && strcmp (key, "load") != 0;
      if (!weft_value_lookup (new, key) && (input || attribute || strcmp (key, "mode") == 0))
        weft_value_set (new, key, weft_value_key_mark (old, i), weft_value_ref (weft_value_item (old, i)));
    }
  if (from && to && !weft_value_lookup (new, to) && weft_value_lookup (old, from))
    weft_value_set (new, to, edit->mark, weft_value_ref (weft_value_lookup (old, from)));
  return new;
}

static char *
name_kind (const WeftValue *map)
{
  static const char *const keys[] = { "op", "use", "module" };
  for (guint i = 0; i < G_N_ELEMENTS (keys) && is_map (map); i++)
    {
      const WeftValue *value = weft_value_lookup (map, keys[i]);
      if (value && weft_value_kind (value) == WEFT_VALUE_SCALAR)
        return g_strdup_printf ("%s %s", keys[i], weft_value_text (value));
    }
  return g_strdup ("nothing");
}

static WeftValue *
replace_node (Body *body, WeftEdit *edit, const char *name, WeftValue *map)
{
  if (!weft_edit_matches (edit, g_strv_length (edit->pattern), body->scope, name))
    return NULL;
  edit->matched++;
  touch (body, name, map);
  g_autofree char *address = weft_edit_address (body->scope, name), *old = name_kind (map), *new = name_kind (edit->value);
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
without_frozen (Body *body, const WeftEdit *edit, const char *name, const WeftValue *map)
{
  WeftKind kind = kind_of (body, map);
  WeftValue *changed = NULL;
  for (const WeftAttribute *attribute = kind.operator? kind.operator->attributes : NULL; attribute && attribute->name; attribute++)
    {
      const WeftValue *factors = attribute->kind == WEFT_ATTRIBUTE_NUMBERS ? weft_value_lookup (map, attribute->name) : NULL;
      if (!is_map (factors))
        continue;
      g_autoptr (WeftValue) rest = copy_map (factors);
      g_autofree char *address = weft_edit_address (body->scope, name);
      for (guint i = 0; i < weft_value_length (factors); i++)
        if (is_frozen_by (edit, weft_value_key (factors, i)))
          {
            weft_value_remove (rest, weft_value_key (factors, i));
            weft_edit_say (body->edits, "left out: `%s.%s` of %s, which is frozen", address, attribute->name, weft_value_key (factors, i));
          }
      if (weft_value_length (rest) == weft_value_length (factors))
        continue;
      changed = changed ? changed : copy_map (map);
      if (weft_value_length (rest))
        weft_value_set (changed, attribute->name, weft_value_mark (factors), weft_value_ref (rest));
      else
        weft_value_remove (changed, attribute->name);
    }
  return changed;
}

/* An edit of one node alone. Returns: (transfer full) (nullable): the node afterwards; NULL if it stays as it is */
static WeftValue *
edit_node (Body *body, WeftEdit *edit, const char *name, WeftValue *map)
{
  if (!is_map (map))
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
static gboolean
refers_to (const WeftValue *reference, const char *name)
{
  gsize length = strlen (name);
  if (weft_value_kind (reference) != WEFT_VALUE_SCALAR || !g_str_has_prefix (weft_value_text (reference), name))
    return FALSE;
  char end = weft_value_text (reference)[length];
  return end == '\0' || end == '.';
}

static gboolean
mentions (const WeftValue *value, const char *name)
{
  if (weft_value_length (value) == 0)
    return refers_to (value, name);
  for (guint i = 0; i < weft_value_length (value); i++)
    if (mentions (weft_value_item (value, i), name))
      return TRUE;
  return FALSE;
}

/* @value of a variadic input without the references to @name; NULL if nothing is left. */
static WeftValue *
without_reference (const WeftValue *value, const char *name)
{
  if (weft_value_length (value) == 0)
    return NULL;
  gboolean map = is_map (value);
  WeftValue *rest = map ? weft_value_new_map (weft_value_mark (value)) : weft_value_new_list (weft_value_mark (value));
  for (guint i = 0; i < weft_value_length (value); i++)
    {
      WeftValue *item = weft_value_item (value, i);
      if (refers_to (item, name))
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
  for (const WeftPort *port = kind->operator? kind->operator->inputs : NULL; port && port->name; port++)
    if (port->flags & WEFT_PORT_STATE_OF)
      return TRUE;
  return FALSE;
}

static void remove_node (Body *body, WeftEdit *edit, const char *name, const char *because);

/* Takes references to the removed @name out of node @reader. Returns: whether @reader is to go too */
static gboolean
detach (Body *body, WeftEdit *edit, const char *reader, const char *name)
{
  WeftValue *map = weft_value_lookup (body->nodes, reader);
  WeftKind kind = kind_of (body, map);
  g_autoptr (WeftValue) changed = copy_map (map);
  g_autofree char *address = weft_edit_address (body->scope, reader), *gone = weft_edit_address (body->scope, name);
  for (guint i = 0; i < weft_value_length (map); i++)
    {
      const char *key = weft_value_key (map, i);
      const WeftValue *value = weft_value_item (map, i);
      if (!weft_edit_kind_has_input (&kind, key) || !mentions (value, name))
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
remove_node (Body *body, WeftEdit *edit, const char *name, const char *because)
{
  g_autofree char *own = g_strdup (name);
  g_autofree char *address = weft_edit_address (body->scope, own);
  g_autoptr (WeftValue) map = weft_value_ref (weft_value_lookup (body->nodes, own));
  WeftMark mark = weft_value_mark (map);
  touch (body, own, map);
  body->refused = FALSE;
  ((WeftKnown *) g_hash_table_lookup (body->edits->known, address))->removed = edit->mark;
  if (because)
    weft_edit_say (body->edits, "  with it: `%s`, which serves `%s`", address, because);
  else
    weft_edit_say (body->edits, "remove `%s`", address);
  weft_value_remove (body->nodes, own);
  for (guint i = 0; body->kept && i < weft_value_length (body->kept); i++)
    if (mentions (weft_value_item (body->kept, i), own))
      {
        weft_problems_add (body->edits->problems, edit->mark,
                           "`%s` can't be removed: it gives `%s` its output \"%s\"; bypass or replace it", address, body->scope->address,
                           weft_value_key (body->kept, i));
        body->refused = TRUE;
      }
  g_autoptr (GPtrArray) readers = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < weft_value_length (body->nodes); i++)
    if (is_map (weft_value_item (body->nodes, i)) && mentions (weft_value_item (body->nodes, i), own))
      g_ptr_array_add (readers, g_strdup (weft_value_key (body->nodes, i)));
  for (guint i = 0; i < readers->len; i++)
    if (weft_value_lookup (body->nodes, readers->pdata[i]) && detach (body, edit, readers->pdata[i], own))
      remove_node (body, edit, readers->pdata[i], own);
  if (body->refused) /* back, so that nobody misses it as well */
    weft_value_set (body->nodes, own, mark, g_steal_pointer (&map));
}

static void
remove_nodes (Body *body, WeftEdit *edit)
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

/* "gpo" of "gpo", "image.gpo" and, in the scope image, "image.gpo". */
static const char *
beside (const WeftEdit *edit, const char *text)
{
  const char *last = strrchr (edit->text, '.');
  gsize length = (gsize) (last - edit->text) + 1;
  return strncmp (text, edit->text, length) == 0 ? text + length : text;
}

/* @value with its references to @from replaced by @to; NULL if there are none. */
static WeftValue *
with_reference (const WeftValue *value, const char *from, const char *to, WeftMark mark)
{
  if (weft_value_kind (value) == WEFT_VALUE_SCALAR)
    {
      const char *text = weft_value_text (value), *dot = strrchr (from, '.');
      g_autofree char *node = dot ? g_strndup (from, (gsize) (dot - from)) : NULL;
      gboolean same = strcmp (text, from) == 0 || (node && strcmp (text, node) == 0) || (!dot && refers_to (value, from));
      return same ? weft_value_new_scalar (to, FALSE, mark) : NULL;
    }
  gboolean any = FALSE, map = is_map (value);
  g_autoptr (WeftValue) copy = map ? weft_value_new_map (mark) : weft_value_new_list (mark);
  for (guint i = 0; i < weft_value_length (value); i++)
    {
      WeftValue *item = weft_value_item (value, i), *changed = any ? NULL : with_reference (item, from, to, mark);
      any |= changed != NULL;
      item = changed ? changed : weft_value_ref (item);
      if (map)
        weft_value_set (copy, weft_value_key (value, i), weft_value_key_mark (value, i), item);
      else
        weft_value_append (copy, item);
    }
  return any ? g_steal_pointer (&copy) : NULL;
}

static void
report_between (Body *body, const WeftEdit *edit, const char *node, const char *port, const WeftValue *map)
{
  WeftKind kind = { 0 };
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  if (map)
    kind = kind_of (body, map);
  if (!map)
    for (guint i = 0; i < weft_value_length (body->nodes); i++)
      g_ptr_array_add (names, (gpointer) weft_value_key (body->nodes, i));
  for (guint i = 0; map && i < weft_value_length (map); i++)
    if (weft_edit_kind_has_input (&kind, weft_value_key (map, i)))
      g_ptr_array_add (names, (gpointer) weft_value_key (map, i));
  g_ptr_array_add (names, NULL);
  g_autofree char *hint = weft_suggestion (map ? port : node, (const char *const *) names->pdata);
  WeftMark mark = weft_value_mark (edit->to);
  if (map)
    weft_problems_add (body->edits->problems, mark, "`%s` reads nothing at \"%s\"%s", node, port, hint);
  else
    weft_problems_add (body->edits->problems, mark, "there is no \"%s\" in `%s` to insert before%s", node, body->scope->address, hint);
}

static void
insert_node (Body *body, WeftEdit *edit)
{
  guint n = g_strv_length (edit->pattern) - 1;
  const char *name = edit->pattern[n], *from = beside (edit, weft_value_text (edit->from)), *to = beside (edit, weft_value_text (edit->to));
  gboolean here = n > 0 && (weft_edit_pattern_matches (edit->pattern, n, body->scope->address));
  if (!here && n > 0)
    {
      g_autofree char *place = g_strconcat (body->scope->graph->name, *body->scope->path ? "." : "", body->scope->path, NULL);
      here = weft_edit_pattern_matches (edit->pattern, n, place);
    }
  if (!here)
    return;
  edit->matched++;
  const char *dot = strrchr (to, '.');
  g_autofree char *node = g_strndup (to, dot ? (gsize) (dot - to) : strlen (to));
  WeftValue *map = weft_value_lookup (body->nodes, node);
  WeftKind reader = map ? kind_of (body, map) : (WeftKind){ 0 }, new = kind_of (body, edit->value);
  const char *port = dot ? dot + 1 : map ? main_input (&reader) : NULL, *input = main_input (&new);
  WeftValue *value = map && port ? weft_value_lookup (map, port) : NULL;
  if (weft_value_lookup (body->nodes, name))
    {
      weft_problems_add (body->edits->problems, edit->mark, "`%s` has a \"%s\" already; give what is inserted another name",
                         body->scope->address, name);
      return;
    }
  if (!value)
    {
      report_between (body, edit, node, port ? port : "", map);
      return;
    }
  WeftValue *changed = with_reference (value, from, name, edit->mark);
  if (!changed)
    {
      g_autofree char *reads = g_strchomp (weft_document_print (value));
      weft_problems_add (body->edits->problems, weft_value_mark (edit->from), "`%s.%s` does not read `%s`; it reads %s", node, port, from,
                         reads);
      return;
    }
  g_autoptr (WeftValue) inserted = copy_map (edit->value);
  gboolean reads = FALSE;
  for (guint i = 0; i < weft_value_length (inserted); i++)
    reads |= weft_edit_kind_has_input (&new, weft_value_key (inserted, i)) && mentions (weft_value_item (inserted, i), from);
  if (!reads && input && !weft_value_lookup (inserted, input))
    weft_value_set (inserted, input, weft_value_mark (edit->from), weft_value_new_scalar (from, FALSE, weft_value_mark (edit->from)));
  else if (!reads && (new.operator|| new.module))
    weft_problems_add (body->edits->problems, weft_value_mark (edit->value),
                       "what is inserted has several inputs: say in `with:` which one reads `%s`", from);
  WeftValue *reader_map = copy_map (map);
  weft_value_set (reader_map, port, edit->mark, changed);
  weft_value_set (body->nodes, node, weft_value_mark (map), reader_map);
  weft_value_set (body->nodes, name, edit->mark, g_steal_pointer (&inserted));
  g_autofree char *address = weft_edit_address (body->scope, name), *kind = name_kind (edit->value);
  weft_edit_say (body->edits, "insert `%s` (%s) between `%s` and `%s.%s`", address, kind, from, node, port);
}

static void
know_all (const Body *body)
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
  if (!edits || !is_map (nodes))
    return weft_value_ref (nodes);
  Body body = { edits, scope, copy_map (nodes), kept, FALSE };
  know_all (&body);
  for (guint e = 0; e < edits->edits->len; e++)
    {
      WeftEdit *edit = edits->edits->pdata[e];
      if (edit->verb == WEFT_EDIT_REMOVE)
        remove_nodes (&body, edit);
      else if (edit->verb == WEFT_EDIT_INSERT)
        insert_node (&body, edit);
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
  Body body = { edits, scope, NULL, NULL, FALSE };
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
  if (!edits || !is_map (map))
    return result;
  Body body = { edits, NULL, NULL, NULL, FALSE };
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
      frozen = TRUE;
    }
  return frozen;
}

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
  const WeftOperator *operator= old && * old ? weft_registry_find (old) : NULL;
  return old && (!operator|| !dot || weft_port_index (operator->outputs, dot + 1) >= 0);
}

static WeftValue *
without_lost (WeftEdits *edits, const WeftGraph *graph, WeftValue *map, const char *path)
{
  if (!is_map (map))
    return weft_value_ref (map);
  WeftValue *rest = weft_value_new_map (weft_value_mark (map));
  for (guint i = 0; i < weft_value_length (map); i++)
    {
      WeftValue *item = weft_value_item (map, i);
      g_autofree char *here = g_strconcat (path, ".", weft_value_key (map, i), NULL);
      if (lost (edits, graph, item))
        weft_edit_say (edits, "left out: `%s`, as `%s` is no more", here, weft_value_text (item));
      else
        weft_value_set (rest, weft_value_key (map, i), weft_value_key_mark (map, i), without_lost (edits, graph, item, here));
    }
  return rest;
}

WeftValue *
weft_edits_run (WeftEdits *edits, WeftValue *run)
{
  const WeftValue *name = edits && is_map (run) ? weft_value_at (run, "train.graph") : NULL;
  const WeftGraph *graph =
      name && weft_value_kind (name) == WEFT_VALUE_SCALAR ? weft_pipeline_graph (edits->pipeline, weft_value_text (name)) : NULL;
  if (!graph)
    return run;
  edits->run = copy_map (run);
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
