/* Edits as data: reading them, the paths they mean, and what is said when a path means nothing.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "attributes.h"
#include "edit-private.h"
#include "registry.h"

const char *const weft_edit_verbs[] = { "bypass", "remove", "replace", "insert", "rewire", "freeze", "set", NULL };

/* Keys beside the verb, by verb. */
static const char *const companions[][4] = { { "from" }, { NULL }, { "with" }, { "with", "between" }, { NULL }, { NULL }, { NULL } };

static void
edit_free (gpointer data)
{
  WeftEdit *edit = data;
  g_free (edit->text);
  g_strfreev (edit->pattern);
  g_clear_pointer (&edit->value, weft_value_unref);
  g_clear_pointer (&edit->from, weft_value_unref);
  g_clear_pointer (&edit->to, weft_value_unref);
  g_clear_pointer (&edit->frozen, g_ptr_array_unref);
  g_free (edit);
}

static void
known_free (gpointer data)
{
  WeftKnown *known = data;
  g_free (known->what);
  g_ptr_array_unref (known->inputs);
  g_ptr_array_unref (known->attributes);
  g_free (known);
}

static WeftValue *
ref_or_null (WeftValue *value)
{
  return value ? weft_value_ref (value) : NULL;
}

static gboolean
is_left_out (const WeftEdits *edits, const char *graph)
{
  const WeftValue *left_out = weft_value_lookup (edits->pipeline->document, "left_out");
  for (guint i = 0; left_out && i < weft_value_length (left_out); i++)
    if (strcmp (weft_value_text (weft_value_item (left_out, i)), graph) == 0)
      return TRUE;
  return FALSE;
}

static WeftEdit *
add_edit (WeftEdits *edits, WeftVerb verb, const char *text, WeftMark mark)
{
  g_auto (GStrv) pattern = g_strsplit (text, ".", -1);
  gboolean good = *text != '\0';
  for (char **element = pattern; *element; element++)
    good &= **element != '\0' && !strpbrk (*element, " \t$/");
  if (!good)
    {
      weft_problems_add (edits->problems, mark,
                         "\"%s\" is no path: expected names with dots between, such as image.sge or \"text.**.norm\"", text);
      return NULL;
    }
  if (is_left_out (edits, pattern[0]))
    return NULL;
  WeftEdit *edit = g_new0 (WeftEdit, 1);
  edit->verb = verb;
  edit->text = g_strdup (text);
  edit->pattern = g_steal_pointer (&pattern);
  edit->mark = mark;
  g_ptr_array_add (edits->edits, edit);
  return edit;
}

/* `with:` of replace and insert: a node, or an operator's name alone. */
static WeftValue *
read_node (WeftEdits *edits, const WeftValue *entry, const char *verb)
{
  WeftValue *with = weft_value_lookup (entry, "with");
  WeftMark mark = with ? weft_value_mark (with) : weft_value_mark (entry);
  if (with && weft_value_kind (with) == WEFT_VALUE_MAP)
    return weft_value_ref (with);
  if (with && weft_value_kind (with) == WEFT_VALUE_SCALAR)
    {
      WeftValue *node = weft_value_new_map (mark);
      weft_value_set (node, "op", mark, weft_value_ref (with));
      return node;
    }
  weft_problems_add (edits->problems, mark, "`%s:` needs `with:` and a node such as {op: segment_mean}", verb);
  return NULL;
}

static gboolean
read_between (WeftEdits *edits, const WeftValue *entry, WeftValue **from, WeftValue **to)
{
  const WeftValue *between = weft_value_lookup (entry, "between");
  gboolean good = between && weft_value_kind (between) == WEFT_VALUE_LIST && weft_value_length (between) == 2;
  for (guint i = 0; good && i < 2; i++)
    good = weft_value_kind (weft_value_item (between, i)) == WEFT_VALUE_SCALAR;
  if (!good)
    {
      weft_problems_add (edits->problems, weft_value_mark (between ? between : entry),
                         "`insert:` needs `between: [NODE or NODE.OUTPUT, NODE.INPUT]`, both beside the new node");
      return FALSE;
    }
  *from = weft_value_item (between, 0);
  *to = weft_value_item (between, 1);
  return TRUE;
}

/* `rewire:` and `set:` take a map of paths. */
static void
read_map (WeftEdits *edits, WeftVerb verb, const WeftValue *map)
{
  if (weft_value_kind (map) != WEFT_VALUE_MAP || weft_value_length (map) == 0)
    {
      weft_problems_add (edits->problems, weft_value_mark (map), "`%s:` takes a map such as %s", weft_edit_verbs[verb],
                         verb == WEFT_EDIT_SET ? "{train.loss.margin: 0.2}" : "{train.loss.text: t_key}");
      return;
    }
  for (guint i = 0; i < weft_value_length (map); i++)
    {
      WeftMark mark = weft_value_key_mark (map, i);
      WeftValue *value = weft_value_item (map, i);
      if (!strchr (weft_value_key (map, i), '.'))
        {
          weft_problems_add (edits->problems, mark, "\"%s\" is no path to %s, such as %s", weft_value_key (map, i),
                             verb == WEFT_EDIT_SET ? "an attribute" : "an input",
                             verb == WEFT_EDIT_SET ? "train.loss.margin" : "train.loss.text");
          continue;
        }
      if (verb == WEFT_EDIT_REWIRE && weft_value_kind (value) == WEFT_VALUE_NULL)
        value = NULL; /* left open */
      WeftEdit *edit = add_edit (edits, verb, weft_value_key (map, i), mark);
      if (edit)
        edit->value = ref_or_null (value);
    }
}

static void
read_paths (WeftEdits *edits, WeftVerb verb, const WeftValue *entry, WeftValue *paths)
{
  gboolean list = weft_value_kind (paths) == WEFT_VALUE_LIST;
  g_autoptr (WeftValue) node =
      verb == WEFT_EDIT_REPLACE || verb == WEFT_EDIT_INSERT ? read_node (edits, entry, weft_edit_verbs[verb]) : NULL;
  WeftValue *from = NULL, *to = NULL;
  const WeftValue *which = verb == WEFT_EDIT_BYPASS ? weft_value_lookup (entry, "from") : NULL;
  if (which && weft_value_kind (which) != WEFT_VALUE_SCALAR)
    {
      weft_problems_add (edits->problems, weft_value_mark (which), "`from:` takes the name of one input");
      return;
    }
  if (((verb == WEFT_EDIT_REPLACE || verb == WEFT_EDIT_INSERT) && !node)
      || (verb == WEFT_EDIT_INSERT && !read_between (edits, entry, &from, &to)))
    return;
  for (guint i = 0; i < (list ? weft_value_length (paths) : 1); i++)
    {
      WeftValue *path = list ? weft_value_item (paths, i) : paths;
      if (weft_value_kind (path) != WEFT_VALUE_SCALAR)
        {
          weft_problems_add (edits->problems, weft_value_mark (path), "`%s:` takes a path or a list of paths", weft_edit_verbs[verb]);
          continue;
        }
      WeftEdit *edit = add_edit (edits, verb, weft_value_text (path), weft_value_mark (path));
      if (!edit)
        continue;
      edit->value = verb == WEFT_EDIT_BYPASS ? ref_or_null (weft_value_lookup (entry, "from")) : ref_or_null (node);
      edit->from = ref_or_null (from);
      edit->to = ref_or_null (to);
    }
}

static void
read_entry (WeftEdits *edits, const WeftValue *entry)
{
  WeftMark mark = weft_value_mark (entry);
  int verb = -1;
  if (weft_value_kind (entry) != WEFT_VALUE_MAP)
    {
      weft_problems_add (edits->problems, mark, "an edit is a map with a verb, such as {bypass: image.enhance}");
      return;
    }
  for (int v = 0; weft_edit_verbs[v]; v++)
    if (weft_value_lookup (entry, weft_edit_verbs[v]))
      {
        if (verb >= 0)
          {
            weft_problems_add (edits->problems, mark, "an edit has one verb; this has `%s` and `%s`", weft_edit_verbs[verb],
                               weft_edit_verbs[v]);
            return;
          }
        verb = v;
      }
  for (guint i = 0; i < weft_value_length (entry); i++)
    {
      const char *key = weft_value_key (entry, i);
      if (verb < 0)
        {
          g_autofree char *hint = weft_suggestion (key, weft_edit_verbs);
          weft_problems_add (edits->problems, weft_value_key_mark (entry, i), "there is no edit \"%s\"%s", key, hint);
          return;
        }
      if (strcmp (key, weft_edit_verbs[verb]) == 0 || g_strv_contains (companions[verb], key))
        continue;
      g_autofree char *hint = companions[verb][0] ? weft_suggestion (key, companions[verb]) : g_strdup ("");
      weft_problems_add (edits->problems, weft_value_key_mark (entry, i), "`%s:` has no \"%s\"%s", weft_edit_verbs[verb], key, hint);
    }
  if (verb < 0)
    weft_problems_add (edits->problems, mark, "an edit is a map with a verb, such as {bypass: image.enhance}");
  else if (verb == WEFT_EDIT_REWIRE || verb == WEFT_EDIT_SET)
    read_map (edits, (WeftVerb) verb, weft_value_lookup (entry, weft_edit_verbs[verb]));
  else
    read_paths (edits, (WeftVerb) verb, entry, weft_value_lookup (entry, weft_edit_verbs[verb]));
}

WeftEdits *
weft_edits_new (WeftPipeline *pipeline, WeftProblems *problems)
{
  const WeftValue *list = weft_value_lookup (pipeline->document, "edits");
  if (!list)
    return NULL;
  WeftEdits *edits = g_new0 (WeftEdits, 1);
  edits->pipeline = pipeline;
  edits->problems = problems;
  edits->edits = g_ptr_array_new_with_free_func (edit_free);
  edits->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, known_free);
  edits->order = g_ptr_array_new ();
  edits->touched = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  edits->report = g_ptr_array_new_with_free_func (g_free);
  edits->partial = weft_value_lookup (pipeline->document, "left_out") != NULL;
  for (guint i = 0; i < weft_value_length (list); i++)
    read_entry (edits, weft_value_item (list, i));
  return edits;
}

void
weft_edits_free (WeftEdits *edits)
{
  if (!edits)
    return;
  g_ptr_array_unref (edits->edits);
  g_ptr_array_unref (edits->order);
  g_hash_table_unref (edits->known);
  g_hash_table_unref (edits->touched);
  g_clear_pointer (&edits->bypasses, g_ptr_array_unref);
  g_ptr_array_unref (edits->report);
  g_clear_pointer (&edits->run, weft_value_unref);
  g_free (edits);
}

const GPtrArray *
weft_edits_report (const WeftEdits *edits)
{
  return edits ? edits->report : NULL;
}

void
weft_edit_say (WeftEdits *edits, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *line = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (!g_ptr_array_find_with_equal_func (edits->report, line, g_str_equal, NULL))
    g_ptr_array_add (edits->report, g_steal_pointer (&line));
}

static gboolean
elements_match (char *const *pattern, guint n, char *const *path)
{
  if (n == 0)
    return !*path;
  if (strcmp (*pattern, "**") == 0)
    {
      for (;; path++)
        if (elements_match (pattern + 1, n - 1, path))
          return TRUE;
        else if (!*path)
          return FALSE;
    }
  return *path && g_pattern_match_simple (*pattern, *path) && elements_match (pattern + 1, n - 1, path + 1);
}

gboolean
weft_edit_pattern_matches (char *const *pattern, guint n, const char *path)
{
  g_auto (GStrv) elements = g_strsplit (path, ".", -1);
  return elements_match (pattern, n, elements);
}

gboolean
weft_edit_has_glob (const WeftEdit *edit)
{
  return strpbrk (edit->text, "*?") != NULL;
}

char *
weft_edit_address (const WeftScope *scope, const char *name)
{
  return scope ? g_strconcat (scope->address, ".", name, NULL) : g_strdup (name);
}

char *
weft_edit_place (const WeftScope *scope, const char *name)
{
  return g_strconcat (scope->graph->name, ".", scope->path, *scope->path ? "." : "", name, NULL);
}

gboolean
weft_edit_matches (const WeftEdit *edit, guint n, const WeftScope *scope, const char *name)
{
  g_autofree char *address = weft_edit_address (scope, name);
  g_autofree char *place = scope ? weft_edit_place (scope, name) : NULL;
  return weft_edit_pattern_matches (edit->pattern, n, address) || (place && weft_edit_pattern_matches (edit->pattern, n, place));
}

static WeftValue *
text_lookup (const WeftValue *map, const char *key, const WeftValue *table)
{
  WeftValue *name = weft_value_lookup (map, key);
  return name && table && weft_value_kind (name) == WEFT_VALUE_SCALAR ? weft_value_lookup (table, weft_value_text (name)) : NULL;
}

WeftKind
weft_edit_kind (WeftEdits *edits, const WeftValue *map)
{
  const WeftValue *document = edits->pipeline->document;
  WeftValue *op = weft_value_lookup (map, "op");
  WeftKind kind = { 0 };
  if (weft_value_kind (map) != WEFT_VALUE_MAP)
    return kind;
  if (op && weft_value_kind (op) == WEFT_VALUE_SCALAR)
    kind.op = weft_registry_find (weft_value_text (op));
  if (weft_value_lookup (map, "use"))
    {
      WeftValue *given = text_lookup (map, "use", weft_value_lookup (document, "networks"));
      g_autoptr (WeftValue) network = given ? weft_edits_network (edits, weft_value_text (weft_value_lookup (map, "use")), given) : NULL;
      kind.use = TRUE;
      kind.module = network ? text_lookup (network, "module", weft_value_lookup (document, "modules")) : NULL;
    }
  else
    kind.module = text_lookup (map, "module", weft_value_lookup (document, "modules"));
  kind.repeat = weft_value_lookup (map, "repeat") != NULL;
  return kind;
}

static WeftValue *
module_part (const WeftKind *kind, const char *part)
{
  WeftValue *value = kind->module ? weft_value_lookup (kind->module, part) : NULL;
  return value && weft_value_kind (value) == WEFT_VALUE_MAP ? value : NULL;
}

static void
add_keys (GPtrArray *names, const WeftValue *map)
{
  for (guint i = 0; map && i < weft_value_length (map); i++)
    g_ptr_array_add (names, g_strdup (weft_value_key (map, i)));
}

static void
add_words (GPtrArray *names, const char *const *words)
{
  for (; *words; words++)
    g_ptr_array_add (names, g_strdup (*words));
}

static GPtrArray *
attribute_names (const WeftKind *kind)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  for (const WeftAttribute *attribute = kind->op ? kind->op->attributes : NULL; attribute && attribute->name; attribute++)
    g_ptr_array_add (names, g_strdup (attribute->name));
  if (!kind->use)
    add_keys (names, module_part (kind, "attributes"));
  if (kind->network)
    add_words (names, (const char *const[]){ "load", "frozen", "compute", NULL });
  else
    add_words (names, (const char *const[]){ "mode", "compute", NULL });
  if (kind->repeat)
    add_words (names, (const char *const[]){ "repeat", NULL });
  g_ptr_array_add (names, NULL);
  return names;
}

static GPtrArray *
input_names (const WeftKind *kind)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  for (const WeftPort *port = kind->op ? kind->op->inputs : NULL; port && port->name; port++)
    g_ptr_array_add (names, g_strdup (port->name));
  if (!kind->network)
    add_keys (names, module_part (kind, "inputs"));
  if (kind->use)
    g_ptr_array_add (names, g_strdup ("weights"));
  g_ptr_array_add (names, NULL);
  return names;
}

gboolean
weft_edit_kind_has_attribute (const WeftKind *kind, const char *name)
{
  g_autoptr (GPtrArray) names = attribute_names (kind);
  return g_strv_contains ((const char *const *) names->pdata, name);
}

gboolean
weft_edit_kind_has_input (const WeftKind *kind, const char *name)
{
  g_autoptr (GPtrArray) names = input_names (kind);
  return g_strv_contains ((const char *const *) names->pdata, name);
}

const WeftPort *
weft_edit_kind_port (const WeftKind *kind, const char *name)
{
  int index = kind->op ? weft_port_index (kind->op->inputs, name) : -1;
  return index >= 0 ? &kind->op->inputs[index] : NULL;
}

void
weft_edit_know (WeftEdits *edits, const char *address, const WeftValue *map)
{
  static const char *const keys[] = { "op", "use", "module" };
  static const char *const words[] = { "operator", "network", "module" };
  if (g_hash_table_contains (edits->known, address))
    return;
  WeftKind kind = weft_edit_kind (edits, map);
  kind.network = !strchr (address, '.');
  WeftKnown *known = g_new0 (WeftKnown, 1);
  for (guint i = 0; i < G_N_ELEMENTS (keys) && !known->what; i++)
    {
      const WeftValue *value = weft_value_kind (map) == WEFT_VALUE_MAP ? weft_value_lookup (map, keys[i]) : NULL;
      if (value && weft_value_kind (value) == WEFT_VALUE_SCALAR)
        known->what = g_strdup_printf ("%s %s", words[i], weft_value_text (value));
    }
  known->attributes = attribute_names (&kind);
  known->inputs = input_names (&kind);
  char *key = g_strdup (address);
  g_hash_table_insert (edits->known, key, known);
  g_ptr_array_add (edits->order, key);
}
