/* Edits on the nodes of one body: insert.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "edit-private.h"

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
      gboolean same = strcmp (text, from) == 0 || (node && strcmp (text, node) == 0) || (!dot && weft_edit_refers_to (value, from));
      return same ? weft_value_new_scalar (to, FALSE, mark) : NULL;
    }
  gboolean any = FALSE, map = weft_edit_is_map (value);
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
report_between (WeftEditBody *body, const WeftEdit *edit, const char *node, const char *port, const WeftValue *map)
{
  WeftKind kind = { 0 };
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  if (map)
    kind = weft_edit_body_kind (body, map);
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

/* "drop, x" */
static char *
name_references (const WeftValue *value)
{
  if (weft_value_kind (value) == WEFT_VALUE_SCALAR)
    return g_strdup (weft_value_text (value));
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < weft_value_length (value); i++)
    g_ptr_array_add (names, name_references (weft_value_item (value, i)));
  g_ptr_array_add (names, NULL);
  return g_strjoinv (", ", (char **) names->pdata);
}

void
weft_edit_insert (WeftEditBody *body, WeftEdit *edit)
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
  WeftKind reader = map ? weft_edit_body_kind (body, map) : (WeftKind){ 0 }, new = weft_edit_body_kind (body, edit->value);
  const char *port = dot ? dot + 1 : map ? weft_edit_main_input (&reader) : NULL, *input = weft_edit_main_input (&new);
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
      g_autofree char *reads = name_references (value);
      weft_problems_add (body->edits->problems, weft_value_mark (edit->from), "`%s.%s` does not read `%s`; it reads %s", node, port, from,
                         reads);
      return;
    }
  g_autoptr (WeftValue) inserted = weft_edit_copy (edit->value);
  gboolean reads = FALSE;
  for (guint i = 0; i < weft_value_length (inserted); i++)
    reads |= weft_edit_kind_has_input (&new, weft_value_key (inserted, i)) && weft_edit_mentions (weft_value_item (inserted, i), from);
  if (!reads && input && !weft_value_lookup (inserted, input))
    weft_value_set (inserted, input, weft_value_mark (edit->from), weft_value_new_scalar (from, FALSE, weft_value_mark (edit->from)));
  else if (!reads && (new.op || new.module))
    weft_problems_add (body->edits->problems, weft_value_mark (edit->value),
                       "what is inserted has several inputs: say in `with:` which one reads `%s`", from);
  WeftValue *reader_map = weft_edit_copy (map);
  weft_value_set (reader_map, port, edit->mark, changed);
  weft_value_set (body->nodes, node, weft_value_mark (map), reader_map);
  weft_value_set (body->nodes, name, edit->mark, g_steal_pointer (&inserted));
  g_autofree char *address = weft_edit_address (body->scope, name), *kind = weft_edit_name_kind (edit->value);
  weft_edit_say (body->edits, "insert `%s` (%s) between `%s` and `%s.%s`", address, kind, from, node, port);
}
