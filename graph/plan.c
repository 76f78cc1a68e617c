/* Ordered graphs to plans: lifetimes, then places in one arena.
 *
 * Tensors that are alive at the same time get disjoint places. They are placed largest first, each into the lowest gap that is free
 * during its whole life (greedy by size; Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020).
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "plan.h"

#include <string.h>

#include "bind.h"
#include "core.h"
#include "follow.h"

#define ALIGNMENT 64

static gsize
align (gsize bytes)
{
  return (bytes + ALIGNMENT - 1) & ~(gsize) (ALIGNMENT - 1);
}

/* Wires whose memory is not the arena's: fed tensors, states that are shown, and values that nobody computes. */
static gboolean
lives_elsewhere (const WeftWire *wire)
{
  const WeftPort *port;

  if (!wire->node || !weft_shape_is_known (&wire->shape))
    return TRUE;
  if (wire->kind != WEFT_WIRE_OUTPUT)
    return FALSE;
  port = &wire->node->op->outputs[wire->port];
  return wire->node->op == &weft_feed_operator || port->shows || (!wire->read && (port->flags & WEFT_PORT_OPTIONAL));
}

typedef struct
{
  WeftPlan *plan;
  guint reader;
} Lifetimes;

static void
extend_life (WeftWire *wire, gpointer data)
{
  Lifetimes *self = data;
  WeftPlace *place = &self->plan->places[wire->index];

  place->last = MAX (place->last, self->reader);
}

static gboolean
find_lifetimes (WeftPlan *plan, GError **error)
{
  WeftGraph *graph = plan->graph;

  for (guint i = 0; i < graph->wires->len; i++)
    {
      const WeftWire *wire = graph->wires->pdata[i];
      WeftPlace *place = &plan->places[i];
      gsize bytes;
      place->shares = -1;
      if (lives_elsewhere (wire))
        continue;
      bytes = weft_shape_bound_bytes (&wire->shape);
      if (bytes > G_MAXSSIZE / 2)
        {
          g_autofree char *shape = weft_shape_print (&wire->shape);
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "a value of `%s`, %s, is too large for any memory at its bound",
                       wire->node->path, shape);
          return FALSE;
        }
      place->bytes = align (MAX (bytes, 1));
      place->first = wire->node->index;
      place->last = wire->kept ? graph->nodes->len : wire->node->index;
    }
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      Lifetimes self = { plan, i };
      weft_node_visit_reads (graph->nodes->pdata[i], extend_life, &self);
    }
  return TRUE;
}

static guint
times_read (const WeftNode *node, const WeftWire *wire)
{
  guint n = 0;

  for (guint port = 0; port < WEFT_MAX_PORTS; port++)
    for (guint i = 0; i < node->inputs[port].n; i++)
      n += weft_node_wire (node, node->inputs[port].wires[i]) == wire;
  return n;
}

static void
note_reading (WeftWire *wire, gpointer data)
{
  WeftWire **sought = data;

  if (*sought == wire)
    *sought = NULL;
}

/* The leader of @node goes on reading while parts of the node are computed. */
static gboolean
leader_reads (const WeftPlan *plan, const WeftNode *node, WeftWire *wire)
{
  guint leader = plan->leaders[node->index];

  if (leader != node->index)
    weft_node_visit_reads (plan->graph->nodes->pdata[leader], note_reading, &wire);
  return !wire;
}

/* Lets an output take over the memory of an input that nobody reads later. */
static void
share_in_place (WeftPlan *plan, const WeftNode *node)
{
  const WeftOperator *op = node->op;
  gboolean taken[WEFT_MAX_PORTS] = { FALSE };

  for (guint i = 0; op->in_place && op->in_place[i]; i++)
    {
      g_auto (GStrv) pair = g_strsplit (op->in_place[i], "=", 2);
      int in = weft_port_index (op->inputs, pair[0]);
      int out = pair[0] ? weft_port_index (op->outputs, pair[1]) : -1;
      WeftWire *from, *to;
      if (in < 0 || out < 0 || !node->inputs[in].n || taken[in])
        continue;
      from = weft_node_wire (node, node->inputs[in].wires[0]);
      to = node->outputs[out];
      if (!from || !to || !plan->places[from->index].bytes || plan->places[from->index].bytes != plan->places[to->index].bytes
          || plan->places[from->index].last != node->index || plan->places[to->index].shares >= 0 || times_read (node, from) != 1
          || leader_reads (plan, node, from))
        continue;
      plan->places[to->index].shares = (int) from->index;
      taken[in] = TRUE;
    }
}

/* Leaders and followers run at the same time. */
static void
join_lifetimes (WeftPlan *plan)
{
  guint nodes = plan->graph->nodes->len;
  g_autofree guint *ends = g_new (guint, nodes + 1);

  ends[nodes] = nodes;
  for (guint i = 0; i < nodes; i++)
    ends[plan->leaders[i]] = i;
  for (guint i = 0; i < plan->graph->wires->len; i++)
    {
      WeftPlace *place = &plan->places[i];
      if (!place->bytes)
        continue;
      place->first = plan->leaders[place->first];
      place->last = place->last == nodes ? nodes : ends[plan->leaders[place->last]];
    }
  for (guint i = 0; i < nodes; i++)
    {
      plan->scratch[i].first = plan->leaders[i];
      plan->scratch[i].last = ends[plan->leaders[i]];
    }
}

static WeftTensor *
planned_member (gpointer data, const char *path)
{
  GHashTable *members = data;
  WeftTensor *tensor = g_hash_table_lookup (members, path);

  g_assert (tensor);
  return tensor;
}

static void
note_members (GHashTable *members, const WeftPipeline *pipeline)
{
  for (guint i = 0; i < pipeline->variables->len; i++)
    {
      const WeftVariable *variable = pipeline->variables->pdata[i];
      WeftTensor *tensor = g_new0 (WeftTensor, 1);
      weft_tensor_at_bound (&variable->shape, tensor);
      g_hash_table_insert (members, variable->path, tensor);
    }
}

static void
ask_for_scratch (WeftPlan *plan)
{
  WeftGraph *graph = plan->graph;
  g_autoptr (GHashTable) members = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  g_autofree WeftTensor *tensors = g_new0 (WeftTensor, graph->wires->len + 1);

  note_members (members, graph->pipeline);
  for (guint i = 0; i < graph->wires->len; i++)
    if (((WeftWire *) graph->wires->pdata[i])->node && weft_shape_is_known (&((WeftWire *) graph->wires->pdata[i])->shape))
      weft_tensor_at_bound (&((WeftWire *) graph->wires->pdata[i])->shape, &tensors[i]);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      WeftBound bound;
      if (!node->op->scratch)
        continue;
      weft_bind (&bound, node, tensors, planned_member, members);
      plan->scratch[i].asked = node->op->scratch (&bound.call);
      plan->scratch[i].bytes = align (plan->scratch[i].asked);
      weft_bound_clear (&bound);
    }
}

typedef struct
{
  WeftPlace *place;
  gsize bytes;
  guint first, last;
  guint leaf; /* position in the order of first */
} Block;

static int
compare_blocks (gconstpointer a, gconstpointer b)
{
  const Block *x = a, *y = b;

  if (x->bytes != y->bytes)
    return x->bytes < y->bytes ? 1 : -1;
  return x->first < y->first ? -1 : x->first > y->first;
}

/* Placed blocks by their lives: a tree over all blocks in the order of first, each node of which knows how long the blocks below it live.
 * Comparing every block with every other would take minutes in large graphs. */
typedef struct
{
  GPtrArray *order; /* (element-type Block) */
  guint leaves;     /* a power of two */
  guint *end;       /* for each node of the tree, behind the last life that ends below it; 0: nothing is placed */
} Lives;

static int
compare_firsts (gconstpointer a, gconstpointer b)
{
  const Block *x = *(const Block *const *) a, *y = *(const Block *const *) b;

  return x->first < y->first ? -1 : x->first > y->first;
}

static void
lives_init (Lives *lives, GArray *blocks)
{
  *lives = (Lives){ g_ptr_array_sized_new (blocks->len), 1, NULL };
  for (guint i = 0; i < blocks->len; i++)
    g_ptr_array_add (lives->order, &g_array_index (blocks, Block, i));
  g_ptr_array_sort (lives->order, compare_firsts);
  for (guint i = 0; i < blocks->len; i++)
    ((Block *) lives->order->pdata[i])->leaf = i;
  while (lives->leaves < blocks->len)
    lives->leaves *= 2;
  lives->end = g_new0 (guint, 2 * lives->leaves);
}

static void
lives_clear (Lives *lives)
{
  g_ptr_array_unref (lives->order);
  g_free (lives->end);
}

static void
lives_add (Lives *lives, const Block *block)
{
  for (guint at = lives->leaves + block->leaf; at > 0; at /= 2)
    lives->end[at] = MAX (lives->end[at], block->last + 1);
}

/* Adds to @beside what is placed and alive at some time with @block, among the @n leaves from @begin, which node @at is above. */
static void
find_beside (const Lives *lives, const Block *block, guint at, guint begin, guint n, GPtrArray *beside)
{
  if (lives->end[at] <= block->first || ((const Block *) lives->order->pdata[begin])->first > block->last)
    return;
  if (n == 1)
    {
      g_ptr_array_add (beside, lives->order->pdata[begin]);
      return;
    }
  find_beside (lives, block, 2 * at, begin, n / 2, beside);
  find_beside (lives, block, 2 * at + 1, begin + n / 2, n / 2, beside);
}

static int
compare_offsets (gconstpointer a, gconstpointer b)
{
  const Block *x = *(const Block *const *) a, *y = *(const Block *const *) b;

  return x->place->offset < y->place->offset ? -1 : x->place->offset > y->place->offset;
}

/* The wire at the start of a chain of in-place takeovers. */
static guint
root_of (const WeftPlan *plan, guint wire)
{
  while (plan->places[wire].shares >= 0)
    wire = (guint) plan->places[wire].shares;
  return wire;
}

static GArray *
gather_blocks (WeftPlan *plan)
{
  guint n = plan->graph->wires->len;
  GArray *blocks = g_array_new (FALSE, TRUE, sizeof (Block));
  g_autofree guint *last = g_new0 (guint, n + 1);
  g_autofree gsize *bytes = g_new0 (gsize, n + 1);

  for (guint i = 0; i < n; i++)
    if (plan->places[i].bytes)
      {
        guint root = root_of (plan, i);
        last[root] = MAX (last[root], plan->places[i].last);
        bytes[root] = MAX (bytes[root], plan->places[i].bytes);
      }
  for (guint i = 0; i < n; i++)
    if (plan->places[i].bytes && plan->places[i].shares < 0)
      {
        Block block = { &plan->places[i], bytes[i], plan->places[i].first, last[i], 0 };
        g_array_append_val (blocks, block);
      }
  for (guint i = 0; i < plan->graph->nodes->len; i++)
    if (plan->scratch[i].bytes)
      {
        Block block = { &plan->scratch[i], plan->scratch[i].bytes, plan->scratch[i].first, plan->scratch[i].last, 0 };
        g_array_append_val (blocks, block);
      }
  g_array_sort (blocks, compare_blocks);
  return blocks;
}

static void
place_blocks (WeftPlan *plan)
{
  g_autoptr (GArray) blocks = gather_blocks (plan);
  g_autoptr (GPtrArray) beside = g_ptr_array_new ();
  Lives lives;

  lives_init (&lives, blocks);
  for (guint i = 0; i < blocks->len; i++)
    {
      Block *block = &g_array_index (blocks, Block, i);
      gsize offset = 0;
      g_ptr_array_set_size (beside, 0);
      find_beside (&lives, block, 1, 0, lives.leaves, beside);
      g_ptr_array_sort (beside, compare_offsets);
      for (guint k = 0; k < beside->len; k++)
        {
          const Block *other = beside->pdata[k];
          if (other->place->offset >= offset + block->bytes)
            break;
          offset = MAX (offset, other->place->offset + other->bytes);
        }
      block->place->offset = offset;
      plan->arena = MAX (plan->arena, offset + block->bytes);
      lives_add (&lives, block);
    }
  lives_clear (&lives);
  for (guint i = 0; i < plan->graph->wires->len; i++)
    plan->places[i].offset = plan->places[root_of (plan, i)].offset;
}

WeftPlan *
weft_plan_new (WeftGraph *graph, GError **error)
{
  g_autoptr (WeftPlan) plan = g_new0 (WeftPlan, 1);

  plan->graph = graph;
  plan->places = g_new0 (WeftPlace, graph->wires->len + 1);
  plan->scratch = g_new0 (WeftPlace, graph->nodes->len + 1);
  plan->leaders = weft_find_leaders (graph);
  if (!find_lifetimes (plan, error))
    return NULL;
  for (guint i = 0; i < graph->nodes->len; i++)
    if (((WeftNode *) graph->nodes->pdata[i])->kind != WEFT_NODE_GRADIENT)
      share_in_place (plan, graph->nodes->pdata[i]);
  join_lifetimes (plan);
  ask_for_scratch (plan);
  place_blocks (plan);
  return g_steal_pointer (&plan);
}

static gint64
room_of (const WeftDim *dim, guint node, const gint64 *room, const guint *introducer)
{
  if (!dim->symbol)
    return dim->size;
  return dim->size * (introducer[dim->symbol->index] == node ? dim->symbol->bound : room[dim->symbol->index]);
}

WeftPlan *
weft_plan_fit (const WeftPlan *plan, const gint64 *room, const guint *introducer)
{
  WeftPlan *fitted = g_new0 (WeftPlan, 1);
  guint wires = plan->graph->wires->len;

  fitted->graph = plan->graph;
  fitted->places = g_memdup2 (plan->places, (wires + 1) * sizeof (WeftPlace));
  fitted->scratch = g_memdup2 (plan->scratch, (plan->graph->nodes->len + 1) * sizeof (WeftPlace));
  for (guint i = 0; i < wires; i++)
    {
      const WeftWire *wire = plan->graph->wires->pdata[i];
      gsize bytes;
      if (!plan->places[i].bytes)
        continue;
      bytes = weft_type_size (wire->shape.type);
      for (guint d = 0; d < wire->shape.rank; d++)
        bytes *= (gsize) room_of (&wire->shape.dims[d], wire->node->index, room, introducer);
      fitted->places[i].bytes = align (MAX (bytes, 1));
    }
  place_blocks (fitted);
  return fitted;
}

void
weft_plan_free (WeftPlan *plan)
{
  g_free (plan->places);
  g_free (plan->scratch);
  g_free (plan->leaders);
  g_free (plan);
}
