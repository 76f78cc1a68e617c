/* Every recording is met, and every deliberate mistake is noticed by one.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "registry.h"
#include "replay.h"
#include "rig.h"

static void
run (const char *name, const ReplayOptions *options, Report *report)
{
  g_autofree char *path = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", name, NULL);
  g_autoptr (GError) error = NULL;
  if (!replay (path, options, report, &error))
    ck_abort_msg ("%s: %s", name, error->message);
}

static const ReportRow *
row_of (const Report *report, const char *quantity)
{
  for (guint i = 0; i < report->rows->len; i++)
    if (g_str_equal (((ReportRow *) report->rows->pdata[i])->quantity, quantity))
      return report->rows->pdata[i];
  return NULL;
}

/* What each recording has to have been compared in, so that nothing passes by being left out. */
static const struct
{
  const char *name;
  const char *quantities[16];
} recordings[] = {
  { "user-small.safetensors",
    { "loss_batch", "loss_queue", "loss", "grad_norm", "image_embedding", "text_embedding", "first gradients", "first gradients (noise)",
      "final", "final_key", "queues", "evaluation" } },
  { "user-small-harsh.safetensors",
    { "loss_batch", "loss_queue", "loss", "grad_norm", "image_embedding", "text_embedding", "first gradients", "final", "final_key",
      "queues", "evaluation" } },
  { "user-small-no-queue.safetensors",
    { "loss_batch", "grad_norm", "image_embedding", "text_embedding", "first gradients", "final", "evaluation" } },
  { "user-small-cge.safetensors",
    { "loss_batch", "loss_queue", "loss", "grad_norm", "image_embedding", "text_embedding", "first gradients", "final", "final_key",
      "queues", "evaluation" } },
  { "user-small-bigru.safetensors",
    { "loss_batch", "loss_queue", "loss", "grad_norm", "image_embedding", "text_embedding", "first gradients", "final", "final_key",
      "queues", "evaluation" } },
  { "user-small-plain.safetensors",
    { "loss_batch", "loss_queue", "loss", "grad_norm", "image_embedding", "text_embedding", "first gradients", "final", "final_key",
      "queues", "evaluation" } },
  { "bert-small-hf", { "last_hidden_state" } },
  { "bert-small-hf-legacy", { "last_hidden_state" } },
  { "clip-small-hf", { "image_embedding", "vision_last_hidden_state", "patches", "text_embedding" } },
  { "losses.safetensors", { "losses", "gradients" } },
  { "recalls.safetensors", { "recalls", "recalls over folds" } },
  { "user-small.pth", { "tensors", "loss_batch", "loss_queue", "first gradients", "final", "queues", "evaluation" } },
  { "user-small-old.pth", { "tensors", "loss_batch", "loss_queue", "first gradients", "final", "queues", "evaluation" } },
  { "butd.tsv", { "features" } },
};

START_TEST (recording_is_met)
{
  g_autoptr (Report) report = report_new ();
  run (recordings[_i].name, NULL, report);
  if (strcmp (recordings[_i].name, "clip-small-hf") == 0 && weft_registry_find ("photographs") != NULL)
    ck_assert_msg (row_of (report, "pixels") != NULL, "photographs were not compared");
  for (guint k = 0; recordings[_i].quantities[k] != NULL; k++)
    ck_assert_msg (row_of (report, recordings[_i].quantities[k]) != NULL, "%s: %s was not compared", recordings[_i].name,
                   recordings[_i].quantities[k]);
  for (guint k = 0; k < report->rows->len; k++)
    {
      const ReportRow *row = report->rows->pdata[k];
      ck_assert_msg (row->worst <= row->tolerance, "%s: %s differs by %g at %s", recordings[_i].name, row->quantity, row->worst,
                     row->where);
    }
}
END_TEST

/* A recording without queues may say so by losses of zero as well as by none. */
START_TEST (losses_of_zero_are_met)
{
  /* What is put in is as long as what is left out, so that the header keeps its length. */
  static const char seed[] = "\"seed\":\"9\",", none[] = "\"loss_queue\":\"[]\"", zeros[] = "\"loss_queue\":\"[0,0,0,0,0,0]\"";
  g_autofree char *folder = rig_folder (), *path = g_build_filename (folder, "zeros.safetensors", NULL), *data = NULL;
  g_autofree char *from = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", "user-small-no-queue.safetensors", NULL);
  g_autoptr (Report) report = report_new ();
  g_autoptr (GError) error = NULL;
  gsize length;
  ck_assert (g_file_get_contents (from, &data, &length, NULL));
  char *left_out = memmem (data, length, seed, strlen (seed)), *at = memmem (data, length, none, strlen (none));
  ck_assert (left_out != NULL && at != NULL && left_out < at);
  memmove (left_out, left_out + strlen (seed), (gsize) (at - left_out) - strlen (seed));
  memcpy (at - strlen (seed), zeros, strlen (zeros));
  ck_assert (g_file_set_contents (path, data, (gssize) length, NULL));
  ck_assert_msg (replay (path, NULL, report, &error), "%s", error ? error->message : "");
  ck_assert_ptr_nonnull (row_of (report, "loss_queue"));
  ck_assert (report_passes (report));
  rig_remove (folder);
}
END_TEST

/* The mistake, a recording that notices it, and the quantity that gives it away. */
static const struct
{
  const char *mutation, *name, *quantity;
} mistakes[] = {
  { "no-decay", "user-small-harsh.safetensors", "final" },
  { "tenfold-decay", "user-small-harsh.safetensors", "final" },
  { "no-diagonal", "user-small-harsh.safetensors", "loss_batch" },
  { "statistics-averaged", "user-small-harsh.safetensors", "final_key" },
  { "norm-momentum", "user-small.safetensors", "final" },
  { "enqueue-before-loss", "user-small.safetensors", "loss_queue" },
  { "momentum-after-keys", "user-small.safetensors", "queues" },
  { "no-clipping", "user-small.safetensors", "final" },
  { "clipping-per-encoder", "user-small.safetensors", "final" },
  { "key-in-evaluation-mode", "user-small.safetensors", "queues" },
  { "layer-norm-epsilon", "user-small-cge.safetensors", "text_embedding" },
};

START_TEST (mistake_is_noticed)
{
  g_autoptr (Report) report = report_new ();
  run (mistakes[_i].name, &(ReplayOptions){ .mutation = mistakes[_i].mutation }, report);
  const ReportRow *row = row_of (report, mistakes[_i].quantity);
  ck_assert_ptr_nonnull (row);
  ck_assert_msg (row->worst > row->tolerance, "%s: %s went unnoticed: it differs by %g", mistakes[_i].mutation, row->quantity, row->worst);
  ck_assert (!report_passes (report));
}
END_TEST

/* What stands in for a mistake, without the mistake. */
static const char *const right[] = { "right-clipping", "right-momentum", "right-enqueue", "right-diagonal" };

START_TEST (what_makes_mistakes_can_do_without)
{
  static const char *const names[] = { "user-small.safetensors", "user-small-harsh.safetensors" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (Report) report = report_new ();
      run (names[i], &(ReplayOptions){ .mutation = right[_i] }, report);
      for (guint k = 0; k < report->rows->len; k++)
        {
          const ReportRow *row = report->rows->pdata[k];
          ck_assert_msg (row->worst <= row->tolerance, "%s of %s: %s differs by %g at %s", right[_i], names[i], row->quantity, row->worst,
                         row->where);
        }
      ck_assert (report_passes (report));
    }
}
END_TEST

START_TEST (byte_pairs_are_as_recorded)
{
  g_autofree char *merges = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", "clip-bpe-merges.txt", NULL);
  g_autoptr (Report) report = report_new ();
  run ("clip-bpe.txt", &(ReplayOptions){ .vocabulary = merges }, report);
  const ReportRow *row = row_of (report, "ids");
  ck_assert_ptr_nonnull (row);
  ck_assert_msg (report_passes (report), "%s differs", row->where);
}
END_TEST

/* Products from bfloat16 follow a recording within their own tolerance, and are not float32. */
START_TEST (bf16_follows_a_recording)
{
  static const char *const compared[] = { "loss",   "grad_norm", "image_embedding", "text_embedding", "first gradients",
                                          "queues", "evaluation" };
  g_autoptr (Report) report = report_new ();
  run ("user-small.safetensors", &(ReplayOptions){ .bf16 = TRUE }, report);
  report_print (report);
  ck_assert (report_passes (report));
  for (gsize i = 0; i < G_N_ELEMENTS (compared); i++)
    ck_assert_msg (row_of (report, compared[i]) != NULL && row_of (report, compared[i])->worst > 1e-4, "%s", compared[i]);
}
END_TEST

START_TEST (every_mutation_is_tried)
{
  for (const char *const *name = mutation_names (); *name != NULL; name++)
    {
      gboolean tried = FALSE;
      for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++)
        tried |= g_str_equal (mistakes[i].mutation, *name);
      ck_assert_msg (tried, "%s", *name);
    }
}
END_TEST

int
main (void)
{
  TCase *tests = tcase_create ("recordings");
  Suite *suite = suite_create ("recordings");
  g_autoptr (GError) error = NULL;
  weft_registry_load (NULL);
  if (!mutants_register (&error))
    g_error ("%s", error->message);
  tcase_set_timeout (tests, 120);
  tcase_add_loop_test (tests, recording_is_met, 0, G_N_ELEMENTS (recordings));
  tcase_add_test (tests, losses_of_zero_are_met);
  tcase_add_loop_test (tests, mistake_is_noticed, 0, G_N_ELEMENTS (mistakes));
  tcase_add_loop_test (tests, what_makes_mistakes_can_do_without, 0, G_N_ELEMENTS (right));
  tcase_add_test (tests, byte_pairs_are_as_recorded);
  tcase_add_test (tests, bf16_follows_a_recording);
  tcase_add_test (tests, every_mutation_is_tried);
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
