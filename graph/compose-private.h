/* Composition, between the files that do it: reading files, laying them over one another, overlays, edits of the document, settings.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "compose.h"
#include "include.h"

G_BEGIN_DECLS

/**
 * WeftComposer:
 * @includes: where included files may be
 * @open: files being read, outermost first, to find cycles
 * @done: files read; each counts once, where it is first included
 * @removed: dotted paths that `null` has removed, so that a second overlay may remove the same again
 * @left_out: (nullable): list of graphs that settings have removed, so that edits of them mean nothing
 * @layers: (nullable): what was merged, for explanations
 */
typedef struct
{
  const WeftComposition *composition;
  WeftProblems *problems;
  WeftIncludes includes;
  GPtrArray *open;
  GHashTable *done;
  GHashTable *removed;
  WeftValue *left_out;
  GPtrArray *layers;
} WeftComposer;

/* A file with what it includes. A file that was read before, for another include, adds nothing: %NULL without a problem. */
WeftValue *weft_compose_load (WeftComposer *self, const char *path, WeftMark mark);

/* Lays @over over @base, either of them (nullable); takes over both. */
WeftValue *weft_compose_merge (WeftComposer *self, WeftValue *base, WeftValue *over);
void weft_compose_note_layer (const WeftComposer *self, WeftValue *layer);
gboolean weft_compose_is_map (const WeftValue *value);

/* The document after overlays, after those of its edits that concern the document itself, after settings; each takes over @document. */
WeftValue *weft_compose_overlays (WeftComposer *self, WeftValue *document);
WeftValue *weft_compose_edits (WeftComposer *self, WeftValue *document);
WeftValue *weft_compose_settings (WeftComposer *self, WeftValue *document);

/**
 * weft_compose_nest:
 * @base: (nullable): what the document has at this place
 * @path: the rest of the dotted path; keys of @base may hold dots themselves
 * @free: whether what isn't there may be added, all along the path; otherwise only the last key may be new
 *
 * Returns: (transfer full) (nullable): a map that sets @path to @value; %NULL if reported
 */
WeftValue *weft_compose_nest (WeftComposer *self, const WeftValue *base, const char *path, WeftValue *value, const char *setting,
                              gboolean free, WeftMark mark);
/* Says that @map has no @what of the name that @path begins with. */
void weft_compose_report_step (WeftComposer *self, const WeftValue *map, const char *setting, const char *path, const char *what,
                               WeftMark mark);

G_END_DECLS
