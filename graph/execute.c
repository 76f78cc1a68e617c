/* Executing plans: one node after the other, tiles of a node on the team.
 *
 * Plans have room for every size at its bound. What occurs is mostly far below, so that the arena is laid out for the largest sizes seen so
 * far and a little more; when a node says a larger one, everything moves to a larger arena.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "execute.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>

#include "attributes.h"
#include "bind.h"
#include "core.h"
#include "denormals.h"

#define HUGE_PAGE ((gsize) 2 << 20)

typedef struct
{
  gint64 value;
  gint32 *offsets;
  gboolean set;
} Size; /* of a symbol, in this step */

typedef struct
{
  WeftExecutor *executor;
  const WeftNode *node;
  WeftBound bound;
  GArray *produced;   /* wire indices of what it computes */
  GArray *introduced; /* symbol indices whose value it says */
  GPtrArray *changes; /* tensors of the store that it may change */
  gpointer instance;
  char *stream; /* name of its random stream */
  WeftTensor fed;
  gboolean has_fed;
} Step;

struct _WeftExecutor
{
  const WeftPlan *plan;
  WeftPlan *fitted;  /* NULL where the plan is fixed */
  gint64 *room;      /* for each symbol, the largest value for which there is room; NULL where the plan is fixed */
  gboolean *said;    /* for each symbol, whether its value was said before */
  guint *introducer; /* for each symbol, the node that says its value */
  WeftGraph *graph;
  WeftStore *store;
  WeftTeam *team;
  guint64 seed;
  char *arena;
  gsize arena_bytes;
  WeftTensor *tensors;
  Size *sizes;
  Step *steps;
  double *times;
  gboolean watch;
  gboolean exhausted;
  gint64 expected; /* steps of a pass, 0 while unknown */
  GMutex failing;
  GError *failure;
};

static WeftTensor *
lookup_stored (gpointer data, const char *path)
{
  WeftTensor *tensor = weft_store_lookup (data, path);

  g_assert (tensor);
  return tensor;
}

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
  self->sizes = g_new0 (Size, self->graph->symbols->len + 1);
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
note_introduced (WeftExecutor *self, Step *step, const WeftShape *shape, gboolean *known)
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
note_changes (WeftExecutor *self, Step *step)
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

static void
prepare_steps (WeftExecutor *self)
{
  guint n = self->graph->nodes->len;
  g_autofree gboolean *known = g_new0 (gboolean, self->graph->symbols->len + 1);

  self->steps = g_new0 (Step, n + 1);
  self->introducer = g_new0 (guint, self->graph->symbols->len + 1);
  self->times = g_new0 (double, n + 1);
  for (guint i = 0; i < n; i++)
    {
      WeftNode *node = self->graph->nodes->pdata[i];
      Step *step = &self->steps[i];
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
      Step *step = &self->steps[wire->node->index];
      g_array_append_val (step->produced, i);
      note_introduced (self, step, &wire->shape, known);
    }
  if (self->plan->fixed)
    return;
  self->room = g_new0 (gint64, self->graph->symbols->len + 1);
  self->said = g_new0 (gboolean, self->graph->symbols->len + 1);
  for (guint i = 0; i < self->graph->symbols->len; i++)
    self->room[i] = ((WeftSymbol *) self->graph->symbols->pdata[i])->bound;
}

static char *
reserve_arena (const WeftExecutor *self, gsize bytes, GError **error)
{
  char *arena = mmap (NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (arena == MAP_FAILED)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM,
                   "graph %s needs %.1f MiB of memory for one step, which the system refuses; a smaller batch needs less",
                   self->graph->name, (double) bytes / (1 << 20));
      return NULL;
    }
  madvise (arena, bytes, MADV_HUGEPAGE);
  return arena;
}

/* What was computed in this step up to node @running and is still to be read moves along. */
static void
move_values (WeftExecutor *self, const WeftPlan *to, char *arena, guint running)
{
  for (guint i = 0; i < self->graph->wires->len; i++)
    {
      const WeftPlace *place = &to->places[i];
      if (place->bytes && place->first <= running && place->last >= running)
        memcpy (arena + place->offset, self->tensors[i].data, weft_tensor_bytes (&self->tensors[i]));
    }
}

/* Lays the arena out for the present room. @running: the node that has just run, or -1. */
static gboolean
fit_arena (WeftExecutor *self, int running, GError **error)
{
  g_autoptr (WeftPlan) fitted = self->room ? weft_plan_fit (self->plan, self->room, self->introducer) : NULL;
  const WeftPlan *plan = fitted ? fitted : self->plan;
  gsize bytes = (MAX (plan->arena, 1) + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
  char *arena = reserve_arena (self, bytes, error);

  if (!arena)
    return FALSE;
  if (running >= 0)
    move_values (self, plan, arena, (guint) running);
  for (guint i = 0; i < self->graph->wires->len; i++)
    if (plan->places[i].bytes)
      self->tensors[i].data = arena + plan->places[i].offset;
  for (guint i = 0; i < self->graph->nodes->len; i++)
    if (plan->scratch[i].bytes)
      self->steps[i].bound.call.scratch = arena + plan->scratch[i].offset;
  if (self->arena)
    munmap (self->arena, self->arena_bytes);
  g_clear_pointer (&self->fitted, weft_plan_free);
  self->fitted = g_steal_pointer (&fitted);
  self->arena = arena;
  self->arena_bytes = bytes;
  return TRUE;
}

static gboolean
open_node (WeftExecutor *self, Step *step, GString *messages)
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
  if (!fit_arena (self, -1, error))
    return NULL;
  return open_nodes (self, error) ? g_steal_pointer (&self) : NULL;
}

void
weft_executor_free (WeftExecutor *self)
{
  for (guint i = 0; self->steps && i < self->graph->nodes->len; i++)
    {
      Step *step = &self->steps[i];
      if (step->instance && step->node->op->close)
        step->node->op->close (step->instance);
      weft_bound_clear (&step->bound);
      g_array_unref (step->produced);
      g_array_unref (step->introduced);
      g_ptr_array_unref (step->changes);
      g_free (step->stream);
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
check_fed (WeftExecutor *self, Step *step, GError **error)
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
  Step *step;

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

void
weft_fail (const WeftCall *call, const char *format, ...)
{
  Step *step = call->internal;
  WeftExecutor *self = step->executor;
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_mutex_lock (&self->failing);
  if (!self->failure)
    self->failure = g_error_new (WEFT_ERROR, WEFT_ERROR_INPUT, "%s `%s`: %s", step->node->op->name, step->node->path, message);
  g_mutex_unlock (&self->failing);
}

void
weft_exhausted (const WeftCall *call)
{
  ((Step *) call->internal)->executor->exhausted = TRUE;
}

void
weft_expect_steps (const WeftCall *call, gint64 steps)
{
  ((Step *) call->internal)->executor->expected = steps;
}

void
weft_resize (const WeftCall *call, WeftTensor *out, gint64 samples, gint64 rows)
{
  Step *step = call->internal;
  WeftExecutor *self = step->executor;
  const WeftWire *wire = self->graph->wires->pdata[out - self->tensors];
  const WeftDim *dim = &wire->shape.dims[0];

  g_assert (out >= self->tensors && wire->node == step->node && wire->shape.rank);
  if (rows > weft_dim_bound (dim) || (dim->symbol && rows % dim->size))
    {
      weft_fail (call, "produced %" G_GINT64_FORMAT " rows; its bound is %" G_GINT64_FORMAT, rows, weft_dim_bound (dim));
      return;
    }
  if (dim->symbol)
    {
      self->sizes[dim->symbol->index].value = rows / dim->size;
      self->sizes[dim->symbol->index].set = TRUE;
    }
  if (dim->ragged && dim->samples)
    {
      self->sizes[dim->samples->index].value = samples;
      self->sizes[dim->samples->index].set = TRUE;
    }
}

void
weft_parallel (const WeftCall *call, gint64 tiles, void (*tile) (gpointer data, gint64 index, guint member), gpointer data)
{
  weft_team_run (((Step *) call->internal)->executor->team, tiles, tile, data);
}

guint
weft_team_size (const WeftCall *call)
{
  const Step *step = call->internal;

  return step ? weft_team_members (step->executor->team) : weft_team_largest ();
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
look_for_nonfinite (WeftExecutor *self, const Step *step)
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

/* Bytes that would have to move along. */
static gsize
live_bytes (const WeftExecutor *self, guint running)
{
  gsize bytes = 0;

  for (guint i = 0; i < self->graph->wires->len; i++)
    {
      const WeftPlace *place = &self->plan->places[i];
      if (place->bytes && place->first <= running && place->last >= running)
        bytes += weft_tensor_bytes (&self->tensors[i]);
    }
  return bytes;
}

/* Makes room for the sizes that the node has just said, and for an eighth more, so that it is seldom needed again. A size that is said for
 * the first time takes the place of its bound, unless so much has been computed by then that moving it would need more than it saves. */
static gboolean
make_room (WeftExecutor *self, const Step *step)
{
  gboolean changed = FALSE, early = FALSE, asked = FALSE;

  for (guint i = 0; self->room && i < step->introduced->len; i++)
    {
      guint symbol = g_array_index (step->introduced, guint, i);
      gint64 value = self->sizes[symbol].value, room = MIN (value + value / 8, ((WeftSymbol *) self->graph->symbols->pdata[symbol])->bound);
      gboolean first = !self->said[symbol];
      self->said[symbol] = TRUE;
      if (first && !asked)
        {
          early = live_bytes (self, step->node->index) <= self->plan->arena / 16;
          asked = TRUE;
        }
      if (value <= self->room[symbol] && !(first && early && room < self->room[symbol]))
        continue;
      self->room[symbol] = room;
      changed = TRUE;
    }
  return !changed || fit_arena (self, (int) step->node->index, &self->failure);
}

/* Nodes whose sizes follow from data say them; until then they have room up to the bound. */
static gboolean
run_node (WeftExecutor *self, Step *step, guint64 number, guint64 epoch)
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
  if (node->kind == WEFT_NODE_GRADIENT)
    node->op->backward (call);
  else
    node->op->forward (call);
  if (self->failure || self->exhausted)
    return FALSE;
  if (step->introduced->len && !fed)
    for (guint i = 0; i < step->produced->len; i++)
      refresh_tensor (self, self->graph->wires->pdata[g_array_index (step->produced, guint, i)]);
  if (!make_room (self, step))
    return FALSE;
  if (self->watch)
    look_for_nonfinite (self, step);
  return !self->failure;
}

static WeftStepResult
run_nodes (WeftExecutor *self, guint64 number, guint64 epoch)
{
  for (guint i = 0; i < self->graph->nodes->len; i++)
    {
      gint64 start = g_get_monotonic_time ();
      gboolean good = run_node (self, &self->steps[i], number, epoch);
      self->times[i] += (double) (g_get_monotonic_time () - start) * 1e-6;
      if (!good)
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
