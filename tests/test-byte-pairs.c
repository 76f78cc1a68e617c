/* CLIP's tokenizer: recorded ids, cleaning, forms of vocabularies.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <gio/gio.h>

#include "folder.h"
#include "lines.h"

static char *
yaml (const char *vocabulary, const char *more)
{
  return g_strdup_printf ("graphs:\n  train:\n    nodes:\n      text: {op: feed, signature: \"u8[b<=512:n<=b*1024]\"}\n"
                          "      tokens: {op: byte_pairs, text: text, vocabulary: '%s'%s}\n"
                          "    collect: {t: tokens.tokens, cut: tokens.truncated}\n",
                          vocabulary, more);
}

static void
start (Rig *rig, const char *name, const char *more)
{
  g_autofree char *path = g_build_filename (folder, name, NULL), *text = yaml (path, more);
  rig_start (rig, text);
}

static void
refuse (const char *name, const char *more, const char *message)
{
  g_autofree char *path = g_build_filename (folder, name, NULL), *text = yaml (path, more);
  rig_expect_failure (text, message);
}

static char *
ids_of (Rig *rig, const char *caption)
{
  WeftTensor text = rig_text (&caption, 1);
  rig_feed (rig, "text", &text);
  ck_assert (rig_step (rig, 0, 0));
  g_free (text.data);
  g_free (text.offsets);
  const WeftTensor *tokens = rig_value (rig, "tokens.tokens");
  GString *ids = g_string_new (NULL);
  for (gint64 i = 0; i < tokens->shape[0]; i++)
    g_string_append_printf (ids, "%s%d", i > 0 ? " " : "", ((gint32 *) tokens->data)[i]);
  return g_string_free (ids, FALSE);
}

static void
expect (Rig *rig, const char *caption, const char *ids)
{
  g_autofree char *found = ids_of (rig, caption);
  ck_assert_msg (g_str_equal (found, ids), "\"%s\": %s, expected %s", caption, found, ids);
}

static void
expect_same (Rig *rig, const char *caption, const char *other)
{
  g_autofree char *ids = ids_of (rig, other);
  expect (rig, caption, ids);
}

/* d o g: 67 78 70, and 326 for a last g; five merges from 512; start and end are 517 and 518. */
static const char merges[] = "#version: 0.2\nd o\ndo g</w>\n' s</w>\no o\nd oo\n";

START_TEST (pairs_are_joined_in_the_order_of_the_list)
{
  Rig rig;
  rig_write (folder, "merges.txt", merges, -1);
  start (&rig, "merges.txt", ", longest: 8");
  expect (&rig, "Dog", "517 513 518");
  expect (&rig, "DOG's  dog", "517 513 514 513 518");
  expect (&rig, "dogd", "517 512 70 323 518");
  /* `d o` comes before `o o`, so that the piece `doo` is never made. */
  expect (&rig, "doog", "517 512 78 326 518");
  expect (&rig, "", "517 518");
  expect (&rig, "12", "517 272 273 518");
  ck_assert_int_eq (*(gint32 *) rig_value (&rig, "tokens.truncated")->data, 0);
  expect (&rig, "dog dog dog dog dog dog dog", "517 513 513 513 513 513 513 518");
  ck_assert_int_eq (*(gint32 *) rig_value (&rig, "tokens.truncated")->data, 1);
  expect (&rig, "dog dog dog dog dog dog", "517 513 513 513 513 513 513 518");
  ck_assert_int_eq (*(gint32 *) rig_value (&rig, "tokens.truncated")->data, 0);
  rig_clear (&rig);
}
END_TEST

START_TEST (captions_are_cleaned)
{
  Rig rig;
  rig_write (folder, "merges.txt", merges, -1);
  start (&rig, "merges.txt", "");
  expect_same (&rig, "dog\xe2\x80\x99s", "dog's");
  expect_same (&rig, "dog&amp;#39;s &lt;b&gt; &#x41;", "dog's <b> a");
  expect_same (&rig,
               "\xe2\x80\x9c"
               "dog\xe2\x80\x9d",
               "\"dog\"");
  expect_same (&rig, "\xef\xbc\xa4og", "dog");
  expect_same (&rig, "e\xcc\x81", "\xc3\xa9");
  expect_same (&rig,
               "o\xef\xac\x83"
               "ce",
               "office");
  expect_same (&rig, "dog\x0b\xc2\x85\xe3\x80\x80\n dog", "dog dog");
  /* What is no entity stays. */
  expect_same (&rig, "a & b &; &#; &#xg; &bogus; &#0;", "a & b &; &#; &# xg ; & bogus ; &# 0 ;");
  rig_clear (&rig);
}
END_TEST

static void
write_packed (const char *name, const char *text, gsize length, gsize cut)
{
  g_autoptr (GConverter) converter = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6));
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) stream = g_converter_output_stream_new (memory, converter);
  ck_assert (g_output_stream_write_all (stream, text, length, NULL, NULL, NULL) && g_output_stream_close (stream, NULL, NULL));
  GMemoryOutputStream *packed = G_MEMORY_OUTPUT_STREAM (memory);
  rig_write (folder, name, g_memory_output_stream_get_data (packed), (gssize) (g_memory_output_stream_get_data_size (packed) - cut));
}

START_TEST (lists_may_be_packed)
{
  Rig rig;
  write_packed ("merges.gz", merges, strlen (merges), 0);
  start (&rig, "merges.gz", "");
  expect (&rig, "dog's", "517 513 514 518");
  rig_clear (&rig);
  write_packed ("short.gz", merges, strlen (merges), 12);
  refuse ("short.gz", "", "short.gz: cannot unpack this");
  gsize most = (64 << 20) + 1;
  g_autofree char *zeros = g_malloc0 (most);
  write_packed ("bomb.gz", zeros, most, 0);
  refuse ("bomb.gz", "", "it holds more than 64 MiB");
}
END_TEST

START_TEST (odd_json_vocabularies_are_refused)
{
  g_autofree char *deep = g_strnfill (1000000, '[');
  memcpy (deep, "{\"d\":", strlen ("{\"d\":"));
  rig_write (folder, "merges.txt", "#version: 0.2\nd o\n", -1);
  rig_write (folder, "vocab.json", deep, -1);
  refuse ("vocab.json", ", size: 600", "vocab.json: nested too deeply");
  rig_write (folder, "vocab.json", "{\"\\ud800\": 4}", -1);
  refuse ("vocab.json", ", size: 600", "vocab.json: not JSON");
}
END_TEST

START_TEST (pieces_of_a_json_vocabulary_keep_their_ids)
{
  Rig rig;
  rig_write (folder, "vocab.json",
             "{\"d\": 4, \"o\": 3, \"g</w>\": 2, \"do\": 7, \"dog</w>\": 1, \"<|startoftext|>\": 8, \"<|endoftext|>\": 9}", -1);
  rig_write (folder, "merges.txt", "#version: 0.2\nd o\ndo g</w>\n", -1);
  start (&rig, "vocab.json", ", size: 600");
  expect (&rig, "dog do", "8 1 4 9 9");
  rig_clear (&rig);
  /* The folder says the same. */
  start (&rig, ".", ", size: 600");
  expect (&rig, "dog", "8 1 9");
  rig_clear (&rig);
}
END_TEST

START_TEST (odd_vocabularies_are_refused)
{
  refuse ("merges.txt", "", "merges.txt");
  rig_write (folder, "merges.txt", "d o\ndo\n", -1);
  refuse ("merges.txt", "", "merges.txt:2: \"do\" is not two pieces");
  rig_write (folder, "merges.txt", "d o\ndog s\n", -1);
  refuse ("merges.txt", "", "merges.txt:2: \"dog\" is not in the vocabulary yet");
  rig_write (folder, "merges.txt", "d \xff\n", -1);
  refuse ("merges.txt", "", "byte 2 is no UTF-8");
  rig_write (folder, "vocab.json", "[]", -1);
  refuse ("vocab.json", "", "vocab.json: not a JSON object");
  rig_write (folder, "vocab.json", "{\"a\": 700}", -1);
  refuse ("vocab.json", ", size: 600", "the id of \"a\" is no integer below 600");
  rig_write (folder, "vocab.json", "{\"a\": 1, \"<|startoftext|>\": 2}", -1);
  refuse ("vocab.json", "", "has no \"<|endoftext|>\"");
  rig_write (folder, "vocab.json", "{\"a\": 1, \"b\": 3, \"<|startoftext|>\": 2, \"<|endoftext|>\": 4}", -1);
  rig_write (folder, "merges.txt", "a b\n", -1);
  refuse ("vocab.json", "", "merges.txt:1: \"ab\" is not in the vocabulary; the two files do not belong together");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("byte pairs");
  TCase *tests = tcase_create ("byte pairs");
  tcase_set_timeout (tests, 60);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, pairs_are_joined_in_the_order_of_the_list);
  tcase_add_test (tests, captions_are_cleaned);
  tcase_add_test (tests, lists_may_be_packed);
  tcase_add_test (tests, odd_json_vocabularies_are_refused);
  tcase_add_test (tests, pieces_of_a_json_vocabulary_keep_their_ids);
  tcase_add_test (tests, odd_vocabularies_are_refused);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
