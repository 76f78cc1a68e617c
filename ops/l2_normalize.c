/* l2_normalize: rows of unit length.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "kernels/vector.h"
#include "tiles.h"

typedef struct
{
  double epsilon;
} L2Normalize;

static void
l2_normalize_part (const WeftCall *call, const WeftPart *part)
{
  const L2Normalize *self = call->attributes;

  for (gint64 row = part->first_row; row < part->first_row + part->rows; row++)
    {
      const float *x = (const float *) call->in[0]->data + row * part->width;
      double length = sqrt (vector->squares (part->width, x, 0));
      vector->scale (part->width, (float) (1 / (length + self->epsilon)), 0, x, (float *) call->out[0]->data + row * part->width);
    }
}

/* With s = 1/(‖x‖ + ε): dx = s dy − x (x·dy) s²/‖x‖; at zero, s dy. */
static void
differentiate_rows (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const L2Normalize *self = call->attributes;
  gint64 width = weft_tensor_last (call->in[0]), rows = rows_of (call->in[0]), tile = rows_per_tile (rows);

  for (gint64 row = index * tile; row < MIN (rows, (index + 1) * tile); row++)
    {
      const float *x = (const float *) call->in[0]->data + row * width, *by_y = (const float *) call->out_gradient[0]->data + row * width;
      double length = sqrt (vector->squares (width, x, 0)), s = 1 / (length + self->epsilon);
      double along = length > 0 ? -vector->dot (width, x, by_y) * s * s / length : 0;
      vector->combine (width, (float) s, by_y, (float) along, x, (float *) call->in_gradient[0]->data + row * width);
    }
}

static void
l2_normalize_backward (const WeftCall *call)
{
  gint64 rows = rows_of (call->in[0]);

  if (call->in_gradient[0])
    weft_parallel (call, tiles_of (rows, rows_per_tile (rows)), differentiate_rows, (gpointer) call);
}

static const WeftOperator l2_normalize = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "l2_normalize",
  .version = 1,
  .summary = "rows divided by their length: x / (‖x‖ + ε)",
  .attributes_size = sizeof (L2Normalize),
  .attributes = (const WeftAttribute[]){ WEFT_NUMBER (L2Normalize, epsilon, "1e-8", 0, 1, "", "added to the length"), { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[..., d]", .flags = WEFT_PORT_READ, .meaning = "rows" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[..., d]", .meaning = "rows of length 1 (or 0)" }, { 0 } },
  .forward_part = l2_normalize_part,
  .parts = WEFT_PARTS_ROWS,
  .backward = l2_normalize_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 7]\", gradient: true}\n"
             "y: {op: l2_normalize, x: x}\n",
};
WEFT_OPERATOR (l2_normalize);
