/* The `run:` section of a pipeline: what is trained, validated, logged and kept, and when.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

/**
 * WeftEvery:
 * @epochs, @steps, @seconds: 0 when not given; whatever comes first counts
 */
typedef struct
{
  gint64 epochs, steps;
  double seconds;
} WeftEvery;

/* A value of a graph under the name that logs show. */
typedef struct
{
  char *name;
  char *reference; /* "loss.batch" in the training graph, "GRAPH.NODE.PORT" or "GRAPH.COLLECTED" elsewhere */
  WeftMark mark;
} WeftNamed;

/**
 * WeftHistogramOf:
 * @from, @to: what the bins cover; what lies outside goes to the first or last bin
 *
 * How a value's elements are distributed, noted at each line of the log.
 */
typedef struct
{
  WeftNamed value;
  double from, to;
  gint64 bins;
} WeftHistogramOf;

/**
 * WeftPhase:
 * @graphs: names of the graphs to pass over, in order
 * @vars: `name=value` settings that this phase composes the pipeline with
 *
 * An evaluation: `validate:`, `evaluate:`.
 */
typedef struct
{
  gboolean given;
  WeftMark mark;
  GPtrArray *graphs; /* (element-type utf8) */
  GPtrArray *vars;   /* (element-type utf8), without a last %NULL */
} WeftPhase;

typedef struct
{
  WeftMark mark;
  char *train_graph; /* (nullable): nothing to train */
  WeftMark train_mark;
  gint64 epochs, steps; /* 0: no such limit */
  gint64 limit;         /* steps after which a pass ends; 0: with its source */
  gboolean overfit;     /* every step takes the first batch of the first pass */
  WeftPhase validate;
  char *metric; /* (nullable): "GRAPH.NODE.PORT" */
  WeftMark metric_mark;
  gboolean minimize;
  WeftEvery validate_every;
  gint64 patience; /* validations without a better score before training stops; 0: never */
  WeftPhase evaluate;
  GArray *encode; /* of WeftNamed */
  gint64 log_every;
  GArray *log;        /* of WeftNamed */
  GArray *histograms; /* of WeftHistogramOf */
  WeftEvery checkpoint_every;
  gint64 keep;
  gint64 seed;
  /* watch: */
  gboolean watch_finite; /* every node's values in every step */
  char *watch_silent;    /* (nullable): share of samples without gradient */
  WeftMark silent_mark;
  double silent_above;
  char *watch_norm; /* (nullable): gradient norm */
  WeftMark norm_mark;
  double norm_below;
  GArray *watch_collapse; /* of WeftNamed: embeddings, one a row */
  double collapse_above;
} WeftRecipe;

/**
 * weft_recipe_new:
 *
 * Reads the `run:` section of @pipeline and checks names and references against its graphs. What logs and watches read is marked as
 * read and kept in the training graph, so this has to happen before that is planned.
 *
 * Returns: (transfer full) (nullable): %NULL if there were problems
 */
WeftRecipe *weft_recipe_new (WeftPipeline *pipeline, WeftProblems *problems);
void weft_recipe_free (WeftRecipe *recipe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftRecipe, weft_recipe_free)

/* Whether it is time, @steps, @epochs and @seconds after the last time; @epoch_over: a pass just ended. */
gboolean weft_every_due (const WeftEvery *every, guint64 step, gboolean epoch_over, guint64 epoch, double seconds);

/* `name=value` settings of the `vars:` of "validate" or "evaluate"; (element-type utf8). */
GPtrArray *weft_recipe_phase_vars (const WeftValue *document, const char *phase);

/* Variables that phases override, as a set of names that stay variable in a run directory. */
GHashTable *weft_recipe_late_variables (const WeftValue *document);

G_END_DECLS
