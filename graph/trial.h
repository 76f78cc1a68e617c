/* Trying operators: what their descriptors promise is held against what they do.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

typedef enum
{
  WEFT_TRIAL_PASSED,
  WEFT_TRIAL_SKIPPED, /* does not apply; the message says why */
  WEFT_TRIAL_FAILED,
} WeftTrialOutcome;

/**
 * WeftFinding:
 * @aspect: what was tried: "gradients"
 * @message: what was found; for what passed, how much was compared
 */
typedef struct
{
  const char *aspect;
  WeftTrialOutcome outcome;
  char *message;
} WeftFinding;

/* All aspects, NULL-terminated. */
extern const char *const weft_trial_aspects[];
/* In notes of a child (see weft_child_note()) that runs backward, too. */
#define WEFT_TRIAL_BACKWARDS " and its gradient"

/**
 * weft_trial_aspect:
 * @aspect: one of weft_trial_aspects
 *
 * Tries one aspect of @op on its example and cases, as they are and at edge shapes: the descriptor, shapes, memory (writes past outputs,
 * values that are never set, inputs that are changed), uses (unread outputs, unwanted gradients), the same bits for any number of threads and
 * after saving and restoring, in place as out of place, values against the composition, gradients against central differences. Examples find
 * their files below `data` of the working directory; weft_trial_enter_folder() makes those that are needed for Weft's own. Crashes are the
 * caller's (see weft_child_run()).
 *
 * Returns: (transfer full)
 */
WeftFinding *weft_trial_aspect (const WeftOperator *op, const char *aspect);
void weft_finding_free (WeftFinding *finding);

/**
 * WeftTrialSpeed:
 * @elements: of the operator's inputs and outputs
 * @bytes: of what a step must read and write at least, forward alone or with its gradient
 * @operations: floating-point operations in matrix products; 0 where other nodes of the example have products of their own
 * @copying: bytes per second that copying as many bytes reaches
 * @seconds: the shortest of several runs
 */
typedef struct
{
  gint64 elements;
  double bytes[2], operations[2], seconds[2], copying[2];
} WeftTrialSpeed;

/* Measures at a large size on @threads threads (0: all); %FALSE with @error if the example can't be enlarged. */
gboolean weft_trial_speed (const WeftOperator *op, guint threads, WeftTrialSpeed *speed, GError **error);
/* What this machine reaches on @threads threads: bytes per second of copying more than caches hold, operations per second of products. */
void weft_trial_limits (guint threads, double *bandwidth, double *operations);

/* Makes a folder with the files that the examples of shipped operators read, and makes it the working directory. (transfer full) */
char *weft_trial_enter_folder (GError **error);
/* Leaves and removes it. */
void weft_trial_leave_folder (char *folder);

G_END_DECLS
