/* weft check --module: a module alone, in a graph made for it.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check-module.h"

#include <stdio.h>
#include <string.h>

#include "open.h"
#include "pipeline.h"

/* Sizes that nobody has said: small ones that differ, so that what is mixed up shows. */
#define SAMPLES 4
#define ROWS 20
#define OTHER 8

static gboolean
is_letter (char c)
{
  return g_ascii_isalpha (c) || c == '_' || c == '\'';
}

/* The size that `--set` gives to the letters @name, @n bytes, or NULL. */
static const char *
size_of (char *const *settings, const char *name, gsize n)
{
  for (; settings && *settings; settings++)
    if (strncmp (*settings, name, n) == 0 && (*settings)[n] == '=')
      return *settings + n + 1;
  return NULL;
}

/* @signature of a module's input as that of a feed: letters become the sizes given, or sizes to try it with. */
static char *
feed_signature (const char *signature, char *const *settings)
{
  const char *open = strchr (signature, '['), *colon = open ? strchr (open, ':') : NULL;
  GString *text = g_string_new (NULL);
  for (const char *c = signature; *c;)
    {
      gsize n = 0;
      while (is_letter (c[n]) || (n && g_ascii_isdigit (c[n])))
        n++;
      if (!open || c < open || !n)
        {
          gboolean dots = g_str_has_prefix (c, "...");
          g_string_append_printf (text, dots ? "%d" : "%c", dots ? ROWS : *c);
          c += dots ? 3 : 1;
          continue;
        }
      const char *given = size_of (settings, c, n);
      const char *after = c + n + strspn (c + n, " ");
      if (given)
        g_string_append (text, given);
      else if (colon && c < colon)
        g_string_append_printf (text, "%d", SAMPLES);
      else if (colon && c == colon + 1 && *after != '<')
        g_string_append_printf (text, "%.*s <= %d", (int) n, c, ROWS);
      else if (colon && c == colon + 1)
        g_string_append_len (text, c, (gssize) n);
      else
        g_string_append_printf (text, "%d", OTHER);
      c += n;
    }
  return g_string_free (text, FALSE);
}

static void
set_text (WeftValue *map, const char *key, const char *text)
{
  const WeftMark mark = { .file = "--module" };
  weft_value_set (map, key, mark, weft_value_new_scalar (text, FALSE, mark));
}

static WeftValue *
part (const WeftValue *module, const char *name)
{
  WeftValue *value = weft_value_lookup (module, name);
  return value && weft_value_kind (value) == WEFT_VALUE_MAP ? value : NULL;
}

/* The module's attributes from `--set`. */
static void
set_attributes (WeftValue *network, const WeftValue *module, char *const *settings, WeftProblems *problems)
{
  const WeftValue *attributes = part (module, "attributes");
  for (guint i = 0; attributes && i < weft_value_length (attributes); i++)
    {
      const char *key = weft_value_key (attributes, i), *given = size_of (settings, key, strlen (key));
      g_autoptr (WeftValue) value = given ? weft_document_parse (given, -1, "--set", problems) : NULL;
      if (value)
        weft_value_set (network, key, (WeftMark){ .file = "--set" }, g_steal_pointer (&value));
    }
}

/* One graph: a feed for each input, a use, everything it gives collected. */
static WeftValue *
make_graphs (const WeftValue *module, char *const *settings)
{
  const WeftMark mark = { .file = "--module" };
  const WeftValue *inputs = part (module, "inputs"), *outputs = part (module, "outputs");
  WeftValue *graphs = weft_value_new_map (mark), *graph = weft_value_new_map (mark), *nodes = weft_value_new_map (mark),
            *use = weft_value_new_map (mark), *collect = weft_value_new_map (mark);
  set_text (use, "use", "module");
  for (guint i = 0; inputs && i < weft_value_length (inputs); i++)
    {
      const char *key = weft_value_key (inputs, i);
      const WeftValue *value = weft_value_item (inputs, i);
      WeftValue *feed = weft_value_new_map (mark);
      g_autofree char *signature = feed_signature (weft_value_kind (value) == WEFT_VALUE_SCALAR ? weft_value_text (value) : "", settings);
      set_text (feed, "op", "feed");
      set_text (feed, "signature", signature);
      weft_value_set (nodes, key, mark, feed);
      set_text (use, key, key);
    }
  weft_value_set (nodes, "it", mark, use);
  for (guint i = 0; outputs && i < weft_value_length (outputs); i++)
    {
      g_autofree char *reference = g_strconcat ("it.", weft_value_key (outputs, i), NULL);
      set_text (collect, weft_value_key (outputs, i), reference);
    }
  set_text (graph, "mode", "train");
  weft_value_set (graph, "nodes", mark, nodes);
  weft_value_set (graph, "collect", mark, collect);
  weft_value_set (graphs, "module", mark, graph);
  return graphs;
}

WeftPipeline *
weft_check_module (const char *path, const char *name, const WeftCommonOptions *common, WeftProblems *problems)
{
  const WeftMark mark = { .file = "--module" };
  g_autofree char *file = weft_pipeline_file (path);
  WeftComposition composition = { file, (const char *const *) common->overlays, NULL, weft_pipeline_search () };
  g_autoptr (WeftValue) document = weft_compose (&composition, problems);
  const WeftValue *modules = document ? weft_value_lookup (document, "modules") : NULL;
  const WeftValue *module = modules ? weft_value_lookup (modules, name) : NULL;
  if (!document)
    return NULL;
  if (!module)
    {
      g_autoptr (GPtrArray) names = g_ptr_array_new ();
      for (guint i = 0; modules && i < weft_value_length (modules); i++)
        g_ptr_array_add (names, (gpointer) weft_value_key (modules, i));
      g_ptr_array_add (names, NULL);
      g_autofree char *hint = weft_suggestion (name, (const char *const *) names->pdata);
      weft_problems_add (problems, mark, "%s has no module \"%s\"%s", path, name, hint);
      return NULL;
    }
  const WeftValue *attributes = part (module, "attributes"), *inputs = part (module, "inputs");
  for (char **setting = common->settings; setting && *setting; setting++)
    {
      g_autofree char *key = g_strndup (*setting, strcspn (*setting, "="));
      gboolean used = attributes && weft_value_lookup (attributes, key);
      for (guint i = 0; inputs && i < weft_value_length (inputs) && !used; i++)
        used = weft_value_text (weft_value_item (inputs, i)) && strstr (weft_value_text (weft_value_item (inputs, i)), key) != NULL;
      if (!used)
        weft_problems_add (problems, (WeftMark){ .file = "--set" }, "module %s has no attribute \"%s\", and no letter in its inputs", name,
                           key);
    }
  WeftValue *alone = weft_value_new_map (mark), *networks = weft_value_new_map (mark), *network = weft_value_new_map (mark);
  set_text (alone, "pipeline", name);
  weft_value_set (alone, "modules", mark, weft_value_ref ((WeftValue *) modules));
  set_text (network, "module", name);
  set_attributes (network, module, common->settings, problems);
  weft_value_set (networks, "module", mark, network);
  weft_value_set (alone, "networks", mark, networks);
  weft_value_set (alone, "graphs", mark, make_graphs (module, common->settings));
  WeftPipeline *pipeline = weft_pipeline_build (alone, problems);
  weft_value_unref (alone);
  return pipeline;
}
