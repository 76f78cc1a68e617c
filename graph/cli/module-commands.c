/* Subcommands that modules bring: found by name when no built-in command has it.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* Calls @visit for each command until it returns %TRUE, and returns that command. */
static const WeftModuleCommand *
find (gboolean (*visit) (const WeftModuleCommand *command, gpointer data), gpointer data)
{
  const GPtrArray *modules = weft_registry_modules ();
  for (guint i = 0; i < modules->len; i++)
    {
      const WeftModule *module = ((const WeftLoaded *) modules->pdata[i])->module;
      for (const WeftModuleCommand *command = module ? module->commands : NULL; command && command->name; command++)
        if (visit (command, data))
          return command;
    }
  return NULL;
}

static gboolean
has_name (const WeftModuleCommand *command, gpointer name)
{
  return strcmp (command->name, name) == 0;
}

static gboolean
print_line (const WeftModuleCommand *command, gpointer to)
{
  fprintf (to, "  %-14s %s\n", command->name, command->summary);
  return FALSE;
}

static gboolean
print_name (const WeftModuleCommand *command, gpointer data G_GNUC_UNUSED)
{
  puts (command->name);
  return FALSE;
}

/* The value of --plugin-path, which decides where commands come from before options are parsed. */
static const char *
plugin_path (int argc, char **argv)
{
  static const char option[] = "--plugin-path";
  for (int i = 1; i < argc; i++)
    if (g_str_has_prefix (argv[i], option))
      return argv[i][strlen (option)] == '=' ? argv[i] + sizeof option : i + 1 < argc ? argv[i + 1] : NULL;
  return NULL;
}

const WeftModuleCommand *
weft_cli_find_module_command (int argc, char **argv)
{
  weft_registry_load (plugin_path (argc, argv));
  return find (has_name, argv[0]);
}

int
weft_cli_run_module_command (const WeftModuleCommand *command, int argc, char **argv)
{
  WeftCommonOptions common;
  int status = 0;
  if (!weft_cli_parse_module_options (&argc, &argv, command->arguments, command->description, command->options, &common, &status))
    return status;
  g_auto (GStrv) settings = weft_cli_settings (&common);
  const WeftCommandCall call = { .size = sizeof (WeftCommandCall),
                                 .n = argc - 1,
                                 .arguments = argv + 1,
                                 .settings = (const char *const *) settings,
                                 .output = common.output,
                                 .threads = (guint) MAX (common.threads, 0),
                                 .quiet = common.quiet };
  status = command->run (&call);
  weft_cli_options_clear (&common);
  return status;
}

/* Listing comes with the usage, which has to appear whatever modules do. */
static int
print_all (gpointer to)
{
  find (print_line, to);
  fflush (to);
  return 0;
}

static int
list_all (gpointer data G_GNUC_UNUSED)
{
  find (print_name, NULL);
  fflush (stdout);
  return 0;
}

void
weft_cli_print_module_commands (FILE *to)
{
  fflush (to);
  weft_cli_apart (NULL, print_all, to);
}

void
weft_cli_list_module_commands (void)
{
  fflush (stdout);
  weft_cli_apart (NULL, list_all, NULL);
}
