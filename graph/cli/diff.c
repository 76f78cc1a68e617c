/* weft diff: what one pipeline would have to be edited to become another.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "cli.h"
#include "compare.h"
#include "pipeline.h"

int
weft_cli_diff (int argc, char **argv)
{
  WeftCommonOptions common;
  g_autofree char *with = NULL;
  const GOptionEntry own[] = { { "with", 'w', 0, G_OPTION_ARG_STRING, &with, "Compare a pipeline with itself under this overlay",
                                 "OVERLAY" },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  int status = 0;
  if (!weft_cli_parse (&argc, &argv, "A [B]",
                       "Compares two pipelines or run directories as graphs: nodes added, removed, replaced, rewired, attributes changed. "
                       "Parts of networks are told once, however often they are used. --set and --overlay hold for both.\n\nExamples:\n"
                       "  weft diff user-f30k user-coco\n  weft diff runs/scenes scenes\n  weft diff scenes --with no-sge",
                       own, &common, &status))
    return status;
  if (argc != (with ? 2 : 3))
    status = weft_cli_usage ("weft diff: expected two pipelines or run directories, or one and --with OVERLAY");
  g_autoptr (WeftPipeline) a = status ? NULL : weft_cli_pipeline (&common, argv[1]);
  if (with)
    {
      guint n = common.overlays ? g_strv_length (common.overlays) : 0;
      common.overlays = g_renew (char *, common.overlays, n + 2);
      common.overlays[n] = g_strdup (with);
      common.overlays[n + 1] = NULL;
    }
  g_autoptr (WeftPipeline) b = a ? weft_cli_pipeline (&common, argv[with ? 1 : 2]) : NULL;
  if (!status && !b)
    status = WEFT_EXIT_INPUT;
  if (b)
    {
      g_autoptr (GPtrArray) changes = weft_compare (a, b);
      for (guint i = 0; i < changes->len; i++)
        {
          g_autofree char *line = weft_change_print (changes->pdata[i]);
          printf ("%s\n", line);
        }
      if (!changes->len)
        printf ("no difference\n");
    }
  weft_cli_options_clear (&common);
  return status;
}
