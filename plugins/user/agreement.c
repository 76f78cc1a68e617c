/* agreement: how well each region agrees with its image as a whole: the scores of self-guided enhancement.
 *
 * One pass over the regions: activation, dropout, the product with the sample's vector and the sum over channels happen in registers, and
 * backward forms the activation and the mask again instead of keeping them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include <string.h>

#include "loops.h"

typedef struct
{
  double dropout;
} Agreement;

enum
{
  LOCAL,
  GLOBAL,
};

enum
{
  WEIGHT,
  BIAS,
};

#define COLUMNS 256 /* of a tile that goes down the samples */

typedef struct
{
  const WeftCall *call;
  gint64 width;
  WeftRandom random;
  guint32 threshold; /* of dropout; 0: none */
  float factor;      /* of what is kept */
  float *factors;    /* a row per sample: weight ⊙ global; in backward another with Σ_r dscore_r dropout(tanh(local_r)) */
} Work;

static Work
work_for (const WeftCall *call)
{
  double rate = call->mode == WEFT_MODE_TRAIN ? ((const Agreement *) call->attributes)->dropout : 0;

  return (Work){ .call = call,
                 .width = call->in[LOCAL]->shape[1],
                 .random = call->random,
                 .threshold = rate > 0 ? (guint32) MIN (rate * 0x1p32, 4294967295.0) : 0,
                 .factor = rate < 1 ? (float) (1 / (1 - rate)) : 0,
                 .factors = call->scratch };
}

static gsize
agreement_scratch (const WeftCall *call)
{
  return ((gsize) call->in[GLOBAL]->shape[0] * 2 + weft_team_size (call)) * (gsize) call->in[LOCAL]->shape[1] * sizeof (float);
}

/* Draws are numbered by element of the whole tensor, @first is that of x_0. */
WEFT_LOOP float
kept (WeftRandom random, guint32 element, guint32 threshold, float factor)
{
  return weft_random_bits (random, element) >= threshold ? factor : 0;
}

WEFT_LOOP float
score_loop (gint64 n, const float *x, const float *factors, WeftRandom random, guint32 first, guint32 threshold, float factor)
{
  float sums[LOOP_LANES] = { 0 };
  gint64 i = 0;
  if (threshold)
    for (; i + LOOP_LANES <= n; i += LOOP_LANES)
      {
        __builtin_prefetch (x + i + LOOP_AHEAD);
        for (int lane = 0; lane < LOOP_LANES; lane++)
          sums[lane] += loop_tanh (x[i + lane]) * kept (random, first + (guint32) (i + lane), threshold, factor) * factors[i + lane];
      }
  else
    for (; i + LOOP_LANES <= n; i += LOOP_LANES)
      for (int lane = 0; lane < LOOP_LANES; lane++)
        sums[lane] += loop_tanh (x[i + lane]) * factors[i + lane];
  for (; i < n; i++)
    sums[0] += loop_tanh (x[i]) * (threshold ? kept (random, first + (guint32) i, threshold, factor) : 1) * factors[i];
  for (int width = LOOP_LANES / 2; width; width /= 2)
    for (int lane = 0; lane < width; lane++)
      sums[lane] += sums[lane + width];
  return sums[0];
}
WEFT_DISPATCH (float, score_of, score_loop,
               (gint64 n, const float *x, const float *factors, WeftRandom random, guint32 first, guint32 threshold, float factor),
               (n, x, factors, random, first, threshold, factor))

/* With s the gradient by the score: dx = s factors m (1 − tanh²), sums += s m tanh, where m is the mask over 1 − rate. */
WEFT_LOOP void
score_gradient_part (gint64 n, const float *restrict x, const float *restrict factors, WeftRandom random, guint32 first, guint32 threshold,
                     float factor, float by_score, float *restrict dx, float *restrict sums)
{
  for (gint64 i = 0; i < n; i++)
    {
      float t = loop_tanh (x[i]), scaled = threshold ? by_score * kept (random, first + (guint32) i, threshold, factor) : by_score;
      dx[i] = scaled * factors[i] * (1 - t * t);
      sums[i] += scaled * t;
    }
}

WEFT_LOOP void
score_gradient_loop (gint64 n, const float *x, const float *factors, WeftRandom random, guint32 first, guint32 threshold, float factor,
                     float by_score, float *dx, float *sums)
{
  gint64 i = 0;
  if (threshold)
    for (; i + LOOP_LANES <= n; i += LOOP_LANES)
      {
        __builtin_prefetch (x + i + LOOP_AHEAD);
        score_gradient_part (LOOP_LANES, x + i, factors + i, random, first + (guint32) i, threshold, factor, by_score, dx + i, sums + i);
      }
  score_gradient_part (n - i, x + i, factors + i, random, first + (guint32) i, threshold, factor, by_score, dx + i, sums + i);
}
WEFT_DISPATCH (void, score_gradient, score_gradient_loop,
               (gint64 n, const float *x, const float *factors, WeftRandom random, guint32 first, guint32 threshold, float factor,
                float by_score, float *dx, float *sums),
               (n, x, factors, random, first, threshold, factor, by_score, dx, sums))

WEFT_LOOP void
multiply_loop (gint64 n, const float *restrict a, const float *restrict b, float *restrict y)
{
  for (gint64 i = 0; i < n; i++)
    y[i] = a[i] * b[i];
}
WEFT_DISPATCH (void, multiply, multiply_loop, (gint64 n, const float *a, const float *b, float *y), (n, a, b, y))

static void
score_sample (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  const WeftCall *call = work->call;
  const WeftTensor *local = call->in[LOCAL];
  float *factors = work->factors + sample * work->width, bias = *(const float *) call->parameters[BIAS]->data;

  multiply (work->width, call->parameters[WEIGHT]->data, (const float *) call->in[GLOBAL]->data + sample * work->width, factors);
  for (gint64 row = local->offsets[sample]; row < local->offsets[sample + 1]; row++)
    ((float *) call->out[0]->data)[row] = bias
                                          + score_of (work->width, (const float *) local->data + row * work->width, factors, work->random,
                                                      (guint32) (row * work->width), work->threshold, work->factor);
}

static void
agreement_forward (const WeftCall *call)
{
  Work work = work_for (call);

  weft_parallel (call, call->in[LOCAL]->samples, score_sample, &work);
}

/* Where nobody wants the gradient by the regions, it goes to a row of scratch. */
static void
differentiate_sample (gpointer data, gint64 sample, guint member)
{
  const Work *work = data;
  const WeftCall *call = work->call;
  const WeftTensor *local = call->in[LOCAL];
  const float *by_score = call->out_gradient[0]->data;
  gint64 samples = call->in[GLOBAL]->shape[0];
  float *factors = work->factors + sample * work->width, *sums = factors + samples * work->width;
  float *spare = work->factors + (2 * samples + member) * work->width;

  multiply (work->width, call->parameters[WEIGHT]->data, (const float *) call->in[GLOBAL]->data + sample * work->width, factors);
  memset (sums, 0, (gsize) work->width * sizeof (float));
  for (gint64 row = local->offsets[sample]; row < local->offsets[sample + 1]; row++)
    score_gradient (work->width, (const float *) local->data + row * work->width, factors, work->random, (guint32) (row * work->width),
                    work->threshold, work->factor, by_score[row],
                    call->in_gradient[LOCAL] ? (float *) call->in_gradient[LOCAL]->data + row * work->width : spare, sums);
  if (call->in_gradient[GLOBAL])
    multiply (work->width, call->parameters[WEIGHT]->data, sums, (float *) call->in_gradient[GLOBAL]->data + sample * work->width);
}

static void
weight_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  const WeftCall *call = work->call;
  gint64 first = index * COLUMNS, n = MIN (COLUMNS, work->width - first), samples = call->in[GLOBAL]->shape[0];
  const float *global = (const float *) call->in[GLOBAL]->data + first, *sums = work->factors + samples * work->width + first;
  double totals[COLUMNS] = { 0 };

  for (gint64 sample = 0; sample < samples; sample++)
    for (gint64 c = 0; c < n; c++)
      totals[c] += (double) (global[sample * work->width + c] * sums[sample * work->width + c]);
  for (gint64 c = 0; c < n; c++)
    ((float *) call->parameter_gradient[WEIGHT]->data)[first + c] = (float) totals[c];
}

static void
agreement_backward (const WeftCall *call)
{
  Work work = work_for (call);
  double sum = 0;

  weft_parallel (call, call->in[LOCAL]->samples, differentiate_sample, &work);
  if (call->parameter_gradient[WEIGHT])
    weft_parallel (call, (work.width + COLUMNS - 1) / COLUMNS, weight_tile, &work);
  for (gint64 row = 0; row < call->in[LOCAL]->shape[0]; row++)
    sum += (double) ((const float *) call->out_gradient[0]->data)[row];
  if (call->parameter_gradient[BIAS])
    *(float *) call->parameter_gradient[BIAS]->data = (float) sum;
}

static const WeftAttribute attributes[] = {
  WEFT_SCHEDULED (Agreement, dropout, "0", 0, 0.999, "", "share of the activated local features that is dropped in training"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "local", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "what is said of each region, before activation" },
  { .name = "global", .signature = "f32[b, d]", .flags = WEFT_PORT_READ, .meaning = "what is said of the sample as a whole" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "score", .signature = "f32[b:t, 1]", .meaning = "w · (dropout(tanh(local)) ⊙ global) + b" },
  { .name = NULL },
};

static const WeftPort parameters[] = {
  { .name = "weight", .signature = "f32[1, d]", .flags = WEFT_PORT_READ, .meaning = "w", .initial = "xavier" },
  { .name = "bias", .signature = "f32[1]", .meaning = "b", .initial = "zeros" },
  { .name = NULL },
};

static const WeftOperator agreement = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "agreement",
  .version = 1,
  .summary = "Scores each region by its agreement with the sample as a whole",
  .documentation =
      "score_r = w · (dropout(tanh(local_r)) ⊙ global) + b, in one pass and without spreading the global vector over the regions. "
      "The mask is a function of seed, path, step and element; backward draws it again.",
  .source = "Zhang et al., USER (arXiv 2301.06844), section III-B, self-guided enhancement",
  .attributes_size = sizeof (Agreement),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .parameters = parameters,
  .forward = agreement_forward,
  .backward = agreement_backward,
  .scratch = agreement_scratch,
  .example = "local: {op: feed, signature: \"f32[b<=4 : t<=20, 6]\", gradient: true}\n"
             "global: {op: feed, signature: \"f32[b<=4, 6]\", gradient: true}\n"
             "score: {op: agreement, local: local, global: global, dropout: 0.3, mode: train}\n",
};
WEFT_OPERATOR (agreement);
