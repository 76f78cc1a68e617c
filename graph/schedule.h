/* Numbers that change over steps or epochs: `{start: 5e-4, drop: {epoch: 10, by: 0.1}}`.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

#include "document.h"

G_BEGIN_DECLS

typedef struct _WeftSchedule WeftSchedule;

/**
 * weft_schedule_new:
 * @value: a map: `start` and any of `warmup`, `drop`, `change`, `linear`, `cosine`
 * @attribute: what the schedule stands for: its name, kind and range are held against every value that the schedule can take
 *
 * - `change: {epoch|step: N, to: V}`: V from then on, instead of `start`; lists of equal length for several changes.
 * - `linear|cosine: {epochs|steps: N, to: V}`: from `start` (or from the end of the warm-up) to V, which is reached at N and kept.
 * - `drop: {epoch|step: N or [N, …], by: F}`: multiplies the above by F at each N.
 * - `warmup: {epochs|steps: N, from: V}`: at 0 ≤ t < N, from V (0 unless given) to the above, of which the share (t + 1) / N is
 *   taken, so that the first step isn't wasted and the last one is whole.
 *
 * `change` excludes `linear` and `cosine`. A warm-up and the way after it count in the same unit.
 *
 * Steps are counted from 0 over all epochs, epochs from 0. What counts in epochs keeps its value for a whole epoch. Booleans know
 * `change` alone. Integers are rounded to the nearest.
 *
 * Returns: (transfer full) (nullable): the compiled schedule, %NULL if problems were found
 */
WeftSchedule *weft_schedule_new (const WeftValue *value, const WeftAttribute *attribute, WeftProblems *problems);
void weft_schedule_free (WeftSchedule *schedule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSchedule, weft_schedule_free)

/* Whether @value is a schedule without mistakes; the same checks as weft_schedule_new(). */
gboolean weft_schedule_check (const WeftValue *value, const WeftAttribute *attribute, WeftProblems *problems);

/* The value in step @step (steps done before, over all epochs) of epoch @epoch (passes done before); booleans as 0 and 1. */
double weft_schedule_value (const WeftSchedule *schedule, guint64 step, guint64 epoch);

G_END_DECLS
