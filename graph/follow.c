/* Which nodes follow which, part by part.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "follow.h"

static gboolean
runs_forward (const WeftNode *node)
{
  return node->kind != WEFT_NODE_GRADIENT;
}

static const WeftWire *
led_wire (const WeftNode *node)
{
  return runs_forward (node) && node->op->announces_parts ? node->outputs[0] : NULL;
}

static gboolean
computes_shape (const WeftNode *node, const WeftShape *shape)
{
  for (guint port = 0; node->op->outputs[port].name; port++)
    if (!node->outputs[port] || !weft_shape_equal (&node->outputs[port]->shape, shape))
      return FALSE;
  return TRUE;
}

/* Whether all that @node reads has the shape, and some of it is computed by @leader or after it. */
static gboolean
reads_shape (const WeftNode *node, const WeftShape *shape, guint leader)
{
  gboolean led = FALSE;

  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    for (guint i = 0; i < node->inputs[port].n; i++)
      {
        const WeftWire *wire = node->inputs[port].wires ? node->inputs[port].wires[i] : NULL;
        wire = wire ? weft_node_wire (node, (WeftWire *) wire) : NULL;
        if (!wire || !weft_shape_equal (&wire->shape, shape))
          return FALSE;
        led |= wire->node->index >= leader;
      }
  return led;
}

static gboolean
can_follow (const WeftNode *node, const WeftWire *led)
{
  return runs_forward (node) && node->op->forward_part && computes_shape (node, &led->shape)
         && reads_shape (node, &led->shape, led->node->index);
}

guint *
weft_find_leaders (const WeftGraph *graph)
{
  guint *leaders = g_new (guint, graph->nodes->len + 1);
  const WeftWire *led = NULL;

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      if (led && can_follow (node, led))
        leaders[i] = led->node->index;
      else
        {
          leaders[i] = i;
          led = led_wire (node);
        }
    }
  return leaders;
}
