/* weft graph: draw a pipeline's graphs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>

#include "cli.h"
#include "compare.h"
#include "dot.h"
#include "open.h"
#include "pipeline.h"

/* Passes @dot through Graphviz into @file. */
static int
write_drawing (const char *dot, const char *type, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_find_program_in_path ("dot");
  g_autofree char *source = NULL;
  g_autofree char *messages = NULL;
  int status = 0;
  if (!program)
    {
      fprintf (stderr,
               "weft graph: Graphviz is needed for %s files (the program `dot`; Debian, Fedora, Arch: graphviz); without it, write a "
               ".dot file\n",
               type);
      return WEFT_EXIT_INPUT;
    }
  int handle = g_file_open_tmp ("weft-XXXXXX.dot", &source, &error);
  if (handle >= 0)
    g_close (handle, NULL);
  g_autofree char *type_option = g_strconcat ("-T", type, NULL);
  char *arguments[] = { program, type_option, (char *) "-o", (char *) file, source, NULL };
  gboolean good = handle >= 0 && g_file_set_contents (source, dot, -1, &error)
                  && g_spawn_sync (NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &messages, &status, &error) && status == 0;
  if (source)
    remove (source);
  if (messages)
    messages[strcspn (messages, "\n")] = '\0';
  if (!good)
    fprintf (stderr, "weft graph: %s: %s: %s\n", file, error ? error->message : "Graphviz failed", messages ? messages : "");
  return good ? 0 : WEFT_EXIT_INPUT;
}

static int
write_graph (const WeftGraph *graph, const WeftDotOptions *options, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dot = weft_graph_dot (graph, options);
  const char *ending = file ? strrchr (file, '.') : NULL;
  if (!file || strcmp (file, "-") == 0)
    {
      fputs (dot, stdout);
      return 0;
    }
  if (ending && (strcmp (ending, ".svg") == 0 || strcmp (ending, ".pdf") == 0 || strcmp (ending, ".png") == 0))
    return write_drawing (dot, ending + 1, file);
  if (g_file_set_contents (file, dot, -1, &error))
    return 0;
  fprintf (stderr, "weft graph: %s\n", error->message);
  return WEFT_EXIT_INPUT;
}

/* Whether @file has graphs of its own, and so is no overlay. */
static gboolean
is_pipeline (const char *file)
{
  g_autoptr (WeftProblems) ignored = weft_problems_new ();
  g_autoptr (WeftValue) document = g_file_test (file, G_FILE_TEST_IS_REGULAR) ? weft_document_load (file, ignored) : NULL;
  return document && (weft_value_lookup (document, "pipeline") || weft_value_lookup (document, "include"));
}

static const WeftGraph *
choose (const WeftPipeline *pipeline, const char *name)
{
  const WeftValue *trained = weft_value_at (pipeline->document, "run.train.graph");
  if (!name && trained && weft_value_kind (trained) == WEFT_VALUE_SCALAR)
    name = weft_value_text (trained);
  if (!name && pipeline->graphs->len > 0)
    return pipeline->graphs->pdata[0];
  const WeftGraph *graph = name ? weft_pipeline_graph (pipeline, name) : NULL;
  if (graph)
    return graph;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; i < pipeline->graphs->len; i++)
    g_ptr_array_add (names, ((WeftGraph *) pipeline->graphs->pdata[i])->name);
  g_ptr_array_add (names, NULL);
  g_autofree char *hint = weft_suggestion (name ? name : "", (const char *const *) names->pdata);
  fprintf (stderr, "weft graph: there is no graph \"%s\"%s\n", name ? name : "", hint);
  return NULL;
}

typedef struct
{
  char *name, *diff;
  char **folds;
  gboolean gradients, plan;
} Options;

/* A colour for each change: red for what goes, amber for what changes. */
static GHashTable *
mark_changes (const WeftPipeline *a, const WeftPipeline *b)
{
  g_autoptr (GPtrArray) changes = weft_compare (a, b);
  GHashTable *marks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < changes->len; i++)
    {
      const WeftChange *change = changes->pdata[i];
      gboolean gone = change->kind == WEFT_CHANGE_REMOVE;
      for (guint g = 0; g < a->graphs->len; g++)
        for (guint n = 0; n < ((const WeftGraph *) a->graphs->pdata[g])->nodes->len; n++)
          {
            g_autofree char *address = weft_node_address (((const WeftGraph *) a->graphs->pdata[g])->nodes->pdata[n]);
            gsize length = strlen (change->address);
            if (g_str_has_prefix (address, change->address) && (!address[length] || address[length] == '.'))
              g_hash_table_replace (marks, g_steal_pointer (&address),
                                    (gpointer) (gone ? ", style=\"filled,dashed\", fillcolor=\"#f8d8d8\", color=\"#c03030\""
                                                     : ", style=\"filled\", fillcolor=\"#fbe8b0\", color=\"#a07000\""));
          }
    }
  return marks;
}

/* Numbers among @folds are depths, the rest are paths. */
static WeftDotOptions
read_folds (const Options *options)
{
  WeftDotOptions dot = { .gradients = options->gradients, .depth = -1, .folds = options->folds };
  for (char **fold = options->folds; fold && *fold; fold++)
    {
      char *end;
      gint64 depth = g_ascii_strtoll (*fold, &end, 10);
      if (!*end && end != *fold)
        dot.depth = (int) CLAMP (depth, 0, 100);
    }
  return dot;
}

static int
draw (const char *path, const WeftCommonOptions *common, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftPipeline) pipeline = weft_cli_pipeline (common, path);
  const WeftGraph *graph = pipeline ? choose (pipeline, options->name) : NULL;
  if (!graph)
    return WEFT_EXIT_INPUT;
  WeftDotOptions dot = read_folds (options);
  g_autoptr (WeftPlan) plan = options->plan ? weft_plan_new ((WeftGraph *) graph, &error) : NULL;
  if (options->plan && !plan)
    {
      fprintf (stderr, "weft graph: %s\n", error->message);
      return WEFT_EXIT_INPUT;
    }
  dot.plan = plan;
  g_autoptr (WeftPipeline) other = NULL;
  g_autoptr (GHashTable) marks = NULL;
  if (options->diff)
    {
      g_autoptr (GPtrArray) overlays = g_ptr_array_new ();
      for (guint i = 0; common->overlays && common->overlays[i]; i++)
        g_ptr_array_add (overlays, common->overlays[i]);
      g_ptr_array_add (overlays, options->diff);
      g_ptr_array_add (overlays, NULL);
      g_autofree char *file = weft_pipeline_file (options->diff);
      gboolean whole = is_pipeline (file);
      WeftCommonOptions with = *common;
      with.overlays = whole ? common->overlays : (char **) overlays->pdata;
      other = weft_cli_pipeline (&with, whole ? options->diff : path);
      if (!other)
        return WEFT_EXIT_INPUT;
      marks = mark_changes (pipeline, other);
      dot.marks = marks;
      dot.other = weft_pipeline_graph (other, graph->name);
    }
  return write_graph (graph, &dot, common->output);
}

int
weft_cli_graph (int argc, char **argv)
{
  WeftCommonOptions common;
  Options options = { 0 };
  const GOptionEntry own[] = {
    { "graph", 'g', 0, G_OPTION_ARG_STRING, &options.name, "Which graph (default: the one that is trained)", "NAME" },
    { "gradients", 0, 0, G_OPTION_ARG_NONE, &options.gradients, "Draw gradient nodes too", NULL },
    { "fold", 'f', 0, G_OPTION_ARG_STRING_ARRAY, &options.folds,
      "Draw modules as one box: those nested this deep (0: all uses of networks), or of these paths, such as *.gpo (repeatable)",
      "DEPTH|PATH" },
    { "plan", 0, 0, G_OPTION_ARG_NONE, &options.plan, "Show the order of execution and the bytes of each node", NULL },
    { "diff", 0, 0, G_OPTION_ARG_STRING, &options.diff, "Colour what another pipeline, or an overlay on this one, changes",
      "PIPELINE|OVERLAY" },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
  };
  int status = 0;
  if (!weft_cli_parse (
          &argc, &argv, "PIPELINE",
          "Draws one graph of a pipeline. --output FILE with the ending .svg, .pdf or .png goes through Graphviz; any other file, or "
          "standard output, gets Graphviz's own language.\n\nExamples:\n  weft graph scenes --graph train --fold 1 --output train.svg\n"
          "  weft graph scenes --diff no-sge --output change.svg\n  weft graph user-f30k -g images --plan | less",
          own, &common, &status))
    return status;
  status =
      argc == 2 ? draw (argv[1], &common, &options) : weft_cli_usage ("weft graph: expected one pipeline, such as pipelines/scenes.yaml");
  g_free (options.name);
  g_free (options.diff);
  g_strfreev (options.folds);
  weft_cli_options_clear (&common);
  return status;
}
