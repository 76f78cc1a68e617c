/* What the command needs of a session beyond session.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "execute.h"
#include "recipe.h"
#include "session.h"

G_BEGIN_DECLS

/* weft_session_open() with overlays, as in #WeftComposition. */
WeftSession *weft_session_open_overlaid (const char *path, const char *const *overlays, const char *const *settings, const char *phase,
                                         guint threads, GError **error);
WeftPipeline *weft_session_pipeline (WeftSession *session);
const WeftRecipe *weft_session_recipe (WeftSession *session);
WeftStore *weft_session_store (WeftSession *session);
WeftTeam *weft_session_team (WeftSession *session);

G_END_DECLS
