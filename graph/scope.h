/* Names in scope while a graph is built, and what references to them mean.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

#define WEFT_MAX_SCOPE_DEPTH 64

typedef struct _WeftScope WeftScope;

typedef enum
{
  WEFT_ENTITY_NODE,     /* an operator node */
  WEFT_ENTITY_INSTANCE, /* a module, a network's use or an operator's composition */
  WEFT_ENTITY_INPUT,    /* an input of the module whose body this is */
  WEFT_ENTITY_FAULTY,   /* a node that could not be made, for a reason that was told */
} WeftEntityKind;

typedef struct
{
  WeftEntityKind kind;
  char *name;
  WeftMark mark;
  WeftNode *node;
  WeftScope *inner; /* instances: the body's scope */
  WeftValue *body;
  WeftValue *outputs; /* instances: name → reference in the inner scope */
  char *what;         /* instances: the module's name, for messages */
  WeftScope *outer;   /* inputs: where the reference belongs */
  WeftValue *reference;
} WeftEntity;

struct _WeftScope
{
  WeftScope *parent;
  WeftGraph *graph;
  WeftProblems *problems;
  char *path;       /* prefix of node paths */
  char *store_path; /* prefix of parameter paths */
  char *address;    /* prefix of paths in edits: that of the parameters, also where they are borrowed */
  WeftMode mode;
  WeftCompute compute;
  gboolean trainable;
  gboolean borrowed;
  const char *network;
  WeftNode *after; /* (nullable): what the nodes in here wait for */
  guint depth;
  GHashTable *entities; /* name → WeftEntity */
  GPtrArray *owned;     /* (element-type WeftEntity) */
  GArray *awaiting;     /* root: nodes whose inputs are to be resolved */
};

WeftScope *weft_scope_new (WeftScope *parent, const char *path, const char *store_path);
void weft_scope_free (WeftScope *scope);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftScope, weft_scope_free)

/* "prefix.name", or "name" where there is no prefix. */
char *weft_scope_join (const char *prefix, const char *name);

gboolean weft_scope_has (const WeftScope *scope, const char *name);
WeftEntity *weft_scope_add (WeftScope *scope, const char *name, WeftEntityKind kind, WeftMark mark);
void weft_scope_alias (WeftScope *scope, const char *name, WeftEntity *entity);

/* Remembers that @node's inputs are what @map says; weft_scope_connect() resolves them once all names are known. */
void weft_scope_await (WeftScope *scope, WeftNode *node, WeftValue *map);
void weft_scope_connect (WeftScope *root);

/* What a reference means; problems say what is near. */
WeftWire *weft_scope_resolve_wire (WeftScope *scope, WeftValue *reference);

/* Makes the nodes of @inner use the copy of their network's weights that @reference names ("momentum.image"). */
gboolean weft_scope_borrow_weights (WeftScope *scope, WeftScope *inner, WeftValue *reference);

G_END_DECLS
