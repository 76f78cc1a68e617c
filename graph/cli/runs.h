/* Several runs beside one another, and their ensemble.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "evaluation.h"

G_BEGIN_DECLS

/**
 * weft_cli_evaluate_runs:
 * @paths: (array zero-terminated=1): runs or pipelines
 * @form: (nullable): text, csv, markdown or latex
 * @all: whether tables show all numbers
 *
 * Returns: the exit status
 */
int weft_cli_evaluate_runs (const char *const *paths, const WeftCommonOptions *common, const char *split, const char *form, gboolean all);

/**
 * WeftEnsemble: embeddings of several models, row by row beside one another
 *
 * The product of two such rows is the sum of the models' products, so whatever scores by products scores the ensemble.
 */
typedef struct
{
  GHashTable *joined; /* "GRAPH.NAME" → WeftTensor with data of its own */
  guint models;
} WeftEnsemble;

void weft_ensemble_init (WeftEnsemble *ensemble);
void weft_ensemble_clear (WeftEnsemble *ensemble);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftEnsemble, weft_ensemble_clear)

/* Joins what the graphs of @session that have no source read of what @passes collected. Returns: %FALSE if rows don't match */
gboolean weft_ensemble_add (WeftEnsemble *ensemble, WeftSession *session, WeftPasses *passes, const GPtrArray *graphs, GError **error);
/* Passes over the graphs of @session that have no source; (nullable). */
WeftPasses *weft_ensemble_score (WeftEnsemble *ensemble, WeftSession *session, const GPtrArray *graphs, GError **error);

G_END_DECLS
