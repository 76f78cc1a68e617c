/* Tensors: sizes, names, and conversions of every half-width number.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tensor.h"

START_TEST (types_have_names_and_sizes)
{
  static const gsize sizes[WEFT_N_TYPES] = { 4, 8, 2, 2, 8, 4, 1 };
  static const char *const wrong[] = { "", "f", "F32", "f32 ", "float", "i16", "u8[" };
  WeftType type;
  for (guint i = 0; i < WEFT_N_TYPES; i++)
    {
      ck_assert_uint_eq (weft_type_size (i), sizes[i]);
      ck_assert (weft_type_from_name (weft_type_name (i), &type));
      ck_assert_int_eq (type, i);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    ck_assert_msg (!weft_type_from_name (wrong[i], &type), "%s", wrong[i]);
}
END_TEST

static const struct
{
  WeftTensor tensor;
  gint64 elements, columns, last;
  gsize bytes;
  const char *description;
} shapes[] = {
  { { .type = WEFT_F32 }, 1, 1, 1, 4, "f32[]" },
  { { .type = WEFT_F64, .rank = 1, .shape = { 7 } }, 7, 1, 7, 56, "f64[7]" },
  { { .type = WEFT_I32, .rank = 2, .shape = { 0, 5 } }, 0, 5, 5, 0, "i32[0, 5]" },
  { { .type = WEFT_U8, .rank = 3, .shape = { 2, 3, 4 } }, 24, 12, 4, 24, "u8[2, 3, 4]" },
  { { .type = WEFT_F16, .rank = 5, .shape = { 1, 2, 3, 4, 5 } }, 120, 120, 5, 240, "f16[1, 2, 3, 4, 5]" },
  { { .type = WEFT_F32, .rank = 2, .shape = { 1000000, 3000 } },
    G_GINT64_CONSTANT (3000000000),
    3000,
    3000,
    G_GUINT64_CONSTANT (12000000000),
    "f32[1000000, 3000]" },
};

START_TEST (sizes_follow_from_shapes)
{
  g_autofree char *description = weft_tensor_describe (&shapes[_i].tensor);
  ck_assert_int_eq (weft_tensor_elements (&shapes[_i].tensor), shapes[_i].elements);
  ck_assert_int_eq (weft_tensor_columns (&shapes[_i].tensor), shapes[_i].columns);
  ck_assert_int_eq (weft_tensor_last (&shapes[_i].tensor), shapes[_i].last);
  ck_assert_uint_eq (weft_tensor_bytes (&shapes[_i].tensor), shapes[_i].bytes);
  ck_assert_str_eq (description, shapes[_i].description);
}
END_TEST

START_TEST (ragged_tensors_say_so)
{
  gint32 offsets[] = { 0, 2, 9 };
  WeftTensor tensor = { .type = WEFT_F32, .rank = 2, .shape = { 9, 4 }, .offsets = offsets, .samples = 2 };
  g_autofree char *description = weft_tensor_describe (&tensor);
  ck_assert_str_eq (description, "f32[2:9, 4]");
}
END_TEST

/* A number of @fraction_bits bits after the point and an exponent with this bias, by IEEE 754's definition. */
static double
value_of (guint bits, guint fraction_bits, int bias)
{
  guint exponent_bits = 15 - fraction_bits, exponent = bits >> fraction_bits & ((1u << exponent_bits) - 1),
        fraction = bits & ((1u << fraction_bits) - 1);
  double sign = bits >> 15 ? -1 : 1;
  if (exponent == (1u << exponent_bits) - 1)
    return fraction != 0 ? NAN : sign * INFINITY;
  if (exponent == 0)
    return sign * ldexp (fraction, 1 - bias - (int) fraction_bits);
  return sign * ldexp (1 + ldexp (fraction, -(int) fraction_bits), (int) exponent - bias);
}

static const struct
{
  float (*widen) (guint16 half);
  guint16 (*narrow) (float value);
  guint fraction_bits;
  int bias;
} formats[] = { { weft_f16_to_f32, weft_f32_to_f16, 10, 15 }, { weft_bf16_to_f32, weft_f32_to_bf16, 7, 127 } };

/* Not ck_assert: it reports each of its calls. */
static void
check_half (gboolean right, guint bits, const char *what)
{
  if (!right)
    ck_abort_msg ("0x%04x: %s", bits, what);
}

START_TEST (every_half_is_widened_and_comes_back)
{
  for (guint bits = 0; bits < 0x10000; bits++)
    {
      double value = value_of (bits, formats[_i].fraction_bits, formats[_i].bias);
      float wide = formats[_i].widen ((guint16) bits);
      if (isnan (value))
        {
          check_half (isnan (wide), bits, "is no longer a not-a-number");
          check_half (isnan (value_of (formats[_i].narrow (wide), formats[_i].fraction_bits, formats[_i].bias)), bits,
                      "comes back as a number");
          continue;
        }
      check_half ((double) wide == value && !signbit (wide) == !signbit (value), bits, "is widened to another number");
      check_half (formats[_i].narrow (wide) == bits, bits, "comes back as another number");
    }
}
END_TEST

/* Between two neighbours: nearer to one, it becomes that one; in the middle, the even one. */
START_TEST (numbers_between_are_rounded_to_nearest_even)
{
  guint infinite = ((1u << (15 - formats[_i].fraction_bits)) - 1) << formats[_i].fraction_bits;
  for (guint bits = 0; bits < infinite; bits++)
    {
      double low = value_of (bits, formats[_i].fraction_bits, formats[_i].bias);
      /* What comes after the largest number is as far from it as if exponents went on. */
      double high = bits + 1 < infinite ? value_of (bits + 1, formats[_i].fraction_bits, formats[_i].bias)
                                        : 2 * low - value_of (bits - 1, formats[_i].fraction_bits, formats[_i].bias);
      float middle = (float) ((low + high) / 2), below = nextafterf (middle, 0), above = nextafterf (middle, INFINITY);
      guint even = bits % 2 == 0 ? bits : bits + 1;
      check_half ((double) middle == (low + high) / 2, bits, "has no middle to its neighbour");
      check_half (formats[_i].narrow (below) == bits, bits, "what is nearer does not become it");
      check_half (formats[_i].narrow (middle) == even, bits, "the middle to its neighbour does not become the even one");
      check_half (formats[_i].narrow (above) == bits + 1, bits, "what is nearer to its neighbour does not become that");
      check_half (formats[_i].narrow (-below) == (bits | 0x8000), bits, "negative numbers differ");
      check_half (formats[_i].narrow (-above) == ((bits + 1) | 0x8000), bits, "negative numbers differ");
    }
  ck_assert_uint_eq (formats[_i].narrow (INFINITY), infinite);
  ck_assert_uint_eq (formats[_i].narrow (-INFINITY), infinite | 0x8000);
  ck_assert_uint_eq (formats[_i].narrow (FLT_MAX), infinite);
}
END_TEST

/* Also those whose payload lies in the bits that go. */
START_TEST (what_is_not_a_number_stays_so)
{
  static const guint32 bits[] = { 0x7f800001, 0xff800001, 0x7f801fff, 0x7fc00000, 0xffffffff };
  for (gsize i = 0; i < G_N_ELEMENTS (bits); i++)
    {
      float value;
      memcpy (&value, &bits[i], sizeof value);
      ck_assert_msg (isnan (formats[_i].widen (formats[_i].narrow (value))), "0x%08x", bits[i]);
    }
}
END_TEST

START_TEST (all_types_convert_to_floats)
{
  static const double doubles[] = { 0.1, -1e300, 3 };
  static const gint64 longs[] = { -1, G_GINT64_CONSTANT (1) << 40, 7 };
  static const gint32 integers[] = { -1, G_MAXINT32, 7 };
  static const guint8 bytes[] = { 0, 255, 7 };
  static const guint16 halves[] = { 0x3c00, 0xc000, 0x7bff }, brains[] = { 0x3f80, 0xc000, 0x4049 };
  static const float floats[] = { 0.1f, -INFINITY, 3 };
  static const struct
  {
    WeftType type;
    gconstpointer from;
    float expected[3];
  } values[] = {
    { WEFT_F64, doubles, { 0.1f, -INFINITY, 3 } }, { WEFT_I64, longs, { -1, 0x1p40f, 7 } },
    { WEFT_I32, integers, { -1, 0x1p31f, 7 } },    { WEFT_U8, bytes, { 0, 255, 7 } },
    { WEFT_F16, halves, { 1, -2, 65504 } },        { WEFT_BF16, brains, { 1, -2, 3.140625f } },
    { WEFT_F32, floats, { 0.1f, -INFINITY, 3 } },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      float to[4] = { -7, -7, -7, -7 };
      weft_convert_to_f32 (values[i].type, values[i].from, 0, to);
      ck_assert_float_eq (to[0], -7);
      weft_convert_to_f32 (values[i].type, values[i].from, 3, to);
      for (guint k = 0; k < 3; k++)
        ck_assert_msg (to[k] == values[i].expected[k], "%s: %g", weft_type_name (values[i].type), (double) to[k]);
      ck_assert_float_eq (to[3], -7);
    }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("tensor");
  TCase *tests = tcase_create ("tensor");
  tcase_add_test (tests, types_have_names_and_sizes);
  tcase_add_loop_test (tests, sizes_follow_from_shapes, 0, G_N_ELEMENTS (shapes));
  tcase_add_test (tests, ragged_tensors_say_so);
  tcase_add_loop_test (tests, every_half_is_widened_and_comes_back, 0, G_N_ELEMENTS (formats));
  tcase_add_loop_test (tests, numbers_between_are_rounded_to_nearest_even, 0, G_N_ELEMENTS (formats));
  tcase_add_loop_test (tests, what_is_not_a_number_stays_so, 0, G_N_ELEMENTS (formats));
  tcase_add_test (tests, all_types_convert_to_floats);
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
