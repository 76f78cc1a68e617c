/* Pipelines that stand for themselves.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "snapshot.h"

#include <string.h>

#include "attributes.h"
#include "name-map.h"
#include "places.h"
#include "recipe.h"
#include "registry.h"

/* Stands for a variable while everything else is resolved. */
#define MARKER_START "@late:"
#define MARKER_END "@"

#define MAX_DEPTH 64

/* "a-@late:split@" as "a-${split}". */
static char *
restore_text (const char *text)
{
  GString *out = g_string_new (NULL);
  for (const char *marker; (marker = strstr (text, MARKER_START));)
    {
      const char *name = marker + strlen (MARKER_START), *end = strstr (name, MARKER_END);
      if (!end)
        break;
      g_string_append_len (out, text, marker - text);
      gboolean whole = out->len == 0 && end[1] == '\0';
      g_string_append_printf (out, whole ? "$%.*s" : "${%.*s}", (int) (end - name), name);
      text = end + 1;
    }
  g_string_append (out, text);
  return g_string_free (out, FALSE);
}

/* A copy with variables in the place of their markers; every map of it may be changed. */
static WeftValue *
restore (const WeftValue *value)
{
  WeftMark mark = weft_value_mark (value);
  WeftValueKind kind = weft_value_kind (value);
  if (kind == WEFT_VALUE_NULL)
    return weft_value_new_null (mark);
  if (kind == WEFT_VALUE_SCALAR)
    {
      g_autofree char *text = restore_text (weft_value_text (value));
      return weft_value_new_scalar (text, weft_value_is_quoted (value), mark);
    }
  WeftValue *copy = kind == WEFT_VALUE_MAP ? weft_value_new_map (mark) : weft_value_new_list (mark);
  for (guint i = 0; i < weft_value_length (value); i++)
    if (kind == WEFT_VALUE_MAP)
      weft_value_set (copy, weft_value_key (value, i), weft_value_key_mark (value, i), restore (weft_value_item (value, i)));
    else
      weft_value_append (copy, restore (weft_value_item (value, i)));
  return copy;
}

static void
make_absolute (WeftValue *map, const char *key)
{
  WeftValue *value = weft_value_lookup (map, key);
  if (!value || weft_value_kind (value) != WEFT_VALUE_SCALAR)
    return;
  const char *text = weft_value_text (value);
  if (!*text || *text == '$')
    return;
  g_autofree char *resolved = weft_resolve_path (text, weft_value_mark (value));
  g_autofree char *absolute = g_canonicalize_filename (resolved, NULL);
  weft_value_set (map, key, weft_value_mark (value), weft_value_new_scalar (absolute, TRUE, weft_value_mark (value)));
}

/* Name maps are looked for in the installation too; where they stand is what counts later. */
static void
make_names_absolute (WeftValue *map)
{
  WeftValue *value = weft_value_lookup (map, "names");
  if (!value || weft_value_kind (value) != WEFT_VALUE_SCALAR)
    return;
  g_autofree char *found = weft_name_map_find (weft_value_text (value), weft_value_mark (value));
  if (!found)
    return;
  g_autofree char *absolute = g_canonicalize_filename (found, NULL);
  weft_value_set (map, "names", weft_value_mark (value), weft_value_new_scalar (absolute, TRUE, weft_value_mark (value)));
}

static const char *
text_at (const WeftValue *map, const char *key)
{
  const WeftValue *value = map && weft_value_kind (map) == WEFT_VALUE_MAP ? weft_value_lookup (map, key) : NULL;
  return value && weft_value_kind (value) == WEFT_VALUE_SCALAR ? weft_value_text (value) : NULL;
}

static gboolean is_path_of_module (const WeftValue *modules, const char *module, const char *attribute, guint depth);

/* Whether the value of @key in a node or network is a path: an attribute of its operator, or of its module that ends in one. */
static gboolean
is_path (const WeftValue *modules, const WeftValue *node, const char *key, guint depth)
{
  const char *name = text_at (node, "op"), *module = text_at (node, "module");
  const WeftOperator *op = name ? weft_registry_find (name) : NULL;
  const WeftAttribute *attribute = op ? weft_operator_attribute (op, key) : NULL;
  return (attribute && attribute->kind == WEFT_ATTRIBUTE_PATH) || (module && is_path_of_module (modules, module, key, depth));
}

static gboolean
is_path_of_module (const WeftValue *modules, const char *module, const char *attribute, guint depth)
{
  const WeftValue *body = modules && depth < MAX_DEPTH ? weft_value_lookup (modules, module) : NULL;
  const WeftValue *nodes = body ? weft_value_lookup (body, "nodes") : NULL;
  for (guint i = 0; nodes && i < weft_value_length (nodes); i++)
    {
      const WeftValue *node = weft_value_item (nodes, i);
      for (guint k = 0; k < weft_value_length (node); k++)
        {
          const char *text = text_at (node, weft_value_key (node, k));
          if (text && text[0] == '$' && strcmp (text + 1, attribute) == 0 && is_path (modules, node, weft_value_key (node, k), depth + 1))
            return TRUE;
        }
    }
  return FALSE;
}

static void
fix_members (const WeftValue *modules, WeftValue *nodes)
{
  for (guint i = 0; nodes && i < weft_value_length (nodes); i++)
    {
      WeftValue *node = weft_value_item (nodes, i);
      for (guint k = 0; k < weft_value_length (node); k++)
        if (is_path (modules, node, weft_value_key (node, k), 0))
          make_absolute (node, weft_value_key (node, k));
    }
}

static void
fix_load (WeftValue *network)
{
  make_absolute (network, "load");
  WeftValue *load = weft_value_lookup (network, "load");
  if (!load || weft_value_kind (load) != WEFT_VALUE_MAP)
    return;
  make_absolute (load, "path");
  make_names_absolute (load);
  for (guint i = 0; i < weft_value_length (load); i++)
    if (weft_value_kind (weft_value_item (load, i)) == WEFT_VALUE_MAP)
      {
        make_absolute (weft_value_item (load, i), "path");
        make_names_absolute (weft_value_item (load, i));
      }
}

/* The node or network that an attribute's path in an edit begins with, as far as the document has it; (nullable). */
static const WeftValue *
edited_node (const WeftValue *document, const char *path)
{
  g_auto (GStrv) elements = g_strsplit (path, ".", -1);
  guint n = g_strv_length (elements);
  g_autofree char *place = n == 2   ? g_strdup_printf ("networks.%s", elements[0])
                           : n == 3 ? g_strdup_printf ("graphs.%s.nodes.%s", elements[0], elements[1])
                                    : NULL;
  return place ? weft_value_at (document, place) : NULL;
}

static void
fix_edits (const WeftValue *document)
{
  const WeftValue *modules = weft_value_lookup (document, "modules"), *edits = weft_value_lookup (document, "edits");
  for (guint i = 0; edits && i < weft_value_length (edits); i++)
    {
      WeftValue *edit = weft_value_item (edits, i), *with = NULL, *set = NULL;
      if (weft_value_kind (edit) != WEFT_VALUE_MAP)
        continue;
      with = weft_value_lookup (edit, "with");
      set = weft_value_lookup (edit, "set");
      for (guint k = 0; with && weft_value_kind (with) == WEFT_VALUE_MAP && k < weft_value_length (with); k++)
        if (is_path (modules, with, weft_value_key (with, k), 0))
          make_absolute (with, weft_value_key (with, k));
      for (guint k = 0; set && weft_value_kind (set) == WEFT_VALUE_MAP && k < weft_value_length (set); k++)
        {
          const char *key = weft_value_key (set, k), *dot = strrchr (key, '.');
          const WeftValue *node = dot ? edited_node (document, key) : NULL;
          if (node && is_path (modules, node, dot + 1, 0))
            make_absolute (set, key);
        }
    }
}

static void
fix_paths (WeftValue *document)
{
  WeftValue *modules = weft_value_lookup (document, "modules"), *networks = weft_value_lookup (document, "networks"),
            *graphs = weft_value_lookup (document, "graphs");
  for (guint i = 0; modules && i < weft_value_length (modules); i++)
    {
      WeftValue *body = weft_value_item (modules, i), *attributes = weft_value_lookup (body, "attributes");
      fix_members (modules, weft_value_lookup (body, "nodes"));
      for (guint k = 0; attributes && k < weft_value_length (attributes); k++)
        if (is_path_of_module (modules, weft_value_key (modules, i), weft_value_key (attributes, k), 0))
          make_absolute (attributes, weft_value_key (attributes, k));
    }
  fix_members (modules, networks);
  for (guint i = 0; networks && i < weft_value_length (networks); i++)
    fix_load (weft_value_item (networks, i));
  for (guint i = 0; graphs && i < weft_value_length (graphs); i++)
    fix_members (modules, weft_value_lookup (weft_value_item (graphs, i), "nodes"));
  fix_edits (document);
}

static WeftValue *
compose_with_markers (const WeftComposition *composition, GPtrArray *late, WeftProblems *problems)
{
  g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_free);
  for (const char *const *setting = composition->settings; setting && *setting; setting++)
    g_ptr_array_add (settings, g_strdup (*setting));
  for (guint i = 0; i < late->len; i++)
    g_ptr_array_add (settings,
                     g_strdup_printf ("%s=\"" MARKER_START "%s" MARKER_END "\"", (char *) late->pdata[i], (char *) late->pdata[i]));
  g_ptr_array_add (settings, NULL);
  WeftComposition marked = *composition;
  marked.settings = (const char *const *) settings->pdata;
  return weft_compose (&marked, problems);
}

WeftValue *
weft_snapshot_new (const WeftComposition *composition, WeftProblems *problems)
{
  g_autoptr (WeftValue) plain = weft_compose (composition, problems);
  if (!plain)
    return NULL;
  WeftValue *vars = weft_value_lookup (plain, "vars");
  g_autoptr (GHashTable) names = weft_recipe_late_variables (plain);
  g_autoptr (GPtrArray) late = g_ptr_array_new ();
  for (guint i = 0; vars && i < weft_value_length (vars); i++)
    if (g_hash_table_contains (names, weft_value_key (vars, i)))
      g_ptr_array_add (late, (gpointer) weft_value_key (vars, i));
  g_autoptr (WeftValue) marked = compose_with_markers (composition, late, problems);
  if (!marked)
    return NULL;
  WeftValue *snapshot = restore (marked);
  weft_value_remove (snapshot, "ablations");
  fix_paths (snapshot);
  for (guint i = 0; i < late->len; i++)
    weft_value_set (weft_value_lookup (snapshot, "vars"), late->pdata[i], weft_value_mark (vars),
                    weft_value_ref (weft_value_lookup (vars, late->pdata[i])));
  return snapshot;
}

static char *
join (const char *key, char *rest)
{
  char *path = *rest ? g_strdup_printf ("%s.%s", key, rest) : g_strdup (key);
  g_free (rest);
  return path;
}

char *
weft_snapshot_difference (const WeftValue *a, const WeftValue *b)
{
  WeftValueKind kind = weft_value_kind (a);
  if (kind != weft_value_kind (b))
    return g_strdup ("");
  if (kind == WEFT_VALUE_SCALAR)
    return strcmp (weft_value_text (a), weft_value_text (b)) == 0 ? NULL : g_strdup ("");
  for (guint i = 0; i < weft_value_length (a); i++)
    {
      const WeftValue *other = kind == WEFT_VALUE_MAP      ? weft_value_lookup (b, weft_value_key (a, i))
                               : i < weft_value_length (b) ? weft_value_item (b, i)
                                                           : NULL;
      g_autofree char *key = kind == WEFT_VALUE_MAP ? g_strdup (weft_value_key (a, i)) : g_strdup_printf ("%u", i);
      if (!other)
        return g_steal_pointer (&key);
      char *inside = weft_snapshot_difference (weft_value_item (a, i), other);
      if (inside)
        return join (key, inside);
    }
  for (guint i = 0; i < weft_value_length (b); i++)
    if (kind == WEFT_VALUE_MAP && !weft_value_lookup (a, weft_value_key (b, i)))
      return g_strdup (weft_value_key (b, i));
  return weft_value_length (a) == weft_value_length (b) ? NULL : g_strdup ("");
}
