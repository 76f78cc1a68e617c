/* Two pipelines compared as graphs: what one would have to be edited to become the other.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

typedef enum
{
  WEFT_CHANGE_REMOVE,
  WEFT_CHANGE_ADD,
  WEFT_CHANGE_REPLACE,
  WEFT_CHANGE_SET,
  WEFT_CHANGE_REWIRE,
  WEFT_CHANGE_FREEZE,
  WEFT_CHANGE_RUN,
} WeftChangeKind;

/**
 * WeftChange:
 * @address: "image.gpo", "train.loss"; a whole module if all of it came or went; "run.train.epochs"
 * @what: (nullable): attribute or input
 * @before, @after: (nullable)
 */
typedef struct
{
  WeftChangeKind kind;
  char *address, *what, *before, *after;
} WeftChange;

/* Returns: (element-type WeftChange): in the order of nodes; parts of networks once, however often they are used */
GPtrArray *weft_compare (const WeftPipeline *a, const WeftPipeline *b);

/* "  ~ set image.sge.dropout: 0.1 → 0.2"; to be freed. */
char *weft_change_print (const WeftChange *change);

/* A value as YAML on one line; to be freed. */
char *weft_value_print_line (const WeftValue *value);

/* What `weft_compare` and edits call a node: its place in its network, whoever owns the weights; to be freed. */
char *weft_node_address (const WeftNode *node);

G_END_DECLS
