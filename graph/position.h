/* How far a training run is: what a checkpoint holds beside the store.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "metrics.h"

G_BEGIN_DECLS

/**
 * WeftPosition:
 * @step, @epoch: steps and passes done
 * @in_pass: a pass has begun; its source's states say where it is
 * @pass_step: steps done in this pass
 * @pass_length: steps of the last whole pass; 0: none yet
 * @validate: a validation is due before the next step
 * @scored, @best, @best_step, @best_epoch: the best validation so far
 * @worse: validations since then
 * @stopped: training is over
 * @written: of metrics; unknown in checkpoints that do not say
 * @window, @sums: steps since the last logged one, and sums of the logged values over them
 */
typedef struct
{
  guint64 step, epoch;
  gboolean in_pass;
  guint64 pass_step, pass_length;
  gboolean validate;
  gboolean scored;
  double best;
  guint64 best_step, best_epoch;
  guint64 worse;
  gboolean stopped;
  WeftWritten written;
  guint64 window;
  guint n_sums;
  double *sums;
} WeftPosition;

/* As metadata of a checkpoint: exact, numbers in hexadecimal. */
GHashTable *weft_position_write (const WeftPosition *position);
/* @position keeps its n_sums: sums are taken over only if there are as many. */
gboolean weft_position_read (WeftPosition *position, GHashTable *metadata, GError **error);

G_END_DECLS
