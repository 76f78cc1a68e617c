/* A small pipeline made of an example, fed with numbers, run step by step, its memory guarded.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "core.h"
#include "pipeline.h"
#include "registry.h"
#include "trial-private.h"

static char *
indent (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text ? text : "", "\n", -1);
  GString *out = g_string_new (NULL);

  for (guint i = 0; lines[i]; i++)
    if (*lines[i])
      g_string_append_printf (out, "      %s\n", lines[i]);
  return g_string_free (out, FALSE);
}

/* `net` stands for any network in examples. */
WeftPipeline *
weft_trial_build (const char *nodes, const WeftTrialSetup *setup, GError **error)
{
  static const WeftTrialSetup plain;
  const WeftTrialSetup *with = setup ? setup : &plain;
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autofree char *first = indent (nodes), *rest = indent (with->more);
  g_autofree char *edits = with->frozen ? g_strdup_printf ("edits: [{freeze: trial.%s}]\n", with->frozen) : NULL;
  g_autofree char *net = weft_registry_find ("linear") && weft_registry_find ("batch_norm")
                             ? g_strdup ("      map:  {op: linear, x: x, units: 3}\n      norm: {op: batch_norm, x: map}\n")
                             : NULL;
  g_autofree char *text = g_strdup_printf ("pipeline: trial\n"
                                           "%s%s%s%s"
                                           "graphs:\n"
                                           "  trial:\n"
                                           "    mode: %s\n"
                                           "    nodes:\n%s%s",
                                           net ? "modules:\n  affine:\n    inputs: {x: \"f32[n, d]\"}\n    nodes:\n" : "", net ? net : "",
                                           net ? "    outputs: {y: norm}\nnetworks: {net: {module: affine}}\n" : "", edits ? edits : "",
                                           with->inferring ? "infer" : "train", first, rest);
  g_autoptr (WeftValue) document = weft_document_parse (text, -1, "example", problems);
  g_autoptr (WeftPipeline) pipeline = document ? weft_pipeline_build (document, problems) : NULL;

  return weft_problems_to_error (problems, error) ? g_steal_pointer (&pipeline) : NULL;
}

static gboolean
is_below (const char *path, const char *node)
{
  gsize n = strlen (node);

  return strncmp (path, node, n) == 0 && (path[n] == '\0' || path[n] == '.');
}

static gboolean
has_reader (const WeftGraph *graph, const WeftWire *wire)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    for (guint port = 0; port < WEFT_MAX_PORTS; port++)
      {
        const WeftInput *input = &((const WeftNode *) graph->nodes->pdata[i])->inputs[port];
        for (guint k = 0; k < input->n && input->wires; k++)
          if (input->wires[k] == wire)
            return TRUE;
      }
  return FALSE;
}

/* Values that somebody may look at after a step. Optional outputs of sources may need files that are not there. */
static void
keep_values (WeftTrialRig *rig, const char *node, const WeftTrialSetup *setup)
{
  for (guint i = 0; i < rig->graph->wires->len; i++)
    {
      WeftWire *wire = rig->graph->wires->pdata[i];
      const WeftPort *port;
      if (!wire->node || !weft_shape_is_known (&wire->shape) || wire->kind == WEFT_WIRE_SAVED)
        continue;
      if (!setup->keep_all && (wire->kind != WEFT_WIRE_OUTPUT || !is_below (wire->node->path, node)))
        continue;
      port = wire->kind == WEFT_WIRE_OUTPUT ? &wire->node->op->outputs[wire->port] : NULL;
      if (port && setup->unread && port->flags & WEFT_PORT_OPTIONAL && !has_reader (rig->graph, wire))
        wire->read = wire->kept = FALSE;
      else if (port && !((setup->unread || wire->node->op->is_source) && port->flags & WEFT_PORT_OPTIONAL))
        wire->read = TRUE;
      wire->kept |= wire->read;
    }
  for (guint i = 0; i < rig->graph->feeds->len; i++)
    {
      const WeftNode *feed = rig->graph->feeds->pdata[i];
      if (feed->out_gradients[0])
        feed->out_gradients[0]->read = feed->out_gradients[0]->kept = TRUE;
    }
}

/* Every value in a place of its own, nothing in place, a guard before and after. */
static void
guard_places (WeftPlan *plan)
{
  gsize offset = WEFT_TRIAL_GUARD;

  for (guint i = 0; i < plan->graph->wires->len + plan->graph->nodes->len; i++)
    {
      gboolean scratch = i >= plan->graph->wires->len;
      WeftPlace *place = scratch ? &plan->scratch[i - plan->graph->wires->len] : &plan->places[i];
      if (!place->bytes)
        continue;
      place->offset = offset;
      place->shares = -1;
      offset += place->bytes + WEFT_TRIAL_GUARD;
    }
  plan->arena = offset;
}

static void
find_arena (WeftTrialRig *rig)
{
  for (guint i = 0; i < rig->graph->wires->len && !rig->arena; i++)
    if (rig->plan->places[i].bytes)
      rig->arena = (char *) weft_executor_value (rig->executor, rig->graph->wires->pdata[i])->data - rig->plan->places[i].offset;
}

static void
fill_arena (WeftTrialRig *rig)
{
  if (!rig->guarded || !rig->arena)
    return;
  memset (rig->arena, rig->guard, rig->plan->arena);
  for (guint i = 0; i < rig->graph->wires->len; i++)
    if (rig->plan->places[i].bytes)
      memset (rig->arena + rig->plan->places[i].offset, rig->fill, weft_trial_own_bytes (rig, i));
  for (guint i = 0; i < rig->graph->nodes->len; i++)
    if (rig->plan->scratch[i].bytes)
      memset (rig->arena + rig->plan->scratch[i].offset, rig->fill, rig->plan->scratch[i].asked);
}

/* Splits rows over samples unevenly; some samples are empty if there are few rows. */
static void
split_rows (WeftTensor *tensor)
{
  gint64 rows = tensor->shape[0], row = 0;

  tensor->offsets = g_new0 (gint32, tensor->samples + 1);
  for (gint64 i = 0; i < tensor->samples; i++)
    {
      gint64 n = i + 1 == tensor->samples ? rows - row : MIN (rows - row, 1 + rows * (i % 2 + 1) / (2 * tensor->samples));
      row += n;
      tensor->offsets[i + 1] = (gint32) row;
    }
}

static void
fill_random (WeftTensor *tensor, const WeftShape *shape, const char *name, guint8 tail)
{
  WeftRandom random = weft_random_for (1, name, 0);
  gint64 n = weft_tensor_elements (tensor);

  tensor->data = g_malloc0 (weft_tensor_bytes (tensor) + WEFT_TRIAL_TAIL);
  memset ((char *) tensor->data + weft_tensor_bytes (tensor), tail, WEFT_TRIAL_TAIL);
  for (gint64 i = 0; i < n; i++)
    if (shape->type == WEFT_F32)
      ((float *) tensor->data)[i] = 2 * weft_random_uniform (random, (guint32) i) - 1;
    else if (shape->type == WEFT_F64)
      ((double *) tensor->data)[i] = 2 * (double) weft_random_uniform (random, (guint32) i) - 1;
    else if (shape->type == WEFT_I32)
      ((gint32 *) tensor->data)[i] = (gint32) weft_random_below (random, (guint32) i, shape->below ? (guint32) shape->below : 4);
    else if (shape->type == WEFT_I64)
      ((gint64 *) tensor->data)[i] = weft_random_below (random, (guint32) i, shape->below ? (guint32) shape->below : 4);
    else if (shape->type == WEFT_U8)
      ((guint8 *) tensor->data)[i] = (guint8) ('a' + weft_random_below (random, (guint32) i, 26));
}

static gint64
size_of (gint64 factor, const WeftSymbol *symbol, WeftTrialSize size)
{
  if (!symbol)
    return factor;
  return factor * (size == WEFT_TRIAL_FULL ? symbol->bound : size == WEFT_TRIAL_ONE ? 1 : 0);
}

static gboolean
feed_all (WeftTrialRig *rig, WeftTrialSize size, GError **error)
{
  for (guint i = 0; i < rig->graph->feeds->len; i++)
    {
      WeftNode *node = rig->graph->feeds->pdata[i];
      const WeftShape *shape = &node->outputs[0]->shape;
      WeftTensor *tensor = g_new0 (WeftTensor, 1);
      g_ptr_array_add (rig->tensors, tensor);
      tensor->type = shape->type;
      tensor->rank = shape->rank;
      for (guint k = 0; k < shape->rank; k++)
        tensor->shape[k] = size_of (shape->dims[k].size, shape->dims[k].symbol, size);
      if (shape->rank && shape->dims[0].ragged)
        {
          tensor->samples = size_of (shape->dims[0].samples ? 1 : shape->dims[0].sample_count, shape->dims[0].samples, size);
          if (!tensor->samples)
            tensor->shape[0] = 0;
          split_rows (tensor);
        }
      fill_random (tensor, shape, node->path, rig->guard);
      g_ptr_array_add (rig->copies, g_memdup2 (tensor->data, weft_tensor_bytes (tensor) + 1));
      if (!weft_executor_feed (rig->executor, node->path, tensor, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
weft_trial_rig_open (WeftTrialRig *rig, const WeftTrialCase *self, const WeftOperator *op, const WeftTrialSetup *setup, GError **error)
{
  g_autofree char *node = weft_trial_node (self->nodes, op);

  *rig = (WeftTrialRig){ .guarded = setup->guarded, .fill = setup->fill, .guard = WEFT_TRIAL_GUARD_BYTE (setup->fill) };
  rig->changes_weights = op->effect || strstr (self->nodes, "minimize:");
  rig->tensors = g_ptr_array_new ();
  rig->copies = g_ptr_array_new_with_free_func (g_free);
  if (!node)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "the %s has no node of operator %s", self->name, op->name);
      return FALSE;
    }
  rig->pipeline = weft_trial_build (self->nodes, setup, error);
  if (!rig->pipeline)
    return FALSE;
  rig->graph = rig->pipeline->graphs->pdata[0];
  keep_values (rig, node, setup);
  rig->plan = weft_plan_new (rig->graph, error);
  if (!rig->plan)
    return FALSE;
  rig->plan->fixed = TRUE;
  if (rig->guarded)
    guard_places (rig->plan);
  rig->store = weft_store_new ();
  if (!weft_store_prepare (rig->store, rig->pipeline, WEFT_TRIAL_SEED, error))
    return FALSE;
  rig->team = setup->dealt ? weft_team_new_dealt (setup->threads) : weft_team_new (setup->threads, error);
  rig->executor = rig->team ? weft_executor_new (rig->plan, rig->store, rig->team, WEFT_TRIAL_SEED, error) : NULL;
  if (!rig->executor)
    return FALSE;
  find_arena (rig);
  fill_arena (rig);
  weft_executor_rewind (rig->executor);
  return feed_all (rig, self->size, error);
}

void
weft_trial_rig_close (WeftTrialRig *rig)
{
  for (guint i = 0; rig->tensors && i < rig->tensors->len; i++)
    {
      WeftTensor *tensor = rig->tensors->pdata[i];
      g_free (tensor->data);
      g_free (tensor->offsets);
      g_free (tensor);
    }
  g_clear_pointer (&rig->tensors, g_ptr_array_unref);
  g_clear_pointer (&rig->copies, g_ptr_array_unref);
  g_clear_pointer (&rig->executor, weft_executor_free);
  g_clear_pointer (&rig->team, weft_team_free);
  g_clear_pointer (&rig->store, weft_store_free);
  g_clear_pointer (&rig->plan, weft_plan_free);
  g_clear_pointer (&rig->pipeline, weft_pipeline_free);
}

gboolean
weft_trial_rig_step (WeftTrialRig *rig, guint64 step, GError **error)
{
  WeftStepResult result = weft_executor_step (rig->executor, step, 0, error);

  if (result == WEFT_STEP_EXHAUSTED)
    {
      weft_executor_rewind (rig->executor);
      result = weft_executor_step (rig->executor, step, 1, error);
      if (result == WEFT_STEP_EXHAUSTED)
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "the source has no items");
    }
  return result == WEFT_STEP_DONE;
}
