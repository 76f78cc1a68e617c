/* A hundred ways to get a pipeline or its files wrong, through the command: each gives a located message, status 1 or 2, and
 * nothing is computed.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <sys/wait.h>
#include <unistd.h>

#include "mistakes/documents.h"
#include "mistakes/files.h"
#include "rig.h"

#define SECONDS 30
#define IMAGES 4

static char *folder;

static char *
read_source (const char *name)
{
  g_autofree char *path = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "mistakes", name, NULL);
  char *text = NULL;
  ck_assert_msg (g_file_get_contents (path, &text, NULL, NULL), "%s", path);
  return text;
}

static void
write_array (const char *name, const char *descr, const char *order, const char *shape, gsize bytes)
{
  g_autofree char *header = g_strdup_printf ("{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n", descr, order, shape);
  g_autoptr (GByteArray) file = g_byte_array_new ();
  guint8 start[10] = "\x93NUMPY\x01";
  start[8] = (guint8) strlen (header);
  g_byte_array_append (file, start, sizeof start);
  g_byte_array_append (file, (const guint8 *) header, (guint) strlen (header));
  for (gsize i = 0; i < bytes; i++)
    g_byte_array_append (file, &(guint8){ strstr (descr, "f4") && i % 4 == 3 ? 0x3f : strstr (descr, "f4") ? (guint8) (i * 7) : 0 }, 1);
  rig_write (folder, name, file->data, file->len);
}

/* Everything as it should be. */
static void
write_all (void)
{
  static const char *const splits[] = { "train", "dev", "test" };
  g_autofree char *pipeline = read_source (PIPELINE), *encoders = read_source (ENCODERS);
  rig_write (folder, PIPELINE, pipeline, -1);
  rig_write (folder, ENCODERS, encoders, -1);
  for (guint s = 0; s < G_N_ELEMENTS (splits); s++)
    {
      g_autofree char *features = g_strdup_printf ("data/%s_ims.npy", splits[s]),
                      *captions = g_strdup_printf ("data/%s_caps.txt", splits[s]);
      g_autoptr (GString) text = g_string_new (NULL);
      for (guint i = 0; i < 5 * IMAGES; i++)
        g_string_append_printf (text, "a thing number %u\n", i);
      write_array (features, "'<f4'", "False", "(4, 3, 5)", IMAGES * 15 * sizeof (float));
      rig_write (folder, captions, text->str, -1);
    }
}

static void
set_up (void)
{
  folder = rig_folder ();
  write_all ();
}

static void
tear_down (void)
{
  rig_remove (folder);
  g_free (folder);
}

/* Runs in the child between fork and exec: whatever hangs is ended by this. */
static void
limit_time (gpointer data)
{
  (void) data;
  alarm (SECONDS);
}

/* Runs `weft ARGUMENTS pipeline.yaml` in the folder. Returns: the exit status, -1 if a signal ended it; @message: stderr */
static int
run (const char *arguments, char **message)
{
  g_autofree char *program = g_build_filename (WEFT_TEST_BUILD_DIR, "weft", NULL);
  g_autofree char *line = g_strconcat ("weft ", arguments, " " PIPELINE, NULL);
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  g_auto (GStrv) environment = g_environ_unsetenv (g_get_environ (), "WEFT_TEST_NOWHERE");
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  int status = 0;
  g_free (words[0]);
  words[0] = g_steal_pointer (&program);
  environment = g_environ_setenv (environment, "LC_ALL", "C.UTF-8", TRUE);
  gboolean ran = g_spawn_sync (folder, words, environment, G_SPAWN_DEFAULT, limit_time, NULL, &output, message, &status, &error);
  ck_assert_msg (ran, "%s", error ? error->message : "");
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

/* No run directory holds a model. */
static void
assert_nothing_computed (const char *what)
{
  g_autofree char *runs = g_build_filename (folder, "runs", NULL), *out = g_build_filename (folder, "out", NULL);
  const char *const places[] = { out, runs };
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *model = g_build_filename (places[i], "last.safetensors", NULL);
      g_autofree char *metrics = g_build_filename (places[i], "metrics.jsonl", NULL), *text = NULL;
      ck_assert_msg (!g_file_test (model, G_FILE_TEST_EXISTS), "%s: a model was written", what);
      g_file_get_contents (metrics, &text, NULL, NULL);
      ck_assert_msg (!text || !*text, "%s: metrics were written: %s", what, text);
    }
  rig_remove (out);
  rig_remove (runs);
}

static guint
line_of (const char *text, const char *at)
{
  guint line = 1;
  for (; text < at; text++)
    line += *text == '\n';
  return line;
}

/* Whether a line of @message begins with FILE:LINE:COLUMN: for a line that the mistake touches. */
static gboolean
is_located (const char *message, const char *file, guint first, guint last)
{
  g_autofree char *pattern = g_strdup_printf ("(?m)^[^ ]*%s:([0-9]+):[0-9]+: ", file);
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  for (g_regex_match (regex, message, 0, &match); g_match_info_matches (match); g_match_info_next (match, NULL))
    {
      g_autofree char *number = g_match_info_fetch (match, 1);
      guint line = (guint) g_ascii_strtoull (number, NULL, 10);
      if (line >= first && line <= last)
        return TRUE;
    }
  return FALSE;
}

static void
assert_told (int status, const char *message, const char *part, const char *what)
{
  ck_assert_msg (status == 1 || status == 2, "%s: status %d: %s", what, status, message);
  ck_assert_msg (strstr (message, part) != NULL, "%s: expected \"%s\", got: %s", what, part, message);
  ck_assert_msg (!strstr (message, "CRITICAL") && !strstr (message, "WARNING") && !strstr (message, "Sanitizer")
                     && !strstr (message, "runtime error"),
                 "%s: %s", what, message);
  assert_nothing_computed (what);
}

START_TEST (without_mistakes_it_trains)
{
  g_autofree char *checked = NULL, *trained = NULL, *narrow = NULL, *model = g_build_filename (folder, "out", "last.safetensors", NULL);
  ck_assert_msg (run ("check", &checked) == 0, "%s", checked);
  ck_assert_msg (run ("check --overlay narrow", &narrow) == 0, "%s", narrow);
  ck_assert_msg (run ("train --output out --threads 2", &trained) == 0, "%s", trained);
  ck_assert (g_file_test (model, G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST (mistakes_in_documents)
{
  const Mistake *mistake = &mistakes[_i];
  g_autofree char *text = read_source (mistake->file), *message = NULL;
  const char *at = strstr (text, mistake->from);
  ck_assert_msg (at != NULL, "%s has no \"%s\"", mistake->file, mistake->from);
  gsize common = 0;
  while (mistake->from[common] && mistake->from[common] == mistake->to[common])
    common++;
  guint first = line_of (text, at + common), last = line_of (text, at) + line_of (mistake->to, mistake->to + strlen (mistake->to)) - 1;
  g_autofree char *changed = g_strdup_printf ("%.*s%s%s", (int) (at - text), text, mistake->to, at + strlen (mistake->from));
  rig_write (folder, mistake->file, changed, -1);

  int status = run (_i % 2 ? "train --output out" : "check", &message);
  assert_told (status, message, mistake->message, mistake->to);
  if (mistake->place)
    ck_assert_msg (strstr (message, mistake->place) != NULL, "%s: expected to be located at %s: %s", mistake->to, mistake->place, message);
  else
    ck_assert_msg (is_located (message, mistake->file, first, MAX (first, last)), "%s: not located in lines %u to %u of %s: %s",
                   mistake->to, first, MAX (first, last), mistake->file, message);
}
END_TEST

START_TEST (mistakes_in_arrays)
{
  const Array *array = &arrays[_i];
  g_autofree char *message = NULL;
  write_array (array->file, array->descr, array->order, array->shape, array->bytes);
  int status = run ("train --output out", &message);
  assert_told (status, message, array->message, array->shape);
}
END_TEST

START_TEST (mistakes_in_files)
{
  const Text *file = &texts[_i];
  g_autofree char *message = NULL, *path = g_build_filename (folder, file->file, NULL);
  if (file->text)
    rig_write (folder, file->file, file->text, file->length);
  else
    g_remove (path);
  int status = run ("train --output out", &message);
  assert_told (status, message, file->message, file->text ? file->text : "a missing file");
}
END_TEST

START_TEST (mistakes_on_the_command_line)
{
  g_autofree char *message = NULL;
  int status = run (lines[_i].arguments, &message);
  assert_told (status, message, lines[_i].message, lines[_i].arguments);
}
END_TEST

/* All mistakes of a pipeline in one go. */
START_TEST (mistakes_are_told_together)
{
  g_autofree char *text = read_source (PIPELINE), *message = NULL;
  g_auto (GStrv) parts = g_strsplit (text, "margin: 0.2", 2);
  g_autofree char *first = g_strjoinv ("margin: wide, colour: red", parts);
  g_auto (GStrv) more = g_strsplit (first, "items: captions", 2);
  g_autofree char *second = g_strjoinv ("items: caption", more);
  rig_write (folder, PIPELINE, second, -1);
  int status = run ("check", &message);
  assert_told (status, message, "attribute \"margin\" of triplet_loss `loss` must be a number", "three");
  assert_told (status, message, "has no input or attribute \"colour\"", "three");
  assert_told (status, message, "can't be \"caption\"; did you mean \"captions\"?", "three");
}
END_TEST

/* Whatever is cut off or changed, the command ends by itself with a message. */
START_TEST (damaged_pipelines)
{
  static const char swaps[] = "\t\n \"'{}[],:&*!|#%@-?<~$a9.";
  g_autofree char *text = read_source (PIPELINE);
  gsize length = strlen (text), place = ((gsize) _i * 7919 + 13) % length;
  g_autofree char *message = NULL, *what = g_strdup_printf ("damage %d", _i);
  if (_i % 4 == 0)
    text[place] = '\0';
  else
    text[place] = swaps[(gsize) _i % (sizeof swaps - 1)];
  rig_write (folder, PIPELINE, text, -1);
  int status = run ("check", &message);
  ck_assert_msg (status >= 0 && status <= 2, "%s: status %d: %s\n%s", what, status, message, text);
  ck_assert_msg (status == 0 || *message, "%s: no message", what);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("mistakes");
  TCase *tests = tcase_create ("mistakes");
  tcase_set_timeout (tests, 2 * SECONDS);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, without_mistakes_it_trains);
  tcase_add_loop_test (tests, mistakes_in_documents, 0, G_N_ELEMENTS (mistakes));
  tcase_add_loop_test (tests, mistakes_in_arrays, 0, G_N_ELEMENTS (arrays));
  tcase_add_loop_test (tests, mistakes_in_files, 0, G_N_ELEMENTS (texts));
  tcase_add_loop_test (tests, mistakes_on_the_command_line, 0, G_N_ELEMENTS (lines));
  tcase_add_test (tests, mistakes_are_told_together);
  tcase_add_loop_test (tests, damaged_pipelines, 0, 60);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
