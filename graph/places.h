/* Where files are: those that come with the library, and those that documents name.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "problems.h"

G_BEGIN_DECLS

/**
 * weft_places_pipelines:
 *
 * Returns: the folder of the pipelines that belong to this library: the source tree's when it runs from its build tree, else the
 *   installed one
 */
const char *weft_places_pipelines (void);
/* The same for what `weft new-operator` starts from. */
const char *weft_places_templates (void);

/**
 * weft_resolve_path:
 * @mark: where @path was written
 *
 * A relative path belongs to the folder of the document that wrote it, and one of the command line or the environment to where the command
 * runs. So does one in an installed pipeline that has no such file beside it: nobody keeps data there.
 *
 * Returns: (transfer full)
 */
char *weft_resolve_path (const char *path, WeftMark mark);

G_END_DECLS
