/* Graphs of operator nodes, as every stage from building to planning sees them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

#include "document.h"
#include "schedule.h"
#include "shape.h"

G_BEGIN_DECLS

typedef struct _WeftNode WeftNode;
typedef struct _WeftGraph WeftGraph;
typedef struct _WeftPipeline WeftPipeline;
typedef struct _WeftEdits WeftEdits;

typedef enum
{
  WEFT_WIRE_OUTPUT,             /* operator output `port` */
  WEFT_WIRE_SAVED,              /* value kept by forward for backward */
  WEFT_WIRE_INPUT_GRADIENT,     /* produced by a gradient node: gradient by input `port`, value `which` */
  WEFT_WIRE_PARAMETER_GRADIENT, /* produced by a gradient node: gradient by parameter `port` */
} WeftWireKind;

/**
 * WeftWire:
 *
 * One tensor that a node produces in every step. Wires are what the planner places in the arena.
 */
typedef struct _WeftWire WeftWire;
struct _WeftWire
{
  WeftNode *node;
  WeftWireKind kind;
  guint port, which;
  WeftShape shape;
  WeftWire *again; /* (nullable): the same value, computed again: what gradients read instead */
  gboolean read;   /* somebody reads it: another node, a collect, a log, the user */
  gboolean kept;   /* must stay valid to the end of the step (collected, logged, asked for) */
  guint index;     /* position in graph->wires */
};

typedef struct
{
  guint n;                /* 0: left open */
  WeftWire **wires;       /* tensor ports */
  char **keys;            /* names in a variadic map, else NULL entries */
  char **weights;         /* weights ports: store prefix of each set ("image", "train.momentum.key.image") */
  char **weight_networks; /* weights ports: the network whose members they are */
  WeftNode *state_of;     /* state-of ports */
  WeftMark mark;
  WeftMark outermost; /* among the references that lead to the wires, through modules, one that stands in the fewest */
  guint depth;        /* of that: 0 in a graph's own nodes */
} WeftInput;

/**
 * WeftMember: one parameter or statistic of a node.
 */
typedef struct
{
  char *path;      /* in the store */
  WeftShape shape; /* constant sizes only */
  const char *initial;
  gboolean statistic;
  gboolean trainable;
} WeftMember;

/**
 * WeftTarget: a weight handed to an operator with an objective or weights input, in a fixed order (store path order of appearance).
 */
typedef struct
{
  char *path;
  WeftShape shape;
  gboolean statistic;
  WeftWire *gradient;          /* (nullable) */
  char *slots[WEFT_MAX_SLOTS]; /* store paths of the slots, NULL where the operator has none for it */
} WeftTarget;

typedef struct
{
  const WeftAttribute *attribute;
  WeftSchedule *schedule;
} WeftScheduled;

typedef enum
{
  WEFT_NODE_FORWARD,
  WEFT_NODE_GRADIENT,
  WEFT_NODE_AGAIN, /* runs the forward function of another node once more */
} WeftNodeKind;

struct _WeftNode
{
  WeftNodeKind kind;
  guint index;      /* in graph->nodes, which is an order of execution once the graph is ordered */
  char *path;       /* within the graph: "v.sge.local"; gradient nodes end in "~gradient", what runs again in "~again" */
  char *store_path; /* prefix of its parameters and states: "image.sge.local" */
  const WeftOperator *op;
  gpointer attributes;
  GArray *scheduled; /* of WeftScheduled */
  WeftMode mode;
  WeftCompute compute; /* float32 where the operator allows nothing else */
  WeftMark mark;
  gboolean faulty; /* a mistake in it was told: nothing is said about what follows from it */
  WeftInput inputs[WEFT_MAX_PORTS];
  WeftWire *outputs[WEFT_MAX_PORTS];
  WeftWire *saved[WEFT_MAX_PORTS]; /* NULL unless differentiated */
  WeftMember parameters[WEFT_MAX_PORTS];
  WeftMember states[WEFT_MAX_PORTS];
  gboolean trainable;    /* its parameters are (not frozen, not somebody's slots) */
  gboolean borrowed;     /* its parameters and states are somebody's slots (a momentum copy) */
  const char *network;   /* (nullable): interned name of the network it belongs to */
  WeftValue *map;        /* (nullable): the YAML it was made from */
  GPtrArray *after;      /* (element-type WeftNode): runs after these, beside what wires imply */
  GArray *targets;       /* of WeftTarget: for operators with objective or weights inputs */
  GPtrArray *owned;      /* memory that attributes point to */
  char *collected_graph; /* feeds of collected arrays: whose, and which */
  char *collected_name;
  WeftShape saved_shapes[WEFT_MAX_PORTS];
  WeftNode *repeats; /* (nullable): nodes that run again: which one; attributes, inputs and members are that node's */
  /* gradient nodes */
  WeftNode *of; /* may be a node that runs again */
  WeftWire *out_gradients[WEFT_MAX_PORTS];
  WeftWire **in_gradients[WEFT_MAX_PORTS]; /* arrays of of->inputs[port].n, entries NULL if not wanted */
  WeftWire *parameter_gradients[WEFT_MAX_PORTS];
};

typedef struct
{
  char *name;
  WeftWire *wire;
  WeftMark mark;
} WeftCollect;

struct _WeftGraph
{
  char *name;
  WeftPipeline *pipeline;
  WeftMode mode;
  WeftMark mark;
  GPtrArray *nodes;           /* (element-type WeftNode) */
  GPtrArray *wires;           /* (element-type WeftWire) */
  GPtrArray *symbols;         /* (element-type WeftSymbol) */
  GArray *collects;           /* of WeftCollect */
  gboolean faulty;            /* a mistake in what it collects was told */
  const WeftValue *recompute; /* (nullable): patterns of what is computed again for gradients */
  GPtrArray *feeds;         /* (element-type WeftNode): nodes of the core operator `feed`; those named GRAPH.NAME take a collected array */
  GPtrArray *pruned;        /* (element-type utf8): paths of nodes left out because nothing needs them */
  WeftNode *source;         /* (nullable): what the graph iterates over */
  GHashTable *feed_letters; /* letter → WeftDim: shared by all feeds */
  GHashTable *aliases;      /* name → WeftWire: outputs of modules and networks used at the top: "v", "v.embedding" */
  int inferred;             /* 0 not yet, 1 being, 2 done */
};

/* One parameter or state of the whole pipeline, by store path. */
typedef struct
{
  char *path;
  WeftShape shape;
  const char *initial; /* as in WeftPort, letters replaced: "fan_in(2048)" */
  gboolean statistic;
  char *copy_of; /* (nullable): starts as a copy of this store path */
} WeftVariable;

typedef struct
{
  const char *name; /* interned */
  WeftValue *load;  /* (nullable): path, or map {path:, names:, into:, optional:} */
  gboolean frozen;
  WeftMark mark;
} WeftNetwork;

struct _WeftPipeline
{
  char *name;
  WeftValue *document;  /* composed */
  GPtrArray *networks;  /* (element-type WeftNetwork) */
  GPtrArray *graphs;    /* (element-type WeftGraph) */
  GPtrArray *variables; /* (element-type WeftVariable): everything that lives in the store, in order of appearance */
  WeftValue *run;       /* (nullable): the run section */
  guint written;        /* nodes that building has met so far */
  WeftEdits *edits;     /* (nullable): what `edits:` changes, and has changed */
};

WeftGraph *weft_pipeline_graph (const WeftPipeline *pipeline, const char *name);     /* (nullable) */
WeftNetwork *weft_pipeline_network (const WeftPipeline *pipeline, const char *name); /* (nullable) */
WeftVariable *weft_pipeline_variable (const WeftPipeline *pipeline, const char *path);
WeftNode *weft_graph_node (const WeftGraph *graph, const char *path);
/* "loss.batch", or "loss" for an only output; (nullable) */
WeftWire *weft_graph_wire (const WeftGraph *graph, const char *reference);

/* Index of a port by name in a descriptor's array, or -1. */
int weft_port_index (const WeftPort *ports, const char *name);
guint weft_port_count (const WeftPort *ports);

/* For the stages. */
void weft_graph_free (WeftGraph *graph);
WeftGraph *weft_graph_new (WeftPipeline *pipeline, const char *name, WeftMark mark);
WeftNode *weft_node_new (const WeftOperator *op, const char *path, const char *store_path, WeftMark mark);
void weft_node_free (WeftNode *node);
WeftNode *weft_graph_add_node (WeftGraph *graph, const WeftOperator *op, const char *path, const char *store_path, WeftMark mark);
WeftWire *weft_graph_add_wire (WeftGraph *graph, WeftNode *node, WeftWireKind kind, guint port, guint which);
WeftSymbol *weft_graph_add_symbol (WeftGraph *graph, const char *name, gint64 bound, const char *owner);
/* Calls @visit for every wire that @node reads when it runs, gradient nodes' reads of forward values included. */
void weft_node_visit_reads (const WeftNode *node, void (*visit) (WeftWire *wire, gpointer data), gpointer data);
/* The node that was written, of whose work @node is a part. */
const WeftNode *weft_node_origin (const WeftNode *node);
/* The wire that @node takes for an input that was connected to @wire (nullable). */
WeftWire *weft_node_wire (const WeftNode *node, WeftWire *wire);
/* "`loss.image`" and the like, for messages. */
char *weft_node_port_name (const WeftNode *node, const WeftPort *port);

G_END_DECLS
