/* Executing plans: one node after the other, tiles of a node on the team.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "execute.h"

#include <math.h>
#include <string.h>

#include "attributes.h"
#include "core.h"
#include "denormals.h"
#include "execute-private.h"

static gint64
size_now (const WeftExecutor *self, const WeftDim *dim)
{
  return dim->symbol ? dim->size * self->sizes[dim->symbol->index].value : dim->size;
}

static void
refresh_tensor (WeftExecutor *self, const WeftWire *wire)
{
  WeftTensor *tensor = &self->tensors[wire->index];
  const WeftDim *first = &wire->shape.dims[0];

  for (guint i = 0; i < wire->shape.rank; i++)
    tensor->shape[i] = size_now (self, &wire->shape.dims[i]);
  if (wire->shape.rank && first->ragged)
    {
      tensor->offsets = self->sizes[first->symbol->index].offsets;
      tensor->samples = first->samples ? self->sizes[first->samples->index].value : first->sample_count;
    }
}

static gboolean
feed_size (WeftExecutor *self, const WeftNode *node, const WeftDim *dim, gint64 actual, GError **error)
{
  gboolean fits = dim->symbol ? actual % dim->size == 0 && actual / dim->size <= dim->symbol->bound : actual == dim->size;

  if (fits && dim->symbol)
    self->sizes[dim->symbol->index].value = actual / dim->size;
  if (!fits)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "feed `%s`: a size is %" G_GINT64_FORMAT ", declared is %s%" G_GINT64_FORMAT,
                 node->path, actual, dim->symbol ? "at most " : "", weft_dim_bound (dim));
  return fits;
}

static gboolean
check_fed (WeftExecutor *self, WeftExecutedNode *step, GError **error)
{
  const WeftShape *shape = &step->node->outputs[0]->shape;
  const WeftTensor *tensor = &step->fed;

  if (tensor->type != shape->type || tensor->rank != shape->rank)
    {
      g_autofree char *declared = weft_shape_print (shape);
      g_autofree char *given = weft_tensor_describe (tensor);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "feed `%s` is declared as %s, but was given %s", step->node->path, declared, given);
      return FALSE;
    }
  for (guint i = 0; i < shape->rank; i++)
    if (!feed_size (self, step->node, &shape->dims[i], tensor->shape[i], error))
      return FALSE;
  if (shape->rank && shape->dims[0].ragged)
    {
      WeftDim samples = { .size = shape->dims[0].samples ? 1 : shape->dims[0].sample_count, .symbol = shape->dims[0].samples };
      if (!tensor->offsets || tensor->offsets[0] != 0 || tensor->offsets[tensor->samples] != tensor->shape[0])
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "feed `%s` is ragged: offsets must run from 0 to the number of rows",
                       step->node->path);
          return FALSE;
        }
      if (!feed_size (self, step->node, &samples, tensor->samples, error))
        return FALSE;
      memcpy (self->sizes[shape->dims[0].symbol->index].offsets, tensor->offsets, (tensor->samples + 1) * sizeof (gint32));
    }
  self->tensors[step->node->outputs[0]->index].data = tensor->data;
  return TRUE;
}

gboolean
weft_executor_feed (WeftExecutor *self, const char *name, const WeftTensor *tensor, GError **error)
{
  WeftNode *node = weft_graph_node (self->graph, name);
  WeftExecutedNode *step;

  if (!node || node->op != &weft_feed_operator)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "graph %s has no feed called \"%s\"", self->graph->name, name);
      return FALSE;
    }
  step = &self->steps[node->index];
  step->fed = *tensor;
  step->has_fed = TRUE;
  return check_fed (self, step, error);
}

static void
update_schedules (const WeftNode *node, guint64 step, guint64 epoch)
{
  for (guint i = 0; node->scheduled && i < node->scheduled->len; i++)
    {
      const WeftScheduled *scheduled = &g_array_index (node->scheduled, WeftScheduled, i);
      weft_attribute_store_number (node->attributes, scheduled->attribute, weft_schedule_value (scheduled->schedule, step, epoch));
    }
}

static gboolean
all_finite (const WeftTensor *tensor)
{
  const float *data = tensor->data;
  gint64 n = weft_tensor_elements (tensor);

  if (tensor->type != WEFT_F32 || !data)
    return TRUE;
  for (gint64 i = 0; i < n; i++)
    if (!isfinite (data[i]))
      return FALSE;
  return TRUE;
}

static void
look_for_nonfinite (WeftExecutor *self, const WeftExecutedNode *step)
{
  for (guint i = 0; i < step->produced->len; i++)
    {
      const WeftWire *wire = self->graph->wires->pdata[g_array_index (step->produced, guint, i)];
      g_autofree char *shape = NULL;
      if (all_finite (&self->tensors[wire->index]))
        continue;
      shape = weft_shape_print (&wire->shape);
      weft_fail (&step->bound.call, "its result %s holds a value that is not finite", shape);
      return;
    }
}

/* Nodes whose sizes follow from data say them; until then they have room up to the bound. */
static gboolean
prepare_node (WeftExecutor *self, WeftExecutedNode *step, guint64 number, guint64 epoch)
{
  const WeftNode *node = step->node;
  WeftCall *call = &step->bound.call;
  gboolean fed = node->op == &weft_feed_operator;

  if (fed && !step->has_fed)
    {
      weft_fail (call, "was given nothing");
      return FALSE;
    }
  for (guint i = 0; !fed && i < step->introduced->len; i++)
    {
      guint symbol = g_array_index (step->introduced, guint, i);
      self->sizes[symbol].value = ((WeftSymbol *) self->graph->symbols->pdata[symbol])->bound;
      self->sizes[symbol].set = FALSE;
    }
  for (guint i = 0; i < step->produced->len; i++)
    refresh_tensor (self, self->graph->wires->pdata[g_array_index (step->produced, guint, i)]);
  if (node->kind == WEFT_NODE_FORWARD)
    update_schedules (node, number, epoch);
  weft_bound_refresh (&step->bound);
  call->random = weft_random_for (self->seed, step->stream, number);
  call->step = number;
  call->epoch = epoch;
  for (guint i = 0; i < step->changes->len; i++)
    weft_store_guard (self->store, step->changes->pdata[i]);
  return TRUE;
}

static gboolean
finish_node (WeftExecutor *self, WeftExecutedNode *step)
{
  gboolean fed = step->node->op == &weft_feed_operator;

  if (step->introduced->len && !fed)
    for (guint i = 0; i < step->produced->len; i++)
      refresh_tensor (self, self->graph->wires->pdata[g_array_index (step->produced, guint, i)]);
  if (!weft_executor_make_room (self, step))
    return FALSE;
  if (self->watch)
    look_for_nonfinite (self, step);
  return !self->failure;
}

/* The time of followers is that of all members together, as if each had an equal part of it. */
static void
note_times (WeftExecutor *self, guint leader, guint followers, gint64 start)
{
  double all = (double) (g_get_monotonic_time () - start) * 1e-6;

  for (guint i = leader + 1; i <= leader + followers; i++)
    {
      double own = (double) self->steps[i].microseconds * 1e-6 / weft_team_members (self->team);
      self->times[i] += own;
      all -= own;
    }
  self->times[leader] += all;
}

/* Runs a node and those that follow it part by part. */
static gboolean
run_led (WeftExecutor *self, guint leader, guint followers, guint64 number, guint64 epoch)
{
  gint64 start = g_get_monotonic_time ();
  WeftExecutedNode *step = &self->steps[leader];

  for (guint i = 0; i <= followers; i++)
    if (!prepare_node (self, &step[i], number, epoch))
      return FALSE;
  if (step->leads)
    weft_executor_lead (step, followers);
  if (step->node->kind == WEFT_NODE_GRADIENT)
    step->node->op->backward (&step->bound.call);
  else
    step->node->op->forward (&step->bound.call);
  if (self->failure || self->exhausted)
    return FALSE;
  for (guint i = 0; i <= followers; i++)
    if (!finish_node (self, &step[i]))
      return FALSE;
  note_times (self, leader, followers, start);
  return TRUE;
}

static WeftStepResult
run_nodes (WeftExecutor *self, guint64 number, guint64 epoch)
{
  guint followers;

  for (guint i = 0; i < self->graph->nodes->len; i += 1 + followers)
    {
      followers = self->watch ? 0 : self->steps[i].leads;
      if (!run_led (self, i, followers, number, epoch))
        return self->failure ? WEFT_STEP_ERROR : WEFT_STEP_EXHAUSTED;
    }
  return WEFT_STEP_DONE;
}

WeftStepResult
weft_executor_step (WeftExecutor *self, guint64 number, guint64 epoch, GError **error)
{
  guint before = weft_denormals_flush ();
  WeftStepResult result;

  self->exhausted = FALSE;
  g_clear_error (&self->failure);
  result = run_nodes (self, number, epoch);
  weft_denormals_restore (before);
  if (result == WEFT_STEP_ERROR)
    g_propagate_error (error, g_steal_pointer (&self->failure));
  return result;
}

/* The states of a source are its position. */
void
weft_executor_rewind (WeftExecutor *self)
{
  for (guint i = 0; i < self->graph->nodes->len; i++)
    for (guint k = 0; self->steps[i].node->op->is_source && k < WEFT_MAX_PORTS; k++)
      {
        WeftTensor *state = self->steps[i].bound.call.states[k];
        if (!state)
          continue;
        weft_store_guard (self->store, state);
        memset (state->data, 0, weft_tensor_bytes (state));
      }
}

const WeftTensor *
weft_executor_value (WeftExecutor *self, const WeftWire *wire)
{
  return &self->tensors[wire->index];
}

void
weft_executor_watch (WeftExecutor *self, gboolean watch)
{
  self->watch = watch;
}

const double *
weft_executor_times (const WeftExecutor *self)
{
  return self->times;
}

gint64
weft_executor_expected (const WeftExecutor *self)
{
  return self->expected;
}
