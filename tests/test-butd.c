/* Dumps of bottom-up attention: features come out exactly, whatever the order and numbers of regions; damaged dumps are refused by line.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <glib/gstdio.h>

#include "cli/butd.h"
#include "npy.h"
#include "rig.h"

static char *folder, *prefix, *dump, *recorded;

static void
setup (void)
{
  folder = rig_folder ();
  prefix = g_build_filename (folder, "out", NULL);
  dump = g_build_filename (folder, "dump.tsv", NULL);
  recorded = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", "butd.tsv", NULL);
}

static void
teardown (void)
{
  rig_remove (folder);
  g_free (folder);
  g_free (prefix);
  g_free (dump);
  g_free (recorded);
}

static float *
written (const char *suffix, WeftTensor *tensor)
{
  g_autofree char *path = g_strconcat (prefix, suffix, NULL);
  g_autoptr (GError) error = NULL;
  float *values = weft_npy_read_f32 (path, tensor, &error);
  ck_assert_msg (values != NULL, "%s", error ? error->message : "");
  return values;
}

static ButdResult
convert (const char *path, const char *ids, gboolean geometry)
{
  g_autoptr (GError) error = NULL;
  ButdResult result = { 0 };
  gboolean ok = butd_convert ((const char *const[]){ path, NULL }, ids, prefix, geometry, &result, &error);
  ck_assert_msg (ok, "%s", error ? error->message : "");
  return result;
}

START_TEST (recorded_features_come_out)
{
  WeftTensor got, want;
  g_autofree char *expected = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", "butd_ims.npy", NULL);
  ButdResult result = convert (recorded, NULL, FALSE);
  g_autofree float *values = written ("_ims.npy", &got), *there = weft_npy_read_f32 (expected, &want, NULL);
  g_autofree char *counts = g_strconcat (prefix, "_counts.npy", NULL);
  ck_assert_int_eq (result.images, 3);
  ck_assert_uint_eq (got.rank, 3);
  ck_assert_mem_eq (got.shape, want.shape, 3 * sizeof (gint64));
  ck_assert_mem_eq (values, there, weft_tensor_bytes (&want));
  ck_assert (!g_file_test (counts, G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST (images_come_in_the_order_of_ids)
{
  WeftTensor got, want;
  g_autofree char *ids = g_build_filename (folder, "ids.txt", NULL);
  g_autofree char *expected = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", "butd_ims.npy", NULL);
  g_autoptr (GError) error = NULL;
  ButdResult result;
  rig_write (folder, "ids.txt", "1002\n1000\n", -1);
  convert (recorded, ids, FALSE);
  g_autofree float *values = written ("_ims.npy", &got), *there = weft_npy_read_f32 (expected, &want, NULL);
  gsize image = weft_tensor_bytes (&want) / 3;
  ck_assert_int_eq (got.shape[0], 2);
  ck_assert_mem_eq (values, (char *) there + 2 * image, image);
  ck_assert_mem_eq ((char *) values + image, there, image);
  rig_write (folder, "ids.txt", "1002\n7\n", -1);
  ck_assert (!butd_convert ((const char *const[]){ recorded, NULL }, ids, prefix, FALSE, &result, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "ids.txt:2: image \"7\""));
}
END_TEST

/* One line; boxes and features count up from @first. */
static void
add_line (GString *text, const char *id, guint boxes, guint width, float first)
{
  g_autofree float *box = g_new (float, boxes * 4), *features = g_new (float, boxes *width);
  for (guint i = 0; i < boxes * 4; i++)
    box[i] = i % 4 < 2 ? 10 : 20;
  for (guint i = 0; i < boxes * width; i++)
    features[i] = first + (float) i;
  g_autofree char *a = g_base64_encode ((const guchar *) box, boxes * 16),
                  *b = g_base64_encode ((const guchar *) features, boxes * width * 4);
  g_string_append_printf (text, "%s\t40\t80\t%u\t%s\t%s\n", id, boxes, a, b);
}

START_TEST (other_numbers_of_regions_are_counted)
{
  g_autoptr (GString) text = g_string_new (NULL);
  WeftTensor got, counts;
  add_line (text, "a", 2, 3, 0);
  add_line (text, "b", 1, 3, 100);
  add_line (text, "a", 5, 3, 200);
  rig_write (folder, "dump.tsv", text->str, (gssize) text->len);
  ButdResult result = convert (dump, NULL, TRUE);
  g_autofree float *values = written ("_ims.npy", &got), *numbers = written ("_counts.npy", &counts);
  static const float expected[] = { 0,      1,    2,     0.25f,    0.125f, 0.5f, 0.25f, 0.03125f, 3,      4,    5,     0.25f,
                                    0.125f, 0.5f, 0.25f, 0.03125f, 100,    101,  102,   0.25f,    0.125f, 0.5f, 0.25f, 0.03125f };
  ck_assert_int_eq (result.repeats, 1);
  ck_assert_uint_eq (got.rank, 2);
  ck_assert_int_eq (got.shape[0], 3);
  ck_assert_int_eq (got.shape[1], 8);
  ck_assert_mem_eq (values, expected, sizeof expected);
  ck_assert_int_eq (counts.shape[0], 2);
  ck_assert (numbers[0] == 2 && numbers[1] == 1);
}
END_TEST

static const struct
{
  const char *text, *message;
} damaged[] = {
  { "", "no images in it" },
  { "no tab\n", "dump.tsv:1: expected an image id" },
  { "\n\t1\t1\t1\tA\tA\n", "dump.tsv:2: expected an image id" },
  { "a\t1\t1\t1\tAAAA\n", "dump.tsv:1: fewer than 6 fields" },
  { "a\t1\t1\t1\tA\tA\tA\n", "more than 6 fields" },
  { "a\t0\t1\t1\tA\tA\n", "not the sizes of a picture" },
  { "a\tnan\t1\t1\tA\tA\n", "not the sizes of a picture" },
  { "a\t1\t1\t0\tA\tA\n", "num_boxes: \"0\"" },
  { "a\t1\t1\t999999999999999999999\tA\tA\n", "num_boxes" },
  { "a\t1\t1\t1\tAAA\tAAAA\n", "boxes: 3 characters of base64" },
  { "a\t1\t1\t1\tAA*A\tAAAA\n", "boxes: character 3 is not base64" },
  { "a\t1\t1\t1\tAA=A\tAAAA\n", "boxes: character 3 is not base64" },
  { "a\t1\t1\t1\tAAAA\tAAAA\n", "boxes: 3 bytes, expected 1" },
  { "a\t1\t1\t1\tAAAAAAAAAAAAAAAAAAAAAA==\t\n", "features: 0 bytes" },
  { "a\t1\t1\t1\tAAAAAAAAAAAAAAAAAAAAAA==\tAAAA\n", "features: 3 bytes" },
  { "a\t1\t1\t1\tAAAAAAAAAAAAAAAAAAAAAA==\tAAAAAA==\nb\t1\t1\t1\tAAAAAAAAAAAAAAAAAAAAAA==\tAAAAAAAAAAA=\n",
    "dump.tsv:2: features: 2 a region, the images before have 1" },
};

START_TEST (damaged_dumps_are_refused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *features = g_strconcat (prefix, "_ims.npy", NULL);
  ButdResult result;
  rig_write (folder, "dump.tsv", damaged[_i].text, -1);
  ck_assert (!butd_convert ((const char *const[]){ dump, NULL }, NULL, prefix, FALSE, &result, &error));
  ck_assert_msg (strstr (error->message, damaged[_i].message) != NULL, "\"%s\" lacks \"%s\"", error->message, damaged[_i].message);
  ck_assert (!g_file_test (features, G_FILE_TEST_EXISTS));
}
END_TEST

/* A dump that is cut off anywhere in its last line but at its end is refused. */
START_TEST (truncations_are_refused)
{
  g_autoptr (GString) text = g_string_new (NULL);
  add_line (text, "a", 2, 3, 0);
  for (gsize length = 1; length < text->len - 1; length++)
    {
      g_autoptr (GError) error = NULL;
      ButdResult result;
      rig_write (folder, "dump.tsv", text->str, (gssize) length);
      /* Without a last row of features that can be missed, a narrower dump can look whole: two regions of 2 numbers. */
      if (butd_convert ((const char *const[]){ dump, NULL }, NULL, prefix, FALSE, &result, &error))
        ck_assert_int_lt (result.width, 3);
    }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("butd");
  TCase *tcase = tcase_create ("convert");
  tcase_add_checked_fixture (tcase, setup, teardown);
  tcase_add_test (tcase, recorded_features_come_out);
  tcase_add_test (tcase, images_come_in_the_order_of_ids);
  tcase_add_test (tcase, other_numbers_of_regions_are_counted);
  tcase_add_loop_test (tcase, damaged_dumps_are_refused, 0, G_N_ELEMENTS (damaged));
  tcase_add_test (tcase, truncations_are_refused);
  suite_add_tcase (suite, tcase);
  return rig_main (suite);
}
