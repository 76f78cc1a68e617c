/* Files of torch.save: their tensors are read exactly, and nothing in a hostile one is run, followed or believed.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "folder.h"
#include "pickle.h"
#include "safetensors.h"
#include "tensor-file.h"
#include "torch-file.h"

/* Without waiting for the disk, which thousands of files would. */
static void
write_file (const char *path, gconstpointer bytes, gsize length)
{
  ck_assert (g_file_set_contents_full (path, bytes, (gssize) length, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static char *
recording (const char *name)
{
  return g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", name, NULL);
}

static const char *const forms[] = { "torch-forms.pth", "torch-forms-old.pth" };
static const char *const releases[] = { "user-small.pth", "user-small-old.pth" };

static float *
read_f32 (WeftTorchFile *file, const char *name, gint64 elements)
{
  g_autoptr (GError) error = NULL;
  const WeftTensor *tensor = weft_torch_file_find (file, name);
  ck_assert_msg (tensor != NULL, "no %s", name);
  ck_assert_int_eq (weft_tensor_elements (tensor), elements);
  float *data = g_new0 (float, elements + 1);
  ck_assert_msg (weft_torch_file_read_f32 (file, name, data, &error), "%s", error ? error->message : "");
  return data;
}

START_TEST (a_release_is_its_recording)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = recording (releases[_i]), *recorded = recording ("user-small.safetensors");
  g_autoptr (WeftTorchFile) file = weft_torch_file_open (path, &error);
  g_autoptr (WeftSafetensors) expected = weft_safetensors_open (recorded, NULL);
  guint compared = 0;
  ck_assert_msg (file != NULL, "%s", error ? error->message : "");
  for (const char *const *name = weft_torch_file_names (file); *name != NULL; name++)
    {
      g_autofree char *init = g_strconcat (g_str_has_prefix (*name, "model.0.") ? "init/image." : "init/text.", *name + 8, NULL);
      const WeftTensor *there = weft_safetensors_find (expected, init);
      if (there == NULL || there->type != WEFT_F32)
        continue;
      gint64 n = weft_tensor_elements (there);
      g_autofree float *want = g_new (float, n), *got = read_f32 (file, *name, n);
      ck_assert (weft_safetensors_read_f32 (expected, init, want, NULL));
      ck_assert_mem_eq (got, want, (gsize) n * sizeof (float));
      compared++;
    }
  ck_assert_uint_eq (compared, 85);
}
END_TEST

static void
expect (WeftTorchFile *file, const char *name, WeftType type, guint n, const float *values)
{
  g_autofree float *got = read_f32 (file, name, n);
  ck_assert_int_eq (weft_torch_file_find (file, name)->type, type);
  for (guint i = 0; i < n; i++)
    ck_assert_msg (got[i] == values[i], "%s[%u]: %g is not %g", name, i, got[i], values[i]);
}

START_TEST (types_strides_and_containers)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = recording (forms[_i]);
  g_autoptr (WeftTorchFile) file = weft_torch_file_open (path, &error);
  gint64 longs[3];
  ck_assert_msg (file != NULL, "%s", error ? error->message : "");
  float transposed[24], counting[24], thirds[12];
  for (int i = 0; i < 24; i++)
    {
      counting[i] = (float) i;
      transposed[i] = (float) (i % 4 * 6 + i / 4);
    }
  for (int i = 0; i < 12; i++)
    thirds[i] = (float) (i / 3 * 6 + i % 3 * 2);
  expect (file, "half", WEFT_F16, 24, transposed);
  expect (file, "brain", WEFT_BF16, 12, counting + 6);
  expect (file, "double", WEFT_F64, 24, counting);
  expect (file, "int", WEFT_I32, 3, counting);
  expect (file, "byte", WEFT_U8, 2, (float[]){ 7, 255 });
  expect (file, "flag", WEFT_U8, 2, (float[]){ 1, 0 });
  expect (file, "scalar", WEFT_F32, 1, (float[]){ 2.5f });
  expect (file, "empty", WEFT_F32, 0, counting);
  expect (file, "expanded", WEFT_F32, 6, (float[]){ 3, 3, 3, 3, 3, 3 });
  expect (file, "parameter", WEFT_F32, 12, thirds);
  expect (file, "deep.0.a.0", WEFT_F32, 6, counting);
  expect (file, "deep.0.a.1.5", WEFT_F32, 6, counting + 6);
  expect (file, "deep.1.b", WEFT_F32, 6, counting + 12);
  ck_assert (weft_torch_file_read (file, "long", longs, NULL));
  ck_assert_mem_eq (longs, ((gint64[]){ 1, -1, (gint64) 1 << 62 }), sizeof longs);
  ck_assert_uint_eq (g_strv_length ((char **) weft_torch_file_names (file)), 14);
}
END_TEST

static WeftPickle *
read_bytes (const char *bytes, gsize length, GError **error)
{
  static const char *const allowed[] = { "collections.OrderedDict", NULL };
  return weft_pickle_read ((const guint8 *) bytes, length, 1000, NULL, allowed, "FILE", error);
}

#define PICKLE(bytes, what)                                                                                                                \
  {                                                                                                                                        \
    bytes, sizeof bytes - 1, what                                                                                                          \
  }

static const struct
{
  const char *bytes;
  gsize length;
  const char *message;
} hostile[] = {
  PICKLE ("\x80\2cos\nsystem\n(S'ls'\ntR.", "FILE: at byte 1002: the pickle asks for `os.system`"),
  PICKLE ("\x80\2cposix\nsystem\nX\2\0\0\0ls\x85R.", "`posix.system`"),
  PICKLE ("\x80\4\x8c\10builtins\x8c\4eval\x93.", "`builtins.eval`"),
  PICKLE ("\x80\2ccollections\nOrderedDict.system\n.", "`collections.OrderedDict.system`"),
  PICKLE ("\x80\2X\377\377\377\377abc.", "ends inside a value of 4294967295 bytes"),
  PICKLE ("\x80\4\x8d\377\377\377\377\377\377\377\377abc.", "ends inside a value"),
  PICKLE ("\x80\4\x8e\0\0\0\0\0\0\0\200abc.", "ends inside a value"),
  PICKLE ("\x80\4\x95\377\377\377\377\377\377\377\177.", "longer than the pickle"),
  PICKLE ("\x80\2\x8b\377\377\377\377.", "ends inside a value"),
  PICKLE ("\x80\2", "ends inside"),
  PICKLE ("\x80\1.", "protocol 1"),
  PICKLE ("\x80\6.", "protocol 6"),
  PICKLE (".", "a value that is not there"),
  PICKLE ("(.", "a value that is not there"),
  PICKLE ("t.", "a mark that is not there"),
  PICKLE ("K\1\x86.", "a tuple of 2"),
  PICKLE ("(K\1\x86.", "a tuple of 2"),
  PICKLE ("K\1a.", "items for a list"),
  PICKLE ("}(K\1u.", "no value"),
  PICKLE ("](K\1d.", "no value"),
  PICKLE ("}K\1a.", "items for a list"),
  PICKLE ("h\7.", "never memorised"),
  PICKLE ("q\7.", "nothing to memorise"),
  PICKLE ("0.", "nothing to drop"),
  PICKLE ("K\1)R.", "not a global"),
  PICKLE ("ccollections\nOrderedDict\nK\1\x85R.", "list of pairs"),
  PICKLE ("ccollections\nOrderedDict\n]K\1a\x85R.", "list of pairs"),
  PICKLE ("ccollections\nOrderedDict\nK\1R.", "without a tuple"),
  PICKLE ("K\1b.", "an object that is not there"),
  PICKLE ("(K\1b.", "an object that is not there"),
  PICKLE ("X\2\0\0\0\377\376.", "not UTF-8"),
  PICKLE ("X\2\0\0\0a\0.", "not UTF-8"),
  PICKLE ("cos", "a name without end"),
  PICKLE ("G\1\2.", "ends inside a value of 8 bytes"),
  PICKLE ("\376.", "0xfe is no pickle operation"),
};

START_TEST (hostile_pickles_are_refused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftPickle) pickle = read_bytes (hostile[_i].bytes, hostile[_i].length, &error);
  ck_assert_ptr_null (pickle);
  ck_assert_msg (strstr (error->message, hostile[_i].message) != NULL, "\"%s\" lacks \"%s\"", error->message, hostile[_i].message);
  ck_assert_msg (g_str_has_prefix (error->message, "FILE: at byte 10"), "%s", error->message);
}
END_TEST

/* Operations that Python knows and saved tensors don't use. */
START_TEST (other_operations_are_refused_by_name)
{
  static const struct
  {
    guint8 code;
    const char *name;
  } others[] = {
    { '1', "POP_MARK" },     { '2', "DUP" },
    { 'I', "INT" },          { 'L', "LONG" },
    { 'F', "FLOAT" },        { 'S', "STRING" },
    { 'V', "UNICODE" },      { 'P', "PERSID" },
    { 'p', "PUT" },          { 'g', "GET" },
    { 'i', "INST" },         { 'o', "OBJ" },
    { 0x82, "EXT1" },        { 0x83, "EXT2" },
    { 0x84, "EXT4" },        { 0x8f, "EMPTY_SET" },
    { 0x90, "ADDITEMS" },    { 0x91, "FROZENSET" },
    { 0x92, "NEWOBJ_EX" },   { 0x96, "BYTEARRAY8" },
    { 0x97, "NEXT_BUFFER" }, { 0x98, "READONLY_BUFFER" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      char bytes[] = { 'N', (char) others[i].code, '0', '\n', '.' };
      g_autoptr (GError) error = NULL;
      ck_assert_ptr_null (read_bytes (bytes, sizeof bytes, &error));
      g_autofree char *expected = g_strdup_printf ("FILE: at byte 1001: the pickle operation %s, which", others[i].name);
      ck_assert_msg (g_str_has_prefix (error->message, expected), "%s", error->message);
    }
}
END_TEST

/* Whatever byte stands where an operation should: beside those that saved tensors use, it is refused where it stands. */
START_TEST (all_other_bytes_are_refused)
{
  static const char used[] = "\x80\x95.(0N\x88\x89JKM\x8a\x8bGX\x8c\x8dTUBC\x8e]lae}dsu)t\x85\x86\x87"
                             "c\x93R\x81"
                             "bQqr\x94hj";
  for (guint code = 0; code < 256; code++)
    {
      char bytes[] = { 'N', (char) code, '0', '\n', '.' };
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftPickle) pickle = read_bytes (bytes, sizeof bytes, &error);
      gboolean other = pickle == NULL && g_str_has_prefix (error->message, "FILE: at byte 1001: ")
                       && strstr (error->message, "pickle operation") != NULL;
      ck_assert_msg (other == (memchr (used, (int) code, sizeof used - 1) == NULL), "0x%02x: %s", code, error ? error->message : "taken");
    }
}
END_TEST

START_TEST (values_are_bounded)
{
  g_autoptr (GError) error = NULL;
  gsize length = 10 << 20;
  g_autofree char *bytes = g_malloc (length);
  memset (bytes, _i == 0 ? 'N' : '\x94', length);
  bytes[0] = 'N';
  ck_assert_ptr_null (read_bytes (bytes, length, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "more values than any model has"));
}
END_TEST

/* @head: what comes before the object in the older form. */
#define OLD_HEAD "\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2M\xe9\3.\x80\2}X\r\0\0\0little_endian\x88s."

static char *
refusal (gconstpointer bytes, gsize length)
{
  g_autofree char *path = g_build_filename (folder, "file.pth", NULL);
  g_autoptr (GError) error = NULL;
  write_file (path, bytes, length);
  g_autoptr (WeftTorchFile) file = weft_torch_file_open (path, &error);
  return file != NULL ? NULL : g_strdup (error->message);
}

static char *
refusal_of_old (const char *object, gsize length)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_byte_array_append (bytes, (const guint8 *) OLD_HEAD, sizeof OLD_HEAD - 1);
  g_byte_array_append (bytes, (const guint8 *) object, (guint) length);
  return refusal (bytes->data, bytes->len);
}

START_TEST (containers_in_themselves_are_refused)
{
  static const char loop[] = "\x80\2]q\0h\0a.\x80\2].";
  static const char bomb_end[] = ".\x80\2].";
  g_autoptr (GString) bomb = g_string_new ("\x80\2]");
  g_autofree char *message = refusal_of_old (loop, sizeof loop - 1);
  ck_assert_msg (message != NULL && strstr (message, "in themselves") != NULL, "%s", message ? message : "taken");
  /* Thirty lists, each twice in the next: a billion places. */
  for (int i = 0; i < 30; i++)
    {
      g_string_append_c (bomb, 'q');
      g_string_append_c (bomb, (char) i);
      g_string_append_len (bomb, "0]h", 3);
      g_string_append_c (bomb, (char) i);
      g_string_append_c (bomb, 'a');
      g_string_append_c (bomb, 'h');
      g_string_append_c (bomb, (char) i);
      g_string_append_c (bomb, 'a');
    }
  g_string_append_len (bomb, bomb_end, sizeof bomb_end - 1);
  g_autofree char *second = refusal_of_old (bomb->str, bomb->len);
  ck_assert_msg (second != NULL && strstr (second, "nested too deeply") != NULL, "%s", second ? second : "taken");
}
END_TEST

/* A list in a list, and so on, a million times; as dictionaries, too. */
START_TEST (deep_containers_are_refused)
{
  const guint depth = 1000000;
  g_autoptr (GString) object = g_string_new ("\x80\2");
  for (guint i = 0; i < depth; i++)
    g_string_append (object, _i == 0 ? "]" : "}K\1");
  g_string_append (object, _i == 0 ? "]" : "}");
  for (guint i = 0; i < depth; i++)
    g_string_append_c (object, _i == 0 ? 'a' : 's');
  g_string_append_len (object, ".\x80\2].", 5);
  g_autofree char *message = refusal_of_old (object->str, object->len);
  ck_assert_msg (message != NULL && strstr (message, ": at byte ") != NULL && strstr (message, "nested too deeply") != NULL, "%s",
                 message ? message : "taken");
}
END_TEST

#define TENSOR_BEGIN                                                                                                                       \
  "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"                                                   \
  "0X\3\0\0\0cpuK\2NtQ"
#define TENSOR_END "\x89NtR"
/* The list of keys, and storage "0" of two elements. */
#define STORAGE                                                                                                                            \
  ".\x80\2]X\1\0\0\0"                                                                                                                      \
  "0a.\2\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0@"

START_TEST (strides_of_single_elements_are_no_numbers)
{
  static const char object[] = "\x80\2" TENSOR_BEGIN "K\1K\1K\2\x86\x8a\10\377\377\377\377\377\377\377\177K\0\x86" TENSOR_END STORAGE;
  g_autofree char *message = refusal_of_old (object, sizeof object - 1), *path = g_build_filename (folder, "file.pth", NULL);
  ck_assert_msg (message == NULL, "%s", message);
  g_autoptr (WeftTorchFile) file = weft_torch_file_open (path, NULL);
  g_autofree float *values = read_f32 (file, "", 2);
  ck_assert (values[0] == 2 && values[1] == 2);
}
END_TEST

/* Strides of zero make any number of elements of one. */
START_TEST (tensors_larger_than_their_file_are_refused)
{
  static const char object[] = "\x80\2" TENSOR_BEGIN "K\0J\0\0\0\x10J\0\0\0\x10\x86K\0K\0\x86" TENSOR_END STORAGE;
  g_autofree char *message = refusal_of_old (object, sizeof object - 1);
  ck_assert_msg (message != NULL && strstr (message, "72057594037927936 elements, more than the file has room for") != NULL, "%s",
                 message ? message : "taken");
}
END_TEST

/* A name of 64 KiB, in each of a thousand places for the same dictionary of a thousand tensors. */
START_TEST (names_grow_with_their_file)
{
  const guint length = 1 << 16, times = 1000;
  g_autofree char *name = g_strnfill (length, 'n');
  g_autoptr (GString) object = g_string_new (NULL);
  g_string_append_len (object, "\x80\2" TENSOR_BEGIN "K\0K\1\x85K\1\x85" TENSOR_END "q\0]q\1(",
                       sizeof "\x80\2" TENSOR_BEGIN "K\0K\1\x85K\1\x85" TENSOR_END "q\0]q\1(" - 1);
  for (guint i = 0; i < times; i++)
    g_string_append_len (object, "h\0", 2);
  g_string_append_len (object, "e}X\0\0\1\0", 7);
  g_string_append (object, name);
  g_string_append_len (object, "](", 2);
  for (guint i = 0; i < times; i++)
    g_string_append_len (object, "h\1", 2);
  g_string_append_len (object, "es" STORAGE, sizeof "es" STORAGE - 1);
  g_autofree char *message = refusal_of_old (object->str, object->len);
  ck_assert_msg (message != NULL && strstr (message, "nested too deeply, or in themselves") != NULL, "%s", message ? message : "taken");
}
END_TEST

/* Finds @from in a copy of a recorded file, puts @to in its place and returns the refusal. */
static char *
refusal_of_changed (const char *name, const char *from, const char *to, gsize length)
{
  g_autofree char *path = recording (name), *bytes = NULL;
  gsize size;
  ck_assert (g_file_get_contents (path, &bytes, &size, NULL));
  char *at = memmem (bytes, size, from, length);
  ck_assert_ptr_nonnull (at);
  memcpy (at, to, length);
  return refusal (bytes, size);
}

START_TEST (wrong_storages_are_refused)
{
  static const struct
  {
    const char *from, *to;
    gsize length;
    const char *message;
  } changes[] = {
    { "M\0\2N", "M\1\2N", 4, "has 512 elements, 513 are expected" },
    { "M\0\2N", "M\377\1N", 4, "has 512 elements, 511 are expected" },
    { "torch\nFloatStorage", "torch\nFlootStorage", 18, "`torch.FlootStorage`" },
    { "K\20K \x86", "K\21K \x86", 5, "reaches element" },
    { "storage", "starage", 7, "a persistent identifier" },
    { "\xe9\3.", "\xe8\3.", 3, "unknown version" },
    { "little_endian", "little_Indian", 13, "not little-endian" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autofree char *message = refusal_of_changed ("user-small-old.pth", changes[i].from, changes[i].to, changes[i].length);
      ck_assert_msg (message != NULL && strstr (message, changes[i].message) != NULL, "change %u: %s", i, message ? message : "taken");
    }
  g_autofree char *zipped = refusal_of_changed ("user-small.pth", "M\0\2t", "M\1\2t", 4);
  ck_assert_ptr_nonnull (strstr (zipped, "its checksum differs"));
}
END_TEST

START_TEST (truncations_are_refused)
{
  g_autofree char *path = recording (forms[_i]), *bytes = NULL;
  gsize size;
  ck_assert (g_file_get_contents (path, &bytes, &size, NULL));
  for (gsize length = 0; length < size; length++)
    {
      g_autofree char *message = refusal (bytes, length);
      ck_assert_msg (message != NULL, "taken at %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes", length, size);
    }
}
END_TEST

/* Whatever is changed, the file is refused or read; nothing else can happen. */
START_TEST (damage_does_no_harm)
{
  g_autofree char *path = recording (forms[_i]), *bytes = NULL, *changed = g_build_filename (folder, "file.pth", NULL);
  gsize size;
  ck_assert (g_file_get_contents (path, &bytes, &size, NULL));
  for (gsize at = 0; at < size; at++)
    for (int bit = 0; bit < 8; bit += 3)
      {
        bytes[at] = (char) (bytes[at] ^ 1 << bit);
        write_file (changed, bytes, size);
        g_autoptr (WeftTorchFile) file = weft_torch_file_open (changed, NULL);
        for (const char *const *name = file != NULL ? weft_torch_file_names (file) : NULL; name != NULL && *name != NULL; name++)
          {
            gint64 n = weft_tensor_elements (weft_torch_file_find (file, *name));
            g_autofree float *data = n <= 1000 ? g_new (float, n + 1) : NULL;
            if (data != NULL)
              weft_torch_file_read_f32 (file, *name, data, NULL);
          }
        bytes[at] = (char) (bytes[at] ^ 1 << bit);
      }
}
END_TEST

START_TEST (compressed_archives_are_refused)
{
  g_autofree char *message = refusal_of_changed ("user-small.pth", "PK\1\2\0\0\0\0\10\10\0\0", "PK\1\2\0\0\0\0\10\10\10\0", 12);
  ck_assert_msg (message != NULL && strstr (message, "compressed or encrypted") != NULL, "%s", message ? message : "taken");
}
END_TEST

/* Two parts and an index beside them, as large models are published. */
START_TEST (parts_are_one_file)
{
  g_autoptr (GError) error = NULL;
  static const char *const parts[] = { "a.safetensors", "b.safetensors" };
  for (int i = 0; i < 2; i++)
    {
      float value = (float) i;
      WeftTensor tensor = { .type = WEFT_F32, .rank = 1, .shape = { 1 }, .data = &value };
      g_autoptr (WeftSafetensorsWriter) writer = weft_safetensors_writer_new ();
      g_autofree char *path = g_build_filename (folder, parts[i], NULL);
      weft_safetensors_writer_add (writer, i == 0 ? "x" : "y", &tensor);
      ck_assert (weft_safetensors_writer_write (writer, path, NULL));
    }
  g_autofree char *index = g_build_filename (folder, "model.safetensors.index.json", NULL);
  ck_assert (g_file_set_contents (index, "{\"weight_map\": {\"y\": \"b.safetensors\", \"x\": \"a.safetensors\"}}", -1, NULL));
  g_autoptr (WeftTensorFile) file = weft_tensor_file_open (index, &error);
  float y = 0;
  ck_assert_msg (file != NULL, "%s", error ? error->message : "");
  ck_assert (weft_tensor_file_read_f32 (file, "y", &y, NULL));
  ck_assert (y == 1);
  static const struct
  {
    const char *json, *message;
  } wrong[] = {
    { "{\"weight_map\": {\"x\": \"../a.safetensors\"}}", "in no file beside the index" },
    { "{\"weight_map\": {\"x\": \"b.safetensors\"}}", "has no tensor \"x\"" },
    { "{\"weight_map\": {\"x\": 3}}", "in no file beside the index" },
    { "{\"weight_map\": {\"x\": \"c.safetensors\"}}", "No such file" },
    { "{}", "has no weight_map" },
    { "[]", "not a JSON object" },
    { "{", "not match" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) problem = NULL;
      ck_assert (g_file_set_contents (index, wrong[i].json, -1, NULL));
      g_autoptr (WeftTensorFile) refused = weft_tensor_file_open (index, &problem);
      ck_assert_ptr_null (refused);
      ck_assert_msg (i == 6 || strstr (problem->message, wrong[i].message) != NULL, "%s", problem->message);
    }
}
END_TEST

int
main (void)
{
  TCase *tests = tcase_create ("torch-file");
  Suite *suite = suite_create ("torch-file");
  tcase_set_timeout (tests, 120);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (tests, a_release_is_its_recording, 0, G_N_ELEMENTS (releases));
  tcase_add_loop_test (tests, types_strides_and_containers, 0, G_N_ELEMENTS (forms));
  tcase_add_loop_test (tests, hostile_pickles_are_refused, 0, G_N_ELEMENTS (hostile));
  tcase_add_test (tests, other_operations_are_refused_by_name);
  tcase_add_test (tests, all_other_bytes_are_refused);
  tcase_add_loop_test (tests, values_are_bounded, 0, 2);
  tcase_add_test (tests, containers_in_themselves_are_refused);
  tcase_add_loop_test (tests, deep_containers_are_refused, 0, 2);
  tcase_add_test (tests, strides_of_single_elements_are_no_numbers);
  tcase_add_test (tests, tensors_larger_than_their_file_are_refused);
  tcase_add_test (tests, names_grow_with_their_file);
  tcase_add_test (tests, wrong_storages_are_refused);
  tcase_add_loop_test (tests, truncations_are_refused, 0, G_N_ELEMENTS (forms));
  tcase_add_loop_test (tests, damage_does_no_harm, 0, G_N_ELEMENTS (forms));
  tcase_add_test (tests, compressed_archives_are_refused);
  tcase_add_test (tests, parts_are_one_file);
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
