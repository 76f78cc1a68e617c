/* Sizes, names and conversions of element types.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "tensor.h"

#include <string.h>

static const struct
{
  const char *name;
  gsize size;
} types[WEFT_N_TYPES] = {
  [WEFT_F32] = { "f32", 4 }, [WEFT_F64] = { "f64", 8 }, [WEFT_F16] = { "f16", 2 }, [WEFT_BF16] = { "bf16", 2 },
  [WEFT_I64] = { "i64", 8 }, [WEFT_I32] = { "i32", 4 }, [WEFT_U8] = { "u8", 1 },
};

gsize
weft_type_size (WeftType type)
{
  g_return_val_if_fail (type < WEFT_N_TYPES, 0);
  return types[type].size;
}

const char *
weft_type_name (WeftType type)
{
  g_return_val_if_fail (type < WEFT_N_TYPES, "?");
  return types[type].name;
}

gboolean
weft_type_from_name (const char *name, WeftType *type)
{
  for (guint i = 0; i < WEFT_N_TYPES; i++)
    if (strcmp (types[i].name, name) == 0)
      {
        *type = (WeftType) i;
        return TRUE;
      }
  return FALSE;
}

gint64
weft_tensor_elements (const WeftTensor *tensor)
{
  gint64 elements = 1;
  for (guint i = 0; i < tensor->rank; i++)
    elements *= tensor->shape[i];
  return elements;
}

gsize
weft_tensor_bytes (const WeftTensor *tensor)
{
  return (gsize) weft_tensor_elements (tensor) * weft_type_size (tensor->type);
}

gint64
weft_tensor_columns (const WeftTensor *tensor)
{
  gint64 columns = 1;
  for (guint i = 1; i < tensor->rank; i++)
    columns *= tensor->shape[i];
  return columns;
}

/**
 * weft_tensor_describe:
 *
 * Returns: (transfer full): the type and shape as users see them, `f32[128, 768]`, or `f32[128:1723, 768]` for a ragged tensor
 */
char *
weft_tensor_describe (const WeftTensor *tensor)
{
  GString *text = g_string_new (weft_type_name (tensor->type));
  g_string_append_c (text, '[');
  for (guint i = 0; i < tensor->rank; i++)
    {
      if (i > 0)
        g_string_append (text, ", ");
      else if (tensor->offsets)
        g_string_append_printf (text, "%" G_GINT64_FORMAT ":", tensor->samples);
      g_string_append_printf (text, "%" G_GINT64_FORMAT, tensor->shape[i]);
    }
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

static float
float_of_bits (guint32 bits)
{
  float value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

static guint32
bits_of_float (float value)
{
  guint32 bits;
  memcpy (&bits, &value, sizeof bits);
  return bits;
}

float
weft_f16_to_f32 (guint16 half)
{
  guint32 sign = (guint32) (half & 0x8000) << 16;
  guint32 exponent = (half >> 10) & 0x1f;
  guint32 fraction = half & 0x3ff;
  if (exponent == 31)
    return float_of_bits (sign | 0x7f800000 | fraction << 13);
  if (exponent > 0)
    return float_of_bits (sign | (exponent + 112) << 23 | fraction << 13);
  /* Zero and subnormal numbers: fraction · 2^-24 is exact in float32. */
  float magnitude = (float) fraction * 0x1p-24f;
  return sign ? -magnitude : magnitude;
}

guint16
weft_f32_to_f16 (float value)
{
  guint32 bits = bits_of_float (value);
  guint16 sign = (guint16) (bits >> 16 & 0x8000);
  guint32 magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return sign | 0x7e00 | (guint16) (magnitude >> 13 & 0x3ff);
  /* 65520 = 2^16 - 2^4 is halfway between the largest half and what would be 2^16: it and all above round to infinity. */
  if (magnitude >= 0x477ff000)
    return sign | 0x7c00;
  if (magnitude < 0x38800000)
    {
      /* Below 2^-14 halves are multiples of 2^-24: adding 1/2, whose last place is 2^-24, rounds to one and leaves it in the low bits. */
      float shifted = float_of_bits (magnitude) + 0.5f;
      return sign | (guint16) (bits_of_float (shifted) - 0x3f000000);
    }
  /* Re-bias the exponent, then add just below half of the last place, or half if the kept part is odd; a carry moves on to the exponent. */
  magnitude -= 112u << 23;
  magnitude += 0xfff + (magnitude >> 13 & 1);
  return sign | (guint16) (magnitude >> 13);
}

float
weft_bf16_to_f32 (guint16 half)
{
  return float_of_bits ((guint32) half << 16);
}

guint16
weft_f32_to_bf16 (float value)
{
  guint32 bits = bits_of_float (value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return (guint16) (bits >> 16 | 0x40);
  return (guint16) ((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#define CONVERT_EACH(Element, expression)                                                                                                  \
  for (gint64 i = 0; i < n; i++)                                                                                                           \
    {                                                                                                                                      \
      Element x = ((const Element *) from)[i];                                                                                             \
      to[i] = (float) (expression);                                                                                                        \
    }                                                                                                                                      \
  break

void
weft_convert_to_f32 (WeftType type, gconstpointer from, gint64 n, float *to)
{
  switch (type)
    {
    case WEFT_F32:
      if (n > 0)
        memmove (to, from, (gsize) n * sizeof *to);
      break;
    case WEFT_F64:
      CONVERT_EACH (double, x);
    case WEFT_F16:
      CONVERT_EACH (guint16, weft_f16_to_f32 (x));
    case WEFT_BF16:
      CONVERT_EACH (guint16, weft_bf16_to_f32 (x));
    case WEFT_I64:
      CONVERT_EACH (gint64, x);
    case WEFT_I32:
      CONVERT_EACH (gint32, x);
    case WEFT_U8:
      CONVERT_EACH (guint8, x);
    case WEFT_N_TYPES:
      g_assert_not_reached ();
    }
}
