/* gpo: generalized pooling operator, a learned way between mean, maximum and k-max pooling.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

typedef struct
{
  gint64 width;
  gint64 hidden;
  double temperature;
} Gpo;

static const WeftAttribute attributes[] = {
  WEFT_INTEGER (Gpo, width, "32", 2, 4096, "", "width of the position codes"),
  WEFT_INTEGER (Gpo, hidden, "32", 1, 4096, "", "width of the GRU's states"),
  WEFT_NUMBER (Gpo, temperature, "0.1", 1e-6, 1e6, "", "divisor of the scores before the softmax"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[b:t, d]", .meaning = "features of regions or tokens" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[b, d]", .meaning = "one vector per sample" },
  { .name = NULL },
};

static const char composition[] = "nodes:\n"
                                  "  codes:   {op: position_codes, x: x, width: $width}\n"
                                  "  gru:     {op: gru, x: codes.codes, units: $hidden, bidirectional: true}\n"
                                  "  linear:  {op: linear, x: gru, units: 1, bias: false}\n"
                                  "  weights: {op: segment_softmax, x: linear, temperature: $temperature}\n"
                                  "  pooled:  {op: sorted_sum, x: x, weights: weights, group: codes.group}\n"
                                  "outputs: {y: pooled}\n";

static const WeftOperator gpo = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "gpo",
  .version = 1,
  .summary = "Pools the rows of each sample with learned weights over their ranks",
  .documentation =
      "Sinusoidal codes of the positions 0 … n − 1 go through a bidirectional GRU whose directions are averaged; a linear layer "
      "without bias scores each position; a softmax of score / temperature gives n weights. Every channel is sorted in "
      "descending order over the sample's rows and summed with the weights, so that weights on the first position are "
      "maximum pooling, equal weights mean pooling. The weights depend on the number of rows alone.",
  .source = "Chen et al., Learning the Best Pooling Strategy for Visual Semantic Embedding (arXiv 2011.04305), section 3.3",
  .attributes_size = sizeof (Gpo),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .composition = composition,
  .example = "x: {op: feed, signature: \"f32[b<=4 : t<=20, 6]\", gradient: true}\n"
             "pooled: {op: gpo, x: x, width: 4, hidden: 3}\n",
};
WEFT_OPERATOR (gpo);
