/* Documents to one composed document: includes, overlays, settings, variables.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "compose.h"

#include <string.h>

#include "include.h"
#include "language.h"
#include "variables.h"

#define MOST_INCLUDES 64
#define LONGEST_PATH 64

/**
 * Composer:
 * @includes: where included files may be
 * @open: files being read, outermost first, to find cycles
 * @done: files read; each counts once, where it is first included
 * @removed: dotted paths that `null` has removed, so that a second overlay may remove the same again
 * @left_out: (nullable): list of graphs that settings have removed, so that edits of them mean nothing
 * @layers: (nullable): what was merged, for explanations
 */
typedef struct
{
  const WeftComposition *composition;
  WeftProblems *problems;
  WeftIncludes includes;
  GPtrArray *open;
  GHashTable *done;
  GHashTable *removed;
  WeftValue *left_out;
  GPtrArray *layers;
} Composer;

static gboolean
is_a_map (const WeftValue *value)
{
  return value && weft_value_kind (value) == WEFT_VALUE_MAP;
}

/* A map that is added to stays where it was written; only what is added or replaced is elsewhere. */
static WeftValue *
merge (WeftValue *base, WeftValue *over, const char *path, GHashTable *removed)
{
  if (!is_a_map (base) || !is_a_map (over))
    return weft_value_ref (over);
  WeftValue *merged = weft_value_new_map (weft_value_mark (base));
  for (guint i = 0; i < weft_value_length (base); i++)
    weft_value_set (merged, weft_value_key (base, i), weft_value_key_mark (base, i), weft_value_ref (weft_value_item (base, i)));
  for (guint i = 0; i < weft_value_length (over); i++)
    {
      const char *key = weft_value_key (over, i);
      WeftMark mark = weft_value_key_mark (over, i);
      WeftValue *value = weft_value_item (over, i), *before = weft_value_lookup (merged, key);
      g_autofree char *inner = g_strconcat (path, ".", key, NULL);
      if (weft_value_kind (value) != WEFT_VALUE_NULL)
        weft_value_set (merged, key, is_a_map (before) && is_a_map (value) ? weft_value_mark_of (base, key) : mark,
                        merge (before, value, inner, removed));
      else if (before && weft_value_kind (before) != WEFT_VALUE_NULL)
        {
          weft_value_remove (merged, key);
          if (removed)
            g_hash_table_add (removed, g_steal_pointer (&inner));
        }
      else if (!removed || !g_hash_table_contains (removed, inner))
        weft_value_set (merged, key, mark, weft_value_ref (value)); /* whether that says anything is checked in the end */
    }
  return merged;
}

WeftValue *
weft_value_merge (WeftValue *base, WeftValue *over)
{
  return merge (base, over, "", NULL);
}

/* Edits are steps: those of @over come after those of @base. */
static void
append_edits (WeftValue *merged, const WeftValue *base, const WeftValue *over)
{
  const WeftValue *first = weft_value_lookup (base, "edits"), *second = weft_value_lookup (over, "edits");
  if (!first || !second || weft_value_kind (first) != WEFT_VALUE_LIST || weft_value_kind (second) != WEFT_VALUE_LIST)
    return;
  WeftValue *all = weft_value_new_list (weft_value_mark (first));
  for (guint i = 0; i < weft_value_length (first); i++)
    weft_value_append (all, weft_value_ref (weft_value_item (first, i)));
  for (guint i = 0; i < weft_value_length (second); i++)
    weft_value_append (all, weft_value_ref (weft_value_item (second, i)));
  weft_value_set (merged, "edits", weft_value_mark (first), all);
}

/* Takes over both. */
static WeftValue *
merge_into (Composer *self, WeftValue *base, WeftValue *over)
{
  WeftValue *merged = base && over ? merge (base, over, "", self->removed) : weft_value_ref (base ? base : over);
  if (base && over)
    append_edits (merged, base, over);
  g_clear_pointer (&base, weft_value_unref);
  g_clear_pointer (&over, weft_value_unref);
  return merged;
}

static void
note_layer (const Composer *self, WeftValue *layer)
{
  if (self->layers && layer)
    g_ptr_array_add (self->layers, weft_value_merge (layer, layer));
}

static WeftValue *load (Composer *self, const char *path, WeftMark mark);

static WeftValue *
load_include (Composer *self, WeftValue *item, const char *from)
{
  WeftMark mark = weft_value_mark (item);
  if (weft_value_kind (item) != WEFT_VALUE_SCALAR)
    {
      weft_problems_add (self->problems, mark, "`include:` takes a file or a list of files");
      return NULL;
    }
  g_autoptr (WeftValue) name = weft_variables_replace (item, NULL, self->problems);
  if (strchr (weft_value_text (name), '$'))
    return NULL;
  g_autofree char *path = weft_includes_find (&self->includes, weft_value_text (name), from, mark, self->problems);
  return path ? load (self, path, mark) : NULL;
}

static WeftValue *
load_includes (Composer *self, WeftValue *include, const char *from)
{
  WeftValue *base = NULL;
  gboolean list = weft_value_kind (include) == WEFT_VALUE_LIST;
  for (guint i = 0; i < (list ? weft_value_length (include) : 1); i++)
    {
      WeftValue *part = load_include (self, list ? weft_value_item (include, i) : include, from);
      if (part)
        base = merge_into (self, base, part);
    }
  return base;
}

static gboolean
may_open (Composer *self, const char *real, const char *path, WeftMark mark)
{
  for (guint i = 0; i < self->open->len; i++)
    if (strcmp (self->open->pdata[i], real) == 0)
      {
        g_autoptr (GString) way = g_string_new (NULL);
        for (guint k = i; k < self->open->len; k++)
          {
            g_autofree char *base = g_path_get_basename (self->open->pdata[k]);
            g_string_append_printf (way, "%s → ", base);
          }
        g_autofree char *last = g_path_get_basename (real);
        weft_problems_add (self->problems, mark, "%s includes itself: %s%s", path, way->str, last);
        return FALSE;
      }
  if (self->open->len < MOST_INCLUDES)
    return TRUE;
  weft_problems_add (self->problems, mark, "includes are nested more than %d deep", MOST_INCLUDES);
  return FALSE;
}

/* A file with what it includes. A file that was read before, for another include, adds nothing: %NULL without a problem. */
static WeftValue *
load (Composer *self, const char *path, WeftMark mark)
{
  g_autofree char *real = strcmp (path, "-") == 0 ? g_strdup (path) : g_canonicalize_filename (path, NULL);
  if (!may_open (self, real, path, mark) || (mark.line && g_hash_table_contains (self->done, real)))
    return NULL;
  if (!mark.line)
    weft_includes_allow (&self->includes, path);
  WeftValue *document = weft_document_load (path, self->problems);
  if (!document)
    return NULL;
  if (weft_value_kind (document) != WEFT_VALUE_MAP)
    {
      gboolean empty = weft_value_kind (document) == WEFT_VALUE_NULL;
      weft_problems_add (self->problems, weft_value_mark (document), "%s a map with sections such as `graphs:`",
                         empty ? "this file is empty; expected" : "expected");
      weft_value_unref (document);
      return NULL;
    }
  g_hash_table_add (self->done, g_strdup (real));
  g_autoptr (WeftValue) include = weft_value_lookup (document, "include");
  if (!include)
    {
      note_layer (self, document);
      return document;
    }
  weft_value_ref (include);
  weft_value_remove (document, "include");
  g_ptr_array_add (self->open, real);
  WeftValue *base = load_includes (self, include, path);
  g_ptr_array_set_size (self->open, (int) self->open->len - 1);
  note_layer (self, document);
  return merge_into (self, base, document);
}

/* Folders, beside a pipeline or in the installation, whose overlays are known by name. */
static const char *const overlay_folders[] = { "ablations", "looks" };

static char *
find_in (const char *place, const char *file)
{
  for (guint i = 0; i < G_N_ELEMENTS (overlay_folders); i++)
    {
      g_autofree char *path = g_build_filename (place, overlay_folders[i], file, NULL);
      if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&path);
    }
  return NULL;
}

/* Names of the overlays in the folders at @place; (element-type utf8). */
static void
add_names (const char *place, GPtrArray *names)
{
  for (guint i = 0; i < G_N_ELEMENTS (overlay_folders); i++)
    {
      g_autofree char *path = g_build_filename (place, overlay_folders[i], NULL);
      g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
      for (const char *name; folder && (name = g_dir_read_name (folder));)
        {
          g_autofree char *stem = g_str_has_suffix (name, ".yaml") ? g_strndup (name, strlen (name) - strlen (".yaml")) : NULL;
          if (stem && !g_ptr_array_find_with_equal_func (names, stem, g_str_equal, NULL))
            g_ptr_array_add (names, g_steal_pointer (&stem));
        }
    }
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
report_overlay (Composer *self, const WeftValue *ablations, const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *folder = g_path_get_dirname (self->composition->path);
  for (guint i = 0; ablations && i < weft_value_length (ablations); i++)
    g_ptr_array_add (names, g_strdup (weft_value_key (ablations, i)));
  add_names (folder, names);
  for (const char *const *place = self->composition->search; place && *place; place++)
    add_names (*place, names);
  g_ptr_array_sort (names, compare_names);
  gboolean none = names->len == 0;
  g_ptr_array_add (names, NULL);
  g_autofree char *suggestion = weft_suggestion (name, (const char *const *) names->pdata);
  weft_problems_add (self->problems, (WeftMark){ .file = "--overlay" }, "\"%s\" is neither a file nor one of the pipeline's ablations%s%s",
                     name, suggestion, none ? "; it has none" : "");
}

char *
weft_compose_find_overlay (const WeftComposition *composition, const char *name)
{
  if (g_file_test (name, G_FILE_TEST_EXISTS))
    return g_strdup (name);
  g_autofree char *file = g_strconcat (name, ".yaml", NULL);
  g_autofree char *folder = g_path_get_dirname (composition->path);
  char *found = find_in (folder, file);
  for (const char *const *place = composition->search; !found && place && *place; place++)
    found = find_in (*place, file);
  return found;
}

static WeftValue *
apply_overlays (Composer *self, WeftValue *document)
{
  for (const char *const *name = self->composition->overlays; name && *name; name++)
    {
      WeftValue *ablations = weft_value_lookup (document, "ablations");
      if (ablations && weft_value_kind (ablations) != WEFT_VALUE_MAP)
        ablations = NULL;
      WeftValue *own = ablations ? weft_value_lookup (ablations, *name) : NULL, *overlay = NULL;
      g_autofree char *file = own ? NULL : weft_compose_find_overlay (self->composition, *name);
      if (own && weft_value_kind (own) == WEFT_VALUE_MAP)
        {
          overlay = weft_value_merge (own, own); /* a copy */
          note_layer (self, overlay);
        }
      else if (file)
        overlay = load (self, file, (WeftMark){ 0 });
      else if (!own)
        report_overlay (self, ablations, *name);
      if (overlay)
        weft_value_remove (overlay, "about");
      if (overlay)
        document = merge_into (self, document, overlay);
    }
  return document;
}

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

static void
report_step (Composer *self, const WeftValue *map, const char *setting, const char *path, const char *what, WeftMark mark)
{
  g_autofree char *key = g_strndup (path, strcspn (path, "."));
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; map && i < weft_value_length (map); i++)
    g_ptr_array_add (names, (gpointer) weft_value_key (map, i));
  g_ptr_array_add (names, NULL);
  g_autofree char *suggestion = weft_suggestion (key, (const char *const *) names->pdata);
  weft_problems_add (self->problems, mark, "%s: there is no %s \"%s\"%s", setting, what, key, suggestion);
}

/**
 * nest:
 * @base: (nullable): what the document has at this place
 * @path: the rest of the dotted path; keys of @base may hold dots themselves
 * @free: whether what isn't there may be added, all along the path; otherwise only the last key may be new
 *
 * Returns: (transfer full) (nullable): a map that sets @path to @value; %NULL if reported
 */
static WeftValue *
nest (Composer *self, const WeftValue *base, const char *path, WeftValue *value, const char *setting, gboolean free, WeftMark mark)
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
      report_step (self, is_map ? base : NULL, setting, path, "element", mark);
      return NULL;
    }
  WeftValue *inner = dot ? nest (self, child, dot + 1, value, setting, free, mark) : weft_value_ref (value);
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
read_setting (Composer *self, const WeftValue *document, const char *setting)
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
      return nothing || edit ? edit : nest (self, document, path, value, path, free, mark);
    }
  const WeftValue *vars = weft_value_lookup (document, "vars");
  if (!vars || weft_value_kind (vars) != WEFT_VALUE_MAP || !weft_value_lookup (vars, path))
    {
      report_step (self, vars, path, path, "variable", mark);
      return NULL;
    }
  WeftValue *over = weft_value_new_map (mark), *variables = weft_value_new_map (mark);
  weft_value_set (variables, path, mark, g_steal_pointer (&value));
  weft_value_set (over, "vars", mark, variables);
  return over;
}

/* `set` on the document itself (`vars.batch`, `run.train.epochs`) is done before settings; everything else waits for the graphs. */
static WeftValue *
apply_document_edits (Composer *self, WeftValue *document)
{
  static const char *const sections[] = { "vars", "run", "networks", "graphs", "modules" };
  const WeftValue *edits = weft_value_lookup (document, "edits");
  g_autoptr (WeftValue) list = edits && weft_value_kind (edits) == WEFT_VALUE_LIST ? weft_value_ref ((WeftValue *) edits) : NULL;
  if (!list)
    return document;
  WeftValue *rest = weft_value_new_list (weft_value_mark (list));
  for (guint i = 0; i < weft_value_length (list); i++)
    {
      WeftValue *entry = weft_value_item (list, i);
      WeftValue *set = weft_value_kind (entry) == WEFT_VALUE_MAP ? weft_value_lookup (entry, "set") : NULL;
      if (!set || weft_value_kind (set) != WEFT_VALUE_MAP)
        {
          weft_value_append (rest, weft_value_ref (entry));
          continue;
        }
      WeftValue *paths = weft_value_new_map (weft_value_mark (set));
      for (guint k = 0; k < weft_value_length (set); k++)
        {
          const char *path = weft_value_key (set, k);
          WeftMark mark = weft_value_key_mark (set, k);
          gboolean section = FALSE;
          for (guint s = 0; s < G_N_ELEMENTS (sections); s++)
            section |=
                g_str_has_prefix (path, sections[s]) && path[strlen (sections[s])] == '.' && weft_value_lookup (document, sections[s]);
          const WeftValue *vars = weft_value_lookup (document, "vars");
          gboolean unknown = g_str_has_prefix (path, "vars.") && !(vars && weft_value_lookup (vars, path + strlen ("vars.")));
          if (unknown)
            report_step (self, vars, path, path + strlen ("vars."), "variable", mark);
          WeftValue *over = section && !unknown
                                ? nest (self, document, path, weft_value_item (set, k), "set", g_str_has_prefix (path, "run."), mark)
                                : NULL;
          note_layer (self, over);
          if (over)
            document = merge_into (self, document, over);
          else if (!section)
            weft_value_set (paths, path, mark, weft_value_ref (weft_value_item (set, k)));
        }
      if (weft_value_length (paths) == weft_value_length (set) || weft_value_length (entry) > 1)
        {
          weft_value_unref (paths);
          weft_value_append (rest, weft_value_ref (entry));
          continue;
        }
      WeftValue *left = weft_value_new_map (weft_value_mark (entry));
      weft_value_set (left, "set", weft_value_key_mark (entry, 0), paths);
      if (weft_value_length (paths))
        weft_value_append (rest, left);
      else
        weft_value_unref (left);
    }
  if (weft_value_length (rest))
    weft_value_set (document, "edits", weft_value_mark (list), rest);
  else
    {
      weft_value_remove (document, "edits");
      weft_value_unref (rest);
    }
  return document;
}

static void
note_left_out (Composer *self, const WeftValue *before, const WeftValue *document)
{
  const WeftValue *graphs = weft_value_lookup (document, "graphs");
  self->left_out = weft_value_new_list (weft_value_mark (document));
  for (guint i = 0; before && i < weft_value_length (before); i++)
    if (weft_value_kind (before) == WEFT_VALUE_MAP && (!graphs || !weft_value_lookup (graphs, weft_value_key (before, i))))
      weft_value_append (self->left_out, weft_value_new_scalar (weft_value_key (before, i), FALSE, weft_value_key_mark (before, i)));
}

static WeftValue *
apply_settings (Composer *self, WeftValue *document)
{
  WeftValue *graphs = weft_value_lookup (document, "graphs");
  g_autoptr (WeftValue) before = graphs ? weft_value_ref (graphs) : NULL;
  for (const char *const *setting = self->composition->settings; setting && *setting; setting++)
    {
      WeftValue *over = read_setting (self, document, *setting);
      note_layer (self, over);
      if (over)
        document = merge_into (self, document, over);
    }
  note_left_out (self, before, document);
  return document;
}

/* Texts for people may hold dollar signs. */
static WeftValue *
replace_in_graphs (const WeftValue *graphs, const WeftValue *vars, WeftProblems *problems)
{
  WeftValue *result = weft_value_new_map (weft_value_mark (graphs));
  for (guint i = 0; i < weft_value_length (graphs); i++)
    {
      WeftValue *graph = weft_value_item (graphs, i), *about = weft_value_lookup (graph, "about");
      g_autoptr (WeftValue) rest = weft_value_merge (graph, graph); /* a copy */
      if (about)
        weft_value_remove (rest, "about");
      weft_value_set (result, weft_value_key (graphs, i), weft_value_key_mark (graphs, i), weft_variables_replace (rest, vars, problems));
    }
  return result;
}

static WeftValue *
resolve (Composer *self, const WeftValue *document)
{
  const WeftValue *vars = weft_value_lookup (document, "vars");
  g_autoptr (WeftValue) resolved = vars ? weft_variables_resolve (vars, self->problems) : weft_value_new_map (weft_value_mark (document));
  WeftValue *result = weft_value_new_map (weft_value_mark (document));
  for (guint i = 0; i < weft_value_length (document); i++)
    {
      const char *key = weft_value_key (document, i);
      WeftValue *value = weft_value_item (document, i), *final;
      if (g_str_equal (key, "vars"))
        final = weft_value_ref (resolved);
      else if (g_str_equal (key, "modules") || g_str_equal (key, "ablations") || g_str_equal (key, "about") || g_str_equal (key, "matrix"))
        final = weft_value_ref (value);
      else if (g_str_equal (key, "graphs"))
        final = replace_in_graphs (value, resolved, self->problems);
      else
        final = weft_variables_replace (value, resolved, self->problems);
      weft_value_set (result, key, weft_value_key_mark (document, i), final);
    }
  if (self->left_out && weft_value_length (self->left_out))
    weft_value_set (result, "left_out", weft_value_mark (document), weft_value_ref (self->left_out));
  return result;
}

WeftValue *
weft_compose_layers (const WeftComposition *composition, GPtrArray *layers, WeftProblems *problems)
{
  Composer self = { composition,
                    problems,
                    { 0 },
                    g_ptr_array_new (),
                    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                    NULL,
                    layers };
  guint before = weft_problems_count (problems);
  weft_includes_init (&self.includes, composition->search);
  WeftValue *document = load (&self, composition->path, (WeftMark){ 0 }), *composed = NULL;
  if (document)
    document = apply_settings (&self, apply_document_edits (&self, apply_overlays (&self, document)));
  gboolean whole = weft_problems_count (problems) == before;
  if (document && weft_language_check (document, problems))
    {
      /* A key too many doesn't keep the builder from finding what else is wrong; what is missing makes it find more of the same. */
      before = weft_problems_count (problems);
      composed = resolve (&self, document);
      if (!whole || weft_problems_count (problems) > before)
        g_clear_pointer (&composed, weft_value_unref);
    }
  g_clear_pointer (&document, weft_value_unref);
  weft_includes_clear (&self.includes);
  g_ptr_array_unref (self.open);
  g_hash_table_unref (self.done);
  g_hash_table_unref (self.removed);
  g_clear_pointer (&self.left_out, weft_value_unref);
  return composed;
}

WeftValue *
weft_compose (const WeftComposition *composition, WeftProblems *problems)
{
  return weft_compose_layers (composition, NULL, problems);
}
