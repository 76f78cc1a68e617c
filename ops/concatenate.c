/* concatenate: rows side by side.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tiles.h"

/* Copies rows between one value and its columns of the whole, in either direction. */
typedef struct
{
  float *to;
  const float *from;
  gint64 to_stride, from_stride, width, rows;
} Copy;

static void
copy_rows (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Copy *copy = data;
  gint64 tile = rows_per_tile (copy->rows);

  for (gint64 row = index * tile; row < MIN (copy->rows, (index + 1) * tile); row++)
    memcpy (copy->to + row * copy->to_stride, copy->from + row * copy->from_stride, (gsize) copy->width * sizeof (float));
}

static void
run_copy (const WeftCall *call, Copy *copy)
{
  if (copy->width > 0)
    weft_parallel (call, tiles_of (copy->rows, rows_per_tile (copy->rows)), copy_rows, copy);
}

static void
concatenate_forward (const WeftCall *call)
{
  gint64 whole = weft_tensor_last (call->out[0]), first = 0;

  for (guint i = 0; i < call->in_count[0]; i++)
    {
      const WeftTensor *x = &call->in[0][i];
      gint64 width = weft_tensor_last (x);
      Copy copy = { (float *) call->out[0]->data + first, x->data, whole, width, width, rows_of (call->out[0]) };
      run_copy (call, &copy);
      first += width;
    }
}

static void
concatenate_backward (const WeftCall *call)
{
  const WeftTensor *by_y = call->out_gradient[0];
  gint64 whole = weft_tensor_last (by_y), first = 0;

  for (guint i = 0; call->in_gradient[0] && i < call->in_count[0]; i++)
    {
      gint64 width = weft_tensor_last (&call->in[0][i]);
      Copy copy = { call->in_gradient[0][i].data, (const float *) by_y->data + first, width, whole, width, rows_of (by_y) };
      if (copy.to)
        run_copy (call, &copy);
      first += width;
    }
}

static gboolean
concatenate_infer (WeftInference *inference, GError **error)
{
  gint64 whole = 0;

  for (guint i = 0; i < weft_inference_input_count (inference, 0); i++)
    {
      gint64 width = weft_inference_input_size (inference, 0, i, -1);
      if (width < 0)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                       "the width of value %u depends on data; only values of known width can be put side by side", i);
          return FALSE;
        }
      whole += width;
    }
  return weft_inference_bind (inference, "d", whole, error);
}

static const WeftOperator concatenate = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "concatenate",
  .version = 1,
  .summary = "values side by side in the last dimension",
  .documentation = "Row i of the result is row i of each value, one after the other, in the order in which they are written.",
  .source = "Definition",
  .inputs = (const WeftPort[]){ { .name = "x",
                                  .signature = "f32[..., d']",
                                  .flags = WEFT_PORT_VARIADIC,
                                  .meaning = "values that are alike but for the last dimension" },
                                { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[..., d]", .meaning = "as wide as all of them together" }, { 0 } },
  .forward = concatenate_forward,
  .backward = concatenate_backward,
  .infer = concatenate_infer,
  .example = "a: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
             "b: {op: feed, signature: \"f32[b : t, 1]\", gradient: true}\n"
             "y: {op: concatenate, x: [a, b, a]}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
                                  "y: {op: concatenate, x: [x]}\n",
                                  "x: {op: feed, signature: \"f32[b<=3 : t<=12, 3]\", gradient: true}\n"
                                  "b: {op: feed, signature: \"f32[b : t, 2]\"}\n"
                                  "y: {op: concatenate, x: {b: b, x: x}}\n",
                                  NULL },
};
WEFT_OPERATOR (concatenate);
