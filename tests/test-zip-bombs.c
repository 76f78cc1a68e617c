/* Zip archives that promise more than they have: small files of torch.save's form that declare gigabytes, members in members, members behind
 * one another. Each is refused where it lies, before anything is made of what it promises.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "folder.h"
#include "torch-file.h"
#include "zip.h"

#define TENSOR(elements)                                                                                                                   \
  "\x80\2ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpu" elements                     \
  "tQK\0K\2\x85K\1\x85\x89NtR."

#define GIBIBYTE (1u << 30)
#define UNSAID 0xffffffffu

/**
 * Member:
 * @said: size that the directory gives; 0: the true one
 * @packed: size before unpacking; 0: as @said
 * @again: number of the member whose content this one is, counted from 1
 * @large: (nullable): what stands in a zip64 field
 */
typedef struct
{
  const char *name;
  const void *data;
  guint32 length, said, packed, method, again;
  const guint64 *large;
} Member;

typedef struct
{
  GByteArray *bytes;
  GArray *headers; /* of guint32: where the members begin */
  guint32 directory, directory_end;
} Zip;

static void
put (Zip *zip, guint bytes, guint64 number)
{
  guint64 little = GUINT64_TO_LE (number);
  g_byte_array_append (zip->bytes, (const guint8 *) &little, bytes);
}

static void
put_text (Zip *zip, const void *data, guint32 length)
{
  g_byte_array_append (zip->bytes, data, length);
}

static void
put_local (Zip *zip, const Member *member)
{
  guint32 header = member->again ? g_array_index (zip->headers, guint32, member->again - 1) : zip->bytes->len;
  g_array_append_val (zip->headers, header);
  if (member->again)
    return;
  put (zip, 4, 0x04034b50);
  put (zip, 4, 20);
  put (zip, 2, member->method);
  put (zip, 4, 0);
  put (zip, 4, weft_zip_checksum (0, member->data, member->length));
  put (zip, 4, member->length);
  put (zip, 4, member->length);
  put (zip, 2, strlen (member->name));
  put (zip, 2, 0);
  put_text (zip, member->name, (guint32) strlen (member->name));
  put_text (zip, member->data, member->length);
}

static void
put_entry (Zip *zip, const Member *member, guint32 header)
{
  guint32 size = member->said ? member->said : member->length;
  put (zip, 4, 0x02014b50);
  put (zip, 4, 20 | 20 << 16);
  put (zip, 2, 0);
  put (zip, 2, member->method);
  put (zip, 4, 0);
  put (zip, 4, weft_zip_checksum (0, member->data, member->length));
  put (zip, 4, member->packed ? member->packed : size);
  put (zip, 4, size);
  put (zip, 2, strlen (member->name));
  put (zip, 2, member->large ? 20 : 0);
  put (zip, 6, 0);
  put (zip, 4, 0);
  put (zip, 4, header);
  put_text (zip, member->name, (guint32) strlen (member->name));
  if (member->large == NULL)
    return;
  put (zip, 2, 1);
  put (zip, 2, 16);
  put (zip, 8, member->large[0]);
  put (zip, 8, member->large[1]);
}

static void
put_end (Zip *zip, guint entries, guint32 bytes)
{
  put (zip, 4, 0x06054b50);
  put (zip, 4, 0);
  put (zip, 2, entries);
  put (zip, 2, entries);
  put (zip, 4, bytes);
  put (zip, 4, zip->directory);
  put (zip, 2, 0);
}

static Zip
zip_begin (const Member *members, guint n)
{
  Zip zip = { g_byte_array_new (), g_array_new (FALSE, FALSE, sizeof (guint32)), 0, 0 };
  for (guint i = 0; i < n; i++)
    put_local (&zip, &members[i]);
  zip.directory = zip.bytes->len;
  for (guint i = 0; i < n; i++)
    put_entry (&zip, &members[i], g_array_index (zip.headers, guint32, i));
  zip.directory_end = zip.bytes->len;
  return zip;
}

/* Writes and opens the archive. Returns: (transfer full) (nullable): what was said of it; %NULL if it was taken */
static char *
zip_open (Zip *zip)
{
  g_autofree char *path = g_build_filename (folder, "file.pth", NULL);
  g_autoptr (GError) error = NULL;
  ck_assert (g_file_set_contents (path, (const char *) zip->bytes->data, zip->bytes->len, NULL));
  g_autoptr (WeftTorchFile) file = weft_torch_file_open (path, &error);
  if (file != NULL)
    {
      float values[2];
      ck_assert (weft_torch_file_read_f32 (file, "", values, NULL));
      ck_assert (values[0] == 1 && values[1] == 2);
    }
  g_byte_array_unref (zip->bytes);
  g_array_unref (zip->headers);
  return file != NULL ? NULL : g_strdup (error->message);
}

static void
refuse (const char *title, Zip *zip, gint64 at, const char *what)
{
  guint length = zip->bytes->len;
  g_autofree char *message = zip_open (zip), *place = at < 0 ? g_strdup (": at byte ") : g_strdup_printf (": at byte %d: ", (int) at);
  ck_assert_msg (length < 1 << 16, "%s: %u bytes are no small file", title, length);
  ck_assert_msg (message != NULL && strstr (message, what) != NULL && strstr (message, place) != NULL, "%s: \"%s\" lacks \"%s%s\"", title,
                 message ? message : "taken", place, what);
}

static const float values[] = { 1, 2 };
static const char description[] = TENSOR ("K\2");

/* What the builder makes is read where nothing is wrong with it. */
START_TEST (honest_archives_are_read)
{
  const Member members[] = { { .name = "m/data.pkl", .data = description, .length = sizeof description - 1 },
                             { .name = "m/data/0", .data = values, .length = sizeof values } };
  Zip zip = zip_begin (members, 2);
  put_end (&zip, 2, zip.directory_end - zip.directory);
  g_autofree char *message = zip_open (&zip);
  ck_assert_msg (message == NULL, "%s", message);
}
END_TEST

START_TEST (declared_gigabytes_are_refused)
{
  static const guint64 exbibytes[] = { (guint64) 1 << 60, (guint64) 1 << 60 }, wrapped[] = { G_MAXUINT64 - 7, G_MAXUINT64 - 7 };
  static const struct
  {
    const char *title, *what;
    guint32 said, packed, method;
    const guint64 *large;
  } cases[] = {
    { "stored gigabytes", "a member reaches beyond the end of the file", 3 * GIBIBYTE, 0, 0, NULL },
    { "gigabytes of eight bytes", "a stored member whose two sizes differ", 3 * GIBIBYTE, sizeof values, 0, NULL },
    { "deflated a thousandfold", "a compressed or encrypted member", GIBIBYTE, GIBIBYTE / 1000, 8, NULL },
    { "deflated in eight bytes", "a compressed or encrypted member", 3 * GIBIBYTE, sizeof values, 8, NULL },
    { "bzip2", "a compressed or encrypted member", 3 * GIBIBYTE, sizeof values, 12, NULL },
    { "an exbibyte", "a member reaches beyond the end of the file", UNSAID, UNSAID, 0, exbibytes },
    { "all that 64 bits count", "a member reaches beyond the end of the file", UNSAID, UNSAID, 0, wrapped },
    { "a large size left unsaid", "a member reaches beyond the end of the file", UNSAID, UNSAID, 0, NULL },
  };
  for (guint which = 0; which < 2; which++)
    {
      Member members[] = { { .name = "m/data.pkl", .data = description, .length = sizeof description - 1 },
                           { .name = "m/data/0", .data = values, .length = sizeof values } };
      members[which].said = cases[_i].said;
      members[which].packed = cases[_i].packed;
      members[which].method = cases[_i].method;
      members[which].large = cases[_i].large;
      Zip zip = zip_begin (members, 2);
      put_end (&zip, 2, zip.directory_end - zip.directory);
      refuse (cases[_i].title, &zip, which == 0 ? (gint64) zip.directory : -1, cases[_i].what);
    }
}
END_TEST

/* One content under ten thousand names: what makes gigabytes of kilobytes. */
START_TEST (overlapping_members_are_refused)
{
  static char content[256];
  const guint n = 500;
  g_autofree Member *members = g_new0 (Member, n);
  for (guint i = 0; i < n; i++)
    {
      char *name = g_strdup_printf ("m/data/%u", i);
      members[i] = (Member){ .name = name, .data = content, .length = sizeof content, .again = i > 0 };
    }
  Zip zip = zip_begin (members, n);
  put_end (&zip, n, zip.directory_end - zip.directory);
  refuse ("one content under many names", &zip, 0, "two members overlap");
  for (guint i = 0; i < n; i++)
    g_free ((char *) members[i].name);
}
END_TEST

/* The second member with its header lies in the first one's content, which ends before the second one's. */
START_TEST (members_in_members_are_refused)
{
  Member inner = { .name = "m/data/0", .data = values, .length = sizeof values };
  const Member outer = { .name = "m/data.pkl", .data = description, .length = sizeof description - 1 };
  for (guint reach = 1; reach <= 38; reach += 37)
    {
      Zip zip = zip_begin ((Member[]){ outer, inner }, 2);
      g_byte_array_set_size (zip.bytes, zip.directory);
      Member longer = outer;
      longer.said = longer.length + reach;
      guint32 second = g_array_index (zip.headers, guint32, 1);
      put_entry (&zip, &longer, 0);
      put_entry (&zip, &inner, second);
      put_end (&zip, 2, zip.bytes->len - zip.directory);
      refuse ("a header quoted", &zip, second, "two members overlap");
    }
  inner.said = sizeof values + 60;
  Zip zip = zip_begin ((Member[]){ outer, inner }, 2);
  guint32 second = g_array_index (zip.headers, guint32, 1);
  put_end (&zip, 2, zip.directory_end - zip.directory);
  refuse ("the directory as content", &zip, second, "a member overlaps the archive's directory");
}
END_TEST

START_TEST (directories_that_promise_more_are_refused)
{
  const Member members[] = { { .name = "m/data.pkl", .data = description, .length = sizeof description - 1 },
                             { .name = "m/data/0", .data = values, .length = sizeof values } };
  Zip many = zip_begin (members, 2);
  put_end (&many, 60000, many.directory_end - many.directory);
  refuse ("60000 entries in the room of two", &many, many.directory_end, "the archive's directory lies outside of the file");
  Zip large = zip_begin (members, 2);
  put_end (&large, 2, 3 * GIBIBYTE);
  refuse ("a directory of gigabytes", &large, large.directory_end, "the archive's directory lies outside of the file");
  Zip zip64 = zip_begin (members, 2);
  guint32 end = zip64.bytes->len;
  put (&zip64, 4, 0x06064b50);
  put (&zip64, 8, 44);
  put (&zip64, 4, 45 | 45 << 16);
  put (&zip64, 8, 0);
  for (guint i = 0; i < 3; i++)
    put (&zip64, 8, (guint64) 1 << 58); /* entries here, in all, and bytes */
  put (&zip64, 8, zip64.directory);
  put (&zip64, 4, 0x07064b50);
  put (&zip64, 4, 0);
  put (&zip64, 8, end);
  put (&zip64, 4, 1);
  put_end (&zip64, 0xffff, UNSAID);
  refuse ("2⁵⁸ entries by zip64", &zip64, -1, "the archive's directory lies outside of the file");
  Zip cut = zip_begin (members, 2);
  put_end (&cut, 3, cut.directory_end - cut.directory);
  refuse ("an entry too many", &cut, -1, "the archive's directory");
}
END_TEST

/* The archive is honest, and what it describes is not. */
START_TEST (descriptions_that_promise_more_are_refused)
{
  static const struct
  {
    const char *title, *data;
    guint32 length;
    const char *what;
  } cases[] = {
    { "2³¹ elements in eight bytes", TENSOR ("J\377\377\377\177"), sizeof TENSOR ("J\377\377\377\177") - 1, "too few for 2147483647" },
    { "2⁶² elements in eight bytes", TENSOR ("\x8a\10\0\0\0\0\0\0\0\100"), sizeof TENSOR ("\x8a\10\0\0\0\0\0\0\0\100") - 1,
      "too few for 4611686018427387904" },
    { "fewer than none", TENSOR ("J\377\377\377\377"), sizeof TENSOR ("J\377\377\377\377") - 1, "a persistent identifier" },
    { "fewer than the tensor has", TENSOR ("K\1"), sizeof TENSOR ("K\1") - 1, "reaches element 1 of a storage of 1" },
    { "an archive in the archive", "PK\3\4PK\3\4PK\3\4", 12, "PERSID" },
  };
  const Member members[] = { { .name = "m/data.pkl", .data = cases[_i].data, .length = cases[_i].length },
                             { .name = "m/data/0", .data = values, .length = sizeof values } };
  Zip zip = zip_begin (members, 2);
  put_end (&zip, 2, zip.directory_end - zip.directory);
  refuse (cases[_i].title, &zip, -1, cases[_i].what);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("zip bombs");
  TCase *tests = tcase_create ("zip bombs");
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, honest_archives_are_read);
  tcase_add_loop_test (tests, declared_gigabytes_are_refused, 0, 8);
  tcase_add_test (tests, overlapping_members_are_refused);
  tcase_add_test (tests, members_in_members_are_refused);
  tcase_add_test (tests, directories_that_promise_more_are_refused);
  tcase_add_loop_test (tests, descriptions_that_promise_more_are_refused, 0, 5);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
