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
#include "saver.h"
#include "watch.h"

G_BEGIN_DECLS

struct _WeftRun
{
  WeftOpened train, validate;
  WeftDirectory *directory;
  WeftProgress *progress;
  WeftMetrics *metrics;
  WeftStore *store;
  WeftSaver *saver;
  WeftTeam *team;
  WeftGraph *graph;
  WeftPlan *plan;
  WeftExecutor *executor;
  WeftWatch *watch;
  WeftPasses *passes;
  WeftPosition position;
  gboolean continued;
  gboolean broken;                            /* a step failed half-way: the store is not to be saved */
  gboolean best_due;                          /* the store holds the best model, which is not written yet */
  gboolean unwritten;                         /* metrics wait for the disk; it was told */
  guint64 saving_step, saved_step;            /* of the checkpoint being written, 0 if none is; of the newest one */
  gint64 saved_time, validated_time, started; /* monotonic */
  /* for rates */
  gint64 rate_time;
  double rate_items, rate_wait; /* since @rate_time: items taken; seconds in the source before */
  guint64 rate_step;
  double items_per_second, seconds_per_step, wait_share;
  double last_loss;
};

/* run-log.c */
void weft_run_log (WeftRun *run);
void weft_run_reset_rates (WeftRun *run);
/* Writes a line of metrics. A disk that is full is told once; training goes on, and the line is written when there is room. */
void weft_run_write_metrics (WeftRun *run, const char *phase, const WeftMetric *metrics, guint n);
/* run-validate.c */
gboolean weft_run_validate (WeftRun *run, GError **error);
/* run-keep.c */
gboolean weft_run_begin (WeftRun *run, GError **error);
gboolean weft_run_after_step (WeftRun *run, gboolean epoch_over, gboolean over, GError **error);
/* Writes a checkpoint and waits for it. */
gboolean weft_run_save (WeftRun *run, GError **error);
/* Begins to write a checkpoint if @checkpoint, and the best model if it is due. */
void weft_run_keep (WeftRun *run, gboolean checkpoint);
/* Tells how the writing that was begun ended, if it did; %FALSE, with @error, if it failed. */
gboolean weft_run_settle (WeftRun *run, gboolean wait, GError **error);
/* The same where training goes on: what failed is told. */
void weft_run_report (WeftRun *run, gboolean wait);
void weft_run_explain (WeftRun *run, GError **error);
void weft_run_end (WeftRun *run, WeftRunOutcome outcome, const GError *failure);
/* Removes the directory of a run that could not even begin. */
void weft_run_discard (WeftRun *run);
char **weft_network_names (const WeftPipeline *pipeline);

G_END_DECLS
