/* One persistent team of threads.
 *
 * A dispatch is a new generation of the job: members that spin see it within a tenth of a microsecond, members that went to sleep are
 * woken. Tiles are claimed one by one from a counter, so that a busy neighbour on one core delays the others little. Members that come
 * when all are claimed find the job closed, and nobody waits for them: a small job is done before a thread has woken up, which may need the
 * very processor of who would wait for it. Lock and conditions are POSIX ones because thread sanitizers do not see into GLib's.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "team.h"

#include "denormals.h"

#include <pthread.h>
#include <sched.h>

#include <weft/operator.h>

/* About 20 µs: longer than the gaps between the nodes of a step, shorter than a scheduler's slice. */
#define SPINS 4000
#define CLOSED (1 << 30)

typedef struct
{
  WeftTeam *team;
  guint member;
} Start;

struct _WeftTeam
{
  guint size;
  guint spins;
  gboolean dealt; /* no threads: the caller plays all members */
  GThread **threads;
  Start *starts;
  pthread_mutex_t lock;
  pthread_cond_t work, done;
  gint generation; /* atomic; changes with every job */
  gint inside;     /* atomic; members at work on the job, and whether it is closed to others */
  gint sleeping;   /* members waiting for work; under lock */
  gint leaving;    /* atomic */
  void (*tile) (gpointer data, gint64 index, guint member);
  gpointer data;
  gint64 tiles;
  gint64 next; /* atomic */
};

static _Thread_local gboolean inside_tile;

/* In turn @i of a spin. Now and then whoever waits for this processor gets it: perhaps who is waited for. */
static inline void
pause_briefly (guint i)
{
  if (i % 64 == 63)
    sched_yield ();
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#endif
}

static void
claim_tiles (WeftTeam *team, guint member)
{
  gint64 index;

  inside_tile = TRUE;
  while ((index = __atomic_fetch_add (&team->next, 1, __ATOMIC_RELAXED)) < team->tiles)
    team->tile (team->data, index, member);
  inside_tile = FALSE;
}

/* Returns the new generation once there is one. */
static gint
await_work (WeftTeam *team, gint seen)
{
  gint now;

  for (guint i = 0; i < team->spins; i++)
    {
      now = g_atomic_int_get (&team->generation);
      if (now != seen)
        return now;
      pause_briefly (i);
    }
  pthread_mutex_lock (&team->lock);
  team->sleeping++;
  while ((now = g_atomic_int_get (&team->generation)) == seen)
    pthread_cond_wait (&team->work, &team->lock);
  team->sleeping--;
  pthread_mutex_unlock (&team->lock);
  return now;
}

static gboolean
enter (WeftTeam *team)
{
  gint inside = __atomic_load_n (&team->inside, __ATOMIC_RELAXED);

  while (!(inside & CLOSED))
    if (__atomic_compare_exchange_n (&team->inside, &inside, inside + 1, FALSE, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
      return TRUE;
  return FALSE;
}

static void
leave (WeftTeam *team)
{
  if (__atomic_sub_fetch (&team->inside, 1, __ATOMIC_RELEASE) != CLOSED)
    return;
  pthread_mutex_lock (&team->lock);
  pthread_cond_signal (&team->done);
  pthread_mutex_unlock (&team->lock);
}

static gpointer
member_main (gpointer data)
{
  const Start *start = data;
  WeftTeam *team = start->team;
  gint seen = 0;

  weft_denormals_flush ();
  for (;;)
    {
      seen = await_work (team, seen);
      if (g_atomic_int_get (&team->leaving))
        return NULL;
      if (enter (team))
        {
          claim_tiles (team, start->member);
          leave (team);
        }
    }
}

static guint
allowed_processors (void)
{
  cpu_set_t set;

  return sched_getaffinity (0, sizeof set, &set) == 0 ? (guint) CPU_COUNT (&set) : g_get_num_processors ();
}

static void
publish (WeftTeam *team)
{
  pthread_mutex_lock (&team->lock);
  g_atomic_int_inc (&team->generation);
  if (team->sleeping)
    pthread_cond_broadcast (&team->work);
  pthread_mutex_unlock (&team->lock);
}

guint
weft_team_largest (void)
{
  return MAX (allowed_processors (), 16);
}

WeftTeam *
weft_team_new (guint size, GError **error)
{
  WeftTeam *team;
  guint processors = MAX (allowed_processors (), 1);

  if (size > weft_team_largest ())
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%u threads are more than the %u that a team can have here", size,
                   weft_team_largest ());
      return NULL;
    }
  team = g_new0 (WeftTeam, 1);
  team->size = 1;
  team->inside = CLOSED;
  team->spins = size > processors ? 0 : SPINS;
  pthread_mutex_init (&team->lock, NULL);
  pthread_cond_init (&team->work, NULL);
  pthread_cond_init (&team->done, NULL);
  size = size ? size : processors;
  team->threads = g_new0 (GThread *, size);
  team->starts = g_new0 (Start, size);
  for (guint i = 1; i < size; i++)
    {
      g_autoptr (GError) cause = NULL;
      team->starts[i] = (Start){ team, i };
      team->threads[i] = g_thread_try_new ("weft-team", member_main, &team->starts[i], &cause);
      if (!team->threads[i])
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "thread %u of %u cannot be started: %s; ask for fewer with --threads", i + 1,
                       size, cause->message);
          weft_team_free (team);
          return NULL;
        }
      team->size++;
    }
  return team;
}

WeftTeam *
weft_team_new_dealt (guint size)
{
  WeftTeam *team = weft_team_new (1, NULL);

  team->dealt = TRUE;
  team->size = size;
  return team;
}

void
weft_team_free (WeftTeam *team)
{
  g_atomic_int_set (&team->leaving, TRUE);
  publish (team);
  for (guint i = 1; i < team->size && !team->dealt; i++)
    g_thread_join (team->threads[i]);
  pthread_mutex_destroy (&team->lock);
  pthread_cond_destroy (&team->work);
  pthread_cond_destroy (&team->done);
  g_free (team->threads);
  g_free (team->starts);
  g_free (team);
}

guint
weft_team_members (const WeftTeam *team)
{
  return team->size;
}

gboolean
weft_team_is_dealt (const WeftTeam *team)
{
  return team->dealt;
}

/* Waits for those who are inside, and lets nobody else in. */
static void
await_members (WeftTeam *team)
{
  __atomic_fetch_or (&team->inside, CLOSED, __ATOMIC_ACQ_REL);
  for (guint i = 0; i < team->spins; i++)
    {
      if (__atomic_load_n (&team->inside, __ATOMIC_ACQUIRE) == CLOSED)
        return;
      pause_briefly (i);
    }
  pthread_mutex_lock (&team->lock);
  while (__atomic_load_n (&team->inside, __ATOMIC_ACQUIRE) != CLOSED)
    pthread_cond_wait (&team->done, &team->lock);
  pthread_mutex_unlock (&team->lock);
}

static void
deal_tiles (const WeftTeam *team, gint64 tiles, void (*tile) (gpointer data, gint64 index, guint member), gpointer data)
{
  inside_tile = TRUE;
  for (gint64 i = 0; i < tiles; i++)
    tile (data, tiles - 1 - i, (guint) (i % team->size));
  inside_tile = FALSE;
}

static void
share_tiles (WeftTeam *team, gint64 tiles, void (*tile) (gpointer data, gint64 index, guint member), gpointer data)
{
  team->tile = tile;
  team->data = data;
  team->tiles = tiles;
  __atomic_store_n (&team->next, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&team->inside, 0, __ATOMIC_RELEASE);
  publish (team);
  claim_tiles (team, 0);
  await_members (team);
}

void
weft_team_run (WeftTeam *team, gint64 tiles, void (*tile) (gpointer data, gint64 index, guint member), gpointer data)
{
  /* Or numbers would depend on who computes them. */
  guint before = weft_denormals_flush ();

  if (tiles <= 1 || team->size == 1 || inside_tile)
    for (gint64 i = 0; i < tiles; i++)
      tile (data, i, 0);
  else if (team->dealt)
    deal_tiles (team, tiles, tile, data);
  else
    share_tiles (team, tiles, tile, data);
  weft_denormals_restore (before);
}
