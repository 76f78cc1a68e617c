/* CLIP's cleaning and cutting of captions.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * clean_caption:
 * @text: valid UTF-8, @length bytes
 * @characters: (element-type gunichar): replaced by the caption's characters in lower case
 */
void clean_caption (const char *text, gsize length, GArray *characters);

/* Finds the next word at or after @from; white space is between words. Returns: FALSE at the end. */
gboolean clean_next_word (const GArray *characters, guint from, guint *start, guint *end);

G_END_DECLS
