/* What the parts of trying operators share: a small pipeline made of an example, run step by step.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "execute.h"
#include "trial.h"

G_BEGIN_DECLS

typedef enum
{
  WEFT_TRIAL_FULL,  /* sizes that may vary are at their bound */
  WEFT_TRIAL_ONE,   /* … are 1 */
  WEFT_TRIAL_EMPTY, /* … are 0 */
} WeftTrialSize;

/**
 * WeftTrialCase:
 * @nodes: YAML of a map of nodes
 * @name: for messages, such as "widths of 7"
 * @given: written by the author: it must work; edge shapes may be refused
 */
typedef struct
{
  char *nodes;
  char *name;
  WeftTrialSize size;
  gboolean given;
} WeftTrialCase;

void weft_trial_case_free (WeftTrialCase *self);

/* The author's cases and what is made of them. (element-type WeftTrialCase) */
GPtrArray *weft_trial_cases (const WeftOperator *operator);
/* @nodes with every integer width in feeds (and attributes equal to it) replaced by @width and following, bounds by @bound; NULL if same. */
char *weft_trial_resized (const char *nodes, gint64 width, gint64 bound);
/* @nodes with a copy between every float feed and its readers; NULL if there is none. */
char *weft_trial_through_copies (const char *nodes);
/* @nodes with operator @from replaced by @to. */
char *weft_trial_with_operator (const char *nodes, const char *from, const char *to);
/* Name of the last node that uses @operator. */
char *weft_trial_node (const char *nodes, const WeftOperator *operator);

/**
 * WeftTrialRig:
 * @guarded: whether every value has a place of its own in memory, with guards between
 * @probed: (element-type WeftWire): the outputs that the objective is made of
 * @probe_weights: (element-type WeftTensor): their weights, NULL for scalars
 */
typedef struct
{
  WeftPipeline *pipeline;
  WeftGraph *graph;
  WeftPlan *plan;
  WeftStore *store;
  WeftTeam *team;
  WeftExecutor *executor;
  GPtrArray *tensors; /* WeftTensor of feeds, in the order of graph->feeds */
  GPtrArray *copies;  /* bytes of what was fed */
  gboolean guarded;
  char *arena; /* NULL if nothing lives there */
  guint8 fill;
} WeftTrialRig;

typedef struct
{
  guint threads;
  gboolean guarded;
  gboolean keep_all; /* keep every value to the end of the step, not only those of the operator under trial */
  guint8 fill;       /* guarded: what memory holds before */
  const char *more;  /* further nodes */
} WeftTrialSetup;

/* A pipeline of one graph with @nodes and, if not %NULL, @more. */
WeftPipeline *weft_trial_build (const char *nodes, const char *more, GError **error);
gboolean weft_trial_rig_open (WeftTrialRig *rig, const WeftTrialCase *self, const WeftOperator *operator, const WeftTrialSetup * setup,
                              GError **error);
void weft_trial_rig_close (WeftTrialRig *rig);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftTrialRig, weft_trial_rig_close)
/* A step; where a pass ends, the first of the next. */
gboolean weft_trial_rig_step (WeftTrialRig *rig, guint64 step, GError **error);
/* A message about what was written where nothing may be; NULL if nothing was. */
char *weft_trial_rig_trespass (const WeftTrialRig *rig);
/* The nodes that make an objective of the case's outputs and ask for its gradients; NULL, with @why, if there can be none. */
char *weft_trial_probe (const WeftOperator *operator, const WeftTrialCase * self, const char **why);
/* The objective of weft_trial_probe(), summed in double precision. */
double weft_trial_objective (const WeftTrialRig *rig, const char *node);

#define WEFT_TRIAL_PROBE_GRADIENTS "trial_gradients"

/* The aspects; each sets @count to how much it compared. FALSE with @error: failed. TRUE with @why: does not apply. */
typedef gboolean (*WeftTrialAspect) (const WeftOperator *operator, guint * count, const char **why, GError **error);
gboolean weft_trial_descriptor (const WeftOperator *operator, guint * count, const char **why, GError **error);
gboolean weft_trial_shapes (const WeftOperator *operator, guint * count, const char **why, GError **error);
gboolean weft_trial_guards (const WeftOperator *operator, guint * count, const char **why, GError **error);
gboolean weft_trial_threads (const WeftOperator *operator, guint * count, const char **why, GError **error);
gboolean weft_trial_restore (const WeftOperator *operator, guint * count, const char **why, GError **error);
gboolean weft_trial_in_place (const WeftOperator *operator, guint * count, const char **why, GError **error);
gboolean weft_trial_composition (const WeftOperator *operator, guint * count, const char **why, GError **error);
gboolean weft_trial_gradients (const WeftOperator *operator, guint * count, const char **why, GError **error);

G_END_DECLS
