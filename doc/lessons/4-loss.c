/* Lesson 4: a loss, what it keeps for backward, and outputs for the log.
 *
 * cosine_loss: 1 − cos(a_i, b_i), averaged over the rows. What backward needs beside inputs and outputs is a saved port; an optional output is
 * computed only if somebody reads it.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <weft/operator.h>

#define TINY 1e-12

enum
{
  LOSS,
  WORST,
};

static void
forward (const WeftCall *call)
{
  const float *a = call->in[0]->data, *b = call->in[1]->data;
  gint64 rows = call->in[0]->shape[0], width = call->in[0]->shape[1];
  /* NULL when no gradient is asked for. */
  float *kept = call->saved[0] ? call->saved[0]->data : NULL;
  double sum = 0, worst = 1;

  for (gint64 i = 0; i < rows; i++, a += width, b += width)
    {
      double ab = 0, aa = TINY, bb = TINY;
      for (gint64 j = 0; j < width; j++)
        {
          ab += (double) a[j] * (double) b[j];
          aa += (double) a[j] * (double) a[j];
          bb += (double) b[j] * (double) b[j];
        }
      double cosine = ab / sqrt (aa * bb);
      if (kept)
        kept[i] = (float) cosine;
      sum += 1 - cosine;
      worst = fmin (worst, cosine);
    }
  *(float *) call->out[LOSS]->data = rows ? (float) (sum / (double) rows) : 0;
  if (call->out[WORST])
    *(float *) call->out[WORST]->data = (float) worst;
}

/* d cos / da = b / (|a| |b|) − cos · a / |a|² */
static void
gradient_by (const float *a, const float *b, const float *cosine, gint64 rows, gint64 width, double factor, float *gradient)
{
  for (gint64 i = 0; i < rows; i++, a += width, b += width, gradient += width)
    {
      double aa = TINY, bb = TINY;
      for (gint64 j = 0; j < width; j++)
        {
          aa += (double) a[j] * (double) a[j];
          bb += (double) b[j] * (double) b[j];
        }
      for (gint64 j = 0; j < width; j++)
        gradient[j] = (float) (factor * ((double) b[j] / sqrt (aa * bb) - (double) cosine[i] * (double) a[j] / aa));
    }
}

static void
backward (const WeftCall *call)
{
  const float *a = call->in[0]->data, *b = call->in[1]->data, *cosine = call->saved[0]->data;
  gint64 rows = call->in[0]->shape[0], width = call->in[0]->shape[1];
  /* No gradient flows from outputs that are only logged. */
  double factor = call->out_gradient[LOSS] && rows ? -(double) *(const float *) call->out_gradient[LOSS]->data / (double) rows : 0;

  if (call->in_gradient[0])
    gradient_by (a, b, cosine, rows, width, factor, call->in_gradient[0]->data);
  if (call->in_gradient[1])
    gradient_by (b, a, cosine, rows, width, factor, call->in_gradient[1]->data);
}

static const WeftPort inputs[] = {
  { .name = "a", .signature = "f32[n, d]", .flags = WEFT_PORT_READ, .meaning = "rows" },
  { .name = "b", .signature = "f32[n, d]", .flags = WEFT_PORT_READ, .meaning = "the rows that they should point along" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "loss", .signature = "f32[]", .meaning = "mean of 1 − cos(a_i, b_i)" },
  { .name = "worst",
    .signature = "f32[]",
    .flags = WEFT_PORT_OPTIONAL | WEFT_PORT_CONSTANT, /* for the log: no gradient flows from it */
    .meaning = "least cosine of the batch" },
  { 0 },
};

static const WeftPort saved[] = {
  { .name = "cosine", .signature = "f32[n]", .meaning = "cos(a_i, b_i)" },
  { 0 },
};

static const WeftOperator cosine_loss = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "cosine_loss",
  .version = 1,
  .summary = "Mean of 1 − cosine of the rows of two values",
  .inputs = inputs,
  .outputs = outputs,
  .saved = saved,
  .forward = forward,
  .backward = backward,
  .example = "a: {op: feed, signature: \"f32[b<=5, 7]\", gradient: true}\n"
             "b: {op: feed, signature: \"f32[b, 7]\", gradient: true}\n"
             "loss: {op: cosine_loss, a: a, b: b}\n",
};
WEFT_OPERATOR (cosine_loss);
WEFT_MODULE ("lesson-4", "1.0", "A loss");
