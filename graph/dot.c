/* Graphs as drawings: Graphviz's language.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "dot.h"

#include <string.h>

#include "compare.h"

/**
 * Drawing:
 * @folded: path of a folded module → its serial
 * @members: path of a folded module → its nodes
 * @edges: edges drawn so far, so that folded modules have one each
 * @theirs: (nullable): edges of the graph that this is compared with, as "READER<WRITER"
 */
typedef struct
{
  GString *out;
  const WeftGraph *graph;
  const WeftDotOptions *options;
  const WeftNode *reader;
  GHashTable *folded, *members, *edges, *theirs;
} Drawing;

/* Sums of gradients, and what else differentiation has put in, serve gradients alone. */
static gboolean
is_drawn (const WeftNode *node, gboolean gradients)
{
  return gradients || (node->kind == WEFT_NODE_FORWARD && !strchr (node->path, '~'));
}

static char **clusters_of (const WeftNode *node);

/* Modules as deep as the option says, or named by it, are boxes of their own. Returns: (nullable): the box that @node is in */
static char *
box_of (const Drawing *drawing, const WeftNode *node)
{
  g_auto (GStrv) clusters = clusters_of (node);
  g_autoptr (GString) path = g_string_new (NULL);
  for (guint depth = 0; clusters[depth]; depth++)
    {
      g_string_append_printf (path, "%s%s", depth ? "." : "", clusters[depth]);
      gboolean named = FALSE;
      for (char **pattern = drawing->options->folds; pattern && *pattern; pattern++)
        named |= g_pattern_match_simple (*pattern, path->str);
      if (named || (drawing->options->depth >= 0 && depth >= (guint) drawing->options->depth))
        return g_string_free (g_steal_pointer (&path), FALSE);
    }
  return NULL;
}

static char *
id_of (const Drawing *drawing, const WeftNode *node)
{
  g_autofree char *box = box_of (drawing, node);
  return box ? g_strdup_printf ("f%u", GPOINTER_TO_UINT (g_hash_table_lookup (drawing->folded, box)))
             : g_strdup_printf ("n%u", node->index);
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
  if (node->op->is_source)
    return "style=\"filled\", shape=folder, fillcolor=\"#dcefdc\"";
  if (node->op->effect)
    return "style=\"filled\", shape=box3d, fillcolor=\"#f6e0cc\"";
  if (node->op->states && node->op->states[0].name)
    return "style=\"rounded,filled\", fillcolor=\"#f8f2d0\"";
  return "style=\"rounded\"";
}

/* Bytes of what a node gives and of its scratch. */
static gsize
bytes_of (const WeftPlan *plan, const WeftNode *node)
{
  gsize bytes = plan->scratch[node->index].bytes;
  for (guint i = 0; i < plan->graph->wires->len; i++)
    {
      const WeftWire *wire = plan->graph->wires->pdata[i];
      if (wire->node == node && plan->places[wire->index].shares < 0)
        bytes += plan->places[wire->index].bytes;
    }
  return bytes;
}

static char *
plan_of (const WeftPlan *plan, const WeftNode *node)
{
  g_autofree char *size = g_format_size_full (bytes_of (plan, node), G_FORMAT_SIZE_IEC_UNITS);
  return g_strdup_printf ("\n%u · %s", node->index + 1, size);
}

/* The same of a folded module: when its first and its last node run, and what all of them take. */
static char *
plan_of_box (const WeftPlan *plan, const GPtrArray *members)
{
  guint first = G_MAXUINT, last = 0;
  gsize bytes = 0;
  for (guint i = 0; i < members->len; i++)
    {
      const WeftNode *node = members->pdata[i];
      first = MIN (first, node->index + 1);
      last = MAX (last, node->index + 1);
      bytes += bytes_of (plan, node);
    }
  g_autofree char *size = g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
  return first == last ? g_strdup_printf ("\\n%u · %s", first, size) : g_strdup_printf ("\\n%u–%u · %s", first, last, size);
}

static const char *
mark_of (const Drawing *drawing, const WeftNode *node)
{
  g_autofree char *address = drawing->options->marks ? weft_node_address (node) : NULL;
  const char *mark = address ? g_hash_table_lookup (drawing->options->marks, address) : NULL;
  return mark ? mark : "";
}

/* What all nodes of a folded module are marked by; where only some are, that something in it changes. */
static const char *
mark_of_box (const Drawing *drawing, const GPtrArray *members)
{
  const char *mark = mark_of (drawing, members->pdata[0]);
  for (guint i = 1; i < members->len; i++)
    if (strcmp (mark_of (drawing, members->pdata[i]), mark) != 0)
      return ", color=\"#c07000\", penwidth=2";
  return mark;
}

static void
draw_box (const Drawing *drawing, const char *box, guint depth)
{
  const char *dot = strrchr (box, '.');
  const GPtrArray *members = g_hash_table_lookup (drawing->members, box);
  g_autofree char *plan = drawing->options->plan ? plan_of_box (drawing->options->plan, members) : g_strdup ("");
  indent (drawing->out, depth);
  g_string_append_printf (
      drawing->out, "f%u [label=\"%s\\n%u nodes%s\", shape=box, peripheries=2, style=\"rounded,filled\", fillcolor=\"#f4f4f4\"%s, tooltip=",
      GPOINTER_TO_UINT (g_hash_table_lookup (drawing->folded, box)), dot ? dot + 1 : box, members->len, plan,
      mark_of_box (drawing, members));
  append_quoted (drawing->out, box);
  g_string_append (drawing->out, "];\n");
}

static void
draw_node (const Drawing *drawing, const WeftNode *node, guint depth)
{
  GString *out = drawing->out;
  g_autofree char *plan = drawing->options->plan ? plan_of (drawing->options->plan, node) : g_strdup ("");
  const char *dot = strrchr (node->path, '.');
  const char *name = dot && node->op->inputs && !node->collected_graph ? dot + 1 : node->path;
  g_autofree char *label = g_strdup_printf ("%s\n%s%s", name, node->kind == WEFT_NODE_GRADIENT ? "" : node->op->name, plan);
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
  g_string_append_printf (out, ", %s%s, tooltip=", style_of (node), mark_of (drawing, node));
  append_quoted (out, node->path);
  g_string_append (out, "];\n");
}

/* Elements of the path that are instances: all but the last. */
static char **
clusters_of (const WeftNode *node)
{
  if (node->collected_graph)
    return g_new0 (char *, 1);
  /* "v.fc~gradient" stands beside v.fc, and so does the sum "v.fc.y~sum.x" of the gradients of its output. */
  g_autofree char *path = g_strndup (node->path, strcspn (node->path, "~"));
  char **parts = g_strsplit (path, ".", -1);
  guint n = g_strv_length (parts), last = strstr (node->path, "~sum") ? 2 : 1;
  for (guint i = n; i > 0 && i + last > n; i--)
    g_clear_pointer (&parts[i - 1], g_free);
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
draw_nodes (Drawing *drawing)
{
  g_autoptr (GPtrArray) nodes = g_ptr_array_new ();
  for (guint i = 0; i < drawing->graph->nodes->len; i++)
    {
      WeftNode *node = drawing->graph->nodes->pdata[i];
      char *box = is_drawn (node, drawing->options->gradients) ? box_of (drawing, node) : NULL;
      if (is_drawn (node, drawing->options->gradients))
        g_ptr_array_add (nodes, node);
      if (!box)
        continue;
      GPtrArray *members = g_hash_table_lookup (drawing->members, box);
      if (!members)
        {
          members = g_ptr_array_new ();
          g_hash_table_insert (drawing->folded, g_strdup (box), GUINT_TO_POINTER (g_hash_table_size (drawing->folded) + 1));
          g_hash_table_insert (drawing->members, g_strdup (box), members);
        }
      g_ptr_array_add (members, node);
      g_free (box);
    }
  g_ptr_array_sort (nodes, compare_paths);
  g_autoptr (GHashTable) done = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) open = g_new0 (char *, 1);
  guint serial = 0;
  for (guint i = 0; i < nodes->len; i++)
    {
      g_autofree char *box = box_of (drawing, nodes->pdata[i]);
      if (box && g_hash_table_contains (done, box))
        continue;
      char **clusters = clusters_of (nodes->pdata[i]);
      guint common = 0, inside = 0;
      for (const char *c = box; c && *c; c++)
        inside += *c == '.';
      for (guint k = inside; box && clusters[k]; k++)
        g_clear_pointer (&clusters[k], g_free);
      while (open[common] && clusters[common] && strcmp (open[common], clusters[common]) == 0)
        common++;
      close_clusters (drawing->out, open, common);
      open_clusters (drawing->out, clusters, common, &serial);
      g_strfreev (open);
      open = clusters;
      if (box)
        draw_box (drawing, box, g_strv_length (clusters) + 1);
      else
        draw_node (drawing, nodes->pdata[i], g_strv_length (clusters) + 1);
      if (box)
        g_hash_table_add (done, g_steal_pointer (&box));
    }
  close_clusters (drawing->out, open, 0);
}

static char *
edge_key (const WeftNode *reader, const WeftNode *writer)
{
  return g_strconcat (reader->path, "<", writer->path, NULL);
}

static void
draw_edge (WeftWire *wire, gpointer data)
{
  Drawing *drawing = data;
  if (!wire->node || !is_drawn (wire->node, drawing->options->gradients))
    return;
  g_autofree char *shape = weft_shape_print (&wire->shape);
  g_autofree char *from = id_of (drawing, wire->node), *to = id_of (drawing, drawing->reader);
  char *edge = g_strdup_printf ("%s>%s:%s", from, to, shape);
  if (strcmp (from, to) == 0 || !g_hash_table_add (drawing->edges, edge))
    {
      if (strcmp (from, to) == 0)
        g_free (edge);
      return;
    }
  g_autofree char *key = edge_key (drawing->reader, wire->node);
  gboolean gone = drawing->theirs && !g_hash_table_contains (drawing->theirs, key) && drawing->reader->kind == WEFT_NODE_FORWARD;
  gboolean gradient = wire->kind == WEFT_WIRE_INPUT_GRADIENT || wire->kind == WEFT_WIRE_PARAMETER_GRADIENT;
  g_string_append_printf (drawing->out, "  %s -> %s [label=", from, to);
  append_quoted (drawing->out, shape);
  g_string_append_printf (drawing->out, "%s];\n",
                          gone                                ? ", color=\"#c03030\", fontcolor=\"#c03030\", style=dashed"
                          : gradient                          ? ", color=\"#7878b0\", fontcolor=\"#7878b0\""
                          : wire->kind == WEFT_WIRE_SAVED     ? ", style=dotted"
                          : drawing->reader->of == wire->node ? ", style=dotted"
                                                              : "");
}

static void
draw_effects (Drawing *drawing, const WeftNode *node)
{
  g_autofree char *to = id_of (drawing, node);
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    if (node->inputs[port].state_of)
      {
        g_autofree char *state = id_of (drawing, node->inputs[port].state_of);
        g_string_append_printf (drawing->out, "  %s -> %s [style=dashed, color=\"#c07830\", label=\"state\", fontcolor=\"#c07830\"];\n", to,
                                state);
      }
  for (guint i = 0; node->after && i < node->after->len; i++)
    {
      const WeftNode *before = node->after->pdata[i];
      g_autofree char *from = id_of (drawing, before);
      char *edge = g_strdup_printf ("%s>%s:", from, to);
      if (is_drawn (before, drawing->options->gradients) && strcmp (from, to) != 0 && g_hash_table_add (drawing->edges, g_strdup (edge)))
        g_string_append_printf (drawing->out, "  %s -> %s [style=dashed, color=\"#c07830\"];\n", from, to);
      g_free (edge);
    }
}

typedef struct
{
  const WeftNode *reader;
  GHashTable *edges;
} EdgeSearch;

static void
note_edge (WeftWire *wire, gpointer data)
{
  EdgeSearch *search = data;
  if (wire->node)
    g_hash_table_add (search->edges, edge_key (search->reader, wire->node));
}

static GHashTable *
edges_of (const WeftGraph *graph)
{
  EdgeSearch search = { NULL, g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      search.reader = graph->nodes->pdata[i];
      if (search.reader->kind == WEFT_NODE_FORWARD)
        weft_node_visit_reads (search.reader, note_edge, &search);
    }
  return search.edges;
}

typedef struct
{
  Drawing *drawing;
  const WeftNode *reader;
  GHashTable *ours;
} Addition;

/* A node of the other graph: ours of the same path, or one drawn for it alone. */
static char *
other_id (const Drawing *drawing, const WeftNode *node)
{
  const WeftNode *own = weft_graph_node (drawing->graph, node->path);
  return own ? id_of (drawing, own) : g_strdup_printf ("m%u", node->index);
}

static void
draw_added_edge (WeftWire *wire, gpointer data)
{
  const Addition *addition = data;
  if (!wire->node || !is_drawn (wire->node, addition->drawing->options->gradients))
    return;
  g_autofree char *key = edge_key (addition->reader, wire->node);
  if (g_hash_table_contains (addition->ours, key))
    return;
  g_autofree char *from = other_id (addition->drawing, wire->node), *to = other_id (addition->drawing, addition->reader);
  g_autofree char *shape = weft_shape_print (&wire->shape);
  char *edge = g_strdup_printf ("+%s>%s:%s", from, to, shape);
  gboolean first = g_hash_table_add (addition->drawing->edges, edge);
  if (first && strcmp (from, to) != 0)
    g_string_append_printf (addition->drawing->out, "  %s -> %s [label=\"%s\", color=\"#308030\", fontcolor=\"#308030\"];\n", from, to,
                            shape);
}

/* What the other graph has beyond this one, in green. */
static void
draw_additions (Drawing *drawing, const WeftGraph *other)
{
  g_autoptr (GHashTable) ours = edges_of (drawing->graph);
  for (guint i = 0; i < other->nodes->len; i++)
    {
      const WeftNode *node = other->nodes->pdata[i];
      if (node->kind != WEFT_NODE_FORWARD)
        continue;
      if (!weft_graph_node (drawing->graph, node->path))
        {
          g_string_append_printf (drawing->out,
                                  "  m%u [label=\"%s\\n%s\", style=\"rounded,filled\", fillcolor=\"#d8f0d8\", color=\"#308030\"];\n",
                                  node->index, node->path, node->op->name);
        }
      Addition addition = { drawing, node, ours };
      weft_node_visit_reads (node, draw_added_edge, &addition);
    }
}

char *
weft_graph_dot (const WeftGraph *graph, const WeftDotOptions *options)
{
  GString *out = g_string_new ("digraph ");
  g_autoptr (GHashTable) theirs = options->other ? edges_of (options->other) : NULL;
  Drawing drawing = { .out = out,
                      .graph = graph,
                      .options = options,
                      .folded = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                      .members = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref),
                      .edges = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                      .theirs = theirs };
  append_quoted (out, graph->name);
  g_string_append (out, " {\n  rankdir=TB; newrank=true;\n  node [shape=box, fontname=\"Helvetica\", fontsize=11];\n"
                        "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#505050\", fontcolor=\"#505050\"];\n");
  if (options->plan)
    {
      g_autofree char *size = g_format_size_full (options->plan->arena, G_FORMAT_SIZE_IEC_UNITS);
      g_string_append_printf (out, "  label=\"%s: order · bytes of values and scratch; %s a step\";\n", graph->name, size);
    }
  draw_nodes (&drawing);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      drawing.reader = graph->nodes->pdata[i];
      if (!is_drawn (drawing.reader, options->gradients))
        continue;
      weft_node_visit_reads (drawing.reader, draw_edge, &drawing);
      draw_effects (&drawing, drawing.reader);
    }
  if (options->other)
    draw_additions (&drawing, options->other);
  g_string_append (out, "}\n");
  g_hash_table_unref (drawing.folded);
  g_hash_table_unref (drawing.members);
  g_hash_table_unref (drawing.edges);
  return g_string_free (out, FALSE);
}
