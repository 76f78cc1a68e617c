/* Where values lie while a plan is executed.
 *
 * Plans have room for every size at its bound. What occurs is mostly far below, so that the arena is laid out for the largest sizes seen so
 * far and a little more; when a node says a larger one, everything moves to a larger arena.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <sys/mman.h>

#include "execute-private.h"

#define HUGE_PAGE ((gsize) 2 << 20)

static char *
reserve_arena (const WeftExecutor *self, gsize bytes, GError **error)
{
  char *arena = mmap (NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (arena == MAP_FAILED)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM,
                   "graph %s needs %.1f MiB of memory for one step, which the system refuses; a smaller batch needs less",
                   self->graph->name, (double) bytes / (1 << 20));
      return NULL;
    }
  madvise (arena, bytes, MADV_HUGEPAGE);
  return arena;
}

/* What was computed in this step up to node @running and is still to be read moves along. */
static void
move_values (WeftExecutor *self, const WeftPlan *to, char *arena, guint running)
{
  for (guint i = 0; i < self->graph->wires->len; i++)
    {
      const WeftPlace *place = &to->places[i];
      if (place->bytes && place->first <= running && place->last >= running)
        memcpy (arena + place->offset, self->tensors[i].data, weft_tensor_bytes (&self->tensors[i]));
    }
}

gboolean
weft_executor_fit (WeftExecutor *self, int running, GError **error)
{
  g_autoptr (WeftPlan) fitted = self->room ? weft_plan_fit (self->plan, self->room, self->introducer) : NULL;
  const WeftPlan *plan = fitted ? fitted : self->plan;
  gsize bytes = (MAX (plan->arena, 1) + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
  char *arena = reserve_arena (self, bytes, error);

  if (!arena)
    return FALSE;
  if (running >= 0)
    move_values (self, plan, arena, (guint) running);
  for (guint i = 0; i < self->graph->wires->len; i++)
    if (plan->places[i].bytes)
      self->tensors[i].data = arena + plan->places[i].offset;
  for (guint i = 0; i < self->graph->nodes->len; i++)
    if (plan->scratch[i].bytes)
      self->steps[i].bound.call.scratch = arena + plan->scratch[i].offset;
  if (self->arena)
    munmap (self->arena, self->arena_bytes);
  g_clear_pointer (&self->fitted, weft_plan_free);
  self->fitted = g_steal_pointer (&fitted);
  self->arena = arena;
  self->arena_bytes = bytes;
  return TRUE;
}

/* Bytes that would have to move along. */
static gsize
live_bytes (const WeftExecutor *self, guint running)
{
  gsize bytes = 0;

  for (guint i = 0; i < self->graph->wires->len; i++)
    {
      const WeftPlace *place = &self->plan->places[i];
      if (place->bytes && place->first <= running && place->last >= running)
        bytes += weft_tensor_bytes (&self->tensors[i]);
    }
  return bytes;
}

/* Makes room for the sizes that the node has just said, and for an eighth more, so that it is seldom needed again. A size that is said for
 * the first time takes the place of its bound, unless so much has been computed by then that moving it would need more than it saves. */
gboolean
weft_executor_make_room (WeftExecutor *self, const WeftExecutedNode *step)
{
  gboolean changed = FALSE, early = FALSE, asked = FALSE;

  for (guint i = 0; self->room && i < step->introduced->len; i++)
    {
      guint symbol = g_array_index (step->introduced, guint, i);
      gint64 value = self->sizes[symbol].value, room = MIN (value + value / 8, ((WeftSymbol *) self->graph->symbols->pdata[symbol])->bound);
      gboolean first = !self->said[symbol];
      self->said[symbol] = TRUE;
      if (first && !asked)
        {
          early = live_bytes (self, step->node->index) <= self->plan->arena / 16;
          asked = TRUE;
        }
      if (value <= self->room[symbol] && !(first && early && room < self->room[symbol]))
        continue;
      self->room[symbol] = room;
      changed = TRUE;
    }
  return !changed || weft_executor_fit (self, (int) step->node->index, &self->failure);
}
