/* info_nce: cross-entropy of finding each sample's partner in the batch.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "similarity.h"

#include <math.h>
#include <string.h>

typedef struct
{
  double temperature;
} InfoNce;

enum
{
  OUT_LOSS,
  OUT_POSITIVE,
  OUT_NEGATIVE,
};

/* log Σ_j exp(s_j / τ) over @n similarities @stride apart. */
static double
log_sum (const float *similarity, gint64 n, gint64 stride, double temperature)
{
  double greatest = -INFINITY, sum = 0;
  for (gint64 j = 0; j < n; j++)
    greatest = MAX (greatest, (double) similarity[j * stride] / temperature);
  for (gint64 j = 0; j < n; j++)
    sum += (double) expf ((float) ((double) similarity[j * stride] / temperature - greatest));
  return greatest + log (sum);
}

static void
info_nce_forward (const WeftCall *call)
{
  double temperature = ((const InfoNce *) call->attributes)->temperature, total = 0;
  gint64 b = pairs_count (call);
  double *logarithms = call->saved[1] ? call->saved[1]->data : call->scratch;
  WeftTensor *kept = call->saved[0];
  const float *similarity = pairs_similarity (call, kept ? kept->data : (float *) ((double *) call->scratch + 2 * b), &b);
  if (kept && kept->data != similarity)
    memcpy (kept->data, similarity, (gsize) (b * b) * sizeof (float));
  for (gint64 i = 0; i < b; i++)
    {
      logarithms[i] = log_sum (similarity + i * b, b, 1, temperature);
      logarithms[b + i] = log_sum (similarity + i, b, b, temperature);
      total += logarithms[i] + logarithms[b + i] - 2 * (double) similarity[i * b + i] / temperature;
    }
  pairs_set_scalar (call->out[OUT_LOSS], b ? total / (2 * (double) b) : 0);
  pairs_means (similarity, b, call->out[OUT_POSITIVE], call->out[OUT_NEGATIVE]);
}

static void
info_nce_backward (const WeftCall *call)
{
  double temperature = ((const InfoNce *) call->attributes)->temperature;
  gint64 b = pairs_count (call);
  const float *similarity = call->saved[0]->data;
  const double *logarithms = call->saved[1]->data;
  float *gradient = (float *) ((double *) call->scratch + 2 * b);
  float factor = (float) (pairs_scalar_gradient (call, OUT_LOSS) / (2 * (double) MAX (b, 1) * temperature));
  float by_positive = b ? pairs_scalar_gradient (call, OUT_POSITIVE) / (float) b : 0;
  float by_negative = b > 1 ? pairs_scalar_gradient (call, OUT_NEGATIVE) / ((float) b * (float) (b - 1)) : 0;
  for (gint64 i = 0; i < b; i++)
    for (gint64 j = 0; j < b; j++)
      {
        double exponent = (double) similarity[i * b + j] / temperature;
        float share = expf ((float) (exponent - logarithms[i])) + expf ((float) (exponent - logarithms[b + j]));
        gradient[i * b + j] = factor * (i == j ? share - 2 : share) + (i == j ? by_positive : by_negative);
      }
  pairs_gradient (call, gradient);
}

static gsize
info_nce_scratch (const WeftCall *call)
{
  gsize b = (gsize) pairs_count (call);
  return 2 * b * sizeof (double) + b * b * sizeof (float);
}

static const WeftAttribute attributes[] = {
  WEFT_SCHEDULED (InfoNce, temperature, "0.07", 1e-4, 1e3, "", "temperature τ that divides the similarities"),
  { .name = NULL },
};

static const WeftPort inputs[] = { PAIRS_INPUTS, { .name = NULL } };

static const WeftPort outputs[] = {
  { .name = "loss", .signature = "f32[]", .meaning = "mean over the batch and both directions" },
  PAIRS_OUTPUTS,
  { .name = NULL },
};

static const WeftPort saved[] = {
  { .name = "similarity", .signature = "f32[b, b]", .meaning = "similarities within the batch" },
  { .name = "logarithms", .signature = "f64[2, b]", .meaning = "log Σ exp(s / τ) of rows and of columns" },
  { .name = NULL },
};

static const WeftOperator info_nce = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "info_nce",
  .version = 1,
  .summary = "Symmetric cross-entropy of finding each image's text and each text's image in the batch",
  .documentation = "Mean of −log(exp(s_ii / τ) / Σ_j exp(s_ij / τ)) over images and of the same over texts, divided by two.",
  .source =
      "van den Oord et al., Contrastive predictive coding (arXiv 1807.03748), equation 4; in both directions as in Radford et al., CLIP "
      "(arXiv 2103.00020), figure 3",
  .attributes_size = sizeof (InfoNce),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .saved = saved,
  .forward = info_nce_forward,
  .backward = info_nce_backward,
  .infer = pairs_infer,
  .scratch = info_nce_scratch,
  .example = "image: {op: feed, signature: \"f32[b<=6, 4]\", gradient: true}\n"
             "text: {op: feed, signature: \"f32[b<=6, 4]\", gradient: true}\n"
             "loss: {op: info_nce, image: image, text: text, temperature: 0.5}\n",
  .cases = (const char *const[]){ "rows: {op: feed, signature: \"f32[5, 4]\", gradient: true}\n"
                                  "columns: {op: feed, signature: \"f32[5, 4]\", gradient: true}\n"
                                  "similarity: {op: matrix_product, a: rows, b: columns}\n"
                                  "loss: {op: info_nce, similarity: similarity, temperature: 0.5}\n",
                                  NULL },
};
WEFT_OPERATOR (info_nce);
