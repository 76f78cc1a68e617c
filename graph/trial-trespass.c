/* Trying operators: what was written where nothing may be.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "core.h"
#include "trial-private.h"

/* Bytes of a wire that belong to it; the rest of its place is guard. */
gsize
weft_trial_own_bytes (const WeftTrialRig *rig, guint wire)
{
  return weft_shape_bound_bytes (&((const WeftWire *) rig->graph->wires->pdata[wire])->shape);
}

static const char *
first_changed (const WeftTrialRig *rig, const char *from, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if ((guint8) from[i] != rig->guard)
      return from + i;
  return NULL;
}

static char *
describe_wire (const WeftWire *wire)
{
  const WeftOperator *op = wire->node->op;
  const WeftNode *node = wire->node->of ? wire->node->of : wire->node;
  const char *kinds[] = { "output", "saved value", "gradient by input", "gradient by parameter" };
  const WeftPort *ports = wire->kind == WEFT_WIRE_OUTPUT           ? op->outputs
                          : wire->kind == WEFT_WIRE_SAVED          ? op->saved
                          : wire->kind == WEFT_WIRE_INPUT_GRADIENT ? op->inputs
                                                                   : op->parameters;

  return g_strdup_printf ("%s %s of %s `%s`", kinds[wire->kind], ports[wire->port].name, op->name, node->path);
}

static char *
trespass_of_wires (const WeftTrialRig *rig)
{
  for (guint i = 0; i < rig->graph->wires->len; i++)
    {
      const WeftPlace *place = &rig->plan->places[i];
      gsize own = place->bytes ? weft_trial_own_bytes (rig, i) : 0;
      const char *start = rig->arena + place->offset;
      const char *after, *before;
      if (!place->bytes)
        continue;
      after = first_changed (rig, start + own, place->bytes - own + WEFT_TRIAL_GUARD / 2);
      before = first_changed (rig, start - WEFT_TRIAL_GUARD / 2, WEFT_TRIAL_GUARD / 2);
      if (!after && !before)
        continue;
      g_autofree char *name = describe_wire (rig->graph->wires->pdata[i]);
      g_autofree char *shape = weft_shape_print (&((const WeftWire *) rig->graph->wires->pdata[i])->shape);
      if (after)
        return g_strdup_printf ("something was written %d bytes past the end of the %s, %s (%" G_GSIZE_FORMAT " bytes)",
                                (int) (after - start - (gssize) own), name, shape, own);
      return g_strdup_printf ("something was written %d bytes before the start of the %s, %s", (int) (start - before), name, shape);
    }
  return NULL;
}

static char *
trespass_of_scratch (const WeftTrialRig *rig)
{
  for (guint i = 0; i < rig->graph->nodes->len; i++)
    {
      const WeftPlace *place = &rig->plan->scratch[i];
      const WeftNode *node = rig->graph->nodes->pdata[i];
      const char *end = rig->arena + place->offset + place->asked;
      const char *after = place->bytes ? first_changed (rig, end, place->bytes - place->asked + WEFT_TRIAL_GUARD / 2) : NULL;
      if (after)
        return g_strdup_printf ("something was written %d bytes past the end of the scratch of %s `%s` (%" G_GSIZE_FORMAT " bytes)",
                                (int) (after - end), node->op->name, node->path, place->asked);
    }
  return NULL;
}

static char *
changed_feeds (const WeftTrialRig *rig)
{
  for (guint i = 0; i < rig->tensors->len; i++)
    {
      const WeftTensor *tensor = rig->tensors->pdata[i];
      if (memcmp (tensor->data, rig->copies->pdata[i], weft_tensor_bytes (tensor)) != 0)
        return g_strdup_printf ("the value of `%s` was changed: inputs may only be read",
                                ((const WeftNode *) rig->graph->feeds->pdata[i])->path);
    }
  return NULL;
}

/* Parameters belong to optimizers. */
static char *
changed_parameters (const WeftTrialRig *rig)
{
  g_autoptr (WeftStore) fresh = rig->changes_weights ? NULL : weft_store_new ();

  if (!fresh || !weft_store_prepare (fresh, rig->pipeline, WEFT_TRIAL_SEED, NULL))
    return NULL;
  for (guint i = 0; i < rig->pipeline->variables->len; i++)
    {
      const WeftVariable *variable = rig->pipeline->variables->pdata[i];
      const WeftTensor *before = weft_store_lookup (fresh, variable->path), *after = weft_store_lookup (rig->store, variable->path);
      if (!variable->statistic && memcmp (before->data, after->data, weft_tensor_bytes (before)) != 0)
        return g_strdup_printf ("the parameter `%s` was changed: only an optimizer may do that", variable->path);
    }
  return NULL;
}

/* What flows back into an operator is, by the objective, the weights of its sum. */
static char *
changed_gradients (const WeftTrialRig *rig)
{
  for (guint i = 0; i < rig->graph->nodes->len; i++)
    {
      const WeftNode *node = rig->graph->nodes->pdata[i], *sum = node->of;
      const WeftWire *flow = sum && node->in_gradients[0] ? node->in_gradients[0][0] : NULL, *weights;
      if (!flow || !flow->kept || !g_str_has_prefix (sum->path, "trial_") || sum->inputs[1].n != 1)
        continue;
      weights = sum->inputs[1].wires[0];
      const WeftTensor *a = weft_executor_value (rig->executor, flow), *b = weft_executor_value (rig->executor, weights);
      if (memcmp (a->data, b->data, weft_tensor_bytes (a)) != 0)
        return g_strdup_printf ("the gradient by output %s was changed by backward: it may only be read", sum->path + strlen ("trial_"));
    }
  return NULL;
}

char *
weft_trial_rig_trespass (const WeftTrialRig *rig)
{
  char *message = changed_feeds (rig);

  if (!message)
    message = changed_parameters (rig);
  if (!message)
    message = changed_gradients (rig);

  if (!message && rig->arena)
    message = trespass_of_wires (rig);
  if (!message && rig->arena)
    message = trespass_of_scratch (rig);
  return message;
}
