/* Mistakes in the text of a pipeline: what is changed, and what the message has to hold.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#define PIPELINE "pipeline.yaml"
#define ENCODERS "encoders.yaml"

/**
 * Mistake:
 * @file: what is changed
 * @from, @to: its text
 * @message: part of the message
 * @place: (nullable): "FILE:LINE:" where the message must be located; %NULL: in one of the lines that were changed
 */
typedef struct
{
  const char *file, *from, *to, *message, *place;
} Mistake;

static const Mistake mistakes[] = {
  /* the text */
  { PIPELINE, "  batch: 4\n", "\tbatch: 4\n", "a tab in the indentation", NULL },
  { PIPELINE, "  batch: 4\n", "  batch: 4\n  batch: 8\n", "key \"batch\" stands here twice", NULL },
  { PIPELINE, "margin: 0.2", "margin: 0.2, margin: 0.3", "key \"margin\" stands here twice", NULL },
  { PIPELINE, "pipeline: small", "pipeline: sm\xe4ll", "is not UTF-8", NULL },
  { PIPELINE, "pipeline: small", "pipeline: \"sm\x1bll\"", "control character 0x1b", NULL },
  { PIPELINE, "  batch: 4\n", "   batch: 4\n", "mapping values are not allowed", NULL },
  { PIPELINE, "split: test\n", "split: test: x\n", "mapping values are not allowed", NULL },
  { PIPELINE, "margin: 0.2}", "margin: 0.2", "did not find expected ',' or '}' (while parsing a flow mapping that begins in line 20)",
    PIPELINE ":21:" },
  { PIPELINE, "[images, captions, scores], metric", "[images, captions, scores, metric", "did not find expected ',' or ']'", NULL },
  { PIPELINE, "pipeline: small", "pipeline: \"small", "a text in quotes begins here and never ends", NULL },
  { PIPELINE, "  data: data\n", "  data: @data\n", "cannot start any token", NULL },
  { PIPELINE, "vars:\n", "---\nvars:\n", "a second document begins here", NULL },
  { PIPELINE, "  units: 8\n", "  units: !int 8\n", "unknown tag \"!int\"", NULL },
  { PIPELINE, "  units: 8\n", "  units: *eight\n", "no anchor &eight above", NULL },
  { PIPELINE, "units: $units}\n  text", "<<: $units}\n  text", "\"<<\" takes a map or a list of maps", NULL },
  { PIPELINE, "v: {use: image, regions: pairs.regions}", "? [v]\n      : {use: image}", "a key must be a word", NULL },
  { ENCODERS, "hidden: 6}", "hidden: 6", "is a comma, a closing brace or a quote missing?", ENCODERS ":6:" },
  { ENCODERS, "  image_encoder:", "image_encoder:", "does this line begin in the same column as its siblings?", ENCODERS ":21:" },
  /* includes */
  { PIPELINE, "[encoders.yaml]", "[encoder.yaml]", "there is no file \"encoder.yaml\" to include", NULL },
  { PIPELINE, "[encoders.yaml]", "{a: encoders.yaml}", "`include:` takes a file or a list of files", NULL },
  { PIPELINE, "[encoders.yaml]", "[encoders.yaml, pipeline.yaml]", "includes itself: pipeline.yaml → pipeline.yaml", NULL },
  { ENCODERS, "modules:", "include: pipeline.yaml\nmodules:", "includes itself: pipeline.yaml → encoders.yaml → pipeline.yaml", NULL },
  { PIPELINE, "[encoders.yaml]", "[data]", "data: can't be read: Is a directory", "data: " },
  { PIPELINE, "[encoders.yaml]", "[data/train_caps.txt]", "expected a map with sections such as `graphs:`", "data/train_caps.txt:1:1: " },
  { PIPELINE, "[encoders.yaml]", "[data/train_ims.npy]", "is not UTF-8", "data/train_ims.npy:1:" },
  /* sections and their keys */
  { PIPELINE, "networks:", "network:", "a pipeline has no \"network\"; did you mean \"networks\"?", NULL },
  { PIPELINE, "graphs:\n", "graphs:\n  - train\nablation:\n", "`graphs:` must be a map of graphs by name, not a list",
    PIPELINE ":13:3: " },
  { PIPELINE, "run:\n", "run: now\nrum:\n", "`run:` must be a map, not text", NULL },
  { PIPELINE, "    mode: train", "    modes: train", "graph train has no \"modes\"; did you mean \"mode\"?", NULL },
  { PIPELINE, "    mode: train", "    mode: trian", "mode must be train or infer", NULL },
  { PIPELINE, "    collect: {embedding: v}", "    colect: {embedding: v}", "graph images has no \"colect\"; did you mean \"collect\"?",
    NULL },
  { PIPELINE, "    collect: {embedding: v}", "    collect: v", "`collect:` must be a map of names to references, not text", NULL },
  { ENCODERS, "attributes: {units: null, hidden: 6}", "attribute: {units: null, hidden: 6}",
    "module projection has no \"attribute\"; did you mean \"attributes\"?", NULL },
  { ENCODERS, "    outputs: {y: sum}", "", "module projection needs `outputs:`", ENCODERS ":4:" },
  { PIPELINE, "    vars: {units: 4}", "    var: {units: 4}", "ablation narrow has no \"var\"; did you mean \"vars\"?", NULL },
  { PIPELINE, "margin: 0.2", "margin: ", "\"margin\" has no value", NULL },
  { PIPELINE, "  text: {module", "  te.xt: {module", "\"te.xt\" can't name a network", NULL },
  /* variables */
  { PIPELINE, "batch: $batch, shuffle", "batch: $bacth, shuffle", "unknown variable \"$bacth\"; did you mean \"batch\"?", NULL },
  { PIPELINE, "path: $data, split: train", "path: \"${dat}\", split: train", "unknown variable \"$dat\"; did you mean \"data\"?", NULL },
  { PIPELINE, "  batch: 4\n", "  batch: $units\n  u: $batch\n  units: $u\n", "key \"units\" stands here twice", PIPELINE ":10:" },
  { PIPELINE, "  units: 8\n", "  units: $width\n  width: $units\n", "variable \"units\" is defined by itself: units → width → units",
    NULL },
  { PIPELINE, "  data: data\n", "  data: \"${env:WEFT_TEST_NOWHERE}/x\"\n", "the environment has no WEFT_TEST_NOWHERE", NULL },
  { PIPELINE, "  data: data\n", "  data: \"${data\"\n", "\"${\" without \"}\"", NULL },
  { PIPELINE, "  batch: 4\n", "  batch: [4]\n", "attribute \"batch\"", NULL },
  { ENCODERS, "x: regions, units: $units", "x: regions, units: $unit",
    "unknown attribute of image \"$unit\"; did you mean \"units\"?", NULL },
  { ENCODERS, "x: regions, units: $units", "x: regions, units: $batch", "unknown attribute of image \"$batch\"", NULL },
  { ENCODERS, "units: $hidden", "units: \"${env:HOME}\"", "modules can't read the environment", NULL },
  /* networks and modules */
  { PIPELINE, "module: image_encoder", "module: image_encodre", "there is no module \"image_encodre\"; did you mean \"image_encoder\"?",
    NULL },
  { PIPELINE, "{module: image_encoder, units: $units}", "{units: $units}", "network image needs `module:`", NULL },
  { PIPELINE, "{module: image_encoder, units: $units}", "{module: image_encoder}", "needs attribute \"units\"", NULL },
  { PIPELINE, "{module: image_encoder, units: $units}", "{module: image_encoder, units: $units, depth: 3}",
    "has no input or attribute \"depth\"", NULL },
  { PIPELINE, "v: {use: image, regions: pairs", "v: {use: imgae, regions: pairs", "there is no network \"imgae\"; did you mean \"image\"?",
    NULL },
  { PIPELINE, "v: {use: image, regions: pairs", "v: {use: image, region: pairs", "network image has no input \"region\"", NULL },
  { PIPELINE, "v: {use: image, regions: pairs.regions}", "v: {use: image}", "needs input \"regions\"", NULL },
  { PIPELINE, "v: {use: image, regions: pairs", "v: {use: image, units: 4, regions: pairs",
    "network image has no input \"units\" (attributes are set under `networks:`)", NULL },
  { PIPELINE, "v: {use: image, regions: pairs", "v: {use: image, weights: text, regions: pairs", "text", NULL },
  { PIPELINE, "v: {use: image, regions: pairs", "v: {use: image, mode: fast, regions: pairs", "mode must be train or infer", NULL },
  { ENCODERS, "projection: {module: projection, x: regions, units: $units}",
    "projection: {module: image_encoder, regions: regions, units: $units}", "nested more than", NULL },
  { ENCODERS, "{module: projection, x: regions, units: $units}", "{module: projection, x: regions, units: $units, repeat: 0}",
    "repeat must be a number from 1", NULL },
  { ENCODERS, "{module: projection, x: regions, units: $units}", "{module: projection, y: regions, units: $units}", "\"y\"", NULL },
  /* nodes */
  { PIPELINE, "op: triplet_loss", "op: tripletloss", "there is no operator \"tripletloss\"; did you mean \"triplet_loss\"?", NULL },
  { PIPELINE, "{op: triplet_loss, image", "{po: triplet_loss, image", "needs exactly one of `op:`, `use:` and `module:`", NULL },
  { PIPELINE, "{op: triplet_loss, image", "{op: triplet_loss, use: image, image", "needs exactly one of `op:`, `use:` and `module:`",
    NULL },
  { PIPELINE, "loss: {op: triplet_loss, image: v, text: t, margin: 0.2}", "loss: triplet_loss", "node `loss` must be a map", NULL },
  { PIPELINE, "      loss: {op", "      lo.ss: {op", "\"lo.ss\" is no name for a node", NULL },
  { PIPELINE, "image: v, text: t, margin", "images: v, text: t, margin", "has no input or attribute \"images\"", NULL },
  { PIPELINE, "image: v, text: t, margin", "image: v, margin", "input image needs text beside it", NULL },
  { PIPELINE, "image: v, text: t, margin", "image: v, text: tt, margin", "nothing here is called \"tt\"", NULL },
  { PIPELINE, "tokens: tokens.tokens}\n      loss", "tokens: tokens.ids}\n      loss", "has no output \"ids\"", NULL },
  { PIPELINE, "regions: pairs.regions}", "regions: pairs}", "say which one", NULL },
  { PIPELINE, "regions: pairs.regions}", "regions: [pairs.regions]}", "must be one reference", NULL },
  { PIPELINE, "margin: 0.2", "margins: 0.2", "has no input or attribute \"margins\"; did you mean \"margin\"?", NULL },
  { PIPELINE, "margin: 0.2", "margin: wide", "attribute \"margin\" of triplet_loss `loss` must be a number, not \"wide\"", NULL },
  { PIPELINE, "margin: 0.2", "margin: '0.2'", "must be a number", NULL },
  { PIPELINE, "margin: 0.2", "margin: nan", "must be a number", NULL },
  { PIPELINE, "margin: 0.2", "margin: -3", "it must lie between", NULL },
  { PIPELINE, "shuffle: true", "shuffle: perhaps", "must be true or false, not \"perhaps\"", NULL },
  { PIPELINE, "items: images, batch", "items: image, batch", "can't be \"image\"; did you mean \"images\"?", NULL },
  { PIPELINE, "shuffle: true, regions: 3", "shuffle: true, regions: 2.5", "must be an integer, not \"2.5\"", NULL },
  { PIPELINE, "shuffle: true, regions: 3", "shuffle: true, regions: 0", "it must lie between 1 and", NULL },
  { PIPELINE, "shuffle: true, regions: 3", "shuffle: true, regions: {start: 3}", "it takes no schedule", NULL },
  { PIPELINE, "path: $data, split: train", "split: train", "needs attribute \"path\": folder of the data set", NULL },
  { PIPELINE, "{start: 1e-3,", "{strat: 1e-3,", "`schedule` knows no \"strat\"; did you mean \"start\"?", NULL },
  { PIPELINE, "drop: {epoch: 1, by", "drop: {by", "`drop` needs either `epoch:` or `step:`", NULL },
  { PIPELINE, "{start: 1e-3,", "{start: fast,", "schedule of \"rate\": expected a number", NULL },
  /* graphs as wholes */
  { PIPELINE, "regions: pairs.regions}\n      t:", "regions: v}\n      t:", "round in circles", NULL },
  { ENCODERS, "active: {op: relu, x: first}", "active: {op: relu, x: second}", "round in circles", ENCODERS ":" },
  { PIPELINE, "minimize: loss.loss", "minimize: v", "f32[", PIPELINE ":" },
  { PIPELINE, "      loss: {op: triplet_loss",
    "      more: {op: region_features, path: $data, batch: $batch, width: 5}\n      loss: {op: triplet_loss, image: v, text: "
    "more.captions}\n      lost: {op: triplet_loss",
    "more", PIPELINE ":" },
  { PIPELINE, "tokens: tokens.tokens}\n      loss", "tokens: pairs.regions}\n      loss", "f32", "" },
  { ENCODERS, "second: {op: linear, x: active, units: $units}", "second: {op: linear, x: active, units: 9}", "a leading size is 8 here, but 9 from", ENCODERS ":11:" },
  { ENCODERS, "embed: {op: embedding, ids: tokens, rows: $words", "embed: {op: embedding, ids: tokens, rows: 12", "its values go up to 23, but only values below 12 are understood", NULL },
  { PIPELINE, "  text: {module: text_encoder, units: $units,", "  text: {module: text_encoder, units: 7,", "f32[", "" },
  { PIPELINE, "images: images.embedding, captions: captions.embedding}\nrun", "images: images.embeding, captions: captions.embedding}\nrun",
    "embeding", NULL },
  { PIPELINE, "images: images.embedding, captions: captions.embedding}\nrun",
    "images: pictures.embedding, captions: captions.embedding}\nrun", "pictures", NULL },
  /* run */
  { PIPELINE, "epochs: 1}\n  validate", "epoch: 1}\n  validate", "`train` knows no `epoch`; did you mean \"epochs\"?", NULL },
  { PIPELINE, "epochs: 1}\n  validate", "epochs: many}\n  validate", "`epochs` must be an integer, at least 0", NULL },
  { PIPELINE, "train: {graph: train", "train: {graph: trian", "there is no graph `trian`; did you mean \"train\"?", NULL },
  { PIPELINE, "train: {graph: train, epochs: 1}", "train: {epochs: 1}", "`train` needs `graph: NAME`", NULL },
  { PIPELINE, "train: {graph: train, epochs: 1}", "train: {graph: train}", "`train` needs `epochs: N` or `steps: N`", NULL },
  { PIPELINE, "metric: scores.recalls.rsum", "metric: scores.recalls.rsun", "graph `scores` has no value `recalls.rsun`", NULL },
  { PIPELINE, "metric: scores.recalls.rsum", "metric: rsum", "must say which graph it is in", NULL },
  { PIPELINE, "best: max", "best: most", "`best` is `max` or `min`, not `most`", NULL },
  { PIPELINE, "[images, captions, scores], metric", "[captions, scores], metric", "must stand before it in `graphs`", NULL },
  { PIPELINE, "vars: {split: dev}", "vars: {spilt: dev}", "there is no variable `spilt`; did you mean \"split\"?", NULL },
  { PIPELINE, "loss: loss.loss, rate", "loss: loss.lost, rate", "graph `train` has no value `loss.lost`", NULL },
  { PIPELINE, "loss: loss.loss, rate", "loss: v, rate", "only single numbers can be logged", NULL },
  { PIPELINE, "encode: {images: images.embedding", "encode: {images: images.embeding", "does not `collect` `embeding`", NULL },
  { PIPELINE, "keep: 1", "kep: 1", "`checkpoint` knows no `kep`; did you mean \"keep\"?", NULL },
  { PIPELINE, "every: {epochs: 1}, keep", "every: {epoch: 1}, keep", "`every` knows no `epoch`; did you mean \"epochs\"?", NULL },
  { PIPELINE, "  seed: 0", "  sede: 0", "did you mean \"seed\"?", NULL },
};
