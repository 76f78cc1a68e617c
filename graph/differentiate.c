/* Graph-to-graph differentiation: gradients are nodes like any others.
 *
 * From the objective backwards, every node that a trainable parameter influences gets one gradient node, which runs its operator's
 * `backward`. Where a value has several readers, a sum node adds what comes back from them, in the order in which the gradient nodes
 * were made, that is, last reader first.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "core.h"
#include "graph.h"
#include "stages.h"

typedef struct
{
  WeftGraph *graph;
  WeftProblems *problems;
  WeftNode *objective;           /* the node that asked */
  guint n;                       /* nodes before differentiation */
  gboolean *influenced;          /* by node index: depends on something trainable */
  GHashTable *contributions;     /* WeftWire → GPtrArray of gradient wires */
  GHashTable *parameter_parts;   /* store path → GPtrArray of gradient wires */
  GPtrArray *parameter_paths;    /* in order of appearance */
  GHashTable *parameter_members; /* store path → WeftMember */
} Differentiation;

static gboolean
has_trainable_members (const WeftNode *node)
{
  const WeftFeed *feed = node->attributes;

  if (node->op == &weft_feed_operator)
    return feed->gradient;
  for (guint i = 0; i < WEFT_MAX_PORTS; i++)
    if (node->parameters[i].path && node->parameters[i].trainable)
      return TRUE;
  return FALSE;
}

/* Whether gradients flow back from that output of its operator. */
static gboolean
has_gradient (const WeftWire *wire)
{
  return (wire->shape.type == WEFT_F32 || wire->shape.type == WEFT_F64)
         && !(wire->node->op->outputs[wire->port].flags & WEFT_PORT_CONSTANT);
}

static gboolean
carries_gradient (const Differentiation *self, const WeftNode *node, guint port, const WeftWire *wire)
{
  return wire && has_gradient (wire) && wire->node->index < self->n && self->influenced[wire->node->index]
         && !(node->op->inputs[port].flags & (WEFT_PORT_CONSTANT | WEFT_PORT_OBJECTIVE));
}

static void
find_influenced (Differentiation *self)
{
  for (guint i = 0; i < self->n; i++)
    {
      const WeftNode *node = self->graph->nodes->pdata[i];
      gboolean influenced = has_trainable_members (node);
      for (guint port = 0; node->op->inputs && node->op->inputs[port].name; port++)
        for (guint k = 0; k < node->inputs[port].n; k++)
          influenced |= carries_gradient (self, node, port, node->inputs[port].wires[k]);
      self->influenced[i] = influenced && node->kind == WEFT_NODE_FORWARD;
    }
}

static GPtrArray *
parts_of (GHashTable *table, gconstpointer key)
{
  GPtrArray *parts = g_hash_table_lookup (table, key);

  if (!parts)
    {
      parts = g_ptr_array_new ();
      g_hash_table_insert (table, (gpointer) key, parts);
    }
  return parts;
}

/* One wire for all that flows back into a value. */
static WeftWire *
total_of (Differentiation *self, const GPtrArray *parts, const char *name, const WeftShape *shape)
{
  WeftNode *sum;
  g_autofree char *path = NULL;
  WeftInput *input;

  if (!parts || !parts->len)
    return NULL;
  if (parts->len == 1)
    return parts->pdata[0];
  path = g_strdup_printf ("%s~sum", name);
  sum = weft_graph_add_node (self->graph, &weft_sum_operator, path, path, self->objective->mark);
  input = &sum->inputs[0];
  input->n = parts->len;
  input->wires = g_memdup2 (parts->pdata, parts->len * sizeof (gpointer));
  input->keys = g_new0 (char *, parts->len);
  input->weights = g_new0 (char *, parts->len);
  input->weight_networks = g_new0 (char *, parts->len);
  sum->outputs[0]->shape = *shape;
  sum->outputs[0]->read = TRUE;
  for (guint i = 0; i < parts->len; i++)
    ((WeftWire *) parts->pdata[i])->read = TRUE;
  return sum->outputs[0];
}

static void
want_parameter (Differentiation *self, WeftNode *gradient, const WeftMember *member, guint port)
{
  WeftWire *wire = weft_graph_add_wire (self->graph, gradient, WEFT_WIRE_PARAMETER_GRADIENT, port, 0);

  wire->shape = member->shape;
  wire->read = TRUE;
  gradient->parameter_gradients[port] = wire;
  if (!g_hash_table_contains (self->parameter_parts, member->path))
    {
      g_ptr_array_add (self->parameter_paths, member->path);
      g_hash_table_insert (self->parameter_members, member->path, (gpointer) member);
    }
  g_ptr_array_add (parts_of (self->parameter_parts, member->path), wire);
}

static void
want_inputs (Differentiation *self, WeftNode *gradient, const WeftNode *node, guint port)
{
  const WeftInput *input = &node->inputs[port];

  gradient->in_gradients[port] = g_new0 (WeftWire *, input->n + 1);
  for (guint k = 0; k < input->n; k++)
    if (carries_gradient (self, node, port, input->wires[k]))
      {
        WeftWire *wire = weft_graph_add_wire (self->graph, gradient, WEFT_WIRE_INPUT_GRADIENT, port, k);
        wire->shape = input->wires[k]->shape;
        wire->read = TRUE;
        gradient->in_gradients[port][k] = wire;
        g_ptr_array_add (parts_of (self->contributions, input->wires[k]), wire);
      }
}

/* What flows back into the inputs of an operator that passes gradients is what flows back into its output, in the same memory. */
static void
pass_on (Differentiation *self, const WeftNode *node, WeftWire *total)
{
  for (guint port = 0; node->op->inputs[port].name; port++)
    for (guint k = 0; k < node->inputs[port].n; k++)
      if (carries_gradient (self, node, port, node->inputs[port].wires[k]))
        g_ptr_array_add (parts_of (self->contributions, node->inputs[port].wires[k]), total);
}

static void
keep_for_backward (Differentiation *self, WeftNode *node)
{
  for (guint i = 0; node->op->saved && node->op->saved[i].name; i++)
    if (!node->saved[i] && weft_shape_is_known (&node->saved_shapes[i]))
      {
        node->saved[i] = weft_graph_add_wire (self->graph, node, WEFT_WIRE_SAVED, i, 0);
        node->saved[i]->shape = node->saved_shapes[i];
        node->saved[i]->read = TRUE;
      }
  for (guint i = 0; node->op->outputs[i].name; i++)
    if (node->outputs[i] && (node->op->outputs[i].flags & WEFT_PORT_READ) && weft_shape_is_known (&node->outputs[i]->shape))
      node->outputs[i]->read = TRUE;
}

static void
make_gradient_node (Differentiation *self, WeftNode *node)
{
  WeftNode *gradient;
  WeftWire *totals[WEFT_MAX_PORTS] = { NULL };
  gboolean any = FALSE;
  g_autofree char *path = NULL;

  for (guint i = 0; node->op->outputs[i].name; i++)
    if (node->outputs[i])
      {
        g_autofree char *name = g_strdup_printf ("%s.%s", node->path, node->op->outputs[i].name);
        totals[i] = total_of (self, g_hash_table_lookup (self->contributions, node->outputs[i]), name, &node->outputs[i]->shape);
        any |= totals[i] != NULL;
      }
  if (!any)
    return;
  if (node->op == &weft_feed_operator)
    {
      totals[0]->kept = TRUE;
      node->out_gradients[0] = totals[0];
      return;
    }
  if (node->op->passes_gradient)
    {
      pass_on (self, node, totals[0]);
      return;
    }
  if (!node->op->backward)
    {
      weft_problems_add (self->problems, node->mark,
                         "`%s` lies between trainable parameters and the objective of `%s`, but operator %s has no gradient: %s",
                         node->path, self->objective->path, node->op->name,
                         node->op->not_differentiable ? node->op->not_differentiable : "its author gave none");
      return;
    }
  path = g_strdup_printf ("%s~gradient", node->path);
  gradient = weft_node_new (node->op, path, node->store_path, node->mark);
  gradient->kind = WEFT_NODE_GRADIENT;
  gradient->of = node;
  gradient->mode = node->mode;
  gradient->compute = node->compute;
  gradient->attributes = node->attributes;
  g_ptr_array_add (self->graph->nodes, gradient);
  memcpy (gradient->out_gradients, totals, sizeof totals);
  for (guint i = 0; i < WEFT_MAX_PORTS; i++)
    if (node->parameters[i].path && node->parameters[i].trainable)
      want_parameter (self, gradient, &node->parameters[i], i);
  for (guint port = 0; node->op->inputs && node->op->inputs[port].name; port++)
    want_inputs (self, gradient, node, port);
  keep_for_backward (self, node);
}

/* The trainable parameters in the order in which the forward pass meets them, which does not depend on how gradients are routed. */
static void
hand_over_targets (Differentiation *self)
{
  g_autoptr (GHashTable) done = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < self->n; i++)
    {
      const WeftNode *node = self->graph->nodes->pdata[i];
      for (guint port = 0; port < WEFT_MAX_PORTS; port++)
        {
          const WeftMember *member = &node->parameters[port];
          GPtrArray *parts = member->path ? g_hash_table_lookup (self->parameter_parts, member->path) : NULL;
          WeftTarget target = { 0 };
          if (!parts || !g_hash_table_add (done, member->path))
            continue;
          target.path = g_strdup (member->path);
          target.shape = member->shape;
          target.gradient = total_of (self, parts, member->path, &member->shape);
          g_array_append_val (self->objective->targets, target);
        }
    }
}

/* Names in an optimizer's maps are patterns of parameter paths: one that matches nothing is a slip, and the run would not be what was meant. */
static void
check_patterns (Differentiation *self)
{
  const WeftNode *node = self->objective;
  const GArray *targets = node->targets;

  for (const WeftAttribute *attribute = node->op->attributes; attribute && attribute->name; attribute++)
    {
      gboolean map = attribute->kind == WEFT_ATTRIBUTE_NUMBERS, list = attribute->kind == WEFT_ATTRIBUTE_STRINGS;
      const WeftValue *given = (map || list) && node->map ? weft_value_lookup (node->map, attribute->name) : NULL;
      for (guint i = 0; given && i < weft_value_length (given); i++)
        {
          const char *pattern = map ? weft_value_key (given, i) : weft_value_text (weft_value_item (given, i));
          gboolean matches = FALSE;
          for (guint k = 0; k < targets->len && !matches; k++)
            matches = weft_path_match (pattern, g_array_index (targets, WeftTarget, k).path);
          if (!matches)
            weft_problems_add (self->problems, map ? weft_value_key_mark (given, i) : weft_value_mark (weft_value_item (given, i)),
                               "`%s` of `%s`: %s matches none of the %u parameters that are trained, such as %s", attribute->name,
                               node->path, pattern, targets->len, g_array_index (targets, WeftTarget, 0).path);
        }
    }
}

static void
seed (Differentiation *self, WeftWire *objective)
{
  g_autofree char *path = g_strdup_printf ("%s~one", self->objective->path);
  WeftNode *one = weft_graph_add_node (self->graph, &weft_one_operator, path, path, self->objective->mark);

  one->outputs[0]->shape = objective->shape;
  one->outputs[0]->read = TRUE;
  g_ptr_array_add (parts_of (self->contributions, objective), one->outputs[0]);
}

static void
differentiate (WeftGraph *graph, WeftNode *node, WeftWire *objective, guint n, WeftProblems *problems)
{
  Differentiation self = { .graph = graph, .problems = problems, .objective = node, .n = n };
  guint before = weft_problems_count (problems);

  self.influenced = g_new0 (gboolean, graph->nodes->len + 1);
  self.contributions = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
  self.parameter_parts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  self.parameter_paths = g_ptr_array_new ();
  self.parameter_members = g_hash_table_new (g_str_hash, g_str_equal);
  find_influenced (&self);
  if (!has_gradient (objective))
    weft_problems_add (problems, node->mark, "`%s` cannot minimize `%s.%s`: operator %s gives no gradient by it (%s)", node->path,
                       objective->node->path, objective->node->op->outputs[objective->port].name, objective->node->op->name,
                       objective->node->op->outputs[objective->port].meaning);
  else if (!self.influenced[objective->node->index])
    weft_problems_add (problems, node->mark, "nothing that `%s` minimizes depends on a trainable parameter", node->path);
  else
    {
      seed (&self, objective);
      for (guint i = n; i-- > 0;)
        if (self.influenced[i])
          make_gradient_node (&self, graph->nodes->pdata[i]);
      if (weft_problems_count (problems) == before)
        {
          hand_over_targets (&self);
          check_patterns (&self);
        }
    }
  g_hash_table_unref (self.contributions);
  g_hash_table_unref (self.parameter_parts);
  g_hash_table_unref (self.parameter_members);
  g_ptr_array_unref (self.parameter_paths);
  g_free (self.influenced);
}

gboolean
weft_differentiate_graph (WeftGraph *graph, WeftProblems *problems)
{
  guint before = weft_problems_count (problems);
  guint n = graph->nodes->len;

  for (guint i = 0; i < n; i++)
    {
      WeftNode *node = graph->nodes->pdata[i];
      for (guint port = 0; node->op->inputs && node->op->inputs[port].name; port++)
        if ((node->op->inputs[port].flags & WEFT_PORT_OBJECTIVE) && node->inputs[port].n)
          differentiate (graph, node, node->inputs[port].wires[0], n, problems);
    }
  return weft_problems_count (problems) == before;
}
