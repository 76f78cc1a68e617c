/* What data files hold, as digests: whether a run still reads what it read before.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _JsonNode JsonNode;

/**
 * WeftContents:
 * @path: absolute, of a file, or of a folder of more files than are worth a line each
 * @files: of such a folder, how many files are in it; 0 for a file
 * @bytes: size, or the sum of all sizes
 * @modified: when it was last written, or the newest of its files, in seconds since 1970; no part of @digest
 * @of: what @digest is taken of, in words; two digests can be compared if this is the same
 * @digest: (nullable): SHA-256 in hexadecimal; %NULL if it can't be read
 * @problem: (nullable): why it can't be read
 *
 * Of a file of at most 16 MiB, @digest is taken of all of it, as `sha256sum` does; of a larger one, of its size and 128 blocks of 16 KiB
 * that are evenly spread from its first byte to its last; of a folder of more than 64 files, of their names and sizes and of the
 * digests of 64 of them, evenly spread in the order of names.
 */
typedef struct
{
  char *path;
  guint files;
  guint64 bytes;
  gint64 modified;
  const char *of;
  char *digest;
  char *problem;
} WeftContents;

/* (element-type WeftContents) */
GPtrArray *weft_contents_new (void);

/**
 * weft_contents_add:
 *
 * Adds a file, or the files of a folder and of the folders right below it, in the order of their names. What is not there adds nothing,
 * nor does what was added before.
 */
void weft_contents_add (GPtrArray *contents, const char *path);

/**
 * weft_contents_differences:
 *
 * Compares what was with what is. A file is known by its path, or, where data was copied elsewhere, by its name and digest.
 * What has come since is no difference: other files may lie in a folder of data.
 *
 * Returns: (transfer full) (element-type utf8): a line for each thing that is not what it was or can't be read
 */
GPtrArray *weft_contents_differences (const GPtrArray *before, const GPtrArray *now);

/* As an array for info.json, and back; what has another form is left out. */
JsonNode *weft_contents_write (const GPtrArray *contents);
GPtrArray *weft_contents_read (JsonNode *node);

G_END_DECLS
