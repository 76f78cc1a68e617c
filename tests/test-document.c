/* Documents: what YAML becomes, what is refused and where, and printing.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <locale.h>

#include "document.h"
#include "rig.h"

static WeftValue *
parse (const char *text)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  WeftValue *value = weft_document_parse (text, -1, "t.yaml", problems);
  ck_assert_msg (weft_problems_count (problems) == 0, "%s: %s", text,
                 weft_problems_count (problems) ? weft_problems_get (problems, 0) : "");
  ck_assert_ptr_nonnull (value);
  return value;
}

static void
expect_problem (const char *text, gssize length, const char *part)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  G_GNUC_UNUSED g_autoptr (WeftValue) value = weft_document_parse (text, length, "t.yaml", problems);
  ck_assert_msg (weft_problems_count (problems) > 0, "nothing was reported where \"%s\" was expected", part);
  gboolean found = FALSE;
  for (guint i = 0; i < weft_problems_count (problems); i++)
    found |= strstr (weft_problems_get (problems, i), part) != NULL;
  ck_assert_msg (found, "expected \"%s\", got \"%s\"", part, weft_problems_get (problems, 0));
}

static const char *
text_at (const WeftValue *root, const char *path)
{
  const WeftValue *value = weft_value_at (root, path);
  ck_assert_msg (value && weft_value_kind (value) == WEFT_VALUE_SCALAR, "no scalar at %s", path);
  return weft_value_text (value);
}

START_TEST (wrong_documents_are_located)
{
  static const struct
  {
    const char *text;
    gssize length;
    const char *message;
  } cases[] = {
    { "a: 1\nb: 2\na: 3\n", -1, "t.yaml:3:1: key \"a\" stands here twice; the first is in line 1" },
    { "x:\n  a: {b: 1, c: 2, b: 3}\n", -1, "t.yaml:2:19: key \"b\" stands here twice" },
    { "<<: {a: 1}\n<<: {b: 1}\n", -1, "t.yaml:2:1: key \"<<\" stands here twice" },
    { "a:\n\tb: 1\n", -1, "t.yaml:2:1: a tab in the indentation" },
    { "a:\n  \tb: 1\n", -1, "t.yaml:2:3: a tab in the indentation" },
    { "a: 1\n---\nb: 1\n", -1, "t.yaml:2:1: a second document begins here" },
    { "a: 1\n...\n---\n", -1, "t.yaml:3:1: a second document begins here" },
    { "a: \xff\n", -1, "t.yaml:1:4: byte 0xff is not UTF-8" },
    { "a: 1\nn\xe9ol: 1\n", -1, "t.yaml:2:2: byte 0xe9 is not UTF-8" },
    { "\xff\xfe"
      "a\0:\0",
      6, "t.yaml: is written in UTF-16" },
    { "\xfe\xff\0a\0:", 6, "t.yaml: is written in UTF-16" },
    { "a: 1\0b: 2", 9, "t.yaml:1:5: a NUL byte" },
    { "a: \"\\0\"\n", -1, "t.yaml:1:4: text with a NUL character" },
    { "a: b\x01\n", -1, "t.yaml:1:5: control character 0x01" },
    { "a: \x1b[31m\n", -1, "control character 0x1b" },
    { "[a, b]: 1\n", -1, "t.yaml:1:1: a key must be a word, not a list" },
    { "? {a: 1}\n: 1\n", -1, "t.yaml:1:3: a key must be a word, not a map" },
    { "a: !foo 1\n", -1, "t.yaml:1:4: unknown tag \"!foo\"" },
    { "a: !!python/object:os.system {}\n", -1, "unknown tag" },
    { "a: *b\n", -1, "t.yaml:1:4: no anchor &b above" },
    { "x: &base {a: 1}\ny: *bsae\n", -1, "t.yaml:2:4: no anchor &bsae above; did you mean \"base\"?" },
    { "a: &b [*b]\n", -1, "t.yaml:1:8: *b stands inside &b (line 1): it would contain itself" },
    { "a: {<<: 3}\n", -1, "t.yaml:1:9: \"<<\" takes a map or a list of maps" },
    { "a: {<<: [[{b: 1}]]}\n", -1, "not a list of lists" },
    { "a: {b: 1\nc: 2\n", -1,
      "t.yaml:2:2: not valid YAML: did not find expected ',' or '}' (while parsing a flow mapping that begins in line 1)" },
    { "a: [1, 2\n", -1, "is a comma, a closing bracket or a quote missing?" },
    { "a: b: c\n", -1, "t.yaml:1:5: not valid YAML: mapping values are not allowed in this context; is this line indented too far" },
    { "a: 1\n  b: 2\n", -1, "t.yaml:2:4: not valid YAML: mapping values" },
    { "a:\n    b: 1\n  c: 2\n", -1, "does this line begin in the same column as its siblings?" },
    { "a: \"open\n", -1, "is a closing quote missing?" },
    { "a: @b\n", -1, "text that begins with this character needs quotes" },
    { "a: `b\n", -1, "t.yaml:1:4: not valid YAML: found character that cannot start any token" },
    { "a: 1\nb\n", -1, "could not find expected ':'" },
    { "a: %b\n", -1, "cannot start any token" },
    { "a: \"\\q\"\n", -1, "found unknown escape character" },
    { "'': 1\n", -1, "t.yaml:1:1: a value without a key" },
    { "a: {b: }}\n", -1, "not valid YAML" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    expect_problem (cases[i].text, cases[i].length, cases[i].message);
}
END_TEST

START_TEST (all_problems_of_a_document_are_reported)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (WeftValue) value = weft_document_parse ("z: *no\na: 1\na: 2\nb: !t 1\n", -1, "t.yaml", problems);
  ck_assert_uint_eq (weft_problems_count (problems), 3);
  ck_assert (!weft_problems_to_error (problems, &error));
  g_auto (GStrv) lines = g_strsplit (error->message, "\n", -1);
  ck_assert_uint_eq (g_strv_length (lines), 3);
  ck_assert (g_str_has_prefix (lines[0], "t.yaml:1:4: "));
  ck_assert (g_str_has_prefix (lines[1], "t.yaml:3:1: "));
  ck_assert (g_str_has_prefix (lines[2], "t.yaml:4:4: "));
}
END_TEST

static char *
repeat (const char *before, const char *middle, const char *after, guint n)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < n; i++)
    g_string_append (text, before);
  g_string_append (text, middle);
  for (guint i = 0; i < n; i++)
    g_string_append (text, after);
  return g_string_free (text, FALSE);
}

START_TEST (nesting_is_bounded)
{
  g_autofree char *allowed = repeat ("[", "1", "]", 64), *lists = repeat ("[", "1", "]", 10000), *open = repeat ("[", "", "", 10000),
                  *maps = repeat ("{a: ", "1", "}", 10000), *keys = repeat ("? ", "1", "", 10000);
  weft_value_unref (parse (allowed));
  expect_problem (lists, -1, "t.yaml:1:66: nested more than 64 levels deep");
  expect_problem (open, -1, "nested more than 64 levels deep");
  expect_problem (maps, -1, "nested more than 64 levels deep");
  expect_problem (keys, -1, "nested more than 64 levels deep");

  g_autoptr (GString) blocks = g_string_new (NULL), chain = g_string_new ("a0: &a0 [1]\n");
  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (blocks, "%*sa:\n", (int) i, "");
  expect_problem (blocks->str, -1, "t.yaml:66:66: nested more than 64 levels deep");
  for (guint i = 1; i < 100000; i++)
    g_string_append_printf (chain, "a%u: &a%u [*a%u]\n", i, i, i - 1);
  expect_problem (chain->str, -1, "nested more than 64 levels deep");
}
END_TEST

START_TEST (expansion_is_bounded)
{
  g_autoptr (GString) laughs = g_string_new ("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
  for (guint i = 1; i < 20; i++)
    {
      g_string_append_printf (laughs, "a%u: &a%u [", i, i);
      for (guint k = 0; k < 9; k++)
        g_string_append_printf (laughs, "%s*a%u", k ? ", " : "", i - 1);
      g_string_append (laughs, "]\n");
    }
  expect_problem (laughs->str, -1, "more than 1000000 values");

  g_autofree char *large = g_malloc ((16 << 20) + 1);
  memset (large, ' ', (16 << 20) + 1);
  expect_problem (large, (16 << 20) + 1, "t.yaml: is larger than 16 MiB");
}
END_TEST

START_TEST (anchors_and_merges)
{
  g_autoptr (WeftValue) root = parse ("base: &base {a: 1, b: 2}\n"
                                      "more: &more {b: 3, c: 4}\n"
                                      "one: {<<: *base, b: 5, d: 6}\n"
                                      "two: {x: 0, <<: [*base, *more], z: *base}\n"
                                      "text: {\"<<\": plain}\n"
                                      "word: &w hello\n"
                                      "again: *w\n");
  const WeftValue *one = weft_value_lookup (root, "one"), *two = weft_value_lookup (root, "two");
  ck_assert_str_eq (text_at (one, "a"), "1");
  ck_assert_str_eq (text_at (one, "b"), "5");
  ck_assert_uint_eq (weft_value_length (one), 3);
  ck_assert_uint_eq (weft_value_length (two), 5);
  ck_assert_str_eq (text_at (two, "b"), "2");
  ck_assert_str_eq (text_at (two, "c"), "4");
  ck_assert_str_eq (weft_value_key (two, 0), "x");
  ck_assert_str_eq (weft_value_key (two, 1), "a");
  ck_assert_str_eq (weft_value_key (two, 4), "z");
  ck_assert_str_eq (text_at (two, "z.a"), "1");
  ck_assert_str_eq (text_at (root, "text.<<"), "plain");
  ck_assert_str_eq (text_at (root, "again"), "hello");
  /* What an alias brings was written where the anchor is. */
  ck_assert_uint_eq (weft_value_mark (weft_value_lookup (one, "a")).line, 1);
  ck_assert_uint_eq (weft_value_mark (weft_value_lookup (one, "b")).line, 3);
}
END_TEST

START_TEST (marks_count_characters)
{
  g_autoptr (WeftValue) root = parse ("größe: {μ: 3}\nlist:\n  - é: x\n");
  WeftMark mark = weft_value_mark (weft_value_at (root, "größe.μ"));
  ck_assert_str_eq (mark.file, "t.yaml");
  ck_assert_uint_eq (mark.line, 1);
  ck_assert_uint_eq (mark.column, 12);
  const WeftValue *item = weft_value_item (weft_value_lookup (root, "list"), 0);
  ck_assert_uint_eq (weft_value_key_mark (item, 0).line, 3);
  ck_assert_uint_eq (weft_value_key_mark (item, 0).column, 5);
  expect_problem ("größe: \xff\n", -1, "t.yaml:1:8: byte 0xff");
}
END_TEST

START_TEST (scalars_have_types_when_asked)
{
  static const struct
  {
    const char *text;
    gint64 integer; /* G_MININT64: none */
    double number;  /* G_MAXDOUBLE: none */
    int boolean;    /* -1: none */
  } cases[] = {
    { "1", 1, 1, -1 },
    { "-17", -17, -17, -1 },
    { "+3", 3, 3, -1 },
    { "1e4", 10000, 10000, -1 },
    { "1.5e3", 1500, 1500, -1 },
    { "16_384", 16384, 16384, -1 },
    { "0x1F", 31, 31, -1 },
    { "010", 10, 10, -1 },
    { "9223372036854775807", G_MAXINT64, 9223372036854775807.0, -1 },
    { "9223372036854775808", G_MININT64, 9223372036854775808.0, -1 },
    { "1.0", G_MININT64, 1, -1 },
    { "0.5", G_MININT64, 0.5, -1 },
    { ".5", G_MININT64, 0.5, -1 },
    { "5.", G_MININT64, 5, -1 },
    { "5e-4", G_MININT64, 5e-4, -1 },
    { "1e400", G_MININT64, G_MAXDOUBLE, -1 },
    { "1e30", G_MININT64, 1e30, -1 },
    { "nan", G_MININT64, G_MAXDOUBLE, -1 },
    { ".inf", G_MININT64, G_MAXDOUBLE, -1 },
    { "inf", G_MININT64, G_MAXDOUBLE, -1 },
    { "1,5", G_MININT64, G_MAXDOUBLE, -1 },
    { "1.2.3", G_MININT64, G_MAXDOUBLE, -1 },
    { "12a", G_MININT64, G_MAXDOUBLE, -1 },
    { "1e", G_MININT64, G_MAXDOUBLE, -1 },
    { "_1", G_MININT64, G_MAXDOUBLE, -1 },
    { "1_", G_MININT64, G_MAXDOUBLE, -1 },
    { ".", G_MININT64, G_MAXDOUBLE, -1 },
    { "0x", G_MININT64, G_MAXDOUBLE, -1 },
    { "\"1\"", G_MININT64, G_MAXDOUBLE, -1 },
    { "!!str 1", G_MININT64, G_MAXDOUBLE, -1 },
    { "true", G_MININT64, G_MAXDOUBLE, 1 },
    { "Yes", G_MININT64, G_MAXDOUBLE, 1 },
    { "off", G_MININT64, G_MAXDOUBLE, 0 },
    { "'no'", G_MININT64, G_MAXDOUBLE, -1 },
    { "[1]", G_MININT64, G_MAXDOUBLE, -1 },
  };
  setlocale (LC_ALL, "de_DE.UTF-8"); /* where present, 0,5 is a number there */
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strconcat ("a: ", cases[i].text, NULL);
      g_autoptr (WeftValue) root = parse (text);
      const WeftValue *value = weft_value_lookup (root, "a");
      gint64 integer = G_MININT64;
      double number = G_MAXDOUBLE;
      gboolean boolean = -1;
      ck_assert_msg (weft_value_get_integer (value, &integer) == (cases[i].integer != G_MININT64), "%s", text);
      ck_assert_msg (weft_value_get_number (value, &number) == (cases[i].number != G_MAXDOUBLE), "%s", text);
      ck_assert_msg (weft_value_get_boolean (value, &boolean) == (cases[i].boolean != -1), "%s", text);
      ck_assert_msg (integer == cases[i].integer && number == cases[i].number && boolean == cases[i].boolean, "%s", text);
    }
  setlocale (LC_ALL, "C");
}
END_TEST

START_TEST (nulls)
{
  g_autoptr (WeftValue) root = parse ("a:\nb: ~\nc: null\nd: ''\ne: NULL\nf: nil\n");
  for (guint i = 0; i < 6; i++)
    ck_assert_int_eq (weft_value_kind (weft_value_item (root, i)), i == 3 || i == 5 ? WEFT_VALUE_SCALAR : WEFT_VALUE_NULL);
  g_autoptr (WeftValue) empty = parse ("# nothing\n");
  ck_assert_int_eq (weft_value_kind (empty), WEFT_VALUE_NULL);
}
END_TEST

START_TEST (large_maps_are_found_and_changed)
{
  const WeftMark mark = { 0 };
  g_autoptr (WeftValue) map = weft_value_new_map (mark);
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);
      weft_value_set (map, key, mark, weft_value_new_scalar (key, FALSE, mark));
    }
  ck_assert (weft_value_remove (map, "k50"));
  ck_assert (!weft_value_remove (map, "k50"));
  ck_assert_ptr_null (weft_value_lookup (map, "k50"));
  ck_assert_str_eq (text_at (map, "k51"), "k51");
  ck_assert_str_eq (text_at (map, "k99"), "k99");
  weft_value_set (map, "k51", mark, weft_value_new_scalar ("new", FALSE, mark));
  ck_assert_str_eq (text_at (map, "k51"), "new");
  ck_assert_str_eq (weft_value_key (map, 50), "k51");
  ck_assert_uint_eq (weft_value_length (map), 99);
}
END_TEST

START_TEST (paths_may_meet_keys_with_dots)
{
  g_autoptr (WeftValue) root = parse ("a: {b.c: {d: 1}, b: {c: {e: 2}}}\n");
  ck_assert_str_eq (text_at (root, "a.b.c.d"), "1");
  ck_assert_str_eq (text_at (root, "a.b.c.e"), "2");
  ck_assert_ptr_null (weft_value_at (root, "a.b.c.f"));
  ck_assert_ptr_null (weft_value_at (root, "a..c"));
}
END_TEST

static void
assert_same (const WeftValue *a, const WeftValue *b, const char *text)
{
  ck_assert_msg (weft_value_kind (a) == weft_value_kind (b) && weft_value_length (a) == weft_value_length (b), "%s", text);
  if (weft_value_kind (a) == WEFT_VALUE_SCALAR)
    ck_assert_msg (strcmp (weft_value_text (a), weft_value_text (b)) == 0 && weft_value_is_quoted (a) == weft_value_is_quoted (b), "%s",
                   text);
  for (guint i = 0; i < weft_value_length (a); i++)
    {
      if (weft_value_kind (a) == WEFT_VALUE_MAP)
        ck_assert_msg (strcmp (weft_value_key (a, i), weft_value_key (b, i)) == 0, "%s", text);
      assert_same (weft_value_item (a, i), weft_value_item (b, i), text);
    }
}

START_TEST (printed_documents_parse_to_the_same)
{
  static const char *const documents[] = {
    "a: 1\n",
    "~\n",
    "just a word\n",
    "[]\n",
    "{}\n",
    "a: {}\nb: []\nc: {d: [], e: {}}\n",
    "a: ''\nb: 'null'\nc: \"true\"\nd: ~\ne: '~'\n",
    "a: \"tab\\there, line\\nbreak, quote \\\" slash \\\\ bell \\x07 nel \\N sep \\L bom \\uFEFF\"\n",
    "'key with: colon': '#no comment'\n'- dash': '[x'\n'? q': '{y'\n'a #b': 1\n'<<': 1\n'---': 2\n'...': 3\n'null': 4\n",
    "sig: \"f32[b:t, d]\"\nurl: http://x/y:z\nneg: -3\ndash: '- x'\nsp: ' x '\ncolon: 'a: b'\nend: 'a:'\n",
    "a: |\n  two\n  lines\nb: >\n  folded\n  text\n",
    "über: straße\nemoji: \"\xf0\x9f\x98\x80\"\n",
    "- [1, 2, [3, {a: b}]]\n- {x: {y: {z: [1]}}}\n-\n  - a\n",
    "a: $name\nb: ${name}/x\nc: {d: \"${name}/x\", e: \"a,b\"}\n",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (documents); i++)
    {
      g_autoptr (WeftValue) first = parse (documents[i]);
      g_autofree char *printed = weft_document_print (first);
      g_autoptr (WeftValue) second = parse (printed);
      assert_same (first, second, printed);
      g_autofree char *again = weft_document_print (second);
      ck_assert_str_eq (printed, again);
    }
}
END_TEST

START_TEST (long_documents_are_printed_in_lines)
{
  g_autoptr (GString) text = g_string_new ("graphs:\n  train:\n    nodes:\n      long:\n");
  for (guint i = 0; i < 40; i++)
    g_string_append_printf (text, "        attribute_%u: {value: %u, list: [a, b, c]}\n", i, i);
  g_string_append (text, "      short: {op: relu, x: long}\n");
  g_autoptr (WeftValue) root = parse (text->str);
  g_autofree char *printed = weft_document_print (root);
  ck_assert_str_eq (printed, text->str);
}
END_TEST

START_TEST (shipped_pipelines_survive_printing)
{
  g_autofree char *folder = g_build_filename (WEFT_TEST_SOURCE_DIR, "pipelines", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  ck_assert_ptr_nonnull (dir);
  guint seen = 0;
  for (const char *name; (name = g_dir_read_name (dir));)
    {
      if (!g_str_has_suffix (name, ".yaml"))
        continue;
      g_autoptr (WeftProblems) problems = weft_problems_new ();
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autoptr (WeftValue) first = weft_document_load (path, problems);
      ck_assert_ptr_nonnull (first);
      g_autofree char *printed = weft_document_print (first);
      g_autoptr (WeftValue) second = parse (printed);
      assert_same (first, second, printed);
      seen++;
    }
  ck_assert_uint_ge (seen, 5);
}
END_TEST

START_TEST (files_that_cannot_be_read)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  ck_assert_ptr_null (weft_document_load ("/nowhere/at/all.yaml", problems));
  ck_assert_str_eq (weft_problems_get (problems, 0), "/nowhere/at/all.yaml: can't be opened: No such file or directory");
  ck_assert_ptr_null (weft_document_load ("/", problems));
  ck_assert_msg (g_str_has_prefix (weft_problems_get (problems, 1), "/: can't be read: Is a directory; a pipeline is a file"), "%s",
                 weft_problems_get (problems, 1));
}
END_TEST

START_TEST (messages_are_safe_and_short)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autofree char *long_text = g_strnfill (100000, 'x');
  weft_problems_add (problems, (WeftMark){ "f", 1, 2 }, "%s", "\x1b[31m\xff");
  ck_assert_str_eq (weft_problems_get (problems, 0), "f:1:2: \\x1b[31m\xef\xbf\xbd");
  weft_problems_add (problems, (WeftMark){ 0 }, "%s", long_text);
  ck_assert_uint_lt (strlen (weft_problems_get (problems, 1)), 3000);
  weft_problems_add (problems, (WeftMark){ 0 }, "%s", long_text);
  ck_assert_uint_eq (weft_problems_count (problems), 2);
}
END_TEST

START_TEST (suggestions)
{
  static const char *const words[] = { "units", "dropout", "hidden", "epochs", NULL };
  ck_assert_str_eq (weft_nearest ("untis", words), "units");
  ck_assert_str_eq (weft_nearest ("dropuot", words), "dropout");
  ck_assert_str_eq (weft_nearest ("epoch", words), "epochs");
  ck_assert_ptr_null (weft_nearest ("margin", words));
  ck_assert_ptr_null (weft_nearest ("", words));
  g_autofree char *near = weft_suggestion ("hiden", words), *far = weft_suggestion ("zzz", words), *none = weft_suggestion ("a", NULL);
  ck_assert_str_eq (near, "; did you mean \"hidden\"?; valid: units, dropout, hidden, epochs");
  ck_assert_str_eq (far, "; valid: units, dropout, hidden, epochs");
  ck_assert_str_eq (none, "");
}
END_TEST

START_TEST (path_patterns)
{
  static const struct
  {
    const char *pattern, *path;
    gboolean matches;
  } cases[] = {
    { "text", "text.bert.weight", TRUE },
    { "text.bert", "text.bert.weight", TRUE },
    { "text.be", "text.bert.weight", FALSE },
    { "text.bert.weight.more", "text.bert.weight", FALSE },
    { "*.bert", "text.bert.weight", TRUE },
    { "*.weight", "text.bert.weight", FALSE },
    { "**.weight", "text.bert.weight", TRUE },
    { "**.weight", "weight", TRUE },
    { "**.weight", "text.bert.bias", FALSE },
    { "text.**.bias", "text.layer.3.attention.bias", TRUE },
    { "text.**", "text", TRUE },
    { "text.layer*.bias", "text.layer3.bias", TRUE },
    { "text.layer*.bias", "text.layer.3.bias", FALSE },
    { "**.a.**.b", "x.a.a.y.b", TRUE },
    { "**.a.b", "a.c.a.b", TRUE },
    { "*", "x", TRUE },
    { "l*r.*a*", "layer.bias", TRUE },
    { "l*x", "layer", FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    ck_assert_msg (weft_path_match (cases[i].pattern, cases[i].path) == cases[i].matches, "%s %s", cases[i].pattern, cases[i].path);
}
END_TEST

/* Every prefix and many single changes of a real document: any outcome but a crash, and never silence without a value. */
START_TEST (damaged_documents_are_survived)
{
  static const char swaps[] = "\0\t\n \"'{}[],:&*!|>#%@-?\\<~$a9\xc3\xff";
  g_autofree char *path = g_build_filename (WEFT_TEST_SOURCE_DIR, "pipelines", "scenes.yaml", NULL), *text = NULL;
  gsize length;
  ck_assert (g_file_get_contents (path, &text, &length, NULL));
  length = MIN (length, 2500);
  for (gsize i = 0; i < length; i += 7)
    {
      g_autoptr (WeftProblems) problems = weft_problems_new ();
      g_autoptr (WeftValue) value = weft_document_parse (text, (gssize) i, "t.yaml", problems);
      ck_assert (value || weft_problems_count (problems));
    }
  for (gsize i = 0; i < length; i += 3)
    {
      g_autoptr (WeftProblems) problems = weft_problems_new ();
      char kept = text[i];
      text[i] = swaps[(i * 31) % (sizeof swaps - 1)];
      g_autoptr (WeftValue) value = weft_document_parse (text, (gssize) length, "t.yaml", problems);
      ck_assert (value || weft_problems_count (problems));
      g_autofree char *printed = value ? weft_document_print (value) : NULL;
      if (value && weft_problems_count (problems) == 0)
        {
          g_autoptr (WeftValue) again = parse (printed);
          assert_same (value, again, printed);
        }
      text[i] = kept;
    }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("document");
  TCase *tests = tcase_create ("document");
  tcase_set_timeout (tests, 60);
  tcase_add_test (tests, wrong_documents_are_located);
  tcase_add_test (tests, all_problems_of_a_document_are_reported);
  tcase_add_test (tests, nesting_is_bounded);
  tcase_add_test (tests, expansion_is_bounded);
  tcase_add_test (tests, anchors_and_merges);
  tcase_add_test (tests, marks_count_characters);
  tcase_add_test (tests, scalars_have_types_when_asked);
  tcase_add_test (tests, nulls);
  tcase_add_test (tests, large_maps_are_found_and_changed);
  tcase_add_test (tests, paths_may_meet_keys_with_dots);
  tcase_add_test (tests, printed_documents_parse_to_the_same);
  tcase_add_test (tests, long_documents_are_printed_in_lines);
  tcase_add_test (tests, shipped_pipelines_survive_printing);
  tcase_add_test (tests, files_that_cannot_be_read);
  tcase_add_test (tests, messages_are_safe_and_short);
  tcase_add_test (tests, suggestions);
  tcase_add_test (tests, path_patterns);
  tcase_add_test (tests, damaged_documents_are_survived);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
