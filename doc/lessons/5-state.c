/* Lesson 5: an effect with a state.
 *
 * extremes: the least and the greatest value that each channel ever had. Whatever lives longer than a step is a state port: it is saved with
 * the run, and a run that goes on from a checkpoint gives the same bits as one that never stopped. Static variables would not.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>
#include <weft/operator.h>

enum
{
  LEAST,
  GREATEST,
  SEEN,
};

static void
forward (const WeftCall *call)
{
  const float *x = call->in[0]->data;
  gint64 rows = call->in[0]->shape[0], width = call->in[0]->shape[1];
  float *least = call->states[LEAST]->data, *greatest = call->states[GREATEST]->data;
  gint64 *seen = call->states[SEEN]->data;

  for (gint64 i = 0; i < rows; i++, (*seen)++)
    for (gint64 j = 0; j < width; j++)
      {
        least[j] = *seen ? fminf (least[j], x[i * width + j]) : x[i * width + j];
        greatest[j] = *seen ? fmaxf (greatest[j], x[i * width + j]) : x[i * width + j];
      }
  memcpy (call->out[LEAST]->data, least, (gsize) width * sizeof (float));
  memcpy (call->out[GREATEST]->data, greatest, (gsize) width * sizeof (float));
}

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[n, d]", .meaning = "rows" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "least", .signature = "f32[d]", .meaning = "least value so far" },
  { .name = "greatest", .signature = "f32[d]", .meaning = "greatest value so far" },
  { 0 },
};

static const WeftPort states[] = {
  { .name = "least", .signature = "f32[d]", .initial = "zeros", .meaning = "least value so far" },
  { .name = "greatest", .signature = "f32[d]", .initial = "zeros", .meaning = "greatest value so far" },
  { .name = "seen", .signature = "i64[]", .initial = "zeros", .meaning = "rows so far" },
  { 0 },
};

/* effect: it runs even if nobody reads its outputs. What has no gradient says why. */
static const WeftOperator extremes = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "extremes",
  .version = 1,
  .summary = "Least and greatest value of each channel over all steps",
  .inputs = inputs,
  .outputs = outputs,
  .states = states,
  .forward = forward,
  .not_differentiable = "a statistic: nothing is learned through it",
  .effect = TRUE,
  .example = "x: {op: feed, signature: \"f32[b<=5, 7]\"}\n"
             "watch: {op: extremes, x: x}\n",
};
WEFT_OPERATOR (extremes);
WEFT_MODULE ("lesson-5", "1.0", "An effect with a state");
