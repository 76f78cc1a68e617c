/* Overlays: files, and entries of `ablations:`, by their names.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "compose-private.h"

#include <string.h>

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
report_overlay (WeftComposer *self, const WeftValue *ablations, const char *name)
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

WeftValue *
weft_compose_overlays (WeftComposer *self, WeftValue *document)
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
          weft_compose_note_layer (self, overlay);
        }
      else if (file)
        overlay = weft_compose_load (self, file, (WeftMark){ 0 });
      else if (!own)
        report_overlay (self, ablations, *name);
      if (overlay)
        weft_value_remove (overlay, "about");
      if (overlay)
        document = weft_compose_merge (self, document, overlay);
    }
  return document;
}
