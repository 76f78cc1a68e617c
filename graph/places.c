/* Where files are.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "places.h"

#include <dlfcn.h>
#include <string.h>

/* The folder of this library's file; (transfer full) (nullable). */
static char *
own_folder (void)
{
  Dl_info info;
  if (!dladdr ((gconstpointer) weft_places_pipelines, &info) || info.dli_fname == NULL)
    return NULL;
  g_autofree char *file = g_canonicalize_filename (info.dli_fname, NULL);
  return g_path_get_dirname (file);
}

/* Below `share`, even if everything was moved since it was installed. */
static char *
find_installed (const char *folder, const char *name, const char *configured)
{
  static const char *const ups[] = { "..", "../.." };
  for (guint i = 0; folder != NULL && i < G_N_ELEMENTS (ups); i++)
    {
      g_autofree char *relative = g_build_filename (folder, ups[i], "share", "weft", name, NULL);
      g_autofree char *path = g_canonicalize_filename (relative, NULL);
      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        return g_steal_pointer (&path);
    }
  return g_strdup (configured);
}

static char *
find (const char *name, const char *in_source, const char *configured)
{
  g_autofree char *folder = own_folder ();
  if (g_strcmp0 (folder, WEFT_BUILD_MODULE_DIR) == 0)
    return g_canonicalize_filename (in_source, NULL);
  return find_installed (folder, name, configured);
}

const char *
weft_places_pipelines (void)
{
  static char *found;
  if (g_once_init_enter (&found))
    g_once_init_leave (&found, find ("pipelines", WEFT_SOURCE_PIPELINE_DIR, WEFT_PIPELINE_DIR));
  return found;
}

const char *
weft_places_templates (void)
{
  static char *found;
  if (g_once_init_enter (&found))
    g_once_init_leave (&found, find ("templates", WEFT_SOURCE_PIPELINE_DIR "/../graph/cli/templates", WEFT_PIPELINE_DIR "/../templates"));
  return found;
}

/* Whether @folder is that of the installed pipelines, or below it. */
static gboolean
is_installed (const char *folder)
{
  const char *pipelines = weft_places_pipelines ();
  g_autofree char *full = g_canonicalize_filename (folder, NULL);
  gsize length = strlen (pipelines);
  return strncmp (full, pipelines, length) == 0 && (full[length] == '\0' || full[length] == G_DIR_SEPARATOR);
}

char *
weft_resolve_path (const char *path, WeftMark mark)
{
  gboolean from_file = mark.file != NULL && mark.file[0] != '-' && mark.file[0] != '<' && mark.line > 0;
  if (g_path_is_absolute (path) || !from_file)
    return g_strdup (path);
  g_autofree char *folder = g_path_get_dirname (mark.file);
  if (g_str_equal (folder, "."))
    return g_strdup (path);
  g_autofree char *beside = g_build_filename (folder, path, NULL);
  if (is_installed (folder) && !g_file_test (beside, G_FILE_TEST_EXISTS))
    return g_strdup (path);
  return g_steal_pointer (&beside);
}
