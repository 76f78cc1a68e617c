/* weft graph: draw a pipeline's graphs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>

#include "cli.h"
#include "dot.h"

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
                  && g_spawn_sync (NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &messages, &status, &error)
                  && g_spawn_check_wait_status (status, &error);
  if (source)
    remove (source);
  if (messages)
    messages[strcspn (messages, "\n")] = '\0';
  if (!good)
    fprintf (stderr, "weft graph: %s: %s: %s\n", file, error->message, messages ? messages : "");
  return good ? 0 : WEFT_EXIT_INPUT;
}

static int
write_graph (const WeftGraph *graph, gboolean gradients, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dot = weft_graph_dot (graph, gradients);
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

int
weft_cli_graph (int argc, char **argv)
{
  WeftCommonOptions common;
  g_autofree char *name = NULL;
  gboolean gradients = FALSE;
  const GOptionEntry own[] = { { "graph", 'g', 0, G_OPTION_ARG_STRING, &name, "Which graph (default: the one that is trained)", "NAME" },
                               { "gradients", 0, 0, G_OPTION_ARG_NONE, &gradients, "Draw gradient nodes too", NULL },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  int status = 0;
  if (!weft_cli_parse (
          &argc, &argv, "PIPELINE",
          "Draws one graph of a pipeline. --output FILE with the ending .svg, .pdf or .png goes through Graphviz; any other file, or "
          "standard output, gets Graphviz's own language.\n\nExamples:\n  weft graph scenes --graph train --output train.svg\n"
          "  weft graph user-f30k -g images | less",
          own, &common, &status))
    return status;
  if (argc != 2)
    status = weft_cli_usage ("weft graph: expected one pipeline, such as pipelines/scenes.yaml");
  g_autoptr (WeftPipeline) pipeline = status ? NULL : weft_cli_pipeline (&common, argv[1]);
  const WeftGraph *graph = pipeline ? choose (pipeline, name) : NULL;
  if (graph)
    status = write_graph (graph, gradients, common.output);
  else if (!status)
    status = WEFT_EXIT_INPUT;
  weft_cli_options_clear (&common);
  return status;
}
