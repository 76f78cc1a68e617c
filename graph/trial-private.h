/* What the parts of trying operators share: a small pipeline made of an example, run step by step.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "execute.h"
#include "trial.h"

G_BEGIN_DECLS

/* Bytes before and after each value: more than an index that is off by a row reaches. They hold a pattern that differs from run to run, so
 * that results which depend on it differ, too. */
#define WEFT_TRIAL_GUARD 16384
#define WEFT_TRIAL_GUARD_BYTE(fill) ((fill) ^ 0xb4) /* 0xff, not a number, and 0x4b, 1.3e7, take turns */

/* Bytes after what is fed that are not its own. */
#define WEFT_TRIAL_TAIL 64

#define WEFT_TRIAL_SEED 7

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
GPtrArray *weft_trial_cases (const WeftOperator *op);
/* @nodes with every integer width in feeds (and attributes equal to it) replaced by @width and following, bounds by @bound; NULL if same. */
char *weft_trial_resized (const char *nodes, gint64 width, gint64 bound);
/* @nodes with a copy between every float feed and its readers; NULL if there is none. */
char *weft_trial_through_copies (const char *nodes);
/* @nodes with `gradient: true` on no feed but @feed. */
char *weft_trial_with_gradient (const char *nodes, const char *feed);
/* Names of the feeds whose gradients are wanted: (transfer full). */
GStrv weft_trial_wanting (const char *nodes);
/* @nodes with operator @from replaced by @to. */
char *weft_trial_with_operator (const char *nodes, const char *from, const char *to);
/* Name of the last node that uses @op. */
char *weft_trial_node (const char *nodes, const WeftOperator *op);

/**
 * WeftTrialRig:
 * @guarded: whether every value has a place of its own in memory, with guards between
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
  gboolean changes_weights; /* something in it may */
  char *arena;              /* NULL if nothing lives there */
  guint8 fill, guard;       /* what memory holds before: that of values and scratch, and that between */
} WeftTrialRig;

/**
 * WeftTrialSetup:
 * @threads: members of the team
 * @dealt: the team has no threads and takes tiles in an odd order
 * @guarded: every value has a place of its own
 * @keep_all: keep every value to the end of the step, not only those of the operator under trial
 * @unread: nobody reads its optional outputs
 * @inferring: in inference mode
 * @fill: guarded: what memory holds before
 * @more: further nodes
 * @frozen: a node whose parameters want no gradients
 */
typedef struct
{
  guint threads;
  gboolean dealt, guarded, keep_all, unread, inferring;
  guint8 fill;
  const char *more, *frozen;
} WeftTrialSetup;

/* A pipeline of one graph with @nodes. @setup (nullable): with further nodes, another mode, a frozen node. */
WeftPipeline *weft_trial_build (const char *nodes, const WeftTrialSetup *setup, GError **error);
gboolean weft_trial_rig_open (WeftTrialRig *rig, const WeftTrialCase *self, const WeftOperator *op, const WeftTrialSetup *setup,
                              GError **error);
void weft_trial_rig_close (WeftTrialRig *rig);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftTrialRig, weft_trial_rig_close)
/* A step; where a pass ends, the first of the next. */
gboolean weft_trial_rig_step (WeftTrialRig *rig, guint64 step, GError **error);
/* Bytes that belong to a wire, by its index. */
gsize weft_trial_own_bytes (const WeftTrialRig *rig, guint wire);
/* A message about what was written where nothing may be; NULL if nothing was. */
char *weft_trial_rig_trespass (const WeftTrialRig *rig);
/* The nodes that make an objective of the case's outputs, or of @output alone, and ask for its gradients; NULL, with @why, if there can be
 * none. Optional outputs count only if @optional. */
char *weft_trial_probe (const WeftOperator *op, const WeftTrialCase *self, const char *output, gboolean optional, const char **why);
/* Whether any case of @op has something by which gradients can be tried. */
gboolean weft_trial_asks_for_gradient (const WeftOperator *op);
/* The objective of weft_trial_probe(), summed in double precision. */
double weft_trial_objective (const WeftTrialRig *rig, const char *node);

#define WEFT_TRIAL_PROBE_GRADIENTS "trial_gradients"

/* The aspects; each sets @count to how much it compared. FALSE with @error: failed. TRUE with @why: does not apply. */
typedef gboolean (*WeftTrialAspect) (const WeftOperator *op, guint *count, const char **why, GError **error);
gboolean weft_trial_descriptor (const WeftOperator *op, guint *count, const char **why, GError **error);
gboolean weft_trial_shapes (const WeftOperator *op, guint *count, const char **why, GError **error);
gboolean weft_trial_guards (const WeftOperator *op, guint *count, const char **why, GError **error);
gboolean weft_trial_uses (const WeftOperator *op, guint *count, const char **why, GError **error);
gboolean weft_trial_threads (const WeftOperator *op, guint *count, const char **why, GError **error);
gboolean weft_trial_restore (const WeftOperator *op, guint *count, const char **why, GError **error);
gboolean weft_trial_in_place (const WeftOperator *op, guint *count, const char **why, GError **error);
gboolean weft_trial_composition (const WeftOperator *op, guint *count, const char **why, GError **error);
gboolean weft_trial_gradients (const WeftOperator *op, guint *count, const char **why, GError **error);

G_END_DECLS
