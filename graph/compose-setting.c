/* Settings of the command line, `path=value`, as documents to merge.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "compose-private.h"

#include <string.h>

#define LONGEST_PATH 64

/* @value with the mark of the command line on all its parts. */
static WeftValue *
remark (const WeftValue *value, WeftMark mark)
{
  WeftValueKind kind = weft_value_kind (value);
  if (kind == WEFT_VALUE_NULL)
    return weft_value_new_null (mark);
  if (kind == WEFT_VALUE_SCALAR)
    return weft_value_new_scalar (weft_value_text (value), weft_value_is_quoted (value), mark);
  WeftValue *copy = kind == WEFT_VALUE_MAP ? weft_value_new_map (mark) : weft_value_new_list (mark);
  for (guint i = 0; i < weft_value_length (value); i++)
    if (kind == WEFT_VALUE_MAP)
      weft_value_set (copy, weft_value_key (value, i), mark, remark (weft_value_item (value, i), mark));
    else
      weft_value_append (copy, remark (weft_value_item (value, i), mark));
  return copy;
}

void
weft_compose_report_step (WeftComposer *self, const WeftValue *map, const char *setting, const char *path, const char *what, WeftMark mark)
{
  g_autofree char *key = g_strndup (path, strcspn (path, "."));
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; map && i < weft_value_length (map); i++)
    g_ptr_array_add (names, (gpointer) weft_value_key (map, i));
  g_ptr_array_add (names, NULL);
  g_autofree char *suggestion = weft_suggestion (key, (const char *const *) names->pdata);
  weft_problems_add (self->problems, mark, "%s: there is no %s \"%s\"%s", setting, what, key, suggestion);
}

WeftValue *
weft_compose_nest (WeftComposer *self, const WeftValue *base, const char *path, WeftValue *value, const char *setting, gboolean free,
                   WeftMark mark)
{
  gboolean is_map = base && weft_value_kind (base) == WEFT_VALUE_MAP, present = is_map && weft_value_lookup (base, path);
  const char *dot = present ? NULL : strchr (path, '.');
  for (const char *end = dot; end && is_map; end = strchr (end + 1, '.'))
    {
      g_autofree char *key = g_strndup (path, (gsize) (end - path));
      if (weft_value_lookup (base, key))
        {
          dot = end;
          break;
        }
    }
  if (base && !is_map)
    {
      weft_problems_add (self->problems, mark, "%s: what should hold \"%s\" is no map", setting, path);
      return NULL;
    }
  g_autofree char *key = dot ? g_strndup (path, (gsize) (dot - path)) : g_strdup (path);
  const WeftValue *child = is_map ? weft_value_lookup (base, key) : NULL;
  if (!free && !child && (dot || weft_value_kind (value) == WEFT_VALUE_NULL))
    {
      weft_compose_report_step (self, is_map ? base : NULL, setting, path, "element", mark);
      return NULL;
    }
  WeftValue *inner = dot ? weft_compose_nest (self, child, dot + 1, value, setting, free, mark) : weft_value_ref (value);
  if (!inner)
    return NULL;
  WeftValue *map = weft_value_new_map (mark);
  weft_value_set (map, key, mark, inner);
  return map;
}

static gboolean
is_in (const WeftValue *document, const char *section, const char *name)
{
  const WeftValue *map = weft_value_lookup (document, section);
  return map && weft_value_kind (map) == WEFT_VALUE_MAP && weft_value_lookup (map, name);
}

/* A path that begins with a graph or a network is that of an edit. */
static WeftValue *
setting_as_edit (const WeftValue *document, const char *path, WeftValue *value, WeftMark mark)
{
  g_autofree char *first = g_strndup (path, strcspn (path, "."));
  gboolean known = is_in (document, "graphs", first) || is_in (document, "networks", first) || strpbrk (first, "*?");
  if (!known || weft_value_lookup (document, first))
    return NULL;
  WeftValue *paths = weft_value_new_map (mark), *edit = weft_value_new_map (mark), *edits = weft_value_new_list (mark),
            *over = weft_value_new_map (mark);
  weft_value_set (paths, path, mark, weft_value_ref (value));
  weft_value_set (edit, "set", mark, paths);
  weft_value_append (edits, edit);
  weft_value_set (over, "edits", mark, edits);
  return over;
}

/* `path=value` as a document to merge; a bare name is a variable. */
static WeftValue *
read_setting (WeftComposer *self, const WeftValue *document, const char *setting)
{
  const WeftMark mark = { .file = "--set" };
  const char *equals = strchr (setting, '=');
  gsize length = equals ? (gsize) (equals - setting) : 0;
  g_autofree char *path = g_strndup (setting, length);
  guint dots = 0;
  for (const char *at = path; *at; at++)
    dots += *at == '.';
  if (length == 0 || !g_utf8_validate (path, -1, NULL) || g_str_has_prefix (path, ".") || g_str_has_suffix (path, ".")
      || strstr (path, "..") || dots > LONGEST_PATH)
    {
      weft_problems_add (self->problems, mark, "\"%.200s\" is no setting: expected PATH=VALUE", setting);
      return NULL;
    }
  g_autofree char *name = g_strdup_printf ("--set %s", path);
  g_autoptr (WeftValue) parsed = weft_document_parse (equals + 1, -1, name, self->problems);
  if (!parsed)
    return NULL;
  g_autoptr (WeftValue) value = equals[1] ? remark (parsed, mark) : weft_value_new_scalar ("", TRUE, mark);
  if (dots)
    {
      gboolean free = g_str_has_prefix (path, "run.");
      gboolean nothing = free && weft_value_kind (value) == WEFT_VALUE_NULL && !weft_value_at (document, path);
      WeftValue *edit = nothing ? NULL : setting_as_edit (document, path, value, mark);
      return nothing || edit ? edit : weft_compose_nest (self, document, path, value, path, free, mark);
    }
  const WeftValue *vars = weft_value_lookup (document, "vars");
  if (!vars || weft_value_kind (vars) != WEFT_VALUE_MAP || !weft_value_lookup (vars, path))
    {
      weft_compose_report_step (self, vars, path, path, "variable", mark);
      return NULL;
    }
  WeftValue *over = weft_value_new_map (mark), *variables = weft_value_new_map (mark);
  weft_value_set (variables, path, mark, g_steal_pointer (&value));
  weft_value_set (over, "vars", mark, variables);
  return over;
}

static void
note_left_out (WeftComposer *self, const WeftValue *before, const WeftValue *document)
{
  const WeftValue *graphs = weft_value_lookup (document, "graphs");
  self->left_out = weft_value_new_list (weft_value_mark (document));
  for (guint i = 0; before && i < weft_value_length (before); i++)
    if (weft_value_kind (before) == WEFT_VALUE_MAP && (!graphs || !weft_value_lookup (graphs, weft_value_key (before, i))))
      weft_value_append (self->left_out, weft_value_new_scalar (weft_value_key (before, i), FALSE, weft_value_key_mark (before, i)));
}

WeftValue *
weft_compose_settings (WeftComposer *self, WeftValue *document)
{
  WeftValue *graphs = weft_value_lookup (document, "graphs");
  g_autoptr (WeftValue) before = graphs ? weft_value_ref (graphs) : NULL;
  for (const char *const *setting = self->composition->settings; setting && *setting; setting++)
    {
      WeftValue *over = read_setting (self, document, *setting);
      weft_compose_note_layer (self, over);
      if (over)
        document = weft_compose_merge (self, document, over);
    }
  note_left_out (self, before, document);
  return document;
}
