/* Files of lines: endings, marks, and what is refused.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lines.h"
#include "rig.h"

static char *folder, *path;

static void
set_up (void)
{
  folder = rig_folder ();
  path = g_build_filename (folder, "lines.txt", NULL);
}

static void
tear_down (void)
{
  rig_remove (folder);
  g_free (folder);
  g_free (path);
}

START_TEST (endings_do_not_matter)
{
  static const struct
  {
    const char *text;
    guint n;
  } files[] = {
    { "one\ntwo\nthré\n", 3 }, { "one\ntwo\nthré", 3 }, { "one\r\ntwo\r\nthré\r\n", 3 }, { "\xef\xbb\xbfone\ntwo\r\nthré", 3 }, { "", 0 },
    { "\xef\xbb\xbf", 0 },
  };
  static const char *const expected[] = { "one", "two", "thré" };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      rig_write (folder, "lines.txt", files[i].text, -1);
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftLines) lines = weft_lines_read (path, FALSE, &error);
      ck_assert_msg (lines != NULL, "%s", error != NULL ? error->message : "");
      ck_assert_uint_eq (weft_lines_count (lines), files[i].n);
      for (guint j = 0; j < files[i].n; j++)
        {
          gsize length;
          ck_assert_str_eq (weft_lines_get (lines, j, &length), expected[j]);
          ck_assert_uint_eq (length, strlen (expected[j]));
        }
      g_autoptr (WeftLineFile) file = weft_line_file_open (path, FALSE, NULL, NULL, &error);
      ck_assert_msg (file != NULL, "%s", error != NULL ? error->message : "");
      ck_assert_uint_eq (weft_line_file_count (file), files[i].n);
      g_autoptr (GString) line = g_string_new (NULL);
      for (guint j = files[i].n; j-- > 0;)
        {
          ck_assert (weft_line_file_read (file, j, line, &error));
          ck_assert_str_eq (line->str, expected[j]);
        }
    }
}
END_TEST

START_TEST (empty_lines_are_entries_only_if_allowed)
{
  rig_write (folder, "lines.txt", "a\n\nb\n \n", -1);
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftLines) lines = weft_lines_read (path, TRUE, &error);
  ck_assert_ptr_nonnull (lines);
  ck_assert_uint_eq (weft_lines_count (lines), 4);
  ck_assert_str_eq (weft_lines_get (lines, 1, NULL), "");
  ck_assert_str_eq (weft_lines_get (lines, 3, NULL), " ");
  ck_assert_ptr_null (weft_lines_read (path, FALSE, &error));
  ck_assert_msg (strstr (error->message, "lines.txt:2: empty line") != NULL, "%s", error->message);
}
END_TEST

START_TEST (what_is_no_text_is_refused)
{
  g_autofree char *endless = g_strnfill ((1 << 20) + 1, 'x');
  const struct
  {
    const char *text;
    gssize n;
    const char *message;
  } files[] = {
    { "ok\nok\ncaf\xe9 closed\n", -1, "lines.txt:3:4: byte 0xe9 is not UTF-8" },
    { "ok\nb\0d\n", 7, "lines.txt:2: holds a NUL byte" },
    { "f\0i\0", 4, "lines.txt:1: holds a NUL byte" },
    { endless, -1, "lines.txt:1: longer than 1 MiB" },
    { "ok\n\t\n", -1, "lines.txt:2: empty line" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      rig_write (folder, "lines.txt", files[i].text, files[i].n);
      g_autoptr (GError) error = NULL;
      ck_assert_ptr_null (weft_lines_read (path, FALSE, &error));
      ck_assert_msg (strstr (error->message, files[i].message) != NULL, "%s", error->message);
      g_autoptr (GError) same = NULL;
      ck_assert_ptr_null (weft_line_file_open (path, FALSE, NULL, NULL, &same));
      ck_assert_str_eq (same->message, error->message);
    }
  g_autoptr (GError) error = NULL;
  ck_assert_ptr_null (weft_lines_read (folder, FALSE, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "not a regular file"));
}
END_TEST

/* Lengths from nothing to several windows, ends of both kinds, none at the end; lines in any order. */
START_TEST (lines_are_found_where_they_are)
{
  g_autoptr (GString) text = g_string_new ("\xef\xbb\xbf"), line = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  WeftRandom random = weft_random_for (3, "lines", 0);
  for (guint i = 0; i < 2000; i++)
    {
      guint length = i % 500 == 7 ? 200000 : i == 40 ? (1 << 20) : weft_random_below (random, i, i % 50 == 3 ? 9000 : 90);
      for (guint j = 0; j < length; j++)
        g_string_append_c (text, (char) ('a' + (i * 7 + j) % 26));
      g_string_append (text, i == 1999 ? "last" : i % 3 ? "\n" : "\r\n");
    }
  rig_write (folder, "lines.txt", text->str, (gssize) text->len);
  g_autoptr (WeftLines) lines = weft_lines_read (path, TRUE, &error);
  g_autoptr (WeftLineFile) file = weft_line_file_open (path, TRUE, NULL, NULL, &error);
  ck_assert_msg (lines && file, "%s", error ? error->message : "");
  ck_assert_uint_eq (weft_line_file_count (file), 2000);
  for (guint i = 0; i < 2000; i++)
    {
      guint at = i * 1237 % 2000;
      gsize length;
      const char *expected = weft_lines_get (lines, at, &length);
      ck_assert_msg (weft_line_file_read (file, at, line, &error), "%s", error ? error->message : "");
      ck_assert_msg (line->len == length && memcmp (line->str, expected, length) == 0, "line %u", at + 1);
    }
}
END_TEST

static gboolean
refuse_third (guint line, const char *text, gsize length, gpointer data, GError **error)
{
  ck_assert_uint_eq (length, strlen (text));
  ++*(guint *) data;
  if (line == 3)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "\"%s\" is not wanted", text);
  return line != 3;
}

START_TEST (every_line_is_shown_until_one_is_refused)
{
  g_autoptr (GError) error = NULL;
  guint seen = 0;
  rig_write (folder, "lines.txt", "one\ntwo\nthree\nfour\n", -1);
  ck_assert_ptr_null (weft_line_file_open (path, FALSE, refuse_third, &seen, &error));
  ck_assert_str_eq (error->message, "\"three\" is not wanted");
  ck_assert_uint_eq (seen, 3);
}
END_TEST

/* Whatever somebody does to the file, its reader gets a line or an error. */
START_TEST (changed_files_are_told)
{
  static const struct
  {
    const char *text, *message;
  } changes[] = { { "one\ntw", "truncated, or it was changed while in use" },
                  { "onetwothreefour\n", "lines.txt: has fewer lines than before; it was changed while in use" },
                  { "one\n\xff\xff\xff\nthree\n1\n", "lines.txt:2:1: byte 0xff is not UTF-8" },
                  { "one\n\n\ntwothree1\n", "lines.txt:2: empty line" } };
  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autoptr (GString) line = g_string_new (NULL);
      g_autoptr (GError) error = NULL;
      rig_write (folder, "lines.txt", "one\ntwo\nthree\n1\n", -1);
      g_autoptr (WeftLineFile) file = weft_line_file_open (path, FALSE, NULL, NULL, &error);
      ck_assert_ptr_nonnull (file);
      int descriptor = open (path, O_WRONLY | O_TRUNC);
      ck_assert_int_ge (descriptor, 0);
      ck_assert_int_eq (write (descriptor, changes[i].text, strlen (changes[i].text)), (gssize) strlen (changes[i].text));
      close (descriptor);
      ck_assert (!weft_line_file_read (file, 1, line, &error));
      ck_assert_msg (strstr (error->message, changes[i].message) != NULL, "%s", error->message);
    }
}
END_TEST

/* Nobody writes into the pipe: waiting for it would last for ever, and the null device's twin /dev/zero has no end. */
START_TEST (special_files_are_refused_at_once)
{
  g_autofree char *pipe = g_build_filename (folder, "pipe", NULL);
  const char *const files[] = { pipe, "/dev/zero" };
  ck_assert_int_eq (mkfifo (pipe, 0600), 0);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autoptr (GError) error = NULL;
      ck_assert_ptr_null (weft_lines_read (files[i], FALSE, &error));
      ck_assert_msg (strstr (error->message, "not a regular file") != NULL, "%s", error->message);
    }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("lines");
  TCase *tests = tcase_create ("lines");
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, endings_do_not_matter);
  tcase_add_test (tests, empty_lines_are_entries_only_if_allowed);
  tcase_add_test (tests, what_is_no_text_is_refused);
  tcase_add_test (tests, lines_are_found_where_they_are);
  tcase_add_test (tests, every_line_is_shown_until_one_is_refused);
  tcase_add_test (tests, changed_files_are_told);
  tcase_add_test (tests, special_files_are_refused_at_once);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
