/* Run directories: what a training run leaves on disk.
 *
 *     pipeline.yaml            the pipeline, composed and complete in itself
 *     log.txt                  what was said
 *     metrics.jsonl            curves, and events.out.tfevents.* for TensorBoard
 *     info.json                versions, seed, machine, digests of the data, starts and how they ended
 *     checkpoints/step-N.safetensors   everything that a run needs to go on
 *     last.safetensors         a link to the newest of them
 *     best.safetensors         the networks at the best validation
 *     lock                     held while a process works here
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WeftDirectory WeftDirectory;

/* Whether @path is a directory with a pipeline in it. */
gboolean weft_directory_is_run (const char *path);

/* Whether nothing is in @path but what a run that was killed at its very start leaves there. */
gboolean weft_directory_is_empty (const char *path);

/**
 * weft_directory_open:
 *
 * Makes the directory if need be and locks it; the lock ends with the process, however it ends. Another process at work in it is an
 * error that names it. Files that a killed process did not finish are removed.
 */
WeftDirectory *weft_directory_open (const char *path, GError **error);
void weft_directory_close (WeftDirectory *directory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftDirectory, weft_directory_close)

const char *weft_directory_path (const WeftDirectory *directory);
/* Path of a file in it, to be freed. */
char *weft_directory_file (const WeftDirectory *directory, const char *name);
/* Path for the checkpoint of @step, to be freed. */
char *weft_directory_checkpoint (const WeftDirectory *directory, guint64 step);
/* Steps for which there are checkpoints, newest first; (element-type guint64). */
GArray *weft_directory_checkpoints (const WeftDirectory *directory);
/* The same by the directory's path, whoever is at work in it. */
GArray *weft_directory_checkpoints_of (const char *path);
/* Makes `last.safetensors` mean the checkpoint of @step and removes those before it but for the newest @keep - 1. */
gboolean weft_directory_settle (WeftDirectory *directory, guint64 step, guint keep, GError **error);

/**
 * weft_directory_begin:
 * @facts: (element-type utf8 utf8): names and values for the entry of this start in info.json
 * @contents: (nullable): the data that is read (#WeftContents)
 *
 * Notes in info.json that a process starts to work, with the time and `outcome` "running".
 */
gboolean weft_directory_begin (WeftDirectory *directory, GHashTable *facts, const GPtrArray *contents, GError **error);
/* The data that the run began with, by the directory's path; (element-type WeftContents). */
GPtrArray *weft_directory_contents_of (const char *path);
/* Notes that a process could not even start to work, and why. */
void weft_directory_fail (WeftDirectory *directory, const char *reason);
/* Notes how it ended; @facts are added to its entry. */
gboolean weft_directory_end (WeftDirectory *directory, const char *outcome, GHashTable *facts, GError **error);

G_END_DECLS
