/* A folder of its own for each test, as a fixture: tcase_add_checked_fixture (tests, set_up, tear_down).
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "rig.h"

static char *folder;

static inline void
set_up (void)
{
  folder = rig_folder ();
}

static inline void
tear_down (void)
{
  rig_remove (folder);
  g_free (folder);
}

static inline char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}
