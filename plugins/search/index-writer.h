/* Writing an index, side by side and row by row.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "index.h"

G_BEGIN_DECLS

typedef struct _IndexWriter IndexWriter;

/* Begins an index in the folder @path, which may exist; what it held is no index any more. */
IndexWriter *index_writer_open (const char *path, const char *run, const char *const *settings, Scan scan, GError **error);
/* Without index_writer_finish() nothing that could be opened is left. */
void index_writer_free (IndexWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IndexWriter, index_writer_free)

gboolean index_writer_begin_side (IndexWriter *writer, const char *name, gboolean text, GError **error);
/* @rows: float32 [n, width] */
gboolean index_writer_append (IndexWriter *writer, const float *rows, gint64 n, gint64 width, GError **error);
/* What the next item is called, @length bytes; white space that would end a line becomes a space. */
void index_writer_append_item (IndexWriter *writer, const char *item, gsize length);
gboolean index_writer_end_side (IndexWriter *writer, GError **error);
/* Rows written to the present side, or the last. */
gint64 index_writer_rows (const IndexWriter *writer);
/* Puts a picture into the index, as that of row @row: the file itself where the file system can link it, else a copy. */
gboolean index_writer_add_picture (IndexWriter *writer, gint64 row, const char *path, GError **error);
gboolean index_writer_finish (IndexWriter *writer, GError **error);

G_END_DECLS
