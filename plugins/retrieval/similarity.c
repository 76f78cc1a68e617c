/* similarity: all images against all captions.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "matrix-writer.h"

typedef struct
{
  const char *save;
} Similarity;

static void
similarity_forward (const WeftCall *call)
{
  const Similarity *attributes = call->attributes;
  const WeftTensor *images = call->in[0], *captions = call->in[1];
  gint64 n = images->shape[0], m = captions->shape[0], e = images->shape[1];
  weft_matrix_product (call, FALSE, TRUE, n, m, e, 1.0f, images->data, e, captions->data, e, 0.0f, call->out[0]->data, m);
  if (attributes->save)
    matrix_write (call, attributes->save, call->out[0]);
}

static const WeftAttribute attributes[] = {
  WEFT_WRITTEN_PATH (Similarity, save, "", "`.npy` file for the matrix"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "images", .signature = "f32[n, e]", .meaning = "image embeddings" },
  { .name = "captions", .signature = "f32[m, e]", .meaning = "caption embeddings" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[n, m]", .meaning = "similarities of images (rows) and captions" },
  { .name = NULL },
};

static const WeftOperator similarity = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "similarity",
  .version = 1,
  .summary = "Products of all image embeddings with all caption embeddings",
  .documentation = "For what needs the whole matrix, such as an ensemble; recalls takes embeddings and holds no matrix.",
  .attributes_size = sizeof (Similarity),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = similarity_forward,
  .not_differentiable = "it scores finished embeddings; matrix_product has a gradient",
  .example = "images: {op: feed, signature: \"f32[3, 5]\"}\n"
             "captions: {op: feed, signature: \"f32[6, 5]\"}\n"
             "similarity: {op: similarity, images: images, captions: captions}\n",
};
WEFT_OPERATOR (similarity);
