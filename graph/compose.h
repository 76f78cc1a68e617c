/* Documents to one composed document: includes, overlays, settings, variables.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "document.h"

G_BEGIN_DECLS

/**
 * WeftComposition:
 * @path: the pipeline file
 * @overlays: (nullable) (array zero-terminated=1): names of the pipeline's own `ablations`, overlay files, or names of files in a folder
 *   `ablations` or `looks` beside the pipeline or in @search, applied in order
 * @settings: (nullable) (array zero-terminated=1): `path=value` of the command line, values in YAML; a bare name is a variable
 * @search: (nullable) (array zero-terminated=1): directories where includes are looked for after the including file's own
 *
 * Included files must lie in the folder of @path, in that of an overlay file, or in @search, or in folders below these.
 */
typedef struct
{
  const char *path;
  const char *const *overlays;
  const char *const *settings;
  const char *const *search;
} WeftComposition;

/**
 * weft_compose:
 *
 * Merge rule: included files first, in order; the document; overlays; settings. Maps merge, scalars and lists replace, `null` removes;
 * lists of `edits:` are appended. A setting whose path begins with a graph or a network is an edit that comes last.
 * `vars` are then resolved ("${env:NAME:-default}", `$name` and `${name}` in any scalar outside `modules`, where names are the module's
 * own attributes and stay as they are) and the document is checked against the language: unknown sections and keys of sections.
 *
 * A file that is included several times counts once, the first time. `null` that finds nothing to remove is a problem, except among
 * variables and module attributes.
 *
 * Returns: (transfer full) (nullable): the composed document with all marks kept; %NULL if it isn't fit to be built. With problems that
 *   leave it fit (an unknown key) it is returned, so that building can find what else is wrong: look at @problems
 */
WeftValue *weft_compose (const WeftComposition *composition, WeftProblems *problems);

/* The same; @layers (element-type WeftValue) gets what was merged, oldest first, each as its file, overlay or setting has it. */
WeftValue *weft_compose_layers (const WeftComposition *composition, GPtrArray *layers, WeftProblems *problems);

/* The file that overlay @name means: itself, or one of a folder `ablations` or `looks`; (nullable), to be freed. */
char *weft_compose_find_overlay (const WeftComposition *composition, const char *name);

/* Later wins: merges @over into a copy of @base. */
WeftValue *weft_value_merge (WeftValue *base, WeftValue *over);

/**
 * weft_substitute:
 * @names: a map of scalars (and whole values: a scalar that consists of one `$name` takes the value as it is)
 *
 * An entry whose variable is null is left out.
 *
 * Returns: (transfer full): @value with variables replaced; unknown ones are problems, with the nearest name
 */
WeftValue *weft_substitute (WeftValue *value, const WeftValue *names, const char *what, WeftProblems *problems);

G_END_DECLS
