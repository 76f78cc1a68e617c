/* CLIP's towers as modules: published sizes, and what a folder says about itself.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "compose.h"
#include "pipeline.h"
#include "places.h"
#include "rig.h"
#include "weights.h"

static const char *const small[] = { "size=32",
                                     "units=16",
                                     "vocabulary=520",
                                     "networks.image.width=32",
                                     "networks.image.layers=2",
                                     "networks.image.heads=2",
                                     "networks.image.intermediate=64",
                                     "networks.image.patch=8",
                                     "networks.image.positions=17",
                                     "networks.text.width=24",
                                     "networks.text.layers=2",
                                     "networks.text.heads=3",
                                     "networks.text.intermediate=48",
                                     "networks.text.positions=20",
                                     NULL };

/* The pipeline that recordings are replayed with, at the sizes of @settings and then of @more. */
static WeftPipeline *
build (const char *const *settings, const char *const *more, WeftValue **document)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", "clip.yaml", NULL);
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  const char *const search[] = { weft_places_pipelines (), NULL };
  for (guint i = 0; settings[i] != NULL; i++)
    g_ptr_array_add (all, (gpointer) settings[i]);
  for (guint i = 0; more[i] != NULL; i++)
    g_ptr_array_add (all, (gpointer) more[i]);
  g_ptr_array_add (all, NULL);
  WeftComposition composition = { .path = path, .settings = (const char *const *) all->pdata, .search = search };
  *document = weft_compose (&composition, problems);
  WeftPipeline *pipeline = *document != NULL ? weft_pipeline_build (*document, problems) : NULL;
  if (!weft_problems_to_error (problems, &error))
    ck_abort_msg ("%s", error->message);
  return pipeline;
}

static gint64
count_parameters (const char *const *settings)
{
  static const char *const none[] = { NULL };
  g_autoptr (WeftValue) document = NULL;
  WeftPipeline *pipeline = build (settings, none, &document);
  gint64 n = 0;
  for (guint i = 0; i < pipeline->variables->len; i++)
    n += weft_shape_bound_elements (&((const WeftVariable *) pipeline->variables->pdata[i])->shape);
  weft_pipeline_free (pipeline);
  return n;
}

/* Numbers of parameters of the published files, without the scale of logits. */
START_TEST (published_sizes)
{
  static const char *const b32[] = { NULL };
  static const char *const b16[] = { "networks.image.patch=16", "networks.image.positions=197", NULL };
  static const char *const l14[] = { "units=768",
                                     "networks.image.patch=14",
                                     "networks.image.positions=257",
                                     "networks.image.width=1024",
                                     "networks.image.layers=24",
                                     "networks.image.heads=16",
                                     "networks.image.intermediate=4096",
                                     "networks.text.width=768",
                                     "networks.text.heads=12",
                                     "networks.text.intermediate=3072",
                                     NULL };
  ck_assert_int_eq (count_parameters (b32), 151277312);
  ck_assert_int_eq (count_parameters (b16), 149620736);
  ck_assert_int_eq (count_parameters (l14), 427616512);
}
END_TEST

static void
expect_load (const char *setting, const char *message)
{
  const char *folder = "folder=" WEFT_TEST_SOURCE_DIR "/tests/recordings/clip-small-hf", *const more[] = { folder, setting, NULL };
  g_autoptr (WeftValue) document = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *report = NULL;
  WeftPipeline *pipeline = build (small, more, &document);
  WeftStore *store = weft_store_new ();
  ck_assert (weft_store_prepare (store, pipeline, 0, NULL));
  gboolean ok = weft_weights_load (store, pipeline, &report, &error);
  if (message == NULL)
    {
      ck_assert_msg (ok, "%s", error != NULL ? error->message : "");
      ck_assert_ptr_nonnull (strstr (report, ": 40 matched, 0 missing, 37 left over"));
      ck_assert_ptr_nonnull (strstr (report, ": 37 matched, 0 missing, 40 left over"));
    }
  else
    {
      ck_assert_msg (!ok && strstr (error->message, message) != NULL, "\"%s\" does not hold \"%s\"", ok ? "" : error->message, message);
      /* What all tensors of another size would say is not added. */
      ck_assert_msg (strstr (error->message, "needs f32") == NULL, "%s", error->message);
    }
  weft_store_free (store);
  weft_pipeline_free (pipeline);
}

START_TEST (folders_are_held_against_the_pipeline)
{
  expect_load (NULL, NULL);
  expect_load ("networks.image.heads=4", "vision_config.num_attention_heads: 2, but `image.vision");
  expect_load ("networks.text.heads=2", "text_config.num_attention_heads: 3, but `text.language");
  expect_load ("networks.image.epsilon=1e-6", "vision_config.layer_norm_eps");
  /* As many numbers, in other squares. */
  expect_load ("networks.image.patch=4", "vision_config.patch_size: 8");
  expect_load ("networks.image.intermediate=48", "vision_config.intermediate_size: 64, but `image.vision.layer.0.first` has units: 48");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("clip");
  TCase *tests = tcase_create ("clip");
  tcase_set_timeout (tests, 60);
  tcase_add_test (tests, published_sizes);
  tcase_add_test (tests, folders_are_held_against_the_pipeline);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
