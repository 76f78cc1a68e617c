/* Plans to executors: nodes bound to tensors and to the store, operators opened.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <sys/mman.h>

#include "core.h"
#include "execute-private.h"

static WeftTensor *
lookup_stored (gpointer data, const char *path)
{
  WeftTensor *tensor = weft_store_lookup (data, path);

  g_assert (tensor);
  return tensor;
}

static void
prepare_tensors (WeftExecutor *self)
{
  guint n = self->graph->wires->len;

  self->tensors = g_new0 (WeftTensor, n + 1);
  for (guint i = 0; i < n; i++)
    {
      const WeftWire *wire = self->graph->wires->pdata[i];
      const WeftPort *port;
      if (!wire->node || !weft_shape_is_known (&wire->shape))
        continue;
      weft_tensor_at_bound (&wire->shape, &self->tensors[i]);
      port = wire->kind == WEFT_WIRE_OUTPUT ? &wire->node->op->outputs[wire->port] : NULL;
      if (port && port->shows)
        {
          int state = weft_port_index (wire->node->op->states, port->shows);
          g_assert (state >= 0);
          self->tensors[i].data = weft_store_lookup (self->store, wire->node->states[state].path)->data;
        }
    }
}

/* Ragged symbols need room for the offsets of as many samples as there can be. */
static void
prepare_sizes (WeftExecutor *self)
{
  self->sizes = g_new0 (WeftSizeNow, self->graph->symbols->len + 1);
  for (guint i = 0; i < self->graph->symbols->len; i++)
    self->sizes[i].value = ((WeftSymbol *) self->graph->symbols->pdata[i])->bound;
  for (guint i = 0; i < self->graph->wires->len; i++)
    {
      const WeftWire *wire = self->graph->wires->pdata[i];
      const WeftDim *dim = &wire->shape.dims[0];
      if (!wire->node || !weft_shape_is_known (&wire->shape) || !wire->shape.rank || !dim->ragged
          || self->sizes[dim->symbol->index].offsets)
        continue;
      self->sizes[dim->symbol->index].offsets = g_new0 (gint32, (dim->samples ? dim->samples->bound : dim->sample_count) + 1);
    }
}

static void
note_introduced (WeftExecutor *self, WeftExecutedNode *step, const WeftShape *shape, gboolean *known)
{
  for (guint i = 0; i < shape->rank; i++)
    for (int of_samples = 0; of_samples < 2; of_samples++)
      {
        const WeftSymbol *symbol = of_samples ? shape->dims[i].samples : shape->dims[i].symbol;
        if (!symbol || known[symbol->index])
          continue;
        known[symbol->index] = TRUE;
        self->introducer[symbol->index] = step->node->index;
        g_array_append_val (step->introduced, symbol->index);
      }
}

/* States of its own and of others, weights and slots. A set of weights may be changed by whoever is handed it. */
static void
note_changes (WeftExecutor *self, WeftExecutedNode *step)
{
  const WeftNode *node = step->node;

  for (guint i = 0; i < WEFT_MAX_PORTS; i++)
    {
      if (step->bound.call.states[i])
        g_ptr_array_add (step->changes, step->bound.call.states[i]);
      if (step->bound.call.others[i])
        g_ptr_array_add (step->changes, step->bound.call.others[i]);
    }
  for (guint i = 0; i < node->targets->len; i++)
    {
      const WeftTarget *target = &g_array_index (node->targets, WeftTarget, i);
      g_ptr_array_add (step->changes, weft_store_lookup (self->store, target->path));
      for (guint k = 0; k < WEFT_MAX_SLOTS; k++)
        if (target->slots[k])
          g_ptr_array_add (step->changes, weft_store_lookup (self->store, target->slots[k]));
    }
}

static gint64
rows_at_bound (const WeftShape *shape)
{
  gint64 rows = 1;

  for (guint i = 0; i + 1 < shape->rank; i++)
    rows *= weft_dim_bound (&shape->dims[i]);
  return rows;
}

/* Nodes can only follow where all sizes are known before the leader runs. */
static void
prepare_leaders (WeftExecutor *self)
{
  for (guint i = 0; i < self->graph->nodes->len; i++)
    {
      guint leader = self->plan->leaders[i];
      WeftExecutedNode *step = &self->steps[leader];
      if (leader == i || step->introduced->len || self->steps[i].introduced->len || step->leads != i - leader - 1)
        continue;
      if (!step->leads++)
        step->announced = g_new0 (gint64, rows_at_bound (&step->node->outputs[0]->shape) + 1);
    }
}

static void
prepare_steps (WeftExecutor *self)
{
  guint n = self->graph->nodes->len;
  g_autofree gboolean *known = g_new0 (gboolean, self->graph->symbols->len + 1);

  self->steps = g_new0 (WeftExecutedNode, n + 1);
  self->introducer = g_new0 (guint, self->graph->symbols->len + 1);
  self->times = g_new0 (double, n + 1);
  for (guint i = 0; i < n; i++)
    {
      WeftNode *node = self->graph->nodes->pdata[i];
      WeftExecutedNode *step = &self->steps[i];
      step->executor = self;
      step->node = node;
      step->produced = g_array_new (FALSE, FALSE, sizeof (guint));
      step->introduced = g_array_new (FALSE, FALSE, sizeof (guint));
      step->stream = g_strdup_printf ("%s.%s", self->graph->name, weft_node_origin (node)->path);
      weft_bind (&step->bound, node, self->tensors, lookup_stored, self->store);
      step->bound.call.internal = step;
      step->changes = g_ptr_array_new ();
      note_changes (self, step);
    }
  for (guint i = 0; i < self->graph->wires->len; i++)
    {
      const WeftWire *wire = self->graph->wires->pdata[i];
      if (!wire->node || !weft_shape_is_known (&wire->shape))
        continue;
      WeftExecutedNode *step = &self->steps[wire->node->index];
      g_array_append_val (step->produced, i);
      note_introduced (self, step, &wire->shape, known);
    }
  prepare_leaders (self);
  if (self->plan->fixed)
    return;
  self->room = g_new0 (gint64, self->graph->symbols->len + 1);
  self->said = g_new0 (gboolean, self->graph->symbols->len + 1);
  for (guint i = 0; i < self->graph->symbols->len; i++)
    self->room[i] = ((WeftSymbol *) self->graph->symbols->pdata[i])->bound;
}

static gboolean
open_node (WeftExecutor *self, WeftExecutedNode *step, GString *messages)
{
  const WeftNode *node = step->node;
  g_autoptr (GError) error = NULL;
  WeftOpening opening = {
    .size = sizeof opening, .attributes = node->attributes, .mode = node->mode, .seed = self->seed, .path = step->stream
  };

  if (node->kind != WEFT_NODE_FORWARD || !node->op->open)
    return TRUE;
  for (guint i = 0; i < WEFT_MAX_PORTS; i++)
    {
      opening.in[i] = step->bound.call.in[i];
      opening.out[i] = step->bound.call.out[i];
    }
  step->instance = node->op->open (&opening, &error);
  if (!error)
    return TRUE;
  if (messages->len)
    g_string_append_c (messages, '\n');
  if (node->mark.file && node->mark.line)
    g_string_append_printf (messages, "%s:%u:%u: ", node->mark.file, node->mark.line, node->mark.column);
  else if (node->mark.file)
    g_string_append_printf (messages, "%s: ", node->mark.file);
  g_string_append_printf (messages, "%s `%s`: %s", node->op->name, node->path, error->message);
  return FALSE;
}

static gboolean
open_nodes (WeftExecutor *self, GError **error)
{
  g_autoptr (GString) messages = g_string_new (NULL);
  gboolean good = TRUE;

  for (guint i = 0; i < self->graph->nodes->len; i++)
    good &= open_node (self, &self->steps[i], messages);
  for (guint i = 0; i < self->graph->nodes->len; i++)
    {
      const WeftNode *node = self->graph->nodes->pdata[i];
      self->steps[i].bound.call.instance = self->steps[node->of ? node->of->index : i].instance;
    }
  if (!good)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s", messages->str);
  return good;
}

WeftExecutor *
weft_executor_new (const WeftPlan *plan, WeftStore *store, WeftTeam *team, guint64 seed, GError **error)
{
  g_autoptr (WeftExecutor) self = g_new0 (WeftExecutor, 1);

  self->plan = plan;
  self->graph = plan->graph;
  self->store = store;
  self->team = team;
  self->seed = seed;
  g_mutex_init (&self->failing);
  prepare_tensors (self);
  prepare_sizes (self);
  prepare_steps (self);
  if (!weft_executor_fit (self, -1, error))
    return NULL;
  return open_nodes (self, error) ? g_steal_pointer (&self) : NULL;
}

void
weft_executor_free (WeftExecutor *self)
{
  for (guint i = 0; self->steps && i < self->graph->nodes->len; i++)
    {
      WeftExecutedNode *step = &self->steps[i];
      if (step->instance && step->node->op->close)
        step->node->op->close (step->instance);
      weft_bound_clear (&step->bound);
      g_array_unref (step->produced);
      g_array_unref (step->introduced);
      g_ptr_array_unref (step->changes);
      g_free (step->stream);
      g_free (step->announced);
    }
  for (guint i = 0; self->sizes && i < self->graph->symbols->len; i++)
    g_free (self->sizes[i].offsets);
  if (self->arena)
    munmap (self->arena, self->arena_bytes);
  g_clear_error (&self->failure);
  g_mutex_clear (&self->failing);
  g_clear_pointer (&self->fitted, weft_plan_free);
  g_free (self->room);
  g_free (self->said);
  g_free (self->introducer);
  g_free (self->tensors);
  g_free (self->sizes);
  g_free (self->steps);
  g_free (self->times);
  g_free (self);
}
