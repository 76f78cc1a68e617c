/* Where included files are, and where they may be.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "include.h"

#include <stdlib.h>
#include <string.h>

void
weft_includes_init (WeftIncludes *includes, const char *const *search)
{
  *includes = (WeftIncludes){ search, g_ptr_array_new_with_free_func (free) };
}

void
weft_includes_clear (WeftIncludes *includes)
{
  g_ptr_array_unref (includes->roots);
}

void
weft_includes_allow (WeftIncludes *includes, const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  char *real = realpath (folder, NULL);
  if (real)
    g_ptr_array_add (includes->roots, real);
}

static gboolean
is_below (const char *path, const char *folder)
{
  gsize length = strlen (folder);
  return strncmp (path, folder, length) == 0 && (path[length] == '/' || (length > 0 && folder[length - 1] == '/'));
}

static gboolean
is_allowed (const WeftIncludes *includes, const char *path)
{
  char *real = realpath (path, NULL);
  gboolean allowed = FALSE;
  for (guint i = 0; real && i < includes->roots->len && !allowed; i++)
    allowed = is_below (real, includes->roots->pdata[i]);
  for (const char *const *place = includes->search; real && place && *place && !allowed; place++)
    {
      char *folder = realpath (*place, NULL);
      allowed = folder && is_below (real, folder);
      free (folder);
    }
  free (real);
  return allowed;
}

/* Reading a pipe or device could wait or go on for ever. A folder is left to the reader's message. */
static char *
check (const WeftIncludes *includes, char *path, const char *name, WeftMark mark, WeftProblems *problems)
{
  if (!is_allowed (includes, path))
    weft_problems_add (problems, mark,
                       "\"%s\" lies outside of the pipeline's folder, where includes have to be; move it there, or allow its folder with "
                       "--include-path or WEFT_INCLUDE_PATH",
                       name);
  else if (!g_file_test (path, G_FILE_TEST_IS_REGULAR) && !g_file_test (path, G_FILE_TEST_IS_DIR))
    weft_problems_add (problems, mark, "\"%s\" is not a regular file", name);
  else
    return path;
  g_free (path);
  return NULL;
}

char *
weft_includes_find (const WeftIncludes *includes, const char *name, const char *from, WeftMark mark, WeftProblems *problems)
{
  g_autofree char *dir = g_path_get_dirname (from);
  g_autofree char *beside = g_path_is_absolute (name) || strcmp (dir, ".") == 0 ? g_strdup (name) : g_build_filename (dir, name, NULL);
  if (g_file_test (beside, G_FILE_TEST_EXISTS))
    return check (includes, g_steal_pointer (&beside), name, mark, problems);
  g_autoptr (GString) places = g_string_new (beside);
  for (const char *const *place = includes->search; place && *place && !g_path_is_absolute (name); place++)
    {
      g_autofree char *path = g_build_filename (*place, name, NULL);
      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return check (includes, g_steal_pointer (&path), name, mark, problems);
      g_string_append_printf (places, ", %s", path);
    }
  weft_problems_add (problems, mark, "there is no file \"%s\" to include (looked for %s)", name, places->str);
  return NULL;
}
