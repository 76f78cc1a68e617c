/* Threads that take tasks until none is left.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "crew.h"

#define MOST_THREADS 64

typedef struct
{
  gint next; /* atomic */
  guint n;
  void (*task) (gpointer data, guint index);
  gpointer data;
} Crew;

static gpointer
work (gpointer data)
{
  Crew *crew = data;
  for (guint i; (i = (guint) g_atomic_int_add (&crew->next, 1)) < crew->n;)
    crew->task (crew->data, i);
  return NULL;
}

void
crew_run (guint threads, guint n, void (*task) (gpointer data, guint index), gpointer data)
{
  Crew crew = { 0, n, task, data };
  GThread *members[MOST_THREADS];
  guint wanted = MIN (MIN (threads > 0 ? threads : g_get_num_processors (), n), MOST_THREADS), started = 0;
  /* Where no more threads can be had, those that are there do it all. */
  while (started + 1 < wanted && (members[started] = g_thread_try_new ("photographs", work, &crew, NULL)) != NULL)
    started++;
  work (&crew);
  for (guint i = 0; i < started; i++)
    g_thread_join (members[i]);
}
