/* my_operator: an average of each channel that follows what it sees, m ← r m + (1 − r) mean(x). */
#include <string.h>
#include <weft/operator.h>

typedef struct
{
  double rate;
} MyOperator;

/* States are saved with a run. Whatever is kept elsewhere would be lost when a run goes on. */
static void
forward (const WeftCall *call)
{
  const MyOperator *self = call->attributes;
  const float *x = call->in[0]->data;
  gint64 n = call->in[0]->shape[0], width = call->in[0]->shape[1];
  float *average = call->states[0]->data;

  for (gint64 j = 0; n && j < width; j++)
    {
      double sum = 0;
      for (gint64 i = 0; i < n; i++)
        sum += (double) x[i * width + j];
      average[j] = (float) (self->rate * (double) average[j] + (1 - self->rate) * sum / (double) n);
    }
  memcpy (call->out[0]->data, average, (gsize) width * sizeof (float));
}

static const WeftAttribute attributes[] = {
  WEFT_NUMBER (MyOperator, rate, "0.9", 0, 1, "", "how much of the old average stays in a step"),
  { 0 },
};

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[n, d]", .meaning = "rows" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "average", .signature = "f32[d]", .meaning = "the average after this step" },
  { 0 },
};

static const WeftPort states[] = {
  { .name = "average", .signature = "f32[d]", .initial = "zeros", .meaning = "the average so far" },
  { 0 },
};

static const WeftOperator my_operator = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "my_operator",
  .version = 1,
  .summary = "Follows the average of each channel",
  .attributes_size = sizeof (MyOperator),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .states = states,
  .forward = forward,
  .not_differentiable = "a statistic: nothing is learned through it",
  .effect = TRUE,
  .example = "x: {op: feed, signature: \"f32[b<=5, 7]\"}\n"
             "follow: {op: my_operator, x: x, rate: 0.5}\n",
};
WEFT_OPERATOR (my_operator);
WEFT_MODULE ("my_operator", "0.1", "One operator with a state");
