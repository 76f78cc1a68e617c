/* Initial values of parameters and states, as descriptors spell them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include <weft/operator.h>

#include "store.h"

#define MAX_ARGUMENTS 2

typedef struct
{
  WeftRandom random;
  double arguments[MAX_ARGUMENTS];
  WeftTensor *tensor;
} Initial;

/* Draws are indexed by 32 bits, of which a normal draw takes two indices: larger tensors go on in further streams. */
#define BLOCK_BITS 30

static inline WeftRandom
block_stream (WeftRandom random, gint64 element)
{
  return weft_random_split (random, (guint32) (element >> BLOCK_BITS));
}

static inline guint32
block_index (gint64 element)
{
  return (guint32) (element & (((gint64) 1 << BLOCK_BITS) - 1));
}

static void
put (WeftTensor *tensor, gint64 element, double value)
{
  switch (tensor->type)
    {
    case WEFT_F32:
      ((float *) tensor->data)[element] = (float) value;
      break;
    case WEFT_F64:
      ((double *) tensor->data)[element] = value;
      break;
    case WEFT_I64:
      ((gint64 *) tensor->data)[element] = (gint64) value;
      break;
    case WEFT_I32:
      ((gint32 *) tensor->data)[element] = (gint32) value;
      break;
    case WEFT_U8:
      ((guint8 *) tensor->data)[element] = (guint8) value;
      break;
    case WEFT_F16:
      ((guint16 *) tensor->data)[element] = weft_f32_to_f16 ((float) value);
      break;
    case WEFT_BF16:
      ((guint16 *) tensor->data)[element] = weft_f32_to_bf16 ((float) value);
      break;
    default:
      g_assert_not_reached ();
    }
}

static void
fill (const Initial *initial, double value)
{
  gint64 n = weft_tensor_elements (initial->tensor);
  for (gint64 i = 0; i < n; i++)
    put (initial->tensor, i, value);
}

static void
fill_uniform (const Initial *initial, double low, double high)
{
  gint64 n = weft_tensor_elements (initial->tensor);
  for (gint64 i = 0; i < n; i++)
    put (initial->tensor, i, low + (high - low) * (double) weft_random_uniform (block_stream (initial->random, i), block_index (i)));
}

static const char *
zeros (const Initial *initial)
{
  memset (initial->tensor->data, 0, weft_tensor_bytes (initial->tensor));
  return NULL;
}

static const char *
ones (const Initial *initial)
{
  fill (initial, 1);
  return NULL;
}

static const char *
constant (const Initial *initial)
{
  fill (initial, initial->arguments[0]);
  return NULL;
}

static const char *
uniform (const Initial *initial)
{
  if (initial->arguments[0] > initial->arguments[1])
    return "the first number must not be above the second";
  fill_uniform (initial, initial->arguments[0], initial->arguments[1]);
  return NULL;
}

static const char *
normal (const Initial *initial)
{
  if (initial->arguments[0] < 0)
    return "the standard deviation must not be negative";
  gint64 n = weft_tensor_elements (initial->tensor);
  for (gint64 i = 0; i < n; i++)
    put (initial->tensor, i, initial->arguments[0] * (double) weft_random_normal (block_stream (initial->random, i), block_index (i)));
  return NULL;
}

/* Glorot and Bengio, 2010: U(±√6 / √(in + out)). */
static const char *
xavier (const Initial *initial)
{
  const WeftTensor *tensor = initial->tensor;
  if (tensor->rank < 2)
    return "it needs two dimensions";
  double limit = sqrt (6.0 / (double) (tensor->shape[tensor->rank - 2] + tensor->shape[tensor->rank - 1]));
  fill_uniform (initial, -limit, limit);
  return NULL;
}

static const char *
fan_in (const Initial *initial)
{
  if (initial->arguments[0] <= 0)
    return "the size must be positive";
  double limit = 1 / sqrt (initial->arguments[0]);
  fill_uniform (initial, -limit, limit);
  return NULL;
}

static const char *
unit_rows (const Initial *initial)
{
  gint64 width = weft_tensor_last (initial->tensor);
  gint64 n = width > 0 ? weft_tensor_elements (initial->tensor) / width : 0;
  float *row = initial->tensor->data;
  fill_uniform (initial, 0, 1);
  for (gint64 i = 0; i < n; i++, row += width)
    {
      double square = 0;
      for (gint64 c = 0; c < width; c++)
        square += (double) row[c] * (double) row[c];
      for (gint64 c = 0; c < width; c++)
        row[c] = (float) ((double) row[c] / (sqrt (square) + 1e-8));
    }
  return NULL;
}

static const struct
{
  const char *word;
  guint arguments;
  gboolean fractions; /* makes no sense for integers */
  const char *(*write) (const Initial *initial);
} kinds[] = {
  { "zeros", 0, FALSE, zeros },  { "ones", 0, FALSE, ones },    { "constant", 1, FALSE, constant }, { "uniform", 2, TRUE, uniform },
  { "normal", 1, TRUE, normal }, { "xavier", 0, TRUE, xavier }, { "fan_in", 1, TRUE, fan_in },      { "unit_rows", 0, TRUE, unit_rows },
};

/* "word" or "word(number, number)": the word's length and the numbers; -1 if it is neither. */
static int
parse (const char *text, gsize *length, double *arguments)
{
  int n = 0;
  *length = strcspn (text, "( ");
  const char *at = text + *length;
  if (*at == '\0')
    return 0;
  if (*at != '(')
    return -1;
  do
    {
      char *end;
      if (n == MAX_ARGUMENTS)
        return -1;
      arguments[n++] = g_ascii_strtod (at + 1, &end);
      if (end == at + 1 || !isfinite (arguments[n - 1]))
        return -1;
      at = end;
    }
  while (*at == ',');
  return g_str_equal (at, ")") ? n : -1;
}

gboolean
weft_initialise (WeftTensor *tensor, const char *text, const char *path, guint64 seed, GError **error)
{
  Initial initial = { .random = weft_random_for (seed, path, 0), .tensor = tensor };
  const char *message = "valid: zeros, ones, constant(c), uniform(low, high), normal(deviation), xavier, fan_in(size), unit_rows";
  gsize length;
  if (text == NULL)
    text = "zeros";
  int arguments = parse (text, &length, initial.arguments);
  for (guint i = 0; arguments >= 0 && i < G_N_ELEMENTS (kinds); i++)
    if (strlen (kinds[i].word) == length && strncmp (kinds[i].word, text, length) == 0)
      {
        gboolean real = tensor->type == WEFT_F32 || (tensor->type == WEFT_F64 && kinds[i].write != unit_rows);
        if (kinds[i].arguments != (guint) arguments)
          message = kinds[i].arguments == 0   ? "it takes no numbers"
                    : kinds[i].arguments == 1 ? "it takes one number"
                                              : "it takes two numbers";
        else if (kinds[i].fractions && !real)
          message = "the type does not hold such values";
        else
          message = kinds[i].write (&initial);
        break;
      }
  if (message == NULL)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: initial value \"%s\": %s", path, text, message);
  return FALSE;
}
