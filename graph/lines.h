/* Text files of one entry a line: captions, ids, vocabularies.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WeftLines WeftLines;

/**
 * weft_lines_read:
 * @allow_empty: whether empty lines are entries; otherwise they are an error
 *
 * Reads a whole regular file. LF or CRLF, with or without a last newline, a byte-order mark is skipped. Invalid UTF-8, NUL, and lines over
 * 1 MiB are errors that name the line.
 */
WeftLines *weft_lines_read (const char *path, gboolean allow_empty, GError **error);
void weft_lines_free (WeftLines *lines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftLines, weft_lines_free)
guint weft_lines_count (const WeftLines *lines);
/* NUL-terminated; @length may be NULL. */
const char *weft_lines_get (const WeftLines *lines, guint index, gsize *length);

typedef struct _WeftLineFile WeftLineFile;

/**
 * WeftLineVisitor:
 * @line: number of the line, from 1
 * @text: NUL-terminated, valid until the call returns
 *
 * Returns: whether to go on; %FALSE with @error set
 */
typedef gboolean (*WeftLineVisitor) (guint line, const char *text, gsize length, gpointer data, GError **error);

/**
 * weft_line_file_open:
 * @visit: (nullable): is shown every line
 *
 * As weft_lines_read(), but lines stay in the file, so that memory hardly grows with it: a place is remembered for every few of them. Since
 * 1.4.
 */
WeftLineFile *weft_line_file_open (const char *path, gboolean allow_empty, WeftLineVisitor visit, gpointer data, GError **error);
void weft_line_file_close (WeftLineFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftLineFile, weft_line_file_close)
guint weft_line_file_count (const WeftLineFile *file);

/**
 * weft_line_file_read:
 * @line: is set to the line; its memory is also used for what is read around it
 *
 * May be called by several threads, each with its own @line. A file that has been changed meanwhile is an error, or gives what now stands
 * there if that is a line.
 */
gboolean weft_line_file_read (const WeftLineFile *file, guint index, GString *line, GError **error);

G_END_DECLS
