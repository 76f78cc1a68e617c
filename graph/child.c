/* Work done in a child process.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Shared by parent and child. */
typedef struct
{
  guint notes;
  gboolean finished;
  char doing[1024];
} Notes;

static Notes *shared;

void
weft_child_note (const char *format, ...)
{
  va_list arguments;

  if (!shared)
    return;
  va_start (arguments, format);
  g_vsnprintf (shared->doing, sizeof shared->doing, format, arguments);
  va_end (arguments);
  g_atomic_int_inc (&shared->notes);
}

G_GNUC_NORETURN static void
be_child (int (*work) (gpointer data), gpointer data)
{
  const struct rlimit none = { 0, 0 };
  int status;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  setrlimit (RLIMIT_CORE, &none);
  status = work (data);
  fflush (NULL);
  shared->finished = TRUE;
  _exit (status);
}

/* Returns: whether the child ended by itself. */
static gboolean
wait_for (pid_t child, const Notes *notes, double seconds, int *status)
{
  guint seen = 0;
  gint64 since = g_get_monotonic_time ();
  gulong pause = 200;

  for (;;)
    {
      guint now = (guint) g_atomic_int_get (&notes->notes);
      pid_t got = waitpid (child, status, WNOHANG);
      if (got == child || (got < 0 && errno != EINTR))
        return TRUE;
      if (shared)
        g_atomic_int_inc (&shared->notes); /* a child that waits for its own child is alive */
      if (now != seen)
        since = g_get_monotonic_time ();
      seen = now;
      if ((double) (g_get_monotonic_time () - since) > seconds * 1e6)
        break;
      g_usleep (pause);
      pause = MIN (pause + pause / 4, 10000);
    }
  kill (child, SIGKILL);
  waitpid (child, status, 0);
  return FALSE;
}

static char *
describe_end (gboolean by_itself, int status, double seconds)
{
  if (!by_itself)
    return g_strdup_printf ("was not done after %g seconds and was stopped", seconds);
  if (WIFSIGNALED (status))
    return g_strdup_printf ("crashed: %s", strsignal (WTERMSIG (status)));
  return g_strdup_printf ("ended the whole process with exit status %d", WEXITSTATUS (status));
}

void
weft_child_run (int (*work) (gpointer data), gpointer data, double seconds, WeftChildEnd *end)
{
  Notes *outer = shared;
  Notes *notes = mmap (NULL, sizeof (Notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t child = -1;
  int status = 0;

  *end = (WeftChildEnd){ .status = 1 };
  fflush (NULL);
  if (notes != MAP_FAILED)
    {
      shared = notes;
      child = fork ();
      if (child == 0)
        be_child (work, data);
      shared = outer;
    }
  if (child < 0)
    end->reason = g_strdup_printf ("could not be started: %s", g_strerror (errno));
  else
    {
      gboolean by_itself = wait_for (child, notes, seconds, &status);
      end->finished = by_itself && notes->finished && WIFEXITED (status);
      end->stopped = !by_itself;
      end->status = end->finished ? WEXITSTATUS (status) : 1;
      end->reason = end->finished ? NULL : describe_end (by_itself, status, seconds);
      notes->doing[sizeof notes->doing - 1] = '\0';
      end->doing = g_strdup (notes->doing);
    }
  if (notes != MAP_FAILED)
    munmap (notes, sizeof (Notes));
}

void
weft_child_end_clear (WeftChildEnd *end)
{
  g_clear_pointer (&end->doing, g_free);
  g_clear_pointer (&end->reason, g_free);
}
