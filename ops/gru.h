/* What forward and backward of the gru operator share.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "gru-schedule.h"
#include "kernels/product.h"
#include "kernels/rows.h"

/* Up to this many units the whole recurrence of a direction is one tile: its products are too small to be shared out. */
#define GRU_SMALL 128

typedef struct
{
  gint64 units;
  gboolean bidirectional;
  const char *initial;
} Gru;

/* Parameters of one direction, from four times its number on. */
enum
{
  GRU_WEIGHT_IH,
  GRU_WEIGHT_HH,
  GRU_BIAS_IH,
  GRU_BIAS_HH,
  GRU_PARAMETERS,
};

enum
{
  GRU_SAVED_GATES,
  GRU_SAVED_HIDDEN,
};

/**
 * GruMemory: memory that is dealt out front to back; without @base it only counts.
 */
typedef struct
{
  char *base;
  gsize used;
} GruMemory;

static inline gpointer
gru_take (GruMemory *memory, gint64 elements)
{
  gpointer place = memory->base ? memory->base + memory->used : NULL;
  memory->used += ((gsize) elements * sizeof (float) + 63) / 64 * 64;
  return place;
}

/**
 * GruWork:
 * @gates: per direction, time-major rows of four blocks of units: n, r, z and the recurrent part of the candidate. The blocks r, z and the
 *   recurrent part are neighbours because they take their input from the state together
 * @hidden: per direction, time-major states after each step
 * @bias: a row of the gates as it is before any input
 * @recurrent: small only: transposed recurrent weights
 * @packed: (nullable): memory for the recurrent weights of a direction, packed
 * @by_gates: gradients by the arguments of the gates
 * @by_hidden: gradients by the state before the step last dealt with, per rank
 * @inputs, @by_inputs, @before: time-major rows of x, of its gradient, and of the states before each step
 * @direction, @step: what the tiles at work deal with
 */
typedef struct
{
  const WeftCall *call;
  const RowKernels *kernels;
  GruSchedule schedule;
  gint64 samples, rows, width, units, directions;
  gboolean small;
  float *gates[2], *hidden[2];
  float *bias, *recurrent[2], *packed;
  float *by_gates[2], *by_hidden[2], *inputs, *by_inputs, *before;
  int direction;
  gint64 step;
} GruWork;

void gru_begin (const WeftCall *call, GruWork *work, GruMemory *memory) G_GNUC_INTERNAL;
/* The saved block of a direction, or memory for it. */
float *gru_block (GruWork *work, guint saved, int direction, gint64 width, GruMemory *memory) G_GNUC_INTERNAL;
/* Copies rows of x into time-major order, for the samples of one rank. */
void gru_gather_inputs (GruWork *work, gint64 rank) G_GNUC_INTERNAL;
/* Runs @tile over groups of the ranks that are active at work->step. */
void gru_parallel_ranks (GruWork *work, void (*tile) (gpointer work, gint64 index, guint member)) G_GNUC_INTERNAL;
void gru_ranks_of_tile (const GruWork *work, gint64 index, gint64 *first, gint64 *end) G_GNUC_INTERNAL;

/* Memory for @work->packed, of the product that steps repeat with its B of k × n. */
void gru_take_packed (GruWork *work, gint64 n, gint64 k, GruMemory *memory) G_GNUC_INTERNAL;
/* Packs the B of that product, if several steps are to come. */
void gru_pack (GruWork *work, MatrixProduct *product) G_GNUC_INTERNAL;
void gru_multiply (GruWork *work, MatrixProduct *product, gint64 m, const float *a, float *c) G_GNUC_INTERNAL;

gsize gru_backward_scratch (const WeftCall *call) G_GNUC_INTERNAL;
void gru_backward (const WeftCall *call) G_GNUC_INTERNAL;
