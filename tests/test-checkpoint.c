/* Checkpoints, whole and damaged, and weights of other files.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "checkpoint.h"
#include "folder.h"
#include "pipeline.h"
#include "restore.h"
#include "places.h"
#include "safetensors.h"
#include "weights.h"

static WeftStore *
make_store (void)
{
  static const gint64 shape[] = { 2, 3 };
  WeftStore *store = weft_store_new ();
  float *weight = weft_store_add (store, "image.fc.weight", WEFT_F32, 2, shape)->data;
  gint64 *steps = weft_store_add (store, "train.update.steps", WEFT_I64, 0, NULL)->data;
  weft_store_add (store, "text.bias", WEFT_F32, 1, shape);
  for (guint i = 0; i < 6; i++)
    weight[i] = (float) i + 0.5f;
  *steps = 17;
  return store;
}

static void
save (const WeftStore *store, const char *path)
{
  g_autoptr (GHashTable) metadata = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) error = NULL;
  g_hash_table_insert (metadata, (gpointer) "epoch", (gpointer) "3");
  ck_assert_msg (weft_checkpoint_save (store, path, metadata, &error), "%s", error ? error->message : "");
}

static void
expect_refusal (WeftStore *store, const char *path, const char *part)
{
  g_autoptr (GError) error = NULL;
  ck_assert (!weft_checkpoint_load (store, path, NULL, &error));
  ck_assert_msg (strstr (error->message, part) != NULL, "\"%s\" does not hold \"%s\"", error->message, part);
}

START_TEST (what_is_saved_comes_back)
{
  g_autofree char *path = in_folder ("a");
  g_autoptr (WeftStore) saved = make_store (), store = make_store ();
  g_autoptr (GHashTable) metadata = NULL;
  g_autoptr (GError) error = NULL;
  save (saved, path);
  memset (weft_store_lookup (store, "image.fc.weight")->data, 0, 6 * sizeof (float));
  *(gint64 *) weft_store_lookup (store, "train.update.steps")->data = 0;
  ck_assert_msg (weft_checkpoint_load (store, path, &metadata, &error), "%s", error ? error->message : "");
  ck_assert (memcmp (weft_store_lookup (store, "image.fc.weight")->data, weft_store_lookup (saved, "image.fc.weight")->data, 24) == 0);
  ck_assert_int_eq (*(gint64 *) weft_store_lookup (store, "train.update.steps")->data, 17);
  ck_assert_str_eq (g_hash_table_lookup (metadata, "epoch"), "3");
  ck_assert_uint_eq (g_hash_table_size (metadata), 1);
}
END_TEST

/* @path holds @n bytes that are no checkpoint: nothing of them gets into the store, and the checkpoint before is gone on from. */
static void
expect_step_before (WeftDirectory *directory, WeftStore *store, const char *path, const char *bytes, gsize n, gsize at)
{
  g_autofree char *aside = g_strconcat (path, ".damaged", NULL);
  g_autoptr (GError) error = NULL;
  WeftPosition position = { .step = 99 };
  gboolean found = FALSE;
  FILE *file = fopen (path, "w");
  ck_assert (file != NULL && fwrite (bytes, 1, n, file) == n && fclose (file) == 0);
  ck_assert_msg (!weft_checkpoint_verify (path, NULL, NULL), "not noticed at byte %u", (guint) at);
  ck_assert_msg (weft_restore (directory, store, &position, NULL, &found, &error), "byte %u: %s", (guint) at, error ? error->message : "");
  ck_assert (found && position.step == 1 && *(gint64 *) weft_store_lookup (store, "train.update.steps")->data == 17);
  ck_assert_msg (g_file_test (aside, G_FILE_TEST_EXISTS) && !g_file_test (path, G_FILE_TEST_EXISTS), "byte %u", (guint) at);
}

/* Every byte of a checkpoint changed, by a bit or altogether, and every length below its own. */
START_TEST (no_damage_is_missed)
{
  g_autoptr (WeftStore) saved = make_store (), store = make_store ();
  g_autoptr (WeftDirectory) directory = weft_directory_open (folder, NULL);
  WeftPosition position = { .step = 1 };
  g_autofree char *before = weft_directory_checkpoint (directory, 1), *path = weft_directory_checkpoint (directory, 2), *bytes = NULL;
  g_autoptr (GHashTable) first = weft_position_write (&position);
  position.step = 2;
  g_autoptr (GHashTable) second = weft_position_write (&position);
  gsize n;
  ck_assert (weft_checkpoint_save (saved, before, first, NULL));
  *(gint64 *) weft_store_lookup (saved, "train.update.steps")->data = 18;
  ck_assert (weft_checkpoint_save (saved, path, second, NULL));
  ck_assert (weft_checkpoint_verify (path, NULL, NULL));
  ck_assert (g_file_get_contents (path, &bytes, &n, NULL));
  for (gsize at = 0; at < n; at++)
    {
      const char was = bytes[at];
      bytes[at] = (char) (was ^ (at % 9 == 8 ? 0xff : 1 << at % 9));
      expect_step_before (directory, store, path, bytes, n, at);
      bytes[at] = was;
      expect_step_before (directory, store, path, bytes, at, at);
    }
  ck_assert (weft_checkpoint_save (saved, path, second, NULL));
  gboolean found;
  ck_assert (weft_restore (directory, store, &position, NULL, &found, NULL) && position.step == 2);
  ck_assert_int_eq (*(gint64 *) weft_store_lookup (store, "train.update.steps")->data, 18);
}
END_TEST

/* The newest is whole, and says something: an older one in its place would hide that. */
START_TEST (whole_checkpoints_are_not_passed_over)
{
  g_autoptr (WeftStore) store = make_store (), other = make_store ();
  g_autoptr (WeftDirectory) directory = weft_directory_open (folder, NULL);
  WeftPosition position = { .step = 1 };
  g_autoptr (GHashTable) metadata = weft_position_write (&position);
  g_autofree char *before = weft_directory_checkpoint (directory, 1), *path = weft_directory_checkpoint (directory, 2);
  g_autoptr (GError) of_another = NULL, of_later = NULL;
  gboolean found;
  ck_assert (weft_checkpoint_save (store, before, metadata, NULL));
  weft_store_add (other, "more", WEFT_F32, 0, NULL);
  ck_assert (weft_checkpoint_save (other, path, metadata, NULL));
  ck_assert (!weft_restore (directory, store, &position, NULL, &found, &of_another));
  ck_assert_msg (strstr (of_another->message, "no place for 1: more") != NULL, "%s", of_another->message);
  g_autoptr (WeftSafetensorsWriter) later = weft_safetensors_writer_new ();
  weft_safetensors_writer_metadata (later, "weft.checkpoint", "3");
  weft_safetensors_writer_sum (later, "crc32c:", "weft.crc32c");
  ck_assert (weft_safetensors_writer_write (later, path, NULL));
  ck_assert (!weft_restore (directory, store, &position, NULL, &found, &of_later));
  ck_assert_msg (strstr (of_later->message, "version 3") != NULL, "%s", of_later->message);
  ck_assert (g_file_test (path, G_FILE_TEST_EXISTS));
}
END_TEST

/* A file of each version that was ever written. */
START_TEST (every_version_loads)
{
  static const char *const versions[] = { "1", "2" };
  for (guint i = 0; i < G_N_ELEMENTS (versions); i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/tests/checkpoints/%s.safetensors", WEFT_TEST_SOURCE_DIR, versions[i]);
      g_autoptr (WeftStore) saved = make_store (), store = make_store ();
      g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, NULL);
      g_autoptr (GHashTable) metadata = NULL;
      g_autoptr (GError) error = NULL;
      ck_assert_str_eq (weft_safetensors_metadata (file, "weft.checkpoint"), versions[i]);
      memset (weft_store_lookup (store, "image.fc.weight")->data, 0, 24);
      ck_assert_msg (weft_checkpoint_load (store, path, &metadata, &error), "%s", error ? error->message : "");
      ck_assert (memcmp (weft_store_lookup (store, "image.fc.weight")->data, weft_store_lookup (saved, "image.fc.weight")->data, 24) == 0);
      ck_assert_str_eq (g_hash_table_lookup (metadata, "epoch"), "3");
    }
  ck_assert_str_eq (versions[G_N_ELEMENTS (versions) - 1], WEFT_CHECKPOINT_VERSION);
}
END_TEST

START_TEST (other_pipelines_are_told_apart)
{
  static const gint64 shape[] = { 3, 2 };
  g_autofree char *path = in_folder ("a");
  g_autoptr (WeftStore) saved = make_store (), more = make_store (), less = weft_store_new (), other = weft_store_new ();
  save (saved, path);
  weft_store_add (more, "text.weight", WEFT_F32, 1, shape);
  expect_refusal (more, path, "lacks 1: text.weight");
  weft_store_add (less, "text.bias", WEFT_F32, 1, (const gint64[]){ 2 });
  expect_refusal (less, path, "no place for 2");
  weft_store_add (other, "image.fc.weight", WEFT_F32, 2, shape);
  weft_store_add (other, "text.bias", WEFT_F32, 1, (const gint64[]){ 2 });
  weft_store_add (other, "train.update.steps", WEFT_I64, 0, NULL);
  expect_refusal (other, path, "image.fc.weight");
}
END_TEST

START_TEST (other_versions_and_other_files_are_refused)
{
  g_autofree char *path = in_folder ("a");
  g_autoptr (WeftStore) store = weft_store_new ();
  g_autoptr (WeftSafetensorsWriter) plain = weft_safetensors_writer_new (), later = weft_safetensors_writer_new (),
                                    unsummed = weft_safetensors_writer_new ();
  ck_assert (weft_safetensors_writer_write (plain, path, NULL));
  expect_refusal (store, path, "not a checkpoint");
  weft_safetensors_writer_metadata (later, "weft.checkpoint", "3");
  weft_safetensors_writer_sum (later, "crc32c:", "weft.crc32c");
  ck_assert (weft_safetensors_writer_write (later, path, NULL));
  expect_refusal (store, path, "version 3");
  float data = 1;
  WeftTensor tensor = { .type = WEFT_F32, .data = &data };
  weft_safetensors_writer_metadata (unsummed, "weft.checkpoint", "1");
  weft_safetensors_writer_add (unsummed, "a", &tensor);
  ck_assert (weft_safetensors_writer_write (unsummed, path, NULL));
  expect_refusal (store, path, "no checksum");
}
END_TEST

START_TEST (a_part_can_be_saved_and_loaded)
{
  static const char *const networks[] = { "image", "text", NULL };
  g_autofree char *path = in_folder ("a");
  g_autoptr (WeftStore) saved = make_store (), store = make_store ();
  g_autoptr (GError) error = NULL;
  ck_assert (weft_checkpoint_save_below (saved, networks, path, NULL, NULL));
  memset (weft_store_lookup (store, "image.fc.weight")->data, 0, 24);
  *(gint64 *) weft_store_lookup (store, "train.update.steps")->data = 5;
  ck_assert (!weft_checkpoint_load (store, path, NULL, NULL));
  ck_assert_msg (weft_checkpoint_load_below (store, networks, path, NULL, &error), "%s", error ? error->message : "");
  ck_assert (((const float *) weft_store_lookup (store, "image.fc.weight")->data)[5] == 5.5f);
  ck_assert_int_eq (*(gint64 *) weft_store_lookup (store, "train.update.steps")->data, 5);
}
END_TEST

/* The check value of the CRC catalogue, and no difference by how the bytes are cut. */
START_TEST (checksums_are_crc32c)
{
  static const char text[] = "123456789 and some more to be cut at every place";
  ck_assert_uint_eq (weft_crc32c (0, "123456789", 9), 0xe3069283u);
  guint32 whole = weft_crc32c (0, text, sizeof text);
  for (gsize cut = 0; cut <= sizeof text; cut++)
    ck_assert_uint_eq (weft_crc32c (weft_crc32c (0, text, cut), text + cut, sizeof text - cut), whole);
}
END_TEST

/* Weights. */

static const char pipeline_text[] = "modules:\n"
                                    "  encoder:\n"
                                    "    inputs: {x: \"f32[b, d]\"}\n"
                                    "    nodes:\n"
                                    "      body: {op: linear, x: x, units: 2}\n"
                                    "      head: {op: linear, x: body, units: 3}\n"
                                    "    outputs: {y: head}\n"
                                    "networks:\n"
                                    "  net: {module: encoder}\n"
                                    "graphs:\n"
                                    "  train:\n"
                                    "    nodes:\n"
                                    "      x: {op: feed, signature: \"f32[2, 2]\"}\n"
                                    "      keep: {op: momentum_update, source: {net: net}}\n"
                                    "      y: {use: net, x: x}\n"
                                    "      k: {use: net, weights: keep.net, x: x}\n"
                                    "    collect: {y: y, k: k}\n";

typedef struct
{
  WeftPipeline *pipeline;
  WeftStore *store;
} Target;

static void
target_open (Target *target)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftValue) document = weft_document_parse (pipeline_text, -1, "test", problems);
  g_autoptr (GError) error = NULL;
  target->pipeline = weft_pipeline_build (document, problems);
  ck_assert_msg (weft_problems_to_error (problems, &error), "%s", error ? error->message : "");
  target->store = weft_store_new ();
  ck_assert (weft_store_prepare (target->store, target->pipeline, 1, NULL));
}

static void
target_close (Target *target)
{
  weft_store_free (target->store);
  weft_pipeline_free (target->pipeline);
}

/* Loads what @load, in YAML written in @folder/pipeline.yaml, says; (transfer full): the message or the report. */
static char *
load (Target *target, const char *text, gboolean *ok)
{
  g_autofree char *file = in_folder ("pipeline.yaml");
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftValue) value = weft_document_parse (text, -1, g_intern_string (file), problems);
  g_autoptr (GString) report = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  ck_assert_ptr_nonnull (value);
  *ok = weft_weights_load_network (target->store, target->pipeline, "net", value, report, &error);
  return g_strdup (*ok ? report->str : error->message);
}

static float
first_of (const Target *target, const char *path)
{
  return *(const float *) weft_store_lookup (target->store, path)->data;
}

/* A file with tensors of the given names: a weight [2, 2] or [3, 2], a bias of 2 or 3; values @value. */
static void
write_weights (const char *name, const char *const *names, float value)
{
  g_autoptr (WeftSafetensorsWriter) writer = weft_safetensors_writer_new ();
  g_autofree char *path = in_folder (name);
  float data[6] = { value, value, value, value, value, value };
  for (; *names != NULL; names++)
    {
      gboolean head = strstr (*names, "head") != NULL, bias = strstr (*names, "bias") != NULL;
      WeftTensor tensor = { .type = WEFT_F32, .rank = bias ? 1 : 2, .shape = { head ? 3 : 2, 2 }, .data = data };
      weft_safetensors_writer_add (writer, *names, &tensor);
    }
  ck_assert (weft_safetensors_writer_write (writer, path, NULL));
}

static void
write_text (const char *name, const char *text)
{
  g_autofree char *path = in_folder (name);
  g_autofree char *parent = g_path_get_dirname (path);
  g_mkdir_with_parents (parent, 0700);
  ck_assert (g_file_set_contents (path, text, -1, NULL));
}

static const char *const all_names[] = { "body.weight", "body.bias", "head.weight", "head.bias", NULL };
static const char *const body_names[] = { "old.body.gamma", "old.body.bias", "old.extra", NULL };

START_TEST (files_are_found_beside_the_document)
{
  Target target;
  gboolean ok;
  target_open (&target);
  write_weights ("a.safetensors", all_names, 4);
  g_autofree char *report = load (&target, "a.safetensors", &ok);
  ck_assert_msg (ok, "%s", report);
  ck_assert_ptr_nonnull (strstr (report, "4 matched, 0 missing, 0 left over"));
  ck_assert (first_of (&target, "net.head.bias") == 4);
  /* Copies start as what was loaded. */
  ck_assert (first_of (&target, "train.keep.key.net.head.bias") == 4);
  target_close (&target);
}
END_TEST

/* Data lies beside one's own documents, but never in the installation; what is installed there itself is found. */
START_TEST (paths_belong_to_who_wrote_them)
{
  g_autofree char *pipeline = g_build_filename (weft_places_pipelines (), "modules", "x.yaml", NULL),
                  *installed = g_build_filename (weft_places_pipelines (), "weights", "..", "scenes-words.txt", NULL),
                  *top = g_build_filename (weft_places_pipelines (), "x.yaml", NULL);
  const WeftMark own = { "/home/x.yaml", 1, 1 }, beside = { "x.yaml", 1, 1 }, said = { "--set", 0, 0 }, nested = { pipeline, 3, 4 },
                 of_installed = { top, 3, 4 };
  const struct
  {
    const char *path;
    WeftMark mark;
    const char *expected;
  } cases[] = {
    { "data/f30k", own, "/home/data/f30k" },
    { "data/f30k", beside, "data/f30k" },
    { "data/f30k", said, "data/f30k" },
    { "/data", own, "/data" },
    { "runs/user-f30k", nested, "runs/user-f30k" },
    { "runs/user-f30k", of_installed, "runs/user-f30k" },
    { "weights/../scenes-words.txt", of_installed, installed },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = weft_resolve_path (cases[i].path, cases[i].mark);
      ck_assert_str_eq (path, cases[i].expected);
    }
}
END_TEST

START_TEST (parts_are_renamed_into_place)
{
  Target target;
  gboolean ok;
  target_open (&target);
  write_weights ("a.safetensors", body_names, 7);
  write_text ("names.yaml", "about: x\nrename: {\"gamma$\": weight, \"^body\\\\.\": \"\"}\nignore: [extra]\n");
  g_autofree char *report = load (&target, "{path: a.safetensors, names: names.yaml, from: old, into: body}", &ok);
  ck_assert_msg (ok, "%s", report);
  ck_assert_ptr_nonnull (strstr (report, "2 matched, 0 missing, 0 left over"));
  ck_assert (first_of (&target, "net.body.weight") == 7);
  ck_assert (first_of (&target, "net.head.weight") != 7);
  target_close (&target);
}
END_TEST

START_TEST (several_files_fill_several_parts)
{
  static const char *const head[] = { "weight_of_head", "bias_of_head", NULL };
  Target target;
  gboolean ok;
  target_open (&target);
  write_weights ("a.safetensors", body_names, 7);
  write_weights ("b.safetensors", head, 8);
  write_text ("names.yaml", "rename: {\"gamma$\": weight, \"_of_head$\": \"\"}");
  g_autofree char *report = load (&target,
                                  "{one: {path: a.safetensors, names: names.yaml, from: old.body, into: body},\n"
                                  " two: {path: b.safetensors, names: names.yaml, into: head}}",
                                  &ok);
  ck_assert_msg (ok, "%s", report);
  ck_assert (first_of (&target, "net.body.weight") == 7 && first_of (&target, "net.head.bias") == 8);
  target_close (&target);
}
END_TEST

START_TEST (gaps_are_errors_unless_optional)
{
  static const char *const some[] = { "body.weight", "body.bias", "other", NULL };
  Target target;
  gboolean ok;
  target_open (&target);
  float before = first_of (&target, "net.head.weight"), body = first_of (&target, "net.body.weight");
  write_weights ("a.safetensors", some, 7);
  g_autofree char *message = load (&target, "a.safetensors", &ok);
  ck_assert (!ok);
  ck_assert_ptr_nonnull (strstr (message, "net.head.weight"));
  ck_assert_ptr_nonnull (strstr (message, "optional: true"));
  ck_assert_ptr_nonnull (strstr (message, "other"));
  ck_assert_ptr_nonnull (strstr (message, "pipeline.yaml:1:1"));
  ck_assert (first_of (&target, "net.body.weight") == body);
  g_autofree char *report = load (&target, "{path: a.safetensors, optional: true}", &ok);
  ck_assert_msg (ok, "%s", report);
  ck_assert_ptr_nonnull (strstr (report, "2 matched, 2 missing: net.head.weight, net.head.bias, 1 left over: other"));
  ck_assert (first_of (&target, "net.body.weight") == 7 && first_of (&target, "net.head.weight") == before);
  target_close (&target);
}
END_TEST

/* A run's best model: names are store paths, the network's own part is taken. */
START_TEST (run_directories_give_their_best_model)
{
  static const char *const networks[] = { "net", NULL };
  Target target, other;
  gboolean ok;
  target_open (&target);
  target_open (&other);
  g_autofree char *run = in_folder ("run"), *best = g_build_filename (run, "best.safetensors", NULL);
  g_mkdir (run, 0700);
  *(float *) weft_store_lookup (other.store, "net.body.bias")->data = 11;
  ck_assert (weft_checkpoint_save_below (other.store, networks, best, NULL, NULL));
  g_autofree char *report = load (&target, "run", &ok);
  ck_assert_msg (ok, "%s", report);
  ck_assert (first_of (&target, "net.body.bias") == 11);
  *(float *) weft_store_lookup (target.store, "net.body.bias")->data = 0;
  g_autofree char *part = load (&target, "{path: run, from: net.body, into: body}", &ok);
  ck_assert_msg (ok, "%s", part);
  ck_assert (first_of (&target, "net.body.bias") == 11);
  target_close (&target);
  target_close (&other);
}
END_TEST

/* A whole checkpoint holds optimizers, copies and other networks too: the network takes its own, and its copies start anew. */
START_TEST (whole_checkpoints_give_networks)
{
  Target target, other;
  gboolean ok;
  gsize length;
  g_autofree char *path = in_folder ("whole.safetensors"), *bytes = NULL;
  target_open (&target);
  target_open (&other);
  *(float *) weft_store_lookup (other.store, "net.body.bias")->data = 11;
  *(float *) weft_store_lookup (other.store, "net.head.bias")->data = 12;
  *(float *) weft_store_lookup (other.store, "train.keep.key.net.body.bias")->data = 5;
  save (other.store, path);
  g_autofree char *report = load (&target, "whole.safetensors", &ok);
  ck_assert_msg (ok, "%s", report);
  ck_assert (first_of (&target, "net.body.bias") == 11 && first_of (&target, "net.head.bias") == 12);
  ck_assert (first_of (&target, "train.keep.key.net.body.bias") == 11);
  *(float *) weft_store_lookup (target.store, "net.body.bias")->data = 0;
  *(float *) weft_store_lookup (target.store, "net.head.bias")->data = 0;
  g_autofree char *part = load (&target, "{path: whole.safetensors, from: net.head, into: head}", &ok);
  ck_assert_msg (ok, "%s", part);
  ck_assert (first_of (&target, "net.body.bias") == 0 && first_of (&target, "net.head.bias") == 12);
  g_autofree char *copy = load (&target, "{path: whole.safetensors, from: train.keep.key.net}", &ok);
  ck_assert_msg (ok, "%s", copy);
  ck_assert (first_of (&target, "net.body.bias") == 5);
  /* Not a bit of it may be wrong. */
  ck_assert (g_file_get_contents (path, &bytes, &length, NULL));
  bytes[length - 3] ^= 4;
  ck_assert (g_file_set_contents (path, bytes, (gssize) length, NULL));
  g_autofree char *damaged = load (&target, "whole.safetensors", &ok);
  ck_assert_msg (!ok, "%s", damaged);
  ck_assert (first_of (&target, "net.body.bias") == 5);
  target_close (&target);
  target_close (&other);
}
END_TEST

#define CONFIG(units) "{\"model_type\": \"toy\", \"act\": \"gelu\", \"units\": " units "}"

START_TEST (configurations_are_compared)
{
  Target target;
  gboolean ok;
  target_open (&target);
  write_text ("hf/config.json", CONFIG ("2"));
  write_weights ("hf/model.safetensors", all_names, 3);
  write_text ("weights/toy.yaml", "expect: {act: gelu}\nconfig: {units: \"body.units\"}");
  g_autofree char *report = load (&target, "hf", &ok);
  ck_assert_msg (ok, "%s", report);
  write_text ("hf/config.json", CONFIG ("5"));
  g_autofree char *units = load (&target, "hf", &ok);
  ck_assert (!ok);
  ck_assert_msg (strstr (units, "says units: 5, but `net.body` has units: 2") != NULL, "%s", units);
  write_text ("weights/toy.yaml", "expect: {act: relu}");
  g_autofree char *expectation = load (&target, "hf", &ok);
  ck_assert (!ok);
  ck_assert_msg (strstr (expectation, "says act: gelu; only relu is supported") != NULL, "%s", expectation);
  target_close (&target);
}
END_TEST

static const struct
{
  const char *load, *message;
} wrong_loads[] = {
  { "nothing", "no such file" },
  { "{path: a.safetensors, name: x}", "did you mean \"names\"" },
  { "{into: body}", "needs a `path`" },
  { "{path: [a]}", "must be a string" },
  { "{path: a.safetensors, optional: perhaps}", "true or false" },
  { "[a]", "must be a path" },
  { "{one: [a]}", "expected a path" },
  { "{path: a.safetensors, into: nowhere}", "nothing to load into `net.nowhere`" },
  { "{path: a.safetensors, names: nowhere.yaml}", "no name map nowhere.yaml" },
  { "{path: a.safetensors, names: wrong-key.yaml}", "unknown key `renam`" },
  { "{path: a.safetensors, names: wrong-regex.yaml}", "not a regular expression" },
  { "{path: a.safetensors, names: wrong-replacement.yaml}", "not a replacement" },
  { "{path: a.safetensors, names: collision.yaml}", "both become" },
  { "{path: a.safetensors, from: nowhere}", "no tensor fits" },
  { "short.safetensors", "not a valid safetensors file" },
  { "other-shape.safetensors", "net.body.weight" },
  { "empty", "neither best.safetensors" },
  { "bin", "pytorch_model.bin" },
  { "shards", "no weight_map" },
  { "json", "not JSON" },
  { "deep", "nested too deeply" },
  { "untyped", "no tensor fits" },
  { "unknown", "no name map weights/unheard.yaml" },
};

START_TEST (wrong_loads_are_told)
{
  static const char *const other_shape[] = { "body.weight_of_head", NULL };
  Target target;
  gboolean ok;
  target_open (&target);
  g_autofree char *deep = g_strnfill (100000, '[');
  write_weights ("a.safetensors", all_names, 4);
  write_text ("wrong-key.yaml", "renam: {}");
  write_text ("wrong-regex.yaml", "rename: {\"(\": a}");
  write_text ("wrong-replacement.yaml", "rename: {a: \"\\\\g<\"}");
  write_text ("collision.yaml", "rename: {\"body|head\": x}");
  write_text ("short.safetensors", "abc");
  write_text ("empty/readme", "");
  write_text ("bin/config.json", "{}");
  write_text ("bin/pytorch_model.bin", "");
  write_text ("shards/config.json", "{}");
  write_text ("shards/model.safetensors.index.json", "{}");
  write_text ("json/config.json", "{,");
  write_text ("json/model.safetensors", "");
  write_text ("deep/config.json", deep);
  write_text ("deep/model.safetensors", "");
  write_text ("untyped/config.json", "{}");
  write_text ("unknown/config.json", "{\"model_type\": \"unheard\"}");
  write_weights ("untyped/model.safetensors", body_names, 1);
  write_weights ("unknown/model.safetensors", all_names, 1);
  write_weights ("shape.safetensors", other_shape, 1);
  write_text ("shape.yaml", "rename: {_of_head: \"\"}");
  gboolean shape = g_str_has_prefix (wrong_loads[_i].load, "other-shape");
  g_autofree char *message =
      load (&target, shape ? "{path: shape.safetensors, names: shape.yaml, optional: true}" : wrong_loads[_i].load, &ok);
  ck_assert_msg (!ok, "%s", wrong_loads[_i].load);
  ck_assert_msg (strstr (message, wrong_loads[_i].message) != NULL, "%s: \"%s\" does not hold \"%s\"", wrong_loads[_i].load, message,
                 wrong_loads[_i].message);
  target_close (&target);
}
END_TEST

int
main (void)
{
  TCase *tests = tcase_create ("checkpoint");
  Suite *suite = suite_create ("checkpoint");
  weft_registry_load (NULL);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_set_timeout (tests, 30);
  tcase_add_test (tests, what_is_saved_comes_back);
  tcase_add_test (tests, no_damage_is_missed);
  tcase_add_test (tests, whole_checkpoints_are_not_passed_over);
  tcase_add_test (tests, every_version_loads);
  tcase_add_test (tests, other_pipelines_are_told_apart);
  tcase_add_test (tests, other_versions_and_other_files_are_refused);
  tcase_add_test (tests, a_part_can_be_saved_and_loaded);
  tcase_add_test (tests, checksums_are_crc32c);
  tcase_add_test (tests, files_are_found_beside_the_document);
  tcase_add_test (tests, paths_belong_to_who_wrote_them);
  tcase_add_test (tests, parts_are_renamed_into_place);
  tcase_add_test (tests, several_files_fill_several_parts);
  tcase_add_test (tests, gaps_are_errors_unless_optional);
  tcase_add_test (tests, run_directories_give_their_best_model);
  tcase_add_test (tests, whole_checkpoints_give_networks);
  tcase_add_test (tests, configurations_are_compared);
  tcase_add_loop_test (tests, wrong_loads_are_told, 0, G_N_ELEMENTS (wrong_loads));
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
