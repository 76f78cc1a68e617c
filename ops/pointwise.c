/* Element-wise operators: activations, sums, products, dropout.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "kernels/vector.h"
#include "tiles.h"

typedef void (*Unary) (gint64 n, const float *x, float *y);
typedef void (*Binary) (gint64 n, const float *a, const float *b, float *y);

typedef struct
{
  Binary binary;
  const float *a, *b;
  float *y;
  gint64 n;
  float factor, offset;
} Work;

/* Rows of a part are too short for the kernels to look ahead in them: what the row after next reads and writes is asked for here. */
#define ROWS_AHEAD 2

static inline void
expect (const WeftPart *part, gint64 row, const float *values)
{
  const float *at = values + (row + ROWS_AHEAD) * part->width + part->first_column;

  for (gint64 i = 0; row + ROWS_AHEAD < part->first_row + part->rows && i < part->columns; i += 16)
    __builtin_prefetch (at + i);
}

static void
unary_part (Unary unary, const WeftCall *call, const WeftPart *part)
{
  const float *x = call->in[0]->data;
  float *y = call->out[0]->data;

  for (gint64 row = part->first_row; row < part->first_row + part->rows; row++)
    {
      gint64 at = row * part->width + part->first_column;
      expect (part, row, y);
      unary (part->columns, x + at, y + at);
    }
}

static void
binary_part (Binary binary, const WeftPart *part, const float *a, const float *b, float *y)
{
  for (gint64 row = part->first_row; row < part->first_row + part->rows; row++)
    {
      gint64 at = row * part->width + part->first_column;
      expect (part, row, b);
      if (y != a)
        expect (part, row, y);
      binary (part->columns, a + at, b + at, y + at);
    }
}

static void
scale_rows (const WeftPart *part, double factor, double offset, const float *x, float *y)
{
  for (gint64 row = part->first_row; row < part->first_row + part->rows; row++)
    {
      gint64 at = row * part->width + part->first_column;
      vector->scale (part->columns, (float) factor, (float) offset, x + at, y + at);
    }
}

static void
binary_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  gint64 first = index * ELEMENT_TILE, n = MIN (ELEMENT_TILE, work->n - first);

  work->binary (n, work->a + first, work->b + first, work->y + first);
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
  static void name_##_part (const WeftCall *call, const WeftPart *part)                                                                    \
  {                                                                                                                                        \
    unary_part (vector->name_, call, part);                                                                                                \
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
    .forward_part = name_##_part,                                                                                                          \
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
gelu_part (const WeftCall *call, const WeftPart *part)
{
  const Gelu *self = call->attributes;

  unary_part (self->form ? vector->gelu_quick : vector->gelu, call, part);
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
  .forward_part = gelu_part,
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

/* What becomes of elements: at a rate of 0 all stay. Forward and backward are the same map: the mask is drawn again. */
typedef struct
{
  guint32 threshold;
  float factor;
} Mask;

static Mask
mask_of (const WeftCall *call)
{
  double rate = call->mode == WEFT_MODE_TRAIN ? ((const Dropout *) call->attributes)->rate : 0;

  return (Mask){ (guint32) MIN (rate * 0x1p32, 4294967295.0), rate < 1 ? (float) (1 / (1 - rate)) : 0 };
}

static void
mask_elements (const WeftCall *call, Mask mask, gint64 n, const float *x, gint64 first, float *y)
{
  if (mask.threshold)
    vector->dropout (n, x + first, call->random, (guint32) first, mask.threshold, mask.factor, y + first);
  else if (x != y)
    memcpy (y + first, x + first, (gsize) n * sizeof *y);
}

static void
dropout_part (const WeftCall *call, const WeftPart *part)
{
  Mask mask = mask_of (call);

  for (gint64 row = part->first_row; row < part->first_row + part->rows; row++)
    mask_elements (call, mask, part->columns, call->in[0]->data, row * part->width + part->first_column, call->out[0]->data);
}

static void
dropout_gradient_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  gint64 first = index * ELEMENT_TILE, n = MIN (ELEMENT_TILE, weft_tensor_elements (call->in_gradient[0]) - first);

  mask_elements (call, mask_of (call), n, call->out_gradient[0]->data, first, call->in_gradient[0]->data);
}

static void
dropout_backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    weft_parallel (call, tiles_of (weft_tensor_elements (call->in_gradient[0]), ELEMENT_TILE), dropout_gradient_tile, (gpointer) call);
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
  .forward_part = dropout_part,
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
add_part (const WeftCall *call, const WeftPart *part)
{
  const WeftTensor *x = call->in[0];
  float *y = call->out[0]->data;

  if (call->in_count[0] == 1)
    scale_rows (part, 1, 0, x->data, y);
  for (guint i = 1; i < call->in_count[0]; i++)
    binary_part (vector->add, part, i == 1 ? x->data : y, x[i].data, y);
}

static const WeftOperator add = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "add",
  .version = 1,
  .summary = "sum of values of one shape",
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[...]", .flags = WEFT_PORT_VARIADIC, .meaning = "what is added" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[...]", .meaning = "x₁ + x₂ + …" }, { 0 } },
  .in_place = (const char *const[]){ "x=y", NULL },
  .forward_part = add_part,
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
subtract_part (const WeftCall *call, const WeftPart *part)
{
  binary_part (vector->subtract, part, call->in[0]->data, call->in[1]->data, call->out[0]->data);
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
  .forward_part = subtract_part,
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
multiply_part (const WeftCall *call, const WeftPart *part)
{
  binary_part (vector->multiply, part, call->in[0]->data, call->in[1]->data, call->out[0]->data);
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
  .forward_part = multiply_part,
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
scale_part (const WeftCall *call, const WeftPart *part)
{
  const Scale *self = call->attributes;

  scale_rows (part, self->factor, self->offset, call->in[0]->data, call->out[0]->data);
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
  .forward_part = scale_part,
  .backward = scale_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
             "y: {op: scale, x: x, factor: 3, offset: 1}\n",
};
WEFT_OPERATOR (scale);
