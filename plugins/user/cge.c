/* cge: CLIP-guided enhancement, the guide that another model's view of the whole image gives.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

typedef struct
{
  gint64 units;
} Cge;

static const WeftAttribute attributes[] = {
  WEFT_INTEGER (Cge, units, NULL, 1, 1 << 20, "", "width of the guide: that of a region, D"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "clip", .signature = "f32[b, c]", .meaning = "image embeddings of CLIP, of unit norm" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "guide", .signature = "f32[b, $units]", .meaning = "one vector per image, of unit norm" },
  { .name = NULL },
};

static const char composition[] = "nodes:\n"
                                  "  input_norm: {op: batch_norm, x: clip}\n"
                                  "  first:      {op: linear, x: input_norm, units: $units}\n"
                                  "  norm:       {op: batch_norm, x: first}\n"
                                  "  active:     {op: relu, x: norm}\n"
                                  "  second:     {op: linear, x: active, units: $units}\n"
                                  "  unit:       {op: l2_normalize, x: second}\n"
                                  "outputs: {guide: unit}\n";

static const WeftOperator cge = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "cge",
  .version = 1,
  .summary = "CLIP-guided enhancement: a guide for an image from its CLIP embedding",
  .documentation =
      "BN → linear → BN → ReLU → linear on the 512-wide embedding that a frozen CLIP ViT-B/32 gives, then divided by its norm. `enhance` "
      "adds the guide to the regions.\n\n"
      "Widths, the activation and the norm at the end are choices of this implementation where the authors' description is silent.",
  .source = "Zhang et al., USER (arXiv 2301.06844), section III-B, CLIP-guided enhancement; the authors' note in issue 4 of their release",
  .attributes_size = sizeof (Cge),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .composition = composition,
  .example = "clip: {op: feed, signature: \"f32[b<=6, 5]\", gradient: true}\n"
             "guide: {op: cge, clip: clip, units: 4}\n",
};
WEFT_OPERATOR (cge);
