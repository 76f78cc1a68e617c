/* Documents to one composed document.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "compose-private.h"

#include "language.h"
#include "variables.h"

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
resolve (WeftComposer *self, const WeftValue *document)
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

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Pipelines in the searched folders, by the names that commands take. */
static void
add_pipelines (const char *place, GPtrArray *names)
{
  g_autoptr (GDir) folder = g_dir_open (place, 0, NULL);
  for (const char *name; folder && (name = g_dir_read_name (folder));)
    if (g_str_has_suffix (name, ".yaml"))
      g_ptr_array_add (names, g_strndup (name, strlen (name) - strlen (".yaml")));
}

/* A pipeline that is not there may be the name of another, mistyped. */
static gboolean
is_there (WeftComposer *self)
{
  const char *path = self->composition->path;
  if (strcmp (path, "-") == 0 || g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  for (const char *const *place = self->composition->search; place && *place; place++)
    add_pipelines (*place, names);
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *stem = g_str_has_suffix (base, ".yaml") ? g_strndup (base, strlen (base) - strlen (".yaml")) : g_strdup (base);
  const char *near = weft_nearest (stem, (const char *const *) names->pdata);
  g_autofree char *hint = near ? g_strdup_printf ("; did you mean \"%s\"?", near) : g_strdup ("");
  weft_problems_add (self->problems, (WeftMark){ .file = g_intern_string (path) }, "there is no such file, run or installed pipeline%s",
                     hint);
  return FALSE;
}

WeftValue *
weft_compose_layers (const WeftComposition *composition, GPtrArray *layers, WeftProblems *problems)
{
  WeftComposer self = { composition,
                        problems,
                        { 0 },
                        g_ptr_array_new (),
                        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                        NULL,
                        layers };
  guint before = weft_problems_count (problems);
  weft_includes_init (&self.includes, composition->search);
  WeftValue *document = is_there (&self) ? weft_compose_load (&self, composition->path, (WeftMark){ 0 }) : NULL, *composed = NULL;
  if (document)
    document = weft_compose_settings (&self, weft_compose_edits (&self, weft_compose_overlays (&self, document)));
  gboolean whole = weft_problems_count (problems) == before;
  if (document && weft_language_check (document, whole, problems))
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
