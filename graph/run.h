/* Training runs: passes, logs, validations, checkpoints, and going on where a run was interrupted.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdio.h>

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WeftRun WeftRun;

/**
 * WeftRunOptions:
 * @pipeline: a pipeline file, the name of an installed one, or a run directory, whose run goes on
 * @output: (nullable): run directory; default: `runs/NAME`, or @pipeline if it is a run directory
 * @overlays, @settings: (nullable) (array zero-terminated=1): as in #WeftComposition
 * @threads: 0: as many as the process may run on
 * @out: (nullable): where to show progress
 */
typedef struct
{
  const char *pipeline;
  const char *output;
  const char *const *overlays;
  const char *const *settings;
  guint threads;
  FILE *out;
} WeftRunOptions;

typedef enum
{
  WEFT_RUN_FAILED,
  WEFT_RUN_FINISHED,
  WEFT_RUN_INTERRUPTED, /* saved; the same command goes on */
} WeftRunOutcome;

/**
 * weft_run_open:
 *
 * Checks the pipeline, opens and locks the run directory, loads weights or the newest checkpoint, opens all data. Nothing is computed.
 */
WeftRun *weft_run_open (const WeftRunOptions *options, GError **error);
void weft_run_free (WeftRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftRun, weft_run_free)

/* Trains until the recipe is fulfilled, patience ends or weft_run_interrupt() was called. */
WeftRunOutcome weft_run_train (WeftRun *run, GError **error);
const char *weft_run_directory (const WeftRun *run);

/* Asks whatever runs in this process to stop after the current step; for signal handlers. 0 takes it back. */
void weft_run_interrupt (int signal);
int weft_run_interrupted (void);

/* The name of this machine's processor, to be freed. */
char *weft_processor_name (void);

G_END_DECLS
