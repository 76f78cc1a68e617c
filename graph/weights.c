/* Initial weights from files: `load:` of networks.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "weights.h"

#include <string.h>

#include "model-file.h"
#include "name-map.h"
#include "places.h"

#define MAX_NAMED 8

/* One source for one part of one network, as it is written. */
typedef struct
{
  const char *network;
  const WeftValue *path, *names, *into, *from;
  gboolean optional;
  WeftMark mark;
} Load;

typedef struct
{
  WeftModelFile *file;
  char *source;     /* name in the file */
  const char *path; /* in the store */
} Match;

/* What is to be written once everything was found to fit. */
typedef struct
{
  WeftStore *store;
  const WeftPipeline *pipeline;
  WeftProblems *problems;
  GPtrArray *files;   /* of WeftModelFile */
  GPtrArray *maps;    /* of WeftNameMap */
  GArray *matches;    /* of Match */
  GHashTable *loaded; /* store paths */
  GString *report;
} Loading;

static const char *const keys[] = { "path", "names", "into", "from", "optional", NULL };

static void
match_clear (gpointer data)
{
  g_free (((Match *) data)->source);
}

static void
loading_init (Loading *self, WeftStore *store, const WeftPipeline *pipeline, WeftProblems *problems, GString *report)
{
  *self = (Loading){ .store = store, .pipeline = pipeline, .problems = problems, .report = report };
  self->files = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_model_file_close);
  self->maps = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_name_map_free);
  self->matches = g_array_new (FALSE, TRUE, sizeof (Match));
  g_array_set_clear_func (self->matches, match_clear);
  self->loaded = g_hash_table_new (g_str_hash, g_str_equal);
}

static void
loading_clear (Loading *self)
{
  g_array_unref (self->matches);
  g_ptr_array_unref (self->maps);
  g_ptr_array_unref (self->files);
  g_hash_table_unref (self->loaded);
}

static gboolean
read_string (const WeftValue *map, const char *key, const WeftValue **result, WeftProblems *problems)
{
  const WeftValue *value = weft_value_lookup (map, key);
  *result = NULL;
  if (value == NULL || weft_value_kind (value) == WEFT_VALUE_NULL)
    return TRUE;
  if (weft_value_kind (value) != WEFT_VALUE_SCALAR)
    {
      weft_problems_add (problems, weft_value_mark (value), "`%s` must be a string", key);
      return FALSE;
    }
  *result = value;
  return TRUE;
}

/* A map with `path:`. */
static gboolean
read_load (const WeftValue *value, Load *load, WeftProblems *problems)
{
  guint before = weft_problems_count (problems);
  for (guint i = 0; i < weft_value_length (value); i++)
    if (!g_strv_contains (keys, weft_value_key (value, i)))
      {
        g_autofree char *suggestion = weft_suggestion (weft_value_key (value, i), keys);
        weft_problems_add (problems, weft_value_key_mark (value, i), "unknown key `%s` in `load`%s", weft_value_key (value, i), suggestion);
      }
  read_string (value, "path", &load->path, problems);
  read_string (value, "names", &load->names, problems);
  read_string (value, "into", &load->into, problems);
  read_string (value, "from", &load->from, problems);
  const WeftValue *optional = weft_value_lookup (value, "optional");
  if (optional != NULL && !weft_value_get_boolean (optional, &load->optional))
    weft_problems_add (problems, weft_value_mark (optional), "`optional` must be true or false");
  if (load->path == NULL && weft_problems_count (problems) == before)
    weft_problems_add (problems, weft_value_mark (value), "`load` needs a `path`");
  return weft_problems_count (problems) == before;
}

static char *
join (const char *prefix, const char *name)
{
  return *name == '\0' ? g_strdup (prefix) : g_strconcat (prefix, ".", name, NULL);
}

/* @path without @prefix and its dot; NULL if it is not below it. */
static const char *
below (const char *path, const char *prefix)
{
  gsize length = strlen (prefix);
  if (length == 0)
    return path;
  return strncmp (path, prefix, length) == 0 && path[length] == '.' ? path + length + 1 : NULL;
}

static gboolean
has_part (const WeftPipeline *pipeline, const char *prefix)
{
  for (guint i = 0; i < pipeline->variables->len; i++)
    if (below (((const WeftVariable *) pipeline->variables->pdata[i])->path, prefix) != NULL)
      return TRUE;
  return FALSE;
}

/* The part of the network to fill, as a store path. */
static char *
target_prefix (const Loading *self, const Load *load, const WeftNameMap *map)
{
  if (load->into != NULL)
    return join (load->network, weft_value_text (load->into));
  if (weft_name_map_into (map) != NULL)
    {
      g_autofree char *prefix = join (load->network, weft_name_map_into (map));
      if (has_part (self->pipeline, prefix))
        return g_steal_pointer (&prefix);
    }
  return g_strdup (load->network);
}

static WeftNameMap *
find_names (Loading *self, const Load *load, const WeftModelFile *file)
{
  g_autofree char *by_type = weft_model_file_type (file) ? g_strdup_printf ("weights/%s.yaml", weft_model_file_type (file)) : NULL;
  const char *name = load->names != NULL ? weft_value_text (load->names) : by_type;
  WeftMark mark = load->names != NULL ? weft_value_mark (load->names) : load->mark;
  WeftNameMap *map = NULL;
  if (name == NULL)
    map = weft_name_map_new ();
  else
    {
      g_autofree char *path = weft_name_map_find (name, mark);
      if (path != NULL)
        map = weft_name_map_load (path, self->problems);
      else
        weft_problems_add (self->problems, mark,
                           "there is no name map %s beside the document or among the installed pipelines; name one with `names:`", name);
    }
  if (map != NULL)
    g_ptr_array_add (self->maps, map);
  return map;
}

/* Names of the file by what they are called in the part of the network; names that nothing wants are not in it. */
static GHashTable *
rename_all (Loading *self, const Load *load, const WeftModelFile *file, const WeftNameMap *map)
{
  GHashTable *sources = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const char *from = load->from != NULL ? weft_value_text (load->from) : weft_model_file_is_own (file) ? load->network : "";
  for (const char *const *name = weft_model_file_names (file); *name != NULL; name++)
    {
      const char *rest = below (*name, from);
      char *renamed = rest != NULL ? weft_name_map_apply (map, rest) : NULL;
      const char *other = renamed != NULL ? g_hash_table_lookup (sources, renamed) : NULL;
      if (other != NULL)
        weft_problems_add (self->problems, load->mark, "%s: \"%s\" and \"%s\" both become `%s`; the name map has to tell them apart",
                           weft_model_file_path (file), other, *name, renamed);
      if (renamed != NULL && other == NULL)
        g_hash_table_insert (sources, renamed, (gpointer) *name);
      else
        g_free (renamed);
    }
  return sources;
}

/* Whether the file's tensor has the sizes that are needed. Its last dimensions may be one here: convolutions over whole patches are
 * linear layers. */
static gboolean
fits (const WeftTensor *there, const WeftTensor *here)
{
  guint same = there->rank > here->rank && here->rank > 1 ? here->rank - 1 : here->rank;
  return there->rank >= here->rank && memcmp (there->shape, here->shape, same * sizeof (gint64)) == 0
         && weft_tensor_elements (there) == weft_tensor_elements (here);
}

static void
list_name (GString *list, guint *n, const char *name)
{
  if (++*n <= MAX_NAMED)
    g_string_append_printf (list, "%s%s", *n == 1 ? "" : ", ", name);
  else if (*n == MAX_NAMED + 1)
    g_string_append (list, ", …");
}

static void
match_one (Loading *self, const Load *load, WeftModelFile *file, const char *source, const char *path)
{
  const WeftTensor *there = weft_model_file_find (file, source), *here = weft_store_lookup (self->store, path);
  g_assert (here != NULL);
  if (!fits (there, here))
    {
      g_autofree char *file_shape = weft_tensor_describe (there), *store_shape = weft_tensor_describe (here);
      weft_problems_add (self->problems, load->mark, "%s: \"%s\" is %s, `%s` needs %s", weft_model_file_path (file), source, file_shape,
                         path, store_shape);
      return;
    }
  Match match = { file, g_strdup (source), path };
  g_array_append_val (self->matches, match);
  g_hash_table_add (self->loaded, (gpointer) path);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

/* Fills the part at @prefix from @sources, and tells what was missing and what nobody wanted. */
static void
match_all (Loading *self, const Load *load, WeftModelFile *file, GHashTable *sources, const char *prefix)
{
  g_autoptr (GString) missing = g_string_new (NULL), extra = g_string_new (NULL);
  guint n_matched = 0, n_missing = 0, n_extra = 0;
  for (guint i = 0; i < self->pipeline->variables->len; i++)
    {
      const WeftVariable *variable = self->pipeline->variables->pdata[i];
      const char *name = below (variable->path, prefix);
      if (name == NULL)
        continue;
      const char *source = g_hash_table_lookup (sources, name);
      if (source == NULL)
        list_name (missing, &n_missing, variable->path);
      else
        {
          match_one (self, load, file, source, variable->path);
          n_matched++;
          g_hash_table_remove (sources, name);
        }
    }
  g_autoptr (GList) rest = g_list_sort (g_hash_table_get_values (sources), compare_names);
  for (GList *at = rest; at != NULL; at = at->next)
    list_name (extra, &n_extra, at->data);
  g_string_append_printf (self->report, "%s from %s: %u matched, %u missing%s%s, %u left over%s%s\n", prefix, weft_model_file_path (file),
                          n_matched, n_missing, n_missing ? ": " : "", missing->str, n_extra, n_extra ? ": " : "", extra->str);
  if (n_matched == 0)
    weft_problems_add (self->problems, load->mark, "%s: no tensor fits into `%s`; the file has %s", weft_model_file_path (file), prefix,
                       n_extra > 0 ? extra->str : "none that is not ignored");
  else if (n_missing > 0 && !load->optional)
    weft_problems_add (self->problems, load->mark,
                       "%s: lacks %u of `%s`: %s; add `optional: true` if they are to keep their initial values%s%s",
                       weft_model_file_path (file), n_missing, prefix, missing->str, n_extra ? ". It has besides: " : "", extra->str);
}

static void
plan_load (Loading *self, const Load *load)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = weft_resolve_path (weft_value_text (load->path), weft_value_mark (load->path));
  WeftModelFile *file = weft_model_file_open (path, &error);
  if (file == NULL)
    {
      weft_problems_add (self->problems, load->mark, "%s", error->message);
      return;
    }
  g_ptr_array_add (self->files, file);
  WeftNameMap *map = find_names (self, load, file);
  if (map == NULL)
    return;
  g_autofree char *prefix = target_prefix (self, load, map);
  if (!has_part (self->pipeline, prefix))
    {
      weft_problems_add (self->problems, load->into ? weft_value_mark (load->into) : load->mark, "there is nothing to load into `%s`",
                         prefix);
      return;
    }
  /* Where the configuration is another, so are most tensors: one word for each of its sizes is enough. */
  if (!weft_model_file_check (file, map, self->pipeline, prefix, load->mark, self->problems))
    return;
  g_autoptr (GHashTable) sources = rename_all (self, load, file, map);
  match_all (self, load, file, sources, prefix);
}

/* A path, one map, or a map of maps. */
static void
plan_network (Loading *self, const char *network, const WeftValue *value)
{
  Load load = { .network = network, .mark = weft_value_mark (value) };
  switch (weft_value_kind (value))
    {
    case WEFT_VALUE_NULL:
      return;
    case WEFT_VALUE_SCALAR:
      load.path = value;
      plan_load (self, &load);
      return;
    case WEFT_VALUE_LIST:
      break;
    case WEFT_VALUE_MAP:
      for (guint i = 0; keys[i] != NULL; i++)
        if (weft_value_lookup (value, keys[i]) != NULL)
          {
            if (read_load (value, &load, self->problems))
              plan_load (self, &load);
            return;
          }
      for (guint i = 0; i < weft_value_length (value); i++)
        {
          const WeftValue *item = weft_value_item (value, i);
          if (weft_value_kind (item) == WEFT_VALUE_LIST)
            weft_problems_add (self->problems, weft_value_mark (item), "expected a path or a map with `path:`");
          else
            plan_network (self, network, item);
        }
      return;
    }
  weft_problems_add (self->problems, load.mark, "`load` must be a path, a map with `path:`, or a map of such maps");
}

static gboolean
original_was_loaded (const char *copy, const char *original, gpointer data)
{
  return g_hash_table_contains (data, original) && !g_hash_table_contains (data, copy);
}

/* Everything fits: read, then renew the copies. */
static gboolean
carry_out (Loading *self, GError **error)
{
  if (!weft_problems_to_error (self->problems, error))
    return FALSE;
  for (guint i = 0; i < self->matches->len; i++)
    {
      const Match *match = &g_array_index (self->matches, Match, i);
      if (!weft_model_file_read (match->file, match->source, weft_store_lookup (self->store, match->path), error))
        return FALSE;
    }
  weft_store_copy (self->store, self->pipeline, original_was_loaded, self->loaded);
  return TRUE;
}

gboolean
weft_weights_load_network (WeftStore *store, const WeftPipeline *pipeline, const char *network, const WeftValue *load, GString *report,
                           GError **error)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GString) own_report = g_string_new (NULL);
  Loading self;
  loading_init (&self, store, pipeline, problems, report != NULL ? report : own_report);
  plan_network (&self, network, load);
  gboolean ok = carry_out (&self, error);
  loading_clear (&self);
  return ok;
}

gboolean
weft_weights_load (WeftStore *store, const WeftPipeline *pipeline, char **report, GError **error)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  GString *text = g_string_new (NULL);
  Loading self;
  loading_init (&self, store, pipeline, problems, text);
  for (guint i = 0; i < pipeline->networks->len; i++)
    {
      const WeftNetwork *network = pipeline->networks->pdata[i];
      if (network->load != NULL)
        plan_network (&self, network->name, network->load);
    }
  gboolean ok = carry_out (&self, error);
  loading_clear (&self);
  if (report != NULL)
    *report = g_string_free (text, FALSE);
  else
    g_string_free (text, TRUE);
  return ok;
}
