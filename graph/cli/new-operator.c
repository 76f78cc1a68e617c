/* weft new-operator: a folder to start an operator from, which builds and passes its tests before any edit.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "places.h"

/* Names that the templates have where the new ones go. */
#define OLD_NAME "my_operator"
#define OLD_TYPE "MyOperator"

static const char *const bases[] = { "pointwise", "reduction", "loss", "layer", "source", "effect", "metric", NULL };

static gboolean
is_name (const char *name)
{
  for (const char *c = name; *c; c++)
    if (!g_ascii_islower (*c) && !(c > name && (g_ascii_isdigit (*c) || *c == '_')))
      return FALSE;
  return *name && strlen (name) < 64;
}

/* soft_sign → SoftSign */
static char *
type_name (const char *name)
{
  GString *type = g_string_new (NULL);
  gboolean up = TRUE;

  for (const char *c = name; *c; c++)
    {
      if (*c != '_')
        g_string_append_c (type, up ? g_ascii_toupper (*c) : *c);
      up = *c == '_';
    }
  return g_string_free (type, FALSE);
}

static char *
replace (const char *text, const char *from, const char *to)
{
  g_auto (GStrv) parts = g_strsplit (text, from, -1);

  return g_strjoinv (to, parts);
}

static gboolean
write_from (const char *template, const char *folder, const char *file, const char *name, GError **error)
{
  g_autofree char *from = g_build_filename (weft_places_templates (), template, NULL), *to = g_build_filename (folder, file, NULL);
  g_autofree char *type = type_name (name), *text = NULL, *named = NULL, *typed = NULL;

  if (!g_file_get_contents (from, &text, NULL, error))
    return FALSE;
  named = replace (text, OLD_NAME, name);
  typed = replace (named, OLD_TYPE, type);
  return g_file_set_contents (to, typed, -1, error);
}

static gboolean
write_all (const char *base, const char *folder, const char *name, GError **error)
{
  g_autofree char *source = g_strconcat (base, ".c", NULL), *pipeline = g_strconcat (base, ".yaml", NULL);
  g_autofree char *file = g_strconcat (name, ".c", NULL);

  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "cannot make the folder %s: %s", folder, g_strerror (errno));
      return FALSE;
    }
  return write_from (source, folder, file, name, error) && write_from (pipeline, folder, "pipeline.yaml", name, error)
         && write_from ("Makefile.template", folder, "Makefile", name, error)
         && write_from ("README.template", folder, "README.md", name, error);
}

static int
refuse (const char *name, const char *base, const char *folder)
{
  const WeftOperator *op = weft_registry_find (name);

  if (!is_name (name))
    {
      g_autofree char *message = g_strdup_printf (
          "weft new-operator: \"%s\" is no name for an operator: lower-case letters, digits and _, beginning with a letter", name);
      return weft_cli_usage (message);
    }
  if (!g_strv_contains (bases, base))
    {
      g_autofree char *hint = weft_suggestion (base, bases);
      g_autofree char *message = g_strdup_printf ("weft new-operator: there is no base \"%s\"%s", base, hint);
      return weft_cli_usage (message);
    }
  if (op)
    {
      const WeftModule *module = weft_registry_module_of (op);
      fprintf (stderr, "weft new-operator: operator \"%s\" exists already, in %s; choose another name\n", name,
               module ? module->name : "the core");
      return WEFT_EXIT_INPUT;
    }
  if (g_file_test (folder, G_FILE_TEST_EXISTS))
    {
      fprintf (stderr, "weft new-operator: %s exists already; nothing was written\n", folder);
      return WEFT_EXIT_INPUT;
    }
  return 0;
}

int
weft_cli_new_operator (int argc, char **argv)
{
  WeftCommonOptions common;
  g_autofree char *base = NULL;
  const GOptionEntry own[] = { { "base", 'b', 0, G_OPTION_ARG_STRING, &base,
                                 "What to start from: pointwise (default), reduction, loss, layer, source, effect or metric", "BASE" },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  g_autoptr (GError) error = NULL;
  int status = 0;

  if (!weft_cli_parse (
          &argc, &argv, "NAME",
          "Writes a folder with an operator in one C file, a Makefile, an example pipeline and a README; `make check` in it passes "
          "before any edit.\n\nExample:\n  weft new-operator swish && make -C swish check",
          own, &common, &status))
    return status;
  if (argc != 2)
    status = weft_cli_usage ("weft new-operator: expected one name, such as swish");
  else
    {
      const char *name = argv[1], *folder = common.output ? common.output : name, *chosen = base ? base : "pointwise";
      status = refuse (name, chosen, folder);
      if (!status && !write_all (chosen, folder, name, &error))
        {
          fprintf (stderr, "weft new-operator: %s\n", error->message);
          status = WEFT_EXIT_INPUT;
        }
      else if (!status && !common.quiet)
        printf ("%s/%s.c, Makefile, pipeline.yaml and README.md are written; `make -C %s check` builds and tests them\n", folder, name,
                folder);
    }
  weft_cli_options_clear (&common);
  return status;
}
