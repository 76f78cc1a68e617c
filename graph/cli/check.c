/* weft check: everything that can be known of a pipeline before it runs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "check-module.h"
#include "cli.h"
#include "compare.h"
#include "edit.h"
#include "open.h"
#include "plan.h"

#define MEBIBYTE 0x1p20

/* The network that @path belongs to, or NULL. */
static const WeftNetwork *
network_of (const WeftPipeline *pipeline, const char *path)
{
  for (guint i = 0; i < pipeline->networks->len; i++)
    {
      const WeftNetwork *network = pipeline->networks->pdata[i];
      if (g_str_has_prefix (path, network->name) && path[strlen (network->name)] == '.')
        return network;
    }
  return NULL;
}

static guint64
parameters_of (const WeftPipeline *pipeline, const WeftNetwork *network)
{
  guint64 n = 0;
  for (guint i = 0; i < pipeline->variables->len; i++)
    {
      const WeftVariable *variable = pipeline->variables->pdata[i];
      if (!variable->statistic && network_of (pipeline, variable->path) == network)
        n += (guint64) weft_shape_bound_elements (&variable->shape);
    }
  return n;
}

static gsize
print_stored (const WeftPipeline *pipeline, gboolean parameters)
{
  gsize bytes = 0;
  printf ("%s\n", pipeline->name ? pipeline->name : "(no name)");
  for (guint i = 0; i < pipeline->networks->len; i++)
    {
      const WeftNetwork *network = pipeline->networks->pdata[i];
      printf ("  network %-28s %12" G_GUINT64_FORMAT " parameters%s\n", network->name, parameters_of (pipeline, network),
              network->frozen ? ", frozen" : "");
    }
  for (guint i = 0; i < pipeline->variables->len; i++)
    {
      const WeftVariable *variable = pipeline->variables->pdata[i];
      bytes += weft_shape_bound_bytes (&variable->shape);
      if (!parameters)
        continue;
      g_autofree char *shape = weft_shape_print (&variable->shape);
      printf ("    %-64s %-24s %s\n", variable->path, shape, variable->copy_of ? "copy" : variable->initial ? variable->initial : "");
    }
  printf ("  parameters, moments, queues, statistics: %.1f MiB\n", (double) bytes / MEBIBYTE);
  return bytes;
}

static void
print_node (const WeftNode *node)
{
  g_autoptr (GString) shapes = g_string_new (NULL);
  for (guint i = 0; node->op->outputs && node->op->outputs[i].name; i++)
    if (node->outputs[i] && weft_shape_is_known (&node->outputs[i]->shape) && node->outputs[i]->read)
      {
        g_autofree char *shape = weft_shape_print (&node->outputs[i]->shape);
        g_string_append_printf (shapes, "%s%s %s", shapes->len ? ", " : "", node->op->outputs[i].name, shape);
      }
  printf ("    %-44s %-20s %s\n", node->path, node->kind == WEFT_NODE_GRADIENT ? "gradient" : node->op->name, shapes->str);
}

static void
print_symbols (const WeftGraph *graph)
{
  for (guint i = 0; i < graph->symbols->len; i++)
    {
      const WeftSymbol *symbol = graph->symbols->pdata[i];
      if (symbol->bound)
        printf ("    where %s of `%s` is at most %" G_GINT64_FORMAT "\n", symbol->name, symbol->owner, symbol->bound);
      else
        printf ("    where %s of `%s` is known after the pass\n", symbol->name, symbol->owner);
    }
}

static gboolean
has_any_below (const WeftGraph *graph, const char *prefix)
{
  gsize length = strlen (prefix);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const char *path = ((const WeftNode *) graph->nodes->pdata[i])->path;
      if (g_str_has_prefix (path, prefix) && path[length] == '.')
        return TRUE;
    }
  return FALSE;
}

/* Modules of which nothing is left are one line. */
static void
print_pruned (const WeftGraph *graph)
{
  g_autoptr (GHashTable) printed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < graph->pruned->len; i++)
    {
      g_autofree char *path = g_strdup (graph->pruned->pdata[i]);
      for (char *dot = strchr (path, '.'); dot; dot = strchr (dot + 1, '.'))
        {
          *dot = '\0';
          if (!has_any_below (graph, path))
            break;
          *dot = '.';
        }
      if (g_hash_table_contains (printed, path))
        continue;
      printf ("    left out, nobody needs it: %s\n", path);
      g_hash_table_add (printed, g_steal_pointer (&path));
    }
}

/* Returns: the graph's memory in @bytes, which grows to the largest. */
static gboolean
print_graph (WeftGraph *graph, gboolean nodes, gboolean gradients, gsize *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftPlan) plan = weft_plan_new (graph, &error);
  if (!plan)
    {
      fprintf (stderr, "graph `%s`: %s\n", graph->name, error->message);
      return FALSE;
    }
  guint n_gradients = 0, n_again = 0;
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      n_gradients += ((const WeftNode *) graph->nodes->pdata[i])->kind == WEFT_NODE_GRADIENT;
      n_again += ((const WeftNode *) graph->nodes->pdata[i])->kind == WEFT_NODE_AGAIN;
    }
  printf ("  graph %s: %u nodes", graph->name, graph->nodes->len - n_gradients - n_again);
  if (n_gradients)
    printf (" and %u gradients", n_gradients);
  if (n_again)
    printf (", for which %u are computed again", n_again);
  if (graph->source)
    printf (", over `%s`", graph->source->path);
  printf (", %.1f MiB a step%s\n", (double) plan->arena / MEBIBYTE, graph->feeds->len ? ", and what depends on collected arrays" : "");
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      if (node->kind == WEFT_NODE_FORWARD ? nodes : gradients)
        print_node (node);
    }
  print_symbols (graph);
  print_pruned (graph);
  *bytes = MAX (*bytes, plan->arena);
  return TRUE;
}

/* Every value of a `matrix:`, one at a time. */
static gboolean
check_matrix (const char *path, const WeftCommonOptions *common, const WeftValue *document, WeftProblems *problems)
{
  const WeftValue *matrix = weft_value_lookup (document, "matrix");
  g_auto (GStrv) settings = weft_cli_settings (common);
  gboolean good = TRUE;
  for (guint a = 0; matrix && a < weft_value_length (matrix); a++)
    for (guint i = 0; i < weft_value_length (weft_value_item (matrix, a)); i++)
      {
        g_auto (WeftOpened) opened = { 0 };
        g_autoptr (GPtrArray) cell = g_ptr_array_new_with_free_func (g_free);
        g_autofree char *value = weft_value_print_line (weft_value_item (weft_value_item (matrix, a), i));
        g_ptr_array_add (cell, g_strdup_printf ("%s=%s", weft_value_key (matrix, a), value));
        good &= weft_open (path, (const char *const *) common->overlays, (const char *const *) settings, cell, TRUE, &opened, problems);
      }
  return good;
}

/* The pipeline as it is trained, and as validation and evaluation set its variables. */
static gboolean
open_all (const char *path, const WeftCommonOptions *common, WeftOpened *opened)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) settings = weft_cli_settings (common);
  const char *const *overlays = (const char *const *) common->overlays;
  gboolean good = weft_open (path, overlays, (const char *const *) settings, NULL, TRUE, opened, problems);
  const WeftPhase *phases[] = { good ? &opened->recipe->validate : NULL, good ? &opened->recipe->evaluate : NULL };
  for (guint i = 0; i < G_N_ELEMENTS (phases) && good; i++)
    if (phases[i]->given && phases[i]->vars->len)
      {
        g_auto (WeftOpened) phase = { 0 };
        good = weft_open (path, overlays, (const char *const *) settings, phases[i]->vars, FALSE, &phase, problems);
      }
  good = good && check_matrix (path, common, opened->document, problems);
  if (!weft_problems_to_error (problems, &error))
    fprintf (stderr, "%s\n", error->message);
  return good;
}

static gboolean
open_module (const char *path, const char *module, const WeftCommonOptions *common, WeftOpened *opened)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  opened->pipeline = weft_check_module (path, module, common, problems);
  if (weft_problems_to_error (problems, &error))
    return opened->pipeline != NULL;
  fprintf (stderr, "%s\n", error->message);
  return FALSE;
}

int
weft_cli_check (int argc, char **argv)
{
  WeftCommonOptions common;
  gboolean brief = FALSE, nodes = FALSE, gradients = FALSE, parameters = FALSE;
  g_autofree char *module = NULL;
  const GOptionEntry own[] = { { "brief", 'b', 0, G_OPTION_ARG_NONE, &brief, "Leave out the nodes", NULL },
                               { "nodes", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &nodes, "List nodes, as without --brief", NULL },
                               { "gradients", 0, 0, G_OPTION_ARG_NONE, &gradients, "List gradient nodes too", NULL },
                               { "parameters", 0, 0, G_OPTION_ARG_NONE, &parameters,
                                 "List everything that is stored: parameters, moments, queues", NULL },
                               { "module", 'm', 0, G_OPTION_ARG_STRING, &module,
                                 "Check one module alone; --set gives its attributes, and sizes to the letters of its inputs", "NAME" },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  int status = 0;
  if (!weft_cli_parse (
          &argc, &argv, "PIPELINE|RUN",
          "Checks a pipeline without reading data: syntax, references, attributes, shapes, gradients, memory. All mistakes are "
          "reported together.\n\nExamples:\n  weft check user-f30k\n  weft check pipelines/scenes.yaml --overlay no-sge --set batch=64 "
          "--brief\n  weft check modules/region-encoder.yaml --module region_encoder --set units=64 --set hidden=32 --set width=16 --set "
          "d=16",
          own, &common, &status))
    return status;
  g_auto (WeftOpened) opened = { 0 };
  if (argc != 2)
    status = weft_cli_usage ("weft check: expected one pipeline, such as pipelines/user-f30k.yaml");
  else if (module ? !open_module (argv[1], module, &common, &opened) : !open_all (argv[1], &common, &opened))
    status = WEFT_EXIT_INPUT;
  if (!status)
    {
      gsize stored = print_stored (opened.pipeline, parameters), largest = 0;
      const GPtrArray *edits = weft_edits_report (opened.pipeline->edits);
      for (guint i = 0; edits && i < edits->len; i++)
        printf ("  edit: %s\n", (const char *) edits->pdata[i]);
      for (guint i = 0; i < opened.pipeline->graphs->len; i++)
        if (!print_graph (opened.pipeline->graphs->pdata[i], !brief, gradients, &largest))
          status = WEFT_EXIT_INPUT;
      printf ("  peak memory: %.1f MiB (stored %.1f, largest step %.1f)\n", (double) (stored + largest) / MEBIBYTE,
              (double) stored / MEBIBYTE, (double) largest / MEBIBYTE);
    }
  weft_cli_options_clear (&common);
  return status;
}
