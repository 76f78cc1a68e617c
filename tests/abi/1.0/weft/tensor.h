/* Tensors: typed, dense, row-major views of memory that somebody else owns.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define WEFT_MAX_RANK 5

/**
 * WeftType:
 *
 * Element types. Files may hold any of them; operators compute in the types that their signatures name.
 */
typedef enum
{
  WEFT_F32,
  WEFT_F64,
  WEFT_F16,
  WEFT_BF16,
  WEFT_I64,
  WEFT_I32,
  WEFT_U8,
  WEFT_N_TYPES
} WeftType;

/**
 * WeftTensor:
 * @type: element type
 * @rank: number of dimensions, 0 for a scalar
 * @shape: sizes, outermost first
 * @data: elements in row-major order, owned elsewhere
 * @offsets: (nullable): for a ragged tensor, @samples + 1 row numbers: sample i owns rows offsets[i] to offsets[i + 1] - 1
 * @samples: number of samples of a ragged tensor, else 0
 *
 * A view. Ragged data (captions, regions) is rows plus offsets and is never padded: @shape[0] counts the rows of all samples.
 */
typedef struct
{
  WeftType type;
  guint rank;
  gint64 shape[WEFT_MAX_RANK];
  gpointer data;
  gint32 *offsets;
  gint64 samples;
} WeftTensor;

gsize weft_type_size (WeftType type);
const char *weft_type_name (WeftType type);
gboolean weft_type_from_name (const char *name, WeftType *type);

gint64 weft_tensor_elements (const WeftTensor *tensor);
gsize weft_tensor_bytes (const WeftTensor *tensor);
char *weft_tensor_describe (const WeftTensor *tensor);

/**
 * weft_tensor_columns:
 *
 * Returns: product of all dimensions but the first; 1 for ranks 0 and 1.
 */
gint64 weft_tensor_columns (const WeftTensor *tensor);

/**
 * weft_tensor_last:
 *
 * Returns: size of the last dimension; 1 for a scalar.
 */
static inline gint64
weft_tensor_last (const WeftTensor *tensor)
{
  return tensor->rank ? tensor->shape[tensor->rank - 1] : 1;
}

/* Conversions between float32 and the two half-width formats, IEEE 754 binary16 and bfloat16, round to nearest even. */
float weft_f16_to_f32 (guint16 half);
guint16 weft_f32_to_f16 (float value);
float weft_bf16_to_f32 (guint16 half);
guint16 weft_f32_to_bf16 (float value);

/**
 * weft_convert_to_f32:
 *
 * Converts @n elements of any floating type (or integers) at @from to float32 at @to.
 */
void weft_convert_to_f32 (WeftType type, gconstpointer from, gint64 n, float *to);

G_END_DECLS
