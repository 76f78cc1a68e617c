/* Graphs as drawings: Graphviz's language.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "dot.h"

#include <string.h>

typedef struct
{
  GString *out;
  const WeftNode *reader;
  gboolean gradients;
  GHashTable *drawn; /* wires that this reader already has an edge for */
} Drawing;

static gboolean
is_drawn (const WeftNode *node, gboolean gradients)
{
  return gradients || node->kind == WEFT_NODE_FORWARD;
}

static void
append_quoted (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (; *text; text++)
    {
      if (*text == '"' || *text == '\\')
        g_string_append_c (out, '\\');
      g_string_append_c (out, *text);
    }
  g_string_append_c (out, '"');
}

static void
indent (GString *out, guint depth)
{
  for (guint i = 0; i < depth; i++)
    g_string_append (out, "  ");
}

static const char *
style_of (const WeftNode *node)
{
  if (node->kind == WEFT_NODE_GRADIENT)
    return "style=\"rounded,filled\", fillcolor=\"#e8e8f4\", color=\"#7878b0\", fontcolor=\"#404080\"";
  if (node->operator->is_source)
    return "style=\"filled\", shape=folder, fillcolor=\"#dcefdc\"";
  if (node->operator->effect)
    return "style=\"filled\", shape=box3d, fillcolor=\"#f6e0cc\"";
  if (node->operator->states && node->operator->states[0].name)
    return "style=\"rounded,filled\", fillcolor=\"#f8f2d0\"";
  return "style=\"rounded\"";
}

static void
draw_node (GString *out, const WeftNode *node, guint depth)
{
  const char *dot = strrchr (node->path, '.');
  const char *name = dot && node->operator->inputs && !node->collected_graph ? dot + 1 : node->path;
  g_autofree char *label = g_strdup_printf ("%s\n%s", name, node->kind == WEFT_NODE_GRADIENT ? "" : node->operator->name);
  indent (out, depth);
  g_string_append_printf (out, "n%u [label=", node->index);
  /* \n within a label is Graphviz's own escape. */
  g_auto (GStrv) lines = g_strsplit (g_strchomp (label), "\n", -1);
  g_autofree char *joined = g_strjoinv ("\x01", lines);
  g_autoptr (GString) quoted = g_string_new (NULL);
  append_quoted (quoted, joined);
  for (const char *c = quoted->str; *c; c++)
    if (*c == '\x01')
      g_string_append (out, "\\n");
    else
      g_string_append_c (out, *c);
  g_string_append_printf (out, ", %s, tooltip=", style_of (node));
  append_quoted (out, node->path);
  g_string_append (out, "];\n");
}

/* Elements of the path that are instances: all but the last. */
static char **
clusters_of (const WeftNode *node)
{
  if (node->collected_graph)
    return g_new0 (char *, 1);
  char **parts = g_strsplit (node->path, ".", -1);
  guint n = g_strv_length (parts);
  if (n)
    g_clear_pointer (&parts[n - 1], g_free);
  return parts;
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  const WeftNode *left = *(WeftNode *const *) a, *right = *(WeftNode *const *) b;
  g_auto (GStrv) of_left = clusters_of (left);
  g_auto (GStrv) of_right = clusters_of (right);
  for (guint i = 0; of_left[i] || of_right[i]; i++)
    {
      int order = g_strcmp0 (of_left[i], of_right[i]);
      if (order)
        return order;
    }
  return left->index < right->index ? -1 : left->index > right->index;
}

static void
open_clusters (GString *out, char *const *clusters, guint from, guint *serial)
{
  for (guint i = from; clusters[i]; i++)
    {
      indent (out, i + 1);
      g_string_append_printf (out, "subgraph cluster_%u {\n", (*serial)++);
      indent (out, i + 2);
      g_string_append (out, "label=");
      append_quoted (out, clusters[i]);
      g_string_append (out, "; style=\"rounded\"; color=\"#a0a0a0\"; fontcolor=\"#606060\";\n");
    }
}

static void
close_clusters (GString *out, char *const *clusters, guint down_to)
{
  for (guint i = g_strv_length ((char **) clusters); i-- > down_to;)
    {
      indent (out, i + 1);
      g_string_append (out, "}\n");
    }
}

static void
draw_nodes (GString *out, const WeftGraph *graph, gboolean gradients)
{
  g_autoptr (GPtrArray) nodes = g_ptr_array_new ();
  for (guint i = 0; i < graph->nodes->len; i++)
    if (is_drawn (graph->nodes->pdata[i], gradients))
      g_ptr_array_add (nodes, graph->nodes->pdata[i]);
  g_ptr_array_sort (nodes, compare_paths);
  g_auto (GStrv) open = g_new0 (char *, 1);
  guint serial = 0;
  for (guint i = 0; i < nodes->len; i++)
    {
      char **clusters = clusters_of (nodes->pdata[i]);
      guint common = 0;
      while (open[common] && clusters[common] && strcmp (open[common], clusters[common]) == 0)
        common++;
      close_clusters (out, open, common);
      open_clusters (out, clusters, common, &serial);
      g_strfreev (open);
      open = clusters;
      draw_node (out, nodes->pdata[i], g_strv_length (clusters) + 1);
    }
  close_clusters (out, open, 0);
}

static void
draw_edge (WeftWire *wire, gpointer data)
{
  Drawing *drawing = data;
  if (!wire->node || !is_drawn (wire->node, drawing->gradients) || !g_hash_table_add (drawing->drawn, wire))
    return;
  g_autofree char *shape = weft_shape_print (&wire->shape);
  gboolean gradient = wire->kind == WEFT_WIRE_INPUT_GRADIENT || wire->kind == WEFT_WIRE_PARAMETER_GRADIENT;
  g_string_append_printf (drawing->out, "  n%u -> n%u [label=", wire->node->index, drawing->reader->index);
  append_quoted (drawing->out, shape);
  g_string_append_printf (drawing->out, "%s];\n",
                          gradient                            ? ", color=\"#7878b0\", fontcolor=\"#7878b0\""
                          : wire->kind == WEFT_WIRE_SAVED     ? ", style=dotted"
                          : drawing->reader->of == wire->node ? ", style=dotted"
                                                              : "");
}

static void
draw_effects (GString *out, const WeftNode *node, gboolean gradients)
{
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    if (node->inputs[port].state_of)
      g_string_append_printf (out, "  n%u -> n%u [style=dashed, color=\"#c07830\", label=\"state\", fontcolor=\"#c07830\"];\n", node->index,
                              node->inputs[port].state_of->index);
  for (guint i = 0; node->after && i < node->after->len; i++)
    {
      const WeftNode *before = node->after->pdata[i];
      if (is_drawn (before, gradients))
        g_string_append_printf (out, "  n%u -> n%u [style=dashed, color=\"#c07830\"];\n", before->index, node->index);
    }
}

char *
weft_graph_dot (const WeftGraph *graph, gboolean gradients)
{
  GString *out = g_string_new ("digraph ");
  append_quoted (out, graph->name);
  g_string_append (out, " {\n  rankdir=TB; newrank=true;\n  node [shape=box, fontname=\"Helvetica\", fontsize=11];\n"
                        "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#505050\", fontcolor=\"#505050\"];\n");
  draw_nodes (out, graph, gradients);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      if (!is_drawn (node, gradients))
        continue;
      Drawing drawing = { out, node, gradients, g_hash_table_new (NULL, NULL) };
      weft_node_visit_reads (node, draw_edge, &drawing);
      g_hash_table_unref (drawing.drawn);
      draw_effects (out, node, gradients);
    }
  g_string_append (out, "}\n");
  return g_string_free (out, FALSE);
}
