/* From a pipeline file or a run directory to a checked pipeline.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "open.h"

#include "directory.h"
#include "pipeline.h"
#include "places.h"

static gpointer
list_folders (gpointer data)
{
  g_auto (GStrv) more = g_strsplit (g_getenv ("WEFT_INCLUDE_PATH") ? g_getenv ("WEFT_INCLUDE_PATH") : "", G_SEARCHPATH_SEPARATOR_S, -1);
  GPtrArray *folders = g_ptr_array_new ();
  (void) data;
  g_ptr_array_add (folders, (gpointer) weft_places_pipelines ());
  for (guint i = 0; more[i]; i++)
    if (*more[i])
      g_ptr_array_add (folders, g_strdup (more[i]));
  g_ptr_array_add (folders, NULL);
  return g_ptr_array_free (folders, FALSE);
}

const char *const *
weft_pipeline_search (void)
{
  static GOnce once = G_ONCE_INIT;
  return g_once (&once, list_folders, NULL);
}

char *
weft_pipeline_file (const char *path)
{
  if (weft_directory_is_run (path))
    return g_build_filename (path, "pipeline.yaml", NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS) && !g_path_is_absolute (path))
    for (guint i = 0; i < 2; i++)
      {
        g_autofree char *name = g_strconcat (path, i == 0 ? "" : ".yaml", NULL);
        g_autofree char *installed = g_build_filename (weft_places_pipelines (), name, NULL);
        if (g_file_test (installed, G_FILE_TEST_IS_REGULAR))
          return g_steal_pointer (&installed);
      }
  return g_strdup (path);
}

static void
add_all (GPtrArray *settings, const char *const *more)
{
  for (guint i = 0; more && more[i]; i++)
    g_ptr_array_add (settings, g_strdup (more[i]));
}

/* Settings that take training out of @document. */
static void
leave_training_out (const WeftValue *document, GPtrArray *settings)
{
  const WeftValue *name = weft_value_at (document, "run.train.graph");
  if (!name || weft_value_kind (name) != WEFT_VALUE_SCALAR)
    return;
  g_ptr_array_add (settings, g_strdup_printf ("graphs.%s=null", weft_value_text (name)));
  static const char *const sections[] = { "train", "log", "watch" };
  for (guint i = 0; i < G_N_ELEMENTS (sections); i++)
    g_ptr_array_add (settings, g_strdup_printf ("run.%s=null", sections[i]));
}

gboolean
weft_open (const char *path, const char *const *overlays, const char *const *settings, const GPtrArray *vars, gboolean trains,
           WeftOpened *opened, WeftProblems *problems)
{
  *opened = (WeftOpened){ 0 };
  guint before = weft_problems_count (problems);
  g_autofree char *file = weft_pipeline_file (path);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  add_all (all, settings);
  for (guint i = 0; vars && i < vars->len; i++)
    g_ptr_array_add (all, g_strdup (vars->pdata[i]));
  g_ptr_array_add (all, NULL);
  WeftComposition composition = { file, overlays, (const char *const *) all->pdata, weft_pipeline_search () };
  opened->document = weft_compose (&composition, problems);
  if (opened->document && !trains)
    {
      g_ptr_array_set_size (all, (int) all->len - 1);
      leave_training_out (opened->document, all);
      g_ptr_array_add (all, NULL);
      composition.settings = (const char *const *) all->pdata;
      weft_value_unref (opened->document);
      opened->document = weft_compose (&composition, problems);
    }
  if (opened->document)
    opened->pipeline = weft_pipeline_build (opened->document, problems);
  if (opened->pipeline)
    opened->recipe = weft_recipe_new (opened->pipeline, problems);
  return weft_problems_count (problems) == before && opened->recipe;
}

void
weft_opened_clear (WeftOpened *opened)
{
  g_clear_pointer (&opened->recipe, weft_recipe_free);
  g_clear_pointer (&opened->pipeline, weft_pipeline_free);
  g_clear_pointer (&opened->document, weft_value_unref);
}
