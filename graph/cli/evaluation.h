/* Evaluations of runs, as several commands need them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "cli.h"
#include "pass.h"
#include "session-private.h"

G_BEGIN_DECLS

/**
 * weft_evaluation_open:
 * @split: (nullable): short for the setting `split=…`
 * @more: (nullable) (element-type utf8): further settings, which win
 *
 * Opens a run's best model, or a pipeline whose networks all say what to load, with the settings of its evaluation.
 *
 * Returns: (nullable): %NULL after a message
 */
WeftSession *weft_evaluation_open (const char *path, const WeftCommonOptions *common, const char *split, const GPtrArray *more);

/**
 * weft_evaluation_open_writing:
 * @attribute: of the node that is to write @file: `save` for similarities, `ranks` for ranks
 *
 * The same, with one node of the evaluation graphs made to write a file: the first whose operator has such a path attribute.
 */
WeftSession *weft_evaluation_open_writing (const char *path, const WeftCommonOptions *common, const char *split, const char *attribute,
                                           const char *file);

/* Passes over @graphs, showing progress; (nullable): %NULL after a message. */
WeftPasses *weft_evaluation_pass (WeftSession *session, const GPtrArray *graphs, gboolean quiet);

/* Names of the graphs that @session's evaluation passes over; (nullable): %NULL after a message that there are none. */
const GPtrArray *weft_evaluation_graphs (WeftSession *session, const char *path);

G_END_DECLS
