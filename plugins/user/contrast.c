/* contrast: what a step's queries are held against: their own pairs, their hardest negatives, and queued keys that are no negatives.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include <math.h>

enum
{
  IN_IMAGE,
  IN_TEXT,
  IN_ITEM,
  IN_IMAGE_QUEUE,
  IN_TEXT_QUEUE,
};

enum
{
  OUT_POSITIVE,
  OUT_HARDEST,
  OUT_FALSE_NEGATIVES,
  OUT_MISTAKEN,
};

enum
{
  STATE_ITEMS,
  STATE_CURSOR,
};

/* Queued keys whose similarities are in scratch at a time. */
#define CHUNK 1024

/* What one query has met so far. */
typedef struct
{
  float hardest; /* of other items */
  float own;     /* of queued keys of its own item */
  float queued;  /* of queued keys of other items */
  gint64 n_own;
} Met;

typedef struct
{
  const WeftCall *call;
  gint64 b, e;
  const gint32 *items; /* (nullable): of the batch */
  Met *met;            /* 2·b: images, then texts */
  float *values;       /* b×b or b×CHUNK */
} Work;

static gsize
contrast_scratch (const WeftCall *call)
{
  gsize b = (gsize) call->in[IN_IMAGE]->shape[0];
  return 2 * b * sizeof (Met) + b * MAX (b, CHUNK) * sizeof (float);
}

static void
meet_batch (Work *work)
{
  const WeftCall *call = work->call;
  gint64 b = work->b, e = work->e;
  Met *images = work->met, *texts = work->met + b;
  weft_matrix_product (call, FALSE, TRUE, b, b, e, 1.0f, call->in[IN_IMAGE]->data, e, call->in[IN_TEXT]->data, e, 0.0f, work->values, b);
  for (gint64 i = 0; i < b; i++)
    for (gint64 k = 0; k < b; k++)
      {
        float similarity = work->values[i * b + k];
        if (i == k)
          ((float *) call->out[OUT_POSITIVE]->data)[i] = similarity;
        else if (!work->items || work->items[i] != work->items[k])
          {
            images[i].hardest = fmaxf (images[i].hardest, similarity);
            texts[k].hardest = fmaxf (texts[k].hardest, similarity);
          }
      }
}

/* All queries of one modality against the queue of the other. */
static void
meet_queue (Work *work, guint query, guint queue, Met *met)
{
  const WeftCall *call = work->call;
  const gint32 *queued = call->states[STATE_ITEMS]->data;
  gint64 b = work->b, e = work->e, k = call->in[queue] ? call->in[queue]->shape[0] : 0;
  for (gint64 first = 0; first < k; first += CHUNK)
    {
      gint64 n = MIN (CHUNK, k - first);
      weft_matrix_product (call, FALSE, TRUE, b, n, e, 1.0f, call->in[query]->data, e, (const float *) call->in[queue]->data + first * e, e,
                           0.0f, work->values, n);
      for (gint64 i = 0; i < b; i++)
        for (gint64 key = 0; key < n; key++)
          {
            float similarity = work->values[i * n + key];
            if (work->items && queued[first + key] == work->items[i])
              {
                met[i].own = fmaxf (met[i].own, similarity);
                met[i].n_own++;
              }
            else
              met[i].queued = fmaxf (met[i].queued, similarity);
          }
    }
}

/* The same places of the ring that queue_enqueue writes the keys of this step to. */
static void
remember_items (const Work *work)
{
  gint64 *cursor = work->call->states[STATE_CURSOR]->data, k = work->call->states[STATE_ITEMS]->shape[0];
  gint32 *ring = work->call->states[STATE_ITEMS]->data;
  if (k == 0 || !work->items)
    return;
  for (gint64 i = MAX (0, work->b - k); i < work->b; i++)
    ring[(*cursor + i) % k] = work->items[i];
  *cursor = (*cursor + work->b) % k;
}

static void
contrast_forward (const WeftCall *call)
{
  gint64 b = call->in[IN_IMAGE]->shape[0], e = call->in[IN_IMAGE]->shape[1];
  Work work = { call, b, e, call->in[IN_ITEM] ? call->in[IN_ITEM]->data : NULL, call->scratch, NULL };
  double mistaken = 0;
  work.values = (float *) (work.met + 2 * b);
  for (gint64 i = 0; i < 2 * b; i++)
    work.met[i] = (Met){ -1, -INFINITY, -INFINITY, 0 };
  meet_batch (&work);
  meet_queue (&work, IN_IMAGE, IN_TEXT_QUEUE, work.met);
  meet_queue (&work, IN_TEXT, IN_IMAGE_QUEUE, work.met + b);
  for (gint64 i = 0; i < 2 * b; i++)
    {
      ((float *) call->out[OUT_HARDEST]->data)[i] = fmaxf (work.met[i].hardest, work.met[i].queued);
      ((float *) call->out[OUT_FALSE_NEGATIVES]->data)[i] = (float) work.met[i].n_own;
      mistaken += work.met[i].n_own > 0 && work.met[i].own >= work.met[i].queued;
    }
  *(float *) call->out[OUT_MISTAKEN]->data = (float) (mistaken / (double) MAX (2 * b, 1));
  remember_items (&work);
}

static gboolean
contrast_infer (WeftInference *inference, GError **error)
{
  if (!weft_inference_input_count (inference, IN_IMAGE_QUEUE) && !weft_inference_input_count (inference, IN_TEXT_QUEUE))
    return weft_inference_bind (inference, "k", 0, error);
  return TRUE;
}

static const WeftAttribute attributes[] = { { .name = NULL } };

static const WeftPort inputs[] = {
  { .name = "image",
    .signature = "f32[b, e]",
    .flags = WEFT_PORT_CONSTANT,
    .meaning = "image embeddings of unit norm; row i belongs to text i" },
  { .name = "text", .signature = "f32[b, e]", .flags = WEFT_PORT_CONSTANT, .meaning = "text embeddings of unit norm" },
  { .name = "item",
    .signature = "i32[b]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "number of each pair's image: what shares it is no negative. Left open, everything else is one" },
  { .name = "image_queue",
    .signature = "f32[k, e]",
    .flags = WEFT_PORT_OPTIONAL | WEFT_PORT_CONSTANT,
    .meaning = "image keys of earlier steps, from a key_queue" },
  { .name = "text_queue",
    .signature = "f32[k, e]",
    .flags = WEFT_PORT_OPTIONAL | WEFT_PORT_CONSTANT,
    .meaning = "text keys of earlier steps" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "positive", .signature = "f32[b]", .meaning = "similarity of each pair" },
  { .name = "hardest",
    .signature = "f32[2*b]",
    .meaning = "greatest similarity with anything of another item, in the batch and the queues, of each image, then of each text; -1 "
               "where there is nothing" },
  { .name = "false_negatives",
    .signature = "f32[2*b]",
    .meaning = "queued keys of the query's own item, of each image, then of each text" },
  { .name = "mistaken",
    .signature = "f32[]",
    .meaning = "share of queries to which no queued key is more similar than one of their own item: their hardest negative is false" },
  { .name = NULL },
};

static const WeftPort states[] = {
  { .name = "items", .signature = "i32[k]", .initial = "constant(-1)", .meaning = "item of each queued key; -1: none yet" },
  { .name = "cursor", .signature = "i64[]", .initial = "zeros", .meaning = "row that the next key will be written to" },
  { .name = NULL },
};

static const WeftOperator contrast = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "contrast",
  .version = 1,
  .summary = "Similarities of pairs, of hardest negatives, and false negatives in the queues",
  .documentation =
      "For looking at training: it changes nothing. With captions of one image as separate items, queues hold keys of the very image "
      "that a query belongs to, and losses push them away. Items are remembered in the order in which queue_enqueue writes keys, so "
      "that the queues have to be filled in every step from the same batch.",
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .states = states,
  .forward = contrast_forward,
  .not_differentiable = "it measures; train with a loss",
  .infer = contrast_infer,
  .scratch = contrast_scratch,
  .example = "image: {op: feed, signature: \"f32[b<=7, 4]\"}\n"
             "text: {op: feed, signature: \"f32[b<=7, 4]\"}\n"
             "queues: {op: key_queue, length: 5, width: 4}\n"
             "contrast: {op: contrast, image: image, text: text, image_queue: queues.image, text_queue: queues.text}\n",
};
WEFT_OPERATOR (contrast);
