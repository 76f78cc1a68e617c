/* weft: the command.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "manual.h"

static const WeftCommand commands[] = {
  { "train", "train a pipeline, or go on with a run", weft_cli_train },
  { "evaluate", "score the best models of runs on any part of the data, and their ensemble", weft_cli_evaluate },
  { "compare", "tell whether one run is better than another by more than chance", weft_cli_compare },
  { "efficiency", "measure what an image, a caption and a query cost", weft_cli_efficiency },
  { "encode", "write a run's embeddings as .npy files", weft_cli_encode },
  { "check", "check a pipeline without reading data: nodes, parameters, shapes, memory", weft_cli_check },
  { "inspect", "show operators: ports, attributes, parameters, documentation", weft_cli_inspect },
  { "new-operator", "write a folder to start an operator from", weft_cli_new_operator },
  { "test-operator", "test operators: shapes, gradients, threads, restoring, speed", weft_cli_test_operator },
  { "graph", "draw a graph", weft_cli_graph },
  { "ablate", "train and evaluate variants over seeds, and compare them in a table", weft_cli_ablate },
  { "sweep", "the same over the values of a matrix", weft_cli_sweep },
  { "curves", "draw what a run has logged over training", weft_cli_curves },
  { "config", "show a pipeline as one document, with where each value stands", weft_cli_config },
  { "explain", "say where a value comes from, and what it overrode", weft_cli_explain },
  { "diff", "compare two pipelines or runs as graphs", weft_cli_diff },
  { "run", "run a graph up to a node, and look at values", weft_cli_run },
  { "profile", "show where the time and memory of a step go", weft_cli_profile },
  { "format", "lay out pipeline files", weft_cli_format },
  { "schema", "print the pipeline language as JSON Schema, for editors", weft_cli_schema },
  { "verify", "compare the checksums of a run's checkpoints, or of a file", weft_cli_verify },
  { "info", "show versions, processor, kernels and modules", weft_cli_info },
  { "convert", "make feature files of a detector's dumps", weft_cli_convert },
  { "weights", "list the tensors of a file of weights", weft_cli_weights },
};

static void
print_usage (FILE *to)
{
  fprintf (to, "Usage: weft COMMAND [OPTION…] [ARGUMENT…]\n\nCommands:\n");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (to, "  %-14s %s\n", commands[i].name, commands[i].summary);
  weft_cli_print_module_commands (to);
  fprintf (to, "\n`weft COMMAND --help` shows a command's options.\n");
}

static int
unknown_command (const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *hint = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    g_ptr_array_add (names, (gpointer) commands[i].name);
  g_ptr_array_add (names, NULL);
  hint = weft_suggestion (name, (const char *const *) names->pdata);
  fprintf (stderr, "weft: there is no command \"%s\"%s\n", name, hint);
  return WEFT_EXIT_USAGE;
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  setlocale (LC_NUMERIC, "C");
  if (argc < 2)
    {
      print_usage (stderr);
      return WEFT_EXIT_USAGE;
    }
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0 || strcmp (argv[1], "help") == 0)
    {
      print_usage (stdout);
      return 0;
    }
  if (strcmp (argv[1], "--manual") == 0)
    {
      weft_manual_overview (commands, G_N_ELEMENTS (commands));
      return 0;
    }
  if (strcmp (argv[1], "--commands") == 0)
    {
      for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
        puts (commands[i].name);
      weft_cli_list_module_commands ();
      return 0;
    }
  if (strcmp (argv[1], "complete") == 0)
    return weft_cli_complete (argc - 1, argv + 1);
  if (strcmp (argv[1], "--version") == 0)
    {
      printf ("weft %s\n", PACKAGE_VERSION);
      return 0;
    }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (argv[1], commands[i].name) == 0)
      return commands[i].run (argc - 1, argv + 1);
  const WeftModuleCommand *of_module = weft_cli_find_module_command (argc - 1, argv + 1);
  return of_module ? weft_cli_run_module_command (of_module, argc - 1, argv + 1) : unknown_command (argv[1]);
}
