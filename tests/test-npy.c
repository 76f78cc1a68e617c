/* `.npy` files: what is read, what is written, what is refused.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <unistd.h>

#include "npy.h"
#include "rig.h"

static char *folder, *path;

static void
set_up (void)
{
  folder = rig_folder ();
  path = g_build_filename (folder, "array.npy", NULL);
}

static void
tear_down (void)
{
  rig_remove (folder);
  g_free (folder);
  g_free (path);
}

/* Writes a file with this dictionary and so many bytes of data, counting up from 0. */
static void
write_raw (guint version, const char *dictionary, gsize data)
{
  g_autoptr (GString) file = g_string_new ("\x93NUMPY");
  gsize length = strlen (dictionary);
  g_string_append_c (file, (char) version);
  g_string_append_c (file, 0);
  for (guint i = 0; i < (version == 1 ? 2u : 4u); i++)
    g_string_append_c (file, (char) (length >> 8 * i));
  g_string_append (file, dictionary);
  for (gsize i = 0; i < data; i++)
    g_string_append_c (file, (char) i);
  rig_write (folder, "array.npy", file->str, (gssize) file->len);
}

START_TEST (headers_are_understood)
{
  static const struct
  {
    guint version;
    const char *dictionary;
    gsize data;
    WeftType type;
    guint rank;
    gint64 shape[3];
  } files[] = {
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }   \n", 96, WEFT_F32, 3, { 2, 3, 4 } },
    { 2, "{\"shape\": (5,), \"fortran_order\": False, \"descr\": \"<i8\"}", 40, WEFT_I64, 1, { 5 } },
    { 3, "{'descr': '|u1', 'fortran_order': True, 'shape': (7,)}\n", 7, WEFT_U8, 1, { 7 } },
    { 1, "{'descr': '<f2', 'fortran_order': False, 'shape': ()}\n", 2, WEFT_F16, 0, { 0 } },
    { 1, "{'descr': '=f8', 'fortran_order': False, 'shape': (0, 9)}\n", 0, WEFT_F64, 2, { 0, 9 } },
    { 1, "{'descr':'<i4','fortran_order':False,'shape':(3L,1L)}", 12, WEFT_I32, 2, { 3, 1 } },
  };
  g_autoptr (GError) error = NULL;
  write_raw (files[_i].version, files[_i].dictionary, files[_i].data);
  g_autoptr (WeftNpy) npy = weft_npy_open (path, &error);
  ck_assert_msg (npy != NULL, "%s", error != NULL ? error->message : "");
  const WeftTensor *tensor = weft_npy_tensor (npy);
  ck_assert_int_eq (tensor->type, files[_i].type);
  ck_assert_uint_eq (tensor->rank, files[_i].rank);
  ck_assert_mem_eq (tensor->shape, files[_i].shape, files[_i].rank * sizeof (gint64));
}
END_TEST

START_TEST (damaged_files_are_refused)
{
  static const struct
  {
    guint version;
    const char *dictionary;
    gsize data;
    const char *message;
  } files[] = {
    { 1, "{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}", 8, "big-endian" },
    { 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}", 16, "Fortran order" },
    { 1, "{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", 16, "Python objects" },
    { 1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", 8, "structured" },
    { 1, "{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}", 16, "\"<c8\" cannot be read" },
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 23, "too few" },
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 25, "too many" },
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", 0, "too few" },
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1)}", 4, "6 dimensions" },
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 4, "not a dictionary" },
    { 1, "{'descr': '<f4', 'fortran_order': False}", 4, "not a dictionary" },
    { 1, "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", 4, "not a dictionary" },
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 4, "not a dictionary" },
    { 1, "{'descr", 4, "not a dictionary" },
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}", 4, "not a dictionary" },
    { 1, "{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4, "not a dictionary" },
    /* Without elements, but sizes whose product overflows on the way. */
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4, 0)}", 0, "too few" },
    { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4611686018427387904, 4)}", 0, "too few" },
    { 7, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4, "version 7" },
  };
  g_autoptr (GError) error = NULL;
  write_raw (files[_i].version, files[_i].dictionary, files[_i].data);
  g_autoptr (WeftNpy) npy = weft_npy_open (path, &error);
  ck_assert_ptr_null (npy);
  ck_assert_msg (strstr (error->message, files[_i].message) != NULL, "%s", error->message);
  ck_assert_msg (g_str_has_prefix (error->message, path), "%s", error->message);
}
END_TEST

/* As many rows as there could be, of nothing: reading them ends. */
START_TEST (rows_without_elements_are_read)
{
  g_autoptr (GError) error = NULL;
  WeftTensor tensor;
  write_raw (1, "{'descr': '<f8', 'fortran_order': False, 'shape': (288230376151711744, 0)}", 0);
  g_autofree float *values = weft_npy_read_f32 (path, &tensor, &error);
  ck_assert_msg (values != NULL, "%s", error != NULL ? error->message : "");
  ck_assert_int_eq (tensor.shape[0], 288230376151711744);
  ck_assert_int_eq (weft_tensor_elements (&tensor), 0);
  write_raw (1, "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 288230376151711744)}", 0);
  g_autofree float *nothing = weft_npy_read_f32 (path, &tensor, &error);
  ck_assert_msg (nothing != NULL, "%s", error != NULL ? error->message : "");
}
END_TEST

START_TEST (other_files_are_refused)
{
  static const struct
  {
    const char *bytes;
    gsize n;
    const char *message;
  } files[] = {
    { "", 0, "does not begin" },
    { "PK\3\4 this is npz", 16, "does not begin" },
    { "\x93NUMPY\1\0", 8, "does not begin" },
    { "\x93NUMPY\1\0\xff\xff{'descr'", 18, "claims 65535 bytes" },
    { "\x93NUMPY\2\0\xff\xff\xff\xff{'descr'", 20, "claims 4294967295 bytes" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autoptr (GError) error = NULL;
      rig_write (folder, "array.npy", files[i].bytes, (gssize) files[i].n);
      ck_assert_ptr_null (weft_npy_open (path, &error));
      ck_assert_msg (strstr (error->message, files[i].message) != NULL, "%s", error->message);
    }
  g_autoptr (GError) missing = NULL, directory = NULL;
  g_autofree char *nowhere = g_build_filename (folder, "none.npy", NULL);
  ck_assert_ptr_null (weft_npy_open (nowhere, &missing));
  ck_assert_int_eq (missing->code, WEFT_ERROR_SYSTEM);
  ck_assert_ptr_null (weft_npy_open (folder, &directory));
  ck_assert_msg (strstr (directory->message, "not a regular file") != NULL, "%s", directory->message);
}
END_TEST

START_TEST (arrays_survive_a_round_trip)
{
  static const WeftType types[] = { WEFT_F32, WEFT_F64, WEFT_F16, WEFT_I64, WEFT_I32, WEFT_U8 };
  guint8 bytes[8 * 30], back[8 * 8];
  for (guint i = 0; i < sizeof bytes; i++)
    bytes[i] = (guint8) (i * 7 % 120);
  g_autoptr (GError) error = NULL;
  WeftTensor tensor = { .type = types[_i], .rank = 2, .shape = { 15, 2 }, .data = bytes };
  ck_assert (weft_npy_write (path, &tensor, &error));
  g_autoptr (WeftNpy) npy = weft_npy_open (path, &error);
  ck_assert_msg (npy != NULL, "%s", error != NULL ? error->message : "");
  ck_assert_int_eq (weft_npy_tensor (npy)->type, types[_i]);
  ck_assert_int_eq (weft_npy_tensor (npy)->shape[0], 15);
  /* Four rows from the middle. */
  gsize row = 2 * weft_type_size (types[_i]);
  ck_assert (weft_npy_read (npy, 5, 4, back, &error));
  ck_assert_mem_eq (back, bytes + 5 * row, 4 * row);
  ck_assert (weft_npy_read (npy, 15, 0, back, &error));
}
END_TEST

START_TEST (headers_are_written_as_numpy_does)
{
  float value = 1;
  WeftTensor tensor = { .type = WEFT_F32, .rank = 1, .shape = { 1 }, .data = &value };
  ck_assert (weft_npy_write (path, &tensor, NULL));
  g_autofree char *text = NULL;
  gsize length;
  ck_assert (g_file_get_contents (path, &text, &length, NULL));
  static const char start[] = "\x93NUMPY\1\0\x76\0{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
  ck_assert_uint_eq (length, 128 + 4);
  ck_assert_mem_eq (text, start, sizeof start - 1);
  ck_assert_int_eq (text[127], '\n');
  WeftTensor odd = { .type = WEFT_BF16, .rank = 1, .shape = { 1 }, .data = &value };
  g_autoptr (GError) error = NULL;
  ck_assert (!weft_npy_write (path, &odd, &error));
  ck_assert_ptr_nonnull (error);
}
END_TEST

START_TEST (halves_become_floats)
{
  guint16 halves[300000];
  for (guint i = 0; i < G_N_ELEMENTS (halves); i++)
    halves[i] = weft_f32_to_f16 ((float) (i % 2000) - 1000);
  WeftTensor tensor = { .type = WEFT_F16, .rank = 3, .shape = { 100, 30, 100 }, .data = halves }, read;
  g_autoptr (GError) error = NULL;
  ck_assert (weft_npy_write (path, &tensor, &error));
  g_autofree float *values = weft_npy_read_f32 (path, &read, &error);
  ck_assert_ptr_nonnull (values);
  ck_assert_int_eq (read.type, WEFT_F32);
  ck_assert_ptr_eq (read.data, values);
  for (guint i = 0; i < G_N_ELEMENTS (halves); i++)
    ck_assert_float_eq (values[i], (float) (i % 2000) - 1000);
}
END_TEST

START_TEST (files_cut_off_in_use_are_noticed)
{
  write_raw (1, "{'descr': '<f4', 'fortran_order': False, 'shape': (100,)}\n", 400);
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftNpy) npy = weft_npy_open (path, &error);
  float values[100];
  ck_assert_ptr_nonnull (npy);
  ck_assert (weft_npy_read (npy, 0, 100, values, &error));
  ck_assert_int_eq (truncate (path, 300), 0);
  ck_assert (!weft_npy_read (npy, 50, 50, values, &error));
  ck_assert_msg (strstr (error->message, "ends at byte 300") != NULL, "%s", error->message);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("npy");
  TCase *tests = tcase_create ("npy");
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (tests, headers_are_understood, 0, 6);
  tcase_add_loop_test (tests, damaged_files_are_refused, 0, 19);
  tcase_add_test (tests, rows_without_elements_are_read);
  tcase_add_test (tests, other_files_are_refused);
  tcase_add_loop_test (tests, arrays_survive_a_round_trip, 0, 6);
  tcase_add_test (tests, headers_are_written_as_numpy_does);
  tcase_add_test (tests, halves_become_floats);
  tcase_add_test (tests, files_cut_off_in_use_are_noticed);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
