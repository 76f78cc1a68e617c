/* segment_max, segment_k_max: the largest values of each channel over the rows of each sample.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include <math.h>

#include "kernels/vector.h"

/* Channels that are searched together; loops of this constant length become vector instructions. */
#define LANES 16

typedef struct
{
  gint64 k;
} KMax;

typedef struct
{
  float value[LANES];
  gint32 row[LANES];
} Found;

static inline void
consider_first (int lanes, const float *x, gint32 row, Found *best)
{
  for (int l = 0; l < lanes; l++)
    {
      /* A not-a-number wins and stays: a maximum must not hide one. */
      gboolean better = !(x[l] <= best->value[l]) & (best->value[l] == best->value[l]);
      best->value[l] = better ? x[l] : best->value[l];
      best->row[l] = better ? row : best->row[l];
    }
}

/* Candidates come after the one found before, in descending order of value and ascending order of row. */
static inline void
consider_next (int lanes, const float *x, gint32 row, const Found *previous, Found *best)
{
  for (int l = 0; l < lanes; l++)
    {
      gboolean open = (x[l] < previous->value[l]) | ((x[l] == previous->value[l]) & (row > previous->row[l]));
      gboolean better = open & ((x[l] > best->value[l]) | (best->row[l] < 0));
      best->value[l] = better ? x[l] : best->value[l];
      best->row[l] = better ? row : best->row[l];
    }
}

static void
find (const float *x, gint64 stride, gint32 rows, int lanes, const Found *previous, Found *best)
{
  for (int l = 0; l < LANES; l++)
    {
      best->value[l] = -INFINITY;
      best->row[l] = -1;
    }
  for (gint32 row = 0; row < rows; row++, x += stride)
    if (previous && lanes == LANES)
      consider_next (LANES, x, row, previous, best);
    else if (previous)
      consider_next (lanes, x, row, previous, best);
    else if (lanes == LANES)
      consider_first (LANES, x, row, best);
    else
      consider_first (lanes, x, row, best);
}

/* Ranks 0 … k − 1 of every channel of one sample: y gets their mean, kept (if any) their rows, −1 where there are fewer rows than k. */
static void
mean_of_largest (const WeftCall *call, gint64 sample, gint64 k)
{
  const WeftTensor *x = call->in[0];
  gint64 width = x->shape[1], first = x->offsets[sample];
  gint32 rows = (gint32) (x->offsets[sample + 1] - first), *kept = call->saved[0] ? call->saved[0]->data : NULL;
  float *y = (float *) call->out[0]->data + sample * width, factor = 1.0f / (float) CLAMP (rows, 1, k);

  for (gint64 c = 0; c < width; c += LANES)
    {
      int lanes = (int) MIN (LANES, width - c);
      Found found[2];
      for (int l = 0; l < lanes; l++)
        y[c + l] = 0;
      for (gint64 rank = 0; rank < k; rank++)
        {
          Found *best = &found[rank & 1];
          find ((const float *) x->data + first * width + c, width, rank < rows ? rows : 0, lanes, rank ? &found[~rank & 1] : NULL, best);
          for (int l = 0; l < lanes && rank < rows; l++)
            y[c + l] += best->value[l] * factor;
          for (int l = 0; l < lanes && kept; l++)
            kept[(sample * k + rank) * width + c + l] = best->row[l];
        }
    }
}

static void
share_gradient (const WeftCall *call, gint64 sample, gint64 k)
{
  WeftTensor *by_x = call->in_gradient[0];
  gint64 width = by_x->shape[1], first = by_x->offsets[sample], rows = by_x->offsets[sample + 1] - first;
  const float *by_y = (const float *) call->out_gradient[0]->data + sample * width;
  const gint32 *kept = (const gint32 *) call->saved[0]->data + sample * k * width;
  float *by = (float *) by_x->data + first * width, factor = 1.0f / (float) CLAMP (rows, 1, k);

  vector->fill (rows * width, 0, by);
  for (gint64 rank = 0; rank < MIN (k, rows); rank++)
    for (gint64 c = 0; c < width; c++)
      if (kept[rank * width + c] >= 0)
        by[kept[rank * width + c] * width + c] = by_y[c] * factor;
}

static void
max_sample (gpointer call, gint64 sample, guint member G_GNUC_UNUSED)
{
  mean_of_largest (call, sample, 1);
}

static void
max_sample_backward (gpointer call, gint64 sample, guint member G_GNUC_UNUSED)
{
  share_gradient (call, sample, 1);
}

static void
k_max_sample (gpointer call, gint64 sample, guint member G_GNUC_UNUSED)
{
  mean_of_largest (call, sample, ((const KMax *) ((const WeftCall *) call)->attributes)->k);
}

static void
k_max_sample_backward (gpointer call, gint64 sample, guint member G_GNUC_UNUSED)
{
  share_gradient (call, sample, ((const KMax *) ((const WeftCall *) call)->attributes)->k);
}

static void
segment_max_forward (const WeftCall *call)
{
  weft_parallel (call, call->in[0]->samples, max_sample, (gpointer) call);
}

static void
segment_max_backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    weft_parallel (call, call->in_gradient[0]->samples, max_sample_backward, (gpointer) call);
}

static void
segment_k_max_forward (const WeftCall *call)
{
  weft_parallel (call, call->in[0]->samples, k_max_sample, (gpointer) call);
}

static void
segment_k_max_backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    weft_parallel (call, call->in_gradient[0]->samples, k_max_sample_backward, (gpointer) call);
}

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[b:t, d]", .meaning = "rows" },
  { .name = NULL },
};

static const WeftPort max_outputs[] = {
  { .name = "y", .signature = "f32[b, d]", .meaning = "maxima per sample and channel; zero for a sample without rows" },
  { .name = NULL },
};

static const WeftPort max_saved[] = {
  { .name = "rows", .signature = "i32[b, d]", .meaning = "where each maximum stands within its sample, the first of equals; -1: nowhere" },
  { .name = NULL },
};

static const WeftOperator segment_max = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "segment_max",
  .version = 1,
  .summary = "Takes the maximum of each channel over the rows of each sample",
  .documentation =
      "The whole gradient goes to the row that has the maximum, the first of equals. A not-a-number is the maximum of its channel.",
  .source = "Definition",
  .inputs = inputs,
  .outputs = max_outputs,
  .saved = max_saved,
  .forward = segment_max_forward,
  .backward = segment_max_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
             "y: {op: segment_max, x: x}\n",
};
WEFT_OPERATOR (segment_max);

static const WeftAttribute attributes[] = {
  WEFT_INTEGER (KMax, k, NULL, 1, 65536, "rows", "how many values are averaged; all where a sample has fewer rows"),
  { .name = NULL },
};

static const WeftPort k_max_outputs[] = {
  { .name = "y", .signature = "f32[b, d]", .meaning = "mean of the k largest per sample and channel; zero for a sample without rows" },
  { .name = NULL },
};

static const WeftPort k_max_saved[] = {
  { .name = "rows", .signature = "i32[b, $k, d]", .meaning = "where the largest values stand within their sample; -1: nowhere" },
  { .name = NULL },
};

static const WeftOperator segment_k_max = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "segment_k_max",
  .version = 1,
  .summary = "Averages the k largest values of each channel over the rows of each sample",
  .documentation =
      "Each channel chooses its rows on its own; of equal values the earlier rows are taken. With k = 1 this is segment_max, with k "
      "no smaller than any sample segment_mean.",
  .source = "Chen et al., Learning the Best Pooling Strategy for Visual Semantic Embedding (arXiv 2011.04305), section 3.1, K-MaxPool",
  .attributes_size = sizeof (KMax),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = k_max_outputs,
  .saved = k_max_saved,
  .forward = segment_k_max_forward,
  .backward = segment_k_max_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
             "y: {op: segment_k_max, x: x, k: 2}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
                                  "y: {op: segment_k_max, x: x, k: 1}\n",
                                  "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
                                  "y: {op: segment_k_max, x: x, k: 50}\n",
                                  NULL },
};
WEFT_OPERATOR (segment_k_max);
