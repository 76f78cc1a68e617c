/* Disks that are full or broken, memory and threads that there are not: each is said, and leaves a state to go on from.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "checkpoint.h"
#include "contents.h"
#include "faults.h"
#include "npy.h"
#include "rig.h"
#include "run.h"

static char *folder;

static void
set_up (void)
{
  folder = rig_folder ();
}

static void
tear_down (void)
{
  fault_clear ();
  rig_remove (folder);
  g_free (folder);
}

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

typedef struct
{
  const char *pipeline;
  const char *const *overlays, *const *settings;
} Experiment;

#define SMALL                                                                                                                              \
  "epochs=3", "embed=16", "hidden=8", "queue=64", "batch=16", "drop_epoch=2", "run.log.every=1", "run.checkpoint.every={steps: 5}"

static const Experiment scenes = { "scenes", NULL,
                                   (const char *const[]){ SMALL, "graphs.train.nodes.pairs.images=16",
                                                          "graphs.images.nodes.items.images=10", "graphs.captions.nodes.items.images=10",
                                                          "run.watch.collapse_above=1", NULL } };

/* Trains for three epochs of five steps into @name, or goes on there. Returns: all that was said, with the error last. */
static char *
train_as (const Experiment *experiment, const char *name, guint threads, WeftRunOutcome expected)
{
  g_autofree char *output = in_folder (name), *said = NULL, *text = NULL;
  g_autofree char *pipeline = g_strdup_printf (WEFT_TEST_SOURCE_DIR "/pipelines/%s.yaml", experiment->pipeline);
  size_t size = 0;
  FILE *out = open_memstream (&said, &size);
  g_autoptr (GError) error = NULL;
  WeftRunOptions options = { .pipeline = pipeline,
                             .output = output,
                             .overlays = experiment->overlays,
                             .settings = experiment->settings,
                             .threads = threads,
                             .out = out };
  WeftRun *run = weft_run_open (&options, &error);
  WeftRunOutcome outcome = run ? weft_run_train (run, &error) : WEFT_RUN_FAILED;
  g_clear_pointer (&run, weft_run_free);
  fclose (out);
  text = g_strconcat (said, error ? error->message : "", NULL);
  free (g_steal_pointer (&said));
  ck_assert_msg (outcome == expected, "outcome %d: %s", (int) outcome, text);
  return g_steal_pointer (&text);
}

static char *
train (const char *name, guint threads, WeftRunOutcome expected)
{
  return train_as (&scenes, name, threads, expected);
}

static void
expect_said (const char *said, const char *part)
{
  ck_assert_msg (strstr (said, part) != NULL, "\"%s\" is not said:\n%s", part, said);
}

static void
expect_silence (const char *said)
{
  ck_assert_msg (strstr (said, "warning") == NULL, "%s", said);
}

static guint
lines_of (const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, "metrics.jsonl", NULL), *text = NULL;
  guint n = 0;
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  for (const char *at = text; (at = strchr (at, '\n')); at++)
    n++;
  ck_assert_msg (g_str_has_suffix (text, "}\n") && strstr (text, "}{") == NULL, "%s", text);
  return n;
}

/* Run @name ended as one without faults does. */
static void
expect_same_end_as (const Experiment *experiment, const char *name)
{
  static const char *const files[] = { "last.safetensors", "best.safetensors" };
  fault_clear ();
  g_autofree char *said = train_as (experiment, "undisturbed", 1, WEFT_RUN_FINISHED);
  expect_silence (said);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *a = g_build_filename (folder, name, files[i], NULL), *b = g_build_filename (folder, "undisturbed", files[i], NULL);
      g_autofree char *x = NULL, *y = NULL;
      gsize m, n;
      ck_assert (g_file_get_contents (a, &x, &m, NULL) && g_file_get_contents (b, &y, &n, NULL));
      ck_assert_msg (m == n && memcmp (x, y, n) == 0, "%s differs", files[i]);
    }
  ck_assert_uint_eq (lines_of (name), lines_of ("undisturbed"));
}

static void
expect_same_end (const char *name)
{
  expect_same_end_as (&scenes, name);
}

static const struct
{
  FaultCall call;
  int code;
} broken_disks[] = { { FAULT_WRITE, ENOSPC }, { FAULT_WRITE, EDQUOT }, { FAULT_WRITE, EIO }, { FAULT_WRITE, EROFS }, { FAULT_SYNC, EIO } };

/* The first checkpoint can't be written: that is said at once, training goes on, and the next one is written. */
START_TEST (training_goes_on_without_a_checkpoint)
{
  fault_set (broken_disks[_i].call, (Fault){ .code = broken_disks[_i].code, .where = "step-5.safetensors" });
  g_autofree char *said = train ("a", 1, WEFT_RUN_FINISHED), *first = in_folder ("a/checkpoints/step-5.safetensors");
  ck_assert_uint_gt (fault_hits (broken_disks[_i].call), 0);
  expect_said (said, "warning: ");
  expect_said (said, g_strerror (broken_disks[_i].code));
  expect_said (said, "training goes on, there is no checkpoint yet");
  ck_assert (!g_file_test (first, G_FILE_TEST_EXISTS));
  expect_same_end ("a");
}
END_TEST

/* No checkpoint can be written any more: the run fails, and what was there before is as it was. */
START_TEST (a_run_that_cannot_be_saved_fails)
{
  g_autofree char *before = in_folder ("a/checkpoints/step-5.safetensors"), *info = in_folder ("a/info.json"), *text = NULL;
  fault_set (FAULT_WRITE, (Fault){ .code = ENOSPC, .where = "step-1" }); /* 10 and 15 */
  g_autofree char *said = train ("a", 1, WEFT_RUN_FAILED);
  expect_said (said, "training goes on, the newest checkpoint is that of step 5");
  ck_assert (weft_checkpoint_verify (before, NULL, NULL));
  ck_assert (g_file_get_contents (info, &text, NULL, NULL));
  expect_said (text, "failed: ");
  expect_said (text, g_strerror (ENOSPC));
  fault_clear ();
  g_autofree char *again = train ("a", 1, WEFT_RUN_FINISHED);
  expect_said (again, "going on after step 5");
  expect_same_end ("a");
}
END_TEST

/* Calls that a signal interrupts, or that do half of what was asked for, are no faults. */
START_TEST (interrupted_and_short_calls_are_repeated)
{
  static const int codes[] = { 0, EINTR };
  fault_set (FAULT_WRITE, (Fault){ .code = codes[_i], .where = folder, .every = 2 });
  g_autofree char *said = train ("a", 1, WEFT_RUN_FINISHED);
  ck_assert_uint_gt (fault_hits (FAULT_WRITE), 20);
  expect_silence (said);
  expect_same_end ("a");
  g_autofree char *last = in_folder ("a/last.safetensors");
  fault_set (FAULT_READ, (Fault){ .code = codes[_i], .where = "step-15", .every = 2 });
  ck_assert (weft_checkpoint_verify (last, NULL, NULL));
  ck_assert_uint_gt (fault_hits (FAULT_READ), 20);
}
END_TEST

/* Curves wait until there is room again. */
START_TEST (metrics_are_written_later)
{
  static const char *const names[] = { "metrics.jsonl", "events.out" };
  fault_set (FAULT_WRITE, (Fault){ .code = ENOSPC, .where = names[_i], .every = _i ? 7 : 1, .times = 4 });
  g_autofree char *said = train ("a", 1, WEFT_RUN_FINISHED);
  expect_said (said, names[_i]);
  expect_said (said, g_strerror (ENOSPC));
  expect_said (said, "training goes on, and what is missing there");
  ck_assert_uint_eq (fault_hits (FAULT_WRITE), 4);
  expect_same_end ("a");
}
END_TEST

static struct
{
  char *path;
  guint reads, least;
} changing;

static void
damage_once (void)
{
  if (++changing.reads != changing.least)
    return;
  FILE *file = fopen (changing.path, "r+");
  ck_assert_ptr_nonnull (file);
  fseek (file, -1, SEEK_END);
  int byte = fgetc (file);
  fseek (file, -1, SEEK_END);
  fputc (byte ^ 1, file);
  fclose (file);
}

/* A checkpoint that changes between being verified and being loaded is not gone on from. */
START_TEST (a_checkpoint_that_changes_is_not_taken)
{
  g_autofree char *path = in_folder ("a/checkpoints/step-15.safetensors");
  g_free (train ("a", 1, WEFT_RUN_FINISHED));
  changing.path = path;
  changing.least = G_MAXUINT;
  fault_set (FAULT_READ, (Fault){ .code = EINTR, .where = "step-15", .every = 2, .also = damage_once });
  ck_assert (weft_checkpoint_verify (path, NULL, NULL));
  changing.least = changing.reads + 2;
  changing.reads = 0;
  g_autofree char *again = train ("a", 1, WEFT_RUN_FINISHED);
  ck_assert_uint_ge (changing.reads, changing.least);
  expect_said (again, "step-15.safetensors: tensor");
  expect_said (again, "the one before it is taken");
  fault_clear ();
  expect_same_end ("a");
}
END_TEST

/* Digests of data bear interrupted and short reads; what can't be read has none, and a reason. */
START_TEST (digests_need_what_can_be_read)
{
  static const int codes[] = { 0, EINTR, EIO };
  g_autofree char *path = in_folder ("train_ims.npy");
  rig_write (folder, "train_ims.npy", "", 0);
  ck_assert_int_eq (truncate (path, _i ? 1 << 20 : 1 << 25), 0);
  g_autoptr (GPtrArray) before = weft_contents_new (), now = weft_contents_new ();
  weft_contents_add (before, path);
  const char *digest = ((const WeftContents *) before->pdata[0])->digest;
  ck_assert_ptr_nonnull (digest);
  fault_set (FAULT_READ, (Fault){ .code = codes[_i], .where = "train_ims", .every = 3 });
  weft_contents_add (now, path);
  ck_assert_uint_gt (fault_hits (FAULT_READ), 0);
  fault_clear ();
  const WeftContents *one = now->pdata[0];
  g_autoptr (GPtrArray) lines = weft_contents_differences (before, now);
  ck_assert_uint_eq (lines->len, codes[_i] == EIO);
  if (codes[_i] == EIO)
    expect_said (one->problem, g_strerror (EIO));
  else
    ck_assert_str_eq (one->digest, digest);
}
END_TEST

/* A checkpoint that can't be read is named, and the one before it is taken; it stays where it is. */
START_TEST (what_cannot_be_read_is_named)
{
  G_GNUC_UNUSED g_autofree char *first = train ("a", 1, WEFT_RUN_FINISHED), *newest = in_folder ("a/checkpoints/step-15.safetensors");
  fault_set (FAULT_READ, (Fault){ .code = EIO, .where = "step-15.safetensors" });
  g_autofree char *said = train ("a", 1, WEFT_RUN_FINISHED);
  expect_said (said, "step-15.safetensors");
  expect_said (said, g_strerror (EIO));
  expect_said (said, "the one before it is taken");
  expect_said (said, "going on after step 10");
  fault_clear ();
  ck_assert (weft_checkpoint_verify (newest, NULL, NULL));
  expect_same_end ("a");
}
END_TEST

/* Again until it is gone: a checkpoint that is being written meanwhile would keep the folder. */
static void
remove_checkpoints (void)
{
  g_autofree char *path = in_folder ("a/checkpoints");
  while (g_file_test (path, G_FILE_TEST_EXISTS))
    rig_remove (path);
}

/* Somebody removes the folder of checkpoints in the middle of a run. */
START_TEST (a_vanished_folder_is_told)
{
  fault_set (FAULT_WRITE, (Fault){ .code = EINTR, .where = "metrics.jsonl", .every = 7, .times = 1, .also = remove_checkpoints });
  g_autofree char *said = train ("a", 1, WEFT_RUN_FAILED), *best = in_folder ("a/best.safetensors");
  expect_said (said, "step-10.safetensors: can't be written: No such file or directory; training goes on");
  expect_said (said, "step-15.safetensors: can't be written");
  fault_clear ();
  G_GNUC_UNUSED g_autofree char *again = train ("a", 1, WEFT_RUN_FINISHED);
  ck_assert (weft_checkpoint_verify (best, NULL, NULL));
  expect_same_end ("a");
}
END_TEST

/* Nothing is left of a run that could not begin, and with more memory it begins. */
START_TEST (no_memory_is_told)
{
  g_autofree char *path = in_folder ("a");
  fault_set (FAULT_MEMORY, (Fault){ .code = ENOMEM, .least = 2000 });
  g_autofree char *tensors = train ("a", 1, WEFT_RUN_FAILED);
  expect_said (tensors, "no memory for the ");
  fault_clear ();
  fault_set (FAULT_MAP, (Fault){ .code = ENOMEM, .least = 2 << 20 });
  g_autofree char *arena = train ("a", 1, WEFT_RUN_FAILED);
  expect_said (arena, "which the system refuses; a smaller batch needs less");
  fault_clear ();
  ck_assert (!g_file_test (path, G_FILE_TEST_EXISTS));
  expect_same_end ("undisturbed");
}
END_TEST

START_TEST (threads_that_cannot_be_started_are_told)
{
  fault_set (FAULT_THREAD, (Fault){ .code = EAGAIN, .where = "weft-team" });
  g_autofree char *team = train ("a", 2, WEFT_RUN_FAILED);
  expect_said (team, "thread 2 of 2 cannot be started");
  expect_said (team, "--threads");
  /* A checkpoint is written all the same. */
  fault_set (FAULT_THREAD, (Fault){ .code = EAGAIN, .where = "weft-saver" });
  g_autofree char *saver = train ("a", 1, WEFT_RUN_FINISHED);
  ck_assert_uint_gt (fault_hits (FAULT_THREAD), 2);
  expect_silence (saver);
  expect_same_end ("a");
}
END_TEST

/* Sixteen images of three regions, as files. */
static void
save_images (const char *split, gint64 images)
{
  g_autoptr (GString) captions = g_string_new (NULL);
  g_autofree char *name = g_strdup_printf ("%s_caps.txt", split), *features = g_strdup_printf ("%s_ims.npy", split),
                  *path = in_folder (features);
  g_autofree float *values = g_new (float, images * 3 * 8);
  WeftTensor tensor = { .type = WEFT_F32, .rank = 3, .shape = { images, 3, 8 }, .data = values };
  for (gint64 i = 0; i < images * 3 * 8; i++)
    values[i] = weft_random_normal (weft_random_for (1, split, 0), (guint32) i);
  for (gint64 i = 0; i < 5 * images; i++)
    g_string_append_printf (captions, "a dog and a cat at place %d\n", (int) (i % 4));
  rig_write (folder, name, captions->str, (gssize) captions->len);
  ck_assert (weft_npy_write (path, &tensor, NULL));
}

static void
cut_images (void)
{
  g_autofree char *path = in_folder ("train_ims.npy");
  ck_assert_int_eq (truncate (path, 900), 0);
}

static void
remove_images (void)
{
  g_autofree char *path = in_folder ("train_ims.npy");
  g_remove (path);
}

/* Features are cut off in the middle of a run, which says so and can go on when they are back; removed they stay readable to it. */
START_TEST (vanishing_data_is_told)
{
  g_autofree char *data = g_strconcat ("data=", folder, NULL);
  const Experiment files = { "user-f8k-bigru", NULL,
                             (const char *const[]){ SMALL, data, "width=8", "words=9", "run.watch.collapse_above=1", NULL } };
  save_images ("train", 16);
  save_images ("dev", 8);
  fault_set (FAULT_WRITE,
             (Fault){ .code = EINTR, .where = "metrics.jsonl", .every = 7, .times = 1, .also = _i ? remove_images : cut_images });
  g_autofree char *said = train_as (&files, "a", 1, _i ? WEFT_RUN_FINISHED : WEFT_RUN_FAILED);
  ck_assert_uint_eq (fault_hits (FAULT_WRITE), 1);
  fault_clear ();
  save_images ("train", 16);
  if (_i == 0)
    {
      expect_said (said, "train_ims.npy: ends at byte");
      expect_said (said, "it was cut off while it was in use");
      expect_said (said, "goes on after step 5");
      G_GNUC_UNUSED g_autofree char *again = train_as (&files, "a", 1, WEFT_RUN_FINISHED);
    }
  expect_same_end_as (&files, "a");
}
END_TEST

/* Somebody's operator, which gives back what it gets until it breaks. */
static guint calls_to_break;

static void
give_back (const WeftCall *call)
{
  float *y = call->out[0]->data;
  memcpy (y, call->in[0]->data, weft_tensor_bytes (call->in[0]));
  if (calls_to_break && --calls_to_break == 0)
    y[weft_tensor_elements (call->out[0]) - 1] = NAN;
}

static void
give_back_gradient (const WeftCall *call)
{
  if (call->in_gradient[0])
    memcpy (call->in_gradient[0]->data, call->out_gradient[0]->data, weft_tensor_bytes (call->out_gradient[0]));
}

static const WeftOperator fragile = {
  .size = sizeof (WeftOperator),
  .name = "fragile",
  .summary = "its input, until it breaks",
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[...]", .meaning = "anything" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[...]", .meaning = "the same" }, { 0 } },
  .forward = give_back,
  .backward = give_back_gradient,
};

/* It writes something that is no number: the run says who did, in which step, and can go on from before. */
START_TEST (broken_operators_are_told)
{
  static const char overlay[] = "edits: [{insert: train.fragile, with: {op: fragile}, between: [v, loss.image]}]\n";
  g_autofree char *file = in_folder ("fragile.yaml"), *first = in_folder ("a/checkpoints/step-5.safetensors");
  const Experiment fragile_scenes = { scenes.pipeline, (const char *const[]){ file, NULL }, scenes.settings };
  g_autoptr (GError) error = NULL;
  weft_registry_load (NULL);
  ck_assert_msg (weft_registry_add (&fragile, &error), "%s", error ? error->message : "");
  rig_write (folder, "fragile.yaml", overlay, sizeof overlay - 1);
  calls_to_break = 8;
  g_autofree char *said = train_as (&fragile_scenes, "a", 1, WEFT_RUN_FAILED);
  expect_said (said, "step 8 ");
  expect_said (said, "fragile `fragile`");
  expect_said (said, "not finite");
  ck_assert (weft_checkpoint_verify (first, NULL, NULL));
  G_GNUC_UNUSED g_autofree char *again = train_as (&fragile_scenes, "a", 1, WEFT_RUN_FINISHED);
  expect_said (again, "going on after step 5");
  expect_same_end_as (&fragile_scenes, "a");
}
END_TEST

/* What a killed process was writing does not pile up. */
START_TEST (unfinished_files_are_removed)
{
  static const char *const names[] = { "a/pipeline.yaml.Ab3dEf", "a/checkpoints/step-5.safetensors.000000", "a/best.safetensors.zzzzzz" };
  static const char *const kept[] = { "a/checkpoints/step-5.safetensors.damaged", "a/notes.txt" };
  g_autofree char *said = NULL;
  rig_write (folder, names[0], "", 0);
  said = train ("a", 1, WEFT_RUN_FINISHED);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    rig_write (folder, names[i], "x", 1);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    rig_write (folder, kept[i], "x", 1);
  g_free (said);
  said = train ("a", 1, WEFT_RUN_FINISHED);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = in_folder (names[i]);
      ck_assert_msg (!g_file_test (path, G_FILE_TEST_EXISTS), "%s", path);
    }
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      g_autofree char *path = in_folder (kept[i]);
      ck_assert_msg (g_file_test (path, G_FILE_TEST_EXISTS), "%s", path);
    }
}
END_TEST

int
main (void)
{
  TCase *tests = tcase_create ("faults");
  Suite *suite = suite_create ("faults");
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_set_timeout (tests, 60);
  tcase_add_loop_test (tests, training_goes_on_without_a_checkpoint, 0, G_N_ELEMENTS (broken_disks));
  tcase_add_test (tests, a_run_that_cannot_be_saved_fails);
  tcase_add_loop_test (tests, interrupted_and_short_calls_are_repeated, 0, 2);
  tcase_add_loop_test (tests, metrics_are_written_later, 0, 2);
  tcase_add_test (tests, a_checkpoint_that_changes_is_not_taken);
  tcase_add_loop_test (tests, digests_need_what_can_be_read, 0, 3);
  tcase_add_test (tests, what_cannot_be_read_is_named);
  tcase_add_test (tests, a_vanished_folder_is_told);
  tcase_add_test (tests, no_memory_is_told);
  tcase_add_test (tests, threads_that_cannot_be_started_are_told);
  tcase_add_loop_test (tests, vanishing_data_is_told, 0, 2);
  tcase_add_test (tests, broken_operators_are_told);
  tcase_add_test (tests, unfinished_files_are_removed);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
