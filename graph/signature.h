/* The signature language (doc/signatures.md), parsed.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "tensor.h"

G_BEGIN_DECLS

typedef enum
{
  WEFT_SIZE_INTEGER,
  WEFT_SIZE_LETTER,
  WEFT_SIZE_ATTRIBUTE,
  WEFT_SIZE_OPERATION,
} WeftSizeKind;

typedef struct _WeftSize WeftSize;
struct _WeftSize
{
  WeftSizeKind kind;
  gint64 integer;
  char *name; /* of a letter or attribute */
  char operation;
  WeftSize *left, *right;
};

typedef enum
{
  WEFT_DIM_ELLIPSIS,
  WEFT_DIM_SIZE,
  WEFT_DIM_RAGGED,
} WeftDimPatternKind;

/**
 * WeftDimPattern:
 * @size: the size, of the rows if ragged
 * @bound: (nullable): bound of @size, which is a letter then
 * @samples: (nullable): of a ragged dimension
 * @samples_bound: (nullable)
 */
typedef struct
{
  WeftDimPatternKind kind;
  WeftSize *size;
  WeftSize *bound;
  WeftSize *samples;
  WeftSize *samples_bound;
} WeftDimPattern;

typedef struct
{
  WeftType type;
  guint n;
  WeftDimPattern dims[WEFT_MAX_RANK + 1];
  WeftSize *below;
} WeftSignature;

/**
 * weft_signature_parse:
 *
 * Returns: (transfer full) (nullable): the signature; @error says at which character it went wrong
 */
WeftSignature *weft_signature_parse (const char *text, GError **error);
void weft_signature_free (WeftSignature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSignature, weft_signature_free)

/* Parses one size expression, as in `fan_in(2*$units)`. */
WeftSize *weft_size_parse (const char *text, GError **error);
void weft_size_free (WeftSize *size);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSize, weft_size_free)

G_END_DECLS
