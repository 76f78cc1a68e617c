/* my_operator: the share of rows whose largest score is that of their label. */
#include <weft/operator.h>

static void
forward (const WeftCall *call)
{
  const float *scores = call->in[0]->data;
  const gint32 *labels = call->in[1]->data;
  gint64 n = call->in[0]->shape[0], classes = call->in[0]->shape[1], hits = 0;

  for (gint64 i = 0; i < n; i++)
    {
      const float *row = scores + i * classes;
      gint64 best = 0;
      if (labels[i] < 0 || labels[i] >= classes)
        {
          weft_fail (call, "label %d of row %" G_GINT64_FORMAT " is not one of %" G_GINT64_FORMAT " classes", labels[i], i, classes);
          return;
        }
      for (gint64 j = 1; j < classes; j++)
        if (row[j] > row[best])
          best = j;
      hits += best == labels[i];
    }
  *(float *) call->out[0]->data = n ? (float) hits / (float) n : 0;
}

static const WeftPort inputs[] = {
  { .name = "scores", .signature = "f32[n, c]", .meaning = "scores of all classes" },
  { .name = "labels", .signature = "i32[n]", .meaning = "the right classes, from 0" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "accuracy", .signature = "f32[]", .meaning = "share of hits, 0 to 1; 0 without rows" },
  { 0 },
};

static const WeftOperator my_operator = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "my_operator",
  .version = 1,
  .summary = "Share of rows whose largest score is their label's",
  .inputs = inputs,
  .outputs = outputs,
  .forward = forward,
  .not_differentiable = "a count of hits has no slope",
  .example = "scores: {op: feed, signature: \"f32[b<=6, 5]\"}\n"
             "labels: {op: feed, signature: \"i32[b]\"}\n"
             "accuracy: {op: my_operator, scores: scores, labels: labels}\n",
};
WEFT_OPERATOR (my_operator);
WEFT_MODULE ("my_operator", "0.1", "One metric");
