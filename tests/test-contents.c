/* Digests of data: what changes them, what does not, and what they cost.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <json-glib/json-glib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "contents.h"
#include "folder.h"

#define LARGE ((gint64) 3 << 30) /* bytes of a file with a hole in it */
#define BLOCK 16384

static GPtrArray *
contents_of (const char *name)
{
  g_autofree char *path = in_folder (name);
  GPtrArray *contents = weft_contents_new ();
  weft_contents_add (contents, path);
  return contents;
}

static char *
digest_of (const char *name)
{
  g_autoptr (GPtrArray) contents = contents_of (name);
  ck_assert_uint_eq (contents->len, 1);
  const WeftContents *one = contents->pdata[0];
  ck_assert_msg (one->digest != NULL, "%s", one->problem);
  return g_strdup (one->digest);
}

static void
set_time (const char *name, gint64 seconds)
{
  g_autofree char *path = in_folder (name);
  struct utimbuf times = { seconds, seconds };
  ck_assert_int_eq (g_utime (path, &times), 0);
}

static void
put_byte (const char *name, gint64 at, char byte)
{
  g_autofree char *path = in_folder (name);
  FILE *file = fopen (path, "r+");
  ck_assert_ptr_nonnull (file);
  ck_assert_int_eq (pwrite (fileno (file), &byte, 1, at), 1);
  fclose (file);
}

static void
make_large (const char *name, gint64 bytes)
{
  g_autofree char *path = in_folder (name);
  rig_write (folder, name, "", 0);
  ck_assert_int_eq (truncate (path, bytes), 0);
}

START_TEST (small_files_are_read_whole)
{
  static const char text[] = "a red circle\na blue square\n";
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  rig_write (folder, "captions.txt", text, -1);
  g_autofree char *first = digest_of ("captions.txt");
  ck_assert_str_eq (first, sum);
  set_time ("captions.txt", 1000000000);
  g_autofree char *touched = digest_of ("captions.txt");
  ck_assert_str_eq (first, touched);
  for (guint i = 0; i < strlen (text); i++)
    {
      put_byte ("captions.txt", i, (char) (text[i] ^ 1));
      g_autofree char *other = digest_of ("captions.txt");
      ck_assert_str_ne (first, other);
      put_byte ("captions.txt", i, text[i]);
    }
  g_autofree char *again = digest_of ("captions.txt");
  ck_assert_str_eq (first, again);
}
END_TEST

/* Head, tail, size and blocks between them; what lies between blocks is not looked at. */
START_TEST (large_files_are_sampled)
{
  const gint64 seen[] = { 0, BLOCK - 1, LARGE - BLOCK, LARGE - 1, (LARGE - BLOCK) / 127 * 64 + BLOCK / 2 }, unseen = BLOCK;
  make_large ("train_ims.npy", LARGE);
  g_autofree char *first = digest_of ("train_ims.npy");
  set_time ("train_ims.npy", 1000000000);
  g_autofree char *touched = digest_of ("train_ims.npy");
  ck_assert_str_eq (first, touched);
  for (guint i = 0; i < G_N_ELEMENTS (seen); i++)
    {
      put_byte ("train_ims.npy", seen[i], 1);
      g_autofree char *other = digest_of ("train_ims.npy");
      ck_assert_msg (strcmp (first, other) != 0, "byte %" G_GINT64_FORMAT, seen[i]);
      put_byte ("train_ims.npy", seen[i], 0);
    }
  put_byte ("train_ims.npy", unseen, 1);
  g_autofree char *between = digest_of ("train_ims.npy");
  ck_assert_str_eq (first, between);
  make_large ("train_ims.npy", LARGE + 1);
  g_autofree char *longer = digest_of ("train_ims.npy");
  ck_assert_str_ne (first, longer);
}
END_TEST

/* Every size around the limit is read without a byte beyond its end; large ones cost the same however large they are. */
START_TEST (sizes_are_bounded)
{
  const gint64 limit = 16 << 20;
  const gint64 sizes[] = { 0, 1, BLOCK, BLOCK + 1, limit - 1, limit, limit + 1, limit + 126, (gint64) 1 << 36 };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      make_large ("file", sizes[i]);
      g_autoptr (GPtrArray) contents = contents_of ("file");
      const WeftContents *one = contents->pdata[0];
      ck_assert_msg (one->digest != NULL, "%s", one->problem);
      ck_assert_uint_eq (one->bytes, (guint64) sizes[i]);
      ck_assert_str_eq (one->of, sizes[i] <= limit ? "contents" : "size and 128 blocks of 16 KiB");
    }
}
END_TEST

START_TEST (folders_have_a_line_for_each_file_or_one)
{
  for (guint i = 0; i < 64; i++)
    {
      g_autofree char *name = g_strdup_printf ("%03u.jpg", i);
      rig_write (folder, name, name, -1);
    }
  g_autoptr (GPtrArray) few = contents_of ("");
  ck_assert_uint_eq (few->len, 64);
  for (guint i = 64; i < 200; i++)
    {
      g_autofree char *name = g_strdup_printf ("%03u.jpg", i);
      rig_write (folder, name, name, -1);
    }
  g_autofree char *many = digest_of ("");
  set_time ("007.jpg", 1000000000);
  g_autofree char *touched = digest_of ("");
  ck_assert_str_eq (many, touched);
  static const char *const changed[] = { "000.jpg", "199.jpg" };
  for (guint i = 0; i < G_N_ELEMENTS (changed); i++)
    {
      put_byte (changed[i], 0, 'x');
      g_autofree char *other = digest_of ("");
      ck_assert_str_ne (many, other);
      put_byte (changed[i], 0, changed[i][0]);
    }
  g_autofree char *from = in_folder ("100.jpg"), *to = in_folder ("100.png");
  ck_assert_int_eq (g_rename (from, to), 0);
  g_autofree char *renamed = digest_of ("");
  ck_assert_str_ne (many, renamed);
  rig_write (folder, "101.jpg", "longer than it was", -1);
  ck_assert_int_eq (g_rename (to, from), 0);
  g_autofree char *longer = digest_of ("");
  ck_assert_str_ne (many, longer);
}
END_TEST

/* Pipes are not waited for, and folders that lead into themselves end. */
START_TEST (odd_files_do_no_harm)
{
  g_autofree char *pipe = in_folder ("pipe"), *loop = in_folder ("loop"), *gone = in_folder ("gone");
  ck_assert_int_eq (mkfifo (pipe, 0600), 0);
  ck_assert_int_eq (symlink (".", loop), 0);
  ck_assert_int_eq (symlink ("nothing", gone), 0);
  rig_write (folder, "a", "a", -1);
  g_autoptr (GPtrArray) contents = contents_of ("");
  ck_assert_uint_eq (contents->len, 2); /* a, loop/a */
  weft_contents_add (contents, gone);
  weft_contents_add (contents, ((const WeftContents *) contents->pdata[0])->path);
  ck_assert_uint_eq (contents->len, 2);
}
END_TEST

static GPtrArray *
written_and_read (const GPtrArray *contents)
{
  g_autoptr (JsonNode) node = weft_contents_write (contents);
  g_autofree char *text = json_to_string (node, TRUE);
  g_autoptr (JsonNode) again = json_from_string (text, NULL);
  ck_assert_ptr_nonnull (again);
  return weft_contents_read (again);
}

static void
expect_lines (const GPtrArray *before, const char *const *parts)
{
  g_autoptr (GPtrArray) now = contents_of ("");
  g_autoptr (GPtrArray) lines = weft_contents_differences (before, now);
  ck_assert_uint_eq (lines->len, g_strv_length ((char **) parts));
  for (guint i = 0; i < lines->len; i++)
    ck_assert_msg (strstr (lines->pdata[i], parts[i]) != NULL, "%s", (const char *) lines->pdata[i]);
}

START_TEST (differences_are_named)
{
  static const char *const names[] = { "a", "b", "c", "\xff.txt" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    rig_write (folder, names[i], names[i], -1);
  g_autoptr (GPtrArray) contents = contents_of (""), before = written_and_read (contents);
  ck_assert_uint_eq (before->len, 4);
  expect_lines (before, (const char *const[]){ NULL });
  rig_write (folder, "d", "what nobody read", -1);
  expect_lines (before, (const char *const[]){ NULL });
  g_autofree char *c = in_folder ("c"), *b = in_folder ("b");
  rig_write (folder, "elsewhere/b", "b", -1);
  ck_assert_int_eq (g_unlink (b), 0);
  expect_lines (before, (const char *const[]){ NULL });
  rig_write (folder, "a", "A", -1);
  rig_write (folder, "\xff.txt", "two", -1);
  ck_assert_int_eq (g_unlink (c), 0);
  expect_lines (before, (const char *const[]){ "/a: holds something else than before, by SHA-256 of its contents",
                                               "/c: is no longer among the data", ".txt: has 3 bytes, and had 5", NULL });
}
END_TEST

/* What a stranger's info.json says is not believed. */
START_TEST (other_forms_are_left_out)
{
  static const char *const texts[] = { "{}", "[]", "[1, null, \"a\", [], {}]", "[{\"path\": 1, \"of\": \"contents\"}]",
                                       "[{\"path\": \"a\", \"of\": {}}]" };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (JsonNode) node = json_from_string (texts[i], NULL);
      g_autoptr (GPtrArray) contents = weft_contents_read (node);
      ck_assert_uint_eq (contents->len, 0);
    }
  g_autoptr (JsonNode) node =
      json_from_string ("[{\"path\": \"a\", \"of\": \"b\", \"sha256\": [], \"bytes\": \"c\", \"files\": -1}]", NULL);
  g_autoptr (GPtrArray) contents = weft_contents_read (node), none = weft_contents_new ();
  ck_assert_uint_eq (contents->len, 1);
  g_autoptr (GPtrArray) lines = weft_contents_differences (contents, none);
  ck_assert_uint_eq (lines->len, 1);
  g_autoptr (GPtrArray) nothing = weft_contents_read (NULL);
  ck_assert_uint_eq (nothing->len, 0);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("contents");
  TCase *tests = tcase_create ("contents");
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, small_files_are_read_whole);
  tcase_add_test (tests, large_files_are_sampled);
  tcase_add_test (tests, sizes_are_bounded);
  tcase_add_test (tests, folders_have_a_line_for_each_file_or_one);
  tcase_add_test (tests, odd_files_do_no_harm);
  tcase_add_test (tests, differences_are_named);
  tcase_add_test (tests, other_forms_are_left_out);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
