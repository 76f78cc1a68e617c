/* key_queue: the latest keys of both modalities, as negatives for later batches.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

typedef struct
{
  gint64 length;
  gint64 width;
} KeyQueue;

/* Nothing to compute: the outputs are the states. */
static void
key_queue_forward (const WeftCall *call G_GNUC_UNUSED)
{
}

static const WeftAttribute attributes[] = {
  WEFT_INTEGER (KeyQueue, length, NULL, 0, 1 << 24, "keys",
                "keys K per modality; with 0 a loss keeps its key positives and has no queue negatives"),
  WEFT_INTEGER (KeyQueue, width, NULL, 1, 1 << 20, "", "width of the embeddings"),
  { .name = NULL },
};

static const WeftPort inputs[] = { { .name = NULL } };

static const WeftPort outputs[] = {
  { .name = "image", .signature = "f32[$length, $width]", .meaning = "image keys, in the order of the ring", .shows = "image" },
  { .name = "text", .signature = "f32[$length, $width]", .meaning = "text keys, in the order of the ring", .shows = "text" },
  { .name = NULL },
};

static const WeftPort states[] = {
  { .name = "image", .signature = "f32[$length, $width]", .meaning = "ring of image keys", .initial = "unit_rows" },
  { .name = "text", .signature = "f32[$length, $width]", .meaning = "ring of text keys", .initial = "unit_rows" },
  { .name = "cursor", .signature = "i64[]", .meaning = "row that the next key will be written to", .initial = "zeros" },
  { .name = NULL },
};

static const WeftOperator key_queue = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "key_queue",
  .version = 1,
  .summary = "Two first-in first-out rings of keys, of images and of texts",
  .documentation = "The queues start as random vectors of unit norm (uniform in [0, 1), then normalised) and are filled by queue_enqueue. "
                   "Whatever reads them in a step sees them as they were before that step's enqueue.",
  .source = "He et al., MoCo (arXiv 1911.05722), section 3.2; Zhang et al., USER (arXiv 2301.06844), section III-D",
  .attributes_size = sizeof (KeyQueue),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .states = states,
  .forward = key_queue_forward,
  .not_differentiable = "queued keys are constants: they were computed in earlier steps",
  .example = "queues: {op: key_queue, length: 5, width: 4}\n",
};
WEFT_OPERATOR (key_queue);
