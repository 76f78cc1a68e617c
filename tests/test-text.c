/* Tokenizers: recorded ids, vocabularies, alterations.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "folder.h"
#include "lines.h"

/* A graph that feeds captions to one tokenizer. */
static char *
yaml (const char *node, const char *collect)
{
  return g_strdup_printf ("graphs:\n  train:\n    mode: train\n    nodes:\n      text: {op: feed, signature: \"u8[b<=2048:n<=b*1024]\"}\n"
                          "      tokens: {%s, text: text}\n    collect: {%s}\n",
                          node, collect);
}

static void start (Rig *rig, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
start (Rig *rig, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *node = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *text = yaml (node, "t: tokens.tokens, cut: tokens.truncated");
  rig_start (rig, text);
}

static void
expect_failure (const char *node, const char *message)
{
  g_autofree char *text = yaml (node, "t: tokens.tokens");
  Rig rig;
  g_autoptr (GError) error = NULL;
  ck_assert_msg (!rig_open (&rig, text, 7, &error), "nothing was wrong, expected: %s", message);
  ck_assert_msg (strstr (error->message, message) != NULL, "\"%s\" does not hold \"%s\"", error->message, message);
  rig_clear (&rig);
}

/* "5 17 2" for a sample of the last step. */
static char *
ids_of (Rig *rig, gint64 sample)
{
  const WeftTensor *tokens = rig_value (rig, "tokens.tokens");
  GString *text = g_string_new (NULL);
  for (gint32 i = tokens->offsets[sample]; i < tokens->offsets[sample + 1]; i++)
    g_string_append_printf (text, "%s%d", text->len > 0 ? " " : "", ((gint32 *) tokens->data)[i]);
  return g_string_free (text, FALSE);
}

static void
tokenize (Rig *rig, const char *const *strings, guint n, guint64 step)
{
  WeftTensor text = rig_text (strings, n);
  rig_feed (rig, "text", &text);
  ck_assert (rig_step (rig, step, 0));
  g_free (text.data);
  g_free (text.offsets);
}

static void
expect_ids (Rig *rig, const char *caption, const char *ids)
{
  tokenize (rig, &caption, 1, 0);
  g_autofree char *found = ids_of (rig, 0);
  ck_assert_msg (strcmp (found, ids) == 0, "\"%s\": %s, expected %s", caption, found, ids);
}

static WeftLines *
recording (const char *name)
{
  g_autofree char *path = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", name, NULL);
  g_autoptr (GError) error = NULL;
  WeftLines *lines = weft_lines_read (path, TRUE, &error);
  ck_assert_msg (lines != NULL, "%s", error != NULL ? error->message : "");
  return lines;
}

/* The recording holds the pieces that its captions use, at their ids in the vocabulary; the lines between are filled up. */
START_TEST (word_pieces_are_as_recorded)
{
  g_autoptr (WeftLines) captions = recording ("wordpiece.txt"), ids = recording ("wordpiece.ids"),
                        pieces = recording ("wordpiece-pieces.tsv");
  g_autoptr (GString) vocabulary = g_string_new (NULL);
  guint line = 0, n = weft_lines_count (captions);
  for (guint i = 0; i < weft_lines_count (pieces); i++)
    {
      char *piece;
      for (guint64 id = g_ascii_strtoull (weft_lines_get (pieces, i, NULL), &piece, 10); line < id; line++)
        g_string_append_printf (vocabulary, "[filler %u]\n", line);
      g_string_append_printf (vocabulary, "%s\n", piece + 1);
      line++;
    }
  rig_write (folder, "vocab.txt", vocabulary->str, (gssize) vocabulary->len);
  g_autofree const char **strings = g_new (const char *, n);
  for (guint i = 0; i < n; i++)
    strings[i] = weft_lines_get (captions, i, NULL);
  Rig rig;
  start (&rig, "op: wordpiece, vocabulary: '%s/vocab.txt', longest: 128", folder);
  tokenize (&rig, strings, n, 0);
  ck_assert_uint_eq (n, weft_lines_count (ids));
  ck_assert_uint_gt (n, 400);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *found = ids_of (&rig, i);
      ck_assert_msg (strcmp (found, weft_lines_get (ids, i, NULL)) == 0, "line %u, \"%s\": %s", i + 1, strings[i], found);
    }
  rig_clear (&rig);
}
END_TEST

static const char small_vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ndog\n##s\nrun\n##ning\n.\nthe\n[\n]\ncl\nÉté\nete\n";

START_TEST (pieces_are_cut_longest_first)
{
  Rig rig;
  g_autofree char *hundred = g_strnfill (101, 's');
  memcpy (hundred, "dog", 3);
  rig_write (folder, "vocab.txt", small_vocabulary, -1);
  start (&rig, "op: wordpiece, vocabulary: '%s/vocab.txt', size: 20, longest: 120", folder);
  expect_ids (&rig, "The DOGS running.", "2 10 5 6 7 8 9 3");
  expect_ids (&rig, "dogx dog", "2 1 5 3");
  expect_ids (&rig, "", "2 3");
  expect_ids (&rig, " \t\r\n ", "2 3");
  expect_ids (&rig, "d\xef\xbf\xbdo\x01g\xc2\xad", "2 5 3");
  expect_ids (&rig, "ÉTÉ", "2 15 3");
  /* Special tokens spelt out are text. */
  expect_ids (&rig, "[CLS] [cl]", "2 11 13 6 12 11 13 12 3");
  expect_ids (&rig, hundred, "2 1 3");
  hundred[100] = '\0';
  tokenize (&rig, (const char *const *) &hundred, 1, 0);
  ck_assert_int_eq (rig_value (&rig, "tokens.tokens")->shape[0], 100);
  ck_assert_int_eq (*(gint32 *) rig_value (&rig, "tokens.truncated")->data, 0);
  rig_clear (&rig);
  start (&rig, "op: wordpiece, vocabulary: '%s/vocab.txt', size: 16, longest: 4, lower: false", folder);
  expect_ids (&rig, "dog dog dog", "2 5 5 3");
  ck_assert_int_eq (*(gint32 *) rig_value (&rig, "tokens.truncated")->data, 1);
  expect_ids (&rig, "Été Dog", "2 14 1 3");
  ck_assert_int_eq (*(gint32 *) rig_value (&rig, "tokens.truncated")->data, 0);
  rig_clear (&rig);
}
END_TEST

START_TEST (odd_vocabularies_are_refused)
{
  g_autofree char *node = g_strdup_printf ("op: wordpiece, size: 20, vocabulary: '%s/vocab.txt'", folder);
  expect_failure (node, "vocab.txt");
  rig_write (folder, "vocab.txt", "[PAD]\n[UNK]\n[CLS]\ndog\n", -1);
  expect_failure (node, "has no line [SEP]");
  rig_write (folder, "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ndog\ndog\n", -1);
  expect_failure (node, "vocab.txt:7: \"dog\" stands on an earlier line");
  rig_write (folder, "vocab.txt", small_vocabulary, -1);
  g_autofree char *tight = g_strdup_printf ("op: wordpiece, size: 15, vocabulary: '%s/vocab.txt'", folder);
  expect_failure (tight, "16 pieces, the pipeline declares size: 15; set size: 16");
}
END_TEST

START_TEST (text_has_to_be_utf8)
{
  Rig rig;
  static const char *const captions[] = { "dog", "caf\xe9" };
  rig_write (folder, "vocab.txt", small_vocabulary, -1);
  start (&rig, "op: wordpiece, vocabulary: '%s/vocab.txt', size: 20", folder);
  WeftTensor text = rig_text (captions, 2);
  rig_feed (&rig, "text", &text);
  g_autoptr (GError) error = NULL;
  ck_assert_int_eq (weft_executor_step (rig.executor, 0, 0, &error), WEFT_STEP_ERROR);
  ck_assert_msg (strstr (error->message, "text 1 of the batch is not UTF-8: byte 3 is 0xe9") != NULL, "%s", error->message);
  g_free (text.data);
  g_free (text.offsets);
  rig_clear (&rig);
}
END_TEST

/* Counts what happened to a million words "dogs" (ids 5 6). */
START_TEST (alterations_have_their_frequencies)
{
  enum
  {
    CAPTIONS = 2000,
    WORDS = 50,
    STEPS = 10
  };
  g_autoptr (GString) caption = g_string_new (NULL);
  const char *strings[CAPTIONS];
  Rig rig;
  for (guint i = 0; i < WORDS; i++)
    g_string_append (caption, "dogs ");
  for (guint i = 0; i < CAPTIONS; i++)
    strings[i] = caption->str;
  rig_write (folder, "vocab.txt", small_vocabulary, -1);
  start (&rig, "op: wordpiece, vocabulary: '%s/vocab.txt', size: 16, longest: 200, alter: 0.2", folder);
  gint64 counts[16] = { 0 }, total = 0, all = (gint64) CAPTIONS * WORDS * STEPS;
  for (guint64 step = 0; step < STEPS; step++)
    {
      tokenize (&rig, strings, CAPTIONS, step);
      const WeftTensor *tokens = rig_value (&rig, "tokens.tokens");
      for (gint64 i = 0; i < tokens->shape[0]; i++)
        counts[((gint32 *) tokens->data)[i]]++;
      total += tokens->shape[0] - 2 * CAPTIONS;
    }
  /* Two pieces a word: 92 % of the words stay; 10 % are masked; 2 % are random, a sixteenth of their pieces each entry. */
  double masked = (double) counts[4] / (double) (2 * all), random = (double) counts[9] / (double) (2 * all) * 16;
  double kept = (double) total / (double) (2 * all), intact = (double) counts[5] / (double) all;
  ck_assert_msg (fabs (kept - 0.92) < 0.002, "%g of the words not dropped", kept);
  ck_assert_msg (fabs (masked - 0.10 - 0.02 / 16) < 0.002, "%g masked", masked);
  ck_assert_msg (fabs (random - 0.02) < 0.001, "%g random", random);
  ck_assert_msg (fabs (intact - 0.8 - 0.04 / 16) < 0.002, "%g intact", intact);
  rig_clear (&rig);
}
END_TEST

START_TEST (alterations_differ_by_step_and_leave_inference_alone)
{
  static const char *const captions[] = { "the dogs running the dogs running the dogs running",
                                          "the dogs running the dogs running the dogs running" };
  Rig rig;
  rig_write (folder, "vocab.txt", small_vocabulary, -1);
  start (&rig, "op: wordpiece, vocabulary: '%s/vocab.txt', size: 16, alter: 0.5", folder);
  tokenize (&rig, captions, 2, 0);
  g_autofree char *first = ids_of (&rig, 0), *second = ids_of (&rig, 1);
  tokenize (&rig, captions, 2, 0);
  g_autofree char *again = ids_of (&rig, 0);
  tokenize (&rig, captions, 2, 1);
  g_autofree char *next = ids_of (&rig, 0);
  ck_assert_str_eq (first, again);
  ck_assert_str_ne (first, second);
  ck_assert_str_ne (first, next);
  rig_clear (&rig);
  start (&rig, "op: wordpiece, vocabulary: '%s/vocab.txt', size: 16, alter: 1, mode: infer", folder);
  expect_ids (&rig, "the dogs", "2 10 5 6 3");
  rig_clear (&rig);
}
END_TEST

/* At rate 1, 16 of 100 captions of two words would lose both. */
START_TEST (captions_keep_a_word)
{
  enum
  {
    CAPTIONS = 2000
  };
  const char *strings[CAPTIONS];
  Rig rig;
  gint64 single = 0;
  for (guint i = 0; i < CAPTIONS; i++)
    strings[i] = i % 2 == 0 ? "dog the" : "dog";
  rig_write (folder, "vocab.txt", small_vocabulary, -1);
  start (&rig, "op: wordpiece, vocabulary: '%s/vocab.txt', size: 16, alter: 1", folder);
  tokenize (&rig, strings, CAPTIONS, 0);
  const WeftTensor *tokens = rig_value (&rig, "tokens.tokens");
  for (guint i = 0; i < CAPTIONS; i++)
    {
      gint32 n = tokens->offsets[i + 1] - tokens->offsets[i];
      ck_assert_int_ge (n, 3);
      single += i % 2 == 0 && n == 3;
    }
  /* One of two is left with probability 2 * 0.4 * 0.6 + 0.4². */
  ck_assert_msg (fabs ((double) single / (CAPTIONS / 2) - 0.64) < 0.06, "%d", (int) single);
  rig_clear (&rig);
}
END_TEST

START_TEST (word_vocabularies_are_built)
{
  Rig rig;
  rig_write (folder, "precomp/caps.txt", "The dog runs\na DOG , a cat\nthe dog2\nthe cat's hat\n", -1);
  /* 0 padding, 1 <unk>, then words that occur twice: a cat dog the. */
  start (&rig, "op: words, captions: '%s/caps.txt', size: 20, minimum_count: 2, tokenizer: simple, boundaries: false", folder);
  expect_ids (&rig, "The cat, a dog2 & dogs' Dog!", "5 3 2 1 1 4");
  expect_ids (&rig, "...", "1");
  rig_clear (&rig);
  /* Only three fit: the, and of those that occur twice the first in the order of bytes, a and cat. */
  start (&rig, "op: words, captions: '%s/caps.txt', size: 7, minimum_count: 1, tokenizer: simple", folder);
  expect_ids (&rig, "the cat dog a", "2 6 5 1 4 3");
  rig_clear (&rig);
  start (&rig, "op: words, captions: '%s/caps.txt', size: 30, minimum_count: 1, longest: 4", folder);
  /* <start> <end> 's , a cat dog … */
  expect_ids (&rig, "cat's", "2 7 4 3");
  expect_ids (&rig, "a, a, a, a", "2 6 5 3");
  ck_assert_int_eq (*(gint32 *) rig_value (&rig, "tokens.truncated")->data, 1);
  rig_clear (&rig);
}
END_TEST

/* The same of words, where boundaries are not there to be left. */
START_TEST (captions_of_words_keep_one)
{
  enum
  {
    CAPTIONS = 2000
  };
  const char *strings[CAPTIONS];
  gint64 counts[3] = { 0 }, first = 0, second = 0;
  Rig rig;
  for (guint i = 0; i < CAPTIONS; i++)
    strings[i] = i % 2 == 0 ? "dog cat" : "dog";
  rig_write (folder, "caps.txt", "dog cat\n", -1);
  start (&rig, "op: words, captions: '%s/caps.txt', size: 20, minimum_count: 1, boundaries: false, alter: 1", folder);
  tokenize (&rig, strings, CAPTIONS, 0);
  const WeftTensor *tokens = rig_value (&rig, "tokens.tokens");
  for (guint i = 0; i < CAPTIONS; i++)
    {
      gint32 n = tokens->offsets[i + 1] - tokens->offsets[i], id = ((gint32 *) tokens->data)[tokens->offsets[i]];
      ck_assert_int_ge (n, 1);
      counts[n] += i % 2 == 0;
      /* 2 is cat, 3 is dog: nothing is left as it was unless all would have gone, and then either may stay. */
      first += i % 2 == 0 && n == 1 && id == 3;
      second += i % 2 == 0 && n == 1 && id == 2;
    }
  /* Both stay with probability 0.36. Of those that would lose both, 0.16, each keeps one; a quarter of a sixth of 0.48 looks the same. */
  ck_assert_msg (fabs ((double) counts[1] / (CAPTIONS / 2) - 0.64) < 0.06, "%d", (int) counts[1]);
  ck_assert_msg (fabs ((double) first / (CAPTIONS / 2) - 0.1) < 0.04, "%d", (int) first);
  ck_assert_msg (fabs ((double) second / (CAPTIONS / 2) - 0.1) < 0.04, "%d", (int) second);
  rig_clear (&rig);
}
END_TEST

static const char json[] = "{\"word2idx\": {\"<pad>\": 0, \"<start>\": 1, \"<end>\": 2, \"<unk>\": 3, \"a\": 4, \"dog\": 7, \".\": 5, "
                           "\"do\": 6, \"n't\": 8, \"``\": 9}, "
                           "\"idx\": 10, \"idx2word\": {\"0\": \"<pad>\"}}";

START_TEST (stored_vocabularies_keep_their_ids)
{
  Rig rig;
  rig_write (folder, "vocab.json", json, -1);
  start (&rig, "op: words, vocabulary: '%s/vocab.json', size: 10", folder);
  expect_ids (&rig, "A dog. A zebra .", "1 4 7 5 4 3 5 2");
  expect_ids (&rig, "Don't \"a dog", "1 6 8 9 4 7 2");
  rig_clear (&rig);
}
END_TEST

START_TEST (odd_word_vocabularies_are_refused)
{
  static const struct
  {
    const char *json;
    const char *message;
  } files[] = {
    { "{", "not JSON" },
    { "[1]", "not a JSON object" },
    { "{\"word2idx\": 3}", "has no map \"word2idx\"" },
    { "{\"word2idx\": {\"<unk>\": \"x\"}}", "no integer for \"<unk>\"" },
    { "{\"word2idx\": {\"<unk>\": 10}}", "has the id 10, the pipeline declares size: 10" },
    { "{\"word2idx\": {\"<unk>\": -1}}", "has the id -1" },
    { "{\"word2idx\": {\"a\": 1}}", "has no \"<unk>\"" },
    { "{\"word2idx\": /* {} */ {\"<unk>\": 1}}", "unexpected byte 0x2f at byte 13" },
    { "{\"word2idx\": {\"a\": 1}, 'b': 2}", "unexpected byte 0x27 at byte 23" },
    { "{\"word2idx\": {\"<unk>\": 1}}", "has no \"<start>\"; add it or set boundaries: false" },
  };
  g_autofree char *node = g_strdup_printf ("op: words, size: 10, vocabulary: '%s/vocab.json'", folder);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      rig_write (folder, "vocab.json", files[i].json, -1);
      expect_failure (node, files[i].message);
    }
  g_autofree char *both = g_strconcat (node, ", captions: x.txt", NULL),
                  *built = g_strdup_printf ("op: words, captions: '%s/caps.txt'", folder);
  expect_failure (both, "either vocabulary");
  expect_failure ("op: words", "either vocabulary");
  rig_write (folder, "caps.txt", "one two\n", -1);
  expect_failure (built, "no word occurs 4 times");
}
END_TEST

/* Cut as NLTK 3.8 cuts them, its sentences included. */
START_TEST (words_are_cut_by_treebank_conventions)
{
  static const struct
  {
    const char *caption;
    const char *words;
  } captions[] = {
    { "\"Hello,\" she said. \"It's a dog.\"", "`` hello , '' she said . `` it 's a dog . ''" },
    { "The dog's owners' cat can't run -- don't!", "the dog 's owners ' cat ca n't run -- do n't !" },
    { "I'd've cannot gonna wanna 'tis", "i'd 've can not gon na wan na 't is" },
    { "costs $3,000.50, or 5% [more] {less}", "costs $ 3,000.50 , or 5 % [ more ] { less }" },
    { "a 'quoted' word and 'a letter ... dots.. end...", "a 'quoted ' word and ' a letter ... dots .. end ..." },
    { "rock 'n' roll y'all o'clock", "rock 'n ' roll y'all o'clock" },
    { "two sentences. next one here.  third?yes!no", "two sentences . next one here . third ? yes ! no" },
    { "x:y a,b 1,2 3:4 end:", "x : y a , b 1,2 3:4 end :" },
    { "mid.dot a.b.c", "mid.dot a.b.c" },
    { "Dr. No at 3 p.m. sharp.", "dr. no at 3 p.m. sharp ." },
    { "well-known snow_case e-mail@example.com", "well-known snow_case e-mail @ example.com" },
    { "(a \"b\" c) \xe2\x80\x9cq\xe2\x80\x9d", "( a `` b '' c ) \xe2\x80\x9c q \xe2\x80\x9d" },
  };
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) vocabulary = g_string_new ("{\"word2idx\": {\"<unk>\": 0");
  Rig rig;
  for (gsize i = 0; i < G_N_ELEMENTS (captions); i++)
    {
      g_auto (GStrv) words = g_strsplit (captions[i].words, " ", -1);
      for (guint j = 0; words[j] != NULL; j++)
        if (!g_hash_table_contains (ids, words[j]))
          {
            guint id = g_hash_table_size (ids) + 1;
            g_hash_table_insert (ids, g_strdup (words[j]), GUINT_TO_POINTER (id));
            g_string_append_printf (vocabulary, ", \"%s\": %u", words[j], id);
          }
    }
  g_string_append (vocabulary, "}}");
  rig_write (folder, "vocab.json", vocabulary->str, -1);
  start (&rig, "op: words, vocabulary: '%s/vocab.json', size: 200, boundaries: false, tokenizer: nltk", folder);
  for (gsize i = 0; i < G_N_ELEMENTS (captions); i++)
    {
      g_auto (GStrv) words = g_strsplit (captions[i].words, " ", -1);
      g_autoptr (GString) expected = g_string_new (NULL);
      for (guint j = 0; words[j] != NULL; j++)
        g_string_append_printf (expected, "%s%u", j > 0 ? " " : "", GPOINTER_TO_UINT (g_hash_table_lookup (ids, words[j])));
      expect_ids (&rig, captions[i].caption, expected->str);
    }
  rig_clear (&rig);
}
END_TEST

/* Words alter to <unk>, and boundaries are words like others. */
START_TEST (word_alterations_reach_boundaries)
{
  enum
  {
    CAPTIONS = 2000
  };
  const char *strings[CAPTIONS];
  gint64 counts[10] = { 0 };
  Rig rig;
  for (guint i = 0; i < CAPTIONS; i++)
    strings[i] = "dog";
  rig_write (folder, "vocab.json", json, -1);
  start (&rig, "op: words, vocabulary: '%s/vocab.json', size: 10, alter: 0.5", folder);
  tokenize (&rig, strings, CAPTIONS, 0);
  const WeftTensor *tokens = rig_value (&rig, "tokens.tokens");
  for (gint64 i = 0; i < tokens->shape[0]; i++)
    counts[((gint32 *) tokens->data)[i]]++;
  /* Half stay, a quarter becomes <unk>, 5 % random among ten. */
  ck_assert_int_lt (llabs (counts[1] - 1010), 120);
  ck_assert_int_lt (llabs (counts[2] - 1010), 120);
  ck_assert_int_lt (llabs (counts[7] - 1010), 120);
  ck_assert_int_lt (llabs (counts[3] - 1530), 150);
  rig_clear (&rig);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("text");
  TCase *tests = tcase_create ("text");
  tcase_set_timeout (tests, 60);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, word_pieces_are_as_recorded);
  tcase_add_test (tests, pieces_are_cut_longest_first);
  tcase_add_test (tests, odd_vocabularies_are_refused);
  tcase_add_test (tests, text_has_to_be_utf8);
  tcase_add_test (tests, alterations_have_their_frequencies);
  tcase_add_test (tests, alterations_differ_by_step_and_leave_inference_alone);
  tcase_add_test (tests, captions_keep_a_word);
  tcase_add_test (tests, captions_of_words_keep_one);
  tcase_add_test (tests, word_vocabularies_are_built);
  tcase_add_test (tests, stored_vocabularies_keep_their_ids);
  tcase_add_test (tests, odd_word_vocabularies_are_refused);
  tcase_add_test (tests, words_are_cut_by_treebank_conventions);
  tcase_add_test (tests, word_alterations_reach_boundaries);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
