/* Lesson 3: shapes in signatures, ragged rows, and tiles on all threads.
 *
 * bilinear_pool: the outer product of a sample's mean row with itself is what second-order pooling is made of. Here in its plain form:
 * Y_i = 1/T_i Σ_r x_r x_rᵀ over the T_i rows of sample i, as d·d numbers. The signature computes: f32[b, d*d].
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <weft/operator.h>

/* Tiles are cut by shape, here one per sample, and each writes what is its own: the result is the same for any number of threads. */
static void
pool_sample (gpointer data, gint64 i, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *x = call->in[0];
  gint64 width = weft_tensor_last (x), first = x->offsets[i], rows = x->offsets[i + 1] - first;
  float *y = (float *) call->out[0]->data + i * width * width;

  memset (y, 0, (gsize) (width * width) * sizeof (float));
  for (gint64 r = first; r < first + rows; r++)
    {
      const float *row = (const float *) x->data + r * width;
      for (gint64 j = 0; j < width; j++)
        for (gint64 k = 0; k < width; k++)
          y[j * width + k] += row[j] * row[k] / (float) rows;
    }
}

static void
forward (const WeftCall *call)
{
  weft_parallel (call, call->in[0]->samples, pool_sample, (gpointer) call);
}

/* dx_r = 1/T (dY + dYᵀ) x_r */
static void
backward_sample (gpointer data, gint64 i, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const WeftTensor *x = call->in[0];
  gint64 width = weft_tensor_last (x), first = x->offsets[i], rows = x->offsets[i + 1] - first;
  const float *dy = (const float *) call->out_gradient[0]->data + i * width * width;

  for (gint64 r = first; r < first + rows; r++)
    {
      const float *row = (const float *) x->data + r * width;
      float *dx = (float *) call->in_gradient[0]->data + r * width;
      for (gint64 j = 0; j < width; j++)
        {
          float sum = 0;
          for (gint64 k = 0; k < width; k++)
            sum += (dy[j * width + k] + dy[k * width + j]) * row[k];
          dx[j] = sum / (float) rows;
        }
    }
}

static void
backward (const WeftCall *call)
{
  if (call->in_gradient[0])
    weft_parallel (call, call->in[0]->samples, backward_sample, (gpointer) call);
}

/* b samples with t rows altogether; b and d are the same letters in the output, so the framework knows its shape. */
static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "rows of each sample" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[b, d*d]", .meaning = "mean of x xᵀ over the sample's rows, row by row; zeros without rows" },
  { 0 },
};

static const WeftOperator bilinear_pool = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "bilinear_pool",
  .version = 1,
  .summary = "Second moments of the rows of each sample",
  .source = "Lin et al., Bilinear CNN models (ICCV 2015)",
  .inputs = inputs,
  .outputs = outputs,
  .forward = forward,
  .backward = backward,
  .example = "x: {op: feed, signature: \"f32[b<=4 : t<=13, 5]\", gradient: true}\n"
             "y: {op: bilinear_pool, x: x}\n",
};
WEFT_OPERATOR (bilinear_pool);
WEFT_MODULE ("lesson-3", "1.0", "An operator with a shape signature");
