/* Files that grow by whole records.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WeftAppend WeftAppend;

/* Opens @path, or creates it; with @exclusive it must not be there yet (%G_FILE_ERROR_EXIST in the domain of files). */
WeftAppend *weft_append_open (const char *path, gboolean exclusive, GError **error);
/* What could not be written until now is lost. */
void weft_append_close (WeftAppend *append);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftAppend, weft_append_close)

/* Cuts the file to its first @length bytes, where the next record goes. */
gboolean weft_append_cut (WeftAppend *append, gsize length, GError **error);

/**
 * weft_append_write:
 *
 * Appends one record. What can't be written now leaves no trace in the file, is kept, and is written before the next one: %FALSE says that
 * the file is behind, not that anything is lost.
 */
gboolean weft_append_write (WeftAppend *append, gconstpointer record, gsize length, GError **error);
/* Tries again to write what could not be written. */
gboolean weft_append_flush (WeftAppend *append, GError **error);

G_END_DECLS
