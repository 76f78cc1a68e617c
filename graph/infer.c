/* Shape inference: the signatures of all operators, unified over a graph.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "attributes.h"
#include "core.h"
#include "infer-private.h"
#include "stages.h"

static char *
describe_wire (const WeftWire *wire)
{
  const WeftPort *port = &wire->node->op->outputs[wire->port];
  gboolean only = weft_port_count (wire->node->op->outputs) == 1;

  return g_strdup_printf ("`%s%s%s`", wire->node->path, only ? "" : ".", only ? "" : port->name);
}

static gboolean
is_primed (gpointer letter, gpointer value, gpointer data)
{
  (void) value;
  (void) data;
  return g_str_has_suffix (letter, "'");
}

static WeftSignature *
parse_port (WeftInference *self, const WeftPort *port)
{
  g_autoptr (GError) error = NULL;
  WeftSignature *signature = weft_signature_parse (port->signature, &error);

  if (!signature)
    weft_problems_add (self->problems, self->node->mark, "operator %s, port %s: %s", self->node->op->name, port->name, error->message);
  return signature;
}

static gboolean
match_input (WeftInference *self, guint index)
{
  const WeftPort *port = &self->node->op->inputs[index];
  const WeftInput *input = &self->node->inputs[index];
  g_autoptr (WeftSignature) signature = NULL;
  gboolean good = TRUE;

  if (!port->signature || !input->n || !input->wires[0])
    return TRUE;
  signature = parse_port (self, port);
  if (!signature)
    return FALSE;
  for (guint i = 0; i < input->n; i++)
    {
      const WeftShape *shape = &input->wires[i]->shape;
      g_autofree char *why = NULL, *source = NULL, *origin = NULL, *is = NULL;
      if (!weft_shape_is_known (shape))
        return FALSE;
      g_hash_table_foreach_remove (self->letters, is_primed, NULL);
      source = describe_wire (input->wires[i]);
      origin = g_strdup_printf ("`%s.%s` = %s", self->node->path, port->name, source);
      if (weft_infer_match_shape (self, signature, shape, origin, &why) && weft_infer_match_domain (self, signature, shape, &why))
        continue;
      is = weft_shape_print (shape);
      weft_problems_add (self->problems, input->mark.file ? input->mark : self->node->mark,
                         "%s gives %s (%s:%u), which does not fit input \"%s\" of %s `%s`, %s: %s", source, is,
                         input->wires[i]->node->mark.file ? input->wires[i]->node->mark.file : "?", input->wires[i]->node->mark.line,
                         port->name, self->node->op->name, self->node->path, port->signature, why);
      good = FALSE;
    }
  return good;
}

static void
cannot_infer (WeftInference *self, const WeftPort *port)
{
  weft_problems_add (self->problems, self->node->mark,
                     "operator %s (node `%s`): the sizes of %s, %s, do not follow from its inputs and attributes", self->node->op->name,
                     self->node->path, port->name, port->signature ? port->signature : "?");
}

static gboolean
exists (const WeftNode *node, const WeftPort *port)
{
  gboolean negated = port->when && *port->when == '!';
  const WeftAttribute *attribute = port->when ? weft_operator_attribute (node->op, port->when + negated) : NULL;

  return !attribute || *(const gboolean *) ((const char *) node->attributes + attribute->offset) != negated;
}

/* "fan_in(3*d)" → "fan_in(96)", "$initial" → that attribute's text; (nullable) */
static char *
resolve_initial (WeftInference *self, const WeftPort *port)
{
  const char *text = port->initial ? port->initial : "zeros";
  g_autofree char *argument = NULL;
  g_autoptr (WeftSize) size = NULL;
  WeftDim dim;

  if (*text == '$')
    {
      const WeftAttribute *attribute = weft_operator_attribute (self->node->op, text + 1);
      text = attribute ? *(const char *const *) ((const char *) self->node->attributes + attribute->offset) : NULL;
      if (!text)
        text = "zeros";
    }
  if (!g_str_has_prefix (text, "fan_in("))
    return g_strdup (text);
  argument = g_strdup (strchr (text, '(') + 1);
  argument[strcspn (argument, ")")] = '\0';
  size = weft_size_parse (argument, NULL);
  if (!size || !weft_infer_evaluate (self, size, FALSE, &dim) || dim.symbol)
    {
      weft_problems_add (self->problems, self->node->mark, "initial value \"%s\" of `%s.%s`: \"%s\" is no size of it", text,
                         self->node->path, port->name, argument);
      return NULL;
    }
  return g_strdup_printf ("fan_in(%" G_GINT64_FORMAT ")", dim.size);
}

static gboolean
shape_is_constant (const WeftShape *shape)
{
  for (guint i = 0; i < shape->rank; i++)
    if (shape->dims[i].symbol)
      return FALSE;
  return TRUE;
}

static gboolean
infer_members (WeftInference *self, const WeftPort *ports, WeftMember *members, gboolean statistic)
{
  gboolean good = TRUE;

  for (guint i = 0; ports && ports[i].name; i++)
    {
      g_autoptr (WeftSignature) signature = NULL;
      if (!exists (self->node, &ports[i]))
        continue;
      signature = parse_port (self, &ports[i]);
      if (!signature || !weft_infer_make_shape (self, signature, FALSE, &members[i].shape) || !shape_is_constant (&members[i].shape))
        {
          if (signature)
            cannot_infer (self, &ports[i]);
          good = FALSE;
          continue;
        }
      g_free (members[i].path);
      g_free ((char *) members[i].initial);
      members[i].path = g_strconcat (self->node->store_path, ".", ports[i].name, NULL);
      members[i].initial = resolve_initial (self, &ports[i]);
      members[i].statistic = statistic;
      members[i].trainable = !statistic && self->node->trainable && members[i].shape.type == WEFT_F32;
      good &= members[i].initial != NULL;
    }
  return good;
}

static gboolean
infer_outputs (WeftInference *self)
{
  WeftNode *node = self->node;
  gboolean good = TRUE;

  for (guint i = 0; node->op->outputs[i].name; i++)
    {
      const WeftPort *port = &node->op->outputs[i];
      g_autoptr (WeftSignature) signature = node->outputs[i] ? parse_port (self, port) : NULL;
      if (!node->outputs[i])
        continue;
      if (!signature || !weft_infer_make_shape (self, signature, TRUE, &node->outputs[i]->shape))
        {
          if (signature && (node->outputs[i]->read || !(port->flags & WEFT_PORT_OPTIONAL)))
            {
              cannot_infer (self, port);
              good = FALSE;
            }
          node->outputs[i]->shape.rank = WEFT_UNKNOWN_RANK;
        }
    }
  for (guint i = 0; node->op->saved && node->op->saved[i].name; i++)
    {
      g_autoptr (WeftSignature) signature = parse_port (self, &node->op->saved[i]);
      if (!signature || !weft_infer_make_shape (self, signature, TRUE, &node->saved_shapes[i]))
        node->saved_shapes[i].rank = WEFT_UNKNOWN_RANK;
    }
  return good;
}

static void
mark_unknown (WeftNode *node)
{
  for (guint i = 0; i < WEFT_MAX_PORTS; i++)
    if (node->outputs[i])
      node->outputs[i]->shape.rank = WEFT_UNKNOWN_RANK;
}

/* A feed's letters are the graph's: equal letters are equal sizes. */
static gboolean
infer_feed (WeftInference *self)
{
  const WeftFeed *feed = self->node->attributes;
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftSignature) signature = NULL;
  GHashTableIter iter;
  gpointer letter, dim;

  if (!feed->signature)
    return FALSE;
  signature = weft_signature_parse (feed->signature, &error);
  if (!signature)
    {
      weft_problems_add (self->problems, self->node->mark, "feed `%s`: %s", self->node->path, error->message);
      return FALSE;
    }
  g_hash_table_iter_init (&iter, self->graph->feed_letters);
  while (g_hash_table_iter_next (&iter, &letter, &dim))
    weft_infer_bind (self, letter, dim, "another feed");
  if (!weft_infer_make_shape (self, signature, TRUE, &self->node->outputs[0]->shape))
    {
      weft_problems_add (self->problems, self->node->mark,
                         "feed `%s`: every letter of %s needs a bound, such as b<=128, where it is first used", self->node->path,
                         feed->signature);
      return FALSE;
    }
  g_hash_table_iter_init (&iter, self->letters);
  while (g_hash_table_iter_next (&iter, &letter, &dim))
    g_hash_table_replace (self->graph->feed_letters, g_strdup (letter), g_memdup2 (&((WeftBinding *) dim)->dim, sizeof (WeftDim)));
  return TRUE;
}

/* An array that another graph collects: as many rows as its pass had items, known only afterwards. */
static gboolean
infer_collected (WeftInference *self)
{
  WeftNode *node = self->node;
  WeftGraph *other = weft_pipeline_graph (self->graph->pipeline, node->collected_graph);
  WeftShape *shape = &node->outputs[0]->shape;
  const WeftCollect *collect = NULL;

  for (guint i = 0; i < other->collects->len; i++)
    if (strcmp (g_array_index (other->collects, WeftCollect, i).name, node->collected_name) == 0)
      collect = &g_array_index (other->collects, WeftCollect, i);
  if (!collect && other->faulty)
    return FALSE;
  if (!collect)
    {
      g_autoptr (GPtrArray) names = g_ptr_array_new ();
      for (guint i = 0; i < other->collects->len; i++)
        g_ptr_array_add (names, g_array_index (other->collects, WeftCollect, i).name);
      g_ptr_array_add (names, NULL);
      g_autofree char *hint = weft_suggestion (node->collected_name, (const char *const *) names->pdata);
      weft_problems_add (self->problems, node->mark, "graph %s collects nothing called \"%s\"%s", other->name, node->collected_name, hint);
      return FALSE;
    }
  if (other->inferred == 1)
    {
      weft_problems_add (self->problems, node->mark, "graphs %s and %s need each other's results", self->graph->name, other->name);
      return FALSE;
    }
  weft_infer_graph (other, self->problems);
  *shape = collect->wire->shape;
  if (!weft_shape_is_known (shape))
    return FALSE;
  if (shape->rank == 0)
    shape->rank = 1;
  WeftSymbol *items = weft_graph_add_symbol (self->graph, "n", 0, node->path);
  if (shape->dims[0].ragged)
    shape->dims[0] =
        (WeftDim){ .size = 1, .symbol = weft_graph_add_symbol (self->graph, "t", 0, node->path), .ragged = TRUE, .samples = items };
  else
    shape->dims[0] = (WeftDim){ .size = 1, .symbol = items };
  /* Symbols belong to one graph. */
  for (guint i = 1; i < shape->rank; i++)
    if (shape->dims[i].symbol)
      shape->dims[i].symbol = weft_graph_add_symbol (self->graph, shape->dims[i].symbol->name, 0, node->path);
  return TRUE;
}

static gboolean
infer_operator (WeftInference *self)
{
  WeftNode *node = self->node;
  gboolean good = TRUE;

  for (guint i = 0; node->op->inputs && node->op->inputs[i].name; i++)
    good &= match_input (self, i);
  if (good && node->op->infer)
    {
      g_autoptr (GError) error = NULL;
      good = node->op->infer (self, &error);
      if (!good)
        weft_problems_add (self->problems, node->mark, "operator %s (node `%s`): %s", node->op->name, node->path,
                           error ? error->message : "?");
    }
  return good && infer_members (self, node->op->parameters, node->parameters, FALSE)
         && infer_members (self, node->op->states, node->states, TRUE) && infer_outputs (self);
}

static void
infer_node (WeftGraph *graph, WeftNode *node, WeftProblems *problems)
{
  WeftInference self = { .graph = graph, .node = node, .problems = problems };
  gboolean good;

  if (node->faulty || (!node->attributes && node->op->attributes_size))
    good = FALSE;
  else
    {
      weft_infer_begin (&self);
      good = node->collected_graph             ? infer_collected (&self)
             : node->op == &weft_feed_operator ? infer_feed (&self)
                                               : infer_operator (&self);
      weft_infer_end (&self);
    }
  if (!good)
    mark_unknown (node);
}

gboolean
weft_infer_graph (WeftGraph *graph, WeftProblems *problems)
{
  guint before = weft_problems_count (problems);

  if (graph->inferred)
    return TRUE;
  graph->inferred = 1;
  gboolean ordered = weft_order_graph (graph, problems);
  for (guint i = 0; i < graph->nodes->len; i++)
    if (ordered)
      infer_node (graph, graph->nodes->pdata[i], problems);
    else
      mark_unknown (graph->nodes->pdata[i]);
  graph->inferred = 2;
  return weft_problems_count (problems) == before;
}

gconstpointer
weft_inference_attributes (const WeftInference *inference)
{
  return inference->node->attributes;
}

guint
weft_inference_input_count (const WeftInference *inference, guint port)
{
  return inference->node->inputs[port].n;
}

gint64
weft_inference_input_size (const WeftInference *inference, guint port, guint which, int dimension)
{
  const WeftShape *shape = &inference->node->inputs[port].wires[which]->shape;
  int at = dimension < 0 ? (int) shape->rank + dimension : dimension;

  if (at < 0 || at >= (int) shape->rank || shape->dims[at].symbol)
    return -1;
  return shape->dims[at].size;
}

static gboolean
bind_or_compare (WeftInference *inference, const char *letter, const WeftDim *dim, GError **error)
{
  const WeftBinding *binding = g_hash_table_lookup (inference->letters, letter);

  if (binding && !weft_dim_equal (&binding->dim, dim))
    {
      g_autofree char *text = weft_infer_print_dim (dim);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s would be %s, but %s says otherwise", letter, text, binding->origin);
      return FALSE;
    }
  if (!binding)
    weft_infer_bind (inference, letter, dim, inference->node->path);
  return TRUE;
}

gboolean
weft_inference_bind (WeftInference *inference, const char *letter, gint64 size, GError **error)
{
  WeftDim dim = { .size = size };

  return bind_or_compare (inference, letter, &dim, error);
}

gboolean
weft_inference_bind_input (WeftInference *inference, const char *letter, guint port, guint which, int dimension, GError **error)
{
  const WeftShape *shape = &inference->node->inputs[port].wires[which]->shape;
  int at = dimension < 0 ? (int) shape->rank + dimension : dimension;

  g_assert (at >= 0 && at < (int) shape->rank);
  return bind_or_compare (inference, letter, &shape->dims[at], error);
}
