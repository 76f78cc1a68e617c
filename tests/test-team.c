/* The team: every tile once, on several threads, awake or asleep.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "flushing.h"
#include "team.h"

#define MOST 8
#define MOST_TILES 1000

typedef struct
{
  WeftTeam *team;
  gint count[MOST_TILES]; /* atomic */
  gint wrong;             /* atomic: members that there are not */
  gint inside[MOST];      /* atomic: calls that a member is in */
  gint together;          /* atomic */
} Work;

static void
count_tile (gpointer data, gint64 index, guint member)
{
  Work *work = data;
  if (member >= weft_team_members (work->team) || g_atomic_int_add (&work->inside[member], 1) != 0)
    g_atomic_int_inc (&work->wrong);
  g_atomic_int_inc (&work->count[index]);
  g_atomic_int_add (&work->inside[member], -1);
}

static void
run_once (Work *work, gint64 tiles)
{
  memset (work->count, 0, sizeof work->count);
  weft_team_run (work->team, tiles, count_tile, work);
  for (gint64 i = 0; i < MOST_TILES; i++)
    if (work->count[i] != (i < tiles) || work->wrong != 0)
      ck_abort_msg ("tile %d of %d was done %d times, %d members were wrong", (int) i, (int) tiles, work->count[i], work->wrong);
}

START_TEST (every_tile_is_done_once)
{
  static const gint64 tiles[] = { 0, 1, 2, 3, 7, 64, MOST_TILES };
  g_autofree Work *work = g_new0 (Work, 1);
  g_autoptr (GError) error = NULL;
  work->team = weft_team_new ((guint) _i, &error);
  ck_assert_msg (work->team != NULL, "%s", error ? error->message : "");
  ck_assert_uint_eq (weft_team_members (work->team), (guint) _i);
  for (gsize t = 0; t < G_N_ELEMENTS (tiles); t++)
    run_once (work, tiles[t]);
  /* Jobs that follow each other at once, and jobs that find the team asleep. */
  for (guint i = 0; i < 2000; i++)
    run_once (work, i % 5);
  for (guint i = 0; i < 5; i++)
    {
      g_usleep (3000);
      run_once (work, 9);
    }
  weft_team_free (work->team);
}
END_TEST

typedef struct
{
  gint64 indices[8];
  guint members[8], n;
} Dealt;

static void
note_tile (gpointer data, gint64 index, guint member)
{
  Dealt *dealt = data;
  dealt->indices[dealt->n] = index;
  dealt->members[dealt->n++] = member;
}

START_TEST (dealt_teams_take_the_last_tile_first)
{
  WeftTeam *team = weft_team_new_dealt (3);
  Dealt dealt = { .n = 0 };
  weft_team_run (team, 5, note_tile, &dealt);
  ck_assert_uint_eq (dealt.n, 5);
  for (guint i = 0; i < 5; i++)
    {
      ck_assert_int_eq (dealt.indices[i], 4 - i);
      ck_assert_uint_eq (dealt.members[i], i % 3);
    }
  weft_team_free (team);
}
END_TEST

/* Waits for all members to be in a tile at once, as they can only be if each has a thread of its own. */
static void
meet (gpointer data, gint64 index G_GNUC_UNUSED, guint member G_GNUC_UNUSED)
{
  Work *work = data;
  gint64 deadline = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  g_atomic_int_inc (&work->together);
  while (g_atomic_int_get (&work->together) < (gint) weft_team_members (work->team))
    {
      if (g_get_monotonic_time () > deadline)
        return;
      g_usleep (100);
    }
  g_atomic_int_inc (&work->count[0]);
}

START_TEST (members_work_at_the_same_time)
{
  g_autofree Work *work = g_new0 (Work, 1);
  work->team = weft_team_new (4, NULL);
  ck_assert_ptr_nonnull (work->team);
  weft_team_run (work->team, 4, meet, work);
  ck_assert_int_eq (work->count[0], 4);
  weft_team_free (work->team);
}
END_TEST

static void
run_inside (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  Work *work = data, *inner = g_new0 (Work, 1);
  inner->team = work->team;
  weft_team_run (work->team, 20, count_tile, inner);
  for (guint i = 0; i < 20; i++)
    if (inner->count[i] == 1)
      g_atomic_int_inc (&work->count[index]);
  g_free (inner);
}

START_TEST (jobs_within_jobs_are_done)
{
  g_autofree Work *work = g_new0 (Work, 1);
  work->team = weft_team_new (3, NULL);
  ck_assert_ptr_nonnull (work->team);
  weft_team_run (work->team, 12, run_inside, work);
  for (guint i = 0; i < 12; i++)
    ck_assert_int_eq (work->count[i], 20);
  run_once (work, 5);
  weft_team_free (work->team);
}
END_TEST

static void
meet_and_halve (gpointer data, gint64 index, guint member)
{
  Work *work = data;
  meet (data, index, member);
  g_atomic_int_set (&work->count[1 + index], half_of_least_normal () == 0.0f);
}

START_TEST (denormal_numbers_are_zero_for_every_member_and_only_there)
{
  if (!denormals_can_be_flushed ())
    return;
  for (guint size = 1; size <= 3; size++)
    {
      g_autofree Work *work = g_new0 (Work, 1);
      work->team = weft_team_new (size, NULL);
      ck_assert (half_of_least_normal () > 0.0f);
      weft_team_run (work->team, size, meet_and_halve, work);
      ck_assert (half_of_least_normal () > 0.0f);
      for (guint i = 0; i < size; i++)
        ck_assert_int_eq (work->count[1 + i], 1);
      weft_team_free (work->team);
    }
}
END_TEST

START_TEST (teams_are_as_large_as_the_machine)
{
  WeftTeam *team = weft_team_new (0, NULL);
  ck_assert_ptr_nonnull (team);
  ck_assert_uint_ge (weft_team_members (team), 1);
  ck_assert_uint_le (weft_team_members (team), g_get_num_processors ());
  ck_assert_uint_ge (weft_team_largest (), weft_team_members (team));
  weft_team_free (team);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("team");
  TCase *tests = tcase_create ("team");
  tcase_set_timeout (tests, 60);
  tcase_add_loop_test (tests, every_tile_is_done_once, 1, MOST + 1);
  tcase_add_test (tests, dealt_teams_take_the_last_tile_first);
  tcase_add_test (tests, members_work_at_the_same_time);
  tcase_add_test (tests, jobs_within_jobs_are_done);
  tcase_add_test (tests, denormal_numbers_are_zero_for_every_member_and_only_there);
  tcase_add_test (tests, teams_are_as_large_as_the_machine);
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
