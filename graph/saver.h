/* Checkpoints written while training goes on.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "store.h"

G_BEGIN_DECLS

/**
 * WeftSaver:
 *
 * Writes the store as it was at one moment, on a thread of its own, while steps are taken that change it. A tensor is written from where
 * it lies, unless a step is about to change it first: then it is copied if little has been copied so far, otherwise the step waits until
 * it is written. Tensors are written in the order in which steps change them, weights and moments last, so that steps seldom wait and
 * copies are few: queues, statistics, counters.
 */
typedef struct _WeftSaver WeftSaver;

typedef enum
{
  WEFT_SAVED_NOTHING, /* nothing was to be written, or it is still being written */
  WEFT_SAVED_ALL,
  WEFT_SAVED_FAILED, /* what stood at the paths before still stands there */
} WeftSaved;

/* @store: (transfer none): must outlive the saver; has one saver at most */
WeftSaver *weft_saver_new (WeftStore *store);
/* Waits for what is being written. */
void weft_saver_free (WeftSaver *saver);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSaver, weft_saver_free)

/**
 * weft_saver_add:
 * @prefixes: (nullable) (array zero-terminated=1): as for weft_checkpoint_save_below(); %NULL: the whole store
 * @metadata: (nullable): as for weft_checkpoint_save()
 *
 * Names a file that weft_saver_start() is to write. Nothing may be being written.
 */
void weft_saver_add (WeftSaver *saver, const char *path, const char *const *prefixes, GHashTable *metadata);

/**
 * weft_saver_start:
 *
 * Begins to write all named files with what the store holds now. They are put in place in the order in which they were named, each only
 * if those before it were. Where no thread can be started they are written before this returns.
 */
void weft_saver_start (WeftSaver *saver);

/**
 * weft_saver_take:
 * @wait: whether to wait until all is written
 *
 * Returns: how the last weft_saver_start() ended, once; @error is set with %WEFT_SAVED_FAILED
 */
WeftSaved weft_saver_take (WeftSaver *saver, gboolean wait, GError **error);

G_END_DECLS
