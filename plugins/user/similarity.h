/* What the losses share: a batch's similarity matrix, and the way of its gradient back to the embeddings.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

/* The first three inputs of every loss over a batch of pairs, in this order. */
enum
{
  PAIRS_IMAGE,
  PAIRS_TEXT,
  PAIRS_SIMILARITY,
  PAIRS_N_INPUTS
};

#define PAIRS_INPUTS                                                                                                                       \
  {                                                                                                                                        \
    "image", "f32[b, e]", WEFT_PORT_OPTIONAL | WEFT_PORT_READ, "image embeddings of unit norm; row i belongs to text i", NULL, NULL, NULL  \
  },                                                                                                                                       \
      { "text", "f32[b, e]", WEFT_PORT_OPTIONAL | WEFT_PORT_READ, "text embeddings of unit norm", NULL, NULL, NULL },                      \
  {                                                                                                                                        \
    "similarity", "f32[b, b]", WEFT_PORT_OPTIONAL | WEFT_PORT_READ,                                                                        \
        "similarities of images (rows) and texts (columns), from any scorer, instead of the products of embeddings", NULL, NULL, NULL      \
  }

/* The last outputs of every loss over a batch of pairs; @first is the index of `positive`. */
#define PAIRS_OUTPUTS                                                                                                                      \
  { "positive", "f32[]", WEFT_PORT_OPTIONAL, "mean similarity of the pairs", NULL, NULL, NULL },                                           \
  {                                                                                                                                        \
    "negative", "f32[]", WEFT_PORT_OPTIONAL, "mean similarity of everything else in the batch", NULL, NULL, NULL                           \
  }

/**
 * pairs_infer:
 *
 * For `infer`: either both embeddings or similarities are there; letters of what is left open become 0.
 */
gboolean pairs_infer (WeftInference *inference, GError **error);

/**
 * pairs_similarity:
 * @memory: b×b floats, used when similarities have to be computed
 * @n: (out): batch size b
 *
 * Returns: the b×b similarities, image i in row i
 */
const float *pairs_similarity (const WeftCall *call, float *memory, gint64 *n);

/**
 * pairs_gradient:
 * @gradient: b×b floats, by the similarities
 *
 * Sets the gradients by image and text embeddings, or by the similarities, whichever are wanted.
 */
void pairs_gradient (const WeftCall *call, const float *gradient);

/**
 * pairs_means:
 * @positive: (nullable): tensor for the mean of the diagonal
 * @negative: (nullable): tensor for the mean of everything else, 0 where there is nothing else
 */
void pairs_means (const float *similarity, gint64 n, WeftTensor *positive, WeftTensor *negative);

/* The batch size, also when only sizes are known (in `scratch`). */
gint64 pairs_count (const WeftCall *call);

/* The gradient by scalar output @port, 0 if none flows. */
static inline float
pairs_scalar_gradient (const WeftCall *call, guint port)
{
  return call->out_gradient[port] ? *(const float *) call->out_gradient[port]->data : 0.0f;
}

static inline void
pairs_set_scalar (WeftTensor *tensor, double value)
{
  if (tensor)
    *(float *) tensor->data = (float) value;
}

G_END_DECLS
