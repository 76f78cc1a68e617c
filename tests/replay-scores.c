/* Recorded losses and recalls of given embeddings.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "replay.h"

#define LOSSES 1e-5

static gboolean
feed_both (const Run *run, const char *images, const char *captions, const WeftTensor *image, const WeftTensor *text, GError **error)
{
  return weft_executor_feed (run->executor, images, image, error) && weft_executor_feed (run->executor, captions, text, error);
}

static gboolean
compare_feed_gradient (WeftSafetensors *file, const Run *run, const char *loss, const char *feed, Report *report, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s/grad_%s", loss, feed);
  g_autoptr (WeftTensor) expected = file_tensor (file, name, error);
  const WeftTensor *gradient = weft_executor_value (run->executor, weft_graph_node (run->graph, feed)->out_gradients[0]);
  if (expected == NULL)
    return FALSE;
  report_note (report, "gradients", LOSSES, name, relative_difference (gradient->data, expected->data, weft_tensor_elements (expected)));
  return TRUE;
}

static gboolean
replay_loss (WeftSafetensors *file, const Setup *setup, const char *loss, const WeftTensor *image, const WeftTensor *text, Report *report,
             GError **error)
{
  Run run = { 0 };
  gboolean ok = run_open (&run, setup, loss, error) && feed_both (&run, "image", "text", image, text, error) && run_step (&run, error);
  if (ok)
    {
      double value = (double) *(const float *) run_value (&run, "loss")->data, expected = metadata_number (file, loss, NAN);
      report_note (report, "losses", LOSSES, loss, fabs (value - expected) / fabs (expected));
    }
  ok = ok && compare_feed_gradient (file, &run, loss, "image", report, error)
       && compare_feed_gradient (file, &run, loss, "text", report, error);
  run_clear (&run);
  return ok;
}

gboolean
replay_losses (WeftSafetensors *file, Report *report, GError **error)
{
  static const char *const losses[] = { "triplet_sum", "triplet_hardest", "info_nce" };
  g_autoptr (WeftTensor) image = file_tensor (file, "image_embedding", error);
  g_autoptr (WeftTensor) text = image ? file_tensor (file, "text_embedding", error) : NULL;
  g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_free);
  Setup setup;
  if (text == NULL)
    return FALSE;
  add_setting (settings, "rows=%d", (int) image->shape[0]);
  add_setting (settings, "width=%d", (int) image->shape[1]);
  add_setting (settings, "margin=%.17g", metadata_number (file, "margin", 0.2));
  add_setting (settings, "temperature=%.17g", metadata_number (file, "temperature", 0.07));
  g_ptr_array_add (settings, NULL);
  gboolean ok = setup_open (&setup, "losses.yaml", NULL, settings, error);
  for (guint i = 0; ok && i < G_N_ELEMENTS (losses); i++)
    ok = replay_loss (file, &setup, losses[i], image, text, report, error);
  setup_clear (&setup);
  return ok;
}

/* R@1, R@5, R@10, median and mean rank, as the recording lists them. */
static const char *const figures[] = { "r1", "r5", "r10", "median", "mean" };

/* One figure of one fold, or of everything when there are none. */
static double
recorded_figure (WeftSafetensors *file, gboolean folds, const char *direction, guint figure)
{
  g_autofree char *key = g_strdup_printf ("%s%s", folds ? "folds_" : "", direction);
  guint n = folds ? metadata_length (file, key) : 1;
  double sum = 0;
  for (guint i = 0; i < n; i++)
    sum += folds ? metadata_item (file, key, i, (int) figure) : metadata_item (file, key, figure, -1);
  return sum / n;
}

static gboolean
replay_ranking (WeftSafetensors *file, const Setup *setup, gboolean folds, const WeftTensor *image, const WeftTensor *text, Report *report,
                GError **error)
{
  const char *graph = folds ? "folds" : "all";
  Run run = { 0 };
  gboolean ok =
      run_open (&run, setup, graph, error) && feed_both (&run, "images", "captions", image, text, error) && run_step (&run, error);
  for (guint i = 0; ok && i < G_N_ELEMENTS (figures); i++)
    for (guint d = 0; d < 2; d++)
      {
        g_autofree char *name = g_strdup_printf ("%s_%s", d == 0 ? "image" : "caption", figures[i]);
        g_autofree char *where = g_strdup_printf ("%s of %s", name, graph);
        float expected = (float) recorded_figure (file, folds, d == 0 ? "image_to_text" : "text_to_image", i);
        report_note (report, folds ? "recalls over folds" : "recalls", 0, where,
                     fabs ((double) *(const float *) run_value (&run, name)->data - (double) expected));
      }
  if (ok && !folds)
    report_note (report, "recalls", 0, "rsum",
                 fabs ((double) *(const float *) run_value (&run, "rsum")->data - (double) (float) metadata_number (file, "rsum", NAN)));
  run_clear (&run);
  return ok;
}

gboolean
replay_recalls (WeftSafetensors *file, Report *report, GError **error)
{
  g_autoptr (WeftTensor) image = file_tensor (file, "image_embedding", error);
  g_autoptr (WeftTensor) text = image ? file_tensor (file, "text_embedding", error) : NULL;
  g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_free);
  guint folds = metadata_length (file, "folds_image_to_text");
  Setup setup;
  if (text == NULL)
    return FALSE;
  add_setting (settings, "images=%d", (int) image->shape[0]);
  add_setting (settings, "captions=%d", (int) text->shape[0]);
  add_setting (settings, "width=%d", (int) image->shape[1]);
  add_setting (settings, "folds=%u", MAX (folds, 1));
  g_ptr_array_add (settings, NULL);
  gboolean ok = setup_open (&setup, "recalls.yaml", NULL, settings, error)
                && replay_ranking (file, &setup, FALSE, image, text, report, error)
                && (folds == 0 || replay_ranking (file, &setup, TRUE, image, text, report, error));
  setup_clear (&setup);
  return ok;
}
