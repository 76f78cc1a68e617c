/* Documents to one composed document.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "compose.h"

#include <string.h>

#include "variables.h"

#define MAX_INCLUDES 64

typedef struct
{
  const WeftComposition *composition;
  WeftProblems *problems;
  GPtrArray *open; /* files being read, to find cycles */
} Composer;

static const char *const sections[] = { "pipeline", "about", "include", "vars", "modules", "networks", "graphs", "run", "ablations", NULL };
static const char *const map_sections[] = { "vars", "modules", "networks", "graphs", "run", "ablations", NULL };
static const char *const module_keys[] = { "about", "inputs", "attributes", "nodes", "outputs", NULL };
static const char *const graph_keys[] = { "about", "mode", "nodes", "collect", NULL };

WeftValue *
weft_value_merge (WeftValue *base, WeftValue *over)
{
  WeftValue *merged;

  if (!base || weft_value_kind (base) != WEFT_VALUE_MAP || weft_value_kind (over) != WEFT_VALUE_MAP)
    return weft_value_ref (over);
  merged = weft_value_new_map (weft_value_mark (over));
  for (guint i = 0; i < weft_value_length (base); i++)
    weft_value_set (merged, weft_value_key (base, i), weft_value_key_mark (base, i), weft_value_ref (weft_value_item (base, i)));
  for (guint i = 0; i < weft_value_length (over); i++)
    {
      const char *key = weft_value_key (over, i);
      WeftValue *value = weft_value_item (over, i), *before = weft_value_lookup (merged, key);
      if (before && weft_value_kind (value) == WEFT_VALUE_NULL)
        weft_value_remove (merged, key);
      else
        weft_value_set (merged, key, weft_value_key_mark (over, i), weft_value_merge (before, value));
    }
  return merged;
}

static void
check_keys (Composer *self, const WeftValue *map, const char *what, const char *const *keys)
{
  for (guint i = 0; i < weft_value_length (map); i++)
    if (!g_strv_contains (keys, weft_value_key (map, i)))
      {
        g_autofree char *hint = weft_suggestion (weft_value_key (map, i), keys);
        weft_problems_add (self->problems, weft_value_key_mark (map, i), "%s knows no \"%s\"%s", what, weft_value_key (map, i), hint);
      }
}

static char *
find_include (Composer *self, const char *name, const char *from)
{
  g_autofree char *dir = g_path_get_dirname (from);
  char *beside = g_path_is_absolute (name) ? g_strdup (name) : g_build_filename (dir, name, NULL);

  if (g_file_test (beside, G_FILE_TEST_EXISTS) || g_path_is_absolute (name))
    return beside;
  for (const char *const *place = self->composition->search; place && *place; place++)
    {
      g_autofree char *path = g_build_filename (*place, name, NULL);
      if (g_file_test (path, G_FILE_TEST_EXISTS))
        {
          g_free (beside);
          return g_steal_pointer (&path);
        }
    }
  return beside;
}

static WeftValue *load (Composer *self, const char *path, WeftMark mark);

static WeftValue *
merge_into (WeftValue *base, WeftValue *over)
{
  WeftValue *merged = weft_value_merge (base, over);

  g_clear_pointer (&base, weft_value_unref);
  return merged;
}

static WeftValue *
load_includes (Composer *self, const WeftValue *include, const char *from)
{
  WeftValue *base = NULL;
  guint n = weft_value_kind (include) == WEFT_VALUE_LIST ? weft_value_length (include) : 1;

  for (guint i = 0; i < n; i++)
    {
      const WeftValue *item = weft_value_kind (include) == WEFT_VALUE_LIST ? weft_value_item (include, i) : include;
      g_autofree char *path = NULL;
      g_autoptr (WeftValue) part = NULL;
      if (weft_value_kind (item) != WEFT_VALUE_SCALAR)
        {
          weft_problems_add (self->problems, weft_value_mark (item), "include takes a file or a list of files");
          continue;
        }
      path = find_include (self, weft_value_text (item), from);
      part = load (self, path, weft_value_mark (item));
      if (part)
        base = merge_into (base, part);
    }
  return base;
}

static WeftValue *
load (Composer *self, const char *path, WeftMark mark)
{
  g_autoptr (WeftValue) document = NULL;
  g_autofree char *real = g_canonicalize_filename (path, NULL);
  WeftValue *include, *base;

  for (guint i = 0; i < self->open->len; i++)
    if (strcmp (self->open->pdata[i], real) == 0)
      {
        weft_problems_add (self->problems, mark, "%s includes itself", path);
        return NULL;
      }
  if (self->open->len >= MAX_INCLUDES)
    {
      weft_problems_add (self->problems, mark, "includes are nested more than %d deep", MAX_INCLUDES);
      return NULL;
    }
  if (mark.line && !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      weft_problems_add (self->problems, mark, "there is no file %s to include", path);
      return NULL;
    }
  document = weft_document_load (path, self->problems);
  if (!document)
    return NULL;
  if (weft_value_kind (document) != WEFT_VALUE_MAP)
    {
      weft_problems_add (self->problems, weft_value_mark (document), "expected a map with sections such as `graphs:`");
      return NULL;
    }
  check_keys (self, document, "a pipeline", sections);
  include = weft_value_lookup (document, "include");
  if (!include)
    return g_steal_pointer (&document);
  g_ptr_array_add (self->open, real);
  base = load_includes (self, include, path);
  g_ptr_array_set_size (self->open, (int) self->open->len - 1);
  weft_value_remove (document, "include");
  return base ? merge_into (base, document) : g_steal_pointer (&document);
}

static WeftValue *
apply_overlays (Composer *self, WeftValue *document)
{
  for (const char *const *name = self->composition->overlays; name && *name; name++)
    {
      WeftValue *ablations = weft_value_lookup (document, "ablations");
      WeftValue *own = ablations && weft_value_kind (ablations) == WEFT_VALUE_MAP ? weft_value_lookup (ablations, *name) : NULL;
      g_autoptr (WeftValue) overlay = NULL;
      if (own)
        overlay = weft_value_ref (own);
      else if (g_file_test (*name, G_FILE_TEST_EXISTS))
        overlay = load (self, *name, (WeftMark){ 0 });
      else
        {
          g_autoptr (GPtrArray) names = g_ptr_array_new ();
          for (guint i = 0; ablations && i < weft_value_length (ablations); i++)
            g_ptr_array_add (names, (gpointer) weft_value_key (ablations, i));
          g_ptr_array_add (names, NULL);
          g_autofree char *hint = weft_suggestion (*name, (const char *const *) names->pdata);
          weft_problems_add (self->problems, (WeftMark){ .file = "--overlay" }, "\"%s\" is neither a file nor one of the pipeline's ablations%s", *name, hint);
        }
      if (overlay && weft_value_kind (overlay) == WEFT_VALUE_MAP)
        {
          check_keys (self, overlay, "an overlay", sections);
          document = merge_into (document, overlay);
        }
    }
  return document;
}

/* `a.b.c=value` as the document {a: {b: {c: value}}}; a bare name is a variable. */
static WeftValue *
setting_to_document (Composer *self, const char *setting)
{
  const WeftMark mark = { .file = "--set" };
  const char *equals = strchr (setting, '=');
  g_autofree char *path = NULL;
  g_auto (GStrv) parts = NULL;
  WeftValue *value;

  if (!equals || equals == setting)
    {
      weft_problems_add (self->problems, mark, "\"%s\" is no setting: expected path=value", setting);
      return NULL;
    }
  path = g_strndup (setting, equals - setting);
  value = equals[1] ? weft_document_parse (equals + 1, -1, "--set", self->problems) : weft_value_new_scalar ("", TRUE, mark);
  if (!value)
    return NULL;
  if (!strchr (path, '.'))
    {
      char *variable = g_strconcat ("vars.", path, NULL);
      g_free (path);
      path = variable;
    }
  parts = g_strsplit (path, ".", -1);
  for (guint i = g_strv_length (parts); i-- > 0;)
    {
      WeftValue *map = weft_value_new_map (mark);
      weft_value_set (map, parts[i], mark, value);
      value = map;
    }
  return value;
}

/* What is set must be there, but for attributes of nodes and the like, which the builder checks. */
static void
check_setting (Composer *self, const WeftValue *document, const char *setting)
{
  g_autofree char *name = g_strndup (setting, strcspn (setting, "="));
  const WeftValue *vars = weft_value_lookup (document, "vars");
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *hint = NULL;

  if (strchr (name, '.') || (vars && weft_value_lookup (vars, name)))
    return;
  for (guint i = 0; vars && i < weft_value_length (vars); i++)
    g_ptr_array_add (names, (gpointer) weft_value_key (vars, i));
  g_ptr_array_add (names, NULL);
  hint = weft_suggestion (name, (const char *const *) names->pdata);
  weft_problems_add (self->problems, (WeftMark){ .file = "--set" }, "there is no variable \"%s\"%s", name, hint);
}

static WeftValue *
apply_settings (Composer *self, WeftValue *document)
{
  for (const char *const *setting = self->composition->settings; setting && *setting; setting++)
    {
      g_autoptr (WeftValue) over = NULL;
      check_setting (self, document, *setting);
      over = setting_to_document (self, *setting);
      if (over)
        document = merge_into (document, over);
    }
  return document;
}

static void
check_members (Composer *self, const WeftValue *document, const char *section, const char *what, const char *const *keys)
{
  const WeftValue *map = weft_value_lookup (document, section);

  for (guint i = 0; map && i < weft_value_length (map); i++)
    {
      g_autofree char *name = g_strdup_printf ("%s %s", what, weft_value_key (map, i));
      if (weft_value_kind (weft_value_item (map, i)) != WEFT_VALUE_MAP)
        weft_problems_add (self->problems, weft_value_mark (weft_value_item (map, i)), "%s must be a map", name);
      else if (keys)
        check_keys (self, weft_value_item (map, i), name, keys);
    }
}

static WeftValue *
resolve (Composer *self, WeftValue *document)
{
  WeftValue *vars = weft_value_lookup (document, "vars");
  g_autoptr (WeftValue) resolved = vars ? weft_variables_resolve (vars, self->problems) : weft_value_new_map (weft_value_mark (document));
  WeftValue *result = weft_value_new_map (weft_value_mark (document));

  for (guint i = 0; i < weft_value_length (document); i++)
    {
      const char *key = weft_value_key (document, i);
      WeftValue *value = weft_value_item (document, i);
      gboolean closed = strcmp (key, "modules") == 0 || strcmp (key, "ablations") == 0 || strcmp (key, "about") == 0;
      weft_value_set (result, key, weft_value_key_mark (document, i),
                      strcmp (key, "vars") == 0 ? weft_value_ref (resolved)
                      : closed                  ? weft_value_ref (value)
                                                : weft_variables_replace (value, resolved, self->problems));
    }
  return result;
}

WeftValue *
weft_compose (const WeftComposition *composition, WeftProblems *problems)
{
  Composer self = { composition, problems, g_ptr_array_new () };
  guint before = weft_problems_count (problems);
  WeftValue *document = load (&self, composition->path, (WeftMark){ 0 });
  WeftValue *composed = NULL;

  if (document)
    {
      document = apply_settings (&self, apply_overlays (&self, document));
      for (const char *const *section = map_sections; *section; section++)
        {
          const WeftValue *value = weft_value_lookup (document, *section);
          if (value && weft_value_kind (value) != WEFT_VALUE_MAP)
            weft_problems_add (problems, weft_value_mark (value), "`%s:` must be a map", *section);
        }
      check_members (&self, document, "modules", "module", module_keys);
      check_members (&self, document, "graphs", "graph", graph_keys);
      check_members (&self, document, "networks", "network", NULL);
      if (weft_problems_count (problems) == before)
        composed = resolve (&self, document);
      weft_value_unref (document);
    }
  g_ptr_array_unref (self.open);
  if (weft_problems_count (problems) > before)
    g_clear_pointer (&composed, weft_value_unref);
  return composed;
}
