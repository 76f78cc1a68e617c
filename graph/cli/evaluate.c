/* weft evaluate: score a run's best model.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint.h"
#include "cli.h"
#include "directory.h"
#include "open.h"
#include "pass.h"
#include "safetensors.h"

/* Fills the store from @path by name; the evaluation reads a part of what was saved. */
static gboolean
load_model (WeftStore *store, const char *path, GError **error)
{
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, error);
  g_autoptr (GPtrArray) paths = NULL;

  if (!file)
    return FALSE;
  paths = weft_store_paths (store);
  for (guint i = 0; i < paths->len; i++)
    {
      WeftTensor *tensor = weft_store_lookup (store, paths->pdata[i]);
      const WeftTensor *saved = weft_safetensors_find (file, paths->pdata[i]);
      /* Positions of sources are not part of a model. */
      if (!saved && tensor->type != WEFT_F32)
        continue;
      if (!saved || saved->type != tensor->type || weft_tensor_bytes (saved) != weft_tensor_bytes (tensor))
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %s is %s there; was the pipeline changed since?", path, (const char *) paths->pdata[i],
                       saved ? "of another size" : "missing");
          return FALSE;
        }
      if (!weft_safetensors_read (file, paths->pdata[i], tensor->data, error))
        return FALSE;
    }
  return TRUE;
}

/* Numbers of one node side by side where their names share a beginning: image_r1, image_r5 → a row `image`. */
static void
print_table (const GArray *numbers)
{
  const char *last_node = "";

  for (guint i = 0; i < numbers->len;)
    {
      const WeftPassNumber *first = &g_array_index (numbers, WeftPassNumber, i);
      const char *underscore = strchr (first->port, '_');
      gsize length = underscore ? (gsize) (underscore - first->port) + 1 : 0;
      guint end = i + 1;
      while (length && end < numbers->len && strcmp (g_array_index (numbers, WeftPassNumber, end).node, first->node) == 0
             && strncmp (g_array_index (numbers, WeftPassNumber, end).port, first->port, length) == 0)
        end++;
      if (strcmp (last_node, first->node) != 0)
        printf ("%s.%s\n", first->graph, first->node);
      last_node = first->node;
      printf ("  %-12.*s", (int) (length ? length - 1 : strlen (first->port)), first->port);
      for (; i < end; i++)
        {
          const WeftPassNumber *number = &g_array_index (numbers, WeftPassNumber, i);
          printf ("  %s%s%.4g", length ? number->port + length : "", length ? " " : "", number->value);
        }
      printf ("\n");
    }
}

static gboolean
evaluate (const WeftCommonOptions *common, const char *path, const char *split, GError **error)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_auto (WeftOpened) plain = { 0 };
  g_auto (WeftOpened) opened = { 0 };
  g_autoptr (GPtrArray) vars = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (WeftStore) store = weft_store_new ();
  g_autoptr (WeftTeam) team = NULL;
  g_autofree char *model = g_build_filename (path, "best.safetensors", NULL);
  WeftPasses *passes;
  gboolean good;

  if (!weft_open (path, (const char *const *) common->overlays, (const char *const *) common->settings, NULL, FALSE, &plain, problems))
    return weft_problems_to_error (problems, error);
  for (guint i = 0; plain.recipe->evaluate.vars && i < plain.recipe->evaluate.vars->len; i++)
    g_ptr_array_add (vars, g_strdup (plain.recipe->evaluate.vars->pdata[i]));
  if (split)
    g_ptr_array_add (vars, g_strdup_printf ("split=%s", split));
  if (!weft_open (path, (const char *const *) common->overlays, (const char *const *) common->settings, vars, FALSE, &opened, problems))
    return weft_problems_to_error (problems, error);
  if (!opened.recipe->evaluate.given)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: `run:` has no `evaluate: {graphs: […]}`", path);
      return FALSE;
    }
  team = weft_team_new ((guint) MAX (common->threads, 0), error);
  if (!team || !weft_store_prepare (store, opened.pipeline, 0, error) || !load_model (store, model, error))
    return FALSE;
  passes = weft_passes_new (opened.pipeline, opened.recipe->evaluate.graphs, store, team, 0, error);
  good = passes && weft_passes_run (passes, NULL, NULL, error);
  if (good)
    {
      g_autoptr (GArray) numbers = weft_passes_numbers (passes);
      print_table (numbers);
    }
  g_clear_pointer (&passes, weft_passes_free);
  return good;
}

int
weft_cli_evaluate (int argc, char **argv)
{
  WeftCommonOptions common;
  g_autofree char *split = NULL;
  const GOptionEntry own[] = { { "split", 0, 0, G_OPTION_ARG_STRING, &split, "Score this split (sets the variable `split`)", "NAME" },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  g_autoptr (GError) error = NULL;
  int status = 0;

  if (!weft_cli_parse (&argc, &argv, "RUN", "Scores the best model of a run.", own, &common, &status))
    return status;
  if (argc != 2)
    {
      fprintf (stderr, "weft evaluate: expected one run directory\n");
      status = WEFT_EXIT_USAGE;
    }
  else if (!evaluate (&common, argv[1], split, &error))
    {
      fprintf (stderr, "%s\n", error ? error->message : "evaluation failed");
      status = WEFT_EXIT_INPUT;
    }
  weft_cli_options_clear (&common);
  return status;
}
