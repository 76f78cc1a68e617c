/* weft check --module: a module alone, in a graph made for it.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "cli.h"

G_BEGIN_DECLS

/**
 * weft_check_module:
 * @path: a file with modules, or a pipeline
 *
 * Builds a pipeline of one graph that feeds the module's inputs and collects its outputs. `--set` gives attributes, and sizes to the letters
 * of its inputs' signatures; other letters get small sizes.
 *
 * Returns: (transfer full) (nullable): %NULL if there were problems
 */
WeftPipeline *weft_check_module (const char *path, const char *name, const WeftCommonOptions *common, WeftProblems *problems);

G_END_DECLS
