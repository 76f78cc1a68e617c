/* Options and steps that subcommands share.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "manual.h"
#include "open.h"
#include "pipeline.h"

/* `-j2` as `-j 2`: the number after a short option may stand right behind it. */
static char **
part_numbers (int *argc, char **argv)
{
  static GPtrArray *parted; /* read until the process ends */
  gboolean rest = FALSE;
  g_clear_pointer (&parted, g_ptr_array_unref);
  parted = g_ptr_array_new ();
  for (int i = 0; i < *argc; i++)
    {
      const char option[] = { '-', argv[i][0] ? argv[i][1] : '\0', '\0' };
      gboolean joined = !rest && argv[i][0] == '-' && g_ascii_isalpha (argv[i][1]) && g_ascii_isdigit (argv[i][2]);
      rest |= strcmp (argv[i], "--") == 0;
      if (joined)
        g_ptr_array_add (parted, (gpointer) g_intern_string (option));
      g_ptr_array_add (parted, joined ? argv[i] + 2 : argv[i]);
    }
  *argc = (int) parted->len;
  g_ptr_array_add (parted, NULL);
  return (char **) parted->pdata;
}

#define NO_SEED G_MININT64

/* Numbers that options can't take; -1 becomes of a seed that was not given. */
static const char *
wrong_number (WeftCommonOptions *common)
{
  if (common->threads < 0)
    return "--threads takes a number from 1, or 0 for all processors";
  if (common->seed == NO_SEED)
    common->seed = -1;
  else if (common->seed < 0)
    return "--seed takes a number from 0";
  return NULL;
}

/* @overlays: whether the command takes overlays; if not, -o is short for --output. */
static gboolean
parse (int *argc, char ***argv, const char *arguments, const char *description, const GOptionEntry *own, gboolean overlays,
       WeftCommonOptions *common, int *status)
{
  g_autofree char *command = g_strdup ((*argv)[0]);
  g_autofree char *program = g_strconcat ("weft ", command, NULL);
  g_autoptr (GOptionContext) context = g_option_context_new (arguments);
  g_autoptr (GError) error = NULL;
  g_autofree char *include_path = NULL;
  gboolean help = FALSE, manual = FALSE, names = FALSE;
  const GOptionEntry all[] = {
    { "overlay", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &common->overlays, "Apply an overlay: a file or one of the pipeline's ablations",
      "NAME" },
    { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &common->settings, "Set a variable or any value of the document (repeatable)", "PATH=VALUE" },
    { "plugin-path", 0, 0, G_OPTION_ARG_STRING, &common->plugin_path, "Look for modules here first", "DIR:DIR…" },
    { "include-path", 0, 0, G_OPTION_ARG_STRING, &include_path, "Pipelines may include files from here, too", "DIR:DIR…" },
    { "output", overlays ? 0 : 'o', 0, G_OPTION_ARG_FILENAME, &common->output, "Write here", "DIR" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &common->threads, "Threads (default: all processors)", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &common->seed, "Seed of all random numbers (default: the pipeline's)", "N" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &common->quiet, "Print results only", NULL },
    { "help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this help", NULL },
    { "manual", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &manual, "Print the manual page", NULL },
    { "list-options", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &names, "List options for shells", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  const GOptionEntry *entries = overlays ? all : all + 1;

  *common = (WeftCommonOptions){ .seed = NO_SEED };
  g_set_prgname (program);
  *argv = part_numbers (argc, *argv);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_summary (context, description);
  if (own)
    g_option_context_add_main_entries (context, own, NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, &error))
    {
      fprintf (stderr, "%s: %s; `%s --help` shows the options\n", program, error->message, program);
      *status = WEFT_EXIT_USAGE;
      return FALSE;
    }
  const char *wrong = wrong_number (common);
  if (wrong)
    {
      fprintf (stderr, "%s: %s\n", program, wrong);
      *status = WEFT_EXIT_USAGE;
      return FALSE;
    }
  /* Processes that this one starts mean the same. */
  if (include_path)
    g_setenv ("WEFT_INCLUDE_PATH", include_path, TRUE);
  if (manual)
    weft_manual_command (command, arguments, description, own, entries);
  if (names)
    {
      weft_manual_names (own);
      weft_manual_names (entries);
    }
  if (manual || names)
    {
      *status = 0;
      return FALSE;
    }
  if (help)
    {
      g_autofree char *text = g_option_context_get_help (context, TRUE, NULL);
      fputs (text, stdout);
      *status = 0;
      return FALSE;
    }
  return TRUE;
}

gboolean
weft_cli_parse_options (int *argc, char ***argv, const char *arguments, const char *description, const GOptionEntry *own,
                        WeftCommonOptions *common, int *status)
{
  return parse (argc, argv, arguments, description, own, TRUE, common, status);
}

gboolean
weft_cli_parse_module_options (int *argc, char ***argv, const char *arguments, const char *description, const GOptionEntry *own,
                               WeftCommonOptions *common, int *status)
{
  return parse (argc, argv, arguments, description, own, FALSE, common, status);
}

gboolean
weft_cli_parse (int *argc, char ***argv, const char *arguments, const char *description, const GOptionEntry *own, WeftCommonOptions *common,
                int *status)
{
  if (!weft_cli_parse_options (argc, argv, arguments, description, own, common, status))
    return FALSE;
  weft_registry_load (common->plugin_path);
  return TRUE;
}

void
weft_cli_options_clear (WeftCommonOptions *common)
{
  g_strfreev (common->settings);
  g_strfreev (common->overlays);
  g_free (common->plugin_path);
  g_free (common->output);
}

char **
weft_cli_settings (const WeftCommonOptions *common)
{
  GPtrArray *settings = g_ptr_array_new ();
  for (guint i = 0; common->settings && common->settings[i]; i++)
    g_ptr_array_add (settings, g_strdup (common->settings[i]));
  if (common->seed >= 0)
    g_ptr_array_add (settings, g_strdup_printf ("run.seed=%" G_GINT64_FORMAT, common->seed));
  g_ptr_array_add (settings, NULL);
  return (char **) g_ptr_array_free (settings, FALSE);
}

int
weft_cli_usage (const char *message)
{
  fprintf (stderr, "%s; `%s --help` shows more\n", message, g_get_prgname ());
  return WEFT_EXIT_USAGE;
}

WeftPipeline *
weft_cli_pipeline (const WeftCommonOptions *common, const char *path)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autofree char *file = weft_pipeline_file (path);
  g_auto (GStrv) settings = weft_cli_settings (common);
  const WeftComposition composition = { file, (const char *const *) common->overlays, (const char *const *) settings,
                                        weft_pipeline_search () };
  g_autoptr (WeftValue) document = weft_compose (&composition, problems);
  WeftPipeline *pipeline = document ? weft_pipeline_build (document, problems) : NULL;
  g_autoptr (GError) error = NULL;

  if (weft_problems_to_error (problems, &error))
    return pipeline;
  fprintf (stderr, "%s\n", error->message);
  g_clear_pointer (&pipeline, weft_pipeline_free);
  return NULL;
}
