/* What optimizers share: groups of parameters by path, accumulation, the global gradient norm, and one pass over the parameters.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "update.h"

#include <math.h>
#include <weft/dispatch.h>

/* Elements of a tile: a parameter, its gradient and two moments of this many stay in a core's cache. */
#define TILE 16384

/* What a path means, found once. */
typedef struct
{
  double scale, decay_scale;
  gint64 frozen_until; /* G_MAXINT64: for ever */
  gint64 first_tile;
} Member;

/* The instance of an optimizer: tables that depend on attributes and shapes alone. */
typedef struct
{
  Member *members;
  guint n_members;
  gint64 n_tiles;
  guint *member_of_tile;
  double *squares; /* one sum of squares per tile */
} Table;

/* One step. */
typedef struct
{
  const WeftCall *call;
  const Optimizer *optimizer;
  Table *table;
  guint accumulated; /* slot */
  gint64 step;       /* of the optimizer: steps done before this one */
  gboolean first;    /* of the steps that are accumulated */
  gboolean last;
  double divisor; /* gradients accumulated, this step's included */
  float factor;
  void (*update) (const Optimizer *optimizer, const OptimizerTile *tile);
} Step;

gpointer
optimizer_open (const WeftOpening *opening G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  return g_new0 (Table, 1);
}

void
optimizer_close (gpointer instance)
{
  Table *table = instance;
  g_free (table->members);
  g_free (table->member_of_tile);
  g_free (table->squares);
  g_free (table);
}

static gboolean
matches_any (const WeftCall *call, const char *pattern)
{
  for (guint w = 0; w < call->n_weights; w++)
    if (weft_path_match (pattern, call->weights[w].path))
      return TRUE;
  return FALSE;
}

static double
number_for (const WeftNumbers *numbers, const char *path, double otherwise)
{
  for (guint i = numbers->n; i--;)
    if (weft_path_match (numbers->names[i], path))
      return numbers->numbers[i];
  return otherwise;
}

/* A pattern that matches nothing is a slip of the pen: the run would go on with other rates than were meant. */
static gboolean
check_patterns (const WeftCall *call)
{
  const Optimizer *optimizer = call->attributes;
  const struct
  {
    const char *name;
    const WeftNumbers *numbers;
  } maps[] = { { "scale", &optimizer->scale }, { "decay_scale", &optimizer->decay_scale }, { "frozen_until", &optimizer->frozen_until } };
  for (guint m = 0; m < G_N_ELEMENTS (maps); m++)
    for (guint i = 0; i < maps[m].numbers->n; i++)
      if (!matches_any (call, maps[m].numbers->names[i]))
        {
          weft_fail (call, "%s: %s matches none of the %u parameters that are trained; the first is %s", maps[m].name,
                     maps[m].numbers->names[i], call->n_weights, call->n_weights ? call->weights[0].path : "none");
          return FALSE;
        }
  for (const char *const *pattern = optimizer->freeze; pattern && *pattern; pattern++)
    if (!matches_any (call, *pattern))
      {
        weft_fail (call, "freeze: %s matches none of the %u parameters that are trained; the first is %s", *pattern, call->n_weights,
                   call->n_weights ? call->weights[0].path : "none");
        return FALSE;
      }
  return TRUE;
}

static gboolean
fill_table (Table *table, const WeftCall *call)
{
  const Optimizer *optimizer = call->attributes;
  if (table->members && table->n_members == call->n_weights)
    return TRUE;
  if (!check_patterns (call))
    return FALSE;
  table->n_members = call->n_weights;
  table->members = g_renew (Member, table->members, MAX (call->n_weights, 1));
  table->n_tiles = 0;
  for (guint w = 0; w < call->n_weights; w++)
    {
      const WeftWeight *weight = &call->weights[w];
      Member *member = &table->members[w];
      member->scale = number_for (&optimizer->scale, weight->path, 1);
      member->decay_scale = number_for (&optimizer->decay_scale, weight->path, 1);
      member->frozen_until = (gint64) number_for (&optimizer->frozen_until, weight->path, 0);
      for (const char *const *pattern = optimizer->freeze; pattern && *pattern; pattern++)
        if (weft_path_match (*pattern, weight->path))
          member->frozen_until = G_MAXINT64;
      if (weight->statistic || !weight->gradient.data)
        member->frozen_until = G_MAXINT64;
      member->first_tile = table->n_tiles;
      if (member->frozen_until < G_MAXINT64)
        table->n_tiles += (weft_tensor_elements (&weight->value) + TILE - 1) / TILE;
    }
  table->member_of_tile = g_renew (guint, table->member_of_tile, MAX (table->n_tiles, 1));
  table->squares = g_renew (double, table->squares, MAX (table->n_tiles, 1));
  for (guint w = 0; w < call->n_weights; w++)
    {
      gint64 end = w + 1 < call->n_weights ? table->members[w + 1].first_tile : table->n_tiles;
      for (gint64 tile = table->members[w].first_tile; tile < end; tile++)
        table->member_of_tile[tile] = w;
    }
  return TRUE;
}

/* Where tile @index lies: its weight, first element and length. FALSE if the weight rests in this step. */
static gboolean
find_tile (const Step *step, gint64 index, const WeftWeight **weight, gint64 *start, gint64 *n)
{
  guint w = step->table->member_of_tile[index];
  const Member *member = &step->table->members[w];
  *weight = &step->call->weights[w];
  *start = (index - member->first_tile) * TILE;
  *n = MIN (TILE, weft_tensor_elements (&(*weight)->value) - *start);
  return step->step >= member->frozen_until;
}

WEFT_LOOP double
sum_of_squares_loop (const float *x, gint64 n)
{
  /* Sixteen sums keep vector units busy, and have one order whatever the number of threads. */
  double sums[16] = { 0 };
  gint64 i = 0;
  for (; i + 16 <= n; i += 16)
    for (int lane = 0; lane < 16; lane++)
      sums[lane] += (double) x[i + lane] * (double) x[i + lane];
  for (; i < n; i++)
    sums[0] += (double) x[i] * (double) x[i];
  for (int width = 8; width; width /= 2)
    for (int lane = 0; lane < width; lane++)
      sums[lane] += sums[lane + width];
  return sums[0];
}
WEFT_DISPATCH (double, sum_of_squares, sum_of_squares_loop, (const float *x, gint64 n), (x, n))

/* Adds this step's gradient to what was accumulated, and leaves the squares of the sum. */
static void
norm_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  Step *step = data;
  const WeftWeight *weight;
  gint64 start, n;
  if (!find_tile (step, index, &weight, &start, &n))
    {
      step->table->squares[index] = 0;
      return;
    }
  const float *gradient = (const float *) weight->gradient.data + start;
  if (step->optimizer->accumulate > 1)
    {
      float *accumulated = (float *) weight->slots[step->accumulated].data + start;
      for (gint64 i = 0; i < n; i++)
        accumulated[i] = (step->first ? 0 : accumulated[i]) + gradient[i];
      gradient = accumulated;
    }
  step->table->squares[index] = sum_of_squares (gradient, n);
}

static void
update_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Step *step = data;
  const Optimizer *optimizer = step->optimizer;
  const WeftWeight *weight;
  gint64 start, n;
  if (!find_tile (step, index, &weight, &start, &n))
    return;
  const Member *group = &step->table->members[step->table->member_of_tile[index]];
  gboolean accumulates = optimizer->accumulate > 1;
  OptimizerTile tile = {
    .n = n,
    .value = (float *) weight->value.data + start,
    .gradient = (const float *) (accumulates ? weight->slots[step->accumulated].data : weight->gradient.data) + start,
    .factor = step->factor,
    .rate = optimizer->rate * group->scale,
    .decay = optimizer->decay * group->decay_scale,
    .updates = (step->step + 1) / optimizer->accumulate - group->frozen_until / optimizer->accumulate,
  };
  for (int slot = 0; slot < WEFT_MAX_SLOTS; slot++)
    if (weight->slots[slot].data)
      tile.slots[slot] = (float *) weight->slots[slot].data + start;
  step->update (optimizer, &tile);
}

static void
fail_at_gradient (const Step *step)
{
  for (gint64 index = 0; index < step->table->n_tiles; index++)
    if (!isfinite (step->table->squares[index]))
      {
        weft_fail (step->call,
                   "the gradient of %s is not finite; nothing was updated. Lower the rate, warm it up, or clip the gradients earlier "
                   "(clip: %g)",
                   step->call->weights[step->table->member_of_tile[index]].path, step->optimizer->clip);
        return;
      }
}

void
optimizer_step (const WeftCall *call, guint accumulated, void (*update) (const Optimizer *optimizer, const OptimizerTile *tile))
{
  const Optimizer *optimizer = call->attributes;
  Table *table = call->instance;
  gint64 *steps = call->states[0]->data;
  if (!fill_table (table, call))
    return;
  gint64 turn = *steps % optimizer->accumulate;
  Step step = { .call = call,
                .optimizer = optimizer,
                .table = table,
                .accumulated = accumulated,
                .step = *steps,
                .first = turn == 0,
                .last = turn == optimizer->accumulate - 1,
                .divisor = (double) (turn + 1),
                .update = update };
  double norm = 0;
  if (optimizer->clip > 0 || call->out[0] || optimizer->accumulate > 1)
    {
      weft_parallel (call, table->n_tiles, norm_tile, &step);
      for (gint64 index = 0; index < table->n_tiles; index++)
        norm += table->squares[index];
      norm = sqrt (norm) / step.divisor;
      if (!isfinite (norm))
        {
          fail_at_gradient (&step);
          return;
        }
    }
  double clip = optimizer->clip > 0 ? MIN (1, optimizer->clip / (norm + 1e-6)) : 1;
  step.factor = (float) (clip / step.divisor);
  if (step.last)
    weft_parallel (call, table->n_tiles, update_tile, &step);
  *steps += 1;
  if (call->out[0])
    *(float *) call->out[0]->data = (float) norm;
  if (call->out[1])
    *(float *) call->out[1]->data = (float) optimizer->rate;
}
