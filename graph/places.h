/* Where the files are that come with the library.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

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

G_END_DECLS
