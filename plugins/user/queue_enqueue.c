/* queue_enqueue: writes a batch of keys into a key_queue.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include <string.h>

enum
{
  QUEUE_IMAGE,
  QUEUE_TEXT,
  QUEUE_CURSOR,
};

/* Copies the last rows of @keys that the ring can hold, so that key i stands at (cursor + i) mod K. */
static void
write_ring (WeftTensor *ring, const WeftTensor *keys, gint64 cursor)
{
  gint64 length = ring->shape[0], width = ring->shape[1], n = keys->shape[0];
  for (gint64 i = MAX (0, n - length); i < n; i++)
    memcpy ((float *) ring->data + ((cursor + i) % length) * width, (const float *) keys->data + i * width, (gsize) width * sizeof (float));
}

static void
queue_enqueue_forward (const WeftCall *call)
{
  const WeftTensor *image = call->in[1], *text = call->in[2];
  WeftTensor *image_ring = call->others[QUEUE_IMAGE], *text_ring = call->others[QUEUE_TEXT], *cursor = call->others[QUEUE_CURSOR];
  if (!image_ring || !text_ring || !cursor || cursor->type != WEFT_I64 || image_ring->rank != 2)
    {
      weft_fail (call, "`into` has to name a key_queue node");
      return;
    }
  gint64 length = image_ring->shape[0], *position = cursor->data;
  if (image_ring->shape[1] != image->shape[1])
    {
      weft_fail (call, "keys are %" G_GINT64_FORMAT " wide, but the queue was declared with width %" G_GINT64_FORMAT, image->shape[1],
                 image_ring->shape[1]);
      return;
    }
  if (length == 0)
    return;
  write_ring (image_ring, image, *position);
  write_ring (text_ring, text, *position);
  *position = (*position + image->shape[0]) % length;
}

static const WeftAttribute attributes[] = { { .name = NULL } };

static const WeftPort inputs[] = {
  { .name = "into", .flags = WEFT_PORT_STATE_OF, .meaning = "the key_queue node to write to" },
  { .name = "image", .signature = "f32[b, e]", .flags = WEFT_PORT_CONSTANT, .meaning = "image keys of this step" },
  { .name = "text", .signature = "f32[b, e]", .flags = WEFT_PORT_CONSTANT, .meaning = "text keys of this step" },
  { .name = NULL },
};

static const WeftPort outputs[] = { { .name = NULL } };

static const WeftOperator queue_enqueue = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "queue_enqueue",
  .version = 1,
  .summary = "Replaces the oldest keys of a key_queue by those of this step",
  .documentation =
      "Runs after everything in the step that reads the queue. The batch size need not divide the length of the queue; of a batch "
      "larger than the queue the last keys stay.",
  .source = "He et al., MoCo (arXiv 1911.05722), algorithm 1",
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = queue_enqueue_forward,
  .not_differentiable = "keys are constants",
  .effect = TRUE,
  .example = "image: {op: feed, signature: \"f32[b<=7, 4]\", gradient: true}\n"
             "text: {op: feed, signature: \"f32[b<=7, 4]\", gradient: true}\n"
             "queues: {op: key_queue, length: 5, width: 4}\n"
             "loss: {op: unified_loss, image: image, text: text, image_key: image, text_key: text,\n"
             "       image_queue: queues.image, text_queue: queues.text, scale: 3}\n"
             "look: {op: gradients, minimize: loss.loss}\n"
             "enqueue: {op: queue_enqueue, into: queues, image: image, text: text}\n",
};
WEFT_OPERATOR (queue_enqueue);
