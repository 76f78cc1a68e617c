/* enhance: regions are moved towards a guide, each by how well it agrees with it.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include <math.h>
#include <string.h>

#include "loops.h"

typedef struct
{
  double scale;
} Enhance;

/* The guard of the release's l2 norm, x / (‖x‖ + ε). */
#define EPSILON 1e-8f

WEFT_DISPATCH (float, dot, loop_dot, (const float *a, const float *b, gint64 n), (a, b, n))

/* y = x + factor z; y may be x. */
WEFT_LOOP void
add_scaled_loop (gint64 n, const float *x, float factor, const float *z, float *y)
{
  gint64 i = 0;
  for (; i + LOOP_LANES <= n; i += LOOP_LANES)
    {
      float part[LOOP_LANES];
      __builtin_prefetch (x + i + LOOP_AHEAD);
      __builtin_prefetch (z + i + LOOP_AHEAD);
      for (int lane = 0; lane < LOOP_LANES; lane++)
        part[lane] = x[i + lane] + factor * z[i + lane];
      memcpy (y + i, part, sizeof part);
    }
  for (; i < n; i++)
    y[i] = x[i] + factor * z[i];
}
WEFT_DISPATCH (void, add_scaled, add_scaled_loop, (gint64 n, const float *x, float factor, const float *z, float *y), (n, x, factor, z, y))

/* y = factor z */
WEFT_LOOP void
put_scaled_loop (gint64 n, float factor, const float *restrict z, float *restrict y)
{
  for (gint64 i = 0; i < n; i++)
    y[i] = factor * z[i];
}
WEFT_DISPATCH (void, put_scaled, put_scaled_loop, (gint64 n, float factor, const float *z, float *y), (n, factor, z, y))

/* a = softmax of λ (x_r · g) over the sample's rows, divided by its own norm. */
static void
attend (const float *regions, const float *guide, gint64 rows, gint64 width, float scale, float *attention)
{
  float greatest = -INFINITY;
  for (gint64 r = 0; r < rows; r++)
    {
      attention[r] = scale * dot (regions + r * width, guide, width);
      greatest = MAX (greatest, attention[r]);
    }
  float sum = 0, squares = 0;
  for (gint64 r = 0; r < rows; r++)
    {
      attention[r] = expf (attention[r] - greatest);
      sum += attention[r];
    }
  for (gint64 r = 0; r < rows; r++)
    {
      attention[r] /= sum;
      squares += attention[r] * attention[r];
    }
  float inverse = 1.0f / (sqrtf (squares) + EPSILON);
  for (gint64 r = 0; r < rows; r++)
    attention[r] *= inverse;
}

static void
enhance_sample (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const Enhance *enhance = call->attributes;
  gint64 width = call->in[0]->shape[1], first = call->in[0]->offsets[sample], rows = call->in[0]->offsets[sample + 1] - first;
  const float *regions = (const float *) call->in[0]->data + first * width, *guide = (const float *) call->in[1]->data + sample * width;
  WeftTensor *kept = call->saved[0] ? call->saved[0] : call->out[1];
  float *attention = (kept ? (float *) kept->data : (float *) call->scratch) + first, *y = (float *) call->out[0]->data + first * width;
  attend (regions, guide, rows, width, (float) enhance->scale, attention);
  for (gint64 r = 0; r < rows; r++)
    add_scaled (width, regions + r * width, attention[r], guide, y + r * width);
  if (call->out[1] && call->out[1] != kept)
    for (gint64 r = 0; r < rows; r++)
      ((float *) call->out[1]->data)[first + r] = attention[r];
}

static void
enhance_forward (const WeftCall *call)
{
  weft_parallel (call, call->in[0]->samples, enhance_sample, (gpointer) call);
}

/* With p the softmax and n its norm, a = p / (n + ε); since Σp = 1, n + ε = 1 / Σa and p = a / Σa:
 *   dL/da_r = dL/dy_r · g
 *   dL/dp_r = (dL/da_r − p_r Σ_j dL/da_j p_j / (n (n + ε))) / (n + ε)
 *   dL/dz_r = p_r (dL/dp_r − Σ_j p_j dL/dp_j),  z_r = λ x_r · g */
static void
enhance_sample_backward (gpointer data, gint64 sample, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  float scale = (float) ((const Enhance *) call->attributes)->scale;
  gint64 width = call->in[0]->shape[1], first = call->in[0]->offsets[sample], rows = call->in[0]->offsets[sample + 1] - first;
  const float *regions = (const float *) call->in[0]->data + first * width, *guide = (const float *) call->in[1]->data + sample * width;
  const float *attention = (const float *) call->saved[0]->data + first;
  const float *by_y = call->out_gradient[0] ? (const float *) call->out_gradient[0]->data + first * width : NULL;
  const float *by_attention = call->out_gradient[1] ? (const float *) call->out_gradient[1]->data + first : NULL;
  float *by_regions = call->in_gradient[0] ? (float *) call->in_gradient[0]->data + first * width : NULL;
  float *by_guide = call->in_gradient[1] ? (float *) call->in_gradient[1]->data + sample * width : NULL;
  float *by_score = (float *) call->scratch + first;

  float sum = 0, product = 0;
  for (gint64 r = 0; r < rows; r++)
    {
      by_score[r] = (by_y ? dot (by_y + r * width, guide, width) : 0) + (by_attention ? by_attention[r] : 0);
      sum += attention[r];
      product += attention[r] * by_score[r];
    }
  float norm_guarded = 1.0f / sum, norm = norm_guarded - EPSILON, mean = 0;
  product /= sum;
  for (gint64 r = 0; r < rows; r++)
    {
      float p = attention[r] / sum;
      by_score[r] = (by_score[r] - p * product / (norm * norm_guarded)) / norm_guarded;
      mean += p * by_score[r];
    }
  for (gint64 r = 0; r < rows; r++)
    by_score[r] = scale * (attention[r] / sum) * (by_score[r] - mean);

  for (gint64 r = 0; by_regions && r < rows; r++)
    if (by_y)
      add_scaled (width, by_y + r * width, by_score[r], guide, by_regions + r * width);
    else
      put_scaled (width, by_score[r], guide, by_regions + r * width);
  if (by_guide)
    memset (by_guide, 0, (gsize) width * sizeof (float));
  for (gint64 r = 0; by_guide && r < rows; r++)
    {
      add_scaled (width, by_guide, by_score[r], regions + r * width, by_guide);
      if (by_y)
        add_scaled (width, by_guide, attention[r], by_y + r * width, by_guide);
    }
}

static void
enhance_backward (const WeftCall *call)
{
  weft_parallel (call, call->in[0]->samples, enhance_sample_backward, (gpointer) call);
}

static gsize
enhance_scratch (const WeftCall *call)
{
  return (gsize) call->in[0]->shape[0] * sizeof (float);
}

static const WeftAttribute attributes[] = {
  WEFT_NUMBER (Enhance, scale, "1", 0, 1e6, "", "factor λ of the scores before the softmax; larger: fewer regions get more"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "regions", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "region features x" },
  { .name = "guide",
    .signature = "f32[b, d]",
    .flags = WEFT_PORT_READ,
    .meaning = "one vector g per sample, of unit norm, from sge or cge" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[b:t, d]", .meaning = "enhanced regions" },
  { .name = "attention",
    .signature = "f32[b:t, 1]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "a, how much of the guide each region received" },
  { .name = NULL },
};

static const WeftPort saved[] = {
  { .name = "weights", .signature = "f32[b:t]", .meaning = "a" },
  { .name = NULL },
};

static const WeftOperator enhance = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "enhance",
  .version = 1,
  .summary = "Adds a guide to the regions of a sample, in proportion to their agreement with it",
  .documentation = "a = softmax over the sample's regions of λ (x_r · g), then a ← a / (‖a‖ + 1e-8), and y_r = x_r + a_r g.\n\n"
                   "The l2 norm keeps the strength of the enhancement independent of the number of regions that share it. Samples without "
                   "regions have no output rows and give their guide no gradient.",
  .source = "Zhang et al., USER (arXiv 2301.06844), section III-B, enhancement of regions by self or CLIP guidance",
  .attributes_size = sizeof (Enhance),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .saved = saved,
  .in_place = (const char *const[]){ "regions=y", NULL },
  .forward = enhance_forward,
  .backward = enhance_backward,
  .scratch = enhance_scratch,
  .example = "regions: {op: feed, signature: \"f32[b<=4 : t<=20, 6]\", gradient: true}\n"
             "guide: {op: feed, signature: \"f32[b<=4, 6]\", gradient: true}\n"
             "enhanced: {op: enhance, regions: regions, guide: guide}\n",
};
WEFT_OPERATOR (enhance);
