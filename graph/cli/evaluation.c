/* Evaluations of runs, as several commands need them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "evaluation.h"

#include <stdio.h>
#include <string.h>

#include "attributes.h"
#include "directory.h"
#include "progress.h"

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

WeftPasses *
weft_evaluation_pass (WeftSession *session, const GPtrArray *graphs, gboolean quiet)
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

WeftSession *
weft_evaluation_open (const char *path, const WeftCommonOptions *common, const char *split, const GPtrArray *more)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) settings = gather_settings (common, split, more);
  g_autoptr (WeftSession) session = weft_session_open_overlaid (
      path, (const char *const *) common->overlays, (const char *const *) settings, "evaluate", (guint) MAX (common->threads, 0), &error);
  if (!session)
    fprintf (stderr, "%s\n", error->message);
  return session && has_weights (session, path) ? g_steal_pointer (&session) : NULL;
}

const GPtrArray *
weft_evaluation_graphs (WeftSession *session, const char *path)
{
  if (weft_session_recipe (session)->evaluate.given)
    return weft_session_recipe (session)->evaluate.graphs;
  fprintf (stderr, "%s: there is nothing to evaluate: `run:` needs `evaluate: {graphs: [NAME, …]}`\n", path);
  return NULL;
}

/* The setting that makes a node of @graphs write @file; NULL: no operator there has a path attribute @name. It is the last such node of
 * the first such graph: what is computed of others, such as an ensemble of similarities, is what is scored. */
static char *
file_setting (WeftSession *session, const GPtrArray *graphs, const char *name, const char *file)
{
  g_autofree char *absolute = g_canonicalize_filename (file, NULL);
  for (guint i = 0; i < graphs->len; i++)
    {
      const WeftGraph *graph = weft_pipeline_graph (weft_session_pipeline (session), graphs->pdata[i]);
      for (guint n = graph->nodes->len; n-- > 0;)
        {
          const WeftNode *node = graph->nodes->pdata[n];
          const WeftAttribute *attribute = weft_operator_attribute (node->op, name);
          if (attribute && attribute->kind == WEFT_ATTRIBUTE_PATH && !strchr (node->path, '.'))
            return g_strdup_printf ("graphs.%s.nodes.%s.%s='%s'", graph->name, node->path, name, absolute);
        }
    }
  fprintf (stderr, "weft: no node of the evaluation graphs has an attribute `%s` to write %s\n", name, file);
  return NULL;
}

WeftSession *
weft_evaluation_open_writing (const char *path, const WeftCommonOptions *common, const char *split, const char *attribute, const char *file)
{
  g_autoptr (WeftSession) session = weft_evaluation_open (path, common, split, NULL);
  g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_free);
  const GPtrArray *graphs = session ? weft_evaluation_graphs (session, path) : NULL;
  char *setting = graphs ? file_setting (session, graphs, attribute, file) : NULL;
  if (!setting)
    return NULL;
  g_ptr_array_add (settings, setting);
  return weft_evaluation_open (path, common, split, settings);
}
