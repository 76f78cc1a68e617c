/* What the losses share: a batch's similarity matrix, and the way of its gradient back to the embeddings.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "similarity.h"

#include <string.h>

gboolean
pairs_infer (WeftInference *inference, GError **error)
{
  gboolean image = weft_inference_input_count (inference, PAIRS_IMAGE) > 0;
  gboolean text = weft_inference_input_count (inference, PAIRS_TEXT) > 0;
  gboolean similarity = weft_inference_input_count (inference, PAIRS_SIMILARITY) > 0;
  if (image != text)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "input %s needs %s beside it", image ? "image" : "text", image ? "text" : "image");
      return FALSE;
    }
  if (!image && !similarity)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "connect the inputs image and text, or the input similarity");
      return FALSE;
    }
  return image || weft_inference_bind (inference, "e", 0, error);
}

gint64
pairs_count (const WeftCall *call)
{
  return call->in[PAIRS_SIMILARITY] ? call->in[PAIRS_SIMILARITY]->shape[0] : call->in[PAIRS_IMAGE]->shape[0];
}

const float *
pairs_similarity (const WeftCall *call, float *memory, gint64 *n)
{
  gint64 b = pairs_count (call);
  *n = b;
  if (call->in[PAIRS_SIMILARITY])
    {
      /* A batch size of its own kind for rows and columns would be caught by the signature; the actual sizes agree. */
      return call->in[PAIRS_SIMILARITY]->data;
    }
  gint64 e = call->in[PAIRS_IMAGE]->shape[1];
  weft_matrix_product (call, FALSE, TRUE, b, b, e, 1.0f, call->in[PAIRS_IMAGE]->data, e, call->in[PAIRS_TEXT]->data, e, 0.0f, memory, b);
  return memory;
}

void
pairs_gradient (const WeftCall *call, const float *gradient)
{
  gint64 b = pairs_count (call);
  WeftTensor *by_image = call->in_gradient[PAIRS_IMAGE], *by_text = call->in_gradient[PAIRS_TEXT];
  if (call->in[PAIRS_SIMILARITY])
    {
      if (call->in_gradient[PAIRS_SIMILARITY])
        memcpy (call->in_gradient[PAIRS_SIMILARITY]->data, gradient, (gsize) (b * b) * sizeof (float));
      if (by_image)
        memset (by_image->data, 0, weft_tensor_bytes (by_image));
      if (by_text)
        memset (by_text->data, 0, weft_tensor_bytes (by_text));
      return;
    }
  gint64 e = call->in[PAIRS_IMAGE]->shape[1];
  if (by_image)
    weft_matrix_product (call, FALSE, FALSE, b, e, b, 1.0f, gradient, b, call->in[PAIRS_TEXT]->data, e, 0.0f, by_image->data, e);
  if (by_text)
    weft_matrix_product (call, TRUE, FALSE, b, e, b, 1.0f, gradient, b, call->in[PAIRS_IMAGE]->data, e, 0.0f, by_text->data, e);
}

void
pairs_means (const float *similarity, gint64 n, WeftTensor *positive, WeftTensor *negative)
{
  if (!positive && !negative)
    return;
  double diagonal = 0, all = 0;
  for (gint64 i = 0; i < n; i++)
    {
      diagonal += (double) similarity[i * n + i];
      for (gint64 j = 0; j < n; j++)
        all += (double) similarity[i * n + j];
    }
  pairs_set_scalar (positive, n ? diagonal / (double) n : 0);
  pairs_set_scalar (negative, n > 1 ? (all - diagonal) / ((double) n * (double) (n - 1)) : 0);
}
