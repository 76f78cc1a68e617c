/* Exact search: what is found is what comparing everything finds, whatever form of the rows is scanned; damaged indexes are refused.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <unistd.h>

#include "../plugins/search/index-writer.h"
#include "../plugins/search/nearest.h"
#include "npy.h"
#include "rig.h"

static char *folder, *place;

static void
setup (void)
{
  folder = rig_folder ();
  place = g_build_filename (folder, "index", NULL);
}

static void
teardown (void)
{
  rig_remove (folder);
  g_free (folder);
  g_free (place);
}

static float *
random_rows (const char *name, gint64 rows, gint64 width, guint levels)
{
  WeftRandom random = weft_random_for (3, name, 0);
  float *values = g_new (float, rows *width);
  for (gint64 i = 0; i < rows * width; i++)
    values[i] = levels ? (float) weft_random_below (random, (guint32) i, levels) - 1 : weft_random_normal (random, (guint32) i);
  return values;
}

static gboolean
write_index (const float *rows, gint64 n, gint64 width, Scan scan, GError **error)
{
  g_autoptr (IndexWriter) writer = index_writer_open (place, "run", NULL, scan, error);
  return writer != NULL && index_writer_begin_side (writer, "images", FALSE, error)
         && index_writer_append (writer, rows, n / 2, width, error)
         && index_writer_append (writer, rows + n / 2 * width, n - n / 2, width, error) && index_writer_end_side (writer, error)
         && index_writer_finish (writer, error);
}

static Index *
index_of (const float *rows, gint64 n, gint64 width, Scan scan)
{
  g_autoptr (GError) error = NULL;
  Index *index = write_index (rows, n, width, scan, &error) ? index_open (place, &error) : NULL;
  ck_assert_msg (index != NULL, "%s", error ? error->message : "");
  return index;
}

static double
product (const float *x, const float *y, gint64 n)
{
  double sum = 0;
  for (gint64 i = 0; i < n; i++)
    sum += (double) x[i] * (double) y[i];
  return sum;
}

/* Sizes below, at and across those of blocks; one query and several; with few levels there are many ties. */
static const struct
{
  gint64 rows, width;
  guint queries, k, levels, threads;
} cases[] = {
  { 1, 1, 1, 1, 0, 1 },     { 7, 5, 1, 3, 0, 2 },     { 256, 32, 1, 10, 0, 2 },   { 257, 33, 2, 257, 0, 3 }, { 700, 64, 5, 7, 0, 2 },
  { 1000, 4, 3, 20, 3, 2 }, { 1000, 4, 9, 20, 3, 2 }, { 3000, 100, 1, 10, 0, 4 }, { 3000, 16, 1, 1, 2, 1 },
};

START_TEST (the_nearest_are_found)
{
  gint64 n = cases[_i].rows, width = cases[_i].width;
  guint k = cases[_i].k;
  g_autofree float *rows = random_rows ("rows", n, width, cases[_i].levels),
                   *queries = random_rows ("queries", cases[_i].queries, width, cases[_i].levels);
  for (Scan scan = SCAN_FLOAT32; scan <= SCAN_INT8; scan++)
    {
      g_autoptr (Index) index = index_of (rows, n, width, scan);
      g_autofree Hit *hits = g_new (Hit, cases[_i].queries * k);
      nearest_find (index->sides->pdata[0], queries, cases[_i].queries, k, cases[_i].threads, hits);
      for (guint q = 0; q < cases[_i].queries; q++)
        for (guint i = 0; i < k; i++)
          {
            const Hit *hit = &hits[q * k + i];
            double score = product (rows + hit->row * width, queries + q * width, width);
            gint64 better = 0;
            ck_assert (fabs (hit->score - score) <= 1e-9 * (1 + fabs (score)));
            for (gint64 r = 0; r < n; r++)
              {
                double other = product (rows + r * width, queries + q * width, width);
                better += other > score + 1e-12 * (double) width || (r < hit->row && fabs (other - score) <= 1e-12 * (double) width);
              }
            ck_assert_msg (better == i, "%s: place %u has row %d, which %d come before", scan_names[scan], i, (int) hit->row, (int) better);
          }
    }
}
END_TEST

/* A pair that float16 and int8 make equal: only the exact rows tell which is nearer. */
START_TEST (rounding_decides_nothing)
{
  float rows[2 * 64], query[64];
  for (int i = 0; i < 64; i++)
    {
      rows[i] = rows[64 + i] = 0.1f + 0.001f * (float) i;
      query[i] = 1;
    }
  rows[64 + 10] = nextafterf (rows[10], 1);
  for (Scan scan = SCAN_FLOAT32; scan <= SCAN_INT8; scan++)
    {
      g_autoptr (Index) index = index_of (rows, 2, 64, scan);
      Hit hit;
      nearest_find (index->sides->pdata[0], query, 1, 1, 1, &hit);
      ck_assert_int_eq (hit.row, 1);
    }
}
END_TEST

/* Bounds hold: packed rows differ from exact ones by no more than is said. */
START_TEST (errors_are_bounds)
{
  g_autofree float *rows = random_rows ("rows", 50, 40, 0), *queries = random_rows ("queries", 50, 40, 0);
  for (gint64 r = 0; r < 50; r++)
    {
      guint16 half[40];
      gint8 byte[40];
      float scale, by_half = nearest_pack_float16 (rows + r * 40, 40, half), by_byte = nearest_pack_int8 (rows + r * 40, 40, byte, &scale);
      float unpacked[40], unpacked_byte[40];
      weft_convert_to_f32 (WEFT_F16, half, 40, unpacked);
      for (int i = 0; i < 40; i++)
        unpacked_byte[i] = scale * (float) byte[i];
      for (gint64 q = 0; q < 50; q++)
        {
          const float *query = queries + q * 40;
          double length = sqrt (product (query, query, 40)), exact = product (rows + r * 40, query, 40);
          ck_assert (fabs (product (unpacked, query, 40) - exact) <= length * (double) by_half);
          ck_assert (fabs (product (unpacked_byte, query, 40) - exact) <= length * (double) by_byte);
        }
      ck_assert (by_half < by_byte && (double) by_byte < 0.02 * sqrt (product (rows + r * 40, rows + r * 40, 40)));
    }
}
END_TEST

/* Other programs find float32 rows as they were given. */
START_TEST (embeddings_are_plain_files)
{
  g_autofree float *rows = random_rows ("rows", 9, 5, 0), *read = NULL;
  G_GNUC_UNUSED g_autoptr (Index) index = index_of (rows, 9, 5, SCAN_INT8);
  g_autofree char *path = g_build_filename (place, "images.npy", NULL);
  WeftTensor tensor;
  read = weft_npy_read_f32 (path, &tensor, NULL);
  ck_assert_ptr_nonnull (read);
  ck_assert (tensor.rank == 2 && tensor.shape[0] == 9 && tensor.shape[1] == 5 && tensor.type == WEFT_F32);
  ck_assert_mem_eq (read, rows, 9 * 5 * sizeof (float));
}
END_TEST

START_TEST (what_is_no_number_is_not_indexed)
{
  float rows[4] = { 1, 2, 3, NAN }, large[4] = { 1, 2, 1e6f, 3 };
  g_autoptr (GError) error = NULL;
  ck_assert (!write_index (rows, 2, 2, SCAN_FLOAT32, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "item 1"));
  g_clear_error (&error);
  ck_assert (!write_index (large, 2, 2, SCAN_FLOAT16, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "too large for float16"));
  g_clear_error (&error);
  /* What was left behind is no index. */
  ck_assert_ptr_null (index_open (place, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "not an index"));
}
END_TEST

static const struct
{
  const char *file, *text, *message;
} wrong[] = {
  { "index.json", "{", "not an index" },
  { "index.json", "[]", "not a JSON object" },
  { "index.json", "{\"version\": 7}", "of another version" },
  { "index.json", "{\"version\": 1}", "describes no sides" },
  { "index.json", "{\"version\": 1, \"sides\": {}}", "describes no sides" },
  { "index.json", "{\"version\": 1, \"sides\": {\"../x\": {\"rows\": 4, \"width\": 3, \"scan\": \"int8\"}}}", "in another way" },
  { "index.json", "{\"version\": 1, \"sides\": {\"images\": {\"rows\": 4, \"width\": 3, \"scan\": \"int4\"}}}", "in another way" },
  { "index.json", "{\"version\": 1, \"sides\": {\"images\": {\"rows\": -4, \"width\": 3, \"scan\": \"int8\"}}}", "in another way" },
  { "index.json", "{\"version\": 1, \"sides\": {\"images\": {\"rows\": 5, \"width\": 3, \"scan\": \"int8\"}}}", "5 rows of 3" },
  { "index.json", "{\"version\": 1, \"sides\": {\"images\": {\"rows\": 4, \"width\": 3, \"scan\": \"float16\"}}}", "images-float16.npy" },
  { "images.npy", "", "images.npy" },
  { "images-errors.npy", "no array", "images-errors.npy" },
  { "images.txt", "a\nb\n", "another number of lines" },
};

START_TEST (damaged_indexes_are_refused)
{
  g_autofree float *rows = random_rows ("rows", 4, 3, 0);
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (Index) index = index_of (rows, 4, 3, SCAN_INT8);
  rig_write (place, wrong[_i].file, wrong[_i].text, -1);
  g_autoptr (Index) damaged = index_open (place, &error);
  ck_assert_ptr_null (damaged);
  ck_assert_msg (strstr (error->message, wrong[_i].message) != NULL, "\"%s\" does not hold \"%s\"", error->message, wrong[_i].message);
}
END_TEST

START_TEST (pictures_are_files_of_the_index)
{
  g_autofree float *rows = random_rows ("rows", 4, 3, 0);
  g_autoptr (Index) index = index_of (rows, 4, 3, SCAN_FLOAT16);
  g_autofree char *link = g_build_filename (place, "pictures", "2.png", NULL);
  rig_write (place, "pictures/1.jpg", "picture", -1);
  ck_assert_int_eq (symlink ("/etc/passwd", link), 0);
  g_autofree char *one = index_picture (index, 1), *none = index_picture (index, 0), *linked = index_picture (index, 2);
  ck_assert (g_str_has_suffix (one, "/pictures/1.jpg"));
  ck_assert_ptr_null (none);
  ck_assert_ptr_null (linked);
  ck_assert_str_eq (picture_type ("A.JPEG"), "image/jpeg");
  ck_assert_ptr_null (picture_type ("a.svg"));
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("nearest");
  TCase *tests = tcase_create ("nearest");
  tcase_add_checked_fixture (tests, setup, teardown);
  tcase_add_loop_test (tests, the_nearest_are_found, 0, G_N_ELEMENTS (cases));
  tcase_add_test (tests, rounding_decides_nothing);
  tcase_add_test (tests, errors_are_bounds);
  tcase_add_test (tests, embeddings_are_plain_files);
  tcase_add_test (tests, what_is_no_number_is_not_indexed);
  tcase_add_loop_test (tests, damaged_indexes_are_refused, 0, G_N_ELEMENTS (wrong));
  tcase_add_test (tests, pictures_are_files_of_the_index);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
