/* Variants of a pipeline: itself, its ablations, the values of a matrix.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "variants.h"

#include <stdio.h>
#include <string.h>

#include "open.h"

/* More than this is a slip: nobody reads the table. */
#define MOST_VARIANTS 1000

typedef struct
{
  const char *pipeline;
  const WeftCommonOptions *common;
  GPtrArray *variants;
  WeftProblems *problems;
  gboolean matrix;
  const WeftValue *ablations; /* (nullable): the pipeline's own */
} Gathering;

static void
variant_free (gpointer data)
{
  WeftVariant *variant = data;
  g_free (variant->name);
  g_strfreev (variant->overlays);
  g_strfreev (variant->settings);
  g_free (variant->axis);
  g_free (variant->label);
  g_free (variant);
}

static char **
with_one_more (char *const *list, const char *more)
{
  GPtrArray *all = g_ptr_array_new ();
  for (guint i = 0; list && list[i]; i++)
    g_ptr_array_add (all, g_strdup (list[i]));
  if (more)
    g_ptr_array_add (all, g_strdup (more));
  g_ptr_array_add (all, NULL);
  return (char **) g_ptr_array_free (all, FALSE);
}

/* What overlay @name says, without what it is laid over; (nullable). */
static WeftValue *
load_overlay (const Gathering *self, const char *name)
{
  g_autoptr (WeftProblems) ignored = weft_problems_new ();
  g_autofree char *file = weft_pipeline_file (self->pipeline);
  WeftComposition composition = { file, NULL, NULL, weft_pipeline_search () };
  const WeftValue *own = self->ablations ? weft_value_lookup (self->ablations, name) : NULL;
  g_autofree char *path = own ? NULL : weft_compose_find_overlay (&composition, name);
  return own ? weft_value_ref ((WeftValue *) own) : path ? weft_document_load (path, ignored) : NULL;
}

/* Settings of the command line hold for the base; what the variant is about comes after them. */
static char **
settings_under (const Gathering *self, const char *overlay)
{
  char **settings = weft_cli_settings (self->common);
  g_autoptr (WeftValue) own = overlay ? load_overlay (self, overlay) : NULL;
  guint kept = 0;
  for (guint i = 0; settings[i]; i++)
    {
      g_autofree char *path = g_strndup (settings[i], strcspn (settings[i], "="));
      g_autofree char *variable = g_strconcat ("vars.", path, NULL);
      if (own && weft_value_kind (own) == WEFT_VALUE_MAP && (weft_value_at (own, path) || weft_value_at (own, variable)))
        g_free (settings[i]);
      else
        settings[kept++] = settings[i];
    }
  settings[kept] = NULL;
  return settings;
}

static WeftVariant *
add_variant (Gathering *self, const char *name, const char *overlay, gboolean asked)
{
  WeftVariant *variant = g_new0 (WeftVariant, 1);
  g_auto (GStrv) settings = settings_under (self, overlay);
  variant->name = g_strdup (name);
  variant->overlays = with_one_more (self->common->overlays, overlay);
  variant->settings = with_one_more (settings, NULL);
  variant->asked = asked;
  g_ptr_array_add (self->variants, variant);
  return variant;
}

static char *
print_inline (const WeftValue *value)
{
  char *text = g_strchomp (weft_document_print (value));
  return g_strdelimit (text, "\n", ' ');
}

/* One variant for each combination of the values of @matrix, the last axis fastest. */
static void
add_cells (Gathering *self, const char *name, const char *overlay, const WeftValue *matrix)
{
  guint axes = weft_value_length (matrix);
  guint64 cells = 1;
  for (guint a = 0; a < axes; a++)
    cells *= MAX (weft_value_length (weft_value_item (matrix, a)), 1);
  if (cells > MOST_VARIANTS)
    {
      weft_problems_add (self->problems, weft_value_mark (matrix), "this matrix has %" G_GUINT64_FORMAT " cells; at most %d", cells,
                         MOST_VARIANTS);
      return;
    }
  for (guint64 cell = 0; cell < cells; cell++)
    {
      g_autoptr (GString) label = g_string_new (NULL);
      g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_free);
      guint64 rest = cell, below = cells;
      double number = (double) cell;
      for (guint a = 0; a < axes; a++)
        {
          const WeftValue *values = weft_value_item (matrix, a);
          below /= weft_value_length (values);
          const WeftValue *value = weft_value_item (values, (guint) (rest / below));
          rest %= below;
          g_autofree char *text = print_inline (value);
          const char *key = weft_value_key (matrix, a), *dot = strrchr (key, '.');
          g_ptr_array_add (settings, g_strdup_printf ("%s=%s", key, text));
          g_string_append_printf (label, "%s%s=%s", a ? " " : "", dot ? dot + 1 : key, text);
          if (axes == 1)
            weft_value_get_number (value, &number);
        }
      g_autofree char *full = *name ? g_strdup_printf ("%s %s", name, label->str) : g_strdup (label->str);
      WeftVariant *variant = add_variant (self, full, overlay, TRUE);
      g_auto (GStrv) common = g_steal_pointer (&variant->settings);
      g_ptr_array_set_free_func (settings, NULL);
      GPtrArray *all = g_ptr_array_new ();
      for (guint i = 0; common[i]; i++)
        g_ptr_array_add (all, g_strdup (common[i]));
      for (guint i = 0; i < settings->len; i++)
        g_ptr_array_add (all, settings->pdata[i]);
      g_ptr_array_add (all, NULL);
      variant->settings = (char **) g_ptr_array_free (all, FALSE);
      variant->axis = g_strdup (*name ? name : axes == 1 ? weft_value_key (matrix, 0) : "matrix");
      variant->label = g_strdup (label->str);
      variant->value = number;
    }
}

static WeftValue *
compose_with (Gathering *self, const char *overlay)
{
  g_autofree char *file = weft_pipeline_file (self->pipeline);
  g_auto (GStrv) overlays = with_one_more (self->common->overlays, overlay), settings = weft_cli_settings (self->common);
  WeftComposition composition = { file, (const char *const *) overlays, (const char *const *) settings, weft_pipeline_search () };
  return weft_compose (&composition, self->problems);
}

/* The ablation @name as one variant, or as those of its matrix. */
static void
add_ablation (Gathering *self, const char *name, const WeftValue *base, gboolean asked)
{
  g_autoptr (WeftValue) document = compose_with (self, name);
  const WeftValue *matrix = document ? weft_value_lookup (document, "matrix") : NULL;
  const WeftValue *before = base ? weft_value_lookup (base, "matrix") : NULL;
  g_autofree char *file = g_path_get_basename (name);
  if (g_str_has_suffix (file, ".yaml"))
    file[strlen (file) - strlen (".yaml")] = '\0';
  if (matrix && matrix != before && (asked || self->matrix) && !(before && weft_value_length (before) == weft_value_length (matrix)))
    add_cells (self, file, name, matrix);
  else if (document && !self->matrix && (!matrix || asked))
    add_variant (self, file, name, asked);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Names of the files in the folders `ablations` that the pipeline sees; (element-type utf8). */
static GPtrArray *
list_files (const char *pipeline)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *file = weft_pipeline_file (pipeline), *folder = g_path_get_dirname (file);
  const char *places[] = { folder, weft_pipeline_search ()[0] };
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *path = places[i] ? g_build_filename (places[i], "ablations", NULL) : NULL;
      g_autoptr (GDir) dir = path ? g_dir_open (path, 0, NULL) : NULL;
      for (const char *name; dir && (name = g_dir_read_name (dir));)
        {
          g_autofree char *stem = g_str_has_suffix (name, ".yaml") ? g_strndup (name, strlen (name) - strlen (".yaml")) : NULL;
          if (stem && !g_ptr_array_find_with_equal_func (names, stem, g_str_equal, NULL))
            g_ptr_array_add (names, g_steal_pointer (&stem));
        }
    }
  g_ptr_array_sort (names, compare_names);
  return names;
}

static void
add_all (Gathering *self, const WeftValue *base)
{
  const WeftValue *own = weft_value_lookup (base, "ablations");
  for (guint i = 0; own && i < weft_value_length (own); i++)
    add_ablation (self, weft_value_key (own, i), base, TRUE);
  g_autoptr (GPtrArray) files = list_files (self->pipeline);
  for (guint i = 0; i < files->len && !(own && weft_value_length (own)); i++)
    add_ablation (self, files->pdata[i], base, FALSE);
}

GPtrArray *
weft_variants_new (const char *pipeline, const WeftCommonOptions *common, const char *only, gboolean matrix)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) variants = g_ptr_array_new_with_free_func (variant_free);
  Gathering self = { pipeline, common, variants, problems, matrix, NULL };
  g_autoptr (WeftValue) base = compose_with (&self, NULL);
  const WeftValue *own = base ? weft_value_lookup (base, "matrix") : NULL;
  self.ablations = base ? weft_value_lookup (base, "ablations") : NULL;
  if (base)
    add_variant (&self, "base", NULL, TRUE);
  g_auto (GStrv) names = only ? g_strsplit (only, ",", -1) : NULL;
  for (char **name = names; base && name && *name; name++)
    if (*g_strstrip (*name) && strcmp (*name, "base") != 0)
      add_ablation (&self, *name, base, TRUE);
  if (base && !only && own)
    add_cells (&self, "", NULL, own);
  else if (base && !only && !matrix)
    add_all (&self, base);
  if (!weft_problems_to_error (problems, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return NULL;
    }
  return g_steal_pointer (&variants);
}
