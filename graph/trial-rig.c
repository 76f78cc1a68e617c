/* A small pipeline made of an example, fed with numbers, run step by step, its memory guarded.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "core.h"
#include "registry.h"
#include "trial-private.h"

/* Bytes before and after each value, and what they hold. */
#define GUARD 1024
#define GUARD_BYTE 0xa5

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
weft_trial_build (const char *nodes, const char *more, GError **error)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autofree char *first = indent (nodes), *rest = indent (more);
  g_autofree char *net = weft_registry_find ("linear") && weft_registry_find ("batch_norm")
                             ? g_strdup ("      map:  {op: linear, x: x, units: 3}\n      norm: {op: batch_norm, x: map}\n")
                             : NULL;
  g_autofree char *text = g_strdup_printf ("pipeline: trial\n"
                                           "%s%s%s"
                                           "graphs:\n"
                                           "  trial:\n"
                                           "    mode: train\n"
                                           "    nodes:\n%s%s",
                                           net ? "modules:\n  affine:\n    inputs: {x: \"f32[n, d]\"}\n    nodes:\n" : "", net ? net : "",
                                           net ? "    outputs: {y: norm}\nnetworks: {net: {module: affine}}\n" : "", first, rest);
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

/* Values that somebody may look at after a step. Optional outputs of sources may need files that are not there. */
static void
keep_values (WeftTrialRig *rig, const char *node, gboolean all)
{
  for (guint i = 0; i < rig->graph->wires->len; i++)
    {
      WeftWire *wire = rig->graph->wires->pdata[i];
      const WeftPort *port;
      if (!wire->node || !weft_shape_is_known (&wire->shape) || wire->kind == WEFT_WIRE_SAVED)
        continue;
      if (!all && (wire->kind != WEFT_WIRE_OUTPUT || !is_below (wire->node->path, node)))
        continue;
      port = wire->kind == WEFT_WIRE_OUTPUT ? &wire->node->operator->outputs[wire->port] : NULL;
      if (port && !(wire->node->operator->is_source && port->flags & WEFT_PORT_OPTIONAL))
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
  gsize offset = GUARD;

  for (guint i = 0; i < plan->graph->wires->len + plan->graph->nodes->len; i++)
    {
      gboolean scratch = i >= plan->graph->wires->len;
      WeftPlace *place = scratch ? &plan->scratch[i - plan->graph->wires->len] : &plan->places[i];
      if (!place->bytes)
        continue;
      place->offset = offset;
      place->shares = -1;
      offset += place->bytes + GUARD;
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

/* Bytes of a wire that belong to it; the rest of its place is guard. */
static gsize
own_bytes (const WeftTrialRig *rig, guint wire)
{
  return weft_shape_bound_bytes (&((const WeftWire *) rig->graph->wires->pdata[wire])->shape);
}

static void
fill_arena (WeftTrialRig *rig)
{
  if (!rig->guarded || !rig->arena)
    return;
  memset (rig->arena, GUARD_BYTE, rig->plan->arena);
  for (guint i = 0; i < rig->graph->wires->len; i++)
    if (rig->plan->places[i].bytes)
      memset (rig->arena + rig->plan->places[i].offset, rig->fill, own_bytes (rig, i));
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
fill_random (WeftTensor *tensor, const WeftShape *shape, const char *name)
{
  WeftRandom random = weft_random_for (1, name, 0);
  gint64 n = weft_tensor_elements (tensor);

  tensor->data = g_malloc0 (weft_tensor_bytes (tensor) + 64);
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
      fill_random (tensor, shape, node->path);
      g_ptr_array_add (rig->copies, g_memdup2 (tensor->data, weft_tensor_bytes (tensor) + 1));
      if (!weft_executor_feed (rig->executor, node->path, tensor, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
weft_trial_rig_open (WeftTrialRig *rig, const WeftTrialCase *self, const WeftOperator *operator, const WeftTrialSetup * setup,
                     GError **error)
{
  g_autofree char *node = weft_trial_node (self->nodes, operator);

  *rig = (WeftTrialRig){ .guarded = setup->guarded, .fill = setup->fill };
  rig->tensors = g_ptr_array_new ();
  rig->copies = g_ptr_array_new_with_free_func (g_free);
  if (!node)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "the %s has no node of operator %s", self->name, operator->name);
      return FALSE;
    }
  rig->pipeline = weft_trial_build (self->nodes, setup->more, error);
  if (!rig->pipeline)
    return FALSE;
  rig->graph = rig->pipeline->graphs->pdata[0];
  keep_values (rig, node, setup->keep_all);
  rig->plan = weft_plan_new (rig->graph, error);
  if (!rig->plan)
    return FALSE;
  rig->plan->fixed = TRUE;
  if (rig->guarded)
    guard_places (rig->plan);
  rig->store = weft_store_new ();
  if (!weft_store_prepare (rig->store, rig->pipeline, 7, error))
    return FALSE;
  rig->team = weft_team_new (setup->threads ? setup->threads : 1, error);
  rig->executor = rig->team ? weft_executor_new (rig->plan, rig->store, rig->team, 7, error) : NULL;
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

static const guint8 *
first_changed (const char *from, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if ((guint8) from[i] != GUARD_BYTE)
      return (const guint8 *) from + i;
  return NULL;
}

static char *
describe_wire (const WeftWire *wire)
{
  const WeftOperator *operator= wire->node->operator;
  const WeftNode *node = wire->node->of ? wire->node->of : wire->node;
  const char *kinds[] = { "output", "saved value", "gradient by input", "gradient by parameter" };
  const WeftPort *ports = wire->kind == WEFT_WIRE_OUTPUT ? operator->outputs : wire->kind == WEFT_WIRE_SAVED ? operator->saved
      : wire->kind == WEFT_WIRE_INPUT_GRADIENT
      ?
      operator->inputs : operator->parameters;

  return g_strdup_printf ("%s %s of %s `%s`", kinds[wire->kind], ports[wire->port].name, operator->name, node->path);
}

static char *
trespass_of_wires (const WeftTrialRig *rig)
{
  for (guint i = 0; i < rig->graph->wires->len; i++)
    {
      const WeftPlace *place = &rig->plan->places[i];
      gsize own = place->bytes ? own_bytes (rig, i) : 0;
      const char *start = rig->arena + place->offset;
      const guint8 *after, *before;
      if (!place->bytes)
        continue;
      after = first_changed (start + own, place->bytes - own + GUARD / 2);
      before = first_changed (start - GUARD / 2, GUARD / 2);
      if (!after && !before)
        continue;
      g_autofree char *name = describe_wire (rig->graph->wires->pdata[i]);
      g_autofree char *shape = weft_shape_print (&((const WeftWire *) rig->graph->wires->pdata[i])->shape);
      if (after)
        return g_strdup_printf ("something was written %d bytes past the end of the %s, %s (%" G_GSIZE_FORMAT " bytes)",
                                (int) ((const char *) after - start - (gssize) own), name, shape, own);
      return g_strdup_printf ("something was written %d bytes before the start of the %s, %s", (int) (start - (const char *) before), name,
                              shape);
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
      if (place->bytes && first_changed (rig->arena + place->offset + place->bytes, GUARD / 2))
        return g_strdup_printf ("something was written past the end of the scratch of %s `%s` (%" G_GSIZE_FORMAT " bytes)",
                                node->operator->name, node->path, place->bytes);
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

char *
weft_trial_rig_trespass (const WeftTrialRig *rig)
{
  char *message = changed_feeds (rig);

  if (!message && rig->arena)
    message = trespass_of_wires (rig);
  if (!message && rig->arena)
    message = trespass_of_scratch (rig);
  return message;
}
