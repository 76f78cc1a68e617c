/* The module's subcommands.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdio.h>

#include <weft/operator.h>

G_BEGIN_DECLS

#define EXIT_INPUT 1 /* something in a file is wrong */
#define EXIT_USAGE 2 /* something in the command line is */

extern const GOptionEntry index_options[], search_options[], serve_options[];
int index_command (const WeftCommandCall *call);
int search_command (const WeftCommandCall *call);
int serve_command (const WeftCommandCall *call);

static inline int
command_failed (const char *command, const GError *error)
{
  fprintf (stderr, "weft %s: %s\n", command, error->message);
  return EXIT_INPUT;
}

static inline int
command_misused (const char *command, const char *what)
{
  fprintf (stderr, "weft %s: %s; `weft %s --help` shows more\n", command, what, command);
  return EXIT_USAGE;
}

G_END_DECLS
