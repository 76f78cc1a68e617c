/* Symbolic shapes, and the signature language in which operators state them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "problems.h"
#include "tensor.h"

G_BEGIN_DECLS

/**
 * WeftSymbol:
 * @name: letter it was introduced under, for messages
 * @bound: largest value it can take
 * @index: position in its graph's table
 * @owner: path of the node that introduces it
 *
 * A size known only when data is there. One node's output introduces it; at run time that node says its value.
 */
typedef struct
{
  char *name;
  gint64 bound;
  guint index;
  char *owner;
} WeftSymbol;

/**
 * WeftDim:
 * @size: the constant size, or the factor of @symbol
 * @symbol: (nullable)
 * @samples: (nullable): set on the first dimension of a ragged shape: the number of samples whose rows this counts. The number of
 *   samples may be a constant too: then @sample_count is it
 */
typedef struct
{
  gint64 size;
  WeftSymbol *symbol;
  gboolean ragged;
  WeftSymbol *samples;
  gint64 sample_count;
} WeftDim;

typedef struct
{
  WeftType type;
  guint rank;
  WeftDim dims[WEFT_MAX_RANK];
  gint64 below; /* integers: exclusive upper bound of the values, 0 = none stated */
} WeftShape;

/* Of a shape that could not be inferred; what reads it stays silent, so that one mistake gives one message. */
#define WEFT_UNKNOWN_RANK 255

gboolean weft_shape_is_known (const WeftShape *shape);
gboolean weft_dim_equal (const WeftDim *a, const WeftDim *b);
gboolean weft_shape_equal (const WeftShape *a, const WeftShape *b); /* type and sizes */
gint64 weft_dim_bound (const WeftDim *dim);
gint64 weft_shape_bound_elements (const WeftShape *shape);
gsize weft_shape_bound_bytes (const WeftShape *shape);
char *weft_shape_print (const WeftShape *shape); /* "f32[b:t, 1024]" */

G_END_DECLS
