/* Trying operators: gradients against central differences, values against the composition.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "child.h"
#include "registry.h"
#include "trial-private.h"

/* Into how many ranges the elements of a tensor are cut, and how often one is halved because it has a kink. */
#define RANGES 12
#define KINKS 20

#define STEP 3

static gboolean
objective (WeftTrialRig *rig, const char *node, double *value, GError **error)
{
  if (!weft_trial_rig_step (rig, STEP, error))
    return FALSE;
  *value = weft_trial_objective (rig, node);
  return TRUE;
}

static void
set (WeftTensor *tensor, gint64 i, double value)
{
  if (tensor->type == WEFT_F64)
    ((double *) tensor->data)[i] = value;
  else
    ((float *) tensor->data)[i] = (float) value;
}

static double
get (const WeftTensor *tensor, gint64 i)
{
  return tensor->type == WEFT_F64 ? ((const double *) tensor->data)[i] : (double) ((const float *) tensor->data)[i];
}

/* One tensor whose gradient is compared. */
typedef struct
{
  WeftTrialRig *rig;
  const char *node; /* whose outputs make the objective */
  const char *name;
  WeftTensor *value;
  const double *gradient;
  double largest; /* of the gradient's elements */
  double center;  /* the objective where the gradient was taken */
  guint left;     /* kinks that may still be cut around */
  guint *count;   /* of elements compared */
  WeftRandom signs;
} Comparison;

/* A difference quotient in a direction of ±1 over elements @from to @to, what the gradient says of it, and half the difference between the
 * quotients to both sides. */
static gboolean
difference (Comparison *self, gint64 from, gint64 to, double h, double *quotient, double *expected, double *bend, GError **error)
{
  g_autofree double *before = g_new (double, to - from);
  double above = 0, below = 0;
  gboolean good;

  *expected = 0;
  for (gint64 i = from; i < to; i++)
    {
      double sign = weft_random_below (self->signs, (guint32) i, 2) ? 1 : -1, high, low;
      before[i - from] = get (self->value, i);
      set (self->value, i, before[i - from] - sign * h);
      low = get (self->value, i); /* what the kernel is given, rounded */
      set (self->value, i, before[i - from] + sign * h);
      high = get (self->value, i);
      *expected += self->gradient[i] * (high - low) / (2 * h);
    }
  good = objective (self->rig, self->node, &above, error);
  for (gint64 i = from; i < to; i++)
    set (self->value, i, before[i - from] - (weft_random_below (self->signs, (guint32) i, 2) ? h : -h));
  good = good && objective (self->rig, self->node, &below, error);
  for (gint64 i = from; i < to; i++)
    set (self->value, i, before[i - from]);
  *quotient = (above - below) / (2 * h);
  *bend = (above - 2 * self->center + below) / (2 * h);
  return good;
}

typedef enum
{
  AGREES,
  DIFFERS,
  HAS_KINK, /* there is nothing to compare */
  CANNOT_RUN,
} Verdict;

/* Kernels in double precision are held to a thousandth of what float32 allows. */
static Verdict
try_range (Comparison *self, gint64 from, gint64 to, double *quotient, GError **error)
{
  gboolean doubles = self->value->type == WEFT_F64;
  double step = doubles ? 1e-4 : 4e-3, tolerance = doubles ? 1e-5 : 0.01, floor = doubles ? 1e-7 : 1e-4;
  double wide, narrow, expected, bend;

  if (!difference (self, from, to, step, &wide, &expected, &bend, error)
      || !difference (self, from, to, step / 2, &narrow, &expected, &bend, error))
    return CANNOT_RUN;
  if (!isfinite (expected) && isfinite (narrow))
    {
      *quotient = narrow;
      return DIFFERS;
    }
  if (!isfinite (narrow) || fabs (wide - narrow) > 0.01 * self->largest)
    return HAS_KINK;
  /* Of a smooth function the error of the quotient falls with the square of the step. */
  *quotient = (4 * narrow - wide) / 3;
  if (fabs (*quotient - expected) <= tolerance * self->largest + floor)
    return AGREES;
  /* With a kink between the points the gradient is the quotient to one side. */
  return fabs (fabs (narrow - expected) - fabs (bend)) <= tolerance * self->largest + floor ? HAS_KINK : DIFFERS;
}

/* Halves what differs or has a kink until single elements are left: every element counts, at the price of few. */
static gboolean
compare_range (Comparison *self, gint64 from, gint64 to, GError **error)
{
  double quotient = 0;
  gint64 middle = from + (to - from) / 2;
  Verdict verdict;

  verdict = try_range (self, from, to, &quotient, error);
  if (verdict == CANNOT_RUN)
    return FALSE;
  if (verdict == AGREES)
    *self->count += (guint) (to - from);
  else if (to - from > 1 && (verdict == DIFFERS || self->left))
    {
      self->left -= verdict == HAS_KINK;
      return compare_range (self, from, middle, error) && compare_range (self, middle, to, error);
    }
  else if (verdict == DIFFERS)
    {
      double sign = weft_random_below (self->signs, (guint32) from, 2) ? 1 : -1;
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "gradient by `%s`, element %d of %d, is %.9g; the difference quotient is %.9g",
                   self->name, (int) from, (int) weft_tensor_elements (self->value), self->gradient[from], sign * quotient);
      return FALSE;
    }
  return TRUE;
}

static gboolean
compare_gradient (WeftTrialRig *rig, const char *node, const char *name, WeftTensor *value, const WeftTensor *gradient, guint *count,
                  GError **error)
{
  gint64 n = weft_tensor_elements (gradient), step = MAX (n / RANGES, 1);
  g_autofree double *kept = g_new (double, n + 1);
  Comparison self = { rig, node, name, value, kept, 1e-3, weft_trial_objective (rig, node), 0, count, weft_random_for (5, name, 0) };

  for (gint64 i = 0; i < n; i++)
    {
      kept[i] = get (gradient, i);
      if (isfinite (kept[i]))
        self.largest = MAX (self.largest, fabs (kept[i]));
    }
  for (gint64 i = 0; i < n; i += step)
    {
      self.left = KINKS;
      if (!compare_range (&self, i, MIN (i + step, n), error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
compare_all (WeftTrialRig *rig, const char *node, guint *count, GError **error)
{
  const GArray *targets = weft_graph_node (rig->graph, WEFT_TRIAL_PROBE_GRADIENTS)->targets;

  for (guint i = 0; i < targets->len; i++)
    {
      const WeftTarget *target = &g_array_index (targets, WeftTarget, i);
      if (!target->gradient)
        continue;
      if (!weft_trial_rig_step (rig, STEP, error)
          || !compare_gradient (rig, node, target->path, weft_store_lookup (rig->store, target->path),
                                weft_executor_value (rig->executor, target->gradient), count, error))
        return FALSE;
    }
  for (guint i = 0; i < rig->graph->feeds->len; i++)
    {
      const WeftNode *feed = rig->graph->feeds->pdata[i];
      if (!feed->out_gradients[0])
        continue;
      if (!weft_trial_rig_step (rig, STEP, error)
          || !compare_gradient (rig, node, feed->path, (WeftTensor *) rig->tensors->pdata[i],
                                weft_executor_value (rig->executor, feed->out_gradients[0]), count, error))
        return FALSE;
    }
  return TRUE;
}

/* @output: of which the objective is made; %NULL: of all. */
static gboolean
try_gradients (const WeftOperator *op, const WeftTrialCase *self, const char *output, guint *count, const char **why, GError **error)
{
  g_autofree char *more = weft_trial_probe (op, self, output, TRUE, why);
  g_autofree char *node = weft_trial_node (self->nodes, op);
  const WeftTrialSetup setup = { .threads = 1, .keep_all = TRUE, .more = more };
  g_auto (WeftTrialRig) rig = { 0 };

  if (!more)
    return TRUE;
  weft_child_note ("comparing gradients of %s%s%s with the %s", op->name, output ? " by output " : "", output ? output : "", self->name);
  if (!weft_trial_rig_open (&rig, self, op, &setup, self->given ? error : NULL)
      || !weft_trial_rig_step (&rig, STEP, self->given ? error : NULL))
    return !self->given;
  return compare_all (&rig, node, count, error);
}

/* By all outputs together; of several, by each alone, too: what flows from the others is absent then. */
static gboolean
try_outputs (const WeftOperator *op, const WeftTrialCase *self, guint *count, const char **why, GError **error)
{
  const WeftPort *outputs = op->outputs;

  if (!try_gradients (op, self, NULL, count, why, error))
    return FALSE;
  for (guint i = 0; *count && outputs[0].name && outputs[1].name && outputs[i].name; i++)
    if (!(outputs[i].flags & WEFT_PORT_CONSTANT) && !try_gradients (op, self, outputs[i].name, count, why, error))
      {
        g_prefix_error (error, "by `%s` alone: ", outputs[i].name);
        return FALSE;
      }
  return TRUE;
}

gboolean
weft_trial_gradients (const WeftOperator *op, guint *count, const char **why, GError **error)
{
  g_autoptr (GPtrArray) cases = weft_trial_cases (op);

  for (guint i = 0; i < cases->len; i++)
    if (!try_outputs (op, cases->pdata[i], count, why, error))
      {
        g_prefix_error (error, "%s: ", ((const WeftTrialCase *) cases->pdata[i])->name);
        return FALSE;
      }
  if (*count)
    *why = NULL;
  else if (!*why)
    *why = "nothing of its example could be compared";
  return TRUE;
}
