/* What the files that read the `run:` section share.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "recipe.h"

G_BEGIN_DECLS

typedef struct
{
  WeftRecipe *recipe;
  WeftPipeline *pipeline;
  WeftProblems *problems;
} WeftRecipeReader;

/* Keys of @map that are not among @keys are problems. */
void weft_recipe_check_keys (WeftRecipeReader *reader, const WeftValue *map, const char *what, const char *const *keys);
/* A map below @parent, or %NULL if it is absent or something else, which is a problem; @keys (nullable): all that it may have. */
WeftValue *weft_recipe_read_map (WeftRecipeReader *reader, const WeftValue *parent, const char *key, const char *const *keys);
/* @result stays as it is where @map (nullable) has no @key. */
void weft_recipe_read_integer (WeftRecipeReader *reader, const WeftValue *map, const char *key, gint64 minimum, gint64 *result);
void weft_recipe_read_number (WeftRecipeReader *reader, const WeftValue *map, const char *key, double minimum, double *result);
/* A scalar's text, to be freed, or %NULL; @mark is where it stands. */
char *weft_recipe_read_text (WeftRecipeReader *reader, const WeftValue *map, const char *key, WeftMark *mark);
/* A map of names to references, or a list of references, which are their own names, as an array of WeftNamed. */
GArray *weft_recipe_read_named (WeftRecipeReader *reader, const WeftValue *parent, const char *key);
/* Marks the value of @graph at @reference as read and kept; %NULL, and a problem, if there is none. */
WeftWire *weft_recipe_keep_wire (WeftRecipeReader *reader, WeftGraph *graph, const char *reference, WeftMark mark);
/* The same for a single number. */
void weft_recipe_keep_scalar (WeftRecipeReader *reader, WeftGraph *graph, const char *reference, WeftMark mark);

/* recipe-log.c; @train (nullable): the graph that is trained */
void weft_recipe_read_log (WeftRecipeReader *reader, WeftGraph *train);
void weft_recipe_read_watch (WeftRecipeReader *reader, WeftGraph *train);

G_END_DECLS
