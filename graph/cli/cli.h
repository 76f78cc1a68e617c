/* The weft command: what its subcommands share.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdio.h>

#include "compose.h"
#include "graph.h"
#include "registry.h"

G_BEGIN_DECLS

#define WEFT_EXIT_INPUT 1 /* something in a pipeline or file is wrong */
#define WEFT_EXIT_USAGE 2 /* something in the command line is */

typedef struct
{
  const char *name;
  const char *summary;
  int (*run) (int argc, char **argv);
} WeftCommand;

/**
 * WeftCommonOptions: options of all commands that take a pipeline.
 */
typedef struct
{
  char **settings;
  char **overlays;
  char *plugin_path;
  char *output;
  int threads;
  gint64 seed;
  gboolean quiet;
} WeftCommonOptions;

/* Parses @own (may be %NULL) and the common options; on failure or `--help` leaves the exit status in @status and returns %FALSE. */
gboolean weft_cli_parse (int *argc, char ***argv, const char *arguments, const char *description, const GOptionEntry *own,
                         WeftCommonOptions *common, int *status);
/* The same without loading modules. */
gboolean weft_cli_parse_options (int *argc, char ***argv, const char *arguments, const char *description, const GOptionEntry *own,
                                 WeftCommonOptions *common, int *status);
/* The same for commands of modules, which take no overlays: -o is short for --output. */
gboolean weft_cli_parse_module_options (int *argc, char ***argv, const char *arguments, const char *description, const GOptionEntry *own,
                                        WeftCommonOptions *common, int *status);
void weft_cli_options_clear (WeftCommonOptions *common);

/* The settings of the command line, `--seed` as the one that it stands for; to be freed with g_strfreev(). */
char **weft_cli_settings (const WeftCommonOptions *common);
/* Prints @message as a mistake in usage. Returns: %WEFT_EXIT_USAGE */
int weft_cli_usage (const char *message);

/* Composes and builds the pipeline at @path; prints all problems to standard error. */
WeftPipeline *weft_cli_pipeline (const WeftCommonOptions *common, const char *path);

/**
 * weft_cli_apart:
 * @plugin_path: (nullable)
 * @work: what to do in a child process once modules are loaded there; its result is the exit status
 *
 * Modules that crash, hang or end the process while they are loaded are noted as refused, and the work is done without them.
 *
 * Returns: what @work returned, or an exit status if it did not
 */
int weft_cli_apart (const char *plugin_path, int (*work) (gpointer data), gpointer data);

/* Commands that modules bring. */
const WeftModuleCommand *weft_cli_find_module_command (int argc, char **argv); /* (nullable); loads modules */
int weft_cli_run_module_command (const WeftModuleCommand *command, int argc, char **argv);
void weft_cli_print_module_commands (FILE *to); /* a line for each, for the usage */
void weft_cli_list_module_commands (void);      /* their names, one a line */

int weft_cli_train (int argc, char **argv);
int weft_cli_evaluate (int argc, char **argv);
int weft_cli_compare (int argc, char **argv);
int weft_cli_efficiency (int argc, char **argv);
int weft_cli_encode (int argc, char **argv);
int weft_cli_check (int argc, char **argv);
int weft_cli_inspect (int argc, char **argv);
int weft_cli_complete (int argc, char **argv);
int weft_cli_new_operator (int argc, char **argv);
int weft_cli_test_operator (int argc, char **argv);
int weft_cli_graph (int argc, char **argv);
int weft_cli_ablate (int argc, char **argv);
int weft_cli_sweep (int argc, char **argv);
int weft_cli_curves (int argc, char **argv);
int weft_cli_config (int argc, char **argv);
int weft_cli_explain (int argc, char **argv);
int weft_cli_diff (int argc, char **argv);
int weft_cli_run (int argc, char **argv);
int weft_cli_profile (int argc, char **argv);
int weft_cli_format (int argc, char **argv);
int weft_cli_verify (int argc, char **argv);
int weft_cli_schema (int argc, char **argv);
int weft_cli_info (int argc, char **argv);
int weft_cli_weights (int argc, char **argv);
int weft_cli_convert (int argc, char **argv);

G_END_DECLS
