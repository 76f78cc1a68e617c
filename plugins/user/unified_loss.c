/* unified_loss: the unified training objective of USER, over the batch and over queues of keys.
 *
 * Similarities with queued keys are summed up chunk by chunk, right after they were formed; only what backward needs is kept.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "exponentials.h"
#include "loops.h"
#include "similarity.h"

#include <math.h>
#include <string.h>

typedef struct
{
  double scale;
  double margin;
  double batch_weight;
  double queue_weight;
} UnifiedLoss;

enum
{
  IN_IMAGE_KEY = PAIRS_N_INPUTS,
  IN_TEXT_KEY,
  IN_IMAGE_QUEUE,
  IN_TEXT_QUEUE,
};

enum
{
  OUT_LOSS,
  OUT_BATCH,
  OUT_QUEUE,
  OUT_SILENT,
  OUT_POSITIVE,
  OUT_NEGATIVE,
};

enum
{
  SAVED_SIMILARITY,
  SAVED_IMAGE_NEGATIVES,
  SAVED_TEXT_NEGATIVES,
  SAVED_LOGARITHMS,
};

/* Rows of SAVED_LOGARITHMS: log(1 + Σ exp(μ (n − γ))) of each sample against … */
enum
{
  AGAINST_TEXTS,       /* the texts of the batch: rows of the similarities */
  AGAINST_IMAGES,      /* the images of the batch: columns */
  AGAINST_TEXT_QUEUE,  /* image i against the text queue */
  AGAINST_IMAGE_QUEUE, /* text i against the image queue */
  N_AGAINST,
};

/* Queued keys whose similarities, or their gradients, are in scratch at a time. */
#define CHUNK 4096

/* One of the two queue terms: queries of one modality, the other modality's keys and queue. */
typedef struct
{
  const WeftTensor *query, *key, *queue;
  WeftTensor *query_gradient;
  float *negatives;     /* b×k similarities of queries and queued keys; NULL in inference */
  ExponentialSum *sums; /* b: against the queued keys so far */
  double *logarithms;   /* b */
  float *positives;     /* b similarities of queries and their own keys */
} QueueTerm;

/* Where everything of a call lives. */
typedef struct
{
  const WeftCall *call;
  gint64 b, k;
  double scale, margin; /* μ, γ */
  float *memory;        /* b×b for similarities and, in backward, for their gradient */
  float *transposed;    /* b×b */
  float *chunk;         /* b×CHUNK: similarities that nobody keeps; in backward gradients by similarities */
  const float *similarity;
  double *logarithms[N_AGAINST];
  double *alive; /* b: what is left of the derivatives by each sample's own similarities */
  float *shifts; /* b: γ + log(1 + Σ …) / μ of each column */
  gboolean has_queue_terms;
  QueueTerm terms[2];
  double batch_gradient, queue_gradient; /* by the means over the batch */
  const QueueTerm *term;                 /* at whose chunk of keys we are */
  float *values;                         /* the chunk's similarities */
  gint64 chunk_keys, stride;
} Work;

/* Sizes below hold with all sizes at their bounds, too. */
static gint64
queue_length (const WeftCall *call)
{
  const WeftTensor *queue = call->in[IN_TEXT_QUEUE] ? call->in[IN_TEXT_QUEUE] : call->in[IN_IMAGE_QUEUE];
  return queue ? queue->shape[0] : 0;
}

static gsize
unified_loss_scratch (const WeftCall *call)
{
  gsize b = (gsize) pairs_count (call), k = (gsize) MIN (queue_length (call), CHUNK);
  return b * ((N_AGAINST + 1) * sizeof (double) + 2 * sizeof (ExponentialSum)) + (2 * b * b + b * k + 3 * b) * sizeof (float);
}

static void
work_prepare (Work *work, const WeftCall *call)
{
  const UnifiedLoss *loss = call->attributes;
  gint64 b = pairs_count (call), k = queue_length (call);
  *work = (Work){ .call = call, .b = b, .k = k, .scale = loss->scale, .margin = loss->margin };

  /* Scratch is laid out as unified_loss_scratch() counts it; saved values take the place of what is kept. */
  double *doubles = call->scratch;
  ExponentialSum *sums = (ExponentialSum *) (doubles + (N_AGAINST + 1) * b);
  double *logarithms = call->saved[SAVED_LOGARITHMS] ? call->saved[SAVED_LOGARITHMS]->data : doubles;
  for (int against = 0; against < N_AGAINST; against++)
    work->logarithms[against] = logarithms + against * b;
  work->alive = doubles + N_AGAINST * b;
  work->memory = (float *) (sums + 2 * b);
  work->transposed = work->memory + b * b;
  work->chunk = work->transposed + b * b;
  work->shifts = work->chunk + b * MIN (k, CHUNK);
  float *positives = work->shifts + b;
  work->terms[0] = (QueueTerm){ .query = call->in[PAIRS_IMAGE],
                                .key = call->in[IN_TEXT_KEY],
                                .queue = call->in[IN_TEXT_QUEUE],
                                .query_gradient = call->in_gradient[PAIRS_IMAGE],
                                .negatives = call->saved[SAVED_IMAGE_NEGATIVES] ? call->saved[SAVED_IMAGE_NEGATIVES]->data : NULL,
                                .sums = sums,
                                .logarithms = work->logarithms[AGAINST_TEXT_QUEUE],
                                .positives = positives };
  work->terms[1] = (QueueTerm){ .query = call->in[PAIRS_TEXT],
                                .key = call->in[IN_IMAGE_KEY],
                                .queue = call->in[IN_IMAGE_QUEUE],
                                .query_gradient = call->in_gradient[PAIRS_TEXT],
                                .negatives = call->saved[SAVED_TEXT_NEGATIVES] ? call->saved[SAVED_TEXT_NEGATIVES]->data : NULL,
                                .sums = sums + b,
                                .logarithms = work->logarithms[AGAINST_IMAGE_QUEUE],
                                .positives = positives + b };
  work->has_queue_terms = work->terms[0].key || work->terms[1].key;
}

WEFT_DISPATCH (float, dot, loop_dot, (const float *a, const float *b, gint64 n), (a, b, n))

/* −log(1 + max(p, 0)) and its derivative. */
static double
positive_term (float p)
{
  return p > 0 ? -log1p ((double) p) : 0;
}

static double
positive_derivative (float p)
{
  return p > 0 ? -1 / (1 + (double) p) : 0;
}

/* log(1 + Σ_j≠i exp(μ (s_j − γ)) + exp(−μ γ)): the pair itself counts as a similarity of 0. @line: a row or a column of similarities, @i: the
 * pair. @others: the derivative by the others together. */
static double
batch_logarithm (const Work *work, const float *line, gint64 i, double *others)
{
  ExponentialSum sum = EXPONENTIALS_NONE;
  exponentials_add (&sum, line, i, work->scale, work->margin);
  exponentials_add (&sum, line + i + 1, work->b - i - 1, work->scale, work->margin);
  return exponentials_logarithm (&sum, work->scale * (0 - work->margin), others);
}

static void
batch_tile (gpointer data, gint64 i, guint member G_GNUC_UNUSED)
{
  Work *work = data;
  const UnifiedLoss *loss = work->call->attributes;
  double by_row, by_column;
  float *column = work->transposed + i * work->b;
  for (gint64 j = 0; j < work->b; j++)
    column[j] = work->similarity[j * work->b + i];
  work->logarithms[AGAINST_TEXTS][i] = batch_logarithm (work, work->similarity + i * work->b, i, &by_row);
  work->logarithms[AGAINST_IMAGES][i] = batch_logarithm (work, column, i, &by_column);
  work->alive[i] = loss->batch_weight * (by_row + by_column - positive_derivative (work->similarity[i * work->b + i]));
}

static void
take_chunk (Work *work, const QueueTerm *term, gint64 first)
{
  work->term = term;
  work->chunk_keys = MIN (CHUNK, work->k - first);
  work->values = term->negatives ? term->negatives + first : work->chunk;
  work->stride = term->negatives ? work->k : work->chunk_keys;
}

static void
chunk_tile (gpointer data, gint64 i, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  exponentials_add (&work->term->sums[i], work->values + i * work->stride, work->chunk_keys, work->scale, work->margin);
}

static void
sum_queue (Work *work, const QueueTerm *term)
{
  for (gint64 i = 0; i < work->b; i++)
    term->sums[i] = EXPONENTIALS_NONE;
  for (gint64 first = 0; term->queue && first < work->k; first += CHUNK)
    {
      gint64 e = term->query->shape[1];
      take_chunk (work, term, first);
      weft_matrix_product (work->call, FALSE, TRUE, work->b, work->chunk_keys, e, 1.0f, term->query->data, e,
                           (const float *) term->queue->data + first * e, e, 0.0f, work->values, work->stride);
      weft_parallel (work->call, work->b, chunk_tile, work);
    }
}

static void
queue_tile (gpointer data, gint64 i, guint member G_GNUC_UNUSED)
{
  Work *work = data;
  const UnifiedLoss *loss = work->call->attributes;
  for (int t = 0; t < 2; t++)
    {
      QueueTerm *term = &work->terms[t];
      if (!term->key)
        continue;
      gint64 e = term->query->shape[1];
      double by_negatives = 0;
      term->positives[i] = dot ((const float *) term->query->data + i * e, (const float *) term->key->data + i * e, e);
      term->logarithms[i] = exponentials_logarithm (&term->sums[i], -INFINITY, &by_negatives);
      work->alive[i] += loss->queue_weight * (by_negatives - positive_derivative (term->positives[i]));
    }
}

/* Below this, what remains of a sample's derivatives is lost in AdamW's ε. */
#define DEAD 1e-8

static void
unified_loss_forward (const WeftCall *call)
{
  const UnifiedLoss *loss = call->attributes;
  Work work;
  gint64 b;
  work_prepare (&work, call);
  WeftTensor *kept = call->saved[SAVED_SIMILARITY];
  work.similarity = pairs_similarity (call, kept ? kept->data : work.memory, &b);
  if (kept && kept->data != work.similarity)
    memcpy (kept->data, work.similarity, (gsize) (b * b) * sizeof (float));
  weft_parallel (call, b, batch_tile, &work);
  for (int t = 0; t < 2; t++)
    if (work.terms[t].key)
      sum_queue (&work, &work.terms[t]);
  if (work.has_queue_terms)
    weft_parallel (call, b, queue_tile, &work);

  double batch = 0, queue = 0, silent = 0;
  for (gint64 i = 0; i < b; i++)
    {
      batch += (work.logarithms[AGAINST_TEXTS][i] + work.logarithms[AGAINST_IMAGES][i]) / work.scale
               + positive_term (work.similarity[i * b + i]);
      for (int t = 0; t < 2; t++)
        if (work.terms[t].key)
          queue += work.terms[t].logarithms[i] / work.scale + positive_term (work.terms[t].positives[i]);
      silent += work.alive[i] < DEAD;
    }
  double samples = (double) MAX (b, 1);
  batch *= loss->batch_weight / samples;
  queue *= loss->queue_weight / samples;
  pairs_set_scalar (call->out[OUT_LOSS], batch + queue);
  pairs_set_scalar (call->out[OUT_BATCH], batch);
  pairs_set_scalar (call->out[OUT_QUEUE], queue);
  pairs_set_scalar (call->out[OUT_SILENT], silent / samples);
  pairs_means (work.similarity, b, call->out[OUT_POSITIVE], call->out[OUT_NEGATIVE]);
}

/* d/dn of (1/μ) log(1 + Σ exp(μ (n − γ))) is exp(μ (n − γ) − log(1 + Σ …)) = exp(μ (n − shift)). */
static float
shift_of (const Work *work, double logarithm)
{
  return (float) (work->margin + logarithm / work->scale);
}

/* Row i of the gradient by the similarities. */
static void
batch_gradient_tile (gpointer data, gint64 i, guint member G_GNUC_UNUSED)
{
  Work *work = data;
  const float *similarity = work->similarity + i * work->b;
  float *gradient = work->memory + i * work->b;
  double by_positive = work->b ? pairs_scalar_gradient (work->call, OUT_POSITIVE) / (double) work->b : 0;
  double by_negative = work->b > 1 ? pairs_scalar_gradient (work->call, OUT_NEGATIVE) / ((double) work->b * (double) (work->b - 1)) : 0;
  exponentials_weights_of_both (similarity, work->b, shift_of (work, work->logarithms[AGAINST_TEXTS][i]), work->shifts, (float) work->scale,
                                (float) work->batch_gradient, (float) by_negative, gradient);
  gradient[i] = (float) (work->batch_gradient * positive_derivative (similarity[i]) + by_positive);
}

/* Row i of the gradient by a chunk of similarities. */
static void
chunk_gradient_tile (gpointer data, gint64 i, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  exponentials_weights (work->values + i * work->stride, work->chunk_keys, shift_of (work, work->term->logarithms[i]), (float) work->scale,
                        (float) work->queue_gradient, work->chunk + i * work->chunk_keys);
}

/* Row i's share of the gradient by the positives. */
static void
positive_gradient_tile (gpointer data, gint64 i, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  const QueueTerm *term = work->term;
  gint64 e = term->query->shape[1];
  const float *key = (const float *) term->key->data + i * e;
  float *by_query = (float *) term->query_gradient->data + i * e;
  float p = dot ((const float *) term->query->data + i * e, key, e);
  float by_positive = (float) (work->queue_gradient * positive_derivative (p));
  for (gint64 j = 0; j < e; j++)
    by_query[j] += by_positive * key[j];
}

static void
unified_loss_backward (const WeftCall *call)
{
  const UnifiedLoss *loss = call->attributes;
  Work work;
  work_prepare (&work, call);
  double samples = (double) MAX (work.b, 1);
  work.similarity = call->saved[SAVED_SIMILARITY]->data;
  work.batch_gradient =
      loss->batch_weight / samples * (double) (pairs_scalar_gradient (call, OUT_LOSS) + pairs_scalar_gradient (call, OUT_BATCH));
  work.queue_gradient =
      loss->queue_weight / samples * (double) (pairs_scalar_gradient (call, OUT_LOSS) + pairs_scalar_gradient (call, OUT_QUEUE));
  for (gint64 i = 0; i < work.b; i++)
    work.shifts[i] = shift_of (&work, work.logarithms[AGAINST_IMAGES][i]);
  weft_parallel (call, work.b, batch_gradient_tile, &work);
  pairs_gradient (call, work.memory);
  for (int t = 0; t < 2; t++)
    {
      const QueueTerm *term = &work.terms[t];
      if (!term->key || !term->query_gradient)
        continue;
      gint64 e = term->query->shape[1];
      work.term = term;
      weft_parallel (call, work.b, positive_gradient_tile, &work);
      for (gint64 first = 0; term->queue && first < work.k; first += CHUNK)
        {
          take_chunk (&work, term, first);
          weft_parallel (call, work.b, chunk_gradient_tile, &work);
          weft_matrix_product (call, FALSE, FALSE, work.b, e, work.chunk_keys, 1.0f, work.chunk, work.chunk_keys,
                               (const float *) term->queue->data + first * e, e, 1.0f, term->query_gradient->data, e);
        }
    }
}

static gboolean
unified_loss_infer (WeftInference *inference, GError **error)
{
  if (!pairs_infer (inference, error))
    return FALSE;
  static const struct
  {
    guint port;
    const char *name;
    guint needs;
    const char *needed;
  } rules[] = {
    { IN_TEXT_KEY, "text_key", PAIRS_IMAGE, "image" },
    { IN_IMAGE_KEY, "image_key", PAIRS_TEXT, "text" },
    { IN_TEXT_QUEUE, "text_queue", IN_TEXT_KEY, "text_key" },
    { IN_IMAGE_QUEUE, "image_queue", IN_IMAGE_KEY, "image_key" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    if (weft_inference_input_count (inference, rules[i].port) && !weft_inference_input_count (inference, rules[i].needs))
      {
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "input %s needs %s beside it", rules[i].name, rules[i].needed);
        return FALSE;
      }
  if (!weft_inference_input_count (inference, IN_IMAGE_QUEUE) && !weft_inference_input_count (inference, IN_TEXT_QUEUE))
    return weft_inference_bind (inference, "k", 0, error);
  return TRUE;
}

static const WeftAttribute attributes[] = {
  WEFT_SCHEDULED (UnifiedLoss, scale, "90", 1e-3, 1e4, "", "scale μ of the similarities"),
  WEFT_SCHEDULED (UnifiedLoss, margin, "0.5", -1, 1, "cosine", "margin γ: negatives well below it are left alone"),
  WEFT_SCHEDULED (UnifiedLoss, batch_weight, "20", 0, 1e6, "", "weight λ of the batch term"),
  WEFT_SCHEDULED (UnifiedLoss, queue_weight, "1", 0, 1e6, "", "weight of the queue term"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  PAIRS_INPUTS,
  { .name = "image_key",
    .signature = "f32[b, e]",
    .flags = WEFT_PORT_OPTIONAL | WEFT_PORT_CONSTANT | WEFT_PORT_READ,
    .meaning = "the key encoder's embeddings of the images: positives of the texts" },
  { .name = "text_key",
    .signature = "f32[b, e]",
    .flags = WEFT_PORT_OPTIONAL | WEFT_PORT_CONSTANT | WEFT_PORT_READ,
    .meaning = "the key encoder's embeddings of the texts: positives of the images" },
  { .name = "image_queue",
    .signature = "f32[k, e]",
    .flags = WEFT_PORT_OPTIONAL | WEFT_PORT_CONSTANT | WEFT_PORT_READ,
    .meaning = "image keys of earlier steps: negatives of the texts" },
  { .name = "text_queue",
    .signature = "f32[k, e]",
    .flags = WEFT_PORT_OPTIONAL | WEFT_PORT_CONSTANT | WEFT_PORT_READ,
    .meaning = "text keys of earlier steps: negatives of the images" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "loss", .signature = "f32[]", .meaning = "batch + queue" },
  { .name = "batch", .signature = "f32[]", .flags = WEFT_PORT_OPTIONAL, .meaning = "batch term, weight included" },
  { .name = "queue", .signature = "f32[]", .flags = WEFT_PORT_OPTIONAL, .meaning = "queue term, weight included; 0 without keys" },
  { .name = "silent",
    .signature = "f32[]",
    .flags = WEFT_PORT_OPTIONAL | WEFT_PORT_CONSTANT,
    .meaning = "share of samples whose derivatives by all their similarities are below 1e-8: nothing trains them" },
  PAIRS_OUTPUTS,
  { .name = NULL },
};

static const WeftPort saved[] = {
  { .name = "similarity", .signature = "f32[b, b]", .meaning = "similarities within the batch" },
  { .name = "image_negatives", .signature = "f32[b, k]", .meaning = "similarities of images and queued texts" },
  { .name = "text_negatives", .signature = "f32[b, k]", .meaning = "similarities of texts and queued images" },
  { .name = "logarithms",
    .signature = "f64[4, b]",
    .meaning = "log(1 + Σ exp(μ (n − γ))) by texts, images, queued texts and queued images" },
  { .name = NULL },
};

static const WeftOperator unified_loss = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "unified_loss",
  .version = 2,
  .summary = "Unified training objective: a soft margin over all negatives of the batch and of two queues",
  .documentation =
      "For a positive similarity p and negatives n_j, l(p, n) = (1/μ) log(1 + Σ_j exp(μ (n_j − γ))) − log(1 + max(p, 0)).\n\n"
      "Batch term: λ/B times the sum over samples of (1/μ) log(1 + Σ of the column) + (1/μ) log(1 + Σ of the row) − log(1 + max(s_ii, 0)), "
      "where s_ii counts as 0 among the negatives: it contributes exp(−μγ). There is one positive term per pair, not two.\n\n"
      "Queue term: mean of l(image · text_key, image · text_queue) plus mean of l(text · image_key, text · image_queue). Either half may "
      "be "
      "left out; keys without queues have positives and no negatives. Keys and queues are constants.\n\n"
      "Where a pair's similarity is at most 0 and its negatives are well under γ, no gradient is left: `silent` counts such samples. A run "
      "in which all samples are silent will not recover; a smaller scale, a smaller margin or another seed help.",
  .source = "Zhang et al., USER (arXiv 2301.06844), section III-E, unified training objective; constants as in the authors' release",
  .attributes_size = sizeof (UnifiedLoss),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .saved = saved,
  .forward = unified_loss_forward,
  .backward = unified_loss_backward,
  .infer = unified_loss_infer,
  .scratch = unified_loss_scratch,
  .example = "image: {op: feed, signature: \"f32[b<=6, 4]\", gradient: true}\n"
             "text: {op: feed, signature: \"f32[b<=6, 4]\", gradient: true}\n"
             "image_key: {op: feed, signature: \"f32[b<=6, 4]\"}\n"
             "text_key: {op: feed, signature: \"f32[b<=6, 4]\"}\n"
             "queues: {op: key_queue, length: 5, width: 4}\n"
             "loss: {op: unified_loss, image: image, text: text, image_key: image_key, text_key: text_key,\n"
             "       image_queue: queues.image, text_queue: queues.text, scale: 3}\n",
  .cases =
      (const char *const[]){ "image: {op: feed, signature: \"f32[b<=6, 4]\", gradient: true}\n"
                             "text: {op: feed, signature: \"f32[b, 4]\", gradient: true}\n"
                             "loss: {op: unified_loss, image: image, text: text, scale: 3}\n",
                             "rows: {op: feed, signature: \"f32[5, 4]\", gradient: true}\n"
                             "columns: {op: feed, signature: \"f32[5, 4]\", gradient: true}\n"
                             "similarity: {op: matrix_product, a: rows, b: columns}\n"
                             "loss: {op: unified_loss, similarity: similarity, scale: 3, margin: 0.2, batch_weight: 2}\n",
                             "image: {op: feed, signature: \"f32[b<=6, 4]\", gradient: true}\n"
                             "text: {op: feed, signature: \"f32[b, 4]\", gradient: true}\n"
                             "image_key: {op: feed, signature: \"f32[b, 4]\"}\n"
                             "text_key: {op: feed, signature: \"f32[b, 4]\"}\n"
                             "loss: {op: unified_loss, image: image, text: text, image_key: image_key, text_key: text_key, scale: 3}\n",
                             NULL },
};
WEFT_OPERATOR (unified_loss);
