/* Trying operators: a fused twin against its composition.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "registry.h"
#include "trial-private.h"

#define STEP 3

static gboolean
near (const WeftTensor *a, const WeftTensor *b, const char *what, const char *path, guint *count, GError **error)
{
  gint64 n = weft_tensor_elements (a);
  const float *x = a->data, *y = b->data;
  double largest = 1e-6;

  if (n != weft_tensor_elements (b))
    {
      g_autofree char *own = weft_tensor_describe (a), *other = weft_tensor_describe (b);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s `%s` is %s, that of the composition %s", what, path, own, other);
      return FALSE;
    }
  for (gint64 i = 0; i < n; i++)
    largest = MAX (largest, fabs ((double) y[i]));
  for (gint64 i = 0; i < n; i++, ++*count)
    if (!(fabs ((double) x[i] - (double) y[i]) <= 1e-4 * largest))
      {
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s `%s`, element %d, is %g; the composition gives %g", what, path, (int) i,
                     (double) x[i], (double) y[i]);
        return FALSE;
      }
  return TRUE;
}

/* The same operator without its kernels. */
static const WeftOperator *
register_twin (const WeftOperator *op)
{
  g_autofree char *name = g_strdup_printf ("%s_composition", op->name);
  const WeftOperator *known = weft_registry_find (name);
  WeftOperator *twin;

  if (known)
    return known;
  twin = g_new0 (WeftOperator, 1);
  *twin = *op;
  twin->name = g_steal_pointer (&name);
  twin->forward = twin->backward = NULL;
  twin->scratch = NULL;
  twin->parameters = twin->states = twin->saved = NULL;
  return weft_registry_add (twin, NULL) ? twin : NULL;
}

/* Parameters stand in the same order, if under other names. */
static gboolean
share_parameters (WeftTrialRig *from, WeftTrialRig *to, GError **error)
{
  GPtrArray *a = from->pipeline->variables, *b = to->pipeline->variables;

  if (a->len != b->len)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "it has %u parameters and states, its composition %u", a->len, b->len);
      return FALSE;
    }
  for (guint i = 0; i < a->len; i++)
    {
      WeftTensor *x = weft_store_lookup (from->store, ((WeftVariable *) a->pdata[i])->path);
      WeftTensor *y = weft_store_lookup (to->store, ((WeftVariable *) b->pdata[i])->path);
      if (weft_tensor_bytes (x) != weft_tensor_bytes (y))
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                       "parameter or state %u, `%s`, has another shape than that of its composition, `%s`", i + 1,
                       ((WeftVariable *) a->pdata[i])->path, ((WeftVariable *) b->pdata[i])->path);
          return FALSE;
        }
      memcpy (y->data, x->data, weft_tensor_bytes (x));
    }
  return TRUE;
}

static gboolean
compare_with_composition (const WeftOperator *op, WeftTrialRig *own, WeftTrialRig *other, const char *node, guint *count, GError **error)
{
  for (const WeftPort *port = op->outputs; port->name; port++)
    {
      g_autofree char *reference = g_strdup_printf ("%s.%s", node, port->name);
      const WeftWire *a = weft_graph_wire (own->graph, reference), *b = weft_graph_wire (other->graph, reference);
      if (a && b && a->kept && b->kept && a->shape.type == WEFT_F32
          && !near (weft_executor_value (own->executor, a), weft_executor_value (other->executor, b), "output", reference, count, error))
        return FALSE;
    }
  for (guint i = 0; i < own->graph->feeds->len; i++)
    {
      const WeftNode *a = own->graph->feeds->pdata[i], *b = other->graph->feeds->pdata[i];
      if (a->out_gradients[0] && b->out_gradients[0]
          && !near (weft_executor_value (own->executor, a->out_gradients[0]), weft_executor_value (other->executor, b->out_gradients[0]),
                    "gradient by", a->path, count, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
try_composition (const WeftOperator *op, const WeftOperator *twin, const WeftTrialCase *self, guint *count, GError **error)
{
  const char *why;
  g_autofree char *nodes = weft_trial_with_operator (self->nodes, op->name, twin->name);
  g_autofree char *node = weft_trial_node (self->nodes, op);
  WeftTrialCase composed = { nodes, self->name, self->size, self->given };
  g_autofree char *more = weft_trial_probe (op, self, NULL, TRUE, &why);
  const WeftTrialSetup setup = { .threads = 2, .keep_all = TRUE, .more = more };
  g_auto (WeftTrialRig) own = { 0 }, other = { 0 };

  if (!weft_trial_rig_open (&own, self, op, &setup, self->given ? error : NULL))
    return !self->given;
  if (!weft_trial_rig_open (&other, &composed, twin, &setup, error) || !share_parameters (&own, &other, error))
    return FALSE;
  if (!weft_trial_rig_step (&own, STEP, self->given ? error : NULL))
    return !self->given;
  return weft_trial_rig_step (&other, STEP, error) && compare_with_composition (op, &own, &other, node, count, error);
}

gboolean
weft_trial_composition (const WeftOperator *op, guint *count, const char **why, GError **error)
{
  g_autoptr (GPtrArray) cases = weft_trial_cases (op);
  const WeftOperator *twin;

  if (!op->forward || !op->composition)
    {
      *why = op->forward ? "it has no composition" : "its composition is all there is";
      return TRUE;
    }
  twin = register_twin (op);
  for (guint i = 0; twin && i < cases->len; i++)
    if (!try_composition (op, twin, cases->pdata[i], count, error))
      {
        g_prefix_error (error, "%s: ", ((const WeftTrialCase *) cases->pdata[i])->name);
        return FALSE;
      }
  return TRUE;
}
