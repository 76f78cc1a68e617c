/* weft info: what this installation is and what it found.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "cli.h"
#include "team.h"

int
weft_cli_info (int argc, char **argv)
{
  WeftCommonOptions common;
  int status = 0;

  if (!weft_cli_parse (&argc, &argv, "", "Shows versions, processor, kernels and modules.", NULL, &common, &status))
    return status;
  weft_cli_options_clear (&common);
  printf ("weft %s, operator interface %d.%d, GLib %u.%u.%u\n", PACKAGE_VERSION, WEFT_INTERFACE_MAJOR, WEFT_INTERFACE_MINOR,
          glib_major_version, glib_minor_version, glib_micro_version);
  printf ("processors: %u\n", g_get_num_processors ());
  for (guint i = 0; i < weft_registry_modules ()->len; i++)
    {
      const WeftLoaded *loaded = weft_registry_modules ()->pdata[i];
      if (!loaded->module)
        {
          printf ("refused %s: %s\n", loaded->path, loaded->refused);
          continue;
        }
      printf ("module %s %s, %u operators: %s (%s)\n", loaded->module->name, loaded->module->version,
              (guint) (loaded->module->last - loaded->module->first), loaded->module->summary, loaded->path);
      if (loaded->module->report)
        {
          g_autofree char *report = loaded->module->report ();
          printf ("  %s\n", report);
        }
    }
  return 0;
}
