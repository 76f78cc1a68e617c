/* weft evaluate, weft encode: pass over the evaluation graphs with a run's best model.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "attributes.h"
#include "cli.h"
#include "directory.h"
#include "npy.h"
#include "numbers.h"
#include "progress.h"
#include "session-private.h"

static gboolean
tick (gpointer data, const WeftGraph *graph, guint64 step, GError **error G_GNUC_UNUSED)
{
  if (weft_progress_wants (data))
    {
      g_autofree char *text = g_strdup_printf ("%s  step %" G_GUINT64_FORMAT, graph->name, step);
      weft_progress_update (data, text);
    }
  return TRUE;
}

/* Settings of the command line, with `--split` and `--seed` as the settings that they stand for. */
static char **
gather_settings (const WeftCommonOptions *common, const char *split, const GPtrArray *more)
{
  GPtrArray *settings = g_ptr_array_new ();
  g_auto (GStrv) given = weft_cli_settings (common);
  if (split)
    g_ptr_array_add (settings, g_strdup_printf ("split=%s", split));
  for (char **setting = given; *setting; setting++)
    g_ptr_array_add (settings, g_strdup (*setting));
  for (guint i = 0; more && i < more->len; i++)
    g_ptr_array_add (settings, g_strdup (more->pdata[i]));
  g_ptr_array_add (settings, NULL);
  return (char **) g_ptr_array_free (settings, FALSE);
}

/* Passes over @graphs, NULL after a message. */
static WeftPasses *
pass_over (WeftSession *session, const GPtrArray *graphs, gboolean quiet)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftProgress) progress = weft_progress_new (quiet ? NULL : stderr);
  g_autoptr (WeftPasses) passes = weft_passes_new (weft_session_pipeline (session), graphs, weft_session_store (session),
                                                   weft_session_team (session), (guint64) weft_session_recipe (session)->seed, &error);
  if (passes && weft_passes_run (passes, tick, progress, &error))
    return g_steal_pointer (&passes);
  g_clear_pointer (&progress, weft_progress_free);
  fprintf (stderr, "%s\n", error->message);
  return NULL;
}

/* Settings that make nodes of the evaluation write their matrix to @file: those whose operator has a path attribute `save`. */
static gboolean
save_settings (WeftSession *session, const char *file, GPtrArray *settings)
{
  const GPtrArray *graphs = weft_session_recipe (session)->evaluate.graphs;
  g_autofree char *absolute = g_canonicalize_filename (file, NULL);
  for (guint i = 0; i < graphs->len; i++)
    {
      const WeftGraph *graph = weft_pipeline_graph (weft_session_pipeline (session), graphs->pdata[i]);
      for (guint n = 0; n < graph->nodes->len; n++)
        {
          const WeftNode *node = graph->nodes->pdata[n];
          const WeftAttribute *attribute = weft_operator_attribute (node->operator, "save");
          if (attribute && attribute->kind == WEFT_ATTRIBUTE_PATH && !strchr (node->path, '.'))
            {
              g_ptr_array_add (settings, g_strdup_printf ("graphs.%s.nodes.%s.save='%s'", graph->name, node->path, absolute));
              return TRUE;
            }
        }
    }
  fprintf (stderr, "weft evaluate: no node of the evaluation graphs has an attribute `save` to write similarities\n");
  return FALSE;
}

/* Whether a pipeline, which unlike a run directory has no best model, says where its networks' weights are. */
static gboolean
has_weights (WeftSession *session, const char *path)
{
  const GPtrArray *networks = weft_session_pipeline (session)->networks;
  for (guint i = 0; i < networks->len && !weft_directory_is_run (path); i++)
    {
      const WeftNetwork *network = networks->pdata[i];
      if (network->load)
        continue;
      fprintf (stderr, "%s: network `%s` is not trained: name the directory of a run, or give the network weights, load: {path: FILE}\n",
               path, network->name);
      return FALSE;
    }
  return TRUE;
}

static WeftSession *
open_session (const char *path, const WeftCommonOptions *common, const char *split, const GPtrArray *more)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) settings = gather_settings (common, split, more);
  g_autoptr (WeftSession) session = weft_session_open_overlaid (
      path, (const char *const *) common->overlays, (const char *const *) settings, "evaluate", (guint) MAX (common->threads, 0), &error);
  if (!session)
    fprintf (stderr, "%s\n", error->message);
  return session && has_weights (session, path) ? g_steal_pointer (&session) : NULL;
}

static int
evaluate (const char *path, const WeftCommonOptions *common, const char *split, const char *save, gboolean json)
{
  g_autoptr (WeftSession) session = open_session (path, common, split, NULL);
  if (!session)
    return WEFT_EXIT_INPUT;
  if (!weft_session_recipe (session)->evaluate.given)
    {
      fprintf (stderr, "%s: there is nothing to evaluate: `run:` needs `evaluate: {graphs: [NAME, …]}`\n", path);
      return WEFT_EXIT_INPUT;
    }
  if (save)
    {
      g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_free);
      if (!save_settings (session, save, settings))
        return WEFT_EXIT_INPUT;
      weft_session_free (session);
      session = open_session (path, common, split, settings);
      if (!session)
        return WEFT_EXIT_INPUT;
    }
  g_autoptr (WeftPasses) passes = pass_over (session, weft_session_recipe (session)->evaluate.graphs, common->quiet);
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
  g_autofree char *save = NULL;
  gboolean json = FALSE;
  const GOptionEntry own[] = { { "split", 0, 0, G_OPTION_ARG_STRING, &split, "Part of the data; short for --set split=NAME", "NAME" },
                               { "save-similarity", 0, 0, G_OPTION_ARG_FILENAME, &save, "Write the matrix of similarities as .npy",
                                 "FILE" },
                               { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object instead of tables", NULL },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  int status = 0;
  if (!weft_cli_parse (&argc, &argv, "RUN|PIPELINE",
                       "Evaluates the best model of a run, or a pipeline whose networks say what to `load`.\n\nExamples:\n"
                       "  weft evaluate runs/scenes\n  weft evaluate runs/user-f30k --split dev --save-similarity dev.npy\n"
                       "  weft evaluate runs/user-coco --set split=testall --json",
                       own, &common, &status))
    return status;
  status = argc == 2 ? evaluate (argv[1], &common, split, save, json)
                     : weft_cli_usage ("weft evaluate: expected one run directory, such as runs/scenes");
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
  g_autoptr (WeftSession) session = open_session (path, common, split, NULL);
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
  g_autoptr (WeftPasses) passes = pass_over (session, graphs, common->quiet);
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
