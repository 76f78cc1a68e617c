/* Nodes that compute part by part: by themselves, or on what the node before them has just computed, while it is in cache.
 *
 * A leader announces parts of its first output. Followers that compute single elements work on the part at once; from the first one that
 * needs whole rows on, they wait until all columns of these rows were announced. Whoever announces the last of them goes on with the rows.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "execute-private.h"
#include "parts.h"

/* Elements of a part, a few first-level caches' worth; where tests deal tiles, something that fits nothing. */
#define PART_ELEMENTS 16384
#define DEALT_ELEMENTS 1013

typedef struct
{
  const WeftCall *call;
  const WeftOperator *op;
  WeftPart whole;       /* elements: one row of all of them */
  gint64 rows, columns; /* of a part */
} Cut;

static void
compute_part (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Cut *cut = data;
  gint64 across = (cut->whole.columns + cut->columns - 1) / cut->columns;
  WeftPart part = { index / across * cut->rows, 0, index % across * cut->columns, 0, cut->whole.width };

  part.rows = MIN (cut->rows, cut->whole.rows - part.first_row);
  part.columns = MIN (cut->columns, cut->whole.columns - part.first_column);
  cut->op->forward_part (cut->call, &part);
}

void
weft_forward_by_parts (const WeftCall *call)
{
  const WeftExecutedNode *step = call->internal;
  const WeftTensor *out = call->out[0];
  gint64 elements = weft_tensor_elements (out), width = out->rank ? weft_tensor_last (out) : 1;
  gint64 most = weft_team_is_dealt (step->executor->team) ? DEALT_ELEMENTS : PART_ELEMENTS;
  Cut cut = { .call = call, .op = step->node->op };

  if (!elements)
    return;
  if (cut.op->parts == WEFT_PARTS_ROWS)
    {
      cut.whole = (WeftPart){ .rows = elements / width, .columns = width, .width = width };
      cut.rows = MAX (most / width, 1);
      cut.columns = width;
    }
  else
    {
      cut.whole = (WeftPart){ .rows = 1, .columns = elements, .width = elements };
      cut.rows = 1;
      cut.columns = most;
    }
  weft_parallel (call, (cut.whole.rows + cut.rows - 1) / cut.rows * ((cut.whole.columns + cut.columns - 1) / cut.columns), compute_part,
                 &cut);
}

static void
follow_part (WeftExecutedNode *step, const WeftPart *part)
{
  gint64 start = g_get_monotonic_time ();

  step->node->op->forward_part (&step->bound.call, part);
  __atomic_add_fetch (&step->microseconds, g_get_monotonic_time () - start, __ATOMIC_RELAXED);
}

/* Followers from @next on, up to the first that needs more than the part. */
static guint
follow_elements (WeftExecutedNode *leader, guint next, const WeftPart *part)
{
  for (; next <= leader->followers && leader[next].node->op->parts == WEFT_PARTS_ELEMENTS; next++)
    follow_part (&leader[next], part);
  return next;
}

void
weft_part_done (const WeftCall *call, gint64 first_row, gint64 rows, gint64 first_column, gint64 columns)
{
  WeftExecutedNode *leader = call->internal;
  WeftPart part = { first_row, rows, first_column, columns, weft_tensor_last (call->out[0]) };
  guint next;

  if (!leader->followers)
    return;
  next = follow_elements (leader, 1, &part);
  if (next > leader->followers || __atomic_add_fetch (&leader->announced[first_row], columns, __ATOMIC_ACQ_REL) < part.width)
    return;
  part.first_column = 0;
  part.columns = part.width;
  for (; next <= leader->followers; next++)
    follow_part (&leader[next], &part);
}

void
weft_executor_lead (WeftExecutedNode *leader, guint followers)
{
  const WeftTensor *out = leader->bound.call.out[0];
  gint64 width = weft_tensor_last (out);

  leader->followers = followers;
  if (width)
    memset (leader->announced, 0, (gsize) (weft_tensor_elements (out) / width) * sizeof *leader->announced);
  for (guint i = 1; i <= followers; i++)
    leader[i].microseconds = 0;
}
