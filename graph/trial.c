/* Trying operators: the aspects, and those that look at one run alone.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "trial.h"

#include <string.h>

#include "child.h"
#include "trial-private.h"

const char *const weft_trial_aspects[] = { "descriptor", "shapes",   "memory",      "uses",      "threads",
                                           "restoring",  "in place", "composition", "gradients", NULL };

static const WeftTrialAspect functions[] = { weft_trial_descriptor, weft_trial_shapes,      weft_trial_guards,
                                             weft_trial_uses,       weft_trial_threads,     weft_trial_restore,
                                             weft_trial_in_place,   weft_trial_composition, weft_trial_gradients };

G_STATIC_ASSERT (G_N_ELEMENTS (functions) + 1 == G_N_ELEMENTS (weft_trial_aspects));

void
weft_finding_free (WeftFinding *finding)
{
  g_free (finding->message);
  g_free (finding);
}

WeftFinding *
weft_trial_aspect (const WeftOperator *op, const char *aspect)
{
  WeftFinding *finding = g_new0 (WeftFinding, 1);
  g_autoptr (GError) error = NULL;
  const char *why = NULL;
  guint count = 0, i = 0;

  while (weft_trial_aspects[i] && strcmp (weft_trial_aspects[i], aspect) != 0)
    i++;
  g_assert (weft_trial_aspects[i]);
  finding->aspect = weft_trial_aspects[i];
  weft_child_note ("trying %s of %s", aspect, op->name);
  if (!functions[i](op, &count, &why, &error))
    {
      finding->outcome = WEFT_TRIAL_FAILED;
      finding->message = g_strdup (error->message);
    }
  else if (why)
    {
      finding->outcome = WEFT_TRIAL_SKIPPED;
      finding->message = g_strdup (why);
    }
  else
    finding->message = count ? g_strdup_printf ("%u compared", count) : g_strdup ("complete");
  return finding;
}

static const char *
unexplained_port (const WeftPort *ports)
{
  for (; ports && ports->name; ports++)
    if (!ports->meaning || !*ports->meaning)
      return ports->name;
  return NULL;
}

static const char *
unexplained (const WeftOperator *op)
{
  const WeftPort *const lists[] = { op->inputs, op->outputs, op->parameters, op->states };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    if (unexplained_port (lists[i]))
      return unexplained_port (lists[i]);
  for (const WeftAttribute *attribute = op->attributes; attribute && attribute->name; attribute++)
    if (!attribute->meaning || !*attribute->meaning)
      return attribute->name;
  return NULL;
}

gboolean
weft_trial_descriptor (const WeftOperator *op, guint *count G_GNUC_UNUSED, const char **why G_GNUC_UNUSED, GError **error)
{
  g_autofree char *node = op->example ? weft_trial_node (op->example, op) : NULL;
  const char *wrong = NULL, *name = unexplained (op);

  if (!op->summary || !*op->summary)
    wrong = "there is no summary";
  else if (name)
    wrong = "has no meaning";
  else if (!op->example)
    wrong = "there is no example, which all other tests need";
  else if (!node)
    wrong = "its example has no node of this operator";
  else if (op->forward && !op->backward && !op->passes_gradient && !op->not_differentiable)
    wrong = "it has no backward and does not say why (not_differentiable)";
  else if ((op->backward || op->passes_gradient) && !op->is_source && !op->effect && !weft_trial_asks_for_gradient (op))
    wrong = "no feed of its example has `gradient: true`, so that its gradient would not be tried";
  if (wrong)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s%s%s%s", name ? "`" : "", name ? name : "", name ? "` " : "", wrong);
  return !wrong;
}

/* What the executor knows of a value against what the kernel made of it. */
static gboolean
shape_is_kept (const WeftTrialRig *rig, guint index, GError **error)
{
  const WeftWire *wire = rig->graph->wires->pdata[index];
  const WeftTensor *tensor = weft_executor_value (rig->executor, wire);
  gboolean same = tensor->rank == wire->shape.rank && tensor->type == wire->shape.type;

  for (guint i = 0; same && i < tensor->rank; i++)
    same = wire->shape.dims[i].symbol ? tensor->shape[i] >= 0 && tensor->shape[i] <= weft_dim_bound (&wire->shape.dims[i])
                                      : tensor->shape[i] == wire->shape.dims[i].size;
  for (guint i = 0; same && i < tensor->rank; i++)
    for (guint k = 0; same && wire->shape.dims[i].symbol && k < rig->graph->feeds->len; k++)
      {
        const WeftNode *feed = rig->graph->feeds->pdata[k];
        const WeftDim *dim = &feed->outputs[0]->shape.dims[0];
        if (feed->outputs[0]->shape.rank && dim->symbol == wire->shape.dims[i].symbol && dim->size == wire->shape.dims[i].size)
          same = tensor->shape[i] == ((const WeftTensor *) rig->tensors->pdata[k])->shape[0];
      }
  if (!same)
    {
      g_autofree char *declared = weft_shape_print (&wire->shape), *found = weft_tensor_describe (tensor);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "`%s` is declared as %s, but forward left %s", wire->node->path, declared, found);
    }
  return same;
}

/* Whether @self can be run at all: edge shapes may be refused. */
static gboolean
run_case (WeftTrialRig *rig, const WeftTrialCase *self, const WeftOperator *op, const WeftTrialSetup *setup, guint steps, GError **error)
{
  weft_child_note ("running %s%s%s with the %s", op->name, setup->more ? WEFT_TRIAL_BACKWARDS : "", setup->inferring ? " in inference" : "",
                   self->name);
  if (!weft_trial_rig_open (rig, self, op, setup, error))
    return FALSE;
  for (guint i = 0; i < steps; i++)
    if (!weft_trial_rig_step (rig, i, error))
      return FALSE;
  return TRUE;
}

gboolean
weft_trial_shapes (const WeftOperator *op, guint *count, const char **why, GError **error)
{
  g_autoptr (GPtrArray) cases = weft_trial_cases (op);

  for (guint i = 0; i < cases->len; i++)
    {
      const WeftTrialCase *self = cases->pdata[i];
      const WeftTrialSetup setup = { .threads = 2, .guarded = TRUE, .keep_all = TRUE };
      g_auto (WeftTrialRig) rig = { 0 };
      g_autoptr (GError) refusal = NULL;
      if (!run_case (&rig, self, op, &setup, 1, &refusal))
        {
          if (!self->given)
            continue;
          g_propagate_prefixed_error (error, g_steal_pointer (&refusal), "%s: ", self->name);
          return FALSE;
        }
      for (guint k = 0; k < rig.graph->wires->len; k++)
        {
          const WeftWire *wire = rig.graph->wires->pdata[k];
          if (!wire->node || !wire->kept)
            continue;
          ++*count;
          if (!shape_is_kept (&rig, k, error))
            {
              g_prefix_error (error, "%s: ", self->name);
              return FALSE;
            }
        }
    }
  if (!*count)
    *why = "there is no example";
  return TRUE;
}

/* Bits that depend on what memory held before were never set. */
static gboolean
all_set (const WeftTrialRig *a, const WeftTrialRig *b, guint *count, GError **error)
{
  for (guint i = 0; i < a->graph->wires->len; i++)
    {
      const WeftWire *wire = a->graph->wires->pdata[i];
      const WeftTensor *x, *y;
      if (!wire->node || !wire->kept || !a->plan->places[i].bytes)
        continue;
      x = weft_executor_value (a->executor, wire);
      y = weft_executor_value (b->executor, b->graph->wires->pdata[i]);
      ++*count;
      if (weft_tensor_bytes (x) == weft_tensor_bytes (y) && memcmp (x->data, y->data, weft_tensor_bytes (x)) == 0)
        continue;
      g_set_error (
          error, WEFT_ERROR, WEFT_ERROR_INPUT,
          "a %s of %s `%s` depends on what memory held before: part of it is never set, or something is read that was not set or lies "
          "outside of a value (or it is random otherwise than by weft_random_…)",
          wire->kind == WEFT_WIRE_OUTPUT ? "value" : "gradient", wire->node->op->name, wire->node->path);
      return FALSE;
    }
  return TRUE;
}

/* Twice, on memory that holds different things. */
static gboolean
guard_with (const WeftOperator *op, const WeftTrialCase *self, WeftTrialSetup setup, guint *count, GError **error)
{
  g_auto (WeftTrialRig) a = { 0 }, b = { 0 };
  g_autofree char *trespass = NULL;

  setup.fill = 0xff;
  if (!run_case (&a, self, op, &setup, 1, self->given ? error : NULL))
    return !self->given;
  trespass = weft_trial_rig_trespass (&a);
  if (trespass)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s", trespass);
      return FALSE;
    }
  setup.fill = 0x4b; /* 1.3e7 as a number: visible in any sum */
  return run_case (&b, self, op, &setup, 1, error) && all_set (&a, &b, count, error);
}

static gboolean
guard_case (const WeftOperator *op, const WeftTrialCase *self, guint *count, GError **error)
{
  const char *why;
  g_autofree char *more = weft_trial_probe (op, self, NULL, TRUE, &why);
  WeftTrialSetup setup = { .threads = 2, .guarded = TRUE, .keep_all = TRUE }, backwards = setup, inferring = setup;

  backwards.more = more;
  inferring.inferring = TRUE;
  if (!guard_with (op, self, setup, count, error) || (more && !guard_with (op, self, backwards, count, error)))
    return FALSE;
  if (strstr (self->nodes, "minimize:") || guard_with (op, self, inferring, count, error))
    return TRUE;
  g_prefix_error (error, "in inference: ");
  return FALSE;
}

gboolean
weft_trial_guards (const WeftOperator *op, guint *count, const char **why, GError **error)
{
  g_autoptr (GPtrArray) cases = weft_trial_cases (op);

  for (guint i = 0; i < cases->len; i++)
    if (!guard_case (op, cases->pdata[i], count, error))
      {
        g_prefix_error (error, "%s: ", ((const WeftTrialCase *) cases->pdata[i])->name);
        return FALSE;
      }
  if (!*count)
    *why = "nothing of it lives in the arena";
  return TRUE;
}
