/* weft inspect: what operators and modules are.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "describe.h"
#include "places.h"

typedef struct
{
  int n;
  char **names;
  gboolean json, markdown, brief;
} Inspection;

static void
list_room (const char *room)
{
  guint n;
  const WeftOperator *const *operators = weft_registry_operators (&n);

  printf ("%s\n", room);
  for (guint i = 0; i < n; i++)
    if (strcmp (weft_describe_room (operators[i]), room) == 0)
      printf ("  %-22s %s\n", operators[i]->name, operators[i]->summary ? operators[i]->summary : "");
}

/* Modules in the order of their names, so that listings do not depend on where they were found. */
static int
compare_loaded (gconstpointer a, gconstpointer b)
{
  const WeftLoaded *x = *(const WeftLoaded *const *) a, *y = *(const WeftLoaded *const *) b;

  return g_strcmp0 (x->module ? x->module->name : NULL, y->module ? y->module->name : NULL);
}

static GPtrArray *
sorted_modules (void)
{
  const GPtrArray *modules = weft_registry_modules ();
  GPtrArray *sorted = g_ptr_array_new ();

  for (guint i = 0; i < modules->len; i++)
    g_ptr_array_add (sorted, modules->pdata[i]);
  g_ptr_array_sort (sorted, compare_loaded);
  return sorted;
}

static void
print_refused (void)
{
  const GPtrArray *modules = weft_registry_modules ();

  for (guint i = 0; i < modules->len; i++)
    if (!((const WeftLoaded *) modules->pdata[i])->module)
      weft_describe_module_text (modules->pdata[i], stderr);
}

static void
list_all (void)
{
  g_autoptr (GPtrArray) modules = sorted_modules ();

  list_room ("core");
  for (guint i = 0; i < modules->len; i++)
    {
      const WeftLoaded *loaded = modules->pdata[i];
      if (loaded->module)
        list_room (loaded->module->name);
    }
  print_refused ();
}

static void
list_room_markdown (const char *room, const char *summary)
{
  guint n;
  const WeftOperator *const *operators = weft_registry_operators (&n);

  printf ("\n## %s\n\n%s.\n", room, summary);
  for (guint i = 0; i < n; i++)
    if (strcmp (weft_describe_room (operators[i]), room) == 0)
      weft_describe_operator_markdown (operators[i], stdout);
}

static void
list_all_markdown (void)
{
  g_autoptr (GPtrArray) modules = sorted_modules ();

  printf (
      "# Operators\n\nEvery operator that comes with Weft, as its descriptor says. `weft inspect OPERATOR` shows the same of any operator, "
      "yours included; `signatures.md` explains the shapes.\n");
  list_room_markdown ("core", "Built into the library");
  for (guint i = 0; i < modules->len; i++)
    {
      const WeftLoaded *loaded = modules->pdata[i];
      if (loaded->module)
        list_room_markdown (loaded->module->name, loaded->module->summary);
    }
}

static void
add_all_json (JsonBuilder *builder)
{
  g_autoptr (GPtrArray) modules = sorted_modules ();
  guint n;
  const WeftOperator *const *operators = weft_registry_operators (&n);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "operators");
  json_builder_begin_array (builder);
  for (guint i = 0; i < n; i++)
    weft_describe_operator_json (operators[i], builder);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "modules");
  json_builder_begin_array (builder);
  for (guint i = 0; i < modules->len; i++)
    weft_describe_module_json (modules->pdata[i], FALSE, builder);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
print_json (JsonBuilder *builder)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = NULL;

  json_generator_set_pretty (generator, TRUE);
  json_generator_set_root (generator, root);
  text = json_generator_to_data (generator, NULL);
  printf ("%s\n", text);
}

static gboolean
is_file (const char *name)
{
  return (strchr (name, G_DIR_SEPARATOR) || g_str_has_suffix (name, ".so")) && g_file_test (name, G_FILE_TEST_IS_REGULAR);
}

/* A module by its name, or by its file. */
static const WeftLoaded *
find_module (const char *name)
{
  const GPtrArray *modules = weft_registry_modules ();
  g_autofree char *path = g_canonicalize_filename (name, NULL);

  for (guint i = 0; i < modules->len; i++)
    {
      const WeftLoaded *loaded = modules->pdata[i];
      if (strcmp (loaded->path, path) == 0 || (loaded->module && strcmp (loaded->module->name, name) == 0))
        return loaded;
    }
  return NULL;
}

/* The body of a module of the pipeline language, from the files that come with the library. */
static WeftValue *
find_body (const char *name, char **file, GPtrArray *names)
{
  g_autofree char *folder = g_build_filename (weft_places_pipelines (), "modules", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  WeftValue *found = NULL;
  const char *entry;

  while (dir && !found && (entry = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (folder, entry, NULL);
      g_autoptr (WeftProblems) problems = weft_problems_new ();
      g_autoptr (WeftValue) document = g_str_has_suffix (entry, ".yaml") ? weft_document_load (path, problems) : NULL;
      WeftValue *modules = document ? weft_value_lookup (document, "modules") : NULL;
      for (guint i = 0; modules && i < weft_value_length (modules); i++)
        g_ptr_array_add (names, g_strdup (weft_value_key (modules, i)));
      found = modules ? weft_value_lookup (modules, name) : NULL;
      if (found)
        {
          weft_value_ref (found);
          *file = g_strconcat ("modules/", entry, NULL);
        }
    }
  return found;
}

static void
report_unknown (const char *name, GPtrArray *names)
{
  g_autofree char *hint = NULL;

  for (const char *const *op = weft_registry_names (); *op; op++)
    g_ptr_array_add (names, g_strdup (*op));
  for (guint i = 0; i < weft_registry_modules ()->len; i++)
    {
      const WeftLoaded *loaded = weft_registry_modules ()->pdata[i];
      if (loaded->module)
        g_ptr_array_add (names, g_strdup (loaded->module->name));
    }
  g_ptr_array_add (names, NULL);
  hint = weft_suggestion (name, (const char *const *) names->pdata);
  fprintf (stderr, "weft inspect: there is no operator and no module \"%s\"%s\n", name, hint);
  print_refused ();
}

static gboolean
inspect_body (const char *name, JsonBuilder *builder, GPtrArray *names)
{
  g_autofree char *file = NULL;
  g_autoptr (WeftValue) body = find_body (name, &file, names);

  if (body && builder)
    weft_describe_body_json (name, file, body, builder);
  else if (body)
    weft_describe_body_text (name, file, body, stdout);
  return body != NULL;
}

static gboolean
inspect_one (const char *name, const Inspection *self, JsonBuilder *builder)
{
  const WeftOperator *op = is_file (name) ? NULL : weft_registry_find (name);
  const WeftLoaded *loaded = op ? NULL : find_module (name);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (op && builder)
    weft_describe_operator_json (op, builder);
  else if (op && self->markdown)
    weft_describe_operator_markdown (op, stdout);
  else if (op)
    weft_describe_operator_text (op, stdout);
  else if (loaded && builder)
    weft_describe_module_json (loaded, TRUE, builder);
  else if (loaded)
    weft_describe_module_text (loaded, loaded->module ? stdout : stderr);
  else if (!inspect_body (name, builder, names))
    {
      report_unknown (name, names);
      return FALSE;
    }
  return !loaded || loaded->module;
}

static int
inspect (gpointer data)
{
  const Inspection *self = data;
  g_autoptr (JsonBuilder) builder = self->json ? json_builder_new () : NULL;
  int status = 0;

  if (self->brief)
    for (const char *const *name = weft_registry_names (); *name; name++)
      printf ("%s\n", *name);
  else if (!self->n && builder)
    add_all_json (builder);
  else if (!self->n && self->markdown)
    list_all_markdown ();
  else if (!self->n)
    list_all ();
  if (self->n > 1 && builder)
    json_builder_begin_array (builder);
  for (int i = 0; i < self->n; i++)
    {
      if (i && !builder)
        printf ("\n");
      if (!inspect_one (self->names[i], self, builder))
        status = WEFT_EXIT_INPUT;
    }
  if (self->n > 1 && builder)
    json_builder_end_array (builder);
  if (builder && (!status || self->n != 1))
    print_json (builder);
  return status;
}

/* Files among the arguments are modules to load first. */
static char *
places_to_load (const Inspection *self, const char *plugin_path)
{
  GString *places = g_string_new (NULL);

  for (int i = 0; i < self->n; i++)
    if (is_file (self->names[i]))
      g_string_append_printf (places, "%s:", self->names[i]);
  g_string_append (places, plugin_path ? plugin_path : "");
  return g_string_free (places, FALSE);
}

int
weft_cli_inspect (int argc, char **argv)
{
  WeftCommonOptions common;
  Inspection self = { 0 };
  const GOptionEntry own[] = { { "json", 'j', 0, G_OPTION_ARG_NONE, &self.json, "Print for programs", NULL },
                               { "markdown", 0, 0, G_OPTION_ARG_NONE, &self.markdown, "Print as pages of the manual", NULL },
                               { "names", 0, 0, G_OPTION_ARG_NONE, &self.brief, "Print the names of all operators", NULL },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  g_autofree char *places = NULL;
  int status = 0;

  if (!weft_cli_parse_options (
          &argc, &argv, "[OPERATOR|MODULE|FILE.so…]",
          "Shows what operators and modules take, give and mean; without arguments, lists all operators. Modules are loaded in "
          "a child process: one that crashes or hangs is reported.\n\nExamples:\n  weft inspect linear\n  weft inspect "
          "--json user\n  weft inspect ./mine.so",
          own, &common, &status))
    return status;
  self.n = argc - 1;
  self.names = argv + 1;
  places = places_to_load (&self, common.plugin_path);
  status = weft_cli_apart (places, inspect, &self);
  weft_cli_options_clear (&common);
  return status;
}
