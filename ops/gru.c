/* gru: a gated recurrent unit that runs over the rows of each sample, in one direction or both.
 *
 * All rows meet the input weights in one product. The recurrence then goes step by step over the samples that still have rows, in
 * time-major order, so that each step is one product over a contiguous block of states.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "gru.h"

#include <string.h>
#include <weft/product.h>

#include "kernels/vector.h"

void
gru_begin (const WeftCall *call, GruWork *work, GruMemory *memory)
{
  const Gru *gru = call->attributes;
  const WeftTensor *x = call->in[0];
  *work = (GruWork){ .call = call,
                     .kernels = row_kernels (),
                     .samples = x->samples,
                     .rows = x->shape[0],
                     .width = x->shape[1],
                     .units = gru->units,
                     .directions = gru->bidirectional ? 2 : 1,
                     .small = gru->units <= GRU_SMALL };
  gint32 *integers = gru_take (memory, (gint64) gru_schedule_size (work->samples, work->rows));
  if (integers)
    work->schedule = gru_schedule (x, integers);
}

float *
gru_block (GruWork *work, guint saved, int direction, gint64 width, GruMemory *memory)
{
  WeftTensor *kept = work->call->saved[saved];
  if (!kept)
    return gru_take (memory, work->rows * width);
  return kept->data ? (float *) kept->data + direction * work->rows * width : NULL;
}

void
gru_gather_inputs (GruWork *work, gint64 rank)
{
  const GruSchedule *schedule = &work->schedule;
  const float *x = work->call->in[0]->data;
  for (gint64 step = 0; step < gru_length (schedule, rank); step++)
    memcpy (work->inputs + (schedule->start[step] + rank) * work->width, x + gru_row (schedule, rank, step, work->direction) * work->width,
            (gsize) work->width * sizeof (float));
}

static gint64
ranks_per_tile (const GruWork *work)
{
  return MAX (1, 16384 / work->units);
}

void
gru_ranks_of_tile (const GruWork *work, gint64 index, gint64 *first, gint64 *end)
{
  *first = index * ranks_per_tile (work);
  *end = MIN (*first + ranks_per_tile (work), gru_active (&work->schedule, work->step));
}

void
gru_parallel_ranks (GruWork *work, void (*tile) (gpointer work, gint64 index, guint member))
{
  gint64 each = ranks_per_tile (work);
  weft_parallel (work->call, (gru_active (&work->schedule, work->step) + each - 1) / each, tile, work);
}

void
gru_take_packed (GruWork *work, gint64 n, gint64 k, GruMemory *memory)
{
  gsize floats = work->small ? 0 : product_packed_floats (work->call->compute, n, k);
  work->packed = floats ? gru_take (memory, (gint64) floats) : NULL;
}

void
gru_pack (GruWork *work, MatrixProduct *product)
{
  product->compute = work->call->compute;
  product->packed = NULL;
  if (!work->packed || work->schedule.steps < 3)
    return;
  product_pack (work->call, product, work->packed);
  product->packed = work->packed;
}

void
gru_multiply (GruWork *work, MatrixProduct *product, gint64 m, const float *a, float *c)
{
  product->m = m;
  product->a = a;
  product->c = c;
  weft_products_note (m, product->n, product->k);
  product_run (work->call, product);
}

static void
forward_memory (const WeftCall *call, GruWork *work, GruMemory *memory)
{
  gru_begin (call, work, memory);
  work->inputs = gru_take (memory, work->rows * work->width);
  work->bias = gru_take (memory, 4 * work->units);
  gru_take_packed (work, 3 * work->units, work->units, memory);
  for (int i = 0; i < work->directions; i++)
    {
      /* Big directions take turns, so that without backward they need one block of gates. */
      work->gates[i] = i && !work->small && !call->saved[GRU_SAVED_GATES] ? work->gates[0]
                                                                          : gru_block (work, GRU_SAVED_GATES, i, 4 * work->units, memory);
      work->hidden[i] = gru_block (work, GRU_SAVED_HIDDEN, i, work->units, memory);
      if (work->small)
        work->recurrent[i] = gru_take (memory, work->units * ROW_PADDED (3 * work->units));
    }
}

static gsize
gru_scratch (const WeftCall *call)
{
  GruWork work;
  GruMemory memory = { 0 };
  forward_memory (call, &work, &memory);
  return MAX (memory.used, gru_backward_scratch (call));
}

static void
begin_rank (gpointer data, gint64 rank, guint member G_GNUC_UNUSED)
{
  GruWork *work = data;
  gru_gather_inputs (work, rank);
  for (gint64 step = 0; step < gru_length (&work->schedule, rank); step++)
    memcpy (work->gates[work->direction] + (work->schedule.start[step] + rank) * 4 * work->units, work->bias,
            (gsize) (4 * work->units) * sizeof (float));
}

/* Biases and inputs of all gates, for all rows at once. */
static void
feed_gates (GruWork *work)
{
  const WeftTensor *const *parameters = work->call->parameters + GRU_PARAMETERS * work->direction;
  const float *weight = parameters[GRU_WEIGHT_IH]->data, *bias_ih = parameters[GRU_BIAS_IH]->data, *bias_hh = parameters[GRU_BIAS_HH]->data;
  float *gates = work->gates[work->direction];
  gint64 units = work->units, width = work->width;

  for (gint64 i = 0; i < units; i++)
    {
      work->bias[i] = bias_ih[2 * units + i];
      work->bias[units + i] = bias_ih[i] + bias_hh[i];
      work->bias[2 * units + i] = bias_ih[units + i] + bias_hh[units + i];
      work->bias[3 * units + i] = bias_hh[2 * units + i];
    }
  weft_parallel (work->call, work->samples, begin_rank, work);
  weft_matrix_product (work->call, FALSE, TRUE, work->rows, 2 * units, width, 1, work->inputs, width, weight, width, 1, gates + units,
                       4 * units);
  weft_matrix_product (work->call, FALSE, TRUE, work->rows, units, width, 1, work->inputs, width, weight + 2 * units * width, width, 1,
                       gates, 4 * units);
}

/* r = σ(r), z = σ(z), n = tanh(n + r hn), h = n + z (h' − n) */
static void
activate (const GruWork *work, int direction, gint64 step, gint64 rank)
{
  gint64 units = work->units, at = work->schedule.start[step] + rank;
  float *candidate = work->gates[direction] + at * 4 * units, *reset = candidate + units, *update = reset + units;
  float *recurrent = update + units, *hidden = work->hidden[direction] + at * units;

  vector->sigmoid (2 * units, reset, reset);
  vector->multiply_add (units, reset, recurrent, candidate);
  vector->tanh (units, candidate, candidate);
  if (step > 0)
    {
      vector->subtract (units, work->hidden[direction] + (work->schedule.start[step - 1] + rank) * units, candidate, hidden);
      vector->multiply (units, update, hidden, hidden);
      vector->add (units, hidden, candidate, hidden);
    }
  else
    {
      vector->multiply (units, update, candidate, hidden);
      vector->subtract (units, candidate, hidden, hidden);
    }
}

static void
activate_ranks (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const GruWork *work = data;
  gint64 first, end;
  gru_ranks_of_tile (work, index, &first, &end);
  for (gint64 rank = first; rank < end; rank++)
    activate (work, work->direction, work->step, rank);
}

static void
recur (GruWork *work)
{
  gint64 units = work->units;
  const gint32 *start = work->schedule.start;
  MatrixProduct product = { .transpose_b = TRUE,
                            .n = 3 * units,
                            .k = units,
                            .alpha = 1,
                            .a_stride = units,
                            .b = work->call->parameters[GRU_PARAMETERS * work->direction + GRU_WEIGHT_HH]->data,
                            .b_stride = units,
                            .beta = 1,
                            .c_stride = 4 * units };

  gru_pack (work, &product);
  for (work->step = 0; work->step < work->schedule.steps; work->step++)
    {
      if (work->step > 0)
        gru_multiply (work, &product, gru_active (&work->schedule, work->step),
                      work->hidden[work->direction] + start[work->step - 1] * units,
                      work->gates[work->direction] + start[work->step] * 4 * units + units);
      gru_parallel_ranks (work, activate_ranks);
    }
}

static void
recur_small (gpointer data, gint64 direction, guint member G_GNUC_UNUSED)
{
  const GruWork *work = data;
  const gint32 *start = work->schedule.start;
  gint64 units = work->units, stride = ROW_PADDED (3 * units);

  work->kernels->transpose (3 * units, units, work->call->parameters[GRU_PARAMETERS * direction + GRU_WEIGHT_HH]->data, units,
                            work->recurrent[direction], stride);
  for (gint64 step = 0; step < work->schedule.steps; step++)
    {
      gint64 active = gru_active (&work->schedule, step);
      if (step > 0)
        work->kernels->product (active, 3 * units, units, work->hidden[direction] + start[step - 1] * units, units, 1,
                                work->recurrent[direction], stride, TRUE, work->gates[direction] + start[step] * 4 * units + units,
                                4 * units);
      for (gint64 rank = 0; rank < active; rank++)
        activate (work, (int) direction, step, rank);
    }
}

static void
finish_rank (gpointer data, gint64 rank, guint member G_GNUC_UNUSED)
{
  const GruWork *work = data;
  const gint32 *start = work->schedule.start;
  gint64 units = work->units, length = gru_length (&work->schedule, rank);
  for (gint64 step = 0; step < length; step++)
    {
      float *y = (float *) work->call->out[0]->data + gru_row (&work->schedule, rank, step, FALSE) * units;
      const float *forward = work->hidden[0] + (start[step] + rank) * units;
      if (work->directions == 2)
        vector->combine (units, 0.5f, forward, 0.5f, work->hidden[1] + (start[length - 1 - step] + rank) * units, y);
      else
        memcpy (y, forward, (gsize) units * sizeof (float));
    }
}

static void
gru_forward (const WeftCall *call)
{
  GruWork work;
  GruMemory memory = { .base = call->scratch };
  forward_memory (call, &work, &memory);
  if (work.rows == 0)
    return;
  for (work.direction = 0; work.direction < work.directions; work.direction++)
    {
      feed_gates (&work);
      if (!work.small)
        recur (&work);
    }
  if (work.small)
    weft_parallel (call, work.directions, recur_small, &work);
  weft_parallel (call, work.samples, finish_rank, &work);
}

static gboolean
gru_infer (WeftInference *inference, GError **error)
{
  const Gru *gru = weft_inference_attributes (inference);
  return weft_inference_bind (inference, "directions", gru->bidirectional ? 2 : 1, error);
}

static const WeftAttribute attributes[] = {
  WEFT_INTEGER (Gru, units, NULL, 1, 65536, "", "width of the state and of y"),
  WEFT_BOOLEAN (Gru, bidirectional, "true", "run in both directions, with parameters of their own, and average; else forward only"),
  WEFT_STRING (Gru, initial, "fan_in($units)", "initial values of all parameters"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[b:t, d]", .flags = WEFT_PORT_READ, .meaning = "rows, each sample a sequence" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[b:t, $units]", .meaning = "state after each row, or the mean of both directions' states there" },
  { .name = NULL },
};

static const WeftPort saved[] = {
  { .name = "gates", .signature = "f32[directions, t, 4*$units]", .meaning = "n, r, z and the recurrent part of the candidate" },
  { .name = "hidden", .signature = "f32[directions, t, $units]", .meaning = "states in order of time" },
  { .name = NULL },
};

static const WeftPort parameters[] = {
  { .name = "weight_ih",
    .signature = "f32[3*$units, d]",
    .flags = WEFT_PORT_READ,
    .initial = "$initial",
    .meaning = "input weights of r, z, n" },
  { .name = "weight_hh",
    .signature = "f32[3*$units, $units]",
    .flags = WEFT_PORT_READ,
    .initial = "$initial",
    .meaning = "recurrent weights of r, z, n" },
  { .name = "bias_ih", .signature = "f32[3*$units]", .initial = "$initial", .meaning = "input biases of r, z, n" },
  { .name = "bias_hh", .signature = "f32[3*$units]", .initial = "$initial", .meaning = "recurrent biases of r, z, n" },
  { .name = "weight_ih_reverse",
    .signature = "f32[3*$units, d]",
    .flags = WEFT_PORT_READ,
    .initial = "$initial",
    .when = "bidirectional",
    .meaning = "the same for the direction from last to first" },
  { .name = "weight_hh_reverse",
    .signature = "f32[3*$units, $units]",
    .flags = WEFT_PORT_READ,
    .initial = "$initial",
    .when = "bidirectional",
    .meaning = "the same for the direction from last to first" },
  { .name = "bias_ih_reverse",
    .signature = "f32[3*$units]",
    .initial = "$initial",
    .when = "bidirectional",
    .meaning = "the same for the direction from last to first" },
  { .name = "bias_hh_reverse",
    .signature = "f32[3*$units]",
    .initial = "$initial",
    .when = "bidirectional",
    .meaning = "the same for the direction from last to first" },
  { .name = NULL },
};

static const WeftOperator gru = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "gru",
  .version = 1,
  .summary = "Gated recurrent unit over the rows of each sample, in one direction or the mean of both",
  .documentation =
      "r = σ(W_ir x + b_ir + W_hr h' + b_hr), z = σ(W_iz x + b_iz + W_hz h' + b_hz), n = tanh(W_in x + b_in + r (W_hn h' + b_hn)), "
      "h = (1 − z) n + z h', with h' the state before, zero at first.\n\n"
      "The reverse direction starts at the last row of each sample. Parameters have PyTorch's shapes and order of gates (r, z, n); its "
      "names for "
      "them end in _l0 and _l0_reverse. Nothing is computed on padding: at every step only samples that still have a row take part.",
  .source = "Cho et al., Learning Phrase Representations using RNN Encoder-Decoder (arXiv 1406.1078), in the variant that resets after the "
            "product, as in torch.nn.GRU; the mean of directions: Lee et al., Stacked Cross Attention (arXiv 1803.08024), equation 5",
  .attributes_size = sizeof (Gru),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .saved = saved,
  .parameters = parameters,
  .forward = gru_forward,
  .backward = gru_backward,
  .allows_bf16 = TRUE,
  .infer = gru_infer,
  .scratch = gru_scratch,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 5]\", gradient: true}\n"
             "y: {op: gru, x: x, units: 3}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 3]\", gradient: true}\n"
                                  "y: {op: gru, x: x, units: 4, bidirectional: false}\n",
                                  "x: {op: feed, signature: \"f32[b<=3 : t<=12, 1]\", gradient: true}\n"
                                  "y: {op: gru, x: x, units: 1}\n",
                                  "x: {op: feed, signature: \"f32[b<=3 : t<=12, 2]\", gradient: true}\n"
                                  "y: {op: gru, x: x, units: 136}\n",
                                  NULL },
};
WEFT_OPERATOR (gru);
