/* Lesson 8: another family of models, as a module outside of the tree.
 *
 * SCAN (Lee et al., Stacked cross attention for image-text matching, arXiv 1803.08024), text to image with log-sum-exp pooling. An image is
 * its regions v_r, a caption its words e_j, all of unit norm; each word looks at the regions that it resembles:
 *
 *     s_rj = v_r · e_j                                  S = V Eᵀ
 *     s̄_rj = [s_rj]₊ / √(Σ_j [s_rj]₊²)                  [·]₊ leaks, as in the authors' release
 *     p_rj = softmax over r of λ₁ s̄_rj,  a_j = Σ_r p_rj v_r
 *     y    = 1/λ₂ log Σ_j exp(λ₂ cos(e_j, a_j))
 *
 * The similarities of all images and captions are one matrix, computed pair by pair in the scratch of each thread: what a pair needs never
 * exists for more than one pair at a time, so whole test sets are scored as batches are trained.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>
#include <weft/operator.h>

#define TINY 1e-8f

typedef struct
{
  double attend, pool, leak;
  gint64 regions, words;
} StackedAttention;

/* A sample's rows and their gradient. */
typedef struct
{
  gint64 n;
  const float *rows;
  float *gradient;
} Rows;

/* One pair and the memory to work in: matrices have a row per region and a column per word. */
typedef struct
{
  const WeftCall *call;
  const StackedAttention *self;
  gint64 width;
  Rows image, text;
  float *clipped, *weights, *slope; /* [s]₊, p, and gradients by them */
  float *norms;                     /* √Σ_j [s_rj]₊² of each region */
  float *seen, *seen_gradient;      /* a_j and the gradient by it */
  float *cosine;
} Pair;

static Rows
rows_of (const WeftTensor *tensor, WeftTensor *gradient, gint64 i)
{
  gint64 first = tensor->offsets[i], width = weft_tensor_last (tensor);

  return (Rows){ tensor->offsets[i + 1] - first, (const float *) tensor->data + first * width,
                 gradient ? (float *) gradient->data + first * width : NULL };
}

static gsize
floats_per_member (const StackedAttention *self, gint64 width)
{
  return (gsize) (3 * self->regions * self->words + self->regions + 2 * self->words * width + self->words);
}

static Pair
pair_in (const WeftCall *call, guint member)
{
  const StackedAttention *self = call->attributes;
  Pair pair = { .call = call, .self = self, .width = weft_tensor_last (call->in[0]) };
  float *memory = (float *) call->scratch + member * floats_per_member (self, pair.width);

  pair.clipped = memory;
  pair.weights = pair.clipped + self->regions * self->words;
  pair.slope = pair.weights + self->regions * self->words;
  pair.norms = pair.slope + self->regions * self->words;
  pair.seen = pair.norms + self->regions;
  pair.seen_gradient = pair.seen + self->words * pair.width;
  pair.cosine = pair.seen_gradient + self->words * pair.width;
  return pair;
}

static gboolean
fits (const Pair *pair)
{
  if (pair->image.n <= pair->self->regions && pair->text.n <= pair->self->words)
    return TRUE;
  weft_fail (pair->call,
             "%" G_GINT64_FORMAT " regions and %" G_GINT64_FORMAT " words; attributes regions and words allow %" G_GINT64_FORMAT
             " and %" G_GINT64_FORMAT,
             pair->image.n, pair->text.n, pair->self->regions, pair->self->words);
  return FALSE;
}

static float
dot (const float *a, const float *b, gint64 n)
{
  float sum = 0;

  for (gint64 i = 0; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

/* p_rj, from [s]₊ and its norms. */
static void
attend (Pair *pair)
{
  gint64 regions = pair->image.n, words = pair->text.n;
  float sharpness = (float) pair->self->attend;

  for (gint64 r = 0; r < regions; r++)
    {
      float *row = pair->clipped + r * words;
      for (gint64 j = 0; j < words; j++)
        row[j] = row[j] > 0 ? row[j] : (float) pair->self->leak * row[j];
      pair->norms[r] = sqrtf (dot (row, row, words)) + TINY;
    }
  for (gint64 j = 0; j < words; j++)
    {
      float largest = -INFINITY, sum = 0;
      for (gint64 r = 0; r < regions; r++)
        largest = fmaxf (largest, sharpness * pair->clipped[r * words + j] / pair->norms[r]);
      for (gint64 r = 0; r < regions; r++)
        {
          pair->weights[r * words + j] = expf (sharpness * pair->clipped[r * words + j] / pair->norms[r] - largest);
          sum += pair->weights[r * words + j];
        }
      for (gint64 r = 0; r < regions; r++)
        pair->weights[r * words + j] /= sum;
    }
}

/* Returns: y; leaves what backward goes on with. */
static float
compare (Pair *pair)
{
  gint64 regions = pair->image.n, words = pair->text.n, width = pair->width;
  float sharpness = (float) pair->self->pool, largest = -INFINITY, sum = 0;

  if (!regions || !words)
    return 0;
  weft_matrix_product_here (FALSE, TRUE, regions, words, width, 1, pair->image.rows, width, pair->text.rows, width, 0, pair->clipped,
                            words);
  attend (pair);
  weft_matrix_product_here (TRUE, FALSE, words, width, regions, 1, pair->weights, words, pair->image.rows, width, 0, pair->seen, width);
  for (gint64 j = 0; j < words; j++)
    {
      const float *word = pair->text.rows + j * width, *seen = pair->seen + j * width;
      pair->cosine[j] = dot (word, seen, width) / (sqrtf (dot (word, word, width) * dot (seen, seen, width)) + TINY);
      largest = fmaxf (largest, pair->cosine[j]);
    }
  for (gint64 j = 0; j < words; j++)
    sum += expf (sharpness * (pair->cosine[j] - largest));
  return largest + logf (sum) / sharpness;
}

/* Gradients by a_j, and by e_j through the cosine. */
static void
through_cosines (Pair *pair, float y, float dy)
{
  gint64 width = pair->width;

  for (gint64 j = 0; j < pair->text.n; j++)
    {
      const float *word = pair->text.rows + j * width, *seen = pair->seen + j * width;
      float ww = dot (word, word, width) + TINY, ss = dot (seen, seen, width) + TINY, length = sqrtf (ww * ss), cosine = pair->cosine[j];
      float share = dy * expf ((float) pair->self->pool * (cosine - y));
      for (gint64 k = 0; k < width; k++)
        pair->seen_gradient[j * width + k] = share * (word[k] / length - cosine * seen[k] / ss);
      for (gint64 k = 0; pair->text.gradient && k < width; k++)
        pair->text.gradient[j * width + k] += share * (seen[k] / length - cosine * word[k] / ww);
    }
}

/* From gradients by p to gradients by s, both in `slope`. */
static void
through_attention (Pair *pair)
{
  gint64 regions = pair->image.n, words = pair->text.n;

  for (gint64 j = 0; j < words; j++)
    {
      float mean = 0;
      for (gint64 r = 0; r < regions; r++)
        mean += pair->weights[r * words + j] * pair->slope[r * words + j];
      for (gint64 r = 0; r < regions; r++)
        pair->slope[r * words + j] = (float) pair->self->attend * pair->weights[r * words + j] * (pair->slope[r * words + j] - mean);
    }
  for (gint64 r = 0; r < regions; r++)
    {
      const float *row = pair->clipped + r * words;
      float *slope = pair->slope + r * words, norm = pair->norms[r], along = dot (slope, row, words) / (norm * norm);
      for (gint64 j = 0; j < words; j++)
        slope[j] = (slope[j] - along * row[j]) / norm * (row[j] > 0 ? 1 : (float) pair->self->leak);
    }
}

static void
add_gradients (Pair *pair, float dy)
{
  gint64 regions = pair->image.n, words = pair->text.n, width = pair->width;
  float *by_image = pair->image.gradient, *by_text = pair->text.gradient, y = compare (pair);

  if (!regions || !words)
    return;
  through_cosines (pair, y, dy);
  weft_matrix_product_here (FALSE, TRUE, regions, words, width, 1, pair->image.rows, width, pair->seen_gradient, width, 0, pair->slope,
                            words);
  through_attention (pair);
  if (by_image)
    {
      weft_matrix_product_here (FALSE, FALSE, regions, width, words, 1, pair->weights, words, pair->seen_gradient, width, 1, by_image,
                                width);
      weft_matrix_product_here (FALSE, FALSE, regions, width, words, 1, pair->slope, words, pair->text.rows, width, 1, by_image, width);
    }
  if (by_text)
    weft_matrix_product_here (TRUE, FALSE, words, width, regions, 1, pair->slope, words, pair->image.rows, width, 1, by_text, width);
}

/* A tile is one image against all captions. */
static void
score_image (gpointer data, gint64 i, guint member)
{
  const WeftCall *call = data;
  Pair pair = pair_in (call, member);
  gint64 captions = call->in[1]->samples;
  float *y = (float *) call->out[0]->data + i * captions;

  pair.image = rows_of (call->in[0], NULL, i);
  for (gint64 c = 0; c < captions; c++)
    {
      pair.text = rows_of (call->in[1], NULL, c);
      if (!fits (&pair))
        return;
      y[c] = compare (&pair);
    }
}

static void
forward (const WeftCall *call)
{
  weft_parallel (call, call->in[0]->samples, score_image, (gpointer) call);
}

/* Gradients by an image sum over captions, those by a caption over images: each has its own tiles, so that sums keep their order. */
static void
image_gradient (gpointer data, gint64 i, guint member)
{
  const WeftCall *call = data;
  Pair pair = pair_in (call, member);
  gint64 captions = call->in[1]->samples;
  const float *dy = (const float *) call->out_gradient[0]->data + i * captions;

  pair.image = rows_of (call->in[0], call->in_gradient[0], i);
  memset (pair.image.gradient, 0, (gsize) (pair.image.n * pair.width) * sizeof (float));
  for (gint64 c = 0; c < captions; c++)
    {
      pair.text = rows_of (call->in[1], NULL, c);
      if (dy[c] != 0)
        add_gradients (&pair, dy[c]);
    }
}

static void
text_gradient (gpointer data, gint64 c, guint member)
{
  const WeftCall *call = data;
  Pair pair = pair_in (call, member);
  gint64 captions = call->in[1]->samples;
  const float *dy = (const float *) call->out_gradient[0]->data + c;

  pair.text = rows_of (call->in[1], call->in_gradient[1], c);
  memset (pair.text.gradient, 0, (gsize) (pair.text.n * pair.width) * sizeof (float));
  for (gint64 i = 0; i < call->in[0]->samples; i++)
    {
      pair.image = rows_of (call->in[0], NULL, i);
      if (dy[i * captions] != 0)
        add_gradients (&pair, dy[i * captions]);
    }
}

static void
backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    weft_parallel (call, call->in[0]->samples, image_gradient, (gpointer) call);
  if (call->in_gradient[1])
    weft_parallel (call, call->in[1]->samples, text_gradient, (gpointer) call);
}

static gsize
scratch (const WeftCall *call)
{
  return weft_team_size (call) * floats_per_member (call->attributes, weft_tensor_last (call->in[0])) * sizeof (float);
}

static const WeftAttribute attributes[] = {
  WEFT_NUMBER (StackedAttention, attend, "9", 0.01, 100, "", "λ₁: how sharply a word looks at regions"),
  WEFT_NUMBER (StackedAttention, pool, "6", 0.01, 100, "", "λ₂: how much the best words count"),
  WEFT_NUMBER (StackedAttention, leak, "0.1", 0, 1, "", "slope of [·]₊ below 0"),
  WEFT_INTEGER (StackedAttention, regions, "36", 1, 1 << 16, "regions", "most regions of an image"),
  WEFT_INTEGER (StackedAttention, words, "64", 1, 1 << 16, "words", "most words of a caption"),
  { 0 },
};

static const WeftPort inputs[] = {
  { .name = "image", .signature = "f32[i:r, d]", .flags = WEFT_PORT_READ, .meaning = "regions of each image, of unit norm" },
  { .name = "text", .signature = "f32[c:w, d]", .flags = WEFT_PORT_READ, .meaning = "words of each caption, of unit norm" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[i, c]", .meaning = "similarities of images (rows) and captions; 0 where either has no rows" },
  { 0 },
};

static const WeftOperator stacked_attention = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "stacked_attention",
  .version = 1,
  .summary = "Similarity of images and captions by stacked cross attention, text to image",
  .source = "Lee et al., Stacked cross attention for image-text matching (arXiv 1803.08024), section 3.1 and equation 6",
  .attributes_size = sizeof (StackedAttention),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = forward,
  .backward = backward,
  .scratch = scratch,
  .example = "image: {op: feed, signature: \"f32[a<=3 : r<=11, 6]\", gradient: true}\n"
             "text: {op: feed, signature: \"f32[b<=4 : w<=13, 6]\", gradient: true}\n"
             "y: {op: stacked_attention, image: image, text: text, attend: 4, pool: 3}\n",
};
WEFT_OPERATOR (stacked_attention);
WEFT_MODULE ("lesson-8", "1.0", "SCAN's similarity");
