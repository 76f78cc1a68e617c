/* Checkpoints: the store, with what a run needs to go on, in one safetensors file.
 *
 * The metadata holds `weft.checkpoint` (the version of this format), `crc32c:PATH` for every tensor, `weft.crc32c` for the whole file (see
 * weft_safetensors_writer_sum()), and the caller's own entries. Version 1 had no `weft.crc32c`; every version is read for good.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "safetensors.h"
#include "store.h"

G_BEGIN_DECLS

#define WEFT_CHECKPOINT_VERSION "2"

/**
 * weft_checkpoint_save:
 * @metadata: (nullable) (element-type utf8 utf8): further entries; keys that begin with `weft.` or `crc32c:` are the format's own
 *
 * Writes every tensor of @store aside, syncs and renames: @path holds either what it held before or the whole checkpoint.
 */
gboolean weft_checkpoint_save (const WeftStore *store, const char *path, GHashTable *metadata, GError **error);

/**
 * weft_checkpoint_save_below:
 * @prefixes: (array zero-terminated=1): store paths, for example the names of networks: only they and what is below them is saved
 *
 * Like weft_checkpoint_save() for a part of the store; the form of a run's `best.safetensors`.
 */
gboolean weft_checkpoint_save_below (const WeftStore *store, const char *const *prefixes, const char *path, GHashTable *metadata,
                                     GError **error);

/**
 * weft_checkpoint_writer:
 * @prefixes: (nullable): as for weft_checkpoint_save_below(); %NULL: everything
 * @names: (nullable) (element-type utf8): gets the paths of the tensors that go into it
 *
 * Returns: (transfer full): what writes such a checkpoint; tensors' data is read only when it writes
 */
WeftSafetensorsWriter *weft_checkpoint_writer (const WeftStore *store, const char *const *prefixes, GHashTable *metadata,
                                               GHashTable *names);

/**
 * weft_checkpoint_load:
 * @metadata: (out) (optional) (transfer full) (element-type utf8 utf8): the caller's entries of weft_checkpoint_save()
 *
 * Fills @store, which must already have all its tensors. Strict: a tensor that one side lacks, another type or shape, a wrong
 * checksum are errors, and the store is left as it was; but for a file that changes, or can't be read again, after it was verified.
 */
gboolean weft_checkpoint_load (WeftStore *store, const char *path, GHashTable **metadata, GError **error);

/* The counterpart of weft_checkpoint_save_below(): the file must hold exactly the store's tensors below @prefixes. */
gboolean weft_checkpoint_load_below (WeftStore *store, const char *const *prefixes, const char *path, GHashTable **metadata,
                                     GError **error);

/**
 * weft_checkpoint_verify:
 * @metadata: (out) (optional) (transfer full) (element-type utf8 utf8): the caller's entries
 *
 * Checks the format version and all checksums, without a store.
 */
gboolean weft_checkpoint_verify (const char *path, GHashTable **metadata, GError **error);

/* Whether the bytes at @path are not those of any checkpoint: %FALSE for one of a later version, and where nothing can be read. */
gboolean weft_checkpoint_is_damaged (const char *path);

/* CRC-32C (Castagnoli, reflected 0x82f63b78) of @length bytes, going on from @crc; 0 to begin. */
guint32 weft_crc32c (guint32 crc, gconstpointer data, gsize length);

G_END_DECLS
