/* A file's bytes, read on demand and checked: a file that shrinks while it is in use is an error, not a signal.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WeftBytes WeftBytes;

/* Opens a regular file. */
WeftBytes *weft_bytes_open (const char *path, GError **error);
void weft_bytes_close (WeftBytes *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftBytes, weft_bytes_close)
const char *weft_bytes_path (const WeftBytes *file);
guint64 weft_bytes_length (const WeftBytes *file);
/* Reads all of @length bytes from @offset. */
/* Says that @length bytes from @offset are read soon. */
void weft_bytes_expect (const WeftBytes *file, guint64 offset, guint64 length);
gboolean weft_bytes_read (const WeftBytes *file, guint64 offset, gpointer data, guint64 length, GError **error);

G_END_DECLS
