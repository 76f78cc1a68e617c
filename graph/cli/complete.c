/* weft complete: what may stand next in a command line, for shells.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "open.h"
#include "pipeline.h"
#include "places.h"

/* A candidate ends in `.` or `=` if more must follow. */
static void
offer (const char *word, const char *before, const char *name, const char *after)
{
  g_autofree char *candidate = g_strconcat (before, name, after, NULL);

  if (g_str_has_prefix (candidate, word))
    puts (candidate);
}

static void
offer_operators (const char *word)
{
  const GPtrArray *modules = weft_registry_modules ();

  for (const char *const *name = weft_registry_names (); *name; name++)
    offer (word, "", *name, "");
  for (guint i = 0; i < modules->len; i++)
    {
      const WeftLoaded *loaded = modules->pdata[i];
      if (loaded->module)
        offer (word, "", loaded->module->name, "");
    }
}

static void
offer_pipelines (const char *word)
{
  g_autoptr (GDir) dir = g_dir_open (weft_places_pipelines (), 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    if (g_str_has_suffix (name, ".yaml"))
      {
        g_autofree char *stem = g_strndup (name, strlen (name) - strlen (".yaml"));
        offer (word, "", stem, "");
      }
}

/* The first word that names a pipeline or run. */
static WeftValue *
find_document (int n, char **words)
{
  for (int i = 1; i + 1 < n; i++)
    {
      g_autofree char *file = weft_pipeline_file (words[i]);
      const WeftComposition composition = { .path = file, .search = weft_pipeline_search () };
      g_autoptr (WeftProblems) problems = weft_problems_new ();
      WeftValue *document = words[i][0] != '-' && g_file_test (file, G_FILE_TEST_IS_REGULAR) ? weft_compose (&composition, problems) : NULL;
      if (document)
        return document;
    }
  return NULL;
}

static void
offer_children (const char *word, const char *before, const WeftValue *map)
{
  for (guint i = 0; map && i < weft_value_length (map) && weft_value_kind (map) == WEFT_VALUE_MAP; i++)
    offer (word, before, weft_value_key (map, i), weft_value_kind (weft_value_item (map, i)) == WEFT_VALUE_MAP ? "." : "=");
}

/* Attributes and inputs of a node's operator that the node does not mention. */
static void
offer_of_operator (const char *word, const char *before, const WeftValue *node)
{
  const WeftValue *name = weft_value_kind (node) == WEFT_VALUE_MAP ? weft_value_lookup (node, "op") : NULL;
  const WeftOperator *op = name && weft_value_kind (name) == WEFT_VALUE_SCALAR ? weft_registry_find (weft_value_text (name)) : NULL;

  for (const WeftAttribute *attribute = op ? op->attributes : NULL; attribute && attribute->name; attribute++)
    if (!weft_value_lookup (node, attribute->name))
      offer (word, before, attribute->name, "=");
  for (const WeftPort *port = op ? op->inputs : NULL; port && port->name; port++)
    if (!weft_value_lookup (node, port->name))
      offer (word, before, port->name, "=");
}

/* Paths of the document, level by level; variables stand for themselves. */
static void
offer_paths (const char *word, const WeftValue *document)
{
  const char *dot = strrchr (word, '.');
  g_autofree char *parent = dot ? g_strndup (word, (gsize) (dot - word)) : NULL;
  g_autofree char *before = parent ? g_strconcat (parent, ".", NULL) : g_strdup ("");
  const WeftValue *map = parent ? weft_value_at (document, parent) : document;

  if (!map || strchr (word, '='))
    return;
  offer_children (word, before, map);
  if (parent)
    offer_of_operator (word, before, map);
  else
    offer_children (word, "", weft_value_lookup (document, "vars"));
}

static void
offer_nodes (const char *word, const WeftValue *document)
{
  const WeftValue *graphs = weft_value_lookup (document, "graphs");

  for (guint i = 0; graphs && i < weft_value_length (graphs); i++)
    {
      const WeftValue *nodes = weft_value_lookup (weft_value_item (graphs, i), "nodes");
      g_autofree char *before = g_strconcat (weft_value_key (graphs, i), ".", NULL);
      for (guint k = 0; nodes && k < weft_value_length (nodes); k++)
        offer (word, before, weft_value_key (nodes, k), "");
    }
}

static void
offer_graphs (const char *word, const WeftValue *document)
{
  const WeftValue *graphs = weft_value_lookup (document, "graphs");
  for (guint i = 0; graphs && i < weft_value_length (graphs); i++)
    offer (word, "", weft_value_key (graphs, i), "");
}

/* The next element of @path behind @word's last dot; what goes on behind it ends in a dot. */
static void
offer_step (const char *word, const char *before, const char *path, GHashTable *offered)
{
  g_autofree char *full = g_strconcat (before, path, NULL);
  if (!g_str_has_prefix (full, word) || strchr (path, '~'))
    return;
  const char *dot = strrchr (word, '.');
  gsize start = dot ? (gsize) (dot - word) + 1 : 0;
  const char *next = strchr (full + start, '.');
  g_autofree char *step = next ? g_strndup (full, (gsize) (next - full)) : g_strdup (full);
  if (g_hash_table_add (offered, g_strdup (step)))
    offer (word, "", step, next ? "." : "");
}

/* Nodes of one graph, those inside uses too; without @graph, nodes of networks and of graphs by their addresses. */
static void
offer_nodes_of (const char *word, const WeftPipeline *pipeline, const char *graph)
{
  g_autoptr (GHashTable) offered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint g = 0; g < pipeline->graphs->len; g++)
    {
      const WeftGraph *at = pipeline->graphs->pdata[g];
      if (graph && strcmp (at->name, graph) != 0)
        continue;
      g_autofree char *before = graph ? g_strdup ("") : g_strconcat (at->name, ".", NULL);
      for (guint i = 0; i < at->nodes->len; i++)
        {
          const WeftNode *node = at->nodes->pdata[i];
          offer_step (word, before, node->path, offered);
          if (!graph && node->store_path)
            offer_step (word, "", node->store_path, offered);
        }
    }
}

static const char *
graph_of (int n, char **words)
{
  for (int i = 1; i + 2 < n; i++)
    if (strcmp (words[i], "-g") == 0 || strcmp (words[i], "--graph") == 0)
      return words[i + 1];
  return NULL;
}

static void
offer_built (const char *word, const WeftValue *document, const char *graph)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftPipeline) pipeline = weft_pipeline_build ((WeftValue *) document, problems);
  if (pipeline)
    offer_nodes_of (word, pipeline, graph);
}

/* Values of options. Returns: whether the option's values are known. */
static gboolean
offer_values (const char *option, const char *word, int n, char **words)
{
  static const char *const of_nodes[] = { "--until", "--print", "--feed", "--save", "--fold", NULL };
  gboolean set = strcmp (option, "--set") == 0, overlay = strcmp (option, "--overlay") == 0 || strcmp (option, "-o") == 0;
  g_autoptr (WeftValue) document = NULL;

  if (strcmp (option, "--base") == 0)
    {
      static const char *const bases[] = { "pointwise", "reduction", "loss", "layer", "source", "effect", "metric", NULL };
      for (guint i = 0; bases[i]; i++)
        offer (word, "", bases[i], "");
      return TRUE;
    }
  gboolean of_graphs = strcmp (option, "-g") == 0 || strcmp (option, "--graph") == 0;
  if (!set && !overlay && !of_graphs && !g_strv_contains (of_nodes, option))
    return FALSE;
  document = find_document (n, words);
  if (!document)
    return TRUE;
  if (set)
    offer_paths (word, document);
  else if (of_graphs)
    offer_graphs (word, document);
  else if (overlay)
    {
      const WeftValue *ablations = weft_value_lookup (document, "ablations");
      for (guint i = 0; ablations && i < weft_value_length (ablations); i++)
        offer (word, "", weft_value_key (ablations, i), "");
    }
  else if (graph_of (n, words))
    offer_built (word, document, graph_of (n, words));
  else
    offer_nodes (word, document);
  return TRUE;
}

int
weft_cli_complete (int argc, char **argv)
{
  int n = argc - 1;
  char **words = argv + 1;
  const char *word = n ? words[n - 1] : "", *before = n > 1 ? words[n - 2] : "";

  if (n < 2)
    return 0;
  weft_registry_load (NULL);
  if (offer_values (before, word, n, words))
    return 0;
  if (strcmp (words[0], "inspect") == 0 || strcmp (words[0], "test-operator") == 0)
    offer_operators (word);
  else if (strcmp (words[0], "explain") == 0 && n > 2)
    {
      g_autoptr (WeftValue) document = find_document (n, words);
      const WeftValue *vars = document ? weft_value_lookup (document, "vars") : NULL;
      for (guint i = 0; vars && i < weft_value_length (vars); i++)
        offer (word, "", weft_value_key (vars, i), "");
      if (document)
        offer_built (word, document, NULL);
    }
  else
    offer_pipelines (word);
  return 0;
}
