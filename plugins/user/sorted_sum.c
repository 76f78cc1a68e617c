/* sorted_sum: the pooling step of GPO: rows sorted per channel, then summed with a weight per rank.
 *
 * Nothing is moved: a sample's rows are few, so that the rank of each value is counted by comparing it with the others of its channel,
 * sixteen channels at a time. Ranks are all that backward needs beside the inputs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include <string.h>

enum
{
  X,
  WEIGHTS,
  GROUP,
};

/* Channels that pass together; loops of this constant length become vector instructions. */
#define LANES 16
/* Up to this many rows are ranked by comparing all pairs; beyond, each channel is sorted. */
#define COMPARED 128
/* Ranks are kept in 16 bits. */
#define MOST_ROWS 65536

typedef struct
{
  float values[COMPARED][LANES];
  gint32 ranks[COMPARED][LANES];
} Block;

/* Where one sample's part of everything begins. */
typedef struct
{
  gint64 first, rows, width;
  const float *values, *weights;
  guint16 *ranks; /* NULL in inference */
} Sample;

static Sample
sample_at (const WeftCall *call, gint64 index)
{
  const WeftTensor *x = call->in[X], *weights = call->in[WEIGHTS];
  gint64 first = x->offsets[index], width = x->shape[1], group = ((const gint32 *) call->in[GROUP]->data)[index];

  return (Sample){ .first = first,
                   .rows = x->offsets[index + 1] - first,
                   .width = width,
                   .values = (const float *) x->data + first * width,
                   .weights = (const float *) weights->data + weights->offsets[group],
                   .ranks = call->saved[0] ? (guint16 *) call->saved[0]->data + first * width : NULL };
}

/* Of each pair the later row comes first only if it is greater: equal values stay in their order. Not-a-numbers count as equal. */
static inline __attribute__ ((always_inline)) void
compare_pairs (gint64 rows, Block *block)
{
  for (gint64 r = 0; r < rows; r++)
    for (int l = 0; l < LANES; l++)
      block->ranks[r][l] = (gint32) r;
  for (gint64 r = 0; r < rows; r++)
    {
      float value[LANES];
      gint32 behind[LANES] = { 0 };
      memcpy (value, block->values[r], sizeof value);
      for (gint64 later = r + 1; later < rows; later++)
        for (int l = 0; l < LANES; l++)
          {
            gint32 greater = block->values[later][l] > value[l];
            behind[l] += greater;
            block->ranks[later][l] -= greater;
          }
      for (int l = 0; l < LANES; l++)
        block->ranks[r][l] += behind[l];
    }
}

static inline __attribute__ ((always_inline)) void
pool_compared (void (*compare) (gint64 rows, Block *block), const Sample *sample, float *y)
{
  Block block;

  for (gint64 c = 0; c < sample->width; c += LANES)
    {
      gsize lanes = (gsize) MIN (LANES, sample->width - c);
      float sums[LANES] = { 0 };
      for (gint64 r = 0; r < sample->rows; r++)
        {
          memset (block.values[r], 0, sizeof block.values[r]);
          memcpy (block.values[r], sample->values + r * sample->width + c, lanes * sizeof (float));
        }
      compare (sample->rows, &block);
      for (gint64 r = 0; r < sample->rows; r++)
        {
          float weights[LANES];
          guint16 ranks[LANES];
          for (int l = 0; l < LANES; l++)
            ranks[l] = (guint16) block.ranks[r][l];
          for (int l = 0; l < LANES; l++)
            weights[l] = sample->weights[block.ranks[r][l]];
          for (int l = 0; l < LANES; l++)
            sums[l] += weights[l] * block.values[r][l];
          if (sample->ranks)
            memcpy (sample->ranks + r * sample->width + c, ranks, lanes * sizeof (guint16));
        }
      memcpy (y + c, sums, lanes * sizeof (float));
    }
}

/* Both steps for an instruction set. They are functions of their own: together they would not keep their sums in registers. */
#define POOL_FOR(name, attributes)                                                                                                         \
  attributes static __attribute__ ((noinline)) void compare_pairs_##name (gint64 rows, Block *block)                                       \
  {                                                                                                                                        \
    compare_pairs (rows, block);                                                                                                           \
  }                                                                                                                                        \
  attributes static void pool_few_rows_##name (const Sample *sample, float *y)                                                             \
  {                                                                                                                                        \
    pool_compared (compare_pairs_##name, sample, y);                                                                                       \
  }

POOL_FOR (baseline, )
#ifdef __x86_64__
POOL_FOR (avx2, __attribute__ ((target ("avx2,fma"))))
POOL_FOR (avx512, __attribute__ ((target ("avx512f,avx512bw,avx512vl,avx512dq,fma"))))
#endif

static void
pool_few_rows (const Sample *sample, float *y)
{
#ifdef __x86_64__
  gboolean fma = __builtin_cpu_supports ("fma");
  if (fma && __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512vl")
      && __builtin_cpu_supports ("avx512dq"))
    pool_few_rows_avx512 (sample, y);
  else if (fma && __builtin_cpu_supports ("avx2"))
    pool_few_rows_avx2 (sample, y);
  else
#endif
    pool_few_rows_baseline (sample, y);
}

/* Merges neighbouring runs of row numbers, in descending order of their values, until one is left. */
static gint32 *
sort_rows (const float *values, gint64 stride, gint32 rows, gint32 *order, gint32 *spare)
{
  for (gint32 r = 0; r < rows; r++)
    order[r] = r;
  for (gint32 run = 1; run < rows; run *= 2)
    {
      for (gint32 start = 0; start < rows; start += 2 * run)
        {
          gint32 middle = MIN (start + run, rows), end = MIN (middle + run, rows), left = start, right = middle;
          for (gint32 to = start; to < end; to++)
            {
              gboolean take_right = left == middle || (right < end && values[order[right] * stride] > values[order[left] * stride]);
              spare[to] = take_right ? order[right++] : order[left++];
            }
        }
      gint32 *merged = spare;
      spare = order;
      order = merged;
    }
  return order;
}

static void
pool_many_rows (const Sample *sample, gint32 *scratch, float *y)
{
  for (gint64 c = 0; c < sample->width; c++)
    {
      const gint32 *order = sort_rows (sample->values + c, sample->width, (gint32) sample->rows, scratch, scratch + sample->rows);
      float sum = 0;
      for (gint64 rank = 0; rank < sample->rows; rank++)
        {
          sum += sample->weights[rank] * sample->values[order[rank] * sample->width + c];
          if (sample->ranks)
            sample->ranks[order[rank] * sample->width + c] = (guint16) rank;
        }
      y[c] = sum;
    }
}

static void
pool_sample (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  Sample sample = sample_at (call, index);
  float *y = (float *) call->out[0]->data + index * sample.width;

  if (sample.rows <= COMPARED)
    pool_few_rows (&sample, y);
  else
    pool_many_rows (&sample, (gint32 *) call->scratch + 2 * sample.first, y);
}

static gboolean
groups_fit (const WeftCall *call)
{
  const WeftTensor *x = call->in[X], *weights = call->in[WEIGHTS];
  const gint32 *group = call->in[GROUP]->data;

  for (gint64 i = 0; i < x->samples; i++)
    {
      gint32 rows = x->offsets[i + 1] - x->offsets[i];
      if (group[i] < 0 || group[i] >= weights->samples)
        weft_fail (call, "sample %d is of group %d, but there are weights for %d groups", (int) i, group[i], (int) weights->samples);
      else if (weights->offsets[group[i] + 1] - weights->offsets[group[i]] != rows)
        weft_fail (call, "sample %d has %d rows, but its group %d has %d weights", (int) i, rows, group[i],
                   weights->offsets[group[i] + 1] - weights->offsets[group[i]]);
      else if (rows > MOST_ROWS)
        weft_fail (call, "sample %d has %d rows; at most %d can be ranked", (int) i, rows, MOST_ROWS);
      else
        continue;
      return FALSE;
    }
  return TRUE;
}

static void
sorted_sum_forward (const WeftCall *call)
{
  if (groups_fit (call))
    weft_parallel (call, call->in[X]->samples, pool_sample, (gpointer) call);
}

/* dx_r = w_rank(r) dy; parts[k] = Σ over channels of dy x_r with rank(r) = k, this sample's share of dw_k */
static void
differentiate_sample (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  Sample sample = sample_at (call, index);
  const float *by_y = (const float *) call->out_gradient[0]->data + index * sample.width;
  float *by_x = call->in_gradient[X] ? (float *) call->in_gradient[X]->data + sample.first * sample.width : NULL;
  double *parts = (double *) call->scratch + sample.first;

  for (gint64 r = 0; r < sample.rows; r++)
    parts[r] = 0;
  for (gint64 r = 0; r < sample.rows; r++)
    {
      gint64 row = r * sample.width;
      if (by_x)
        for (gint64 c = 0; c < sample.width; c++)
          by_x[row + c] = sample.weights[sample.ranks[row + c]] * by_y[c];
      if (call->in_gradient[WEIGHTS])
        for (gint64 c = 0; c < sample.width; c++)
          parts[sample.ranks[row + c]] += (double) (by_y[c] * sample.values[row + c]);
    }
}

static void
sorted_sum_backward (const WeftCall *call)
{
  const WeftTensor *x = call->in[X], *weights = call->in[WEIGHTS];
  const gint32 *group = call->in[GROUP]->data;
  const double *parts = call->scratch;
  float *by_weights = call->in_gradient[WEIGHTS] ? call->in_gradient[WEIGHTS]->data : NULL;

  weft_parallel (call, x->samples, differentiate_sample, (gpointer) call);
  if (!by_weights)
    return;
  memset (by_weights, 0, weft_tensor_bytes (call->in_gradient[WEIGHTS]));
  for (gint64 i = 0; i < x->samples; i++)
    for (gint64 r = 0; r < x->offsets[i + 1] - x->offsets[i]; r++)
      by_weights[weights->offsets[group[i]] + r] += (float) parts[x->offsets[i] + r];
}

/* Two row numbers a row for sorting; in backward a partial sum a row. */
static gsize
sorted_sum_scratch (const WeftCall *call)
{
  return (gsize) call->in[X]->shape[0] * sizeof (double);
}

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "rows" },
  { .name = "weights",
    .signature = "f32[u:p, 1]",
    .flags = WEFT_PORT_READ,
    .meaning = "for each group a weight per rank, largest value first" },
  { .name = "group",
    .signature = "i32[b]",
    .flags = WEFT_PORT_READ,
    .meaning = "whose weights each sample takes; the group has as many as the sample has rows" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[b, d]", .meaning = "Σ over ranks of weight · value; zero for a sample without rows" },
  { .name = NULL },
};

static const WeftPort saved[] = {
  { .name = "ranks", .signature = "u8[t, 2*d]", .meaning = "rank of each value in its sample and channel, as 16-bit integers" },
  { .name = NULL },
};

static const WeftOperator sorted_sum = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "sorted_sum",
  .version = 2,
  .summary = "Sorts the rows of each sample per channel and sums them with a weight per rank",
  .documentation =
      "y_c = Σ_k w_k x_(k)c, where x_(k)c is the k-th largest value of channel c among the sample's rows and w are the weights of "
      "the sample's group. Equal values keep the order of their rows. The gradient by x goes to the rows that the values came "
      "from; the gradient by the weights is summed over channels and samples in their order.",
  .source = "Chen et al., Learning the Best Pooling Strategy for Visual Semantic Embedding (arXiv 2011.04305), equation 4",
  .inputs = inputs,
  .outputs = outputs,
  .saved = saved,
  .forward = sorted_sum_forward,
  .backward = sorted_sum_backward,
  .scratch = sorted_sum_scratch,
  .example = "x: {op: feed, signature: \"f32[b<=4 : t<=20, 6]\", gradient: true}\n"
             "codes: {op: position_codes, x: x, width: 4}\n"
             "weights: {op: linear, x: codes.codes, units: 1}\n"
             "y: {op: sorted_sum, x: x, weights: weights, group: codes.group}\n",
};
WEFT_OPERATOR (sorted_sum);
