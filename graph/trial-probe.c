/* The objective by which gradients are tried: a weighted sum of what an operator gives.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "core.h"
#include "pipeline.h"
#include "registry.h"
#include "trial-private.h"

/* The signature of a value of the same shape as @wire, or %NULL if no gradient can flow from it. */
static char *
signature_of (const WeftGraph *graph, const WeftWire *wire)
{
  if (!wire || (wire->shape.type != WEFT_F32 && wire->shape.type != WEFT_F64) || !weft_shape_is_known (&wire->shape))
    return NULL;
  for (guint i = 0; i < wire->shape.rank; i++)
    if (wire->shape.dims[i].symbol && weft_graph_node (graph, wire->shape.dims[i].symbol->owner)->op != &weft_feed_operator)
      return NULL;
  return weft_shape_print (&wire->shape);
}

/* The objective of kernels that compute in double precision: as weighted_sum, which is float32. */
static void
sum_doubles (const WeftCall *call)
{
  const double *x = call->in[0]->data, *weights = call->in[1]->data;
  double sum = 0;

  for (gint64 i = 0; i < weft_tensor_elements (call->in[0]); i++)
    sum += x[i] * weights[i];
  *(float *) call->out[0]->data = (float) sum;
}

static void
sum_doubles_backward (const WeftCall *call)
{
  const double *weights = call->in[1]->data;
  double *gradient = call->in_gradient[0] ? call->in_gradient[0]->data : NULL;

  for (gint64 i = 0; gradient && i < weft_tensor_elements (call->in[0]); i++)
    gradient[i] = weights[i] * (double) *(const float *) call->out_gradient[0]->data;
}

#define SUM_OF_DOUBLES "trial_sum_of_doubles"

static const WeftOperator sum_of_doubles = {
  .size = WEFT_OPERATOR_SIZE,
  .name = SUM_OF_DOUBLES,
  .version = 1,
  .summary = "Weighted sum of doubles",
  .inputs =
      (const WeftPort[]){
          { .name = "x", .signature = "f64[...]", .meaning = "anything" },
          { .name = "weights", .signature = "f64[...]", .flags = WEFT_PORT_READ | WEFT_PORT_CONSTANT, .meaning = "a weight each" },
          { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[]", .meaning = "their sum" }, { 0 } },
  .forward = sum_doubles,
  .backward = sum_doubles_backward,
};

static const char *
summing_operator (const char *signature)
{
  if (!g_str_has_prefix (signature, "f64"))
    return "weighted_sum";
  if (!weft_registry_find (SUM_OF_DOUBLES))
    weft_registry_add (&sum_of_doubles, NULL);
  return SUM_OF_DOUBLES;
}

static void
probe_port (GString *nodes, GString *sum, const WeftGraph *graph, const char *node, const WeftPort *port)
{
  g_autofree char *reference = g_strdup_printf ("%s.%s", node, port->name);
  g_autofree char *signature = signature_of (graph, weft_graph_wire (graph, reference));

  if (!signature)
    return;
  if (strcmp (signature, "f32[]") == 0)
    g_string_append_printf (nodes, "trial_%s: {op: scale, x: %s, factor: 1.5}\n", port->name, reference);
  else
    g_string_append_printf (nodes,
                            "trial_weights_%s: {op: feed, signature: \"%s\"}\n"
                            "trial_%s: {op: %s, x: %s, weights: trial_weights_%s}\n",
                            port->name, signature, port->name, summing_operator (signature), reference, port->name);
  g_string_append_printf (sum, "%strial_%s", sum->len ? ", " : "", port->name);
}

static gboolean
has_parameters (const WeftPipeline *pipeline)
{
  for (guint i = 0; i < pipeline->variables->len; i++)
    if (!((const WeftVariable *) pipeline->variables->pdata[i])->statistic)
      return TRUE;
  return FALSE;
}

static gboolean
is_probed (const WeftOperator *op, const WeftPort *port, const char *output, gboolean optional)
{
  if (output)
    return strcmp (output, port->name) == 0;
  return !(port->flags & WEFT_PORT_CONSTANT) && (optional || !op->forward || !(port->flags & WEFT_PORT_OPTIONAL));
}

gboolean
weft_trial_asks_for_gradient (const WeftOperator *op)
{
  const char *const *cases = op->cases;
  gboolean asked = op->parameters && op->parameters[0].name;

  for (const char *nodes = op->example; nodes && !asked; nodes = cases && *cases ? *cases++ : NULL)
    {
      g_auto (GStrv) wanting = weft_trial_wanting (nodes);
      asked = *wanting || strstr (nodes, "minimize:");
    }
  return asked;
}

char *
weft_trial_probe (const WeftOperator *op, const WeftTrialCase *self, const char *output, gboolean optional, const char **why)
{
  g_auto (GStrv) wanting = weft_trial_wanting (self->nodes);
  g_autofree char *node = weft_trial_node (self->nodes, op);
  g_autoptr (WeftPipeline) pipeline = NULL;
  g_autoptr (GString) nodes = g_string_new (NULL), sum = g_string_new (NULL);

  *why = op->is_source || op->effect                            ? "sources and effects have no gradient"
         : op->not_differentiable                               ? op->not_differentiable
         : op->forward && !op->backward && !op->passes_gradient ? "it has no backward"
         : !weft_registry_find ("weighted_sum")                 ? "the operators of module ops, which make the objective, are not there"
         : !node || strstr (self->nodes, "minimize:")           ? "its example has an objective of its own"
                                                                : NULL;
  if (*why)
    return NULL;
  pipeline = weft_trial_build (self->nodes, NULL, NULL);
  if (pipeline && !*wanting && !has_parameters (pipeline))
    {
      *why = "nothing in it asks for a gradient";
      return NULL;
    }
  for (const WeftPort *port = op->outputs; pipeline && port->name; port++)
    if (is_probed (op, port, output, optional))
      probe_port (nodes, sum, pipeline->graphs->pdata[0], node, port);
  if (!sum->len)
    {
      *why = "no output of known size can carry a gradient";
      return NULL;
    }
  return g_strdup_printf ("%strial_objective: {op: add, x: [%s]}\n%s: {op: gradients, minimize: trial_objective}\n", nodes->str, sum->str,
                          WEFT_TRIAL_PROBE_GRADIENTS);
}

static double
element (const WeftTensor *tensor, gint64 i)
{
  return tensor->type == WEFT_F64 ? ((const double *) tensor->data)[i] : (double) ((const float *) tensor->data)[i];
}

static double
weighted_sum (const WeftTensor *value, const WeftTensor *weights)
{
  gint64 n = weft_tensor_elements (value);
  double sum = 0;

  for (gint64 i = 0; i < n; i++)
    sum += element (value, i) * (weights ? element (weights, i) : 1.5);
  return sum;
}

double
weft_trial_objective (const WeftTrialRig *rig, const char *node)
{
  double sum = 0;

  for (guint i = 0; i < rig->graph->nodes->len; i++)
    {
      const WeftNode *probe = rig->graph->nodes->pdata[i];
      gboolean summed = g_str_equal (probe->op->name, "weighted_sum") || g_str_equal (probe->op->name, SUM_OF_DOUBLES),
               scaled = strcmp (probe->op->name, "scale") == 0;
      const char *port = (summed || scaled) && g_str_has_prefix (probe->path, "trial_") ? probe->path + strlen ("trial_") : NULL;
      g_autofree char *reference = port ? g_strdup_printf ("%s.%s", node, port) : NULL;
      const WeftWire *wire = port && probe->kind == WEFT_NODE_FORWARD ? weft_graph_wire (rig->graph, reference) : NULL;
      if (wire)
        sum += weighted_sum (weft_executor_value (rig->executor, wire),
                             summed ? weft_executor_value (rig->executor, probe->inputs[1].wires[0]) : NULL);
    }
  return sum;
}
