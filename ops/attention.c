/* attention: scaled dot-product attention of several heads, within each sample.
 *
 * Scores are never stored for a whole sample: blocks of queries meet blocks of keys with a running maximum and sum, and backward forms
 * the same blocks again from the two numbers that forward leaves per row and head. A tile is some heads of one sample.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include <math.h>

#include "kernels/rows.h"
#include "kernels/vector.h"

/* Rows of a block of queries or keys: two blocks of scores and two transposed blocks of 64 × 64 stay in the second-level cache. */
#define BLOCK 64
/* Heads of a tile, one after the other, so that the next one's rows can be on their way meanwhile. */
#define HEADS 4

typedef struct
{
  gint64 heads;
  double dropout;
  gboolean causal;
} Attention;

enum
{
  QUERY,
  KEY,
  VALUE,
};

typedef struct
{
  const WeftCall *call;
  const RowKernels *rows;
  const gint32 *offsets;
  const float *in[3];
  gint64 width, heads, head_width;
  float factor; /* of scores */
  gboolean causal;
  guint32 threshold; /* of dropout; 0: none */
  float keep_factor;
  float *scratch;
  gsize scratch_each;
} Work;

static gsize
scratch_each (gint64 head_width)
{
  return (gsize) (2 * BLOCK * BLOCK + 2 * head_width * BLOCK);
}

static gsize
attention_scratch (const WeftCall *call)
{
  const Attention *attention = call->attributes;
  return scratch_each (call->in[QUERY]->shape[1] / attention->heads + 1) * sizeof (float) * weft_team_size (call);
}

static gboolean
prepare (const WeftCall *call, Work *work)
{
  const Attention *attention = call->attributes;
  const WeftTensor *query = call->in[QUERY];

  *work = (Work){ .call = call,
                  .rows = row_kernels (),
                  .offsets = query->offsets,
                  .width = query->shape[1],
                  .heads = attention->heads,
                  .causal = attention->causal,
                  .scratch = call->scratch };
  if (work->width % work->heads)
    {
      weft_fail (call, "rows of %" G_GINT64_FORMAT " numbers cannot be shared out among %" G_GINT64_FORMAT " heads", work->width,
                 work->heads);
      return FALSE;
    }
  for (int i = 0; i < 3; i++)
    work->in[i] = call->in[i]->data;
  work->head_width = work->width / work->heads;
  work->factor = (float) (1 / sqrt ((double) work->head_width));
  work->scratch_each = scratch_each (work->head_width);
  if (call->mode == WEFT_MODE_TRAIN && attention->dropout > 0)
    {
      work->threshold = (guint32) MIN (attention->dropout * 0x1p32, 0xffffffffp0);
      work->keep_factor = (float) (1 / (1 - attention->dropout));
    }
  return TRUE;
}

/* Draws are numbered by row, head and key within the sample, so that blocks and tiles don't matter. */
static void
drop (const Work *work, gint64 row, gint64 head, gint64 first, gint64 n, const float *x, float *y)
{
  WeftRandom random = weft_random_split (work->call->random, (guint32) (row * work->heads + head));
  vector->dropout (n, x, random, (guint32) first, work->threshold, work->keep_factor, y);
}

/* How many of the block's keys query row i of the sample sees. */
static gint64
visible_keys (const Work *work, gint64 query, gint64 first_key, gint64 keys)
{
  return work->causal ? CLAMP (query + 1 - first_key, 0, keys) : keys;
}

/* One row of scores becomes weights relative to the row's running maximum; what was summed before is rescaled. Rows are as long as whole
 * registers: the scores of keys that are not there, or not seen, are −∞ and their weights 0. */
static void
update_row (const Work *work, gint64 row, gint64 head, gint64 first_key, gint64 visible, gint64 keys, float *scores, float *y,
            float *normal)
{
  gint64 padded = ROW_PADDED (keys);
  for (gint64 j = visible; j < padded; j++)
    scores[j] = -INFINITY;
  float greatest = vector->maximum (padded, scores), sum = 0;
  if (first_key > 0)
    {
      greatest = MAX (greatest, normal[0]);
      float shrink = expf ((normal[0] - greatest) * work->factor);
      sum = normal[1] * shrink;
      if (shrink != 1)
        vector->scale (work->head_width, shrink, 0, y, y);
    }
  sum += (float) vector->exp_sum (padded, scores, greatest, work->factor, scores);
  if (work->threshold)
    drop (work, row, head, first_key, padded, scores, scores);
  normal[0] = greatest;
  normal[1] = sum;
}

/* Rows of a head are short and far from each other: processors don't foresee them. */
static void
fetch (const Work *work, const float *from, gint64 rows)
{
  for (gint64 i = 0; i < MIN (rows, BLOCK); i++)
    for (gint64 c = 0; c < work->head_width; c += 16)
      __builtin_prefetch (from + i * work->width + c);
}

/* Calls @each for the heads of tile @index. */
static void
each_head (const Work *work, gint64 index, guint member,
           void (*each) (const Work *work, gint64 sample, gint64 head, gboolean has_next, guint member))
{
  gint64 groups = (work->heads + HEADS - 1) / HEADS, first = index % groups * HEADS, end = MIN (first + HEADS, work->heads);
  for (gint64 head = first; head < end; head++)
    each (work, index / groups, head, head + 1 < end, member);
}

static void
run_tiles (Work *work, void (*tile) (gpointer data, gint64 index, guint member))
{
  weft_parallel (work->call, work->call->in[QUERY]->samples * ((work->heads + HEADS - 1) / HEADS), tile, work);
}

static void
attend_head (const Work *work, gint64 sample, gint64 head, gboolean has_next, guint member)
{
  const RowKernels *kernels = work->rows;
  gint64 width = work->width, head_width = work->head_width;
  gint64 first = work->offsets[sample], rows = work->offsets[sample + 1] - first;
  const float *query = work->in[QUERY] + first * width + head * head_width, *key = work->in[KEY] + first * width + head * head_width;
  const float *value = work->in[VALUE] + first * width + head * head_width;
  float *y = (float *) work->call->out[0]->data + first * width + head * head_width;
  float *kept = work->call->saved[0] ? (float *) work->call->saved[0]->data : NULL;
  float *scores = work->scratch + member * work->scratch_each, *key_columns = scores + BLOCK * BLOCK;
  float normals[BLOCK][2];

  if (has_next)
    {
      fetch (work, key + head_width, rows);
      fetch (work, query + head_width, rows);
      fetch (work, value + head_width, rows);
    }
  for (gint64 q = 0; q < rows; q += BLOCK)
    {
      gint64 queries = MIN (BLOCK, rows - q), end = work->causal ? q + queries : rows;
      for (gint64 k = 0; k < end; k += BLOCK)
        {
          gint64 keys = MIN (BLOCK, end - k);
          kernels->transpose (keys, head_width, key + k * width, width, key_columns, BLOCK);
          kernels->product (queries, ROW_PADDED (keys), head_width, query + q * width, width, 1, key_columns, BLOCK, FALSE, scores, BLOCK);
          for (gint64 i = 0; i < queries; i++)
            update_row (work, first + q + i, head, k, visible_keys (work, q + i, k, keys), keys, scores + i * BLOCK, y + (q + i) * width,
                        normals[i]);
          kernels->product (queries, head_width, keys, scores, BLOCK, 1, value + k * width, width, k > 0, y + q * width, width);
        }
      for (gint64 i = 0; i < queries; i++)
        {
          vector->scale (head_width, 1 / normals[i][1], 0, y + (q + i) * width, y + (q + i) * width);
          if (kept)
            for (int j = 0; j < 2; j++)
              kept[((first + q + i) * work->heads + head) * 2 + j] = normals[i][j];
        }
    }
}

static void
attend (gpointer data, gint64 index, guint member)
{
  each_head (data, index, member, attend_head);
}

static void
attention_forward (const WeftCall *call)
{
  Work work;
  if (prepare (call, &work))
    run_tiles (&work, attend);
}

/* Where a tile of backward reads and writes: row 0 of its sample, column 0 of its head. */
typedef struct
{
  gint64 first, head;
  const float *in[3], *y, *by_y, *normals;
  float *by[3];
  float *weights, *by_scores, *key_columns, *value_columns;
} Place;

/* From scores s and gradients by weights, with p the weights and m the dropout mask over 1 − rate:
 *   D_i = Σ_c dy_ic y_ic = Σ_j p_ij m_ij dp_ij,  ds_ij = factor p_ij (m_ij dp_ij − D_i)
 * weights become m p, by_scores ds. */
static void
weights_gradient (const Work *work, const Place *place, gint64 q, gint64 queries, gint64 k, gint64 keys)
{
  for (gint64 i = 0; i < queries; i++)
    {
      gint64 row = place->first + q + i, visible = visible_keys (work, q + i, k, keys), padded = ROW_PADDED (keys);
      const float *normal = place->normals + ((q + i) * work->heads) * 2;
      float *weights = place->weights + i * BLOCK, *by_scores = place->by_scores + i * BLOCK;
      float mean = (float) vector->dot (work->head_width, place->by_y + (q + i) * work->width, place->y + (q + i) * work->width);
      for (gint64 j = visible; j < padded; j++)
        weights[j] = -INFINITY;
      vector->exp_sum (padded, weights, normal[0], work->factor, weights);
      vector->scale (padded, 1 / normal[1], 0, weights, weights);
      if (work->threshold)
        drop (work, row, place->head, k, padded, by_scores, by_scores);
      vector->softmax_gradient (padded, weights, by_scores, mean, work->factor, by_scores);
      if (work->threshold)
        drop (work, row, place->head, k, padded, weights, weights);
    }
}

static void
attend_head_backward (const Work *work, gint64 sample, gint64 head, gboolean has_next, guint member)
{
  const WeftCall *call = work->call;
  const RowKernels *kernels = work->rows;
  gint64 width = work->width, head_width = work->head_width;
  gint64 first = work->offsets[sample], rows = work->offsets[sample + 1] - first;
  gint64 at = first * width + head * head_width;
  float *scratch = work->scratch + member * work->scratch_each;
  Place place = { .first = first,
                  .head = head,
                  .y = (float *) call->out[0]->data + at,
                  .by_y = (float *) call->out_gradient[0]->data + at,
                  .normals = (float *) call->saved[0]->data + (first * work->heads + head) * 2,
                  .weights = scratch,
                  .by_scores = scratch + BLOCK * BLOCK,
                  .key_columns = scratch + 2 * BLOCK * BLOCK,
                  .value_columns = scratch + 2 * BLOCK * BLOCK + head_width * BLOCK };

  for (int i = 0; i < 3; i++)
    {
      place.in[i] = work->in[i] + at;
      place.by[i] = call->in_gradient[i] ? (float *) call->in_gradient[i]->data + at : NULL;
      if (has_next)
        fetch (work, place.in[i] + head_width, rows);
    }
  if (has_next)
    {
      fetch (work, place.y + head_width, rows);
      fetch (work, place.by_y + head_width, rows);
    }
  for (gint64 k = 0; k < rows; k += BLOCK)
    {
      gint64 keys = MIN (BLOCK, rows - k), start = work->causal ? k : 0;
      kernels->transpose (keys, head_width, place.in[KEY] + k * width, width, place.key_columns, BLOCK);
      kernels->transpose (keys, head_width, place.in[VALUE] + k * width, width, place.value_columns, BLOCK);
      for (gint64 q = start; q < rows; q += BLOCK)
        {
          gint64 queries = MIN (BLOCK, rows - q);
          const float *query = place.in[QUERY] + q * width, *by_y = place.by_y + q * width;
          kernels->product (queries, ROW_PADDED (keys), head_width, query, width, 1, place.key_columns, BLOCK, FALSE, place.weights, BLOCK);
          kernels->product (queries, ROW_PADDED (keys), head_width, by_y, width, 1, place.value_columns, BLOCK, FALSE, place.by_scores,
                            BLOCK);
          weights_gradient (work, &place, q, queries, k, keys);
          if (place.by[VALUE])
            kernels->product (keys, head_width, queries, place.weights, 1, BLOCK, by_y, width, q > start, place.by[VALUE] + k * width,
                              width);
          if (place.by[KEY])
            kernels->product (keys, head_width, queries, place.by_scores, 1, BLOCK, query, width, q > start, place.by[KEY] + k * width,
                              width);
          if (place.by[QUERY])
            kernels->product (queries, head_width, keys, place.by_scores, BLOCK, 1, place.in[KEY] + k * width, width, k > 0,
                              place.by[QUERY] + q * width, width);
        }
    }
}

static void
attend_backward (gpointer data, gint64 index, guint member)
{
  each_head (data, index, member, attend_head_backward);
}

static void
attention_backward (const WeftCall *call)
{
  Work work;
  if (prepare (call, &work))
    run_tiles (&work, attend_backward);
}

static gboolean
attention_infer (WeftInference *inference, GError **error)
{
  const Attention *attention = weft_inference_attributes (inference);
  gint64 width = weft_inference_input_size (inference, QUERY, 0, -1);
  if (width < 0 || width % attention->heads == 0)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
               "rows of %" G_GINT64_FORMAT " numbers cannot be shared out among %" G_GINT64_FORMAT " heads; heads must divide the width",
               width, attention->heads);
  return FALSE;
}

static const WeftAttribute attributes[] = {
  WEFT_INTEGER (Attention, heads, "1", 1, 4096, "", "number of heads; each attends with d / heads of the numbers of a row"),
  WEFT_SCHEDULED (Attention, dropout, "0", 0, 0.999, "", "share of the weights that are dropped in training"),
  WEFT_BOOLEAN (Attention, causal, "false", "rows attend only to themselves and to rows before them"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "query", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "what each row looks for, head after head" },
  { .name = "key", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "what each row is found by" },
  { .name = "value", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "what each row gives" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "weighted sums of the values, head after head" },
  { .name = NULL },
};

static const WeftPort saved[] = {
  { .name = "normals", .signature = "f32[t, 2*$heads]", .meaning = "greatest score and sum of exponentials, per row and head" },
  { .name = NULL },
};

static const WeftOperator attention = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "attention",
  .version = 1,
  .summary = "Scaled dot-product attention among the rows of each sample, in several heads",
  .documentation =
      "Per sample and head, with w = d / heads: y_i = Σ_j p_ij v_j, where p_i is the softmax over the sample's rows j of q_i · k_j / "
      "√w.\n\n"
      "Rows of different samples never meet, so nothing is padded or masked. Samples may have any number of rows; the memory needed beside "
      "inputs and outputs grows with rows, not with their square. In training, weights are dropped at the rate given and the others "
      "divided "
      "by 1 − rate; backward draws the same mask again. The projections of queries, keys, values and outputs are linear operators around "
      "it.",
  .source = "Vaswani et al., Attention Is All You Need (arXiv 1706.03762), equation 1 and section 3.2.2; blocks with a running maximum: "
            "Milakov and Gimelshein (arXiv 1805.02867); their gradient: Dao et al. (arXiv 2205.14135), appendix B",
  .attributes_size = sizeof (Attention),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .saved = saved,
  .forward = attention_forward,
  .backward = attention_backward,
  .infer = attention_infer,
  .scratch = attention_scratch,
  .example = "query: {op: feed, signature: \"f32[b<=3 : t<=12, 12]\", gradient: true}\n"
             "key: {op: feed, signature: \"f32[b : t, 12]\", gradient: true}\n"
             "value: {op: feed, signature: \"f32[b : t, 12]\", gradient: true}\n"
             "mixed: {op: attention, query: query, key: key, value: value, heads: 2}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 6]\", gradient: true}\n"
                                  "y: {op: attention, query: x, key: x, value: x, heads: 3, causal: true}\n",
                                  "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
                                  "y: {op: attention, query: x, key: x, value: x, dropout: 0.4, mode: train}\n",
                                  "x: {op: feed, signature: \"f32[b<=2 : t<=150, 4]\", gradient: true}\n"
                                  "y: {op: attention, query: x, key: x, value: x, heads: 2, dropout: 0.1, mode: train}\n",
                                  NULL },
};
WEFT_OPERATOR (attention);
