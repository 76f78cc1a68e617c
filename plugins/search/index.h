/* An index: a folder with the embeddings of one or several kinds of items, what they are called, and how queries are encoded.
 *
 * index.json    {"version": 1, "run": …, "settings": […], "sides": {SIDE: {"rows": n, "width": e, "scan": …, "text": …}}}
 * SIDE.npy      float32 [n, e]: plain, for other programs too
 * SIDE-float16.npy, or SIDE-int8.npy with SIDE-scales.npy (float32 [n]): what is scanned, unless it is SIDE.npy itself
 * SIDE-errors.npy  float32 [n]: bounds the length of what the scanned row lacks of the exact one, rounding in the scan included
 * SIDE.txt      what the items are called, or the items themselves where they are text, one a line
 * pictures/     pictures of the first side that is not text, by number of row
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/lines.h>
#include <weft/tensor.h>

G_BEGIN_DECLS

#define INDEX_VERSION 1

typedef enum
{
  SCAN_FLOAT32,
  SCAN_FLOAT16,
  SCAN_INT8,
} Scan;

extern const char *const scan_names[]; /* "float32", …; NULL-terminated */

/* A `.npy` file mapped into memory. */
typedef struct
{
  GMappedFile *file;
  gconstpointer data;
} Mapped;

/**
 * Side: one kind of items
 * @text: whether the items are text
 * @exact: float32 [rows, width]
 * @scanned: [rows, width] of type @scan; @scales: of int8
 */
typedef struct
{
  char *name;
  gint64 rows, width;
  gboolean text;
  Scan scan;
  Mapped exact, scanned, scales, errors;
  WeftLines *names; /* (nullable) */
} Side;

typedef struct
{
  char *path, *run;
  char **settings;
  GPtrArray *sides; /* (element-type Side) */
} Index;

/* Opens and checks all files; nothing outside of the folder is read. */
Index *index_open (const char *path, GError **error);
void index_free (Index *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Index, index_free)
const Side *index_side (const Index *index, const char *name); /* (nullable) */
const Side *index_first (const Index *index, gboolean text);   /* (nullable): the first side whose items are text, or are not */
const char *side_item (const Side *side, gint64 row);          /* (nullable) */
/* The file of a picture, to be freed; NULL if row @row has none. */
char *index_picture (const Index *index, gint64 row);
/* The media type of a file that is taken for a picture, by its ending; (nullable). */
const char *picture_type (const char *path);

G_END_DECLS
