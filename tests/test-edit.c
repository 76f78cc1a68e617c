/* Edits as data: what each verb does, in networks, modules, repeated layers and under globs, and what it refuses.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "compose.h"
#include "edit.h"
#include "pipeline.h"
#include "rig.h"

static char *folder;

static const char pipeline[] = "pipeline: edited\n"
                               "vars: {units: 8, batch: 4}\n"
                               "modules:\n"
                               "  layer:\n"
                               "    inputs: {x: \"f32[..., d]\"}\n"
                               "    attributes: {units: null, dropout: 0.1}\n"
                               "    nodes:\n"
                               "      mix: {op: linear, x: x, units: $units}\n"
                               "      drop: {op: dropout, x: mix, rate: $dropout}\n"
                               "      sum: {op: add, x: [drop, x]}\n"
                               "    outputs: {y: sum}\n"
                               "  encoder:\n"
                               "    inputs: {x: \"f32[b:t, d]\"}\n"
                               "    attributes: {units: null, layers: 3, dropout: 0.2}\n"
                               "    nodes:\n"
                               "      widen: {op: linear, x: x, units: $units}\n"
                               "      layer: {module: layer, repeat: $layers, x: widen, units: $units, dropout: $dropout}\n"
                               "      pool: {op: segment_mean, x: layer}\n"
                               "      unit: {op: l2_normalize, x: pool}\n"
                               "    outputs: {y: unit}\n"
                               "  plain:\n"
                               "    inputs: {x: \"f32[b:t, d]\"}\n"
                               "    attributes: {units: null}\n"
                               "    nodes:\n"
                               "      widen: {op: linear, x: x, units: $units}\n"
                               "      pool: {op: segment_mean, x: widen}\n"
                               "    outputs: {y: pool}\n"
                               "networks:\n"
                               "  image: {module: encoder, units: $units}\n"
                               "  text: {module: encoder, units: $units}\n"
                               "graphs:\n"
                               "  train:\n"
                               "    mode: train\n"
                               "    nodes:\n"
                               "      a: {op: feed, signature: \"f32[4:t <= 20, 6]\"}\n"
                               "      b: {op: feed, signature: \"f32[4:t <= 20, 6]\"}\n"
                               "      v: {use: image, x: a}\n"
                               "      w: {use: text, x: b}\n"
                               "      momentum: {op: momentum_update, source: {image: image, text: text}}\n"
                               "      v_key: {use: image, weights: momentum.image, x: a}\n"
                               "      w_key: {use: text, weights: momentum.text, x: b}\n"
                               "      queues: {op: key_queue, length: 16, width: $units}\n"
                               "      loss: {op: unified_loss, image: v, text: w, image_key: v_key, text_key: w_key,\n"
                               "             image_queue: queues.image, text_queue: queues.text}\n"
                               "      enqueue: {op: queue_enqueue, into: queues, image: v_key, text: w_key}\n"
                               "      update: {op: adamw, minimize: loss.loss, rate: {start: 1e-3, drop: {epoch: 2, by: 0.1}}, decay: 0}\n"
                               "  encode:\n"
                               "    nodes:\n"
                               "      a: {op: feed, signature: \"f32[4:t <= 20, 6]\"}\n"
                               "      v: {use: image, x: a}\n"
                               "    collect: {embedding: v}\n"
                               "run:\n"
                               "  train: {graph: train, steps: 3}\n"
                               "  log: {values: {loss: loss.loss, batch: loss.batch, queue: loss.queue}}\n"
                               "ablations:\n"
                               "  short: {about: fewer layers, edits: [{set: {image.layers: 1}}]}\n";

static void
set_up (void)
{
  folder = rig_folder ();
  rig_write (folder, "main.yaml", pipeline, -1);
}

static void
tear_down (void)
{
  rig_remove (folder);
  g_free (folder);
}

/* The pipeline with @edits as an overlay on top, NULL with problems. */
static WeftPipeline *
build (const char *edits, const char *const *settings, WeftProblems *problems)
{
  g_autofree char *main = g_build_filename (folder, "main.yaml", NULL), *over = g_build_filename (folder, "over.yaml", NULL);
  rig_write (folder, "over.yaml", edits, -1);
  const char *const overlays[] = { over, NULL };
  g_autoptr (WeftValue) document = weft_compose (&(WeftComposition){ main, overlays, settings, NULL }, problems);
  return document ? weft_pipeline_build (document, problems) : NULL;
}

static WeftPipeline *
build_with (const char *edits, const char *const *settings)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autofree char *text = g_strconcat ("edits:\n", edits, NULL);
  WeftPipeline *built = build (text, settings, problems);
  ck_assert_msg (built != NULL, "%s: %s", edits, weft_problems_count (problems) ? weft_problems_get (problems, 0) : "nothing said");
  return built;
}

/* The first message is @message, which begins at over.yaml; the only one, too, if @only. */
static void
expect_first (const char *edits, const char *message, gboolean only)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autofree char *text = g_strconcat ("edits:\n", edits, NULL), *prefix = g_strconcat (folder, "/", NULL);
  g_autoptr (WeftPipeline) built = build (text, NULL, problems);
  ck_assert_msg (built == NULL, "%s is allowed instead of: %s", edits, message);
  const char *first = weft_problems_get (problems, 0);
  ck_assert_msg (g_str_has_prefix (first, prefix) && g_str_has_prefix (first + strlen (prefix), message), "%s: \"%s\" instead of \"%s\"",
                 edits, first, message);
  ck_assert_msg (!only || weft_problems_count (problems) == 1, "also: %s",
                 weft_problems_count (problems) > 1 ? weft_problems_get (problems, 1) : "");
}

static void
expect_refusal (const char *edits, const char *message)
{
  expect_first (edits, message, TRUE);
}

static const WeftNode *
node_of (const WeftPipeline *built, const char *graph, const char *path)
{
  return weft_graph_node (weft_pipeline_graph (built, graph), path);
}

/* Path of the node that the first input of @path reads, "" if @path isn't there. */
static const char *
read_by (const WeftPipeline *built, const char *graph, const char *path, guint which)
{
  const WeftNode *node = node_of (built, graph, path);
  return node && node->inputs[0].n > which ? node->inputs[0].wires[which]->node->path : "";
}

static void
expect_report (const WeftPipeline *built, const char *line)
{
  const GPtrArray *report = weft_edits_report (built->edits);
  for (guint i = 0; i < report->len; i++)
    if (strstr (report->pdata[i], line))
      return;
  ck_abort_msg ("nothing says \"%s\"; first: %s", line, report->len ? (char *) report->pdata[0] : "");
}

static gboolean
is_pruned (const WeftPipeline *built, const char *graph, const char *path)
{
  return g_ptr_array_find_with_equal_func (weft_pipeline_graph (built, graph)->pruned, path, g_str_equal, NULL);
}

/* The value of an attribute of @path as YAML. */
static void
expect_given (const WeftPipeline *built, const char *graph, const char *path, const char *attribute, const char *expected)
{
  const WeftNode *node = node_of (built, graph, path);
  ck_assert_msg (node != NULL, "no node %s", path);
  const WeftValue *value = weft_value_lookup (node->map, attribute);
  g_autofree char *text = value ? g_strchomp (weft_document_print (value)) : g_strdup ("-");
  ck_assert_msg (strcmp (text, expected) == 0, "%s.%s is %s instead of %s", path, attribute, text, expected);
}

START_TEST (bypass_in_every_use)
{
  g_autoptr (WeftPipeline) built = build_with ("  - {bypass: image.layer.1}\n", NULL);
  static const char *const uses[][2] = { { "train", "v" }, { "train", "v_key" }, { "encode", "v" } };
  for (guint i = 0; i < G_N_ELEMENTS (uses); i++)
    {
      g_autofree char *reader = g_strconcat (uses[i][1], ".layer.2.mix", NULL), *before = g_strconcat (uses[i][1], ".layer.0.sum", NULL),
                      *gone = g_strconcat (uses[i][1], ".layer.1.mix", NULL);
      ck_assert_str_eq (read_by (built, uses[i][0], reader, 0), before);
      ck_assert (is_pruned (built, uses[i][0], gone));
    }
  ck_assert_ptr_null (weft_pipeline_variable (built, "image.layer.1.mix.weight"));
  ck_assert_ptr_nonnull (weft_pipeline_variable (built, "text.layer.1.mix.weight"));
  ck_assert_ptr_null (weft_pipeline_variable (built, "train.momentum.key.image.layer.1.mix.weight"));
  expect_report (built, "bypass `image.layer.1`: its input x in place of its output y, f32[4:t, 8] (in train.v_key.layer.1)");
}
END_TEST

START_TEST (bypass_one_use_a_group_and_globs)
{
  g_autoptr (WeftPipeline) one = build_with ("  - {bypass: encode.v.layer.1}\n", NULL);
  ck_assert_str_eq (read_by (one, "encode", "v.layer.2.mix", 0), "v.layer.0.sum");
  ck_assert_str_eq (read_by (one, "train", "v.layer.2.mix", 0), "v.layer.1.sum");
  g_autoptr (WeftPipeline) group = build_with ("  - {bypass: image.layer}\n", NULL);
  ck_assert_str_eq (read_by (group, "train", "v.pool", 0), "v.widen");
  ck_assert_str_eq (read_by (group, "train", "w.pool", 0), "w.layer.2.sum");
  g_autoptr (WeftPipeline) glob = build_with ("  - {bypass: \"**.layer.?.drop\"}\n", NULL);
  ck_assert_str_eq (read_by (glob, "train", "w.layer.2.sum", 0), "w.layer.2.mix");
  ck_assert_str_eq (read_by (glob, "encode", "v.layer.0.sum", 0), "v.layer.0.mix");
  g_autoptr (WeftPipeline) named = build_with ("  - {bypass: image.layer.0.sum, from: x}\n", NULL);
  ck_assert_str_eq (read_by (named, "train", "v.layer.1.mix", 0), "v.widen");
  g_autoptr (WeftPipeline) end = build_with ("  - {bypass: image.unit}\n", NULL);
  ck_assert_str_eq (weft_graph_wire (weft_pipeline_graph (end, "encode"), "v")->node->path, "v.pool");
}
END_TEST

START_TEST (bypass_refuses)
{
  expect_refusal ("  - {bypass: image.pool}\n",
                  "over.yaml:2:14: `image.pool` can't be bypassed: none of its inputs (x f32[4:t, 8]) has the "
                  "signature of its output y, f32[4, 8]; what would fit: replace it by an operator such as ");
  expect_refusal ("  - {bypass: image.widen}\n", "over.yaml:2:14: `image.widen` can't be bypassed: none of its inputs (x f32[4:t, 6])");
  expect_refusal ("  - {bypass: text.layer.1.sum}\n",
                  "over.yaml:2:14: several inputs of `text.layer.1.sum` have the signature of its output y, f32[4:t, 8]: say which with "
                  "`from:`; its inputs are x.0 f32[4:t, 8], x.1 f32[4:t, 8]");
  expect_refusal ("  - {bypass: text.layer.1.sum, from: z}\n", "over.yaml:2:38: `text.layer.1.sum` has no input \"z\"; its inputs are x.0");
  expect_refusal ("  - {bypass: train.queues}\n",
                  "over.yaml:2:14: `train.queues` can't be bypassed: it has no inputs, so it can only be removed");
  expect_refusal ("  - {bypass: image}\n", "over.yaml:2:14: `image` is a network; bypass or remove its uses");
  expect_refusal ("  - {bypass: image.layer.3}\n", "over.yaml:2:14: there is no \"3\" in `image.layer`; valid: 0, 1, 2");
  expect_refusal ("  - {bypass: [image.unit, image.unti]}\n",
                  "over.yaml:2:27: there is no \"unti\" in `image`; did you mean \"unit\"?; valid: widen, layer, pool, unit");
  expect_refusal ("  - {bypass: imag.unit}\n",
                  "over.yaml:2:14: there is no network or graph \"imag\"; did you mean \"image\"?; valid: image, ");
  expect_refusal ("  - {bypass: \"image.**.dorp\"}\n", "over.yaml:2:14: \"image.**.dorp\" matches nothing in `image`");
}
END_TEST

START_TEST (remove_takes_what_only_serves_it)
{
  g_autoptr (WeftPipeline) built = build_with ("  - {remove: [train.momentum, train.queues]}\n", NULL);
  const WeftNode *loss = node_of (built, "train", "loss");
  ck_assert_ptr_null (node_of (built, "train", "enqueue"));
  ck_assert_ptr_null (node_of (built, "train", "v_key.pool"));
  ck_assert_ptr_null (weft_value_lookup (loss->map, "image_key"));
  ck_assert_ptr_null (weft_value_lookup (loss->map, "text_queue"));
  ck_assert_ptr_nonnull (weft_value_lookup (loss->map, "image"));
  expect_report (built, "with it: `train.w_key`, which serves `momentum`");
  expect_report (built, "with it: `train.enqueue`, which serves `v_key`");
  expect_report (built, "with it: input `train.loss.text_queue` is left open");
  /* One of several values of an input. */
  g_autoptr (WeftPipeline) sum = build_with ("  - {remove: image.layer.1.drop}\n", NULL);
  ck_assert_str_eq (read_by (sum, "train", "v.layer.1.sum", 0), "v.layer.0.sum");
}
END_TEST

START_TEST (remove_refuses)
{
  expect_refusal ("  - {remove: train.loss}\n", "over.yaml:2:14: `train.loss` can't be removed: `train.update` needs it for its input "
                                                "\"minimize\"; rewire that, bypass or replace `train.loss`, or remove `train.update` too");
  expect_refusal ("  - {remove: image.pool}\n", "over.yaml:2:14: `image.pool` can't be removed: `image.unit` needs it for its input \"x\"");
  expect_refusal ("  - {remove: image.unit}\n",
                  "over.yaml:2:14: `image.unit` can't be removed: it gives `image` its output \"y\"; bypass or replace it");
  expect_refusal ("  - {remove: encode.v}\n", "over.yaml:2:14: `encode.v` can't be removed: it gives `encode` its output \"embedding\"");
  expect_refusal ("  - {remove: image.layer.1}\n",
                  "over.yaml:2:14: `image.layer.1` is one of a repetition and can't be removed; bypass it, or set `repeat`");
  expect_refusal ("  - {remove: text}\n", "over.yaml:2:14: `text` is a network");
  expect_refusal ("  - {remove: train.qeues}\n", "over.yaml:2:14: there is no \"qeues\" in `train`; did you mean \"queues\"?");
  expect_refusal ("  - {remove: train.enqueue}\n  - {set: {train.enqueue.mode: infer}}\n",
                  "over.yaml:3:12: `train.enqueue` has been removed at ");
}
END_TEST

START_TEST (replace_nodes_instances_and_networks)
{
  g_autoptr (WeftPipeline) pools = build_with ("  - {replace: \"*.pool\", with: segment_max}\n", NULL);
  ck_assert_str_eq (node_of (pools, "encode", "v.pool")->op->name, "segment_max");
  ck_assert_str_eq (node_of (pools, "train", "w_key.pool")->op->name, "segment_max");
  ck_assert_str_eq (read_by (pools, "train", "w_key.pool", 0), "w_key.layer.2.sum");

  g_autoptr (WeftPipeline) layer = build_with ("  - {replace: text.layer.1, with: {op: gelu}}\n", NULL);
  ck_assert_str_eq (read_by (layer, "train", "w.layer.1", 0), "w.layer.0.sum");
  ck_assert_str_eq (read_by (layer, "train", "w.layer.2.mix", 0), "w.layer.1");
  ck_assert_str_eq (read_by (layer, "train", "v.layer.2.mix", 0), "v.layer.1.sum");

  g_autoptr (WeftPipeline) network = build_with ("  - {replace: image, with: {module: plain}}\n", NULL);
  ck_assert_ptr_nonnull (weft_pipeline_variable (network, "image.widen.weight"));
  ck_assert_ptr_null (weft_pipeline_variable (network, "image.layer.0.mix.weight"));
  ck_assert_ptr_nonnull (weft_pipeline_variable (network, "text.layer.0.mix.weight"));

  /* Inputs keep their names; what nothing reads any more goes, and what logs asked of it. */
  g_autoptr (WeftPipeline) loss = build_with ("  - {replace: train.loss, with: {op: triplet_loss, margin: 0.2}}\n", NULL);
  expect_given (loss, "train", "loss", "text", "w");
  expect_given (loss, "train", "loss", "image_key", "-");
  expect_given (loss, "train", "loss", "margin", "0.2");
  ck_assert (is_pruned (loss, "train", "queues") && is_pruned (loss, "train", "enqueue") && is_pruned (loss, "train", "momentum"));
  ck_assert (is_pruned (loss, "train", "v_key.pool"));
  expect_report (loss, "left out: `run.log.values.queue`, as `loss.queue` is no more");
  ck_assert_ptr_nonnull (weft_value_at (loss->run, "log.values.loss"));
  ck_assert_ptr_null (weft_value_at (loss->run, "log.values.batch"));
}
END_TEST

START_TEST (replace_refuses)
{
  expect_refusal ("  - {replace: image.pool}\n", "over.yaml:2:5: `replace:` needs `with:` and a node such as {op: segment_mean}");
  expect_first ("  - {replace: image.pool, with: segment_maen}\n", "over.yaml:2:33: there is no operator \"segment_maen\"", FALSE);
  expect_first ("  - {replace: image.pool, with: {op: segment_max, unit: 3}}\n",
                "over.yaml:2:51: operator segment_max (node `v.pool`) has no input or attribute \"unit\"", FALSE);
  expect_first ("  - {replace: image, with: {module: plian}}\n", "over.yaml:2:37: there is no module \"plian\"; did you mean \"plain\"?",
                FALSE);
  expect_refusal ("  - {replace: train.looss, with: triplet_loss}\n",
                  "over.yaml:2:15: there is no \"looss\" in `train`; did you mean \"loss\"?");
}
END_TEST

START_TEST (insert_between)
{
  g_autoptr (WeftPipeline) built =
      build_with ("  - {insert: image.act, with: gelu, between: [layer, pool.x]}\n"
                  "  - {insert: \"text.layer.*.more\", with: {op: dropout, rate: 0.5}, between: [mix, drop.x]}\n"
                  "  - {insert: train.smaller, with: {op: scale, factor: 0.5}, between: [train.loss.loss, train.update.minimize]}\n",
                  NULL);
  ck_assert_str_eq (read_by (built, "encode", "v.pool", 0), "v.act");
  ck_assert_str_eq (read_by (built, "encode", "v.act", 0), "v.layer.2.sum");
  ck_assert_str_eq (read_by (built, "train", "w.layer.1.drop", 0), "w.layer.1.more");
  ck_assert_str_eq (read_by (built, "train", "w_key.layer.2.more", 0), "w_key.layer.2.mix");
  ck_assert_str_eq (read_by (built, "train", "v.layer.1.drop", 0), "v.layer.1.mix");
  ck_assert_str_eq (read_by (built, "train", "update", 0), "smaller");
  ck_assert_str_eq (read_by (built, "train", "smaller", 0), "loss");
  /* In one of several values. */
  g_autoptr (WeftPipeline) sum = build_with ("  - {insert: text.layer.0.act, with: relu, between: [drop, sum.x]}\n", NULL);
  ck_assert_str_eq (read_by (sum, "train", "w.layer.0.sum", 0), "w.layer.0.act");
  ck_assert_str_eq (read_by (sum, "train", "w.layer.0.sum", 1), "w.widen");
}
END_TEST

START_TEST (insert_refuses)
{
  expect_refusal ("  - {insert: image.act, with: gelu, between: [widen, pool.x]}\n",
                  "over.yaml:2:47: `pool.x` does not read `widen`; it reads layer");
  expect_refusal ("  - {insert: image.act, with: gelu, between: [layer, pool.z]}\n",
                  "over.yaml:2:54: `pool` reads nothing at \"z\"; valid: x");
  expect_refusal ("  - {insert: image.act, with: gelu, between: [layer, pol.x]}\n",
                  "over.yaml:2:54: there is no \"pol\" in `image` to insert before; did you mean \"pool\"?");
  expect_refusal ("  - {insert: image.unit, with: gelu, between: [layer, pool.x]}\n", "over.yaml:2:14: `image` has a \"unit\" already");
  expect_refusal ("  - {insert: image.act, with: gelu, between: [layer]}\n", "over.yaml:2:46: `insert:` needs `between: [NODE");
  expect_refusal ("  - {insert: imag.act, with: gelu, between: [layer, pool.x]}\n",
                  "over.yaml:2:14: there is no network or graph \"imag\"");
  expect_first ("  - {insert: image.act, with: {op: matrix_product}, between: [layer, pool.x]}\n",
                "over.yaml:2:31: what is inserted has several inputs: say in `with:` which one reads `layer`", FALSE);
}
END_TEST

START_TEST (rewire_inputs)
{
  g_autoptr (WeftPipeline) built =
      build_with ("  - {rewire: {train.w.x: a, \"*.layer.2.mix.x\": x, train.loss.text_key: null, train.loss.text_queue: null}}\n", NULL);
  ck_assert_str_eq (read_by (built, "train", "w.widen", 0), "a");
  expect_given (built, "train", "loss", "text_queue", "-");
  g_autoptr (WeftPipeline) skip = build_with ("  - {rewire: {image.layer.2.x: layer.0}}\n", NULL);
  ck_assert_str_eq (read_by (skip, "train", "v.layer.2.mix", 0), "v.layer.0.sum");
  ck_assert_str_eq (read_by (skip, "train", "w.layer.2.mix", 0), "w.layer.1.sum");
  expect_refusal ("  - {rewire: {train.loss.txt: v}}\n",
                  "over.yaml:2:15: `train.loss` (operator unified_loss) has no input \"txt\"; did you mean \"text\"?");
  expect_refusal ("  - {rewire: {train.loss.margin: v}}\n",
                  "over.yaml:2:15: \"margin\" is an attribute of `train.loss`; `set:` changes attributes");
  expect_first ("  - {rewire: {train.loss.text: vv}}\n", "over.yaml:2:32: nothing here is called \"vv\"", FALSE);
}
END_TEST

START_TEST (freeze_weights)
{
  g_autoptr (WeftPipeline) built = build_with ("  - {freeze: [image.layer, \"text.*.1.mix\"]}\n", NULL);
  static const struct
  {
    const char *path;
    gboolean trainable;
  } cases[] = { { "v.widen", TRUE },       { "v.layer.0.mix", FALSE }, { "v.layer.2.mix", FALSE },
                { "w.layer.0.mix", TRUE }, { "w.layer.1.mix", FALSE }, { "w.layer.2.mix", TRUE } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    ck_assert_msg (node_of (built, "train", cases[i].path)->trainable == cases[i].trainable, "%s", cases[i].path);
  g_autoptr (WeftPipeline) whole = build_with ("  - {freeze: text}\n", NULL);
  ck_assert (weft_pipeline_network (whole, "text")->frozen && !weft_pipeline_network (whole, "image")->frozen);
  ck_assert (!node_of (whole, "train", "w.widen")->trainable && node_of (whole, "train", "v.widen")->trainable);
  const WeftNode *update = node_of (whole, "train", "update");
  for (guint i = 0; i < update->targets->len; i++)
    ck_assert (g_str_has_prefix (g_array_index (update->targets, WeftTarget, i).path, "image."));
  /* An optimizer's factors for what is frozen go; others stay. */
  const char *const factors[] = { "graphs.train.nodes.update.scale={text.widen: 0.1, text.layer.0: 0.2, image: 0.3}", NULL };
  g_autoptr (WeftPipeline) scaled = build_with ("  - {freeze: [text.widen, \"text.layer\"]}\n", factors);
  expect_given (scaled, "train", "update", "scale", "image: 0.3");
  expect_report (scaled, "left out: `train.update.scale` of text.layer.0, which is frozen");
  expect_refusal ("  - {freeze: image.lyer}\n", "over.yaml:2:14: there is no \"lyer\" in `image`; did you mean \"layer\"?");
}
END_TEST

/* Every verb under globs: where they match, and where nothing does. */
START_TEST (globs_match_or_are_refused)
{
  g_autoptr (WeftPipeline) removed = build_with ("  - {remove: \"**.layer.*.drop\"}\n", NULL);
  ck_assert_str_eq (read_by (removed, "train", "v.layer.1.sum", 0), "v.layer.0.sum");
  ck_assert_ptr_null (node_of (removed, "train", "w_key.layer.2.drop"));
  g_autoptr (WeftPipeline) replaced = build_with ("  - {replace: \"image.layer.?.drop\", with: gelu}\n", NULL);
  ck_assert_str_eq (node_of (replaced, "encode", "v.layer.2.drop")->op->name, "gelu");
  ck_assert_str_eq (node_of (replaced, "train", "w.layer.2.drop")->op->name, "dropout");
  /* What a glob finds without parameters is passed over as long as something has them. */
  g_autoptr (WeftPipeline) frozen = build_with ("  - {freeze: \"image.layer.1.*\"}\n", NULL);
  ck_assert (!node_of (frozen, "train", "v.layer.1.mix")->trainable && node_of (frozen, "train", "v.layer.2.mix")->trainable);
  expect_refusal ("  - {remove: \"image.**.dorp\"}\n", "over.yaml:2:14: \"image.**.dorp\" matches nothing in `image`");
  expect_refusal ("  - {replace: \"*.pol\", with: segment_max}\n", "over.yaml:2:15: \"*.pol\" matches nothing");
  expect_first ("  - {insert: \"text.layer.*.more\", with: gelu, between: [mix, dorp.x]}\n",
                "over.yaml:2:62: there is no \"dorp\" in `text.layer.0` to insert before; did you mean \"drop\"?", FALSE);
  expect_refusal ("  - {rewire: {\"*.pol.x\": layer}}\n", "over.yaml:2:15: \"*.pol.x\" matches nothing");
  expect_refusal ("  - {rewire: {\"*.pool.y\": layer}}\n", "over.yaml:2:15: nothing that \"*.pool.y\" matches has an input \"y\"");
  expect_refusal ("  - {rewire: {image.pool.x: null}}\n",
                  "over.yaml:2:15: `image.pool` needs its input \"x\"; `null` leaves optional inputs open");
  expect_refusal ("  - {freeze: \"*.pol\"}\n", "over.yaml:2:14: \"*.pol\" matches nothing");
  expect_refusal ("  - {freeze: \"*.unit\"}\n", "over.yaml:2:14: `image.unit` has no parameters that could be frozen");
  expect_refusal ("  - {freeze: train.loss}\n", "over.yaml:2:14: `train.loss` has no parameters that could be frozen");
}
END_TEST

/* One layer of a repeated module, and all of them: every verb finds what it means there, and says what is wrong. */
START_TEST (verbs_reach_into_repeated_layers)
{
  g_autoptr (WeftPipeline) one = build_with ("  - {bypass: text.layer.1.mix}\n"
                                             "  - {replace: text.layer.0.mix, with: gelu}\n"
                                             "  - {remove: image.layer.2.drop}\n"
                                             "  - {rewire: {\"text.layer.*.sum.x\": [x, drop]}}\n"
                                             "  - {freeze: image.layer.0.mix}\n",
                                             NULL);
  ck_assert_str_eq (read_by (one, "train", "w.layer.1.drop", 0), "w.layer.0.sum");
  ck_assert_str_eq (read_by (one, "train", "w_key.layer.2.drop", 0), "w_key.layer.2.mix");
  ck_assert_str_eq (node_of (one, "train", "w_key.layer.0.mix")->op->name, "gelu");
  ck_assert (node_of (one, "train", "v.layer.2.drop") == NULL && node_of (one, "train", "v.layer.1.drop") != NULL);
  ck_assert_str_eq (read_by (one, "train", "w.layer.2.sum", 0), "w.layer.1.sum");
  ck_assert (!node_of (one, "train", "v.layer.0.mix")->trainable && node_of (one, "train", "v.layer.1.mix")->trainable);
  expect_refusal ("  - {bypass: text.layer.1.nothing}\n",
                  "over.yaml:2:14: there is no \"nothing\" in `text.layer.1`; valid: mix, drop, sum");
  expect_first ("  - {bypass: \"text.layer.*.sum\"}\n", "over.yaml:2:14: several inputs of `text.layer.0.sum` have the signature", FALSE);
  expect_refusal ("  - {remove: text.layer.1.sum}\n",
                  "over.yaml:2:14: `text.layer.1.sum` can't be removed: it gives `text.layer.1` its output \"y\"; bypass or replace it");
  expect_refusal ("  - {replace: text.layer.7.mix, with: gelu}\n", "over.yaml:2:15: there is no \"7\" in `text.layer`; valid: 0, 1, 2");
  expect_refusal ("  - {rewire: {text.layer.1.sum.z: drop}}\n", "over.yaml:2:15: `text.layer.1.sum` (operator add) has no input \"z\"");
  expect_first ("  - {rewire: {\"text.layer.*.sum.x\": [dorp, x]}}\n",
                "over.yaml:2:38: nothing here is called \"dorp\"; did you mean \"drop\"?", FALSE);
  expect_refusal ("  - {freeze: text.layer.1.drop}\n", "over.yaml:2:14: `text.layer.1.drop` has no parameters that could be frozen");
  expect_refusal ("  - {set: {text.layer.1.drop.raet: 1}}\n",
                  "over.yaml:2:12: `text.layer.1.drop` (operator dropout) has no attribute \"raet\"; did you mean \"rate\"?");
  expect_refusal ("  - {insert: text.layer.1.act, with: gelu, between: [mix, sum.x]}\n",
                  "over.yaml:2:54: `sum.x` does not read `mix`; it reads drop, x");
}
END_TEST

/* What doesn't fit inside an operator that is made of others is told with the edit, and not where the edit isn't. */
START_TEST (edits_inside_operators_are_named)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftPipeline) wrong = build ("edits:\n  - {replace: image.pool, with: gpo}\n  - {replace: text.pool, with: gpo}\n"
                                          "  - {replace: image.pool.weights, with: segment_mean}\n",
                                          NULL, problems);
  ck_assert_ptr_null (wrong);
  g_autofree char *edited = g_strdup_printf ("<composition of gpo, edited at %s/over.yaml:4>:", folder);
  for (guint i = 0; i < weft_problems_count (problems); i++)
    ck_assert_msg (g_str_has_prefix (weft_problems_get (problems, i), edited), "%s", weft_problems_get (problems, i));
  g_autoptr (WeftPipeline) well =
      build_with ("  - {replace: image.pool, with: gpo}\n  - {set: {image.pool.weights.temperature: 0.5}}\n", NULL);
  expect_given (well, "train", "v_key.pool.weights", "temperature", "0.5");
}
END_TEST

START_TEST (set_attributes)
{
  g_autoptr (WeftPipeline) built =
      build_with ("  - set: {train.loss.margin: 0.3, image.layers: 2, text.layer.1.dropout: 0.7, \"image.**.rate\": 0.25,\n"
                  "          train.update.rate.start: 5e-4, train.update.rate: {drop: {by: 0.5}}, vars.batch: 9,\n"
                  "          run.train.steps: 7, encode.v.mode: train}\n",
                  NULL);
  expect_given (built, "train", "loss", "margin", "0.3");
  ck_assert_ptr_null (node_of (built, "train", "v.layer.2.mix"));
  ck_assert_ptr_nonnull (node_of (built, "train", "w.layer.2.mix"));
  expect_given (built, "train", "w.layer.0.drop", "rate", "0.2");
  expect_given (built, "train", "w.layer.1.drop", "rate", "0.7");
  expect_given (built, "train", "v.layer.1.drop", "rate", "0.25");
  expect_given (built, "train", "update", "rate", "start: 5e-4\ndrop: {epoch: 2, by: 0.5}");
  ck_assert_str_eq (weft_value_text (weft_value_at (built->document, "vars.batch")), "9");
  ck_assert_str_eq (weft_value_text (weft_value_at (built->document, "run.train.steps")), "7");
  ck_assert_int_eq (node_of (built, "encode", "v.layer.0.drop")->mode, WEFT_MODE_TRAIN);
  expect_report (built, "set `train.loss.margin` to 0.3, from default");
  g_autoptr (WeftPipeline) back = build_with ("  - {set: {train.update.decay: null}}\n", NULL);
  expect_given (back, "train", "update", "decay", "-");
}
END_TEST

START_TEST (set_refuses)
{
  expect_refusal ("  - {set: {train.loss.margn: 0.3}}\n",
                  "over.yaml:2:12: `train.loss` (operator unified_loss) has no attribute \"margn\"; did "
                  "you mean \"margin\"?; valid: scale, margin, batch_weight, queue_weight, mode");
  expect_refusal ("  - {set: {train.loss.text: w}}\n", "over.yaml:2:12: \"text\" is an input of `train.loss`; `rewire:` changes inputs");
  expect_refusal ("  - {set: {train.los.margin: 1}}\n", "over.yaml:2:12: there is no \"los\" in `train`; did you mean \"loss\"?");
  expect_refusal ("  - {set: {\"image.**.rat\": 1}}\n", "over.yaml:2:12: nothing that \"image.**.rat\" matches has an attribute \"rat\"");
  expect_refusal ("  - {set: {image.unit: 1}}\n",
                  "over.yaml:2:12: `image` (module encoder) has no attribute \"unit\"; did you mean \"units\"?");
  expect_refusal ("  - {set: {train.update.decay.start: 1}}\n", "over.yaml:2:12: `train.update.decay` is no map that could hold \"start\"");
  expect_refusal ("  - {set: {train.loss.scale: much}}\n", "over.yaml:2:30: ");
  expect_refusal ("  - {set: {vars.bach: 1}}\n", "over.yaml:2:12: vars.bach: there is no variable \"bach\"; did you mean \"batch\"?");
  expect_refusal ("  - {set: 3}\n", "over.yaml:2:11: `set:` takes a map such as {train.loss.margin: 0.2}");
}
END_TEST

START_TEST (edits_that_are_none)
{
  expect_refusal (
      "  - {bypas: image.unit}\n",
      "over.yaml:2:6: there is no edit \"bypas\"; did you mean \"bypass\"?; valid: bypass, remove, replace, insert, rewire, freeze, set");
  expect_refusal ("  - {bypass: image.unit, with: gelu}\n", "over.yaml:2:26: `bypass:` has no \"with\"; valid: from");
  expect_refusal ("  - {bypass: image.unit, remove: image.pool}\n", "over.yaml:2:5: an edit has one verb; this has `bypass` and `remove`");
  expect_refusal ("  - image.unit\n", "over.yaml:2:5: an edit is a map with a verb, such as {bypass: image.enhance}");
  expect_refusal ("  - {bypass: {image: unit}}\n", "over.yaml:2:14: `bypass:` takes a path or a list of paths");
  expect_refusal ("  - {bypass: \"image..unit\"}\n", "over.yaml:2:14: \"image..unit\" is no path");
  expect_refusal ("  {bypass: image.unit}\n", "over.yaml:2:3: `edits:` must be a list of edits such as [{bypass: image.enhance}]");
}
END_TEST

START_TEST (edits_come_in_order_and_the_command_line_last)
{
  const char *const settings[] = { "train.loss.margin=0.9", "image.layers=1", NULL };
  g_autoptr (WeftPipeline) built =
      build_with ("  - {set: {train.loss.margin: 0.3}}\n  - {replace: train.loss, with: {op: triplet_loss, margin: 0.2}}\n"
                  "  - {set: {train.loss.margin: 0.4}}\n",
                  NULL);
  expect_given (built, "train", "loss", "margin", "0.4");
  g_autoptr (WeftPipeline) last = build_with ("  - {set: {train.loss.margin: 0.3, image.layers: 2}}\n", settings);
  expect_given (last, "train", "loss", "margin", "0.9");
  ck_assert_ptr_null (node_of (last, "train", "v.layer.1.mix"));
  /* Two overlays: both lists count. */
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autofree char *main = g_build_filename (folder, "main.yaml", NULL), *over = g_build_filename (folder, "over.yaml", NULL);
  rig_write (folder, "over.yaml", "edits: [{bypass: text.layer.0}]\n", -1);
  const char *const overlays[] = { "short", over, NULL };
  g_autoptr (WeftValue) document = weft_compose (&(WeftComposition){ main, overlays, NULL, NULL }, problems);
  g_autoptr (WeftPipeline) both = weft_pipeline_build (document, problems);
  ck_assert_uint_eq (weft_problems_count (problems), 0);
  ck_assert_ptr_null (node_of (both, "train", "v.layer.1.mix"));
  ck_assert_str_eq (read_by (both, "train", "w.layer.1.mix", 0), "w.widen");
}
END_TEST

/* An evaluation has no training graph: what is edited there means nothing, what is edited in networks does. */
START_TEST (edits_of_a_graph_that_is_left_out)
{
  const char *const settings[] = { "graphs.train=null", "run.train=null", "run.log=null", NULL };
  g_autoptr (WeftPipeline) built = build_with (
      "  - {replace: train.loss, with: triplet_loss}\n  - {bypass: image.layer.1}\n  - {set: {\"*.loss.margin\": 1}}\n", settings);
  ck_assert_str_eq (read_by (built, "encode", "v.layer.2.mix", 0), "v.layer.0.sum");
}
END_TEST

START_TEST (overlays_are_found_in_ablations)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autofree char *main = g_build_filename (folder, "main.yaml", NULL);
  rig_write (folder, "ablations/max.yaml", "about: other pooling\nedits: [{replace: \"*.pool\", with: segment_max}]\n", -1);
  const char *const overlays[] = { "max", NULL };
  g_autoptr (WeftValue) document = weft_compose (&(WeftComposition){ main, overlays, NULL, NULL }, problems);
  ck_assert_uint_eq (weft_problems_count (problems), 0);
  ck_assert_ptr_null (weft_value_lookup (document, "about"));
  g_autoptr (WeftPipeline) built = weft_pipeline_build (document, problems);
  ck_assert_str_eq (node_of (built, "train", "v.pool")->op->name, "segment_max");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("edit");
  TCase *tests = tcase_create ("edit");
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, bypass_in_every_use);
  tcase_add_test (tests, bypass_one_use_a_group_and_globs);
  tcase_add_test (tests, bypass_refuses);
  tcase_add_test (tests, remove_takes_what_only_serves_it);
  tcase_add_test (tests, remove_refuses);
  tcase_add_test (tests, replace_nodes_instances_and_networks);
  tcase_add_test (tests, replace_refuses);
  tcase_add_test (tests, insert_between);
  tcase_add_test (tests, insert_refuses);
  tcase_add_test (tests, rewire_inputs);
  tcase_add_test (tests, freeze_weights);
  tcase_add_test (tests, globs_match_or_are_refused);
  tcase_add_test (tests, verbs_reach_into_repeated_layers);
  tcase_add_test (tests, edits_inside_operators_are_named);
  tcase_add_test (tests, set_attributes);
  tcase_add_test (tests, set_refuses);
  tcase_add_test (tests, edits_that_are_none);
  tcase_add_test (tests, edits_come_in_order_and_the_command_line_last);
  tcase_add_test (tests, edits_of_a_graph_that_is_left_out);
  tcase_add_test (tests, overlays_are_found_in_ablations);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
