/* my_operator: a source of noisy points of a line, y = 2 x + 1, in batches. */
#include <weft/operator.h>

typedef struct
{
  gint64 items, batch;
  double noise;
} MyOperator;

/* The position is a state, so that a run that was stopped goes on where it was. Everything else follows from the item's number. */
static void
forward (const WeftCall *call)
{
  const MyOperator *self = call->attributes;
  gint64 *position = call->states[0]->data, n = MIN (self->batch, self->items - *position);
  float *x = call->out[0]->data, *y = call->out[1]->data;

  if (n <= 0)
    {
      *position = 0;
      weft_exhausted (call);
      return;
    }
  for (gint64 i = 0; i < n; i++)
    {
      WeftRandom random = weft_random_for (1, "my_operator", (guint64) (*position + i));
      x[i] = 2 * weft_random_uniform (random, 0) - 1;
      y[i] = 2 * x[i] + 1 + (float) self->noise * weft_random_normal (random, 1);
    }
  *position += n;
  weft_resize (call, call->out[0], 0, n);
  weft_resize (call, call->out[1], 0, n);
}

static const WeftAttribute attributes[] = {
  WEFT_INTEGER (MyOperator, items, "1000", 1, 1 << 30, "items", "points of a pass"),
  WEFT_INTEGER (MyOperator, batch, NULL, 1, 1 << 20, "items", "points of a step; the last has what is left"),
  WEFT_NUMBER (MyOperator, noise, "0.1", 0, 1e6, "", "standard deviation of the noise on y"),
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "x", .signature = "f32[b <= $batch, 1]", .meaning = "abscissas, from -1 to 1" },
  { .name = "y", .signature = "f32[b <= $batch, 1]", .meaning = "2 x + 1 and noise" },
  { 0 },
};

static const WeftPort states[] = {
  { .name = "position", .signature = "i64[]", .initial = "zeros", .meaning = "items of this pass that were given" },
  { 0 },
};

static const WeftOperator my_operator = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "my_operator",
  .version = 1,
  .summary = "Gives noisy points of a line",
  .attributes_size = sizeof (MyOperator),
  .attributes = attributes,
  .outputs = outputs,
  .states = states,
  .forward = forward,
  .not_differentiable = "a source of data",
  .is_source = TRUE,
  .example = "points: {op: my_operator, items: 10, batch: 4}\n"
             "average: {op: mean, x: points.y}\n",
};
WEFT_OPERATOR (my_operator);
WEFT_MODULE ("my_operator", "0.1", "One source");
