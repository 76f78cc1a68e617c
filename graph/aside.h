/* Files that appear whole or not at all: written aside, synced, renamed.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * WeftAside:
 * @file: descriptor to write to
 *
 * A file being written next to where it will be. Until weft_aside_commit() succeeds, whatever stood at the path stays there.
 */
typedef struct
{
  int file;
  char *path;
  char *temporary;
} WeftAside;

/* Creates the temporary file in the directory of @path. */
gboolean weft_aside_open (WeftAside *aside, const char *path, GError **error);
/* Writes all @length bytes at the current position. */
gboolean weft_aside_write (WeftAside *aside, gconstpointer data, gsize length, GError **error);
/* Writes all @length bytes at @offset, wherever the current position is. */
gboolean weft_aside_write_at (WeftAside *aside, guint64 offset, gconstpointer data, gsize length, GError **error);
/* Syncs the file, renames it to its path and syncs the directory. @aside is finished afterwards, whatever is returned. */
gboolean weft_aside_commit (WeftAside *aside, GError **error);
/* Removes the temporary file. Does nothing after weft_aside_commit(). */
void weft_aside_abandon (WeftAside *aside);

G_END_DECLS
