/* Ensembles of any number of runs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "runs.h"

static void
tensor_free (gpointer data)
{
  WeftTensor *tensor = data;
  g_free (tensor->data);
  g_free (tensor);
}

void
weft_ensemble_init (WeftEnsemble *ensemble)
{
  *ensemble = (WeftEnsemble){ .joined = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, tensor_free) };
}

void
weft_ensemble_clear (WeftEnsemble *ensemble)
{
  g_clear_pointer (&ensemble->joined, g_hash_table_unref);
}

static gboolean
join (WeftEnsemble *ensemble, const char *reference, const WeftTensor *rows, GError **error)
{
  const WeftTensor *before = g_hash_table_lookup (ensemble->joined, reference);
  if (!rows || rows->type != WEFT_F32 || rows->rank != 2 || rows->offsets)
    {
      g_autofree char *found = rows ? weft_tensor_describe (rows) : g_strdup ("nothing");
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "`%s` is %s; an ensemble needs embeddings, one a row", reference, found);
      return FALSE;
    }
  if (ensemble->models > 0 && (!before || before->shape[0] != rows->shape[0]))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "`%s` has %" G_GINT64_FORMAT " rows, in the runs before %" G_GINT64_FORMAT,
                   reference, rows->shape[0], before ? before->shape[0] : 0);
      return FALSE;
    }
  gint64 n = rows->shape[0], old = before ? before->shape[1] : 0, added = rows->shape[1];
  WeftTensor *joined = g_new0 (WeftTensor, 1);
  *joined = (WeftTensor){ .type = WEFT_F32, .rank = 2, .shape = { n, old + added } };
  joined->data = g_new (float, n *(old + added) + 1);
  for (gint64 i = 0; i < n; i++)
    {
      float *to = (float *) joined->data + i * (old + added);
      if (old > 0)
        memcpy (to, (const float *) before->data + i * old, (gsize) old * sizeof (float));
      memcpy (to + old, (const float *) rows->data + i * added, (gsize) added * sizeof (float));
    }
  g_hash_table_insert (ensemble->joined, g_strdup (reference), joined);
  return TRUE;
}

gboolean
weft_ensemble_add (WeftEnsemble *ensemble, WeftSession *session, WeftPasses *passes, const GPtrArray *graphs, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < graphs->len; i++)
    {
      const WeftGraph *graph = weft_pipeline_graph (weft_session_pipeline (session), graphs->pdata[i]);
      for (guint f = 0; !graph->source && f < graph->feeds->len; f++)
        {
          const WeftNode *feed = graph->feeds->pdata[f];
          char *reference = g_strconcat (feed->collected_graph, ".", feed->collected_name, NULL);
          const WeftTensor *rows = weft_passes_collected (passes, reference);
          if (g_hash_table_add (seen, reference) && !join (ensemble, reference, rows, error))
            return FALSE;
        }
    }
  ensemble->models++;
  return TRUE;
}

/* Products of rows that are each divided by √K are means instead of sums. */
static void
scale (WeftTensor *tensor, guint models)
{
  float by = (float) (1 / sqrt (models));
  for (gint64 i = 0; i < weft_tensor_elements (tensor); i++)
    ((float *) tensor->data)[i] *= by;
}

WeftPasses *
weft_ensemble_score (WeftEnsemble *ensemble, WeftSession *session, const GPtrArray *graphs, GError **error)
{
  g_autoptr (GPtrArray) scoring = g_ptr_array_new ();
  for (guint i = 0; i < graphs->len; i++)
    if (!weft_pipeline_graph (weft_session_pipeline (session), graphs->pdata[i])->source)
      g_ptr_array_add (scoring, graphs->pdata[i]);
  g_autoptr (WeftPasses) passes = weft_passes_new (weft_session_pipeline (session), scoring, weft_session_store (session),
                                                   weft_session_team (session), (guint64) weft_session_recipe (session)->seed, error);
  GHashTableIter iterator;
  gpointer reference, tensor;
  g_hash_table_iter_init (&iterator, ensemble->joined);
  while (passes && g_hash_table_iter_next (&iterator, &reference, &tensor))
    {
      scale (tensor, ensemble->models);
      weft_passes_give (passes, reference, tensor);
    }
  return passes && weft_passes_run (passes, NULL, NULL, error) ? g_steal_pointer (&passes) : NULL;
}
