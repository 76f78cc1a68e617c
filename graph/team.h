/* One persistent team of threads that works on the tiles of one node at a time.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WeftTeam WeftTeam;

/**
 * weft_team_new:
 * @size: threads including the caller's; 0: as many as this process may run on
 *
 * Returns: (transfer full) (nullable): the team; if threads can't be started, a smaller one is an error
 */
WeftTeam *weft_team_new (guint size, GError **error);
/**
 * weft_team_new_dealt:
 *
 * A team without threads, for tests: the caller plays all @size members and takes the last tile first. Results that depend on which tile
 * comes first, or on who works on it, differ from those of a team of one, every time.
 *
 * Returns: (transfer full)
 */
WeftTeam *weft_team_new_dealt (guint size);
void weft_team_free (WeftTeam *team);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftTeam, weft_team_free)
/* The most members that a team can have here: what is planned for before a team is known. */
guint weft_team_largest (void);
guint weft_team_members (const WeftTeam *team);
gboolean weft_team_is_dealt (const WeftTeam *team);

/**
 * weft_team_run:
 *
 * Calls @tile for every index below @tiles, from any member (the caller is member 0), and returns when all are done. Members wait by
 * a bounded spin and then sleep. Calls from within a tile run serially.
 */
void weft_team_run (WeftTeam *team, gint64 tiles, void (*tile) (gpointer data, gint64 index, guint member), gpointer data);

G_END_DECLS
