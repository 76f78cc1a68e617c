/* YAML text to documents: trees of values, each with the place where it was written.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "problems.h"

G_BEGIN_DECLS

typedef enum
{
  WEFT_VALUE_NULL,
  WEFT_VALUE_SCALAR,
  WEFT_VALUE_LIST,
  WEFT_VALUE_MAP,
} WeftValueKind;

typedef struct _WeftValue WeftValue;

/* Values are reference-counted and immutable once shared; the functions that change them are for composing. */
WeftValue *weft_value_new_null (WeftMark mark);
WeftValue *weft_value_new_scalar (const char *text, gboolean quoted, WeftMark mark);
WeftValue *weft_value_new_list (WeftMark mark);
WeftValue *weft_value_new_map (WeftMark mark);
WeftValue *weft_value_ref (WeftValue *value);
void weft_value_unref (WeftValue *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftValue, weft_value_unref)

WeftValueKind weft_value_kind (const WeftValue *value);
WeftMark weft_value_mark (const WeftValue *value);
/* A scalar's text; quoted scalars are strings whatever they look like. */
const char *weft_value_text (const WeftValue *value);
gboolean weft_value_is_quoted (const WeftValue *value);
/* A scalar that stands for what a mistake, told already, left unknown: nothing more is said about it. */
WeftValue *weft_value_new_unknown (const char *text, WeftMark mark);
gboolean weft_value_is_unknown (const WeftValue *value);
/* Length of a list, entries of a map, 0 otherwise. */
guint weft_value_length (const WeftValue *value);
WeftValue *weft_value_item (const WeftValue *value, guint index); /* (transfer none) list item or map value, in order */
const char *weft_value_key (const WeftValue *map, guint index);
WeftMark weft_value_key_mark (const WeftValue *map, guint index);
WeftMark weft_value_mark_of (const WeftValue *map, const char *key);  /* of entry @key; of @map if there is none */
WeftValue *weft_value_lookup (const WeftValue *map, const char *key); /* (transfer none) (nullable) */
void weft_value_append (WeftValue *list, WeftValue *item);            /* (transfer full) item */
void weft_value_set (WeftValue *map, const char *key, WeftMark key_mark,
                     WeftValue *value); /* (transfer full) value; replaces in place or appends */
gboolean weft_value_remove (WeftValue *map, const char *key);

/* Typed reading. Each returns FALSE, leaving *result alone, when the value is of another type. */
gboolean weft_value_get_integer (const WeftValue *value, gint64 *result);   /* 1e4 and 16_384 are integers too */
gboolean weft_value_get_number (const WeftValue *value, double *result);    /* C locale; no nan, no inf */
gboolean weft_value_get_boolean (const WeftValue *value, gboolean *result); /* true/false, yes/no, on/off */

/**
 * weft_document_parse:
 * @text: UTF-8 YAML, @length bytes
 * @name: file name for marks
 *
 * One YAML document. Anchors, aliases and `<<` work; duplicate keys, tabs, several documents, non-UTF-8 and non-scalar keys are
 * problems. Nesting and alias expansion are bounded.
 *
 * Returns: (transfer full) (nullable): the root value, %NULL if there were syntax errors
 */
WeftValue *weft_document_parse (const char *text, gssize length, const char *name, WeftProblems *problems);

/* The same from a file (at most 16 MiB); "-" is standard input. */
WeftValue *weft_document_load (const char *path, WeftProblems *problems);

/* Writes a value as YAML that parses to the same value; maps in block style, short maps of scalars inline. */
char *weft_document_print (const WeftValue *value);

/* The value at a dotted path ("graphs.train.nodes.loss.scale"); (transfer none) (nullable). */
WeftValue *weft_value_at (const WeftValue *root, const char *path);

G_END_DECLS
