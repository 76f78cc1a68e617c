/* Name maps: how the names of somebody else's file become those of a network.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "name-map.h"

#include <string.h>

#include "places.h"

typedef struct
{
  GRegex *pattern;
  char *replacement;
} Rule;

struct _WeftNameMap
{
  GArray *rename;    /* of Rule */
  GPtrArray *ignore; /* of GRegex */
  char *into;
  WeftValue *expect, *config;
};

/* Replacements that repeat what they match would double a name with each rule. */
#define LONGEST_NAME 4096

static const char *const keys[] = { "about", "into", "expect", "config", "rename", "ignore", NULL };

static void
rule_clear (gpointer data)
{
  Rule *rule = data;
  g_regex_unref (rule->pattern);
  g_free (rule->replacement);
}

WeftNameMap *
weft_name_map_new (void)
{
  WeftNameMap *map = g_new0 (WeftNameMap, 1);
  map->rename = g_array_new (FALSE, FALSE, sizeof (Rule));
  g_array_set_clear_func (map->rename, rule_clear);
  map->ignore = g_ptr_array_new_with_free_func ((GDestroyNotify) g_regex_unref);
  return map;
}

void
weft_name_map_free (WeftNameMap *map)
{
  if (map == NULL)
    return;
  g_array_unref (map->rename);
  g_ptr_array_unref (map->ignore);
  g_clear_pointer (&map->expect, weft_value_unref);
  g_clear_pointer (&map->config, weft_value_unref);
  g_free (map->into);
  g_free (map);
}

char *
weft_name_map_find (const char *name, WeftMark mark)
{
  g_autofree char *beside = weft_resolve_path (name, mark);
  if (g_file_test (beside, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&beside);
  g_autofree char *installed = g_build_filename (weft_places_pipelines (), name, NULL);
  if (!g_path_is_absolute (name) && g_file_test (installed, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&installed);
  return NULL;
}

static GRegex *
compile (const char *text, WeftMark mark, WeftProblems *problems)
{
  g_autoptr (GError) error = NULL;
  GRegex *pattern = g_regex_new (text, G_REGEX_OPTIMIZE, 0, &error);
  if (pattern == NULL)
    weft_problems_add (problems, mark, "\"%s\" is not a regular expression: %s", text, error->message);
  return pattern;
}

static void
read_rename (WeftNameMap *map, const WeftValue *value, WeftProblems *problems)
{
  if (weft_value_kind (value) != WEFT_VALUE_MAP)
    weft_problems_add (problems, weft_value_mark (value), "`rename` must be a map from regular expressions to replacements");
  for (guint i = 0; weft_value_kind (value) == WEFT_VALUE_MAP && i < weft_value_length (value); i++)
    {
      const WeftValue *replacement = weft_value_item (value, i);
      WeftMark mark = weft_value_key_mark (value, i);
      g_autoptr (GError) error = NULL;
      Rule rule = { NULL, NULL };
      if (weft_value_kind (replacement) != WEFT_VALUE_SCALAR)
        weft_problems_add (problems, weft_value_mark (replacement), "a replacement must be a string (\"\" to delete what matches)");
      else if (!g_regex_check_replacement (weft_value_text (replacement), NULL, &error))
        weft_problems_add (problems, weft_value_mark (replacement), "not a replacement: %s", error->message);
      else if ((rule.pattern = compile (weft_value_key (value, i), mark, problems)) != NULL)
        {
          rule.replacement = g_strdup (weft_value_text (replacement));
          g_array_append_val (map->rename, rule);
        }
    }
}

static void
read_ignore (WeftNameMap *map, const WeftValue *value, WeftProblems *problems)
{
  if (weft_value_kind (value) != WEFT_VALUE_LIST)
    weft_problems_add (problems, weft_value_mark (value), "`ignore` must be a list of regular expressions");
  for (guint i = 0; weft_value_kind (value) == WEFT_VALUE_LIST && i < weft_value_length (value); i++)
    {
      const WeftValue *item = weft_value_item (value, i);
      GRegex *pattern = NULL;
      if (weft_value_kind (item) != WEFT_VALUE_SCALAR)
        weft_problems_add (problems, weft_value_mark (item), "expected a regular expression");
      else if ((pattern = compile (weft_value_text (item), weft_value_mark (item), problems)) != NULL)
        g_ptr_array_add (map->ignore, pattern);
    }
}

static WeftValue *
read_scalars (WeftValue *value, const char *key, WeftProblems *problems)
{
  gboolean ok = weft_value_kind (value) == WEFT_VALUE_MAP;
  for (guint i = 0; ok && i < weft_value_length (value); i++)
    ok = weft_value_kind (weft_value_item (value, i)) == WEFT_VALUE_SCALAR;
  if (!ok)
    weft_problems_add (problems, weft_value_mark (value), "`%s` must be a map of scalars, by keys of config.json", key);
  return ok ? weft_value_ref (value) : NULL;
}

static void
read_key (WeftNameMap *map, const char *key, WeftValue *value, WeftMark mark, WeftProblems *problems)
{
  if (g_str_equal (key, "rename"))
    read_rename (map, value, problems);
  else if (g_str_equal (key, "ignore"))
    read_ignore (map, value, problems);
  else if (g_str_equal (key, "expect"))
    map->expect = read_scalars (value, key, problems);
  else if (g_str_equal (key, "config"))
    map->config = read_scalars (value, key, problems);
  else if (g_str_equal (key, "about") || g_str_equal (key, "into"))
    {
      if (weft_value_kind (value) != WEFT_VALUE_SCALAR)
        weft_problems_add (problems, weft_value_mark (value), "`%s` must be a string", key);
      else if (g_str_equal (key, "into"))
        map->into = g_strdup (weft_value_text (value));
    }
  else
    {
      g_autofree char *suggestion = weft_suggestion (key, keys);
      weft_problems_add (problems, mark, "unknown key `%s` in a name map%s", key, suggestion);
    }
}

WeftNameMap *
weft_name_map_load (const char *path, WeftProblems *problems)
{
  guint before = weft_problems_count (problems);
  g_autoptr (WeftValue) document = weft_document_load (path, problems);
  g_autoptr (WeftNameMap) map = weft_name_map_new ();
  if (document == NULL)
    return NULL;
  if (weft_value_kind (document) != WEFT_VALUE_MAP)
    weft_problems_add (problems, weft_value_mark (document), "a name map must be a map with the keys `rename` and `ignore`");
  for (guint i = 0; weft_value_kind (document) == WEFT_VALUE_MAP && i < weft_value_length (document); i++)
    read_key (map, weft_value_key (document, i), weft_value_item (document, i), weft_value_key_mark (document, i), problems);
  return weft_problems_count (problems) == before ? g_steal_pointer (&map) : NULL;
}

char *
weft_name_map_apply (const WeftNameMap *map, const char *name)
{
  for (guint i = 0; i < map->ignore->len; i++)
    if (g_regex_match (map->ignore->pdata[i], name, 0, NULL))
      return NULL;
  char *result = g_strdup (name);
  for (guint i = 0; i < map->rename->len; i++)
    {
      const Rule *rule = &g_array_index (map->rename, Rule, i);
      char *next = g_regex_replace (rule->pattern, result, -1, 0, rule->replacement, 0, NULL);
      /* A pattern that exceeds its match limit leaves the name as it is, and so does one that makes it longer than any name. */
      if (next != NULL && strlen (next) <= LONGEST_NAME)
        {
          g_free (result);
          result = next;
        }
      else
        g_free (next);
    }
  return result;
}

const char *
weft_name_map_into (const WeftNameMap *map)
{
  return map->into;
}

const WeftValue *
weft_name_map_expect (const WeftNameMap *map)
{
  return map->expect;
}

const WeftValue *
weft_name_map_config (const WeftNameMap *map)
{
  return map->config;
}
