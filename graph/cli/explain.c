/* weft explain: where a value comes from, and what it overrode.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "attributes.h"
#include "cli.h"
#include "compare.h"
#include "edit.h"
#include "open.h"
#include "pipeline.h"

static char *
print_value (const WeftValue *value)
{
  return weft_value_print_line (value);
}

static char *
print_mark (WeftMark mark)
{
  return mark.line ? g_strdup_printf ("%s:%u:%u", mark.file, mark.line, mark.column) : g_strdup (mark.file ? mark.file : "?");
}

/* What each layer says at @path, oldest first. Returns: how many do */
static guint
print_layers (const GPtrArray *layers, const char *path, const WeftValue *final)
{
  const WeftValue *last = NULL;
  guint n = 0;
  for (guint i = 0; i < layers->len; i++)
    if (weft_value_at (layers->pdata[i], path))
      last = weft_value_at (layers->pdata[i], path);
  for (guint i = layers->len; i-- > 0;)
    {
      const WeftValue *value = weft_value_at (layers->pdata[i], path);
      if (!value)
        continue;
      g_autofree char *text = print_value (value), *mark = print_mark (weft_value_mark (value));
      gboolean map = weft_value_kind (value) == WEFT_VALUE_MAP;
      const char *role = value == last ? (weft_value_kind (value) == WEFT_VALUE_NULL ? "removed" : "set")
                         : map         ? "merged into"
                                       : "overrode";
      if (map)
        printf ("  %s at %s (%u entries)\n", role, mark, weft_value_length (value));
      else
        printf ("  %s at %s: %s\n", role, mark, text);
      n++;
    }
  if (final && last && weft_value_kind (final) != WEFT_VALUE_MAP)
    {
      g_autofree char *text = print_value (final), *written = print_value (last), *mark = print_mark (weft_value_mark (final));
      if (strcmp (text, written) != 0)
        printf ("  stands for %s, written at %s\n", text, mark);
    }
  return n;
}

static void
print_edits (const WeftPipeline *pipeline, const char *path)
{
  const GPtrArray *report = weft_edits_report (pipeline->edits);
  for (guint i = 0; report && i < report->len; i++)
    {
      const char *found = strstr (report->pdata[i], path), *line = report->pdata[i];
      if (found && (found[strlen (path)] == '`' || found[strlen (path)] == '.'))
        printf ("  edit: %s\n", line);
    }
}

static void
print_attribute (const WeftNode *node, const WeftAttribute *attribute, const char *indent)
{
  const WeftValue *given = node->map ? weft_value_lookup (node->map, attribute->name) : NULL;
  g_autofree char *now = given              ? print_value (given)
                         : node->attributes ? weft_attribute_print (attribute, node->attributes)
                                            : g_strdup ("none");
  g_autofree char *mark = given ? print_mark (weft_value_mark (given)) : NULL;
  printf ("%s%s = %s  (%s%s)\n", indent, attribute->name, now, given ? "written at " : "default of operator ",
          given ? mark : node->op->name);
  if (given && attribute->fallback && *attribute->fallback)
    printf ("%s  the operator's default is %s\n", indent, attribute->fallback);
}

static void
print_node (const WeftNode *node)
{
  g_autofree char *mark = print_mark (node->mark);
  printf ("  operator %s, defined at %s%s\n", node->op->name, mark, node->trainable ? "" : ", not trained here");
  for (guint p = 0; p < weft_port_count (node->op->inputs); p++)
    for (guint i = 0; i < node->inputs[p].n; i++)
      {
        const WeftWire *wire = node->inputs[p].wires[i];
        g_autofree char *shape = wire ? weft_shape_print (&wire->shape) : NULL;
        printf ("  reads %s: %s %s\n", node->op->inputs[p].name, wire && wire->node ? wire->node->path : node->inputs[p].weights[i],
                shape ? shape : "");
      }
  for (guint p = 0; p < weft_port_count (node->op->outputs); p++)
    if (node->outputs[p] && node->outputs[p]->read)
      {
        g_autofree char *shape = weft_shape_print (&node->outputs[p]->shape);
        printf ("  gives %s: %s\n", node->op->outputs[p].name, shape);
      }
  for (const WeftAttribute *attribute = node->op->attributes; attribute && attribute->name; attribute++)
    print_attribute (node, attribute, "  ");
}

/* Nodes at @path, or with an attribute there, by address or by place. Returns: whether there was one */
static gboolean
explain_nodes (const WeftPipeline *pipeline, const char *path)
{
  g_autoptr (GHashTable) told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const char *dot = strrchr (path, '.');
  g_autofree char *parent = dot ? g_strndup (path, (gsize) (dot - path)) : g_strdup ("");
  for (guint g = 0; g < pipeline->graphs->len; g++)
    {
      const WeftGraph *graph = pipeline->graphs->pdata[g];
      for (guint i = 0; i < graph->nodes->len; i++)
        {
          const WeftNode *node = graph->nodes->pdata[i];
          g_autofree char *address = weft_node_address (node), *place = g_strconcat (graph->name, ".", node->path, NULL);
          const WeftAttribute *attribute = dot ? weft_operator_attribute (node->op, dot + 1) : NULL;
          gboolean whole = strcmp (address, path) == 0 || strcmp (place, path) == 0;
          gboolean part = attribute && (strcmp (address, parent) == 0 || strcmp (place, parent) == 0);
          if (node->kind != WEFT_NODE_FORWARD || (!whole && !part) || !g_hash_table_add (told, g_strdup (address)))
            continue;
          if (whole)
            print_node (node);
          else
            print_attribute (node, attribute, "  ");
        }
    }
  return g_hash_table_size (told) > 0;
}

static const WeftValue *
module_of (const WeftValue *document, const WeftValue *map)
{
  const WeftValue *modules = weft_value_lookup (document, "modules"), *name = weft_value_lookup (map, "module");
  return modules && name && weft_value_kind (name) == WEFT_VALUE_SCALAR ? weft_value_lookup (modules, weft_value_text (name)) : NULL;
}

/* A value inside a network, as written in modules, and on the way to it whatever `$name` stands for. Returns: whether it is there */
static gboolean
explain_inside (const WeftValue *document, const char *path)
{
  g_auto (GStrv) elements = g_strsplit (path, ".", -1);
  guint n = g_strv_length (elements);
  const WeftValue *networks = weft_value_lookup (document, "networks"), *map = networks ? weft_value_lookup (networks, elements[0]) : NULL;
  g_autoptr (GPtrArray) maps = g_ptr_array_new (), modules = g_ptr_array_new ();
  for (guint i = 1; map && i + 1 < n; i++)
    {
      if (g_ascii_isdigit (*elements[i]) && weft_value_lookup (map, "repeat"))
        continue;
      const WeftValue *module = module_of (document, map), *nodes = module ? weft_value_lookup (module, "nodes") : NULL;
      g_ptr_array_add (maps, (gpointer) map);
      g_ptr_array_add (modules, (gpointer) module);
      map = nodes ? weft_value_lookup (nodes, elements[i]) : NULL;
    }
  const WeftValue *value = map && n > 1 ? weft_value_lookup (map, elements[n - 1]) : NULL;
  if (!value || !maps->len)
    return FALSE;
  for (guint level = maps->len;; level--)
    {
      g_autofree char *text = print_value (value), *mark = print_mark (weft_value_mark (value));
      printf ("  %s at %s\n", text, mark);
      if (weft_value_kind (value) != WEFT_VALUE_SCALAR || weft_value_text (value)[0] != '$' || level == 0 || !modules->pdata[level - 1])
        return TRUE;
      const char *name = weft_value_text (value) + 1;
      const WeftValue *attributes = weft_value_lookup (modules->pdata[level - 1], "attributes");
      const WeftValue *fallback = attributes ? weft_value_lookup (attributes, name) : NULL;
      value = weft_value_lookup (maps->pdata[level - 1], name);
      if (!value && !fallback)
        return TRUE;
      if (value && fallback && weft_value_kind (fallback) != WEFT_VALUE_NULL)
        {
          g_autofree char *old = print_value (fallback), *where = print_mark (weft_value_mark (fallback));
          printf ("  overrode the module's default at %s: %s\n", where, old);
        }
      value = value ? value : fallback;
    }
}

/* "vars.batch" of "batch", "networks.image.units" of "image.units", "graphs.train.nodes.loss.margin" of "train.loss.margin". */
static char *
document_path (const WeftValue *document, const char *path)
{
  const char *dot = strchr (path, '.');
  g_autofree char *first = dot ? g_strndup (path, (gsize) (dot - path)) : g_strdup (path);
  g_autofree char *variable = g_strconcat ("vars.", path, NULL), *network = g_strconcat ("networks.", path, NULL),
                  *graph = dot ? g_strdup_printf ("graphs.%s.nodes%s", first, dot) : g_strconcat ("graphs.", path, NULL);
  const char *const tries[] = { path, variable, network, graph };
  for (guint i = 0; i < G_N_ELEMENTS (tries); i++)
    if (weft_value_at (document, tries[i]))
      return g_strdup (tries[i]);
  return NULL;
}

static int
explain (const char *pipeline_path, const char *path, const WeftCommonOptions *common)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_value_unref);
  g_autofree char *file = weft_pipeline_file (pipeline_path);
  g_auto (GStrv) settings = weft_cli_settings (common);
  WeftComposition composition = { .path = file,
                                  .overlays = (const char *const *) common->overlays,
                                  .settings = (const char *const *) settings,
                                  .search = weft_pipeline_search () };
  g_autoptr (WeftValue) document = weft_compose_layers (&composition, layers, problems);
  g_autoptr (WeftPipeline) pipeline = document ? weft_pipeline_build (document, problems) : NULL;
  if (!weft_problems_to_error (problems, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return WEFT_EXIT_INPUT;
    }
  g_autofree char *found = document_path (document, path);
  if (!found)
    for (guint i = 0; i < layers->len && !found; i++)
      found = document_path (layers->pdata[i], path); /* what was removed */
  const WeftValue *value = found ? weft_value_at (document, found) : NULL;
  g_autofree char *text = value && weft_value_kind (value) != WEFT_VALUE_MAP ? print_value (value) : NULL;
  printf ("%s%s%s\n", found ? found : path, text ? " = " : found && !value ? " is not there" : "", text ? text : "");
  guint n = found ? print_layers (layers, found, value) : 0;
  gboolean nodes = explain_nodes (pipeline, path);
  nodes |= !nodes && explain_inside (document, path);
  print_edits (pipeline, path);
  if (n || nodes)
    return 0;
  fprintf (stderr,
           "weft explain: nothing at \"%s\"; expected a variable, a path of the document (run.train.epochs), or a node or attribute of a "
           "graph or network (train.loss.margin, image.sge.dropout)\n",
           path);
  return WEFT_EXIT_INPUT;
}

int
weft_cli_explain (int argc, char **argv)
{
  WeftCommonOptions common;
  int status = 0;
  if (!weft_cli_parse (&argc, &argv, "PIPELINE|RUN PATH",
                       "Says where a value comes from and what it overrode, or what a node is.\n\nExamples:\n"
                       "  weft explain user-coco queue\n  weft explain user-f30k-bigru image.sge.dropout\n  weft explain scenes train.loss "
                       "-o triplet",
                       NULL, &common, &status))
    return status;
  status = argc == 3 ? explain (argv[1], argv[2], &common)
                     : weft_cli_usage ("weft explain: expected a pipeline and a path, such as `weft explain scenes train.loss.margin`");
  weft_cli_options_clear (&common);
  return status;
}
