/* Work that is shared out among threads of its own, apart from the executor's team, which computes at the same time.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Calls @task once for each of @n indices, from up to @threads threads (0: one for each processor), and returns when all are done. */
void crew_run (guint threads, guint n, void (*task) (gpointer data, guint index), gpointer data);

G_END_DECLS
