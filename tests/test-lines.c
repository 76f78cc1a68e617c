/* Files of lines: endings, marks, and what is refused.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <sys/stat.h>

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
    }
  g_autoptr (GError) error = NULL;
  ck_assert_ptr_null (weft_lines_read (folder, FALSE, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "not a regular file"));
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
  tcase_add_test (tests, special_files_are_refused_at_once);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
