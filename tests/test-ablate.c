/* Ablations: the shipped ones fit the shipped pipelines; tables continue after kills, and repeat nothing.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>
#include <sys/wait.h>

#include "compose.h"
#include "digest.h"
#include "folder.h"
#include "open.h"

#define MOST_LINES 5

static char *
source_file (const char *name)
{
  return g_build_filename (WEFT_TEST_SOURCE_DIR, "pipelines", name, NULL);
}

static char *
digest_of (const char *pipeline, const char *overlay, const char *setting)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_auto (WeftOpened) opened = { 0 };
  g_autofree char *file = source_file (pipeline);
  const char *const overlays[] = { overlay, NULL }, *const settings[] = { setting, NULL };
  gboolean good = weft_open (file, overlays, settings, NULL, TRUE, &opened, problems);
  ck_assert_msg (good, "%s -o %s --set %s: %s", pipeline, overlay ? overlay : "-", setting ? setting : "-",
                 weft_problems_count (problems) ? weft_problems_get (problems, 0) : "");
  return weft_pipeline_digest (opened.pipeline);
}

static void
check_cells (const char *pipeline, const char *name, const WeftValue *overlay, const char *base)
{
  const WeftValue *matrix = weft_value_lookup (overlay, "matrix");
  g_autofree char *plain = matrix ? NULL : digest_of (pipeline, name, NULL);
  if (plain)
    ck_assert_msg (strcmp (plain, base) != 0, "%s changes nothing in %s", name, pipeline);
  for (guint i = 0; matrix && i < weft_value_length (matrix); i++)
    {
      const WeftValue *values = weft_value_item (matrix, i);
      g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      for (guint k = 0; k < weft_value_length (values); k++)
        {
          g_autofree char *setting = g_strdup_printf ("%s=%s", weft_value_key (matrix, i), weft_value_text (weft_value_item (values, k)));
          ck_assert_msg (g_hash_table_add (seen, digest_of (pipeline, name, setting)), "%s: two cells are the same", setting);
        }
    }
}

/* Every shipped ablation is a few lines that fit every USER pipeline and change what is computed. */
START_TEST (shipped_ablations_fit)
{
  static const char *const pipelines[] = { "scenes.yaml", "user-f30k.yaml", "user-f30k-bigru.yaml", "user-coco.yaml" };
  static const char *const expected[] = { "no-sge",   "cge",   "no-queue", "queue-only", "no-momentum", "queue-length",
                                          "momentum", "scale", "margin",   "triplet",    "info-nce",    "mean-pooling" };
  g_autofree char *place = source_file ("ablations");
  g_autoptr (GDir) dir = g_dir_open (place, 0, NULL);
  guint found = 0;
  g_setenv ("WEFT_DATA", folder, TRUE);
  for (const char *file; (file = g_dir_read_name (dir));)
    {
      g_autofree char *path = g_build_filename (place, file, NULL), *text = NULL, *name = g_strndup (file, strlen (file) - 5);
      g_autoptr (WeftProblems) problems = weft_problems_new ();
      ck_assert (g_file_get_contents (path, &text, NULL, NULL));
      g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", -1);
      ck_assert_msg (g_strv_length (lines) <= MOST_LINES, "%s has %u lines", file, g_strv_length (lines));
      g_autoptr (WeftValue) overlay = weft_document_load (path, problems);
      ck_assert_ptr_nonnull (overlay);
      for (guint e = 0; e < G_N_ELEMENTS (expected); e++)
        found += strcmp (name, expected[e]) == 0;
      for (guint p = 0; p < G_N_ELEMENTS (pipelines); p++)
        {
          g_autofree char *base = digest_of (pipelines[p], NULL, NULL);
          check_cells (pipelines[p], name, overlay, base);
        }
    }
  ck_assert_uint_eq (found, G_N_ELEMENTS (expected));
}
END_TEST

/* Overlays that only show more fit every USER pipeline. */
START_TEST (shipped_looks_fit)
{
  static const char *const pipelines[] = { "scenes.yaml", "user-f30k.yaml", "user-f8k-small.yaml", "user-coco.yaml" };
  static const char *const looks[] = { "similarities", "answers", "sheet" };
  g_setenv ("WEFT_DATA", folder, TRUE);
  for (guint p = 0; p < G_N_ELEMENTS (pipelines); p++)
    for (guint l = 0; l < G_N_ELEMENTS (looks); l++)
      g_free (digest_of (pipelines[p], looks[l], NULL));
}
END_TEST

/* What is written in another way is the same run; what computes something else is not. */
START_TEST (digests_tell_runs_apart)
{
  g_autofree char *base = digest_of ("scenes.yaml", NULL, NULL), *same = digest_of ("scenes.yaml", NULL, "train.loss.scale=90.0"),
                  *logs = digest_of ("scenes.yaml", NULL, "run.log.every=5"),
                  *rate = digest_of ("scenes.yaml", NULL, "train.momentum.rate=0.9"), *seed = digest_of ("scenes.yaml", NULL, "run.seed=1"),
                  *frozen = digest_of ("scenes.yaml", NULL, "networks.text.frozen=true"),
                  *schedule = digest_of ("scenes.yaml", NULL, "drop_epoch=7"), *epochs = digest_of ("scenes.yaml", NULL, "epochs=11");
  ck_assert_str_eq (base, same);
  ck_assert_str_eq (base, logs);
  const char *const others[] = { rate, seed, frozen, schedule, epochs };
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    ck_assert_msg (strcmp (base, others[i]) != 0, "%u", i);
}
END_TEST

/* A change to a data file makes another run; the time of a change alone does not. */
START_TEST (digests_follow_data)
{
  g_autofree char *words = g_build_filename (folder, "words.txt", NULL);
  rig_write (folder, "words.txt", "one\ntwo\n", -1);
  g_autofree char *setting = g_strdup_printf ("graphs.train.nodes.tokens.captions='%s'", words);
  g_autofree char *before = digest_of ("scenes.yaml", NULL, setting), *again = digest_of ("scenes.yaml", NULL, setting);
  rig_write (folder, "words.txt", "one\ntwo\nthree\n", -1);
  g_autofree char *after = digest_of ("scenes.yaml", NULL, setting);
  ck_assert_str_eq (before, again);
  ck_assert_str_ne (before, after);
  rig_write (folder, "words.txt", "one\ntwo\n", -1);
  g_autofree char *back = digest_of ("scenes.yaml", NULL, setting);
  ck_assert_str_eq (before, back);
  rig_write (folder, "words.txt", "one\nTwo\n", -1);
  g_autofree char *letter = digest_of ("scenes.yaml", NULL, setting);
  ck_assert_str_ne (before, letter);
}
END_TEST

START_TEST (digests_leave_out_what_is_written)
{
  g_autofree char *drawn = g_build_filename (folder, "drawn", NULL);
  g_autofree char *setting = g_strdup_printf ("graphs.train.nodes.pairs.draw='%s'", drawn);
  g_autofree char *before = digest_of ("scenes.yaml", NULL, setting);
  g_mkdir (drawn, 0777);
  rig_write (drawn, "train-0.svg", "<svg/>", -1);
  g_autofree char *after = digest_of ("scenes.yaml", NULL, setting);
  ck_assert_str_eq (before, after);
}
END_TEST

typedef struct
{
  char *out, *err;
  int status;
} Ran;

static void
ran_clear (Ran *ran)
{
  g_free (ran->out);
  g_free (ran->err);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Ran, ran_clear)

static char **
arguments_of (const char *command, const char *const *more)
{
  GPtrArray *arguments = g_ptr_array_new ();
  g_ptr_array_add (arguments, g_build_filename (WEFT_TEST_BUILD_DIR, "weft", NULL));
  g_ptr_array_add (arguments, g_strdup (command));
  g_ptr_array_add (arguments, source_file ("scenes.yaml"));
  static const char *const small[] = { "--set", "run.train.steps=8", "--set",     "batch=8",  "--set", "queue=16",
                                       "--set", "hidden=8",          "--set",     "embed=16", "--set", "run.checkpoint.every={steps: 1}",
                                       "--set", "run.log.every=2",   "--threads", "1" };
  for (guint i = 0; i < G_N_ELEMENTS (small); i++)
    g_ptr_array_add (arguments, g_strdup (small[i]));
  for (; *more; more++)
    g_ptr_array_add (arguments, g_strdup (*more));
  g_ptr_array_add (arguments, NULL);
  return (char **) g_ptr_array_free (arguments, FALSE);
}

static Ran
weft (const char *command, const char *const *more)
{
  g_auto (GStrv) arguments = arguments_of (command, more);
  Ran ran = { 0 };
  int status = 0;
  g_autoptr (GError) error = NULL;
  if (!g_spawn_sync (NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, &ran.out, &ran.err, &status, &error))
    ck_abort_msg ("%s", error->message);
  ran.status = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
  return ran;
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static char *
table_of (const char *place, const char *form)
{
  g_autofree char *path = g_strdup_printf ("%s/%s/table.%s", folder, place, form);
  char *text = NULL;
  ck_assert_msg (g_file_get_contents (path, &text, NULL, NULL), "%s", path);
  return text;
}

START_TEST (tables_continue_after_kills)
{
  g_autofree char *whole = g_build_filename (folder, "whole", NULL), *killed = g_build_filename (folder, "killed", NULL);
  g_auto (Ran) first = weft ("ablate", WORDS ("--output", whole, "--only", "no-sge,no-queue", "--seeds", "2", "--no-times", "-q"));
  ck_assert_msg (first.status == 0, "%s", first.err);
  g_autofree char *expected = table_of ("whole", "csv");
  ck_assert_ptr_nonnull (strstr (expected, "\nno-sge,2,"));
  g_autoptr (GRand) random = g_rand_new_with_seed (5);
  g_auto (GStrv) arguments =
      arguments_of ("ablate", WORDS ("--output", killed, "--only", "no-sge,no-queue", "--seeds", "2", "--no-times", "-q", "--jobs", "2"));
  for (guint kills = 0; kills < 8; kills++)
    {
      GPid child;
      ck_assert (g_spawn_async (NULL, arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                                NULL, NULL, &child, NULL));
      g_usleep ((gulong) g_rand_int_range (random, 20000, 500000));
      kill (child, kills % 2 ? SIGKILL : SIGTERM);
      waitpid (child, NULL, 0);
    }
  g_usleep (200000); /* the killed one's children end with it, not before */
  g_auto (Ran) last =
      weft ("ablate", WORDS ("--output", killed, "--only", "no-sge,no-queue", "--seeds", "2", "--no-times", "-q", "--jobs", "2"));
  ck_assert_msg (last.status == 0, "%s", last.err);
  g_autofree char *table = table_of ("killed", "csv");
  ck_assert_str_eq (table, expected);
}
END_TEST

START_TEST (nothing_is_run_twice)
{
  g_autofree char *output = g_build_filename (folder, "runs", NULL);
  g_auto (Ran) first = weft ("ablate", WORDS ("--output", output, "--only", "no-queue"));
  ck_assert_msg (first.status == 0, "%s", first.err);
  ck_assert_ptr_nonnull (strstr (first.out, "  no-queue, seed 0: trained; "));
  g_auto (Ran) second = weft ("ablate", WORDS ("--output", output, "--only", "no-queue,momentum", "--format", "markdown"));
  ck_assert_msg (second.status == 0, "%s", second.err);
  ck_assert_ptr_nonnull (strstr (second.err, "  no-queue, seed 0: finished before; "));
  ck_assert_ptr_nonnull (strstr (second.err, "  momentum rate=0.99, seed 0: the same run as base"));
  ck_assert_ptr_nonnull (strstr (second.err, "  momentum rate=0.9, seed 0: trained; "));
  ck_assert (g_str_has_prefix (second.out, "| variant "));
  g_autofree char *curve = g_build_filename (output, "momentum.svg", NULL), *svg = NULL, *latex = table_of ("runs", "tex");
  ck_assert (g_file_get_contents (curve, &svg, NULL, NULL));
  ck_assert (g_str_has_prefix (svg, "<svg ") && strstr (svg, ">0.9999</text>"));
  ck_assert_ptr_nonnull (strstr (latex, "image\\_r1 & "));
  /* The command line changes the base; what a variant is about stays. */
  g_auto (Ran) queue = weft ("ablate", WORDS ("--output", output, "--only", "no-negatives", "--plan"));
  ck_assert_ptr_nonnull (strstr (queue.out, "  no-negatives, seed 0: to be trained; "));
}
END_TEST

START_TEST (failures_stop_or_are_passed_by)
{
  g_autofree char *output = g_build_filename (folder, "runs", NULL), *bad = g_build_filename (folder, "bad.yaml", NULL),
                  *wrong = g_build_filename (folder, "wrong.yaml", NULL);
  rig_write (folder, "bad.yaml", "edits: [{set: {train.tokens.captions: nowhere.txt}}]\n", -1);
  rig_write (folder, "wrong.yaml", "edits: [{bypass: image.enhanc}]\n", -1);
  g_autofree char *names = g_strconcat (bad, ",no-queue", NULL);
  g_auto (Ran) stopped = weft ("ablate", WORDS ("--output", output, "--only", names));
  ck_assert_int_eq (stopped.status, 1);
  ck_assert_ptr_nonnull (strstr (stopped.out, "  bad, seed 0: failed: "));
  ck_assert_ptr_nonnull (strstr (stopped.out, "  no-queue, seed 0: not begun, as another run failed; --keep-going goes on"));
  g_auto (Ran) on = weft ("ablate", WORDS ("--output", output, "--only", names, "--keep-going"));
  ck_assert_int_eq (on.status, 1);
  ck_assert_ptr_nonnull (strstr (on.out, "  no-queue, seed 0: trained; "));
  /* A mistake is told before anything is run. */
  g_auto (Ran) refused = weft ("ablate", WORDS ("--output", output, "--only", wrong));
  ck_assert_int_eq (refused.status, 1);
  ck_assert_ptr_nonnull (strstr (refused.err, "wrong.yaml:1:18: there is no \"enhanc\" in `image`; did you mean \"enhance\"?"));
  ck_assert_str_eq (refused.out, "");
  g_auto (Ran) nothing = weft ("sweep", WORDS ("--output", output));
  ck_assert_int_eq (nothing.status, 1);
  ck_assert_ptr_nonnull (strstr (nothing.err, "has no `matrix:` to sweep over"));
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("ablate");
  TCase *tests = tcase_create ("ablate");
  tcase_set_timeout (tests, 240);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, shipped_ablations_fit);
  tcase_add_test (tests, shipped_looks_fit);
  tcase_add_test (tests, digests_tell_runs_apart);
  tcase_add_test (tests, digests_follow_data);
  tcase_add_test (tests, digests_leave_out_what_is_written);
  tcase_add_test (tests, tables_continue_after_kills);
  tcase_add_test (tests, nothing_is_run_twice);
  tcase_add_test (tests, failures_stop_or_are_passed_by);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
