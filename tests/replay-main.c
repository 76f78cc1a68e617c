/* The program tests/replay.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <locale.h>

#include "registry.h"
#include "replay.h"

int
main (int argc, char **argv)
{
  g_autofree char *vocabulary = NULL, *mutation = NULL, *weights = NULL, *recording = NULL;
  gboolean bf16 = FALSE;
  g_auto (GStrv) files = NULL;
  const GOptionEntry entries[] = {
    { "vocabulary", 0, 0, G_OPTION_ARG_FILENAME, &vocabulary, "vocabulary of a .txt file", "FILE" },
    { "mutate", 0, 0, G_OPTION_ARG_STRING, &mutation, "make a deliberate mistake", "NAME" },
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &weights, "start a recorded run from a file of the release", "FILE" },
    { "recording", 0, 0, G_OPTION_ARG_FILENAME, &recording, "the run that starts from a .pth file", "FILE" },
    { "bf16", 0, 0, G_OPTION_ARG_NONE, &bf16, "compute products from bfloat16, with its tolerances", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, "FILE" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- compare with a recording");
  g_autofree char *names = g_strjoinv (", ", (char **) mutation_names ());
  g_autofree char *description = g_strdup_printf ("Mutations: %s", names);
  g_autoptr (GError) error = NULL;
  g_autoptr (Report) report = report_new ();
  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_description (context, description);
  gboolean ok = g_option_context_parse (context, &argc, &argv, &error);
  if (ok && (files == NULL || files[1] != NULL))
    {
      g_printerr ("replay: expected one file; see --help\n");
      return 2;
    }
  weft_registry_load (NULL);
  ok = ok && mutants_register (&error)
       && replay (files[0], &(ReplayOptions){ vocabulary, mutation, weights, recording, bf16 }, report, &error);
  if (!ok)
    {
      g_printerr ("replay: %s\n", error->message);
      return 2;
    }
  report_print (report);
  return report_passes (report) ? 0 : 1;
}
