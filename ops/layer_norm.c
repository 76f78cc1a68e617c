/* layer_norm: each row to mean 0 and variance 1, then scaled and shifted.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "kernels/vector.h"
#include "tiles.h"

typedef struct
{
  double epsilon;
} LayerNorm;

enum
{
  WEIGHT,
  BIAS
};
enum
{
  MEAN,
  DEVIATION
};

static void
layer_norm_part (const WeftCall *call, const WeftPart *part)
{
  const LayerNorm *self = call->attributes;
  gint64 width = part->width;

  for (gint64 row = part->first_row; row < part->first_row + part->rows; row++)
    {
      const float *at = (const float *) call->in[0]->data + row * width;
      float mean = (float) (vector->sum (width, at) / (double) width);
      float deviation = (float) (1 / sqrt (vector->squares (width, at, mean) / (double) width + self->epsilon));
      vector->normalize_row (width, at, mean, deviation, call->parameters[WEIGHT]->data, call->parameters[BIAS]->data,
                             (float *) call->out[0]->data + row * width);
      if (call->saved[MEAN])
        {
          ((float *) call->saved[MEAN]->data)[row] = mean;
          ((float *) call->saved[DEVIATION]->data)[row] = deviation;
        }
    }
}

/* Rows whose part of the parameters' gradients is summed in float32. */
#define ROW_BLOCK 64

/* Partial sums of the parameters' gradients: per tile, weight then bias, in float64; per tile the same in float32. */
static gsize
layer_norm_scratch (const WeftCall *call)
{
  return ROW_TILES * 2 * (sizeof (double) + sizeof (float)) * weft_tensor_last (call->in[0]);
}

static void
differentiate_row (const WeftCall *call, gint64 row, gint64 width, float *by_parameters)
{
  const float *x = (const float *) call->in[0]->data + row * width, *by_y = (const float *) call->out_gradient[0]->data + row * width;
  const float *weight = call->parameters[WEIGHT]->data;
  float mean = ((const float *) call->saved[MEAN]->data)[row], deviation = ((const float *) call->saved[DEVIATION]->data)[row];

  if (call->in_gradient[0])
    {
      double sum, dot;
      vector->normalize_row_sums (width, x, mean, deviation, weight, by_y, &sum, &dot);
      vector->normalize_row_gradient (width, x, mean, deviation, weight, by_y, (float) (sum / (double) width),
                                      (float) (dot / (double) width), (float *) call->in_gradient[0]->data + row * width);
    }
  vector->normalize_row_accumulate (width, x, mean, deviation, by_y, by_parameters, by_parameters + width);
}

static void
differentiate_rows (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  gint64 width = weft_tensor_last (call->in[0]), rows = rows_of (call->in[0]), tile = rows_per_tile (rows),
         end = MIN (rows, (index + 1) * tile);
  double *sums = (double *) call->scratch + index * 2 * width;
  float *block = (float *) ((double *) call->scratch + ROW_TILES * 2 * width) + index * 2 * width;

  memset (sums, 0, 2 * width * sizeof (double));
  for (gint64 first = index * tile; first < end; first += ROW_BLOCK)
    {
      vector->fill (2 * width, 0, block);
      for (gint64 row = first; row < MIN (end, first + ROW_BLOCK); row++)
        differentiate_row (call, row, width, block);
      for (gint64 i = 0; i < 2 * width; i++)
        sums[i] += (double) block[i];
    }
}

static void
layer_norm_backward (const WeftCall *call)
{
  gint64 width = weft_tensor_last (call->in[0]), rows = rows_of (call->in[0]), tiles = tiles_of (rows, rows_per_tile (rows));
  const double *parts = call->scratch;

  weft_parallel (call, tiles, differentiate_rows, (gpointer) call);
  for (int which = WEIGHT; which <= BIAS; which++)
    for (gint64 i = 0; call->parameter_gradient[which] && i < width; i++)
      {
        double sum = 0;
        for (gint64 tile = 0; tile < tiles; tile++)
          sum += parts[(tile * 2 + which) * width + i];
        ((float *) call->parameter_gradient[which]->data)[i] = (float) sum;
      }
}

static const WeftOperator layer_norm = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "layer_norm",
  .version = 1,
  .summary = "rows normalised to mean 0 and variance 1, scaled and shifted",
  .source = "Ba, Kiros, Hinton: Layer normalization, 2016",
  .attributes_size = sizeof (LayerNorm),
  .attributes = (const WeftAttribute[]){ WEFT_NUMBER (LayerNorm, epsilon, "1e-5", 0, 1, "", "added to the variance"), { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[..., d]", .flags = WEFT_PORT_READ, .meaning = "rows" }, { 0 } },
  .outputs =
      (const WeftPort[]){ { .name = "y", .signature = "f32[..., d]", .meaning = "(x − mean) / √(variance + ε) · weight + bias" }, { 0 } },
  .saved = (const WeftPort[]){ { .name = "mean", .signature = "f32[...]", .meaning = "of each row" },
                               { .name = "deviation", .signature = "f32[...]", .meaning = "1/σ of each row" },
                               { 0 } },
  .parameters =
      (const WeftPort[]){ { .name = "weight", .signature = "f32[d]", .flags = WEFT_PORT_READ, .meaning = "scale", .initial = "ones" },
                          { .name = "bias", .signature = "f32[d]", .meaning = "shift", .initial = "zeros" },
                          { 0 } },
  .forward_part = layer_norm_part,
  .parts = WEFT_PARTS_ROWS,
  .backward = layer_norm_backward,
  .scratch = layer_norm_scratch,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 8]\", gradient: true}\n"
             "y: {op: layer_norm, x: x}\n",
};
WEFT_OPERATOR (layer_norm);
