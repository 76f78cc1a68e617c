/* Element-wise operators: activations, sums, products, dropout.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "kernels/vector.h"
#include "tiles.h"

typedef void (*Unary) (gint64 n, const float *x, float *y);
typedef void (*Binary) (gint64 n, const float *a, const float *b, float *y);

typedef struct
{
  Unary unary;
  Binary binary;
  const float *a, *b;
  float *y;
  gint64 n;
  float factor, offset;
  WeftRandom random;
  guint32 threshold;
} Work;

static void
unary_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  gint64 first = index * ELEMENT_TILE, n = MIN (ELEMENT_TILE, work->n - first);

  work->unary (n, work->a + first, work->y + first);
}

static void
binary_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  gint64 first = index * ELEMENT_TILE, n = MIN (ELEMENT_TILE, work->n - first);

  work->binary (n, work->a + first, work->b + first, work->y + first);
}

static void
map_unary (const WeftCall *call, Unary unary, const WeftTensor *x, WeftTensor *y)
{
  Work work = { .unary = unary, .a = x->data, .y = y->data, .n = weft_tensor_elements (y) };

  weft_parallel (call, tiles_of (work.n, ELEMENT_TILE), unary_tile, &work);
}

static void
map_binary (const WeftCall *call, Binary binary, const WeftTensor *a, const WeftTensor *b, WeftTensor *y)
{
  Work work = { .binary = binary, .a = a->data, .b = b->data, .y = y->data, .n = weft_tensor_elements (y) };

  weft_parallel (call, tiles_of (work.n, ELEMENT_TILE), binary_tile, &work);
}

static void
scale_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  gint64 first = index * ELEMENT_TILE, n = MIN (ELEMENT_TILE, work->n - first);

  vector->scale (n, work->factor, work->offset, work->a + first, work->y + first);
}

static void
map_scale (const WeftCall *call, double factor, double offset, const WeftTensor *x, WeftTensor *y)
{
  Work work = { .factor = (float) factor, .offset = (float) offset, .a = x->data, .y = y->data, .n = weft_tensor_elements (y) };

  weft_parallel (call, tiles_of (work.n, ELEMENT_TILE), scale_tile, &work);
}

#define EXAMPLE_OF(name)                                                                                                                   \
  "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"                                                                   \
  "y: {op: " name ", x: x}\n"

/* Activations whose gradient follows from the result. */
#define ACTIVATION_BY_RESULT(name_, summary_)                                                                                              \
  static void name_##_forward (const WeftCall *call)                                                                                       \
  {                                                                                                                                        \
    map_unary (call, vector->name_, call->in[0], call->out[0]);                                                                            \
  }                                                                                                                                        \
  static void name_##_backward (const WeftCall *call)                                                                                      \
  {                                                                                                                                        \
    if (call->in_gradient[0])                                                                                                              \
      map_binary (call, vector->name_##_gradient, call->out[0], call->out_gradient[0], call->in_gradient[0]);                              \
  }                                                                                                                                        \
  static const WeftOperator name_##_operator = {                                                                                           \
    .size = WEFT_OPERATOR_SIZE,                                                                                                            \
    .name = #name_,                                                                                                                        \
    .version = 1,                                                                                                                          \
    .summary = summary_,                                                                                                                   \
    .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[...]", .meaning = "anything" }, { 0 } },                                \
    .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[...]", .flags = WEFT_PORT_READ, .meaning = "each element" }, { 0 } },  \
    .in_place = (const char *const[]){ "x=y", NULL },                                                                                      \
    .forward = name_##_forward,                                                                                                            \
    .backward = name_##_backward,                                                                                                          \
    .example = EXAMPLE_OF (#name_),                                                                                                        \
  };                                                                                                                                       \
  WEFT_OPERATOR (name_##_operator)

ACTIVATION_BY_RESULT (relu, "max(x, 0)");
ACTIVATION_BY_RESULT (tanh, "hyperbolic tangent");
ACTIVATION_BY_RESULT (sigmoid, "1 / (1 + exp(−x))");

typedef struct
{
  int form;
} Gelu;

static void
gelu_forward (const WeftCall *call)
{
  const Gelu *self = call->attributes;

  map_unary (call, self->form ? vector->gelu_quick : vector->gelu, call->in[0], call->out[0]);
}

static void
gelu_backward (const WeftCall *call)
{
  const Gelu *self = call->attributes;

  if (call->in_gradient[0])
    map_binary (call, self->form ? vector->gelu_quick_gradient : vector->gelu_gradient, call->in[0], call->out_gradient[0],
                call->in_gradient[0]);
}

static const WeftOperator gelu = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "gelu",
  .version = 1,
  .summary = "x Φ(x), or x sigmoid(1.702 x)",
  .source = "Hendrycks, Gimpel: Gaussian error linear units, 2016",
  .attributes_size = sizeof (Gelu),
  .attributes =
      (const WeftAttribute[]){ WEFT_CHOICE (Gelu, form, "erf", "erf: exact, as BERT; quick: sigmoid, as CLIP", "erf", "quick"), { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[...]", .flags = WEFT_PORT_READ, .meaning = "anything" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[...]", .meaning = "each element" }, { 0 } },
  .forward = gelu_forward,
  .backward = gelu_backward,
  .example = EXAMPLE_OF ("gelu"),
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
                                  "y: {op: gelu, x: x, form: quick}\n",
                                  NULL },
};
WEFT_OPERATOR (gelu);

typedef struct
{
  double rate;
} Dropout;

static void
dropout_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  gint64 first = index * ELEMENT_TILE, n = MIN (ELEMENT_TILE, work->n - first);

  vector->dropout (n, work->a + first, work->random, (guint32) first, work->threshold, work->factor, work->y + first);
}

/* Forward and backward are the same map: the mask is drawn again. */
static void
apply_dropout (const WeftCall *call, const WeftTensor *x, WeftTensor *y)
{
  double rate = call->mode == WEFT_MODE_TRAIN ? ((const Dropout *) call->attributes)->rate : 0;
  Work work = { .a = x->data, .y = y->data, .n = weft_tensor_elements (y), .random = call->random };

  if (rate <= 0)
    {
      if (x->data != y->data)
        map_scale (call, 1, 0, x, y);
      return;
    }
  work.threshold = (guint32) MIN (rate * 0x1p32, 4294967295.0);
  work.factor = rate < 1 ? (float) (1 / (1 - rate)) : 0;
  weft_parallel (call, tiles_of (work.n, ELEMENT_TILE), dropout_tile, &work);
}

static void
dropout_forward (const WeftCall *call)
{
  apply_dropout (call, call->in[0], call->out[0]);
}

static void
dropout_backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    apply_dropout (call, call->out_gradient[0], call->in_gradient[0]);
}

static const WeftOperator dropout = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "dropout",
  .version = 1,
  .summary = "in training, elements are set to 0 at a rate and the others scaled up",
  .documentation = "The mask is a function of seed, path, step and element, so that backward draws it again instead of keeping it.",
  .source = "Srivastava et al.: Dropout, JMLR 2014",
  .attributes_size = sizeof (Dropout),
  .attributes = (const WeftAttribute[]){ WEFT_SCHEDULED (Dropout, rate, "0.1", 0, 1, "", "probability of being dropped"), { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[...]", .meaning = "anything" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[...]", .meaning = "x / (1 − rate), or 0" }, { 0 } },
  .in_place = (const char *const[]){ "x=y", NULL },
  .forward = dropout_forward,
  .backward = dropout_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
             "y: {op: dropout, x: x, rate: 0.4, mode: train}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
                                  "y: {op: dropout, x: x, rate: 0, mode: train}\n",
                                  "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
                                  "y: {op: dropout, x: x, rate: 0.9, mode: infer}\n",
                                  NULL },
};
WEFT_OPERATOR (dropout);

static void
add_forward (const WeftCall *call)
{
  const WeftTensor *x = call->in[0];

  if (call->in_count[0] == 1)
    map_scale (call, 1, 0, &x[0], call->out[0]);
  for (guint i = 1; i < call->in_count[0]; i++)
    map_binary (call, vector->add, i == 1 ? &x[0] : call->out[0], &x[i], call->out[0]);
}

static const WeftOperator add = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "add",
  .version = 1,
  .summary = "sum of values of one shape",
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[...]", .flags = WEFT_PORT_VARIADIC, .meaning = "what is added" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[...]", .meaning = "x₁ + x₂ + …" }, { 0 } },
  .in_place = (const char *const[]){ "x=y", NULL },
  .forward = add_forward,
  .passes_gradient = TRUE,
  .example = "a: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
             "b: {op: feed, signature: \"f32[b : t, 7]\", gradient: true}\n"
             "y: {op: add, x: [a, b]}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
                                  "y: {op: add, x: [x]}\n",
                                  "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
                                  "y: {op: add, x: [x, x, x]}\n",
                                  NULL },
};
WEFT_OPERATOR (add);

static void
subtract_forward (const WeftCall *call)
{
  map_binary (call, vector->subtract, call->in[0], call->in[1], call->out[0]);
}

static void
subtract_backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    map_scale (call, 1, 0, call->out_gradient[0], call->in_gradient[0]);
  if (call->in_gradient[1])
    map_scale (call, -1, 0, call->out_gradient[0], call->in_gradient[1]);
}

static const WeftOperator subtract = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "subtract",
  .version = 1,
  .summary = "difference of two values of one shape",
  .inputs = (const WeftPort[]){ { .name = "a", .signature = "f32[...]", .meaning = "minuend" },
                                { .name = "b", .signature = "f32[...]", .meaning = "subtrahend" },
                                { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[...]", .meaning = "a − b" }, { 0 } },
  .in_place = (const char *const[]){ "a=y", NULL },
  .forward = subtract_forward,
  .backward = subtract_backward,
  .example = "a: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
             "b: {op: feed, signature: \"f32[b : t, 7]\", gradient: true}\n"
             "y: {op: subtract, a: a, b: b}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
                                  "y: {op: subtract, a: x, b: x}\n",
                                  NULL },
};
WEFT_OPERATOR (subtract);

static void
multiply_forward (const WeftCall *call)
{
  map_binary (call, vector->multiply, call->in[0], call->in[1], call->out[0]);
}

static void
multiply_backward (const WeftCall *call)
{
  for (int i = 0; i < 2; i++)
    if (call->in_gradient[i])
      map_binary (call, vector->multiply, call->out_gradient[0], call->in[1 - i], call->in_gradient[i]);
}

static const WeftOperator multiply = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "multiply",
  .version = 1,
  .summary = "element-wise product of two values of one shape",
  .inputs = (const WeftPort[]){ { .name = "a", .signature = "f32[...]", .flags = WEFT_PORT_READ, .meaning = "factor" },
                                { .name = "b", .signature = "f32[...]", .flags = WEFT_PORT_READ, .meaning = "factor" },
                                { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[...]", .meaning = "a ⊙ b" }, { 0 } },
  .forward = multiply_forward,
  .backward = multiply_backward,
  .example = "a: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
             "b: {op: feed, signature: \"f32[b : t, 7]\", gradient: true}\n"
             "y: {op: multiply, a: a, b: b}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
                                  "y: {op: multiply, a: x, b: x}\n",
                                  NULL },
};
WEFT_OPERATOR (multiply);

typedef struct
{
  double factor, offset;
} Scale;

static void
scale_forward (const WeftCall *call)
{
  const Scale *self = call->attributes;

  map_scale (call, self->factor, self->offset, call->in[0], call->out[0]);
}

static void
scale_backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    map_scale (call, ((const Scale *) call->attributes)->factor, 0, call->out_gradient[0], call->in_gradient[0]);
}

static const WeftOperator scale = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "scale",
  .version = 1,
  .summary = "factor · x + offset",
  .attributes_size = sizeof (Scale),
  .attributes = (const WeftAttribute[]){ WEFT_SCHEDULED (Scale, factor, "1", 0, 0, "", "what x is multiplied with"),
                                         WEFT_SCHEDULED (Scale, offset, "0", 0, 0, "", "what is added"),
                                         { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[...]", .meaning = "anything" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[...]", .meaning = "factor · x + offset" }, { 0 } },
  .in_place = (const char *const[]){ "x=y", NULL },
  .forward = scale_forward,
  .backward = scale_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
             "y: {op: scale, x: x, factor: 3, offset: 1}\n",
};
WEFT_OPERATOR (scale);
