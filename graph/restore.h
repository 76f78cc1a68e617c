/* Going on from the newest checkpoint of a run directory that can be trusted.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "directory.h"
#include "position.h"
#include "progress.h"
#include "store.h"

G_BEGIN_DECLS

/**
 * weft_restore:
 * @position: its `n_sums` must be set
 * @progress: (nullable): is told of every checkpoint that is passed over
 * @found: (out): whether there was a checkpoint
 *
 * Fills @store and @position from the newest checkpoint that verifies. Damaged ones are named and kept under another name; those that
 * can't be read are named. One that is whole but fits another pipeline, or is of a later version, is an error: an older one would hide it.
 *
 * Returns: %FALSE if there are checkpoints and none can be used
 */
gboolean weft_restore (const WeftDirectory *directory, WeftStore *store, WeftPosition *position, WeftProgress *progress, gboolean *found,
                       GError **error);

G_END_DECLS
