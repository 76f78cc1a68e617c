/* What the files of shape inference share: letters of signatures and the sizes that they stand for at one node.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"
#include "signature.h"

G_BEGIN_DECLS

typedef struct
{
  WeftDim dim;
  char *origin; /* "`loss.image` = `v`" */
} WeftBinding;

struct _WeftInference
{
  WeftGraph *graph;
  WeftNode *node;
  WeftProblems *problems;
  GHashTable *letters; /* name → WeftBinding */
  gboolean has_ellipsis;
  guint ellipsis_rank;
  WeftDim ellipsis[WEFT_MAX_RANK];
  char *ellipsis_origin;
};

void weft_infer_begin (WeftInference *self);
void weft_infer_end (WeftInference *self);

/* Lets @letter stand for @dim; messages say that it comes from @origin. */
void weft_infer_bind (WeftInference *self, const char *letter, const WeftDim *dim, const char *origin);
/* The value of @size, %FALSE while a letter in it is open. With @bounds, symbols count as their bounds. */
gboolean weft_infer_evaluate (const WeftInference *self, const WeftSize *size, gboolean bounds, WeftDim *dim);
char *weft_infer_print_dim (const WeftDim *dim);

/* Holds @shape against @signature and binds the letters that were open; %FALSE with @why set when it does not fit. */
gboolean weft_infer_match_shape (WeftInference *self, const WeftSignature *signature, const WeftShape *shape, const char *origin,
                                 char **why);
/* The same for the values that integers may have. */
gboolean weft_infer_match_domain (const WeftInference *self, const WeftSignature *signature, const WeftShape *shape, char **why);
/* The shape that @signature gives to a new tensor, with new symbols where @may_introduce; %FALSE, without a message, if letters stay open. */
gboolean weft_infer_make_shape (WeftInference *self, const WeftSignature *signature, gboolean may_introduce, WeftShape *shape);

G_END_DECLS
