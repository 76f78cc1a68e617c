/* Mistakes in the files that a pipeline reads.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

#define FLOATS(n) (n) * 4

/**
 * Array:
 * @descr, @order, @shape: what the header of the .npy file says
 * @bytes: of data that follow
 */
typedef struct
{
  const char *file, *descr, *order, *shape;
  gsize bytes;
  const char *message;
} Array;

static const Array arrays[] = {
  { "data/train_ims.npy", "'<f4'", "False", "(4, 3, 5)", FLOATS (60) - 1, "copy or extract it again" },
  { "data/train_ims.npy", "'<f4'", "False", "(4, 3, 5)", 0, "the file has 0 bytes of data" },
  { "data/train_ims.npy", "'<f4'", "False", "(4, 3, 5)", FLOATS (61), "copy or extract it again" },
  { "data/train_ims.npy", "'>f4'", "False", "(4, 3, 5)", FLOATS (60), "elements are big-endian" },
  { "data/train_ims.npy", "'<f4'", "True", "(4, 3, 5)", FLOATS (60), "stored in Fortran order" },
  { "data/train_ims.npy", "'|O'", "False", "(4, 3, 5)", 480, "holds Python objects" },
  { "data/train_ims.npy", "'<c8'", "False", "(4, 3, 5)", 480, "element type \"<c8\" cannot be read" },
  { "data/train_ims.npy", "'<f4'", "False", "(4, 3, 5, 1, 1, 1, 1)", FLOATS (60), "7 dimensions" },
  { "data/train_ims.npy", "'<f4'", "False", "(4, -3, 5)", FLOATS (60), "train_ims.npy" },
  { "data/train_ims.npy", "'<f4'", "False", "(99999999999, 3, 5)", FLOATS (60), "train_ims.npy" },
  { "data/train_ims.npy", "'<f4'", "False", "(9223372036854775807, 9223372036854775807, 5)", FLOATS (60), "train_ims.npy" },
  { "data/train_ims.npy", "[('a', '<f4')]", "False", "(4, 3, 5)", FLOATS (60), "train_ims.npy" },
  { "data/train_ims.npy", "'<f4'", "Perhaps", "(4, 3, 5)", FLOATS (60), "is not a dictionary of descr, fortran_order and shape" },
  { "data/train_ims.npy", "'<f4'", "False", "(4, 3, 7)", FLOATS (84), "train_ims.npy" },
  { "data/train_ims.npy", "'<f4'", "False", "(4, 6, 5)", FLOATS (120), "train_ims.npy" },
  { "data/train_ims.npy", "'<f4'", "False", "(60,)", FLOATS (60), "train_ims.npy" },
  { "data/train_ims.npy", "'<f4'", "False", "(0, 3, 5)", 0, "train_ims.npy" },
  { "data/train_ims.npy", "'<f4'", "False", "(3, 3, 5)", FLOATS (45), "train_ims.npy" },
  { "data/train_ims.npy", "'<f4'", "False", "(40, 3, 5)", FLOATS (600), "train_ims.npy" },
  { "data/dev_ims.npy", "'<f4'", "False", "(4, 3, 5)", FLOATS (59), "dev_ims.npy" },
  { "data/train_counts.npy", "'<i4'", "False", "(3,)", 12, "train_counts.npy" },
  { "data/train_counts.npy", "'<i4'", "False", "(4,)", 16, "train_counts.npy" }, /* zero regions */
  { "data/train_counts.npy", "'<f4'", "False", "(4,)", 16, "expected one int32 or int64 count for each image" },
};

/**
 * Text:
 * @text: (nullable): what the file holds instead; %NULL: it isn't there
 * @length: of @text, or -1
 */
typedef struct
{
  const char *file, *text;
  gssize length;
  const char *message;
} Text;

static const Text texts[] = {
  { "data/train_ims.npy", NULL, 0, "train_ims.npy" },
  { "data/train_ims.npy", "", 0, "train_ims.npy" },
  { "data/train_ims.npy", "\x93NUMPY\x01\x00", 8, "train_ims.npy" },
  { "data/train_ims.npy", "\x93NUMPY\x09\x00\x10\x00", 10, "train_ims.npy" },
  { "data/train_ims.npy", "\x93NUMPY\x01\x00\xff\xff{}", 12, "truncated or damaged" },
  { "data/train_ims.npy", "PK\x03\x04 an .npz file of numpy.savez ()", -1, "does not begin as a .npy file does" },
  { "data/train_caps.txt", NULL, 0, "train_caps.txt" },
  { "data/train_caps.txt", "", 0, "train_caps.txt" },
  { "data/train_caps.txt", "one\ntwo\nthree\n", -1, "train_" },
  { "data/train_caps.txt", "a\nb\n\nd\n", -1, "train_caps.txt:3: empty line" },
  { "data/train_caps.txt", "a\nb\xff\nc\nd\n", -1, "train_caps.txt:2" },
  { "data/train_caps.txt", "a\nb\0\nc\nd\n", 9, "train_caps.txt:2: holds a NUL byte" },
  { "data/dev_caps.txt", NULL, 0, "dev_caps.txt" },
};

/**
 * Line:
 * @arguments: of the command, blanks between; the pipeline's name stands last
 */
typedef struct
{
  const char *arguments, *message;
} Line;

static const Line lines[] = {
  { "train --set data=nowhere", "no such folder" },
  { "train --set data=pipeline.yaml", "pipeline.yaml" },
  { "train --set graphs.train.nodes.pairs.split=trian", "trian" },
  { "train --set graphs.train.nodes.tokens.captions=nowhere.txt", "nowhere.txt" },
  { "train --set graphs.train.nodes.tokens.minimum_count=99", "set a smaller minimum_count" },
  { "train --set graphs.train.nodes.tokens.vocabulary=data/train_caps.txt --set graphs.train.nodes.tokens.captions=null", "not JSON" },
  { "train --set graphs.train.nodes.tokens.vocabulary=pipeline.yaml", "`tokens`" },
  { "train --set batch=64", "fewer than one batch of 64" },
  { "train --set networks.image.load=nowhere", "nowhere" },
  { "train --set networks.image.load=data/train_ims.npy", "train_ims.npy" },
  { "check --set batch", "--set: \"batch\" is no setting" },
  { "check --set bacth=3", "--set: bacth: there is no variable \"bacth\"; did you mean \"batch\"?" },
  { "check --set graphs.train.nodes.los.margin=1", "there is no element \"los\"; did you mean \"loss\"?" },
  { "check --set graphs.train.nodes.loss.margn=1", "--set: " },
  { "check --set batch=many", "attribute \"batch\" of region_features `pairs` must be an integer, not \"many\"" },
  { "check --set batch=[", "--set batch:" },
  { "check --overlay narow", "did you mean \"narrow\"?" },
  { "check --overlay data", "data: " },
  { "check --overlay nowhere.yaml", "\"nowhere.yaml\" is neither a file nor one of the pipeline's ablations" },
  { "check --bogus", "Unknown option --bogus" },
  { "train --threads many", "many" },
  { "check --threads=-1", "--threads takes a number from 1" },
  { "check --seed=-1", "--seed takes a number from 0" },
  { "chekc", "there is no command \"chekc\"; did you mean \"check\"?" },
  { "evaluate", "pipeline.yaml: network `image` is not trained" },
  { "train --output pipeline.yaml", "pipeline.yaml" },
};
