/* What lives in the store: parameters, statistics and states of all nodes of all graphs, and slots beside them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "attributes.h"
#include "stages.h"

typedef struct
{
  WeftPipeline *pipeline;
  WeftProblems *problems;
  GHashTable *by_path; /* WeftVariable */
} Gathering;

static void
gather (Gathering *self, const char *path, const WeftShape *shape, const char *initial, gboolean statistic, const char *copy_of,
        const WeftNode *node)
{
  WeftVariable *variable = g_hash_table_lookup (self->by_path, path);

  if (variable)
    {
      if (!weft_shape_equal (&variable->shape, shape))
        {
          g_autofree char *was = weft_shape_print (&variable->shape);
          g_autofree char *is = weft_shape_print (shape);
          weft_problems_add (self->problems, node->mark, "%s is %s in one graph and %s in another", path, was, is);
        }
      return;
    }
  variable = g_new0 (WeftVariable, 1);
  variable->path = g_strdup (path);
  variable->shape = *shape;
  variable->initial = g_strdup (initial ? initial : "zeros");
  variable->statistic = statistic;
  variable->copy_of = g_strdup (copy_of);
  g_ptr_array_add (self->pipeline->variables, variable);
  g_hash_table_insert (self->by_path, variable->path, variable);
}

static void
gather_members (Gathering *self, const WeftNode *node)
{
  for (guint i = 0; i < WEFT_MAX_PORTS; i++)
    if (node->parameters[i].path)
      gather (self, node->parameters[i].path, &node->parameters[i].shape, node->parameters[i].initial, FALSE, NULL, node);
  for (guint i = 0; i < WEFT_MAX_PORTS; i++)
    if (node->states[i].path)
      gather (self, node->states[i].path, &node->states[i].shape, node->states[i].initial, TRUE, NULL, node);
}

/* Weights inputs take all members of their networks, in the order in which the pipeline first uses them. */
static void
find_weights (Gathering *self, WeftNode *node, const WeftInput *input)
{
  for (guint k = 0; k < input->n; k++)
    {
      g_autofree char *prefix = g_strconcat (input->weights[k], ".", NULL);
      guint before = node->targets->len;
      for (guint i = 0; i < self->pipeline->variables->len; i++)
        {
          const WeftVariable *variable = self->pipeline->variables->pdata[i];
          WeftTarget target = { 0 };
          if (!g_str_has_prefix (variable->path, prefix))
            continue;
          target.path = g_strdup (variable->path);
          target.shape = variable->shape;
          target.statistic = variable->statistic;
          g_array_append_val (node->targets, target);
        }
      if (node->targets->len == before)
        weft_problems_add (self->problems, node->mark, "`%s`: network %s has no weights of its own in use", node->path, input->weights[k]);
    }
}

static gboolean
slot_exists (const WeftNode *node, const WeftSlot *slot, const WeftTarget *target)
{
  const WeftAttribute *attribute = slot->when ? weft_operator_attribute (node->op, slot->when) : NULL;
  gconstpointer field = attribute ? (const char *) node->attributes + attribute->offset : NULL;

  if (attribute && attribute->kind == WEFT_ATTRIBUTE_BOOLEAN && !*(const gboolean *) field)
    return FALSE;
  if (attribute && attribute->kind == WEFT_ATTRIBUTE_INTEGER && *(const gint64 *) field <= 1)
    return FALSE;
  return slot->statistics || !target->statistic;
}

static void
gather_slots (Gathering *self, WeftNode *node)
{
  const WeftSlot *slots = node->op->slots;

  for (guint i = 0; slots && slots[i].name; i++)
    for (guint k = 0; k < node->targets->len; k++)
      {
        WeftTarget *target = &g_array_index (node->targets, WeftTarget, k);
        if (!slot_exists (node, &slots[i], target))
          continue;
        target->slots[i] = g_strconcat (node->store_path, ".", slots[i].name, ".", target->path, NULL);
        gather (self, target->slots[i], &target->shape, "zeros", target->statistic, slots[i].copy ? target->path : NULL, node);
      }
}

static void
for_each_node (Gathering *self, void (*visit) (Gathering *self, WeftNode *node))
{
  for (guint g = 0; g < self->pipeline->graphs->len; g++)
    {
      WeftGraph *graph = self->pipeline->graphs->pdata[g];
      for (guint i = 0; i < graph->nodes->len; i++)
        if (((WeftNode *) graph->nodes->pdata[i])->kind == WEFT_NODE_FORWARD)
          visit (self, graph->nodes->pdata[i]);
    }
}

static void
visit_own (Gathering *self, WeftNode *node)
{
  if (!node->borrowed)
    gather_members (self, node);
}

static void
visit_slots (Gathering *self, WeftNode *node)
{
  for (guint port = 0; node->op->inputs && node->op->inputs[port].name; port++)
    if (node->op->inputs[port].flags & WEFT_PORT_WEIGHTS)
      find_weights (self, node, &node->inputs[port]);
  gather_slots (self, node);
}

static void
visit_borrowed (Gathering *self, WeftNode *node)
{
  if (node->borrowed)
    gather_members (self, node);
}

gboolean
weft_gather_variables (WeftPipeline *pipeline, WeftProblems *problems)
{
  Gathering self = { pipeline, problems, g_hash_table_new (g_str_hash, g_str_equal) };
  guint before = weft_problems_count (problems);

  for_each_node (&self, visit_own);
  for_each_node (&self, visit_slots);
  for_each_node (&self, visit_borrowed);
  g_hash_table_unref (self.by_path);
  return weft_problems_count (problems) == before;
}
