/* Trying operators: however little of one is used, what is used stays the same.
 *
 * A kernel finds %NULL where nobody reads an optional output, where no gradient flows from an output, and where no gradient is wanted by an
 * input or a parameter.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "child.h"
#include "core.h"
#include "trial-private.h"

typedef struct
{
  const WeftOperator *op;
  const WeftTrialCase *of;
  const char *node; /* the one that is tried */
  guint *count;
} Uses;

static gboolean
run (const Uses *self, WeftTrialRig *rig, const char *nodes, const WeftTrialSetup *setup, const char *how, GError **error)
{
  WeftTrialCase use = { (char *) nodes, self->of->name, self->of->size, self->of->given };

  weft_child_note ("running %s%s with the %s%s%s", self->op->name, setup->more ? WEFT_TRIAL_BACKWARDS : "", self->of->name, how ? ", " : "",
                   how ? how : "");
  return weft_trial_rig_open (rig, &use, self->op, setup, error) && weft_trial_rig_step (rig, 0, error);
}

static gboolean
same (const Uses *self, const WeftTensor *a, const WeftTensor *b, const char *what, const char *path, const char *how, GError **error)
{
  ++*self->count;
  if (weft_tensor_bytes (a) == weft_tensor_bytes (b) && memcmp (a->data, b->data, weft_tensor_bytes (a)) == 0)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s `%s` differs %s", what, path, how);
  return FALSE;
}

static gboolean
same_outputs (const Uses *self, WeftTrialRig *all, WeftTrialRig *some, const char *how, GError **error)
{
  for (const WeftPort *port = self->op->outputs; port && port->name; port++)
    {
      g_autofree char *path = g_strdup_printf ("%s.%s", self->node, port->name);
      const WeftWire *a = weft_graph_wire (all->graph, path), *b = weft_graph_wire (some->graph, path);
      if (a && b && a->kept && b->kept
          && !same (self, weft_executor_value (all->executor, a), weft_executor_value (some->executor, b), "output", path, how, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
same_feed_gradients (const Uses *self, WeftTrialRig *all, WeftTrialRig *some, const char *how, GError **error)
{
  for (guint i = 0; i < all->graph->feeds->len; i++)
    {
      const WeftNode *a = all->graph->feeds->pdata[i], *b = weft_graph_node (some->graph, a->path);
      if (a->out_gradients[0] && b && b->out_gradients[0]
          && !same (self, weft_executor_value (all->executor, a->out_gradients[0]),
                    weft_executor_value (some->executor, b->out_gradients[0]), "gradient by", a->path, how, error))
        return FALSE;
    }
  return TRUE;
}

static const WeftTarget *
target_of (const WeftTrialRig *rig, const char *path)
{
  const WeftNode *node = weft_graph_node (rig->graph, WEFT_TRIAL_PROBE_GRADIENTS);

  for (guint i = 0; node && i < node->targets->len; i++)
    if (strcmp (g_array_index (node->targets, WeftTarget, i).path, path) == 0)
      return &g_array_index (node->targets, WeftTarget, i);
  return NULL;
}

static gboolean
same_parameter_gradients (const Uses *self, WeftTrialRig *all, WeftTrialRig *some, const char *how, GError **error)
{
  const GArray *targets = weft_graph_node (all->graph, WEFT_TRIAL_PROBE_GRADIENTS)->targets;

  for (guint i = 0; i < targets->len; i++)
    {
      const WeftTarget *a = &g_array_index (targets, WeftTarget, i), *b = target_of (some, a->path);
      if (a->gradient && b && b->gradient
          && !same (self, weft_executor_value (all->executor, a->gradient), weft_executor_value (some->executor, b->gradient),
                    "gradient by", a->path, how, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
compare (const Uses *self, WeftTrialRig *all, const char *nodes, const WeftTrialSetup *setup, const char *how, GError **error)
{
  g_auto (WeftTrialRig) some = { 0 };

  return run (self, &some, nodes, setup, how, error) && same_outputs (self, all, &some, how, error)
         && (!setup->more
             || (same_feed_gradients (self, all, &some, how, error) && same_parameter_gradients (self, all, &some, how, error)));
}

static gboolean
has_trained (const WeftTrialRig *rig)
{
  const WeftNode *node = weft_graph_node (rig->graph, WEFT_TRIAL_PROBE_GRADIENTS);

  return node && node->targets->len > 0;
}

/* Whether the node that is tried has parameters of its own; its example may bring others. */
static gboolean
owns_trained (const Uses *self, const WeftTrialRig *rig)
{
  const WeftNode *node = weft_graph_node (rig->graph, WEFT_TRIAL_PROBE_GRADIENTS);
  g_autofree char *own = g_strdup_printf ("trial.%s.", self->node);

  for (guint i = 0; node && i < node->targets->len; i++)
    if (g_str_has_prefix (g_array_index (node->targets, WeftTarget, i).path, own))
      return TRUE;
  return FALSE;
}

/* Gradients by one input alone, and by the parameters alone. */
static gboolean
compare_wanted (const Uses *self, WeftTrialRig *all, WeftTrialSetup setup, GError **error)
{
  g_auto (GStrv) feeds = weft_trial_wanting (self->of->nodes);
  gboolean trained = has_trained (all);

  for (guint i = 0; feeds[i] && (feeds[1] || trained); i++)
    {
      g_autofree char *nodes = weft_trial_with_gradient (self->of->nodes, feeds[i]);
      g_autofree char *how = g_strdup_printf ("where only the gradient by `%s` is wanted", feeds[i]);
      setup.frozen = owns_trained (self, all) ? self->node : NULL;
      if (!compare (self, all, nodes, &setup, how, error))
        return FALSE;
    }
  if (!trained || !feeds[0])
    return TRUE;
  g_autofree char *nodes = weft_trial_with_gradient (self->of->nodes, NULL);
  setup.frozen = NULL;
  return compare (self, all, nodes, &setup, "where only gradients by parameters are wanted", error);
}

static gboolean
try_uses (const Uses *self, GError **error)
{
  const char *why;
  g_autofree char *more = weft_trial_probe (self->op, self->of, NULL, FALSE, &why);
  WeftTrialSetup setup = { .threads = 1, .keep_all = TRUE, .more = more };
  gboolean given = self->of->given;
  g_auto (WeftTrialRig) all = { 0 };

  if (!run (self, &all, self->of->nodes, &setup, NULL, given ? error : NULL))
    return !given;
  if (more && !compare_wanted (self, &all, setup, error))
    return FALSE;
  setup.unread = TRUE;
  return compare (self, &all, self->of->nodes, &setup, "where nobody reads optional outputs", error);
}

gboolean
weft_trial_uses (const WeftOperator *op, guint *count, const char **why, GError **error)
{
  g_autoptr (GPtrArray) cases = weft_trial_cases (op);

  for (guint i = 0; i < cases->len; i++)
    {
      const WeftTrialCase *self = cases->pdata[i];
      g_autofree char *node = weft_trial_node (self->nodes, op);
      const Uses uses = { op, self, node, count };
      if (!try_uses (&uses, error))
        {
          g_prefix_error (error, "%s: ", self->name);
          return FALSE;
        }
    }
  if (!*count)
    *why = "its example gives nothing that could be compared";
  return TRUE;
}
