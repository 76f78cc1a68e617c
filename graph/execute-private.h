/* What the files of the executor share.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "bind.h"
#include "execute.h"

G_BEGIN_DECLS

typedef struct
{
  gint64 value;
  gint32 *offsets;
  gboolean set;
} WeftSizeNow; /* of a symbol, in this step */

typedef struct
{
  WeftExecutor *executor;
  const WeftNode *node;
  WeftBound bound;
  GArray *produced;   /* wire indices of what it computes */
  GArray *introduced; /* symbol indices whose value it says */
  GPtrArray *changes; /* tensors of the store that it may change */
  gpointer instance;
  char *stream; /* name of its random stream */
  WeftTensor fed;
  gboolean has_fed;
  guint leads;         /* how many of the next nodes can follow it */
  guint followers;     /* how many do in this step */
  gint64 *announced;   /* of a leader: for the first row of each part, the columns that were announced; atomic */
  gint64 microseconds; /* of a follower: of all members together; atomic */
} WeftExecutedNode;

struct _WeftExecutor
{
  const WeftPlan *plan;
  WeftPlan *fitted;  /* NULL where the plan is fixed */
  gint64 *room;      /* for each symbol, the largest value for which there is room; NULL where the plan is fixed */
  gboolean *said;    /* for each symbol, whether its value was said before */
  guint *introducer; /* for each symbol, the node that says its value */
  WeftGraph *graph;
  WeftStore *store;
  WeftTeam *team;
  guint64 seed;
  char *arena;
  gsize arena_bytes;
  WeftTensor *tensors;
  WeftSizeNow *sizes;
  WeftExecutedNode *steps;
  double *times;
  gboolean watch;
  gboolean exhausted;
  gint64 expected; /* steps of a pass, 0 while unknown */
  GMutex failing;
  GError *failure;
};

/* Lays the arena out for the present room. @running: the node that has just run, or -1. */
gboolean weft_executor_fit (WeftExecutor *self, int running, GError **error);

/* Makes room for the sizes that the node has just said. */
gboolean weft_executor_make_room (WeftExecutor *self, const WeftExecutedNode *step);

/* Lets so many of the next nodes follow @leader, or none. */
void weft_executor_lead (WeftExecutedNode *leader, guint followers);

G_END_DECLS
