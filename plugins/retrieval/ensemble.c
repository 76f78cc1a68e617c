/* ensemble: the mean of similarity matrices of several models.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#define TILE 16384

typedef struct
{
  const WeftCall *call;
  gint64 n;
} Work;

/* Matrices are added in the order in which they are given. */
static void
mean_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  guint count = work->call->in_count[0];
  float *y = work->call->out[0]->data;
  for (gint64 i = index * TILE; i < MIN (work->n, (index + 1) * TILE); i++)
    {
      double sum = 0;
      for (guint k = 0; k < count; k++)
        sum += (double) ((const float *) work->call->in[0][k].data)[i];
      y[i] = (float) (sum / count);
    }
}

static void
ensemble_forward (const WeftCall *call)
{
  const WeftTensor *matrices = call->in[0];
  for (guint k = 1; k < call->in_count[0]; k++)
    if (matrices[k].shape[0] != matrices[0].shape[0] || matrices[k].shape[1] != matrices[0].shape[1])
      {
        weft_fail (call,
                   "matrix %u is %" G_GINT64_FORMAT " by %" G_GINT64_FORMAT ", the first one %" G_GINT64_FORMAT " by %" G_GINT64_FORMAT
                   ": were they computed on the same images and captions?",
                   k, matrices[k].shape[0], matrices[k].shape[1], matrices[0].shape[0], matrices[0].shape[1]);
        return;
      }
  Work work = { call, weft_tensor_elements (call->out[0]) };
  weft_parallel (call, (work.n + TILE - 1) / TILE, mean_tile, &work);
}

/* Sizes of the matrices may be known only when they are there; the first one's count. */
static gboolean
ensemble_infer (WeftInference *inference, GError **error)
{
  return weft_inference_bind_input (inference, "n", 0, 0, 0, error) && weft_inference_bind_input (inference, "m", 0, 0, 1, error);
}

static const WeftPort inputs[] = {
  { .name = "similarities", .signature = "f32[n', m']", .flags = WEFT_PORT_VARIADIC, .meaning = "similarity matrices of equal size" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[n, m]", .meaning = "their mean" },
  { .name = NULL },
};

static const WeftOperator ensemble = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "ensemble",
  .version = 1,
  .summary = "Mean of several models' similarity matrices",
  .inputs = inputs,
  .outputs = outputs,
  .forward = ensemble_forward,
  .not_differentiable = "it joins finished models; add and scale have gradients",
  .infer = ensemble_infer,
  .example = "first: {op: feed, signature: \"f32[3, 6]\"}\n"
             "second: {op: feed, signature: \"f32[3, 6]\"}\n"
             "ensemble: {op: ensemble, similarities: {first: first, second: second}}\n",
};
WEFT_OPERATOR (ensemble);
