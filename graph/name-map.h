/* Name maps: how the names of somebody else's file become those of a network. The format is described in weights.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "document.h"

G_BEGIN_DECLS

typedef struct _WeftNameMap WeftNameMap;

/**
 * weft_name_map_find:
 * @name: path as written: looked for beside the document that wrote it, then among the installed pipelines
 *
 * Returns: (transfer full) (nullable): the file's path
 */
char *weft_name_map_find (const char *name, WeftMark mark);

/* Reads a name map; mistakes become problems. */
WeftNameMap *weft_name_map_load (const char *path, WeftProblems *problems);
/* The map that changes nothing. */
WeftNameMap *weft_name_map_new (void);
void weft_name_map_free (WeftNameMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftNameMap, weft_name_map_free)

/* The network's name for the file's @name; (transfer full) (nullable): %NULL if it is to be ignored. */
char *weft_name_map_apply (const WeftNameMap *map, const char *name);
/* Part of a network that the map's names belong into unless `into:` says otherwise; (nullable). */
const char *weft_name_map_into (const WeftNameMap *map);
/* `expect` and `config`; (transfer none) (nullable). */
const WeftValue *weft_name_map_expect (const WeftNameMap *map);
const WeftValue *weft_name_map_config (const WeftNameMap *map);

G_END_DECLS
