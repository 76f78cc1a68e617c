/* safetensors files: what is written is read, what is wrong is refused.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "folder.h"
#include "safetensors.h"

static void
write_bytes (const char *path, gconstpointer bytes, gsize length)
{
  ck_assert (g_file_set_contents (path, bytes, (gssize) length, NULL));
}

/* A file with this header and @data_length bytes of data, 0, 1, 2, … */
static void
write_file (const char *path, const char *header, gsize header_length, gsize data_length)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint64 length = GUINT64_TO_LE (header_length);
  g_byte_array_append (bytes, (const guint8 *) &length, 8);
  g_byte_array_append (bytes, (const guint8 *) header, (guint) header_length);
  for (gsize i = 0; i < data_length; i++)
    {
      guint8 byte = (guint8) i;
      g_byte_array_append (bytes, &byte, 1);
    }
  write_bytes (path, bytes->data, bytes->len);
}

static const float floats[6] = { 1, -2, 3.5f, 0, 1e-30f, 6 };
static const gint64 longs[3] = { 1, -1, G_MAXINT64 };
static const guint8 bytes_of[3] = { 7, 8, 255 };
static const guint16 halves[2] = { 0x3c00, 0xc000 };

static void
write_sample (const char *path, gboolean other_order)
{
  g_autoptr (WeftSafetensorsWriter) writer = weft_safetensors_writer_new ();
  const struct
  {
    const char *name;
    WeftTensor tensor;
  } items[] = {
    { "b.weight", { .type = WEFT_F32, .rank = 2, .shape = { 2, 3 }, .data = (gpointer) floats } },
    { "bytes \"\\\n", { .type = WEFT_U8, .rank = 1, .shape = { 3 }, .data = (gpointer) bytes_of } },
    { "longs", { .type = WEFT_I64, .rank = 1, .shape = { 3 }, .data = (gpointer) longs } },
    { "empty", { .type = WEFT_F32, .rank = 2, .shape = { 0, 5 }, .data = NULL } },
    { "scalar", { .type = WEFT_F32, .rank = 0, .data = (gpointer) floats } },
    { "half", { .type = WEFT_F16, .rank = 1, .shape = { 2 }, .data = (gpointer) halves } },
  };
  guint n = G_N_ELEMENTS (items);
  for (guint i = 0; i < n; i++)
    weft_safetensors_writer_add (writer, items[other_order ? n - 1 - i : i].name, &items[other_order ? n - 1 - i : i].tensor);
  weft_safetensors_writer_metadata (writer, other_order ? "z" : "a", other_order ? "\t\"ü\"" : "1");
  weft_safetensors_writer_metadata (writer, other_order ? "a" : "z", other_order ? "1" : "\t\"ü\"");
  g_autoptr (GError) error = NULL;
  ck_assert_msg (weft_safetensors_writer_write (writer, path, &error), "%s", error ? error->message : "");
}

START_TEST (what_is_written_is_read)
{
  g_autofree char *path = in_folder ("a.safetensors");
  write_sample (path, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, &error);
  ck_assert_msg (file != NULL, "%s", error ? error->message : "");
  const WeftTensor *tensor = weft_safetensors_find (file, "b.weight");
  ck_assert (tensor && tensor->type == WEFT_F32 && tensor->rank == 2 && tensor->shape[0] == 2 && tensor->shape[1] == 3);
  float found[6];
  ck_assert (weft_safetensors_read (file, "b.weight", found, NULL));
  ck_assert (memcmp (found, floats, sizeof floats) == 0);
  gint64 found_longs[3];
  ck_assert (weft_safetensors_read (file, "longs", found_longs, NULL));
  ck_assert (memcmp (found_longs, longs, sizeof longs) == 0);
  guint8 found_bytes[3];
  ck_assert (weft_safetensors_read (file, "bytes \"\\\n", found_bytes, NULL));
  ck_assert (memcmp (found_bytes, bytes_of, sizeof bytes_of) == 0);
  ck_assert (weft_safetensors_read_f32 (file, "half", found, NULL));
  ck_assert (found[0] == 1.0f && found[1] == -2.0f);
  ck_assert (weft_safetensors_find (file, "scalar")->rank == 0);
  ck_assert (weft_tensor_elements (weft_safetensors_find (file, "empty")) == 0);
  ck_assert (weft_safetensors_read (file, "empty", NULL, NULL));
  ck_assert_str_eq (weft_safetensors_metadata (file, "z"), "\t\"ü\"");
  ck_assert_ptr_null (weft_safetensors_metadata (file, "b"));
  ck_assert_uint_eq (g_strv_length ((char **) weft_safetensors_metadata_keys (file)), 2);
  ck_assert_uint_eq (g_strv_length ((char **) weft_safetensors_names (file)), 6);
  ck_assert_ptr_null (weft_safetensors_find (file, "c"));
  ck_assert (!weft_safetensors_read (file, "c", found, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "\"c\""));
}
END_TEST

START_TEST (bytes_depend_on_contents_alone)
{
  g_autofree char *first = in_folder ("a"), *second = in_folder ("b"), *one = NULL, *other = NULL;
  gsize n_one, n_other;
  write_sample (first, FALSE);
  write_sample (second, TRUE);
  ck_assert (g_file_get_contents (first, &one, &n_one, NULL) && g_file_get_contents (second, &other, &n_other, NULL));
  ck_assert_uint_eq (n_one, n_other);
  ck_assert (memcmp (one, other, n_one) == 0);
}
END_TEST

/* Data begins at a multiple of eight, and each tensor at a multiple of its element size. */
START_TEST (data_is_aligned)
{
  g_autofree char *path = in_folder ("a"), *bytes = NULL;
  gsize n;
  write_sample (path, FALSE);
  ck_assert (g_file_get_contents (path, &bytes, &n, NULL));
  guint64 header;
  memcpy (&header, bytes, 8);
  ck_assert_uint_eq (header % 8, 0);
  ck_assert (memcmp (bytes + 8 + header, longs, sizeof longs) == 0);
}
END_TEST

#define TENSOR "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"

static const struct
{
  const char *header;
  gsize data;
  const char *message;
} wrong_headers[] = {
  { "", 0, "does not begin" },
  { " {}", 0, "does not begin" },
  { "[]", 0, "does not begin" },
  { "{", 0, "ends inside" },
  { "{}}", 0, "unexpected \"}\"" },
  { "{]", 0, "" },
  { "{\"a\"}", 0, "JSON" },
  { "{\"a\":" TENSOR ",}", 8, "JSON" },
  { "{\"a\":" TENSOR "} {}", 8, "something follows" },
  { "{\"a\":" TENSOR "} 1", 8, "JSON" },
  { "{\"a\":" TENSOR "},", 8, "JSON" },
  { "{\"a", 0, "does not end" },
  { "{\"a\\\"", 0, "does not end" },
  { "{\"\n\":" TENSOR "}", 8, "control character" },
  { "{\"\xff\":" TENSOR "}", 8, "UTF-8" },
  { "{/*\"*/\"a\":" TENSOR "}", 8, "unexpected byte" },
  { "{\"a\":null}", 0, "unexpected byte" },
  { "{\"a\":true}", 0, "unexpected byte" },
  { "{\"a\":1}", 0, "not described by an object" },
  { "{\"a\":[1]}", 0, "not described by an object" },
  { "{\"a\":{}}", 0, "dtype" },
  { "{\"a\":{\"dtype\":\"F32\"}}", 0, "dtype, shape and data_offsets" },
  { "{\"a\":{\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "dtype" },
  { "{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown type \"F33\"" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, "no list \"shape\"" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[\"2\"],\"data_offsets\":[0,8]}}", 8, "something else than sizes" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[[2]],\"data_offsets\":[0,8]}}", 8, "nested" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "unexpected byte" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8, "unexpected byte" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2e0],\"data_offsets\":[0,8]}}", 8, "unexpected byte" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[02],\"data_offsets\":[0,8]}}", 8, "leading zero" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[0x2],\"data_offsets\":[0,8]}}", 8, "unexpected byte" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "needs 12 bytes" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775808],\"data_offsets\":[0,8]}}", 8, "too large" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,8]}}", 8, "too large" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, "too large" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "needs 8 bytes" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "two numbers" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8, "two numbers" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":[]}}", 8, "alone" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"shape\":[2]}}", 8, "twice" },
  { "{\"a\":" TENSOR ",\"a\":" TENSOR "}", 8, "twice" },
  { "{\"a\":" TENSOR ",\"b\":" TENSOR "}", 8, "inside another" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "hole" },
  { "{\"a\":" TENSOR "}", 7, "cut short" },
  { "{\"a\":" TENSOR "}", 9, "follow the last" },
  { "{}", 1, "follow the last" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[9223372036854775799,9223372036854775807]}}", 8, "hole" },
  { "{\"__metadata__\":[]}", 0, "not an object" },
  { "{\"__metadata__\":{\"a\":1}}", 0, "not a string" },
  { "{\"__metadata__\":{\"a\":{}}}", 0, "not a string" },
  { "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "twice" },
};

START_TEST (wrong_header_is_refused)
{
  g_autofree char *path = in_folder ("a");
  g_autoptr (GError) error = NULL;
  write_file (path, wrong_headers[_i].header, strlen (wrong_headers[_i].header), wrong_headers[_i].data);
  WeftSafetensors *file = weft_safetensors_open (path, &error);
  ck_assert_msg (file == NULL, "accepted: %s", wrong_headers[_i].header);
  ck_assert_msg (strstr (error->message, wrong_headers[_i].message) != NULL, "%s: \"%s\" does not hold \"%s\"", wrong_headers[_i].header,
                 error->message, wrong_headers[_i].message);
  ck_assert_ptr_nonnull (strstr (error->message, path));
}
END_TEST

static const char *const right_headers[] = {
  "{\"a\":" TENSOR "}",
  "{\"a\":" TENSOR "}        ",
  "{ \"a\" :\n\t" TENSOR " }",
  "{\"\":" TENSOR "}",
  "{\"__metadata__\":{},\"a\\u0041\":" TENSOR "}",
  "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2,1],\"data_offsets\":[0,8]},\"e\":{\"dtype\":\"F64\",\"shape\":[0],\"data_offsets\":[8,8]}}",
  "{\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]},\"a\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
};

START_TEST (right_header_is_taken)
{
  g_autofree char *path = in_folder ("a");
  g_autoptr (GError) error = NULL;
  write_file (path, right_headers[_i], strlen (right_headers[_i]), 8);
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, &error);
  ck_assert_msg (file != NULL, "%s", error ? error->message : "");
  ck_assert_ptr_nonnull (weft_safetensors_names (file)[0]);
}
END_TEST

START_TEST (names_are_in_order_of_data)
{
  g_autofree char *path = in_folder ("a");
  write_file (path, right_headers[6], strlen (right_headers[6]), 8);
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, NULL);
  ck_assert_str_eq (weft_safetensors_names (file)[0], "a");
  ck_assert_str_eq (weft_safetensors_names (file)[1], "b");
}
END_TEST

/* Types and ranks that the library has no tensors for don't spoil the rest of a file. */
START_TEST (unreadable_tensors_are_left_out)
{
  static const char header[] = "{\"a\":" TENSOR ",\"b\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[8,10]},"
                               "\"c\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1],\"data_offsets\":[10,11]}}";
  g_autofree char *path = in_folder ("a");
  g_autoptr (GError) error = NULL;
  write_file (path, header, strlen (header), 11);
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, &error);
  ck_assert_msg (file != NULL, "%s", error ? error->message : "");
  ck_assert_uint_eq (g_strv_length ((char **) weft_safetensors_names (file)), 1);
  ck_assert_ptr_null (weft_safetensors_find (file, "b"));
  guint8 data[2];
  ck_assert (!weft_safetensors_read (file, "b", data, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "F8_E4M3"));
}
END_TEST

START_TEST (absurd_header_lengths_are_refused)
{
  static const guint64 lengths[] = { G_MAXUINT64, (guint64) 1 << 63, G_MAXUINT64 - 7, 100000001, 3 };
  g_autofree char *path = in_folder ("a");
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      guint8 bytes[10] = { 0 };
      memcpy (bytes, &lengths[i], 8);
      memcpy (bytes + 8, "{}", 2);
      write_bytes (path, bytes, sizeof bytes);
      ck_assert_ptr_null (weft_safetensors_open (path, NULL));
    }
}
END_TEST

START_TEST (deep_nesting_is_refused)
{
  g_autofree char *path = in_folder ("a");
  gsize n = 4000000;
  g_autofree char *header = g_malloc (n);
  memset (header, '[', n);
  memcpy (header, "{\"a\":", 5);
  write_file (path, header, n, 0);
  g_autoptr (GError) error = NULL;
  ck_assert_ptr_null (weft_safetensors_open (path, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "nested"));
}
END_TEST

START_TEST (every_truncation_is_refused)
{
  g_autofree char *path = in_folder ("a"), *cut = in_folder ("b"), *bytes = NULL;
  gsize n;
  write_sample (path, FALSE);
  ck_assert (g_file_get_contents (path, &bytes, &n, NULL));
  for (gsize length = 0; length < n; length++)
    {
      write_bytes (cut, bytes, length);
      ck_assert_msg (weft_safetensors_open (cut, NULL) == NULL, "%d of %d bytes", (int) length, (int) n);
    }
}
END_TEST

/* Whatever a damaged header says, nothing is read outside of the file. */
START_TEST (damaged_headers_do_no_harm)
{
  static const char replacements[] = { '0', '9', '"', '{', ']', ',', ' ', 'x', '\0', '\\' };
  g_autofree char *path = in_folder ("a"), *damaged = in_folder ("b"), *bytes = NULL;
  gsize n, accepted = 0;
  write_sample (path, FALSE);
  ck_assert (g_file_get_contents (path, &bytes, &n, NULL));
  for (gsize at = 0; at < n - 40; at++)
    for (gsize r = 0; r < sizeof replacements; r++)
      {
        char before = bytes[at];
        bytes[at] = replacements[r];
        write_bytes (damaged, bytes, n);
        bytes[at] = before;
        g_autoptr (WeftSafetensors) file = weft_safetensors_open (damaged, NULL);
        if (file == NULL)
          continue;
        accepted++;
        for (const char *const *name = weft_safetensors_names (file); *name != NULL; name++)
          {
            gsize length = weft_tensor_bytes (weft_safetensors_find (file, *name));
            ck_assert_uint_le (length, n);
            g_autofree char *data = g_malloc (length + 1);
            ck_assert (weft_safetensors_read (file, *name, data, NULL));
          }
      }
  /* Names and metadata may say anything. */
  ck_assert_uint_gt (accepted, 0);
}
END_TEST

START_TEST (failed_writes_leave_what_was_there)
{
  g_autofree char *nowhere = in_folder ("no/such/folder"), *path = in_folder ("a"), *occupied = in_folder ("b");
  g_autofree char *inside = g_build_filename (occupied, "c", NULL);
  g_autoptr (WeftSafetensorsWriter) writer = weft_safetensors_writer_new ();
  g_autoptr (GError) error = NULL;
  ck_assert (!weft_safetensors_writer_write (writer, nowhere, &error));
  ck_assert_ptr_nonnull (strstr (error->message, nowhere));
  ck_assert_int_eq (g_mkdir (occupied, 0700), 0);
  write_bytes (inside, "x", 1);
  ck_assert (!weft_safetensors_writer_write (writer, occupied, NULL));
  ck_assert (g_file_test (inside, G_FILE_TEST_EXISTS));
  /* A finished file leaves nothing else behind. */
  write_sample (path, FALSE);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;
  while (g_dir_read_name (dir) != NULL)
    n++;
  ck_assert_uint_eq (n, 2);
}
END_TEST

START_TEST (missing_files_are_named)
{
  g_autofree char *path = in_folder ("nothing");
  g_autoptr (GError) error = NULL;
  ck_assert_ptr_null (weft_safetensors_open (path, &error));
  ck_assert_ptr_nonnull (strstr (error->message, path));
  g_clear_error (&error);
  ck_assert_ptr_null (weft_safetensors_open (folder, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "no regular file"));
}
END_TEST

int
main (void)
{
  TCase *tests = tcase_create ("safetensors");
  Suite *suite = suite_create ("safetensors");
  tcase_set_timeout (tests, 60);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, what_is_written_is_read);
  tcase_add_test (tests, bytes_depend_on_contents_alone);
  tcase_add_test (tests, data_is_aligned);
  tcase_add_loop_test (tests, wrong_header_is_refused, 0, G_N_ELEMENTS (wrong_headers));
  tcase_add_loop_test (tests, right_header_is_taken, 0, G_N_ELEMENTS (right_headers));
  tcase_add_test (tests, names_are_in_order_of_data);
  tcase_add_test (tests, unreadable_tensors_are_left_out);
  tcase_add_test (tests, absurd_header_lengths_are_refused);
  tcase_add_test (tests, deep_nesting_is_refused);
  tcase_add_test (tests, every_truncation_is_refused);
  tcase_add_test (tests, damaged_headers_do_no_harm);
  tcase_add_test (tests, failed_writes_leave_what_was_there);
  tcase_add_test (tests, missing_files_are_named);
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
