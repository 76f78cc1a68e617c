/* weft check: everything that can be known of a pipeline before it runs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "plan.h"

static gsize
stored_bytes (const WeftPipeline *pipeline, guint64 *parameters)
{
  gsize bytes = 0;

  *parameters = 0;
  for (guint i = 0; i < pipeline->variables->len; i++)
    {
      const WeftVariable *variable = pipeline->variables->pdata[i];
      gboolean of_network = FALSE;
      bytes += weft_shape_bound_bytes (&variable->shape);
      for (guint k = 0; k < pipeline->networks->len; k++)
        {
          const char *name = ((WeftNetwork *) pipeline->networks->pdata[k])->name;
          of_network |= g_str_has_prefix (variable->path, name) && variable->path[strlen (name)] == '.';
        }
      if (of_network && !variable->statistic)
        *parameters += (guint64) weft_shape_bound_elements (&variable->shape);
    }
  return bytes;
}

static void
print_node (const WeftNode *node)
{
  g_autoptr (GString) shapes = g_string_new (NULL);

  if (node->kind != WEFT_NODE_FORWARD)
    return;
  for (guint i = 0; node->operator->outputs[i].name; i++)
    if (node->outputs[i] && weft_shape_is_known (&node->outputs[i]->shape) && node->outputs[i]->read)
      {
        g_autofree char *shape = weft_shape_print (&node->outputs[i]->shape);
        g_string_append_printf (shapes, "%s%s %s", shapes->len ? ", " : "", node->operator->outputs[i].name, shape);
      }
  printf ("    %-34s %-20s %s\n", node->path, node->operator->name, shapes->str);
}

static void
print_symbols (const WeftGraph *graph)
{
  for (guint i = 0; i < graph->symbols->len; i++)
    {
      const WeftSymbol *symbol = graph->symbols->pdata[i];
      if (symbol->bound)
        printf ("    %s of `%s`: at most %" G_GINT64_FORMAT "\n", symbol->name, symbol->owner, symbol->bound);
      else
        printf ("    %s of `%s`: known after the pass\n", symbol->name, symbol->owner);
    }
}

static gboolean
print_graph (WeftGraph *graph, gboolean nodes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftPlan) plan = weft_plan_new (graph, &error);
  guint gradients = 0;

  if (!plan)
    {
      fprintf (stderr, "%s\n", error->message);
      return FALSE;
    }
  for (guint i = 0; i < graph->nodes->len; i++)
    gradients += ((WeftNode *) graph->nodes->pdata[i])->kind == WEFT_NODE_GRADIENT;
  printf ("  graph %s: %u nodes, %u of them gradients; %.1f MiB of memory for a step\n", graph->name, graph->nodes->len, gradients,
          (double) plan->arena / (1 << 20));
  if (nodes)
    for (guint i = 0; i < graph->nodes->len; i++)
      print_node (graph->nodes->pdata[i]);
  print_symbols (graph);
  for (guint i = 0; i < graph->pruned->len; i++)
    printf ("    left out, nobody needs it: %s\n", (const char *) graph->pruned->pdata[i]);
  return TRUE;
}

int
weft_cli_check (int argc, char **argv)
{
  WeftCommonOptions common;
  gboolean nodes = FALSE;
  const GOptionEntry own[] = { { "nodes", 0, 0, G_OPTION_ARG_NONE, &nodes, "List every node with the shapes that it gives out", NULL },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  g_autoptr (WeftPipeline) pipeline = NULL;
  guint64 parameters;
  gsize bytes;
  int status = 0;

  if (!weft_cli_parse (&argc, &argv, "PIPELINE", "Checks a pipeline without reading data: syntax, references, attributes, shapes, gradients, memory.", own,
                       &common, &status))
    return status;
  if (argc != 2)
    {
      fprintf (stderr, "weft check: expected one pipeline, such as pipelines/user-f30k.yaml\n");
      return WEFT_EXIT_USAGE;
    }
  pipeline = weft_cli_pipeline (&common, argv[1]);
  weft_cli_options_clear (&common);
  if (!pipeline)
    return WEFT_EXIT_INPUT;
  bytes = stored_bytes (pipeline, &parameters);
  printf ("%s: %" G_GUINT64_FORMAT " parameters in %u networks; %.1f MiB of parameters, moments, queues and statistics\n", pipeline->name, parameters,
          pipeline->networks->len, (double) bytes / (1 << 20));
  for (guint i = 0; i < pipeline->graphs->len; i++)
    if (!print_graph (pipeline->graphs->pdata[i], nodes))
      status = WEFT_EXIT_INPUT;
  return status;
}
