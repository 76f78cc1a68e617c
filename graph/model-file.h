/* Files that hold trained models: Hugging Face folders, safetensors files, run directories.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"
#include "name-map.h"

G_BEGIN_DECLS

typedef struct _WeftModelFile WeftModelFile;

/**
 * weft_model_file_open:
 * @path: a folder with `config.json` and a model as Hugging Face's library finds it, a file that weft_tensor_file_open() reads, or a run
 *   directory with `best.safetensors`
 */
WeftModelFile *weft_model_file_open (const char *path, GError **error);
void weft_model_file_close (WeftModelFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftModelFile, weft_model_file_close)
/* The file itself, for messages. */
const char *weft_model_file_path (const WeftModelFile *file);
/* `model_type` of config.json; (nullable). */
const char *weft_model_file_type (const WeftModelFile *file);
/* Whether this library wrote it, so that its names are store paths. */
gboolean weft_model_file_is_own (const WeftModelFile *file);
const char *const *weft_model_file_names (const WeftModelFile *file);
const WeftTensor *weft_model_file_find (const WeftModelFile *file, const char *name);

/**
 * weft_model_file_check:
 * @prefix: store path of the part that is to be filled
 *
 * Holds config.json, if there is one, against what the name map expects and against the attributes of nodes below @prefix that the
 * map's `config` names. Differences become problems at @mark.
 *
 * Returns: whether there were none
 */
gboolean weft_model_file_check (const WeftModelFile *file, const WeftNameMap *map, const WeftPipeline *pipeline, const char *prefix,
                                WeftMark mark, WeftProblems *problems);

/* Reads a tensor into @to, converting between floating types. */
gboolean weft_model_file_read (WeftModelFile *file, const char *name, WeftTensor *to, GError **error);

G_END_DECLS
