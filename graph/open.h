/* From a pipeline file or a run directory to a checked pipeline: compose, build, read the run section.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "compose.h"
#include "recipe.h"

G_BEGIN_DECLS

/**
 * WeftOpened:
 * @document: (nullable): composed
 * @pipeline, @recipe: (nullable): %NULL if there were problems
 */
typedef struct
{
  WeftValue *document;
  WeftPipeline *pipeline;
  WeftRecipe *recipe;
} WeftOpened;

/**
 * weft_open:
 * @path: a pipeline file, the name of an installed pipeline, or a run directory
 * @overlays, @settings: (nullable): as in #WeftComposition
 * @vars: (nullable) (element-type utf8): further settings, applied last
 * @trains: whether the graph that the run section trains is wanted; without it, neither its optimizer's state nor its data
 *
 * Operators must have been loaded. Returns: %FALSE if there were problems; @opened is to be cleared in any case
 */
gboolean weft_open (const char *path, const char *const *overlays, const char *const *settings, const GPtrArray *vars, gboolean trains,
                    WeftOpened *opened, WeftProblems *problems);
void weft_opened_clear (WeftOpened *opened);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftOpened, weft_opened_clear)

/* The pipeline file that @path means: itself, RUN/pipeline.yaml, or an installed pipeline of that name. */
char *weft_pipeline_file (const char *path);

/* Directories where includes are looked for: the installed pipelines, then those that WEFT_INCLUDE_PATH named when this was first called;
 * (array zero-terminated=1). */
const char *const *weft_pipeline_search (void);

G_END_DECLS
