/* The command as its users meet it: runs, their directories, interruptions, evaluation.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <json-glib/json-glib.h>
#include <math.h>
#include <pty.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include "checkpoint.h"
#include "events.h"
#include "folder.h"
#include "npy.h"
#include "safetensors.h"

/* USER on a few scenes: a step takes milliseconds. */
#define IMAGES 20
#define SMALL                                                                                                                              \
  "scenes --set embed=16 --set hidden=8 --set queue=64 --set batch=16 --set drop_epoch=3 --set graphs.train.nodes.pairs.images=64 "        \
  "--set graphs.images.nodes.items.images=20 --set graphs.captions.nodes.items.images=20 "
#define STEPS 80 /* of four epochs */

static char **
words_of (const char *arguments)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (arguments));
  g_auto (GStrv) words = g_strsplit (trimmed, " ", -1);
  GPtrArray *all = g_ptr_array_new ();
  g_ptr_array_add (all, g_build_filename (WEFT_TEST_BUILD_DIR, "weft", NULL));
  for (char **word = words; *word != NULL; word++)
    if (**word != '\0')
      g_ptr_array_add (all, g_strdup (*word));
  g_ptr_array_add (all, NULL);
  return (char **) g_ptr_array_free (all, FALSE);
}

/* Runs `weft ARGUMENTS` in @directory. Returns: the exit status, or -1 if a signal ended it */
static int
weft_in (const char *directory, const char *arguments, char **output, char **message)
{
  g_auto (GStrv) words = words_of (arguments);
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GError) error = NULL;
  int status = 0;
  gboolean ran = g_spawn_sync (directory, words, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, &error);
  ck_assert_msg (ran, "%s", error ? error->message : "");
  if (output != NULL)
    *output = g_steal_pointer (&out);
  if (message != NULL)
    *message = g_steal_pointer (&err);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static void
weft_well (const char *arguments)
{
  g_autofree char *output = NULL, *message = NULL;
  int status = weft_in (folder, arguments, &output, &message);
  ck_assert_msg (status == 0, "weft %s: status %d: %s%s", arguments, status, output, message);
}

static GPid
weft_begin (const char *arguments)
{
  g_auto (GStrv) words = words_of (arguments);
  GPid child = 0;
  ck_assert (g_spawn_async (folder, words, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                            NULL, &child, NULL));
  return child;
}

static gboolean
holds (const char *text, const char *part)
{
  return text != NULL && strstr (text, part) != NULL;
}

static char *
read_in (const char *name)
{
  g_autofree char *path = in_folder (name);
  char *text = NULL;
  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

START_TEST (every_command_explains_itself)
{
  static const char *const commands[] = { "train", "evaluate", "encode", "check", "inspect", "graph", "info", "weights", "verify" };
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      g_autofree char *help = g_strconcat (commands[i], " --help", NULL), *wrong = g_strconcat (commands[i], " --bogus", NULL);
      g_autofree char *output = NULL, *message = NULL;
      ck_assert_int_eq (weft_in (folder, help, &output, NULL), 0);
      ck_assert_msg (holds (output, "Usage:") && holds (output, "--help"), "%s: %s", help, output);
      ck_assert_int_eq (weft_in (folder, wrong, NULL, &message), 2);
      ck_assert_msg (holds (message, "--bogus"), "%s: %s", wrong, message);
    }
}
END_TEST

/* Lines of metrics.jsonl as objects; every line must be one. */
static GPtrArray *
metrics_of (const char *run)
{
  g_autofree char *name = g_build_filename (run, "metrics.jsonl", NULL), *text = read_in (name);
  GPtrArray *metrics = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  ck_assert_ptr_nonnull (text);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (**line != '\0')
      {
        JsonNode *node = json_from_string (*line, NULL);
        ck_assert_msg (node != NULL && JSON_NODE_HOLDS_OBJECT (node), "not a JSON object: %s", *line);
        g_ptr_array_add (metrics, node);
      }
  return metrics;
}

/* What does not depend on the clock. */
static gboolean
is_timed (const char *key)
{
  return g_str_equal (key, "seconds") || g_str_equal (key, "items_per_second") || g_str_equal (key, "data_wait");
}

static char *
without_times (JsonNode *node)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GList) names = json_object_get_members (json_node_get_object (node));
  for (GList *name = names; name != NULL; name = name->next)
    if (!is_timed (name->data))
      {
        g_autofree char *value = json_to_string (json_object_get_member (json_node_get_object (node), name->data), FALSE);
        g_string_append_printf (text, "%s=%s ", (const char *) name->data, value);
      }
  return g_string_free (text, FALSE);
}

static guint32
masked (guint32 crc)
{
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/* Records of a TensorBoard file, all of whose checksums must be right. */
static guint
count_events (const char *path)
{
  g_autofree char *bytes = NULL;
  gsize size, at = 0;
  guint records = 0;
  ck_assert (g_file_get_contents (path, &bytes, &size, NULL));
  for (; at < size; records++)
    {
      guint64 length;
      guint32 crc;
      ck_assert_uint_ge (size - at, 16);
      memcpy (&length, bytes + at, 8);
      memcpy (&crc, bytes + at + 8, 4);
      ck_assert_uint_eq (crc, masked (weft_crc32c (0, bytes + at, 8)));
      ck_assert_uint_le (length, size - at - 16);
      memcpy (&crc, bytes + at + 12 + length, 4);
      ck_assert_uint_eq (crc, masked (weft_crc32c (0, bytes + at + 12, length)));
      at += 16 + length;
    }
  return records;
}

static char *
find_with_prefix (const char *directory, const char *prefix)
{
  g_autofree char *path = in_folder (directory);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, prefix))
      return g_build_filename (path, name, NULL);
  return NULL;
}

START_TEST (a_run_directory_holds_the_run)
{
  static const char *const models[] = { "a/best.safetensors", "a/last.safetensors" };
  weft_well ("train " SMALL "--set epochs=4 --output a --threads 2");
  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    {
      g_autofree char *path = in_folder (models[i]);
      g_autoptr (GError) error = NULL;
      ck_assert_msg (weft_checkpoint_verify (path, NULL, &error), "%s", error ? error->message : "");
    }
  g_autoptr (GPtrArray) metrics = metrics_of ("a");
  guint validations = 0;
  for (guint i = 0; i < metrics->len; i++)
    validations += json_object_has_member (json_node_get_object (metrics->pdata[i]), "score");
  ck_assert_uint_eq (validations, 4);
  ck_assert_uint_eq (metrics->len, STEPS / 10 + 4);
  g_autofree char *events = find_with_prefix ("a", WEFT_EVENTS_PREFIX), *log = read_in ("a/log.txt"), *info = read_in ("a/info.json");
  ck_assert_ptr_nonnull (events);
  ck_assert_uint_gt (count_events (events), STEPS / 10);
  ck_assert (holds (log, "finished after 4 epochs, 80 steps") && holds (info, "processor") && holds (info, "\"digest\""));
  /* The resolved pipeline stands for itself. */
  weft_well ("check a/pipeline.yaml");
  g_autofree char *again = NULL;
  g_autofree char *run = in_folder ("a"), *command = g_strconcat ("train ", run, NULL);
  ck_assert_int_eq (weft_in ("/", command, NULL, &again), 0);
  ck_assert_msg (holds (again, "is finished"), "%s", again);
}
END_TEST

static void
assert_same_tensors (const char *left, const char *right)
{
  g_autofree char *a = in_folder (left), *b = in_folder (right);
  g_autoptr (WeftSafetensors) one = weft_safetensors_open (a, NULL), other = weft_safetensors_open (b, NULL);
  guint compared = 0;
  ck_assert (one != NULL && other != NULL);
  for (const char *const *name = weft_safetensors_names (one); *name != NULL; name++, compared++)
    {
      const WeftTensor *tensor = weft_safetensors_find (one, *name), *there = weft_safetensors_find (other, *name);
      ck_assert_msg (there != NULL && weft_tensor_bytes (there) == weft_tensor_bytes (tensor), "%s", *name);
      gsize bytes = weft_tensor_bytes (tensor);
      g_autofree char *x = g_malloc (bytes + 1), *y = g_malloc (bytes + 1);
      ck_assert (weft_safetensors_read (one, *name, x, NULL) && weft_safetensors_read (other, *name, y, NULL));
      ck_assert_msg (memcmp (x, y, bytes) == 0, "`%s` differs between %s and %s", *name, left, right);
    }
  ck_assert_uint_gt (compared, 50);
}

static int
compare_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Points of all event files of @run, as sorted text without those that depend on the clock. */
static GPtrArray *
points_of (const char *run)
{
  g_autofree char *path = in_folder (run);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  GPtrArray *points = g_ptr_array_new_with_free_func (g_free);
  for (const char *name; (name = g_dir_read_name (dir)) != NULL;)
    {
      g_autofree char *file = g_build_filename (path, name, NULL), *bytes = NULL;
      gsize size = 0;
      if (!g_str_has_prefix (name, "events.") || count_events (file) == 0 || !g_file_get_contents (file, &bytes, &size, NULL))
        continue;
      guint64 length;
      for (gsize at = 0; at < size; at += 16 + length)
        {
          /* The time takes the first nine bytes of an event; tags end in what is_timed() knows. */
          GString *text = g_string_new (NULL);
          memcpy (&length, bytes + at, 8);
          for (gsize k = 9; k < length; k++)
            g_string_append_printf (text, g_ascii_isgraph (bytes[at + 12 + k]) ? "%c" : "\\%02x", (guchar) bytes[at + 12 + k]);
          if (strchr (text->str, '/') && !strstr (text->str, "items_per_second") && !strstr (text->str, "data_wait"))
            g_ptr_array_add (points, g_string_free (text, FALSE));
          else
            g_string_free (text, TRUE);
        }
    }
  g_ptr_array_sort (points, compare_text);
  return points;
}

/* All metrics of @right are those of @left, and stand there once; so do points of curves. */
static void
assert_same_metrics (const char *left, const char *right)
{
  g_autoptr (GPtrArray) points = points_of (left), others = points_of (right);
  ck_assert_uint_gt (points->len, 10);
  ck_assert_uint_eq (points->len, others->len);
  for (guint i = 0; i < points->len; i++)
    ck_assert_str_eq (points->pdata[i], others->pdata[i]);
  g_autoptr (GPtrArray) one = metrics_of (left), other = metrics_of (right);
  ck_assert_uint_eq (one->len, other->len);
  for (guint i = 0; i < one->len; i++)
    {
      g_autofree char *x = without_times (one->pdata[i]), *y = without_times (other->pdata[i]);
      ck_assert_str_eq (x, y);
    }
}

static void
wait_some_metrics (const char *run, guint lines)
{
  for (int i = 0; i < 3000; i++)
    {
      g_autofree char *name = g_build_filename (run, "metrics.jsonl", NULL), *text = read_in (name);
      guint found = 0;
      for (const char *at = text; at != NULL && (at = strchr (at, '\n')) != NULL; at++)
        found++;
      if (found >= lines)
        return;
      g_usleep (2000);
    }
  ck_abort_msg ("no %u metrics after six seconds", lines);
}

/* Interrupted, terminated or killed, on one thread or two: a run that goes on ends with the same bits. */
START_TEST (continued_runs_end_the_same)
{
  static const struct
  {
    int signal;
    guint after;
  } ends[] = { { SIGINT, 1 }, { SIGTERM, 3 }, { SIGKILL, 2 }, { SIGKILL, 5 }, { SIGINT, 7 } };
  weft_well ("train " SMALL "--set epochs=4 --output a --threads 1");
  GPid child = weft_begin ("train " SMALL "--set epochs=4 --output b --threads 2 --checkpoint-every 7");
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      int status;
      wait_some_metrics ("b", ends[i].after);
      kill (child, ends[i].signal);
      ck_assert_int_eq (waitpid (child, &status, 0), child);
      ck_assert_msg (ends[i].signal == SIGKILL || WIFEXITED (status), "ended by signal %d", WTERMSIG (status));
      child = weft_begin (i % 2 ? "train b --threads 2" : "train " SMALL "--set epochs=4 --output b --threads 1 --checkpoint-every 7");
    }
  int status;
  ck_assert_int_eq (waitpid (child, &status, 0), child);
  ck_assert (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  assert_same_tensors ("a/last.safetensors", "b/last.safetensors");
  assert_same_tensors ("a/best.safetensors", "b/best.safetensors");
  assert_same_metrics ("a", "b");
  g_autofree char *info = read_in ("b/info.json");
  ck_assert_msg (holds (info, "interrupted by") && holds (info, "ended without a word") && holds (info, "finished"), "%s", info);
}
END_TEST

/* Checkpoints in the middle of an epoch and at its end fall together here: a validation after the checkpoint is done again, once. */
START_TEST (checkpoints_are_written_when_asked)
{
  g_autofree char *message = NULL, *step = in_folder ("a/checkpoints/step-15.safetensors");
  weft_well ("train " SMALL "--set epochs=1 --output a --set run.checkpoint.keep=100 --checkpoint-every 5");
  ck_assert (weft_checkpoint_verify (step, NULL, NULL));
  weft_well ("train " SMALL "--set epochs=1 --output b --checkpoint-every 1h");
  ck_assert_int_eq (weft_in (folder, "train a --checkpoint-every soon", NULL, &message), 2);
  ck_assert_msg (holds (message, "soon") && holds (message, "90s"), "%s", message);
}
END_TEST

START_TEST (one_process_a_directory)
{
  int status;
  g_autofree char *message = NULL;
  GPid child = weft_begin ("train " SMALL "--set epochs=100000 --output a --threads 1");
  wait_some_metrics ("a", 1);
  ck_assert_int_eq (weft_in (folder, "train a", NULL, &message), 1);
  g_autofree char *number = g_strdup_printf ("%d", (int) child);
  ck_assert_msg (holds (message, number), "%s", message);
  kill (child, SIGKILL);
  waitpid (child, &status, 0);
  /* The lock died with its owner. */
  weft_well ("train a --set run.train.epochs=1 --threads 1");
}
END_TEST

START_TEST (another_pipeline_is_refused)
{
  g_autofree char *message = NULL;
  weft_well ("train " SMALL "--set epochs=1 --output a");
  ck_assert_int_eq (weft_in (folder, "train " SMALL "--set epochs=1 --set batch=8 --output a", NULL, &message), 1);
  ck_assert_msg (holds (message, "another pipeline") && holds (message, "batch"), "%s", message);
}
END_TEST

START_TEST (damaged_checkpoints_are_named)
{
  g_autofree char *message = NULL, *verdict = NULL, *bytes = NULL, *path = in_folder ("a/checkpoints/step-40.safetensors");
  gsize size;
  weft_well ("train " SMALL "--set epochs=2 --output a");
  ck_assert (g_file_get_contents (path, &bytes, &size, NULL));
  bytes[size - 9] = (char) (bytes[size - 9] ^ 1);
  ck_assert (g_file_set_contents (path, bytes, (gssize) size, NULL));
  ck_assert_int_eq (weft_in (folder, "verify a", &verdict, NULL), 1);
  ck_assert_msg (holds (verdict, "BAD   a/checkpoints/step-40.safetensors: tensor")
                     && holds (verdict, "good  a/checkpoints/step-20.safetensors"),
                 "%s", verdict);
  ck_assert_int_eq (weft_in (folder, "train a --set run.train.epochs=3", NULL, &message), 0);
  ck_assert_msg (holds (message, "step-40.safetensors: tensor") && holds (message, "the one before it is taken"), "%s", message);
  ck_assert_msg (holds (message, "epoch 2  step 40"), "the second epoch was not trained again: %s", message);
  weft_well ("verify a a/last.safetensors");
}
END_TEST

static void
write_in (const char *name, const char *text)
{
  g_autofree char *path = in_folder (name);
  ck_assert (g_file_set_contents (path, text, -1, NULL));
}

/* Going on with other data is told, not refused: copied data is the same data, whatever its times are. */
START_TEST (other_data_is_told)
{
  g_autofree char *info = NULL, *same = NULL, *verdict = NULL, *message = NULL, *again = NULL, *words = in_folder ("words.txt");
  write_in ("words.txt", "circle\nsquare\n");
  weft_well ("train " SMALL "--set graphs.train.nodes.tokens.captions=words.txt --set epochs=1 --output a");
  info = read_in ("a/info.json");
  ck_assert_msg (holds (info, "words.txt") && holds (info, "\"sha256\"") && holds (info, "\"of\" : \"contents\""), "%s", info);
  struct utimbuf times = { 1000000000, 1000000000 };
  ck_assert_int_eq (g_utime (words, &times), 0);
  ck_assert_int_eq (weft_in (folder, "train a --set run.train.epochs=2", NULL, &same), 0);
  ck_assert_msg (!holds (same, "warning: data"), "%s", same);
  write_in ("words.txt", "circle\nsquarE\n");
  ck_assert_int_eq (weft_in (folder, "verify a", &verdict, NULL), 0);
  ck_assert_msg (holds (verdict, "other ") && holds (verdict, "words.txt: holds something else than before"), "%s", verdict);
  ck_assert_int_eq (weft_in (folder, "train a --set run.train.epochs=3", NULL, &message), 0);
  ck_assert_msg (holds (message, "warning: data: ") && holds (message, "words.txt: holds something else than before"), "%s", message);
  write_in ("words.txt", "circle\nsquare\n");
  ck_assert_int_eq (weft_in (folder, "train a --set run.train.epochs=4", NULL, &again), 0);
  ck_assert_msg (!holds (again, "warning: data"), "%s", again);
}
END_TEST

/* An account of another form is written anew, or gone on with as far as it can be understood. */
START_TEST (odd_accounts_do_no_harm)
{
  static const char *const accounts[] = { "{\"starts\": 3}", "{\"starts\": [1, null, {\"outcome\": 3, \"data\": {}}, []]}",
                                          "{\"starts\": [{\"first_step\": {}, \"data\": [1]}]}", "[]", "" };
  weft_well ("train " SMALL "--set epochs=1 --output a");
  for (guint i = 0; i < G_N_ELEMENTS (accounts); i++)
    {
      g_autofree char *epochs = g_strdup_printf ("train a --set run.train.epochs=%u", i + 2), *message = NULL, *info = NULL;
      write_in ("a/info.json", accounts[i]);
      ck_assert_int_eq (weft_in (folder, epochs, NULL, &message), 0);
      ck_assert_msg (!holds (message, "CRITICAL") && !holds (message, "warning: data"), "%s", message);
      info = read_in ("a/info.json");
      ck_assert_msg (holds (info, "\"outcome\" : \"finished\""), "%s", info);
      weft_well ("verify a");
    }
}
END_TEST

/* Every byte of the curves that changes, and every end but one between records, is noticed; so is an unreadable account of the run. */
START_TEST (damaged_curves_are_named)
{
  g_autofree char *bytes = NULL, *verdict = NULL, *info = in_folder ("a/info.json");
  gsize size;
  guint ends = 0;
  guint64 all, records;
  weft_well ("train " SMALL "--set epochs=1 --output a");
  g_autofree char *path = find_with_prefix ("a", WEFT_EVENTS_PREFIX);
  ck_assert (weft_events_verify (path, &all, NULL));
  ck_assert (g_file_get_contents (path, &bytes, &size, NULL));
  for (gsize at = 0; at < size; at += 7)
    {
      bytes[at] = (char) (bytes[at] ^ 0x10);
      ck_assert (g_file_set_contents (path, bytes, (gssize) size, NULL));
      ck_assert_msg (!weft_events_verify (path, &records, NULL), "byte %d", (int) at);
      bytes[at] = (char) (bytes[at] ^ 0x10);
    }
  for (gsize length = MIN (size, 600); length > 0; length--)
    {
      ck_assert (g_file_set_contents (path, bytes, (gssize) length, NULL));
      ends += weft_events_verify (path, &records, NULL);
    }
  ck_assert_uint_ge (ends, 2);
  ck_assert_uint_le (ends, all);
  ck_assert (g_file_set_contents (path, bytes, (gssize) size - 1, NULL));
  ck_assert (g_file_set_contents (info, "{", 1, NULL));
  ck_assert_int_eq (weft_in (folder, "verify a", &verdict, NULL), 1);
  ck_assert_msg (holds (verdict, "a record is cut short") && holds (verdict, "BAD   a/info.json"), "%s", verdict);
}
END_TEST

/* Files may not grow beyond what one checkpoint takes: what a full disk does. */
static void
limit_files (gpointer data)
{
  struct rlimit limit = { *(const rlim_t *) data, *(const rlim_t *) data };
  signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &limit);
}

START_TEST (a_full_disk_loses_nothing)
{
  g_auto (GStrv) words = words_of ("train a --set run.train.epochs=9 --threads 1");
  g_autofree char *output = NULL, *message = NULL, *before = in_folder ("a/checkpoints/step-40.safetensors");
  rlim_t most = 100000;
  int status = 0;
  weft_well ("train " SMALL "--set epochs=2 --output a");
  ck_assert (g_spawn_sync (folder, words, NULL, G_SPAWN_DEFAULT, limit_files, &most, &output, &message, &status, NULL));
  ck_assert_msg (WIFEXITED (status) && WEXITSTATUS (status) == 1, "%d: %s%s", status, output, message);
  ck_assert_msg (holds (message, "File too large") || holds (output, "File too large"), "%s%s", output, message);
  ck_assert (weft_checkpoint_verify (before, NULL, NULL));
  weft_well ("train a --set run.train.epochs=3 --threads 1");
}
END_TEST

static float *
read_array (const char *name, WeftTensor *tensor)
{
  g_autofree char *path = in_folder (name);
  g_autoptr (GError) error = NULL;
  float *data = weft_npy_read_f32 (path, tensor, &error);
  ck_assert_msg (data != NULL, "%s", error ? error->message : "");
  return data;
}

/* Similarities are the products of the embeddings that `weft encode` writes. */
START_TEST (evaluation_and_embeddings_agree)
{
  WeftTensor s, v, t;
  g_autofree char *json = NULL, *table = NULL;
  weft_well ("train " SMALL "--set epochs=1 --output a");
  ck_assert_int_eq (weft_in (folder, "evaluate a --json --quiet --save-similarity s.npy", &json, NULL), 0);
  ck_assert_int_eq (weft_in (folder, "evaluate a --quiet", &table, NULL), 0);
  weft_well ("encode a --split test --output e");
  g_autofree float *similarity = read_array ("s.npy", &s), *images = read_array ("e/images.npy", &v),
                   *captions = read_array ("e/captions.npy", &t);
  ck_assert (s.shape[0] == IMAGES && s.shape[1] == 5 * IMAGES && v.shape[1] == t.shape[1]);
  for (gint64 i = 0; i < s.shape[0]; i++)
    for (gint64 j = 0; j < s.shape[1]; j++)
      {
        double sum = 0;
        for (gint64 k = 0; k < v.shape[1]; k++)
          sum += (double) images[i * v.shape[1] + k] * captions[j * v.shape[1] + k];
        ck_assert (fabs (sum - similarity[i * s.shape[1] + j]) < 1e-5);
      }
  g_autoptr (JsonNode) node = json_from_string (json, NULL);
  ck_assert (node != NULL && JSON_NODE_HOLDS_OBJECT (node));
  double rsum = json_object_get_double_member (json_node_get_object (node), "scores.recalls.rsum");
  g_autofree char *number = g_strdup_printf ("%.2f", rsum);
  ck_assert_msg (rsum > 0 && holds (table, number), "%s is not in\n%s", number, table);
}
END_TEST

/* What is saved is what was scored, not one of the matrices that it was made of. */
START_TEST (the_similarity_that_was_scored_is_saved)
{
  g_autofree char *overlay = in_folder ("mean.yaml");
  WeftTensor plain, mean;
  weft_well ("train " SMALL "--set epochs=1 --output a");
  ck_assert (g_file_set_contents (overlay,
                                  "graphs:\n  scores:\n    nodes:\n"
                                  "      one: {op: similarity, images: images.embedding, captions: captions.embedding}\n"
                                  "      half: {op: scale, x: one, factor: 0.5}\n"
                                  "      mean: {op: ensemble, similarities: {one: one, half: half}}\n"
                                  "      recalls: {images: null, captions: null, similarity: mean}\n",
                                  -1, NULL));
  weft_well ("evaluate a --save-similarity plain.npy");
  weft_well ("evaluate a --overlay mean.yaml --save-similarity mean.npy");
  g_autofree float *s = read_array ("plain.npy", &plain), *m = read_array ("mean.npy", &mean);
  ck_assert_int_eq (weft_tensor_elements (&plain), weft_tensor_elements (&mean));
  for (gint64 i = 0; i < weft_tensor_elements (&plain); i++)
    ck_assert_float_eq_tol (m[i], 0.75f * s[i], 1e-6f);
}
END_TEST

/* A graph without source collects too, also what has sizes of its own in every dimension. */
START_TEST (collected_matrices_are_read_by_other_graphs)
{
  g_autofree char *overlay = in_folder ("again.yaml"), *json = NULL, *message = NULL;
  weft_well ("train " SMALL "--set epochs=1 --output a");
  ck_assert (g_file_set_contents (overlay,
                                  "graphs:\n"
                                  "  scores:\n"
                                  "    nodes: {all: {op: similarity, images: images.embedding, captions: captions.embedding}}\n"
                                  "    collect: {similarity: all}\n"
                                  "  again:\n"
                                  "    nodes: {recalls: {op: recalls, similarity: scores.similarity}}\n"
                                  "run: {evaluate: {graphs: [images, captions, scores, again]}}\n",
                                  -1, NULL));
  int status = weft_in (folder, "evaluate a --overlay again.yaml --json --quiet", &json, &message);
  ck_assert_msg (status == 0, "status %d: %s", status, message);
  g_autoptr (JsonNode) node = json_from_string (json, NULL);
  ck_assert (node != NULL && JSON_NODE_HOLDS_OBJECT (node));
  JsonObject *numbers = json_node_get_object (node);
  ck_assert_msg (json_object_has_member (numbers, "again.recalls.image_mean"), "%s", json);
  ck_assert_double_eq (json_object_get_double_member (numbers, "again.recalls.image_mean"),
                       json_object_get_double_member (numbers, "scores.recalls.image_mean"));
}
END_TEST

/* Trains with @settings and returns all that was said. */
static char *
said_by (const char *settings, int expected)
{
  g_autofree char *arguments = g_strconcat ("train " SMALL, settings, NULL), *output = NULL, *message = NULL;
  int status = weft_in (folder, arguments, &output, &message);
  ck_assert_msg (status == expected, "status %d: %s%s", status, output, message);
  return g_strconcat (output, message, NULL);
}

START_TEST (mistyped_pipelines_are_recognised)
{
  static const char *const commands[] = { "check user-f30kk", "train user-f30kk.yaml --output run", "config user-f30kk",
                                          "graph user-f30kk" };
  g_autofree char *output = NULL, *message = NULL;
  int status = weft_in (folder, commands[_i], &output, &message);
  ck_assert_int_eq (status, 1);
  ck_assert_msg (holds (message, "there is no such file, run or installed pipeline; did you mean \"user-f30k\"?"), "%s", message);
}
END_TEST

START_TEST (trouble_is_told_at_once)
{
  /* Weights that grow by a million a step: the first node with a value that is not finite is named. */
  g_autofree char *infinite =
      said_by ("--set epochs=1 --output a --set graphs.train.nodes.update.rate=1000 --set graphs.train.nodes.update.decay=1000", 1);
  ck_assert_msg (holds (infinite, "not finite") && holds (infinite, "`"), "%s", infinite);
  g_autofree char *info = read_in ("a/info.json");
  ck_assert_msg (holds (info, "not finite"), "the run does not say how it failed: %s", info);
  /* Steps so large that most pairs end with a similarity below zero. */
  g_autofree char *silent = said_by ("--set epochs=1 --output b --set graphs.train.nodes.update.rate=900", 0);
  ck_assert_msg (holds (silent, "get no gradient") && holds (silent, "set another seed"), "%s", silent);
  g_autofree char *collapsed = said_by ("--set epochs=1 --output c --set run.log.every=1", 0);
  ck_assert_msg (holds (collapsed, "collapse") && holds (collapsed, "smaller rate"), "%s", collapsed);
}
END_TEST

START_TEST (a_run_starts_from_another)
{
  g_autofree char *overlay = in_folder ("warm.yaml"), *message = NULL;
  weft_well ("train " SMALL "--set epochs=1 --output a");
  ck_assert (g_file_set_contents (overlay, "networks: {image: {load: {path: a}}}\n", -1, NULL));
  ck_assert_int_eq (weft_in (folder, "train " SMALL "--set epochs=1 --output b --overlay warm.yaml", NULL, &message), 0);
  ck_assert_msg (holds (message, "image from a/best.safetensors: 33 matched, 0 missing, 0 left over"), "%s", message);
}
END_TEST

/* What `weft ARGUMENTS` shows on a terminal. */
static char *
on_terminal (const char *arguments)
{
  g_auto (GStrv) words = words_of (arguments);
  g_autoptr (GString) shown = g_string_new (NULL);
  char buffer[4096];
  int terminal = -1, status = 0;
  struct winsize size = { .ws_row = 24, .ws_col = 120 };
  pid_t pid = forkpty (&terminal, NULL, NULL, &size);
  ck_assert_int_ge (pid, 0);
  if (pid == 0)
    {
      g_setenv ("TERM", "xterm", TRUE);
      if (chdir (folder) == 0)
        execv (words[0], words);
      _exit (127);
    }
  for (ssize_t got; (got = read (terminal, buffer, sizeof buffer)) > 0;)
    g_string_append_len (shown, buffer, got);
  ck_assert_int_eq (waitpid (pid, &status, 0), pid);
  ck_assert_msg (WIFEXITED (status) && WEXITSTATUS (status) == 0, "%s", shown->str);
  close (terminal);
  return g_string_free (g_steal_pointer (&shown), FALSE);
}

START_TEST (a_terminal_shows_one_line_of_progress)
{
  g_autofree char *shown = on_terminal ("train " SMALL "--set epochs=1 --limit 3 --output a");
  const char *line = strstr (shown, "step 1");
  ck_assert_msg (line != NULL, "%s", shown);
  g_autofree char *first = g_strndup (line, strcspn (line, "\r\n"));
  ck_assert_msg (holds (shown, "\repoch 1/1  step 1"), "%s", shown);
  ck_assert_msg (holds (first, "loss ") && !holds (first, "loss 0 "), "the loss of the first step is shown before it is logged: %s", first);
}
END_TEST

/* How long a pass is, and with it the time left, is known from the first step on. */
START_TEST (a_terminal_shows_the_time_that_is_left)
{
  g_autofree char *shown = on_terminal ("train " SMALL "--set epochs=2 --output a");
  const char *line = strstr (shown, "\repoch 1/2  step 1/20  loss ");
  ck_assert_msg (line != NULL, "%s", shown);
  g_autofree char *first = g_strndup (line + 1, strcspn (line + 1, "\r\n"));
  ck_assert_msg (holds (first, " items/s  data wait ") && holds (first, " left\033[K"), "%s", first);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("command");
  TCase *tests = tcase_create ("command");
  tcase_set_timeout (tests, 300);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, every_command_explains_itself);
  tcase_add_test (tests, a_run_directory_holds_the_run);
  tcase_add_test (tests, continued_runs_end_the_same);
  tcase_add_test (tests, checkpoints_are_written_when_asked);
  tcase_add_test (tests, one_process_a_directory);
  tcase_add_test (tests, another_pipeline_is_refused);
  tcase_add_test (tests, damaged_checkpoints_are_named);
  tcase_add_test (tests, other_data_is_told);
  tcase_add_test (tests, odd_accounts_do_no_harm);
  tcase_add_test (tests, damaged_curves_are_named);
  tcase_add_test (tests, a_full_disk_loses_nothing);
  tcase_add_test (tests, evaluation_and_embeddings_agree);
  tcase_add_test (tests, the_similarity_that_was_scored_is_saved);
  tcase_add_test (tests, collected_matrices_are_read_by_other_graphs);
  tcase_add_test (tests, trouble_is_told_at_once);
  tcase_add_loop_test (tests, mistyped_pipelines_are_recognised, 0, 4);
  tcase_add_test (tests, a_run_starts_from_another);
  tcase_add_test (tests, a_terminal_shows_one_line_of_progress);
  tcase_add_test (tests, a_terminal_shows_the_time_that_is_left);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
