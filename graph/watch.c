/* Watching the state of a training run.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "watch.h"

#include <math.h>
#include <string.h>

#include "pass.h"

struct _WeftWatch
{
  const WeftRecipe *recipe;
  WeftGraph *train;
  gboolean silent, dead;
  gboolean *collapsed; /* one per watched embedding */
  gboolean looked;
};

WeftWatch *
weft_watch_new (const WeftRecipe *recipe, WeftGraph *train)
{
  WeftWatch *watch = g_new0 (WeftWatch, 1);
  watch->recipe = recipe;
  watch->train = train;
  watch->collapsed = g_new0 (gboolean, recipe->watch_collapse->len + 1);
  return watch;
}

void
weft_watch_free (WeftWatch *watch)
{
  if (!watch)
    return;
  g_free (watch->collapsed);
  g_free (watch);
}

double
weft_mean_cosine (const WeftTensor *rows)
{
  gint64 n = rows->rank ? rows->shape[0] : 0, width = weft_tensor_columns (rows);
  if (n < 2)
    return 0;
  g_autofree double *sum = g_new0 (double, (gsize) width);
  gint64 counted = 0;
  for (gint64 i = 0; i < n; i++)
    {
      const float *row = (const float *) rows->data + i * width;
      double square = 0;
      for (gint64 j = 0; j < width; j++)
        square += (double) row[j] * (double) row[j];
      if (square == 0)
        continue;
      counted++;
      for (gint64 j = 0; j < width; j++)
        sum[j] += (double) row[j] / sqrt (square);
    }
  double square = 0;
  for (gint64 j = 0; j < width; j++)
    square += sum[j] * sum[j];
  return counted < 2 ? 0 : (square - (double) counted) / ((double) counted * (double) (counted - 1));
}

static double
number (WeftWatch *watch, WeftExecutor *executor, const char *reference)
{
  WeftWire *wire = reference ? weft_graph_wire (watch->train, reference) : NULL;
  return wire ? weft_tensor_number (weft_executor_value (executor, wire)) : (double) NAN;
}

/* Whether something has just become wrong. */
static gboolean
turned (gboolean *state, gboolean wrong)
{
  gboolean news = wrong && !*state;
  *state = wrong;
  return news;
}

void
weft_watch_look (WeftWatch *watch, WeftExecutor *executor, GPtrArray *alarms)
{
  const WeftRecipe *recipe = watch->recipe;
  double silent = number (watch, executor, recipe->watch_silent);
  if (turned (&watch->silent, silent > recipe->silent_above))
    g_ptr_array_add (alarms,
                     g_strdup_printf ("%.0f %% of the samples get no gradient (%s = %g). If this stays so, the run will not learn: set "
                                      "another seed, a smaller scale or a smaller margin of the loss, or start from trained weights",
                                      100 * silent, recipe->watch_silent, silent));
  double norm = number (watch, executor, recipe->watch_norm);
  if (turned (&watch->dead, norm < recipe->norm_below))
    g_ptr_array_add (alarms,
                     g_strdup_printf ("the gradient norm is %.2g (%s), below %g: the run is dead, further training changes nothing. "
                                      "Stop it and set another seed, or a smaller scale or margin of the loss",
                                      norm, recipe->watch_norm, recipe->norm_below));
  for (guint i = 0; i < recipe->watch_collapse->len; i++)
    {
      const WeftNamed *named = &g_array_index (recipe->watch_collapse, WeftNamed, i);
      const WeftTensor *rows = weft_executor_value (executor, weft_graph_wire (watch->train, named->reference));
      double cosine = rows && rows->data ? weft_mean_cosine (rows) : 0;
      /* Untrained encoders give much the same to all: what counts is whether they still do at the second look. */
      if (turned (&watch->collapsed[i], watch->looked && cosine > recipe->collapse_above))
        g_ptr_array_add (alarms,
                         g_strdup_printf ("the embeddings `%s` collapse: the mean cosine between different ones is %.4f, above %g. If "
                                          "it does not fall within some hundred steps, set a smaller rate, or a loss with fewer hard "
                                          "negatives at first",
                                          named->name, cosine, recipe->collapse_above));
    }
  watch->looked = TRUE;
}
