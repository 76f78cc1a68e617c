/* sge: self-guided enhancement, the guide that an image's regions agree on.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

typedef struct
{
  gint64 width;
  gint64 positions;
  double dropout;
} Sge;

static const WeftAttribute attributes[] = {
  WEFT_INTEGER (Sge, width, NULL, 1, 1 << 20, "", "width of a region, D"),
  WEFT_INTEGER (Sge, positions, "36", 1, 65536, "regions", "greatest number of regions of an image: channels of the local norm"),
  WEFT_NUMBER (Sge, dropout, "0.4", 0, 0.999, "", "share of the local and of the global features that is dropped in training"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "regions", .signature = "f32[b:t, $width]", .meaning = "region features x" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "guide", .signature = "f32[b, $width]", .meaning = "weighted sum of the regions, of unit norm" },
  { .name = NULL },
};

static const char composition[] = "nodes:\n"
                                  "  mean:        {op: segment_mean, x: regions}\n"
                                  /* local = BN_R(W_l x + b_l) */
                                  "  local:       {op: linear, x: regions, units: $width, initial: xavier, bias_initial: zeros}\n"
                                  "  local_norm:  {op: position_batch_norm, x: local, positions: $positions}\n"
                                  /* global = dropout(tanh(BN_D(W_g mean + b_g))) */
                                  "  global:      {op: linear, x: mean, units: $width, initial: xavier, bias_initial: zeros}\n"
                                  "  global_norm: {op: batch_norm, x: global}\n"
                                  "  global_tanh: {op: tanh, x: global_norm}\n"
                                  "  global_drop: {op: dropout, x: global_tanh, rate: $dropout}\n"
                                  /* weights = softmax over the regions of w · (dropout(tanh(local)) ⊙ global) + b */
                                  "  common:      {op: agreement, local: local_norm, global: global_drop, dropout: $dropout}\n"
                                  "  weights:     {op: segment_softmax, x: common}\n"
                                  /* g = Σ_r weights_r x_r, of unit norm */
                                  "  sum:         {op: weigh, x: regions, weights: weights}\n"
                                  "  unit:        {op: l2_normalize, x: sum}\n"
                                  "outputs: {guide: unit}\n";

static const WeftOperator sge = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "sge",
  .version = 2,
  .summary = "Self-guided enhancement: a guide for an image from its own regions",
  .documentation =
      "local = dropout(tanh(BN_R(W_l x + b_l))), with one channel of the norm per region position; global = dropout(tanh(BN_D(W_g x̄ + "
      "b_g))), x̄ the mean of the regions; weights = softmax over the regions of w · (local ⊙ global) + b; guide g = Σ_r weights_r x_r "
      "of the regions as they came, divided by its norm. `enhance` adds it to the regions.\n\n"
      "With ragged regions, means, norms and the softmax run over the regions that exist, and channel r of the local norm takes its "
      "statistics from the samples that have a region r.",
  .source = "Zhang et al., USER (arXiv 2301.06844), section III-B, self-guided enhancement; constants as in the authors' release",
  .attributes_size = sizeof (Sge),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .composition = composition,
  .example = "regions: {op: feed, signature: \"f32[b<=4 : t<=20, 6]\", gradient: true}\n"
             "guide: {op: sge, regions: regions, width: 6, positions: 20, dropout: 0.1}\n",
};
WEFT_OPERATOR (sge);
