/* A copy that announces its first row alone.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <weft/operator.h>

static void
forward (const WeftCall *call)
{
  memcpy (call->out[0]->data, call->in[0]->data, weft_tensor_bytes (call->in[0]));
  if (call->in[0]->shape[0])
    weft_part_done (call, 0, 1, 0, weft_tensor_last (call->in[0]));
}

static const WeftOperator broken = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "broken",
  .version = 1,
  .summary = "announces too little",
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[..., d]", .meaning = "anything" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[..., d]", .meaning = "x" }, { 0 } },
  .forward = forward,
  .announces_parts = TRUE,
  .not_differentiable = "it is a copy",
  .example = "x: {op: feed, signature: \"f32[b<=5, 7]\"}\n"
             "y: {op: broken, x: x}\n",
};
WEFT_OPERATOR (broken);
WEFT_MODULE ("broken", "1.0", "Broken on purpose");
