/* Training as a whole, on generated scenes at small size: in a few seconds USER is far from chance, and far from knowing everything.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <json-glib/json-glib.h>

#include "rig.h"
#include "run.h"

/* Of 200 images with five captions each, one in 200 is found first by chance, and so on to the tenth, in both directions: rSum 16. */
#define CHANCE 16.0

/* The validations' scores, in order. */
static GArray *
scores_of (const char *directory)
{
  g_autofree char *path = g_build_filename (directory, "metrics.jsonl", NULL), *text = NULL;
  GArray *scores = g_array_new (FALSE, FALSE, sizeof (double));
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autoptr (JsonNode) node = *lines[i] != '\0' ? json_from_string (lines[i], NULL) : NULL;
      if (node == NULL || !json_object_has_member (json_node_get_object (node), "score"))
        continue;
      double score = json_object_get_double_member (json_node_get_object (node), "score");
      g_array_append_val (scores, score);
    }
  return scores;
}

START_TEST (scenes_are_learned_but_not_by_heart)
{
  static const char *const settings[] = { "epochs=3",
                                          "drop_epoch=2",
                                          "embed=64",
                                          "hidden=32",
                                          "queue=256",
                                          "graphs.train.nodes.pairs.images=600",
                                          "graphs.train.nodes.update.rate=5e-3",
                                          NULL };
  g_autofree char *folder = rig_folder ();
  g_autofree char *pipeline = g_build_filename (WEFT_TEST_SOURCE_DIR, "pipelines", "scenes.yaml", NULL),
                  *output = g_build_filename (folder, "run", NULL);
  const WeftRunOptions options = { .pipeline = pipeline, .output = output, .settings = settings, .threads = 2 };
  g_autoptr (GError) error = NULL;
  WeftRun *run = weft_run_open (&options, &error);
  ck_assert_msg (run != NULL, "%s", error ? error->message : "");
  ck_assert_msg (weft_run_train (run, &error) == WEFT_RUN_FINISHED, "%s", error ? error->message : "");
  weft_run_free (run);
  g_autoptr (GArray) scores = scores_of (output);
  ck_assert_uint_eq (scores->len, 3);
  double first = g_array_index (scores, double, 0), last = g_array_index (scores, double, 2);
  ck_assert_msg (last > 6 * CHANCE && last > first, "rSum %g after one epoch and %g after three; chance is %g", first, last, CHANCE);
  ck_assert_msg (last < 500, "rSum %g after three small epochs", last);
  rig_remove (folder);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("learning");
  TCase *tests = tcase_create ("learning");
  tcase_set_timeout (tests, 300);
  tcase_add_test (tests, scenes_are_learned_but_not_by_heart);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
