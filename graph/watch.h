/* Watching the state of a training run: what would otherwise be noticed after twenty epochs is said at the next logged step.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "execute.h"
#include "recipe.h"

G_BEGIN_DECLS

typedef struct _WeftWatch WeftWatch;

/* @recipe, @train: (transfer none): must outlive the watch */
WeftWatch *weft_watch_new (const WeftRecipe *recipe, WeftGraph *train);
void weft_watch_free (WeftWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftWatch, weft_watch_free)

/**
 * weft_watch_look:
 * @alarms: (element-type utf8): gets a message for everything that has become wrong, with what to do; what stays wrong is not repeated
 *
 * Looks at the values of the last step.
 */
void weft_watch_look (WeftWatch *watch, WeftExecutor *executor, GPtrArray *alarms);

/**
 * weft_mean_cosine:
 * @rows: f32[n, d]
 *
 * Returns: the mean cosine of all pairs of different rows, (‖Σ x̂‖² − n) / (n (n − 1)); 0 for fewer than two rows
 */
double weft_mean_cosine (const WeftTensor *rows);

G_END_DECLS
