/* Operators by name, and the modules that bring them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

/* What was found where, and why anything was refused. */
typedef struct
{
  char *path;
  const WeftModule *module; /* NULL when refused */
  char *refused;
} WeftLoaded;

/**
 * weft_registry_load:
 * @paths: (nullable): directories (or module files) of `--plugin-path`, colon-separated
 *
 * Loads modules from @paths, WEFT_PLUGIN_PATH, the user's data directory and the installation; in a build tree, from where the library
 * was built. Core operators (feed, sum, gradients) are always there. Safe to call again; modules are never unloaded.
 */
void weft_registry_load (const char *paths);
const WeftOperator *weft_registry_find (const char *name);          /* (nullable) */
const WeftModule *weft_registry_module_of (const WeftOperator *op); /* (nullable): NULL for core operators */
const WeftOperator *const *weft_registry_operators (guint *n);      /* sorted by name */
const char *const *weft_registry_names (void);                      /* sorted, for suggestions */
const GPtrArray *weft_registry_modules (void);                      /* (element-type WeftLoaded) */
/**
 * weft_registry_refuse:
 *
 * Notes the module at @path as refused for @reason instead of loading it: for what is known to crash.
 */
void weft_registry_refuse (const char *path, const char *reason);
/* @watch is told of each module file before it is loaded. */
void weft_registry_watch (void (*watch) (const char *path));
/* Registers operators linked into the program, for tests. */
gboolean weft_registry_add (const WeftOperator *op, GError **error);

G_END_DECLS
