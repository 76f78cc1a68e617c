/* What the files of a training run share.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "directory.h"
#include "metrics.h"
#include "open.h"
#include "pass.h"
#include "position.h"
#include "progress.h"
#include "run.h"
#include "watch.h"

G_BEGIN_DECLS

struct _WeftRun
{
  WeftOpened train, validate;
  WeftDirectory *directory;
  WeftProgress *progress;
  WeftMetrics *metrics;
  WeftStore *store;
  WeftTeam *team;
  WeftGraph *graph;
  WeftPlan *plan;
  WeftExecutor *executor;
  WeftWatch *watch;
  WeftPasses *passes;
  WeftPosition position;
  gboolean continued;
  gboolean broken;                            /* a step failed half-way: the store is not to be saved */
  guint64 saved_step;                         /* of the newest checkpoint */
  gint64 saved_time, validated_time, started; /* monotonic */
  /* for rates */
  gint64 rate_time;
  double rate_items, rate_wait; /* since @rate_time: items taken; seconds in the source before */
  guint64 rate_step;
  double items_per_second, seconds_per_step, wait_share;
  double last_loss;
};

/* run-log.c */
gboolean weft_run_log (WeftRun *run, GError **error);
void weft_run_reset_rates (WeftRun *run);
/* run-validate.c */
gboolean weft_run_validate (WeftRun *run, GError **error);
/* run-keep.c */
gboolean weft_run_begin (WeftRun *run, GError **error);
gboolean weft_run_after_step (WeftRun *run, gboolean epoch_over, gboolean over, GError **error);
gboolean weft_run_save (WeftRun *run, GError **error);
void weft_run_explain (WeftRun *run, GError **error);
void weft_run_end (WeftRun *run, WeftRunOutcome outcome, const GError *failure);
/* Removes the directory of a run that could not even begin. */
void weft_run_discard (WeftRun *run);
/* The best model: all networks. */
gboolean weft_run_save_best (WeftRun *run, GError **error);
char **weft_network_names (const WeftPipeline *pipeline);

G_END_DECLS
