/* Manual pages and lists of options.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "cli.h"

G_BEGIN_DECLS

/* Prints the page of a command. */
void weft_manual_command (const char *command, const char *arguments, const char *description, const GOptionEntry *own,
                          const GOptionEntry *common);
/* Prints the page of the whole. */
void weft_manual_overview (const WeftCommand *commands, guint n);
/* Prints long options, one a line, with `=` if they take a value. */
void weft_manual_names (const GOptionEntry *entries);

G_END_DECLS
