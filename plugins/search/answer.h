/* Queries to an index, and their answers.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <json-glib/json-glib.h>

#include "nearest.h"

G_BEGIN_DECLS

#define MOST_HITS 10000

/* Checks that @embedding fits @side, and searches. @k is cut to the side's rows. Returns: (nullable): hits, @k of them */
Hit *answer_find (const Side *side, const float *embedding, gint64 width, guint *k, guint threads, GError **error);

/* `{"query": …, "side": …, "hits": [{"row": …, "score": …, "item": …, "picture": …}, …]}`; @query: (nullable) */
char *answer_json (const Index *index, const Side *side, const char *query, const Hit *hits, guint k);

G_END_DECLS
