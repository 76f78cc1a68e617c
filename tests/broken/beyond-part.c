/* Elements that follow from those before them in their part.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

static void
forward_part (const WeftCall *call, const WeftPart *part)
{
  for (gint64 row = part->first_row; row < part->first_row + part->rows; row++)
    {
      float sum = 0;
      for (gint64 i = row * part->width + part->first_column; i < row * part->width + part->first_column + part->columns; i++)
        ((float *) call->out[0]->data)[i] = sum += ((const float *) call->in[0]->data)[i];
    }
}

static const WeftOperator broken = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "broken",
  .version = 1,
  .summary = "sums that depend on how the work is cut",
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[..., d]", .meaning = "anything" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[..., d]", .meaning = "sums" }, { 0 } },
  .forward_part = forward_part,
  .not_differentiable = "it is a test",
  .example = "x: {op: feed, signature: \"f32[b<=5, 7]\"}\n"
             "y: {op: broken, x: x}\n",
};
WEFT_OPERATOR (broken);
WEFT_MODULE ("broken", "1.0", "Broken on purpose");
