/* Trials: runs of a pipeline's variants over seeds, made by child processes and never made twice.
 *
 *     OUTPUT/no-sge-seed0-1a2b3c4d5e6f/   a run directory; its last part is the run's digest
 *         result.json                      what came of it: numbers, parameters, time a step
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "variants.h"

G_BEGIN_DECLS

typedef enum
{
  WEFT_TRIAL_WAITING,
  WEFT_TRIAL_TRAINING,
  WEFT_TRIAL_EVALUATING,
  WEFT_TRIAL_DONE,
  WEFT_TRIAL_FAILED,
  WEFT_TRIAL_STOPPED, /* can go on */
  WEFT_TRIAL_UNFIT,   /* the variant is none of this pipeline's */
} WeftTrialState;

typedef struct
{
  char *name;
  double value;
} WeftTrialNumber;

/**
 * WeftTrial:
 * @same: (nullable): an earlier trial of the same digest, whose run this shares
 * @why: why it was or was not executed: "trained", "continued from step 40", "finished before", "the same run as base"
 * @step_seconds: median over the run's log; 0 if there is none
 */
typedef struct _WeftTrial WeftTrial;
struct _WeftTrial
{
  const WeftVariant *variant;
  gint64 seed;
  char *digest, *directory, *why;
  WeftTrial *same;
  WeftTrialState state;
  guint64 parameters;
  double step_seconds;
  GArray *numbers; /* of WeftTrialNumber */
};

typedef struct
{
  const char *pipeline;
  const WeftCommonOptions *common;
  const char *output;
  gint64 seeds;
  int jobs;
  gboolean keep_going, fail_fast;
} WeftTrialOptions;

/* Checks every variant and finds out what has been done. Returns: (element-type WeftTrial) (nullable): %NULL after a message */
GPtrArray *weft_trials_new (const WeftTrialOptions *options, const GPtrArray *variants);

/* Trains and evaluates what is left to do. Returns: an exit status: 0 if all is done, 128 + N after signal N */
int weft_trials_run (const WeftTrialOptions *options, GPtrArray *trials);

/* Median seconds a step of the run in @directory, 0 if its log doesn't say. */
double weft_trial_step_seconds (const char *directory);

G_END_DECLS
