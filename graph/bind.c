/* Nodes to calls.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "bind.h"

void
weft_tensor_at_bound (const WeftShape *shape, WeftTensor *tensor)
{
  tensor->type = shape->type;
  tensor->rank = shape->rank;
  for (guint i = 0; i < shape->rank; i++)
    tensor->shape[i] = weft_dim_bound (&shape->dims[i]);
  if (shape->rank && shape->dims[0].ragged)
    tensor->samples = shape->dims[0].samples ? shape->dims[0].samples->bound : shape->dims[0].sample_count;
}

static const WeftNode *
forward_of (const WeftNode *node)
{
  return node->of ? node->of : node;
}

static gboolean
is_backward (const WeftBound *bound)
{
  return bound->node->of != NULL;
}

static void
bind_inputs (WeftBound *bound)
{
  const WeftNode *node = forward_of (bound->node);

  for (guint port = 0; node->op->inputs && node->op->inputs[port].name; port++)
    {
      const WeftPort *declared = &node->op->inputs[port];
      const WeftInput *input = &node->inputs[port];
      gboolean sizes_only = is_backward (bound) && !(declared->flags & WEFT_PORT_READ);
      bound->call.in_count[port] = input->n;
      if (!input->n || !input->wires[0])
        continue;
      if (sizes_only || (declared->flags & WEFT_PORT_VARIADIC))
        bound->call.in[port] = bound->in_copies[port] = g_new0 (WeftTensor, input->n);
      else
        bound->call.in[port] = &bound->tensors[weft_node_wire (bound->node, input->wires[0])->index];
    }
}

static void
bind_outputs (WeftBound *bound)
{
  const WeftNode *node = forward_of (bound->node);

  if (is_backward (bound))
    bound->out_copies = g_new0 (WeftTensor, WEFT_MAX_PORTS);
  for (guint port = 0; node->op->outputs[port].name; port++)
    {
      const WeftPort *declared = &node->op->outputs[port];
      WeftWire *wire = node->outputs[port];
      if (!wire || !weft_shape_is_known (&wire->shape) || (!wire->read && (declared->flags & WEFT_PORT_OPTIONAL)))
        continue;
      bound->call.out[port] =
          is_backward (bound) && !(declared->flags & WEFT_PORT_READ) ? &bound->out_copies[port] : &bound->tensors[wire->index];
    }
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    if (node->saved[port])
      bound->call.saved[port] = &bound->tensors[node->saved[port]->index];
}

static void
bind_gradients (WeftBound *bound)
{
  const WeftNode *node = bound->node, *of = node->of;

  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    {
      if (node->out_gradients[port])
        bound->call.out_gradient[port] = &bound->tensors[node->out_gradients[port]->index];
      if (node->parameter_gradients[port])
        bound->call.parameter_gradient[port] = &bound->tensors[node->parameter_gradients[port]->index];
    }
  for (guint port = 0; of->op->inputs && of->op->inputs[port].name; port++)
    {
      gboolean any = FALSE;
      for (guint k = 0; k < of->inputs[port].n; k++)
        any |= node->in_gradients[port] && node->in_gradients[port][k];
      if (!any)
        continue;
      if (of->op->inputs[port].flags & WEFT_PORT_VARIADIC)
        bound->call.in_gradient[port] = bound->in_gradient_copies[port] = g_new0 (WeftTensor, of->inputs[port].n);
      else
        bound->call.in_gradient[port] = &bound->tensors[node->in_gradients[port][0]->index];
    }
}

static void
bind_members (WeftBound *bound, WeftTensor *(*lookup) (gpointer data, const char *path), gpointer data)
{
  const WeftNode *node = forward_of (bound->node);

  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    {
      const WeftNode *other = node->inputs[port].state_of;
      if (node->parameters[port].path)
        bound->call.parameters[port] = lookup (data, node->parameters[port].path);
      if (node->states[port].path)
        bound->call.states[port] = lookup (data, node->states[port].path);
      for (guint i = 0; other && i < WEFT_MAX_PORTS; i++)
        if (other->states[i].path)
          bound->call.others[i] = lookup (data, other->states[i].path);
    }
}

static void
bind_weights (WeftBound *bound, WeftTensor *(*lookup) (gpointer data, const char *path), gpointer data)
{
  const GArray *targets = bound->node->targets;

  bound->weights = g_new0 (WeftWeight, targets->len + 1);
  for (guint i = 0; i < targets->len; i++)
    {
      const WeftTarget *target = &g_array_index (targets, WeftTarget, i);
      WeftWeight *weight = &bound->weights[i];
      weight->path = target->path;
      weight->statistic = target->statistic;
      weight->value = *lookup (data, target->path);
      if (target->gradient)
        weight->gradient = bound->tensors[target->gradient->index];
      for (guint k = 0; k < WEFT_MAX_SLOTS; k++)
        if (target->slots[k])
          weight->slots[k] = *lookup (data, target->slots[k]);
    }
  bound->call.weights = bound->weights;
  bound->call.n_weights = targets->len;
}

void
weft_bind (WeftBound *bound, const WeftNode *node, WeftTensor *tensors, WeftTensor *(*lookup) (gpointer data, const char *path),
           gpointer data)
{
  *bound = (WeftBound){ .node = node, .tensors = tensors };
  bound->call.size = sizeof (WeftCall);
  bound->call.attributes = forward_of (node)->attributes;
  bound->call.mode = node->mode;
  bound->call.compute = node->compute;
  bind_inputs (bound);
  bind_outputs (bound);
  if (is_backward (bound))
    bind_gradients (bound);
  bind_members (bound, lookup, data);
  bind_weights (bound, lookup, data);
  weft_bound_refresh (bound);
}

void
weft_bound_refresh (WeftBound *bound)
{
  const WeftNode *node = forward_of (bound->node);

  for (guint port = 0; node->op->inputs && node->op->inputs[port].name; port++)
    {
      gboolean sizes_only = is_backward (bound) && !(node->op->inputs[port].flags & WEFT_PORT_READ);
      for (guint k = 0; bound->in_copies[port] && k < node->inputs[port].n; k++)
        {
          WeftWire *wire = node->inputs[port].wires[k];
          bound->in_copies[port][k] = bound->tensors[sizes_only ? wire->index : weft_node_wire (bound->node, wire)->index];
          if (sizes_only)
            bound->in_copies[port][k].data = NULL;
        }
      for (guint k = 0; bound->in_gradient_copies[port] && k < node->inputs[port].n; k++)
        if (bound->node->in_gradients[port][k])
          bound->in_gradient_copies[port][k] = bound->tensors[bound->node->in_gradients[port][k]->index];
        else
          bound->in_gradient_copies[port][k].data = NULL;
    }
  for (guint port = 0; bound->out_copies && node->op->outputs[port].name; port++)
    if (bound->call.out[port] == &bound->out_copies[port])
      {
        bound->out_copies[port] = bound->tensors[node->outputs[port]->index];
        bound->out_copies[port].data = NULL;
      }
  for (guint i = 0; bound->weights && i < bound->node->targets->len; i++)
    {
      const WeftTarget *target = &g_array_index (bound->node->targets, WeftTarget, i);
      if (target->gradient)
        bound->weights[i].gradient = bound->tensors[target->gradient->index];
    }
}

void
weft_bound_clear (WeftBound *bound)
{
  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    {
      g_free (bound->in_copies[port]);
      g_free (bound->in_gradient_copies[port]);
    }
  g_free (bound->out_copies);
  g_free (bound->weights);
}
