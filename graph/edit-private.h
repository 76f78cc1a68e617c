/* What the files that apply edits share.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "edit.h"

G_BEGIN_DECLS

typedef enum
{
  WEFT_EDIT_BYPASS,
  WEFT_EDIT_REMOVE,
  WEFT_EDIT_REPLACE,
  WEFT_EDIT_INSERT,
  WEFT_EDIT_REWIRE,
  WEFT_EDIT_FREEZE,
  WEFT_EDIT_SET,
} WeftVerb;

/* Names of the verbs, %NULL last. */
extern const char *const weft_edit_verbs[];

/**
 * WeftEdit:
 * @text, @pattern: the path as written, and its elements
 * @value: (nullable): replace, insert: the node; rewire: the reference; set: the value; bypass: which input
 * @from, @to: (nullable): insert
 * @matched: how often it has found what it changes
 * @frozen: (nullable) (element-type utf8): freeze: addresses that it has found
 */
typedef struct
{
  WeftVerb verb;
  char *text;
  char **pattern;
  WeftMark mark;
  WeftValue *value, *from, *to;
  guint matched;
  GPtrArray *frozen;
} WeftEdit;

/* What stands at an address, for messages: "operator linear", its inputs and attributes. */
typedef struct
{
  char *what;
  GPtrArray *inputs, *attributes; /* (element-type utf8), %NULL last */
  WeftMark removed;               /* by which edit, if its line is not 0 */
} WeftKnown;

struct _WeftEdits
{
  WeftPipeline *pipeline;
  WeftProblems *problems;
  GPtrArray *edits;    /* (element-type WeftEdit) */
  GHashTable *known;   /* address → WeftKnown */
  GPtrArray *order;    /* (element-type utf8): addresses in order of appearance, owned by @known */
  GHashTable *touched; /* "GRAPH.NODE" → operator that it had */
  GPtrArray *bypasses;
  GPtrArray *report;
  WeftValue *run;
  gboolean partial; /* graphs were left out, so that globs may find nothing */
};

/* What a node's YAML says it is. */
typedef struct
{
  const WeftOperator *op;
  WeftValue *module; /* (nullable): of a module node or a used network */
  gboolean use, repeat, network;
} WeftKind;

WeftKind weft_edit_kind (WeftEdits *edits, const WeftValue *map);
gboolean weft_edit_kind_has_attribute (const WeftKind *kind, const char *name);
gboolean weft_edit_kind_has_input (const WeftKind *kind, const char *name);
const WeftPort *weft_edit_kind_port (const WeftKind *kind, const char *name);

/* Whether elements [0, @n) of @edit's pattern mean the node @name of @scope (%NULL: network @name). */
gboolean weft_edit_matches (const WeftEdit *edit, guint n, const WeftScope *scope, const char *name);
gboolean weft_edit_pattern_matches (char *const *pattern, guint n, const char *path);
gboolean weft_edit_has_glob (const WeftEdit *edit);
/* "image.sge", and "train.v.sge"; to be freed. */
char *weft_edit_address (const WeftScope *scope, const char *name);
char *weft_edit_place (const WeftScope *scope, const char *name);

/**
 * WeftEditBody:
 * @scope: %NULL among networks
 * @nodes: an own copy, by name
 * @kept: (nullable): references that leave the body
 * @refused: whether the removal under way can't be
 *
 * The nodes of one body while edits are applied to them.
 */
typedef struct
{
  WeftEdits *edits;
  WeftScope *scope;
  WeftValue *nodes;
  const WeftValue *kept;
  gboolean refused;
} WeftEditBody;

WeftKind weft_edit_body_kind (const WeftEditBody *body, const WeftValue *map);
/* Notes that a graph's own node @name is no longer what it was. */
void weft_edit_touch (WeftEditBody *body, const char *name, const WeftValue *map);
/* The only required input of @kind, or its only one; (nullable). */
const char *weft_edit_main_input (const WeftKind *kind);
/* "op linear"; to be freed. */
char *weft_edit_name_kind (const WeftValue *map);
WeftValue *weft_edit_copy (const WeftValue *map);
gboolean weft_edit_is_map (const WeftValue *value);
/* Whether @reference is @name or one of its outputs, or any reference in @value is. */
gboolean weft_edit_refers_to (const WeftValue *reference, const char *name);
gboolean weft_edit_mentions (const WeftValue *value, const char *name);

/* edit-remove.c, edit-insert.c */
void weft_edit_remove (WeftEditBody *body, WeftEdit *edit);
void weft_edit_insert (WeftEditBody *body, WeftEdit *edit);

void weft_edit_know (WeftEdits *edits, const char *address, const WeftValue *map);
void weft_edit_say (WeftEdits *edits, const char *format, ...) G_GNUC_PRINTF (2, 3);

G_END_DECLS
