/* What is done in a child process: whatever runs the code of modules that may be broken.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "cli.h"

/* Seconds from one sign of life to the next. */
#define PATIENCE 10

#define LOADING "loading "

typedef struct
{
  const char *plugin_path;
  int (*work) (gpointer data);
  gpointer data;
} Apart;

static void
note_loading (const char *path)
{
  weft_child_note (LOADING "%s", path);
}

static int
load_and_work (gpointer data)
{
  const Apart *self = data;

  weft_registry_watch (note_loading);
  weft_registry_load (self->plugin_path);
  weft_child_note ("starting");
  return self->work (self->data);
}

/* `WEFT_PATIENCE` serves tests and very slow machines. */
static double
patience (void)
{
  const char *text = g_getenv ("WEFT_PATIENCE");
  double seconds = text ? g_ascii_strtod (text, NULL) : 0;

  return seconds > 0 ? seconds : PATIENCE;
}

int
weft_cli_apart (const char *plugin_path, int (*work) (gpointer data), gpointer data)
{
  Apart self = { plugin_path, work, data };

  for (;;)
    {
      g_auto (WeftChildEnd) end = { 0 };
      weft_child_run (load_and_work, &self, patience (), &end);
      if (end.finished)
        return end.status;
      if (!end.doing || !g_str_has_prefix (end.doing, LOADING))
        {
          fprintf (stderr, "%s: %s%s%s\n", g_get_prgname (), end.doing ? end.doing : "", end.doing ? ": the process " : "the process ",
                   end.reason);
          return WEFT_EXIT_INPUT;
        }
      g_autofree char *reason = g_strdup_printf ("%s while it was loaded", end.reason);
      weft_registry_refuse (end.doing + strlen (LOADING), reason);
    }
}
