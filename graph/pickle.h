/* Python pickles as data: reads the few operations that saved tensors need and refuses every other by name. Nothing in a file is ever
 * executed: a global is a name, a call is a record of what was to be called with what.
 *
 * Format: the comments of Python's pickletools.py; protocols 2 to 5.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  WEFT_PICKLE_NONE,
  WEFT_PICKLE_BOOLEAN,
  WEFT_PICKLE_INTEGER,
  WEFT_PICKLE_LONG, /* an integer beyond 64 bits: its little-endian bytes */
  WEFT_PICKLE_NUMBER,
  WEFT_PICKLE_TEXT,
  WEFT_PICKLE_BYTES,
  WEFT_PICKLE_LIST,
  WEFT_PICKLE_TUPLE,
  WEFT_PICKLE_DICTIONARY, /* items: key, value, key, value, … */
  WEFT_PICKLE_GLOBAL,     /* text: "module.name" */
  WEFT_PICKLE_CALL,       /* items: what was to be called, its arguments */
  WEFT_PICKLE_PERSISTENT  /* items: the identifier */
} WeftPickleKind;

/**
 * WeftPickled:
 * @offset: byte of the file at which the value came about, for messages
 *
 * A value. Values may be shared and, in a hostile file, contain themselves: who walks through them bounds the depth and the number of steps.
 */
typedef struct
{
  WeftPickleKind kind;
  guint64 offset;
  gint64 integer; /* also a boolean */
  double number;
  char *text; /* zero-terminated; of bytes and longs, length counts */
  gsize length;
  GPtrArray *items;
} WeftPickled;

typedef struct _WeftPickle WeftPickle;

/**
 * weft_pickle_read:
 * @data: the file's bytes from @offset on
 * @offset: where @data stands in the file, for messages
 * @used: (out) (optional): bytes of @data that the pickle takes
 * @globals: (array zero-terminated=1): names that may occur
 * @path: for messages
 *
 * Memory is bounded, whatever the bytes.
 */
WeftPickle *weft_pickle_read (const guint8 *data, gsize length, guint64 offset, gsize *used, const char *const *globals, const char *path,
                              GError **error);
const WeftPickled *weft_pickle_root (const WeftPickle *pickle);
/* (element-type WeftPickled): all values, in the order in which they came about. */
const GPtrArray *weft_pickle_values (const WeftPickle *pickle);
void weft_pickle_free (WeftPickle *pickle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPickle, weft_pickle_free)

/* Item @index of a list, tuple, call or persistent identifier if it is of @kind, else %NULL. */
const WeftPickled *weft_pickled_item (const WeftPickled *value, guint index, WeftPickleKind kind);
/* Whether @value is the call of the global @name. */
gboolean weft_pickled_calls (const WeftPickled *value, const char *name);

G_END_DECLS
