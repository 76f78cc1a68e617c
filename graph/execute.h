/* Plans to executed steps.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "plan.h"
#include "store.h"
#include "team.h"

G_BEGIN_DECLS

typedef struct _WeftExecutor WeftExecutor;

typedef enum
{
  WEFT_STEP_ERROR,
  WEFT_STEP_DONE,
  WEFT_STEP_EXHAUSTED, /* the source's pass is over; nothing was computed */
} WeftStepResult;

/**
 * weft_executor_new:
 * @plan: (transfer none): must outlive the executor, as must @store and @team
 *
 * Binds parameters and states to the store, allocates the arena, opens the operators (`open`). Reports every node that fails to open.
 *
 * Returns: (transfer full) (nullable)
 */
WeftExecutor *weft_executor_new (const WeftPlan *plan, WeftStore *store, WeftTeam *team, guint64 seed, GError **error);
void weft_executor_free (WeftExecutor *executor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftExecutor, weft_executor_free)

/**
 * weft_executor_feed:
 * @tensor: (transfer none): read in the following steps, must stay valid until they are done
 *
 * Gives a `feed` node its tensor. Type and sizes are checked against the declared signature.
 */
gboolean weft_executor_feed (WeftExecutor *executor, const char *node, const WeftTensor *tensor, GError **error);

/**
 * weft_executor_step:
 * @step: steps done before, over all epochs; @epoch: passes done before, as a number for schedules and sources
 *
 * Runs every node once, in order.
 */
WeftStepResult weft_executor_step (WeftExecutor *executor, guint64 step, guint64 epoch, GError **error);

/* Tells sources that a pass begins: the next step starts with its first item (unless a restored state says otherwise). */
void weft_executor_rewind (WeftExecutor *executor);

/* The value that @wire has after a step; valid until the next. Only for wires that are kept. */
const WeftTensor *weft_executor_value (WeftExecutor *executor, const WeftWire *wire);

/* The first node whose float output or gradient holds a value that is not finite, checked on demand after a step over kept memory;
 * with @watch set before a step, every node is checked as it finishes and the step fails at the first one, by name. */
void weft_executor_watch (WeftExecutor *executor, gboolean watch);

/* Steps of a whole pass, as the source said in the last step; 0 if it does not know. */
gint64 weft_executor_expected (const WeftExecutor *executor);

/* Seconds spent in each node so far, by index in graph->nodes; for `weft profile`. */
const double *weft_executor_times (const WeftExecutor *executor);

G_END_DECLS
