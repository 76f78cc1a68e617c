/* What sections and keys a pipeline may have.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "language.h"

#include <string.h>

#include "variables.h"

/* What is told after so many mistakes comes without suggestions, for which all names are compared. */
#define MOST_HINTS 100

typedef struct
{
  WeftProblems *problems;
  gboolean sound, whole;
} Checker;

static const char *const sections[] = { "pipeline", "about", "vars",   "modules",   "networks", "graphs",
                                        "run",      "edits", "matrix", "ablations", NULL };
static const char *const overlay_sections[] = { "about", "vars", "modules", "networks", "graphs", "run", "edits", "matrix", NULL };
static const char *const module_keys[] = { "about", "inputs", "attributes", "nodes", "outputs", NULL };
static const char *const graph_keys[] = { "about", "mode", "compute", "recompute", "nodes", "collect", NULL };

static gboolean
check_keys (Checker *checker, const WeftValue *map, const char *what, const char *const *keys)
{
  guint before = weft_problems_count (checker->problems);
  for (guint i = 0; i < weft_value_length (map); i++)
    {
      const char *key = weft_value_key (map, i);
      if (g_strv_contains (keys, key))
        continue;
      g_autofree char *suggestion = weft_suggestion (key, keys);
      weft_problems_add (checker->problems, weft_value_key_mark (map, i), "%s has no \"%s\"%s", what, key, suggestion);
    }
  return weft_problems_count (checker->problems) == before;
}

/* Told once, however many checks find it; not where what it removes may be in a file that could not be read. */
static void
report_null (Checker *checker, const WeftValue *map, const char *key)
{
  g_autoptr (GPtrArray) others = g_ptr_array_new ();
  checker->sound = FALSE;
  if (!checker->whole)
    return;
  for (guint k = 0; k < weft_value_length (map) && weft_problems_count (checker->problems) < MOST_HINTS; k++)
    if (weft_value_kind (weft_value_item (map, k)) != WEFT_VALUE_NULL)
      g_ptr_array_add (others, (gpointer) weft_value_key (map, k));
  g_ptr_array_add (others, NULL);
  const char *near = weft_nearest (key, (const char *const *) others->pdata);
  weft_problems_add (checker->problems, weft_value_mark_of (map, key),
                     "\"%s\" has no value, and there is nothing of that name to remove%s%s%s", key, near ? "; did you mean \"" : "",
                     near ? near : "", near ? "\"?" : "");
}

/* A map at @key of @parent, or %NULL if it is absent or something else, which is a problem. */
static WeftValue *
expect_map (Checker *checker, const WeftValue *parent, const char *key, const char *what)
{
  static const char *const kinds[] = { "nothing", "text", "a list", "a map" };
  WeftValue *value = weft_value_lookup (parent, key);
  if (!value || weft_value_kind (value) == WEFT_VALUE_MAP)
    return value;
  checker->sound = FALSE;
  if (weft_value_kind (value) == WEFT_VALUE_NULL)
    report_null (checker, parent, key);
  else
    weft_problems_add (checker->problems, weft_value_mark (value), "`%s:` must be %s, not %s", key, what, kinds[weft_value_kind (value)]);
  return NULL;
}

static void
expect_text (Checker *checker, const WeftValue *parent, const char *key)
{
  WeftValue *value = weft_value_lookup (parent, key);
  if (!value || weft_value_kind (value) <= WEFT_VALUE_SCALAR)
    return;
  weft_problems_add (checker->problems, weft_value_mark (value), "`%s:` must be text", key);
  checker->sound = FALSE;
}

/* Names become parts of dotted paths. */
static void
check_name (Checker *checker, const WeftValue *map, guint index, const char *what)
{
  const char *name = weft_value_key (map, index);
  if (strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-") == strlen (name))
    return;
  weft_problems_add (checker->problems, weft_value_key_mark (map, index), "\"%s\" can't name a %s: names are letters, digits, _ and -",
                     name, what);
}

static void
check_module (Checker *checker, const WeftValue *module, const char *label)
{
  gboolean known = check_keys (checker, module, label, module_keys);
  WeftValue *attributes = expect_map (checker, module, "attributes", "a map of names to defaults");
  expect_text (checker, module, "about");
  expect_map (checker, module, "inputs", "a map of names to signatures");
  for (guint i = 0; attributes && i < weft_value_length (attributes); i++)
    if (!weft_variables_is_name (weft_value_key (attributes, i)))
      weft_problems_add (checker->problems, weft_value_key_mark (attributes, i),
                         "\"%s\" can't name an attribute: names are letters, digits and _", weft_value_key (attributes, i));
  const char *const *needed = (const char *const[]){ "nodes", "outputs", NULL };
  for (; *needed; needed++)
    {
      expect_map (checker, module, *needed, strcmp (*needed, "nodes") == 0 ? "a map of nodes" : "a map of names to references");
      if (weft_value_lookup (module, *needed))
        continue;
      checker->sound = FALSE;
      if (known)
        weft_problems_add (checker->problems, weft_value_mark (module), "%s needs `%s:`", label, *needed);
    }
}

static void
check_graph (Checker *checker, const WeftValue *graph, const char *label)
{
  gboolean known = check_keys (checker, graph, label, graph_keys);
  expect_text (checker, graph, "about");
  expect_map (checker, graph, "nodes", "a map of nodes");
  expect_map (checker, graph, "collect", "a map of names to references");
  if (!weft_value_lookup (graph, "nodes"))
    {
      checker->sound = FALSE;
      if (known)
        weft_problems_add (checker->problems, weft_value_mark (graph), "%s needs `nodes:`", label);
    }
}

/* `matrix:` names what is to take each of several values. */
static void
check_matrix (Checker *checker, const WeftValue *document)
{
  const WeftValue *matrix = expect_map (checker, document, "matrix", "a map of variables or paths to lists of values");
  for (guint i = 0; matrix && i < weft_value_length (matrix); i++)
    if (weft_value_kind (weft_value_item (matrix, i)) != WEFT_VALUE_LIST || weft_value_length (weft_value_item (matrix, i)) == 0)
      weft_problems_add (checker->problems, weft_value_key_mark (matrix, i), "\"%s\" in `matrix:` needs a list of values",
                         weft_value_key (matrix, i));
}

static void
check_edits (Checker *checker, const WeftValue *document)
{
  const WeftValue *edits = weft_value_lookup (document, "edits");
  if (!edits || weft_value_kind (edits) == WEFT_VALUE_LIST)
    return;
  weft_problems_add (checker->problems, weft_value_mark (edits), "`edits:` must be a list of edits such as [{bypass: image.enhance}]");
  checker->sound = FALSE;
}

static void
check_overlay (Checker *checker, const WeftValue *overlay, const char *label)
{
  check_keys (checker, overlay, label, overlay_sections);
  check_edits (checker, overlay);
  check_matrix (checker, overlay);
}

static void
check_members (Checker *checker, const WeftValue *document, const char *section, const char *what,
               void (*check) (Checker *checker, const WeftValue *member, const char *label))
{
  g_autofree char *kind = g_strdup_printf ("a map of %ss by name", what);
  const WeftValue *map = expect_map (checker, document, section, kind);
  for (guint i = 0; map && i < weft_value_length (map); i++)
    {
      const WeftValue *member = weft_value_item (map, i);
      g_autofree char *label = g_strdup_printf ("%s %s", what, weft_value_key (map, i));
      check_name (checker, map, i, what);
      if (weft_value_kind (member) == WEFT_VALUE_MAP && check)
        check (checker, member, label);
      else if (weft_value_kind (member) != WEFT_VALUE_MAP)
        {
          checker->sound = FALSE;
          if (weft_value_kind (member) == WEFT_VALUE_NULL)
            report_null (checker, map, weft_value_key (map, i));
          else
            weft_problems_add (checker->problems, weft_value_mark (member), "%s must be a map", label);
        }
    }
}

static void
check_nulls (Checker *checker, const WeftValue *value)
{
  for (guint i = 0; i < weft_value_length (value); i++)
    {
      const WeftValue *item = weft_value_item (value, i);
      if (weft_value_kind (item) == WEFT_VALUE_NULL && weft_value_kind (value) == WEFT_VALUE_MAP)
        report_null (checker, value, weft_value_key (value, i));
      else
        check_nulls (checker, item);
    }
}

/* @map without some of its entries. */
static WeftValue *
without (const WeftValue *map, const char *const *keys)
{
  WeftValue *rest = weft_value_new_map (weft_value_mark (map));
  for (guint i = 0; i < weft_value_length (map) && weft_value_kind (map) == WEFT_VALUE_MAP; i++)
    if (!g_strv_contains (keys, weft_value_key (map, i)))
      weft_value_set (rest, weft_value_key (map, i), weft_value_key_mark (map, i), weft_value_ref (weft_value_item (map, i)));
  return rest;
}

/* `null` says something only among variables, in the attributes of modules (required) and in overlays not applied. */
static void
check_all_nulls (Checker *checker, const WeftValue *document)
{
  static const char *const aside[] = { "vars", "ablations", "modules", "edits", "matrix", NULL }, *const attributes[] = { "attributes",
                                                                                                                          NULL };
  g_autoptr (WeftValue) rest = without (document, aside);
  for (guint i = 0; i < weft_value_length (document); i++)
    if (weft_value_kind (weft_value_item (document, i)) == WEFT_VALUE_NULL)
      report_null (checker, document, weft_value_key (document, i));
  check_nulls (checker, rest);
  WeftValue *modules = weft_value_lookup (document, "modules");
  for (guint i = 0; modules && i < weft_value_length (modules); i++)
    {
      g_autoptr (WeftValue) body = without (weft_value_item (modules, i), attributes);
      check_nulls (checker, body);
    }
}

gboolean
weft_language_check (const WeftValue *document, gboolean whole, WeftProblems *problems)
{
  Checker checker = { problems, TRUE, whole };
  if (!check_keys (&checker, document, "a pipeline", sections))
    checker.sound = FALSE;
  expect_text (&checker, document, "pipeline");
  expect_text (&checker, document, "about");
  expect_map (&checker, document, "vars", "a map of names to values");
  expect_map (&checker, document, "run", "a map");
  check_members (&checker, document, "modules", "module", check_module);
  check_members (&checker, document, "networks", "network", NULL);
  check_members (&checker, document, "graphs", "graph", check_graph);
  check_members (&checker, document, "ablations", "ablation", check_overlay);
  check_edits (&checker, document);
  check_matrix (&checker, document);
  check_all_nulls (&checker, document);
  return checker.sound;
}
