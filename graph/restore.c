/* Going on from the newest checkpoint of a run directory that can be trusted.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "restore.h"

#include <glib/gstdio.h>

#include "checkpoint.h"

static gboolean
load (WeftStore *store, WeftPosition *position, const char *path, GError **error)
{
  g_autoptr (GHashTable) metadata = NULL;
  if (!weft_checkpoint_load (store, path, &metadata, error))
    return FALSE;
  if (weft_position_read (position, metadata, error))
    return TRUE;
  g_prefix_error (error, "%s: ", path);
  return FALSE;
}

/* Under another name it is neither found as a checkpoint nor removed as an old one. Returns: what to say of it. */
static char *
put_aside (const char *path)
{
  g_autofree char *name = g_strconcat (path, ".damaged", NULL);
  return g_rename (path, name) == 0 ? g_strdup_printf (" (now %s)", name) : g_strdup ("");
}

gboolean
weft_restore (const WeftDirectory *directory, WeftStore *store, WeftPosition *position, WeftProgress *progress, gboolean *found,
              GError **error)
{
  g_autoptr (GArray) steps = weft_directory_checkpoints (directory);
  *found = FALSE;
  for (guint i = 0; i < steps->len; i++)
    {
      g_autofree char *path = weft_directory_checkpoint (directory, g_array_index (steps, guint64, i));
      g_autoptr (GError) failure = NULL;
      if (load (store, position, path, &failure))
        {
          *found = TRUE;
          return TRUE;
        }
      gboolean damaged = weft_checkpoint_is_damaged (path);
      if (i + 1 == steps->len || (!damaged && failure->code != WEFT_ERROR_SYSTEM))
        {
          g_propagate_prefixed_error (error, g_steal_pointer (&failure), "%s can't go on: %s", weft_directory_path (directory),
                                      i + 1 == steps->len && i > 0 ? "none of its checkpoints can be used; the oldest: " : "");
          return FALSE;
        }
      g_autofree char *where = damaged ? put_aside (path) : g_strdup ("");
      if (progress)
        weft_progress_line (progress, "warning: %s%s; the one before it is taken", failure->message, where);
    }
  return TRUE;
}
