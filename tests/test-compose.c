/* Composition: merging, includes, overlays, settings, variables, and the messages about them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <sys/stat.h>
#include <unistd.h>

#include "compose.h"
#include "rig.h"

static char *folder;

static void
set_up (void)
{
  folder = rig_folder ();
  g_setenv ("WEFT_TEST_SET", "/set", TRUE);
  g_setenv ("WEFT_TEST_RELATIVE", "here", TRUE);
  g_setenv ("WEFT_TEST_EMPTY", "", TRUE);
  g_unsetenv ("WEFT_TEST_UNSET");
}

static void
tear_down (void)
{
  rig_remove (folder);
  g_free (folder);
}

/* Pairs of name and text. */
static void
write_files (const char *const *files)
{
  for (guint i = 0; files[i]; i += 2)
    rig_write (folder, files[i], files[i + 1], -1);
}

static WeftValue *
compose (const char *const *overlays, const char *const *settings, WeftProblems *problems)
{
  g_autofree char *path = g_build_filename (folder, "main.yaml", NULL), *search_path = g_build_filename (folder, "installed", NULL);
  const char *const search[] = { search_path, NULL };
  return weft_compose (&(WeftComposition){ path, overlays, settings, search }, problems);
}

static WeftValue *
compose_well (const char *const *overlays, const char *const *settings)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  WeftValue *document = compose (overlays, settings, problems);
  ck_assert_msg (weft_problems_count (problems) == 0, "%s", weft_problems_count (problems) ? weft_problems_get (problems, 0) : "");
  ck_assert_ptr_nonnull (document);
  return document;
}

/* What the document says at @path, as YAML without the last newline; "-" for nothing. */
static void
expect_at (const WeftValue *document, const char *path, const char *expected)
{
  const WeftValue *value = weft_value_at (document, path);
  g_autofree char *printed = value ? g_strchomp (weft_document_print (value)) : g_strdup ("-");
  ck_assert_msg (strcmp (printed, expected) == 0, "%s is %s instead of %s", path, printed, expected);
}

static void
expect_problems (const char *const *overlays, const char *const *settings, const char *const *messages)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  G_GNUC_UNUSED g_autoptr (WeftValue) document = compose (overlays, settings, problems);
  g_autofree char *prefix = g_strconcat (folder, "/", NULL);
  ck_assert_msg (weft_problems_count (problems) > 0, "no problem instead of \"%s\"", messages[0]);
  for (; *messages; messages++)
    {
      gboolean found = FALSE;
      for (guint i = 0; i < weft_problems_count (problems) && !found; i++)
        {
          g_auto (GStrv) parts = g_strsplit (weft_problems_get (problems, i), prefix, -1);
          g_autofree char *message = g_strjoinv ("", parts);
          found = strstr (message, *messages) != NULL;
        }
      ck_assert_msg (found, "expected \"%s\", got \"%s\"", *messages, weft_problems_get (problems, 0));
    }
}

#define FILES(...) write_files ((const char *const[]){ __VA_ARGS__, NULL })
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

START_TEST (later_wins)
{
  FILES ("main.yaml",
         "include: [a.yaml, sub/b.yaml]\n"
         "vars: {x: 3}\n"
         "graphs: {g: {nodes: {n: {units: 5, list: [9], gone: null}, m: null}}}\n",
         "a.yaml",
         "vars: {x: 1, y: 1, z: 1}\n"
         "graphs: {g: {nodes: {n: {op: linear, units: 1, list: [1, 2], gone: 1}, m: {op: relu}}, collect: {a: n}}}\n",
         "sub/b.yaml", "include: c.yaml\nvars: {y: 2}\n", "sub/c.yaml", "vars: {y: 7, w: 7}\n");
  g_autoptr (WeftValue) document = compose_well (NULL, NULL);
  expect_at (document, "vars", "x: 3\ny: 2\nz: 1\nw: 7");
  expect_at (document, "graphs.g.nodes.n", "op: linear\nunits: 5\nlist: [9]");
  expect_at (document, "graphs.g.nodes.m", "-");
  expect_at (document, "graphs.g.collect.a", "n");
  expect_at (document, "include", "-");
  WeftMark mark = weft_value_mark (weft_value_at (document, "graphs.g.nodes.n.op"));
  ck_assert (g_str_has_suffix (mark.file, "/a.yaml"));
  ck_assert_uint_eq (mark.line, 2);
  ck_assert (g_str_has_suffix (weft_value_mark (weft_value_at (document, "vars.w")).file, "/sub/c.yaml"));
}
END_TEST

START_TEST (a_file_counts_once)
{
  FILES ("main.yaml", "include: [b.yaml, c.yaml]\n", "b.yaml", "include: a.yaml\nmodules: {m: {attributes: {units: 5}}}\n", "c.yaml",
         "include: a.yaml\n", "a.yaml", "modules: {m: {attributes: {units: null}, nodes: {}, outputs: {}}}\n");
  g_autoptr (WeftValue) document = compose_well (NULL, NULL);
  expect_at (document, "modules.m.attributes.units", "5");
}
END_TEST

START_TEST (includes_are_searched)
{
  FILES ("main.yaml", "include: [\"${env:WEFT_TEST_UNSET:-modules}/m.yaml\", near.yaml]\n", "installed/modules/m.yaml",
         "vars: {from: installed}\n", "installed/near.yaml", "vars: {near: no}\n", "near.yaml", "vars: {near: yes}\n");
  g_autoptr (WeftValue) document = compose_well (NULL, NULL);
  expect_at (document, "vars.from", "installed");
  expect_at (document, "vars.near", "yes");
}
END_TEST

/* A project and, beside it, what it must not reach, a library that it may, and an overlay that the user names. */
START_TEST (includes_stay_in_their_folders)
{
  static const struct
  {
    const char *include, *message;
  } cases[] = {
    { "part.yaml", NULL },
    { "sub/part.yaml", NULL },
    { "sub/../part.yaml", NULL },
    { "book.yaml", NULL },
    { "../library/book.yaml", NULL },
    { "../other.yaml", "\"../other.yaml\" lies outside of the pipeline's folder" },
    { "link.yaml", "\"link.yaml\" lies outside of the pipeline's folder" },
    { "folder/other.yaml", "\"folder/other.yaml\" lies outside" },
    { "../project-two/part.yaml", "lies outside" },
    { "/dev/null", "\"/dev/null\" lies outside" },
    { "pipe.yaml", "\"pipe.yaml\" is not a regular file" },
  };
  FILES ("project/part.yaml", "vars: {x: 1}\n", "project/sub/part.yaml", "vars: {x: 1}\n", "library/book.yaml", "vars: {x: 1}\n",
         "other.yaml", "vars: {x: 1}\n", "project-two/part.yaml", "vars: {x: 1}\n", "over/over.yaml", "include: part.yaml\n",
         "over/part.yaml", "vars: {y: 2}\n");
  g_autofree char *path = g_build_filename (folder, "project", "main.yaml", NULL), *library = g_build_filename (folder, "library", NULL),
                  *over = g_build_filename (folder, "over", "over.yaml", NULL),
                  *link = g_build_filename (folder, "project", "link.yaml", NULL),
                  *link_folder = g_build_filename (folder, "project", "folder", NULL),
                  *pipe = g_build_filename (folder, "project", "pipe.yaml", NULL);
  ck_assert (symlink ("../other.yaml", link) == 0 && symlink ("..", link_folder) == 0 && mkfifo (pipe, 0600) == 0);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (WeftProblems) problems = weft_problems_new ();
      g_autofree char *text = g_strdup_printf ("include: %s\n", cases[i].include);
      rig_write (folder, "project/main.yaml", text, -1);
      const WeftComposition composition = { path, WORDS (over), NULL, WORDS (library) };
      g_autoptr (WeftValue) document = weft_compose (&composition, problems);
      const char *message = weft_problems_count (problems) ? weft_problems_get (problems, 0) : "";
      ck_assert_msg (cases[i].message ? strstr (message, cases[i].message) != NULL : document != NULL, "%s: %s", cases[i].include, message);
      if (document)
        expect_at (document, "vars", "x: 1\ny: 2");
    }
}
END_TEST

START_TEST (overlays_and_settings)
{
  FILES ("main.yaml",
         "vars: {batch: 128, rate: 1}\n"
         "graphs: {g: {nodes: {n: {op: adamw, x: $batch, scale: {text.bert: 0.1}}, m: {op: relu}, k: {op: relu}}}}\n"
         "ablations:\n"
         "  small: {about: less, vars: {batch: 2}}\n"
         "  no-m: {graphs: {g: {nodes: {m: null}}}}\n"
         "  no-m-k: {graphs: {g: {nodes: {m: null, k: null}}}}\n",
         "over.yaml", "graphs: {g: {nodes: {n: {op: sgd}}}}\n");
  g_autofree char *file = g_build_filename (folder, "over.yaml", NULL);
  g_autoptr (WeftValue) plain = compose_well (NULL, NULL);
  expect_at (plain, "graphs.g.nodes.n.x", "128");
  g_autoptr (WeftValue) document =
      compose_well (WORDS ("small", "no-m", "no-m-k", file), WORDS ("rate=[1, 2]", "graphs.g.nodes.n.scale.text.bert=0.2",
                                                                    "graphs.g.nodes.n.clip=2.0", "run.train.epochs=3", "run.watch=null"));
  expect_at (document, "graphs.g.nodes.n", "op: sgd\nx: 2\nscale: {text.bert: 0.2}\nclip: 2.0");
  expect_at (document, "graphs.g.nodes.m", "-");
  expect_at (document, "graphs.g.nodes.k", "-");
  expect_at (document, "vars.rate", "- 1\n- 2");
  expect_at (document, "run.train.epochs", "3");
  expect_at (document, "run.watch", "-");
  expect_at (document, "about", "-");
  ck_assert_str_eq (weft_value_mark (weft_value_at (document, "graphs.g.nodes.n.clip")).file, "--set");
  /* The command line comes last. */
  g_autoptr (WeftValue) both = compose_well (WORDS ("small"), WORDS ("batch=7", "batch=8"));
  expect_at (both, "graphs.g.nodes.n.x", "8");
}
END_TEST

START_TEST (variables)
{
  FILES ("main.yaml", "vars:\n"
                      "  b: $a\n"
                      "  a: 128\n"
                      "  path: \"${root}/f30k\"\n"
                      "  root: \"${env:WEFT_TEST_UNSET:-data}\"\n"
                      "  set: \"${env:WEFT_TEST_SET:-x}/y\"\n"
                      "  empty: \"${env:WEFT_TEST_EMPTY:-full}\"\n"
                      "  nested: \"${env:WEFT_TEST_UNSET:-${root}-$a}\"\n"
                      "  number: \"${env:WEFT_TEST_UNSET:-64}\"\n"
                      "  schedule: {start: $a, drop: [$b, 2]}\n"
                      "  nothing: null\n"
                      "graphs:\n"
                      "  g:\n"
                      "    about: costs $much\n"
                      "    nodes:\n"
                      "      n: {op: x, whole: $schedule, braces: \"${a}\", text: \"$a-${b}.$path\", price: $5, dollar: $$a, off: "
                      "$nothing, quoted: \"x$a\"}\n"
                      "modules: {m: {nodes: {n: {op: x, units: $units}}, outputs: {y: n}}}\n"
                      "ablations: {o: {vars: {q: $unknown}}}\n");
  g_autoptr (WeftValue) document = compose_well (NULL, NULL);
  expect_at (document, "vars.b", "128");
  expect_at (document, "vars.path", "\"data/f30k\"");
  expect_at (document, "vars.set", "\"/set/y\"");
  expect_at (document, "vars.empty", "full");
  expect_at (document, "vars.nested", "data-128");
  gint64 number = 0;
  ck_assert (weft_value_get_integer (weft_value_at (document, "vars.number"), &number) && number == 64);
  expect_at (document, "graphs.g.nodes.n.whole", "start: 128\ndrop: [128, 2]");
  ck_assert (weft_value_get_integer (weft_value_at (document, "graphs.g.nodes.n.braces"), &number) && number == 128);
  expect_at (document, "graphs.g.nodes.n.text", "\"128-128.data/f30k\"");
  expect_at (document, "graphs.g.nodes.n.price", "$5");
  expect_at (document, "graphs.g.nodes.n.dollar", "$a");
  expect_at (document, "graphs.g.nodes.n.off", "-");
  expect_at (document, "graphs.g.nodes.n.quoted", "\"x128\"");
  expect_at (document, "modules.m.nodes.n.units", "$units");
  expect_at (document, "ablations.o.vars.q", "$unknown");
}
END_TEST

START_TEST (paths_belong_to_who_wrote_their_beginning)
{
  FILES ("main.yaml",
         "include: sub/part.yaml\n"
         "vars: {root: data, env: \"${env:WEFT_TEST_RELATIVE}/x\"}\n",
         "sub/part.yaml",
         "vars: {root: null, leaf: b}\n"
         "graphs: {g: {nodes: {n: {op: x, whole: $root, begin: \"$root/x\", end: \"x/$leaf\", env: $env}}}}\n");
  g_autoptr (WeftValue) document = compose_well (NULL, NULL);
  ck_assert (g_str_has_suffix (weft_value_mark (weft_value_at (document, "graphs.g.nodes.n.whole")).file, "/main.yaml"));
  ck_assert (g_str_has_suffix (weft_value_mark (weft_value_at (document, "graphs.g.nodes.n.begin")).file, "/main.yaml"));
  ck_assert (g_str_has_suffix (weft_value_mark (weft_value_at (document, "graphs.g.nodes.n.end")).file, "/sub/part.yaml"));
  ck_assert_str_eq (weft_value_mark (weft_value_at (document, "graphs.g.nodes.n.env")).file, "env:WEFT_TEST_RELATIVE");
}
END_TEST

START_TEST (mistakes_in_one_file)
{
  static const struct
  {
    const char *text, *message;
  } cases[] = {
    { "", "main.yaml:1:1: this file is empty; expected a map with sections such as `graphs:`" },
    { "- a\n", "main.yaml:1:1: expected a map with sections" },
    { "grahps: {}\n", "main.yaml:1:1: a pipeline has no \"grahps\"; did you mean \"graphs\"?; valid: pipeline, about" },
    { "graphs: [a]\n", "main.yaml:1:9: `graphs:` must be a map of graphs by name, not a list" },
    { "vars: 3\n", "main.yaml:1:7: `vars:` must be a map of names to values, not text" },
    { "pipeline: [x]\n", "main.yaml:1:11: `pipeline:` must be text" },
    { "networks: {a: b}\n", "main.yaml:1:15: network a must be a map" },
    { "networks: {a.b: {module: x}}\n", "main.yaml:1:12: \"a.b\" can't name a network: names are letters" },
    { "graphs: {g: {nods: {}}}\n",
      "main.yaml:1:14: graph g has no \"nods\"; did you mean \"nodes\"?; valid: about, mode, compute, recompute, nodes, collect" },
    { "graphs: {g: {mode: train}}\n", "main.yaml:1:13: graph g needs `nodes:`" },
    { "graphs: {g: {nodes: []}}\n", "main.yaml:1:21: `nodes:` must be a map of nodes, not a list" },
    { "graphs: {g: {nodes: {}, collect: [a]}}\n", "`collect:` must be a map of names to references" },
    { "graphs: {g: {nodes: {a: {op: x, y: }}}}\n", "main.yaml:1:33: \"y\" has no value, and there is nothing of that name to remove" },
    { "graphs: {g: {nodes: {a: {op: x}, b: null}}}\n", "main.yaml:1:34: \"b\" has no value" },
    { "graphs: {g: {nodes: {loss: {op: x}, los: null}}}\n", "to remove; did you mean \"loss\"?" },
    { "graphs: null\n", "main.yaml:1:1: \"graphs\" has no value" },
    { "modules:\n", "main.yaml:1:1: \"modules\" has no value" },
    { "vars:\n", "main.yaml:1:1: \"vars\" has no value" },
    { "modules: {m: }\n", "main.yaml:1:11: \"m\" has no value" },
    { "modules: {m: {nodes: {}, outputs: {}, attributes: }}\n", "main.yaml:1:39: \"attributes\" has no value" },
    { "ablations: {a: }\n", "main.yaml:1:13: \"a\" has no value" },
    { "ablations: {a: {matrix: }}\n", "main.yaml:1:17: \"matrix\" has no value" },
    { "edits:\n", "main.yaml:1:1: \"edits\" has no value" },
    { "modules: {m: {atributes: {}, nodes: {}, outputs: {}}}\n",
      "main.yaml:1:15: module m has no \"atributes\"; did you mean \"attributes\"?" },
    { "modules: {m: {nodes: {}}}\n", "module m needs `outputs:`" },
    { "modules: {m: {outputs: {}}}\n", "module m needs `nodes:`" },
    { "modules: {m: {nodes: {}, outputs: y}}\n", "`outputs:` must be a map of names to references, not text" },
    { "modules: {m: {nodes: {}, outputs: {}, attributes: {a-b: 1}}}\n", "\"a-b\" can't name an attribute" },
    { "modules: {m: {nodes: {n: {op: }}, outputs: {}}}\n", "\"op\" has no value" },
    { "ablations: {a: {graph: {}}}\n", "main.yaml:1:17: ablation a has no \"graph\"; did you mean \"graphs\"?" },
    { "ablations: {a: {include: x.yaml}}\n", "ablation a has no \"include\"" },
    { "include: {a: b}\n", "main.yaml:1:10: `include:` takes a file or a list of files" },
    { "include: [[a]]\n", "main.yaml:1:11: `include:` takes a file or a list of files" },
    { "include: nowhere.yaml\n",
      "main.yaml:1:10: there is no file \"nowhere.yaml\" to include (looked for nowhere.yaml, installed/nowhere.yaml)" },
    { "include: /nowhere.yaml\n", "there is no file \"/nowhere.yaml\" to include (looked for /nowhere.yaml)" },
    { "include: $data/x.yaml\n", "main.yaml:1:10: unknown variable \"$data\"; there are none" },
    { "include: main.yaml\n", "main.yaml:1:10: main.yaml includes itself: main.yaml → main.yaml" },
    { "vars: {a: $b}\n", "main.yaml:1:11: unknown variable \"$b\"; valid: a" },
    { "vars: {batch: 1, c: $bacth}\n", "unknown variable \"$bacth\"; did you mean \"batch\"?" },
    { "vars: {a: $b, b: $c, c: \"x${a}\"}\n", "main.yaml:1:25: variable \"a\" is defined by itself: a → b → c → a" },
    { "vars: {a: $a}\n", "variable \"a\" is defined by itself: a → a" },
    { "vars: {a-b: 1}\n", "main.yaml:1:8: \"a-b\" can't name a variable" },
    { "vars: {a: \"${env:WEFT_TEST_UNSET}\"}\n",
      "main.yaml:1:11: the environment has no WEFT_TEST_UNSET; set it, or write ${env:WEFT_TEST_UNSET:-default}" },
    { "vars: {a: \"${env:WEFT_TEST_EMPTY}\"}\n", "the environment has no WEFT_TEST_EMPTY" },
    { "vars: {a: \"${env:WEFT_TEST_SET-x}\"}\n", "\"${env:WEFT_TEST_SET-x}\": expected ${env:NAME} or ${env:NAME:-default}" },
    { "vars: {a: \"${env:}\"}\n", "expected ${env:NAME}" },
    { "vars: {a: \"x${b\"}\n", "\"${b\": \"${\" without \"}\"" },
    { "vars: {a: \"${b c}\"}\n", "\"${b c}\": names are letters, digits and _" },
    { "vars: {a: [1], b: \"x$a\"}\n", "main.yaml:1:19: \"$a\" is a list and can't be part of a text" },
    { "vars: {a: {b: 1}, c: \"${a}/x\"}\n", "\"${a}\" is a map and can't be part of a text" },
    { "vars: {a: null, b: \"x$a\"}\n", "\"$a\" is null and can't be part of a text" },
    { "graphs: {g: {nodes: {n: {op: x, units: $unts}}}}\nvars: {units: 1}\n",
      "main.yaml:1:40: unknown variable \"$unts\"; did you mean \"units\"?" },
    { "run: {train: {epochs: $e}}\n", "unknown variable \"$e\"" },
    { "a: 1\na: 2\n", "main.yaml:2:1: key \"a\" stands here twice" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      FILES ("main.yaml", cases[i].text);
      expect_problems (NULL, NULL, WORDS (cases[i].message));
    }
}
END_TEST

START_TEST (mistakes_in_several_files_are_told_together)
{
  FILES ("main.yaml", "include: [a.yaml, b.yaml, c.yaml]\nvars: {x: $y}\ngraph: {}\n", "a.yaml", "graphs: {g: {nods: {}}}\n", "b.yaml",
         "include: main.yaml\nnetworks: {n: 1}\n", "c.yaml", "x: [\n");
  expect_problems (NULL, NULL,
                   WORDS ("main.yaml:3:1: a pipeline has no \"graph\"", "a.yaml:1:14: graph g has no \"nods\"",
                          "b.yaml:1:10: main.yaml includes itself: main.yaml → b.yaml → main.yaml", "b.yaml:2:15: network n must be a map",
                          "c.yaml:2:1: not valid YAML"));
}
END_TEST

/* What a file that can't be had would have made right is no mistake of its own. */
START_TEST (a_missing_file_is_one_mistake)
{
  FILES ("main.yaml", "include: nowhere.yaml\nnetworks: {text: {load: null}}\nrun: null\n");
  expect_problems (NULL, NULL, WORDS ("there is no file \"nowhere.yaml\" to include"));
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  ck_assert_ptr_null (compose (NULL, NULL, problems));
  ck_assert_msg (weft_problems_count (problems) == 1, "%s", weft_problems_get (problems, 1));
}
END_TEST

START_TEST (mistakes_on_the_command_line)
{
  static const struct
  {
    const char *setting, *message;
  } cases[] = {
    { "batch", "--set: \"batch\" is no setting: expected PATH=VALUE" },
    { "=3", "is no setting" },
    { "graphs.=3", "is no setting" },
    { ".g=3", "is no setting" },
    { "graphs..g=3", "is no setting" },
    { "bacth=3", "--set: bacth: there is no variable \"bacth\"; did you mean \"batch\"?" },
    { "grahps.g.nodes.n.units=3", "--set: grahps.g.nodes.n.units: there is no element \"grahps\"; did you mean \"graphs\"?" },
    { "graphs.h.nodes.n.units=3", "there is no element \"h\"; valid: g" },
    { "graphs.g.nodes.m.units=3", "there is no element \"m\"; valid: norm" },
    { "graphs.g.nodes.norm=null", "" },
    { "graphs.g.nodes.nrom=null", "there is no element \"nrom\"; did you mean \"norm\"?" },
    { "graphs.g.nodes.norm.op.x=3", "graphs.g.nodes.norm.op.x: what should hold \"x\" is no map" },
    { "batch=[1, 2", "--set batch:2:1: not valid YAML" },
    { "batch={a: 1, a: 2}", "--set batch:1:8: key \"a\" stands here twice" },
    { "batch=$nothing", "--set: unknown variable \"$nothing\"" },
    { "batch=$batch", "--set: variable \"batch\" is defined by itself" },
    { "batch=\xff", "is not UTF-8" },
    { "\xff.x=1", "is no setting" },
  };
  FILES ("main.yaml", "vars: {batch: 1}\ngraphs: {g: {nodes: {norm: {op: x, b: $batch}}}}\n");
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      if (*cases[i].message)
        expect_problems (NULL, WORDS (cases[i].setting), WORDS (cases[i].message));
      else
        weft_value_unref (compose_well (NULL, WORDS (cases[i].setting)));
    }
  g_autofree char *deep = g_strnfill (100000, '.'), *setting = NULL;
  for (gsize i = 0; i < 100000; i += 2)
    deep[i] = 'a';
  setting = g_strconcat ("graphs.", deep, "a=1", NULL);
  expect_problems (NULL, WORDS (setting), WORDS ("is no setting"));

  FILES ("main.yaml", "vars: {batch: 1}\nablations: {small: {vars: {batch: 1}}, list: [1]}\n");
  expect_problems (WORDS ("smal"), NULL,
                   WORDS ("--overlay: \"smal\" is neither a file nor one of the pipeline's ablations; did you mean \"small\"?"));
  expect_problems (WORDS ("list"), NULL, WORDS ("ablation list must be a map"));
  FILES ("main.yaml", "vars: {batch: 1}\n");
  expect_problems (WORDS ("small"), NULL, WORDS ("; it has none"));
}
END_TEST

START_TEST (expansion_is_bounded)
{
  g_autoptr (GString) lists = g_string_new ("vars:\n  a0: [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]\n"), texts = g_string_new ("vars:\n  a0: lol\n"),
                      chain = g_string_new ("vars:\n  a0: 1\n"), nest = g_string_new ("vars:\n  a0: 1\n"), self = g_string_new ("vars:\n");
  for (guint i = 1; i < 30; i++)
    {
      g_string_append_printf (lists, "  a%u: [$a%u, $a%u, $a%u, $a%u]\n", i, i - 1, i - 1, i - 1, i - 1);
      g_string_append_printf (texts, "  a%u: $a%u$a%u$a%u\n", i, i - 1, i - 1, i - 1);
    }
  for (guint i = 1; i < 3000; i++)
    g_string_append_printf (nest, "  a%u: [$a%u]\n", i, i - 1);
  for (guint i = 20000; i > 0; i--)
    g_string_append_printf (chain, "  a%u: $a%u\n", i, i - 1);
  g_string_append (self, "  a: \"");
  for (guint i = 0; i < 1000; i++)
    g_string_append (self, "${env:WEFT_TEST_UNSET:-");
  for (guint i = 0; i < 1000; i++)
    g_string_append (self, "}");
  g_string_append (self, "\"\n");
  FILES ("main.yaml", lists->str);
  expect_problems (NULL, NULL, WORDS ("more than 1000000 values once variables are replaced"));
  FILES ("main.yaml", texts->str);
  expect_problems (NULL, NULL, WORDS ("a text of more than 1048576 bytes once variables are replaced"));
  FILES ("main.yaml", nest->str);
  expect_problems (NULL, NULL, WORDS ("nested more than 64 levels deep once variables are replaced"));
  FILES ("main.yaml", chain->str);
  expect_problems (NULL, NULL, WORDS ("variables refer to variables more than 64 deep"));
  FILES ("main.yaml", self->str);
  expect_problems (NULL, NULL, WORDS ("nested more than 64 levels deep"));

  for (guint i = 0; i < 70; i++)
    {
      g_autofree char *name = i ? g_strdup_printf ("i%u.yaml", i) : g_strdup ("main.yaml");
      g_autofree char *text = g_strdup_printf ("include: i%u.yaml\n", i + 1);
      FILES (name, text);
    }
  FILES ("i70.yaml", "vars: {}\n");
  expect_problems (NULL, NULL, WORDS ("i63.yaml:1:10: includes are nested more than 64 deep"));
}
END_TEST

START_TEST (modules_cannot_read_the_environment)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftValue) value = weft_document_parse ("{a: \"${env:HOME}\", b: $units, c: $unit}", -1, "t", problems);
  g_autoptr (WeftValue) names = weft_document_parse ("{units: {start: 1}}", -1, "t", problems);
  g_autoptr (WeftValue) result = weft_substitute (value, names, "attribute of module m", problems);
  ck_assert_uint_eq (weft_problems_count (problems), 2);
  ck_assert_ptr_nonnull (strstr (weft_problems_get (problems, 0), "t:1:5: \"${env:HOME}\": modules can't read the environment"));
  ck_assert_str_eq (weft_problems_get (problems, 1),
                    "t:1:34: unknown attribute of module m \"$unit\"; did you mean \"units\"?; valid: units");
  expect_at (result, "b.start", "1");
}
END_TEST

START_TEST (composed_documents_compose_to_themselves)
{
  FILES ("main.yaml", "include: a.yaml\nvars: {x: \"$$y\", z: [1, 2]}\nrun: {seed: 1}\n", "a.yaml",
         "graphs: {g: {nodes: {n: {op: x, z: $z}}}}\n");
  g_autoptr (WeftValue) first = compose_well (NULL, NULL);
  g_autofree char *printed = weft_document_print (first);
  FILES ("main.yaml", "vars: {z: [1, 2]}\nrun: {seed: 1}\ngraphs: {g: {nodes: {n: {op: x, z: [1, 2]}}}}\n");
  g_autoptr (WeftValue) second = compose_well (NULL, NULL);
  expect_at (second, "graphs.g.nodes.n.z", "- 1\n- 2");
  expect_at (first, "graphs.g.nodes.n.z", "- 1\n- 2");
  expect_at (first, "vars.x", "\"$y\"");
  ck_assert_ptr_nonnull (strstr (printed, "z: [1, 2]"));
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("compose");
  TCase *tests = tcase_create ("compose");
  tcase_set_timeout (tests, 60);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, later_wins);
  tcase_add_test (tests, a_file_counts_once);
  tcase_add_test (tests, includes_are_searched);
  tcase_add_test (tests, includes_stay_in_their_folders);
  tcase_add_test (tests, overlays_and_settings);
  tcase_add_test (tests, variables);
  tcase_add_test (tests, paths_belong_to_who_wrote_their_beginning);
  tcase_add_test (tests, mistakes_in_one_file);
  tcase_add_test (tests, mistakes_in_several_files_are_told_together);
  tcase_add_test (tests, a_missing_file_is_one_mistake);
  tcase_add_test (tests, mistakes_on_the_command_line);
  tcase_add_test (tests, expansion_is_bounded);
  tcase_add_test (tests, modules_cannot_read_the_environment);
  tcase_add_test (tests, composed_documents_compose_to_themselves);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
