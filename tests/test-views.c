/* Looking at pipelines from the command line: documents with places, explanations, differences, drawings, parts of graphs, profiles,
 * layout, the schema.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <sys/wait.h>

#include <json-glib/json-glib.h>

#include "npy.h"
#include "rig.h"

static char *folder;

static void
set_up (void)
{
  folder = rig_folder ();
  rig_write (folder, "base.yaml",
             "vars: {units: 4}\n"
             "modules:\n"
             "  body:\n"
             "    inputs: {x: \"f32[n, d]\"}\n"
             "    attributes: {units: null, rate: 0.5}\n"
             "    nodes:\n"
             "      fc: {op: linear, x: x, units: $units}\n"
             "      drop: {op: dropout, x: fc, rate: $rate}\n"
             "    outputs: {y: drop}\n",
             -1);
  rig_write (folder, "main.yaml",
             "pipeline: views\n"
             "include: base.yaml\n"
             "vars: {units: 3}                   # overrides the base\n"
             "networks:\n"
             "  net: {module: body, units: $units, rate: 0.25}\n"
             "graphs:\n"
             "  g:\n"
             "    nodes:\n"
             "      a: {op: feed, signature: \"f32[5, 2]\"}\n"
             "      v: {use: net, x: a}\n"
             "      end: {op: relu, x: v}\n"
             "      far: {op: tanh, x: end}\n"
             "    collect: {y: far}\n",
             -1);
  rig_write (folder, "over.yaml", "edits: [{replace: g.end, with: gelu}, {bypass: net.drop}]\n", -1);
}

static void
tear_down (void)
{
  rig_remove (folder);
  g_free (folder);
}

typedef struct
{
  char *out, *err;
  int status;
} Ran;

static void
ran_clear (Ran *ran)
{
  g_free (ran->out);
  g_free (ran->err);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Ran, ran_clear)

/* In the folder. */
static Ran
weft (const char *const *arguments)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  Ran ran = { 0 };
  int status = 0;
  g_autoptr (GError) error = NULL;
  g_ptr_array_add (all, g_build_filename (WEFT_TEST_BUILD_DIR, "weft", NULL));
  for (; *arguments; arguments++)
    g_ptr_array_add (all, g_strdup (*arguments));
  g_ptr_array_add (all, NULL);
  if (!g_spawn_sync (folder, (char **) all->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &ran.out, &ran.err, &status, &error))
    ck_abort_msg ("%s", error->message);
  ran.status = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
  return ran;
}

#define WEFT(...) weft ((const char *const[]){ __VA_ARGS__, NULL })

static void
expect (const Ran *ran, int status, const char *text)
{
  ck_assert_msg (ran->status == status, "status %d: %s", ran->status, ran->err);
  ck_assert_msg (strstr (status ? ran->err : ran->out, text) != NULL, "no \"%s\" in \"%s\"", text, status ? ran->err : ran->out);
}

START_TEST (documents_say_where_values_stand)
{
  g_auto (Ran) resolved = WEFT ("config", "main.yaml", "--resolved", "--set", "net.rate=0.1");
  expect (&resolved, 0, "\n  units: 3 ");
  g_auto (GStrv) lines = g_strsplit (resolved.out, "\n", -1);
  guint found = 0;
  for (char **line = lines; *line; line++)
    {
      found += g_str_has_prefix (*line, "  units: 3 ") && g_str_has_suffix (*line, "# main.yaml:3");
      found += g_str_has_prefix (*line, "        op: linear ") && g_str_has_suffix (*line, "# base.yaml:7");
      found += g_str_has_prefix (*line, "      net.rate: 0.1 ") && g_str_has_suffix (*line, "# --set");
    }
  ck_assert_msg (found == 3, "%s", resolved.out);
  /* Without the places it is a pipeline again. */
  g_auto (Ran) plain = WEFT ("config", "main.yaml");
  rig_write (folder, "whole.yaml", plain.out, -1);
  g_auto (Ran) same = WEFT ("diff", "main.yaml", "whole.yaml");
  expect (&same, 0, "no difference\n");
}
END_TEST

START_TEST (modules_are_checked_alone)
{
  g_auto (Ran) good = WEFT ("check", "base.yaml", "--module", "body", "--set", "units=6", "--set", "n=7", "--set", "d=2");
  expect (&good, 0, "18 parameters");
  expect (&good, 0, "y f32[7, 6]");
  g_auto (Ran) missing = WEFT ("check", "base.yaml", "--module", "body");
  expect (&missing, 1, "module body (`module`) needs attribute \"units\"");
  g_auto (Ran) unknown = WEFT ("check", "base.yaml", "--module", "bodi", "--set", "units=6");
  expect (&unknown, 1, "base.yaml has no module \"bodi\"; did you mean \"body\"?");
  g_auto (Ran) stray = WEFT ("check", "base.yaml", "--module", "body", "--set", "units=6", "--set", "raet=1");
  expect (&stray, 1, "--set: module body has no attribute \"raet\"");
}
END_TEST

/* Every value of a matrix is checked before a sweep begins. */
START_TEST (matrices_are_checked)
{
  rig_write (folder, "wide.yaml", "matrix: {net.rate: [0, 0.5], units: [1, 2]}\n", -1);
  rig_write (folder, "wrong.yaml", "matrix: {net.rate: [0.5, 1.5], net.raet: [1]}\n", -1);
  g_auto (Ran) good = WEFT ("check", "main.yaml", "-o", "wide.yaml", "--brief");
  ck_assert_msg (good.status == 0, "%s", good.err);
  g_auto (Ran) wrong = WEFT ("check", "main.yaml", "-o", "wrong.yaml", "--brief");
  expect (&wrong, 1, "is 1.5; it must lie between");
  expect (&wrong, 1, "has no attribute \"raet\"; did you mean \"rate\"?");
}
END_TEST

/* Who puts a module in place of another one inherits its attributes, and is told how to be rid of them. */
START_TEST (inherited_attributes_are_told)
{
  rig_write (folder, "other.yaml",
             "include: main.yaml\nmodules: {bare: {inputs: {x: \"f32[..., d]\"}, nodes: {y: {op: relu, x: x}}, outputs: {y: y}}}\n"
             "networks: {net: {module: bare}}\n",
             -1);
  g_auto (Ran) wrong = WEFT ("check", "other.yaml", "--brief");
  expect (&wrong, 1,
          "main.yaml:5:23: module bare (`net`) has no input or attribute \"units\"; `null` in its place takes out what was merged in");
}
END_TEST

START_TEST (values_are_explained)
{
  g_auto (Ran) variable = WEFT ("explain", "main.yaml", "units");
  expect (&variable, 0, "vars.units = 3\n  set at main.yaml:3:15: 3\n  overrode at base.yaml:1:15: 4\n");
  g_auto (Ran) inside = WEFT ("explain", "main.yaml", "net.drop.rate");
  expect (&inside, 0, "rate = 0.25  (written at main.yaml:5:44)\n");
  g_auto (Ran) network = WEFT ("explain", "main.yaml", "net.units");
  expect (&network, 0, "networks.net.units = 3\n  set at main.yaml:5:30: $units\n  stands for 3, written at main.yaml:3:15\n");
  g_auto (Ran) node = WEFT ("explain", "main.yaml", "g.end", "-o", "over.yaml");
  expect (&node, 0, "  operator gelu, defined at over.yaml:1:19\n");
  expect (&node, 0, "  edit: replace `g.end` (op relu) by op gelu\n");
  g_auto (Ran) nothing = WEFT ("explain", "main.yaml", "g.ned");
  expect (&nothing, 1, "nothing at \"g.ned\"");
}
END_TEST

START_TEST (differences_are_edits)
{
  g_auto (Ran) diff = WEFT ("diff", "main.yaml", "--with", "over.yaml", "--set", "net.units=7");
  expect (&diff, 0, "- remove net.drop (dropout)\n~ replace g.end: relu → gelu\n~ rewire g.end.x: net.drop → net.fc\n");
  g_auto (Ran) units = WEFT ("diff", "main.yaml", "main.yaml");
  expect (&units, 0, "no difference\n");
}
END_TEST

START_TEST (drawings_fold_and_colour)
{
  g_auto (Ran) plain = WEFT ("graph", "main.yaml");
  expect (&plain, 0, "label=\"fc\\nlinear\"");
  expect (&plain, 0, "subgraph cluster_0");
  g_auto (Ran) folded = WEFT ("graph", "main.yaml", "--fold", "0", "--plan");
  expect (&folded, 0, "[label=\"v\\n2 nodes\\n2–3 · ");
  ck_assert_ptr_null (strstr (folded.out, "linear"));
  expect (&folded, 0, "label=\"end\\nrelu\\n4 · 0 bytes\"");
  g_auto (Ran) named = WEFT ("graph", "main.yaml", "--fold", "v*");
  expect (&named, 0, "[label=\"v\\n2 nodes\"");
  g_auto (Ran) changed = WEFT ("graph", "main.yaml", "--diff", "over.yaml");
  expect (&changed, 0, "label=\"drop\\ndropout\", style=\"rounded\", style=\"filled,dashed\", fillcolor=\"#f8d8d8\"");
  expect (&changed, 0, "color=\"#308030\"");
  /* A folded module says whether all of it goes or something in it changes. */
  g_auto (Ran) partly = WEFT ("graph", "main.yaml", "--fold", "0", "--diff", "over.yaml");
  expect (&partly, 0, "fillcolor=\"#f4f4f4\", color=\"#c07000\", penwidth=2, tooltip=\"v\"");
  g_auto (Ran) wholly = WEFT ("graph", "scenes", "-g", "images", "--fold", "1", "--diff", "no-sge");
  expect (&wholly, 0, "style=\"filled,dashed\", fillcolor=\"#f8d8d8\", color=\"#c03030\", tooltip=\"v.sge\"");
  /* Two nodes of a folded module that read another one now: one edge. */
  const char *added = strstr (wholly.out, "color=\"#308030\"");
  ck_assert (added != NULL && strstr (added + 1, "color=\"#308030\", fontcolor") == NULL);
  /* What differentiation adds is drawn with gradients alone. */
  g_auto (Ran) forward = WEFT ("graph", "scenes"), backward = WEFT ("graph", "scenes", "--gradients");
  ck_assert_ptr_null (strchr (forward.out, '~'));
  expect (&backward, 0, "~sum");
  /* Without Graphviz a drawing is refused in words. */
  g_autofree char *path = g_strdup (g_getenv ("PATH"));
  g_setenv ("PATH", folder, TRUE);
  g_auto (Ran) missing = WEFT ("graph", "main.yaml", "--output", "g.svg");
  g_setenv ("PATH", path, TRUE);
  if (missing.status != 127)
    expect (&missing, 1, "Graphviz is needed for svg files");
}
END_TEST

static char *
shipped_scenes (void)
{
  return g_build_filename (WEFT_TEST_SOURCE_DIR, "pipelines", "scenes.yaml", NULL);
}

START_TEST (graphs_run_up_to_a_node)
{
  /* Modules and compositions inside a use are named like nodes. */
  g_autofree char *inner = shipped_scenes ();
  g_auto (Ran) composed = WEFT ("run", inner, "-g", "images", "--set", "batch=2", "--until", "v.gpo", "--print", "v.projection.y");
  expect (&composed, 0, "v.projection.y: f32[");
  float values[10];
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    values[i] = (float) i - 4.5f;
  WeftTensor tensor = { .type = WEFT_F32, .rank = 2, .shape = { 5, 2 }, .data = values };
  g_autofree char *input = g_build_filename (folder, "a.npy", NULL), *output = g_build_filename (folder, "fc.npy", NULL);
  ck_assert (weft_npy_write (input, &tensor, NULL));
  g_auto (Ran) whole = WEFT ("run", "main.yaml", "--until", "end", "--feed", "a=a.npy", "--save", "v.fc=fc.npy", "--print", "end");
  expect (&whole, 0, "end: f32[5, 3], 0 to ");
  WeftTensor saved;
  g_autofree float *fc = weft_npy_read_f32 (output, &saved, NULL);
  ck_assert (fc && saved.rank == 2 && saved.shape[0] == 5 && saved.shape[1] == 3);
  double sum = 0;
  for (guint i = 0; i < 15; i++)
    sum += (double) MAX (fc[i], 0.0f);
  g_autofree char *mean = g_strdup_printf ("mean %.5g\n", sum / 15);
  expect (&whole, 0, mean);
  g_auto (Ran) unfed = WEFT ("run", "main.yaml", "--until", "v.fc");
  expect (&unfed, 1, "graph `g` wants `a` to be fed: --feed a=FILE.npy");
  g_auto (Ran) unknown = WEFT ("run", "main.yaml", "--until", "ende", "--feed", "a=a.npy");
  expect (&unknown, 1, "graph `g` has no value `ende`; did you mean \"end\"?");
  g_auto (Ran) stray = WEFT ("run", "main.yaml", "--until", "end", "--feed", "v=a.npy");
  expect (&stray, 1, "graph `g` has no feed `v`");
}
END_TEST

/* What is computed for a node does not depend on how much else is. */
START_TEST (parts_of_training_graphs_agree)
{
  g_autofree char *scenes = shipped_scenes ();
  g_auto (Ran) part = WEFT ("run", scenes, "--set", "batch=4", "--print", "loss.loss", "--until", "loss", "-n", "2");
  g_auto (Ran) all = WEFT ("run", scenes, "--set", "batch=4", "--print", "loss.loss", "--until", "v.embedding~gradient", "-n", "1");
  g_auto (Ran) first = WEFT ("run", scenes, "--set", "batch=4", "--print", "loss.loss", "-n", "1");
  expect (&part, 0, "loss.loss: f32[]\n");
  expect (&first, 0, "loss.loss: f32[]\n");
  ck_assert_str_eq (all.out, first.out);
  g_auto (Ran) scores = WEFT ("run", scenes, "-g", "scores", "--print", "recalls.rsum");
  expect (&scores, 0, "recalls.rsum: f32[]\n");
}
END_TEST

START_TEST (profiles_and_traces)
{
  g_autofree char *scenes = shipped_scenes (), *trace = g_build_filename (folder, "trace.json", NULL);
  g_auto (Ran) profile = WEFT ("profile", scenes, "--set", "batch=4", "-n", "3", "--top", "0", "--trace", "trace.json");
  expect (&profile, 0, "\nnode  ");
  expect (&profile, 0, "gru × 6");
  g_autoptr (JsonParser) parser = json_parser_new ();
  ck_assert (json_parser_load_from_file (parser, trace, NULL));
  JsonArray *events = json_node_get_array (json_parser_get_root (parser));
  double clock = 0;
  ck_assert_uint_gt (json_array_get_length (events), 3 * 100);
  for (guint i = 0; i < json_array_get_length (events); i++)
    {
      JsonObject *event = json_array_get_object_element (events, i);
      ck_assert_str_eq (json_object_get_string_member (event, "ph"), "X");
      ck_assert_double_ge (json_object_get_double_member (event, "ts") + 0.01, clock);
      clock = json_object_get_double_member (event, "ts");
    }
}
END_TEST

START_TEST (layout_keeps_meaning_and_comments)
{
  rig_write (folder, "messy.yaml",
             "vars: { a: 1,  b: [ 1,2 , 3 ], c: \"x ,  {y\" }   \n\n\n"
             "graphs:\n"
             "    g:\n"
             "        # of n\n"
             "        nodes:\n"
             "            n: { op: linear,   # keep  this\n"
             "                 units: 3 }\n"
             "about: |\n"
             "   two  words\n"
             "     and  more\n",
             -1);
  g_auto (Ran) check = WEFT ("format", "--check", "messy.yaml");
  ck_assert_int_eq (check.status, 1);
  g_auto (Ran) done = WEFT ("format", "messy.yaml");
  expect (&done, 0, "messy.yaml: laid out anew");
  g_autofree char *path = g_build_filename (folder, "messy.yaml", NULL), *text = NULL;
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  ck_assert_str_eq (text, "vars: {a: 1, b: [1, 2, 3], c: \"x ,  {y\"}\n\n"
                          "graphs:\n"
                          "  g:\n"
                          "    # of n\n"
                          "    nodes:\n"
                          "      n: {op: linear,   # keep  this\n"
                          "           units: 3}\n"
                          "about: |\n"
                          "   two  words\n"
                          "     and  more\n");
  g_auto (Ran) again = WEFT ("format", "--check", "messy.yaml");
  ck_assert_int_eq (again.status, 0);
  g_autofree char *scenes = shipped_scenes ();
  g_auto (Ran) shipped = WEFT ("format", "--check", scenes);
  ck_assert_int_eq (shipped.status, 0);
}
END_TEST

START_TEST (schemas_know_every_operator)
{
  g_auto (Ran) schema = WEFT ("schema");
  g_autoptr (JsonParser) parser = json_parser_new ();
  ck_assert (json_parser_load_from_data (parser, schema.out, -1, NULL));
  JsonObject *definitions = json_object_get_object_member (json_node_get_object (json_parser_get_root (parser)), "definitions");
  JsonObject *node = json_object_get_object_member (definitions, "node");
  guint n;
  const WeftOperator *const *operators = weft_registry_operators (&n);
  JsonArray *all = json_object_get_array_member (node, "allOf");
  ck_assert_uint_eq (json_array_get_length (all), n);
  for (guint i = 0; i < n; i++)
    {
      JsonObject *then = json_object_get_object_member (json_array_get_object_element (all, i), "then");
      JsonObject *properties = json_object_get_object_member (then, "properties");
      for (const WeftAttribute *attribute = operators[i]->attributes; attribute && attribute->name; attribute++)
        ck_assert_msg (json_object_has_member (properties, attribute->name), "%s.%s", operators[i]->name, attribute->name);
      for (const WeftPort *port = operators[i]->inputs; port && port->name; port++)
        ck_assert_msg (json_object_has_member (properties, port->name), "%s.%s", operators[i]->name, port->name);
    }
}
END_TEST

/* The numbers of column @name in the training lines of a run. */
static GArray *
logged (const char *run, const char *name)
{
  g_autofree char *path = g_build_filename (folder, run, "metrics.jsonl", NULL), *text = NULL;
  GArray *values = g_array_new (FALSE, FALSE, sizeof (double));
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", -1);
  for (char **line = lines; *line; line++)
    {
      g_autoptr (JsonParser) parser = json_parser_new ();
      ck_assert (json_parser_load_from_data (parser, *line, -1, NULL));
      JsonObject *object = json_node_get_object (json_parser_get_root (parser));
      double value = json_object_has_member (object, name) ? json_object_get_double_member (object, name) : 0;
      if (strcmp (json_object_get_string_member (object, "phase"), "train") == 0)
        g_array_append_val (values, value);
    }
  return values;
}

START_TEST (passes_are_limited_and_batches_repeated)
{
  g_autofree char *scenes = shipped_scenes ();
  g_auto (Ran) limited = WEFT ("train", scenes, "--output", "limited", "-q", "--limit", "3", "--set", "epochs=2", "--set", "batch=8",
                               "--set", "run.log.every=1");
  ck_assert_msg (limited.status == 0, "%s", limited.err);
  g_autoptr (GArray) epochs = logged ("limited", "epoch");
  ck_assert_uint_eq (epochs->len, 6);
  ck_assert_double_eq (g_array_index (epochs, double, 2), 0);
  ck_assert_double_eq (g_array_index (epochs, double, 3), 1);
  g_auto (Ran) overfit = WEFT ("train", scenes, "--output", "overfit", "-q", "--overfit-one-batch", "--limit", "60", "--set", "epochs=1",
                               "--set", "batch=8", "--set", "queue=0", "--set", "run.log.every=1");
  ck_assert_msg (overfit.status == 0, "%s", overfit.err);
  g_autoptr (GArray) positives = logged ("overfit", "positive.last");
  ck_assert_uint_eq (positives->len, 60);
  ck_assert_double_gt (g_array_index (positives, double, 59), 0.95);
  ck_assert_double_lt (g_array_index (positives, double, 0), 0.7);
}
END_TEST

/* Histograms are logged beside values, drawn by `curves`, and refused where they mean nothing. */
START_TEST (training_is_drawn)
{
  g_autofree char *scenes = shipped_scenes (), *drawing = g_build_filename (folder, "run", "curves.svg", NULL),
                  *numbers = g_build_filename (folder, "run", "curves.csv", NULL), *text = NULL;
  g_auto (Ran) trained = WEFT ("train", scenes, "-o", "similarities", "--output", "run", "-q", "--limit", "4", "--set", "epochs=1", "--set",
                               "batch=8", "--set", "queue=16", "--set", "run.log.every=2");
  ck_assert_msg (trained.status == 0, "%s", trained.err);
  g_auto (Ran) drawn = WEFT ("curves", "run");
  expect (&drawn, 0, "2 points, step 2 to 4");
  ck_assert (g_file_get_contents (drawing, &text, NULL, NULL));
  ck_assert_ptr_nonnull (strstr (text, ">false_negatives</text>"));
  g_clear_pointer (&text, g_free);
  ck_assert (g_file_get_contents (numbers, &text, NULL, NULL));
  /* Two steps with a mean and the counts of 40, 40 and 20 bins, which are 8 pairs and 16 queries. */
  g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", -1);
  gint64 counted = 0;
  ck_assert_uint_eq (g_strv_length (lines), 1 + 2 * (3 + 40 + 40 + 20));
  for (char **line = lines + 1; *line; line++)
    if (g_str_has_prefix (*line, "hardest,4,0,-") || g_str_has_prefix (*line, "hardest,4,0,0"))
      counted += g_ascii_strtoll (strrchr (*line, ',') + 1, NULL, 10);
  ck_assert_int_eq (counted, 16);
  g_auto (Ran) one = WEFT ("curves", "run", "loss", "validate.scores.recalls.rsum", "--output", "elsewhere");
  expect (&one, 0, "elsewhere/curves.svg");
  g_auto (Ran) unknown = WEFT ("curves", "run", "los");
  expect (&unknown, 1, "the run has logged no `los`; did you mean \"loss\"?");
  g_auto (Ran) none = WEFT ("curves", ".");
  expect (&none, 1, "is not the directory of a run");
  static const char *const wrong[][2] = { { "{of: loss.los}", "graph `train` has no value `loss.los`" },
                                          { "{of: loss.loss, from: 1, to: 1}", "`from` below `to`" },
                                          { "{from: 0}", "a histogram is a reference" },
                                          { "{of: loss.loss, bin: 3}", "`x` knows no `bin`; did you mean \"bins\"?" },
                                          { "pairs.image", "histograms are of f32 values" } };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *setting = g_strdup_printf ("run.log.histograms={x: %s}", wrong[i][0]);
      g_auto (Ran) refused = WEFT ("check", scenes, "--set", setting);
      expect (&refused, 1, wrong[i][1]);
    }
  /* What an edit takes away is left out. */
  rig_write (folder, "less.yaml", "edits: [{remove: train.contrast}]\n", -1);
  g_auto (Ran) edited = WEFT ("check", scenes, "-o", "similarities", "-o", "less.yaml");
  ck_assert_msg (edited.status == 0, "%s", edited.err);
}
END_TEST

/* Milliseconds vary; what is counted does not: 16 numbers of four bytes for each item, and a network's parameters once. */
START_TEST (items_have_a_price)
{
  g_autofree char *scenes = shipped_scenes ();
  g_auto (Ran) priced =
      WEFT ("efficiency", scenes, "--set", "embed=16", "--set", "hidden=8", "--set", "batch=50", "-n1", "--format", "csv");
  ck_assert_msg (priced.status == 0, "%s", priced.err);
  g_auto (GStrv) lines = g_strsplit (g_strchomp (priced.out), "\n", -1);
  g_auto (Ran) checked = WEFT ("check", scenes, "--set", "embed=16", "--set", "hidden=8", "--brief");
  ck_assert_uint_eq (g_strv_length (lines), 3);
  for (char **line = lines + 1; *line; line++)
    {
      g_auto (GStrv) cells = g_strsplit (*line, ",", -1);
      g_autofree char *parameters = g_strdup_printf (" %s parameters", cells[5]);
      ck_assert_uint_eq (g_strv_length (cells), 7);
      ck_assert_str_eq (cells[1], "50");
      ck_assert_str_eq (cells[6], "64");
      ck_assert_msg (strstr (checked.out, parameters) != NULL, "%s: %s", parameters, checked.out);
      for (guint i = 2; i < 5; i++)
        ck_assert_double_gt (g_ascii_strtod (cells[i], NULL), 0);
    }
  g_auto (Ran) nothing = WEFT ("efficiency", scenes, "--set", "run.evaluate=null");
  expect (&nothing, 1, "there is nothing to measure");
}
END_TEST

START_TEST (answers_are_shown)
{
  g_autofree char *scenes = shipped_scenes (), *page = g_build_filename (folder, "sheet.html", NULL), *text = NULL;
  g_auto (Ran) trained =
      WEFT ("train", scenes, "--output", "run", "-q", "--limit", "2", "--set", "epochs=1", "--set", "batch=8", "--set", "queue=16");
  ck_assert_msg (trained.status == 0, "%s", trained.err);
  g_auto (Ran) shown = WEFT ("evaluate", "run", "-o", "sheet", "--set", "sheet=sheet.html", "--set", "pictures=drawn/test-*.svg", "--set",
                             "graphs.images.nodes.items.draw=drawn", "--set", "graphs.images.nodes.items.draw_count=200");
  ck_assert_msg (shown.status == 0, "%s", shown.err);
  ck_assert (g_file_get_contents (page, &text, NULL, NULL));
  static const char *const parts[] = { "src=\"data:image/svg+xml;base64,",
                                       "guide: weight of each region",
                                       "enhancement: share",
                                       "Pooling of regions",
                                       "Pooling of words",
                                       "rank " };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    ck_assert_msg (strstr (text, parts[i]) != NULL, "%s", parts[i]);
  /* A model that has neither: its answers are shown, and what the other page needs is said. */
  g_auto (Ran) plain = WEFT ("train", scenes, "--output", "plain", "-q", "--limit", "2", "--set", "epochs=1", "--set", "batch=8", "--set",
                             "queue=16", "-o", "no-sge", "-o", "mean-pooling");
  ck_assert_msg (plain.status == 0, "%s", plain.err);
  g_auto (Ran) weights = WEFT ("evaluate", "plain", "-o", "sheet");
  expect (&weights, 1, "has no output \"");
  g_auto (Ran) answers = WEFT ("evaluate", "plain", "-o", "answers", "--set", "sheet=plain.html");
  ck_assert_msg (answers.status == 0, "%s", answers.err);
  g_autofree char *plain_page = g_build_filename (folder, "plain.html", NULL), *plain_text = NULL;
  ck_assert (g_file_get_contents (plain_page, &plain_text, NULL, NULL));
  ck_assert (strstr (plain_text, "rank ") != NULL && strstr (plain_text, "Pooling of") == NULL);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("views");
  TCase *tests = tcase_create ("views");
  tcase_set_timeout (tests, 120);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, documents_say_where_values_stand);
  tcase_add_test (tests, modules_are_checked_alone);
  tcase_add_test (tests, matrices_are_checked);
  tcase_add_test (tests, inherited_attributes_are_told);
  tcase_add_test (tests, values_are_explained);
  tcase_add_test (tests, differences_are_edits);
  tcase_add_test (tests, drawings_fold_and_colour);
  tcase_add_test (tests, graphs_run_up_to_a_node);
  tcase_add_test (tests, parts_of_training_graphs_agree);
  tcase_add_test (tests, profiles_and_traces);
  tcase_add_test (tests, layout_keeps_meaning_and_comments);
  tcase_add_test (tests, schemas_know_every_operator);
  tcase_add_test (tests, passes_are_limited_and_batches_repeated);
  tcase_add_test (tests, training_is_drawn);
  tcase_add_test (tests, items_have_a_price);
  tcase_add_test (tests, answers_are_shown);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
