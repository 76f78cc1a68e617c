/* triplet_loss: hinge loss over all or the hardest negatives of a batch.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "similarity.h"

#include <string.h>

typedef struct
{
  double margin;
  gboolean hardest;
} TripletLoss;

enum
{
  OUT_LOSS,
  OUT_SILENT,
  OUT_POSITIVE,
  OUT_NEGATIVE,
};

typedef struct
{
  float hinge;     /* sum of the hinges of one row or column, or the largest */
  gint64 violated; /* number of negatives with a positive hinge */
  gint64 hardest;  /* position of the first of the largest hinges, −1 if none is positive */
} Hinges;

/* max(0, γ + n − s_ii) over the negatives n of sample @i, @stride apart. */
static Hinges
hinges_of (const float *similarity, gint64 n, gint64 stride, gint64 i, float positive, const TripletLoss *loss)
{
  Hinges hinges = { .hardest = -1 };
  float largest = 0;
  double sum = 0;
  for (gint64 j = 0; j < n; j++)
    {
      float hinge = (float) loss->margin + similarity[j * stride] - positive;
      if (j == i || hinge <= 0)
        continue;
      hinges.violated++;
      sum += (double) hinge;
      if (hinge > largest)
        {
          largest = hinge;
          hinges.hardest = j;
        }
    }
  hinges.hinge = loss->hardest ? largest : (float) sum;
  return hinges;
}

static void
triplet_loss_forward (const WeftCall *call)
{
  const TripletLoss *loss = call->attributes;
  gint64 b;
  WeftTensor *kept = call->saved[0];
  const float *similarity = pairs_similarity (call, kept ? kept->data : call->scratch, &b);
  if (kept && kept->data != similarity)
    memcpy (kept->data, similarity, (gsize) (b * b) * sizeof (float));
  double total = 0, silent = 0;
  for (gint64 i = 0; i < b; i++)
    {
      float positive = similarity[i * b + i];
      Hinges row = hinges_of (similarity + i * b, b, 1, i, positive, loss);
      Hinges column = hinges_of (similarity + i, b, b, i, positive, loss);
      total += (double) row.hinge + (double) column.hinge;
      silent += !row.violated && !column.violated;
    }
  pairs_set_scalar (call->out[OUT_LOSS], total);
  pairs_set_scalar (call->out[OUT_SILENT], b ? silent / (double) b : 0);
  pairs_means (similarity, b, call->out[OUT_POSITIVE], call->out[OUT_NEGATIVE]);
}

static void
add_hinge_gradients (float *gradient, const float *similarity, gint64 n, gint64 stride, gint64 i, float positive, const TripletLoss *loss,
                     float factor)
{
  Hinges hinges = hinges_of (similarity, n, stride, i, positive, loss);
  if (loss->hardest)
    {
      if (hinges.hardest >= 0)
        {
          gradient[hinges.hardest * stride] += factor;
          gradient[i * stride] -= factor;
        }
      return;
    }
  for (gint64 j = 0; j < n; j++)
    if (j != i && (float) loss->margin + similarity[j * stride] - positive > 0)
      gradient[j * stride] += factor;
  gradient[i * stride] -= factor * (float) hinges.violated;
}

static void
triplet_loss_backward (const WeftCall *call)
{
  const TripletLoss *loss = call->attributes;
  gint64 b = pairs_count (call);
  const float *similarity = call->saved[0]->data;
  float *gradient = call->scratch, factor = pairs_scalar_gradient (call, OUT_LOSS);
  float by_positive = b ? pairs_scalar_gradient (call, OUT_POSITIVE) / (float) b : 0;
  float by_negative = b > 1 ? pairs_scalar_gradient (call, OUT_NEGATIVE) / ((float) b * (float) (b - 1)) : 0;
  for (gint64 i = 0; i < b; i++)
    for (gint64 j = 0; j < b; j++)
      gradient[i * b + j] = i == j ? by_positive : by_negative;
  for (gint64 i = 0; i < b; i++)
    {
      float positive = similarity[i * b + i];
      add_hinge_gradients (gradient + i * b, similarity + i * b, b, 1, i, positive, loss, factor);
      add_hinge_gradients (gradient + i, similarity + i, b, b, i, positive, loss, factor);
    }
  pairs_gradient (call, gradient);
}

static gsize
triplet_loss_scratch (const WeftCall *call)
{
  gsize b = (gsize) pairs_count (call);
  return b * b * sizeof (float);
}

static const WeftAttribute attributes[] = {
  WEFT_SCHEDULED (TripletLoss, margin, "0.2", 0, 2, "cosine", "margin γ by which a pair should beat its negatives"),
  { .name = "hardest",
    .kind = WEFT_ATTRIBUTE_BOOLEAN,
    .offset = offsetof (TripletLoss, hardest),
    .fallback = "true",
    .scheduled = TRUE,
    .meaning = "only the hardest negative of each image and of each text, instead of all" },
  { .name = NULL },
};

static const WeftPort inputs[] = { PAIRS_INPUTS, { .name = NULL } };

static const WeftPort outputs[] = {
  { .name = "loss", .signature = "f32[]", .meaning = "the sum over the batch" },
  { .name = "silent",
    .signature = "f32[]",
    .flags = WEFT_PORT_OPTIONAL | WEFT_PORT_CONSTANT,
    .meaning = "share of pairs that beat all their negatives by the margin: nothing trains them" },
  PAIRS_OUTPUTS,
  { .name = NULL },
};

static const WeftPort saved[] = {
  { .name = "similarity", .signature = "f32[b, b]", .meaning = "similarities within the batch" },
  { .name = NULL },
};

static const WeftOperator triplet_loss = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "triplet_loss",
  .version = 1,
  .summary = "Hinge loss over the negatives of a batch, all of them or the hardest of each sample",
  .documentation =
      "Σ_i [max_j or Σ_j of max(0, γ + s_ij − s_ii)] + [max_j or Σ_j of max(0, γ + s_ji − s_ii)], j ≠ i, summed over the batch, not "
      "averaged. The hardest negatives alone tend to collapse a model that knows nothing yet: "
      "`hardest: {start: false, change: {epoch: 1, to: true}}` sums over all in the first epoch.",
  .source = "Faghri et al., VSE++ (arXiv 1707.05612), equations 4 to 6; Chen et al., VSE-infinity (arXiv 2011.04305)",
  .attributes_size = sizeof (TripletLoss),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .saved = saved,
  .forward = triplet_loss_forward,
  .backward = triplet_loss_backward,
  .infer = pairs_infer,
  .scratch = triplet_loss_scratch,
  .example = "image: {op: feed, signature: \"f32[b<=6, 4]\", gradient: true}\n"
             "text: {op: feed, signature: \"f32[b<=6, 4]\", gradient: true}\n"
             "loss: {op: triplet_loss, image: image, text: text, hardest: false}\n",
  .cases = (const char *const[]){ "image: {op: feed, signature: \"f32[b<=6, 4]\", gradient: true}\n"
                                  "text: {op: feed, signature: \"f32[b, 4]\", gradient: true}\n"
                                  "loss: {op: triplet_loss, image: image, text: text, margin: 0.5}\n",
                                  "rows: {op: feed, signature: \"f32[5, 4]\", gradient: true}\n"
                                  "columns: {op: feed, signature: \"f32[5, 4]\", gradient: true}\n"
                                  "similarity: {op: matrix_product, a: rows, b: columns}\n"
                                  "loss: {op: triplet_loss, similarity: similarity, hardest: false}\n",
                                  NULL },
};
WEFT_OPERATOR (triplet_loss);
