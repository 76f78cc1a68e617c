/* weft evaluate, weft encode: pass over the evaluation graphs with a run's best model.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "evaluation.h"
#include "npy.h"
#include "numbers.h"
#include "runs.h"

static int
evaluate (const char *path, const WeftCommonOptions *common, const char *split, const char *attribute, const char *file, gboolean json)
{
  g_autoptr (WeftSession) session =
      file ? weft_evaluation_open_writing (path, common, split, attribute, file) : weft_evaluation_open (path, common, split, NULL);
  const GPtrArray *graphs = session ? weft_evaluation_graphs (session, path) : NULL;
  g_autoptr (WeftPasses) passes = graphs ? weft_evaluation_pass (session, graphs, common->quiet) : NULL;
  if (!passes)
    return WEFT_EXIT_INPUT;
  g_autoptr (GArray) numbers = weft_passes_numbers (passes);
  if (json)
    weft_cli_print_json (numbers);
  else
    weft_cli_print_numbers (numbers);
  return 0;
}

int
weft_cli_evaluate (int argc, char **argv)
{
  WeftCommonOptions common;
  g_autofree char *split = NULL;
  g_autofree char *save = NULL, *ranks = NULL, *table = NULL;
  gboolean json = FALSE, all = FALSE;
  const GOptionEntry own[] = {
    { "split", 0, 0, G_OPTION_ARG_STRING, &split, "Part of the data; short for --set split=NAME", "NAME" },
    { "save-similarity", 0, 0, G_OPTION_ARG_FILENAME, &save, "Write the matrix of similarities as .npy", "FILE" },
    { "ranks", 0, 0, G_OPTION_ARG_FILENAME, &ranks, "Write the rank of each query as CSV", "FILE" },
    { "table", 0, 0, G_OPTION_ARG_STRING, &table, "Print a row for each run: text (what several runs get), csv, markdown or latex",
      "FORM" },
    { "all", 0, 0, G_OPTION_ARG_NONE, &all, "Tables of runs: all numbers, not only recalls and their sum", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object instead of tables", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
  };
  int status = 0;
  if (!weft_cli_parse (
          &argc, &argv, "RUN|PIPELINE…",
          "Evaluates the best model of a run, or a pipeline whose networks say what to `load`. Of several, it prints one table "
          "for each data set and node, a row a run, and under those on the same data the row of their ensemble: the mean of "
          "their products of embeddings.\n\nExamples:\n"
          "  weft evaluate runs/scenes\n  weft evaluate runs/user-f30k --split dev --save-similarity dev.npy\n"
          "  weft evaluate runs/user-coco --set split=testall --json\n"
          "  weft evaluate runs/user-f30k runs/user-f30k-cge --table latex",
          own, &common, &status))
    return status;
  if (argc < 2)
    status = weft_cli_usage ("weft evaluate: expected run directories, such as runs/scenes");
  else if (save && ranks)
    status = weft_cli_usage ("weft evaluate: one of --save-similarity and --ranks at a time");
  else if (argc == 2 && !table)
    status = evaluate (argv[1], &common, split, save ? "save" : "ranks", save ? save : ranks, json);
  else if (save || ranks || json)
    status = weft_cli_usage ("weft evaluate: --save-similarity, --ranks and --json are for one run without --table");
  else
    status = weft_cli_evaluate_runs ((const char *const *) argv + 1, &common, split, table, all);
  weft_cli_options_clear (&common);
  return status;
}

static void
graphs_to_encode (const WeftRecipe *recipe, GPtrArray *graphs)
{
  for (guint i = 0; i < recipe->encode->len; i++)
    {
      const char *reference = g_array_index (recipe->encode, WeftNamed, i).reference;
      char *name = g_strndup (reference, strcspn (reference, "."));
      if (g_ptr_array_find_with_equal_func (graphs, name, g_str_equal, NULL))
        g_free (name);
      else
        g_ptr_array_add (graphs, name);
    }
}

static int
write_collected (WeftPasses *passes, const WeftRecipe *recipe, const char *directory)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < recipe->encode->len; i++)
    {
      const WeftNamed *named = &g_array_index (recipe->encode, WeftNamed, i);
      const WeftTensor *tensor = weft_passes_collected (passes, named->reference);
      g_autofree char *name = g_strconcat (named->name, ".npy", NULL);
      g_autofree char *file = g_build_filename (directory, name, NULL);
      if (!weft_npy_write (file, tensor, &error))
        {
          fprintf (stderr, "%s\n", error->message);
          return WEFT_EXIT_INPUT;
        }
      g_autofree char *shape = weft_tensor_describe (tensor);
      printf ("%s: %s\n", file, shape);
    }
  return 0;
}

static int
encode (const char *path, const WeftCommonOptions *common, const char *split)
{
  g_autoptr (WeftSession) session = weft_evaluation_open (path, common, split, NULL);
  if (!session)
    return WEFT_EXIT_INPUT;
  const WeftRecipe *recipe = weft_session_recipe (session);
  g_autoptr (GPtrArray) graphs = g_ptr_array_new_with_free_func (g_free);
  graphs_to_encode (recipe, graphs);
  if (graphs->len == 0)
    {
      fprintf (stderr, "%s: there is nothing to encode: `run:` needs `encode: {NAME: GRAPH.COLLECTED}`\n", path);
      return WEFT_EXIT_INPUT;
    }
  if (g_mkdir_with_parents (common->output, 0777) != 0)
    {
      fprintf (stderr, "weft encode: %s can't be made\n", common->output);
      return WEFT_EXIT_INPUT;
    }
  g_autoptr (WeftPasses) passes = weft_evaluation_pass (session, graphs, common->quiet);
  return passes ? write_collected (passes, recipe, common->output) : WEFT_EXIT_INPUT;
}

int
weft_cli_encode (int argc, char **argv)
{
  WeftCommonOptions common;
  g_autofree char *split = NULL;
  const GOptionEntry own[] = { { "split", 0, 0, G_OPTION_ARG_STRING, &split, "Part of the data; short for --set split=NAME", "NAME" },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  int status = 0;
  if (!weft_cli_parse (&argc, &argv, "RUN|PIPELINE",
                       "Writes the embeddings that `run: encode:` names as .npy files, made by a run's best model.\n\nExample:\n"
                       "  weft encode runs/user-f30k --split test --output embeddings",
                       own, &common, &status))
    return status;
  if (argc != 2)
    status = weft_cli_usage ("weft encode: expected one run directory, such as runs/scenes");
  else if (!common.output)
    status = weft_cli_usage ("weft encode: say where to write: --output DIR");
  else
    status = encode (argv[1], &common, split);
  weft_cli_options_clear (&common);
  return status;
}
