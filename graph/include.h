/* Where included files are, and where they may be.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "problems.h"

G_BEGIN_DECLS

/**
 * WeftIncludes:
 * @search: (nullable) (array zero-terminated=1): folders where includes are looked for after the including file's own
 * @roots: (element-type utf8): real paths of the folders that included files may lie in, beside those of @search
 */
typedef struct
{
  const char *const *search;
  GPtrArray *roots;
} WeftIncludes;

void weft_includes_init (WeftIncludes *includes, const char *const *search);
void weft_includes_clear (WeftIncludes *includes);
/* Lets includes lie in the folder of @path, a file that the user named. */
void weft_includes_allow (WeftIncludes *includes, const char *path);

/**
 * weft_includes_find:
 * @name: as it was written
 * @from: the file that includes it
 *
 * Looks beside @from and then in the searched folders. What lies outside of all allowed folders, by its real path, is a problem: whoever runs
 * a pipeline of somebody else names one file and means no others.
 *
 * Returns: (transfer full) (nullable): its path; %NULL if reported
 */
char *weft_includes_find (const WeftIncludes *includes, const char *name, const char *from, WeftMark mark, WeftProblems *problems);

G_END_DECLS
