/* Paired bootstrap: what it must be by hand, by its definition, and what it refuses.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "cli/bootstrap.h"
#include "folder.h"

#define UNITS 12
#define CAPTIONS 3

static WeftRanks *
read_text (const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "ranks.csv", NULL);
  rig_write (folder, "ranks.csv", text, -1);
  return weft_ranks_read (path, error);
}

static WeftRanks *
ranks_of (const char *text)
{
  g_autoptr (GError) error = NULL;
  WeftRanks *ranks = read_text (text, &error);
  ck_assert_msg (ranks != NULL, "%s", error ? error->message : "");
  return ranks;
}

static GArray *
compare (const WeftRanks *first, const WeftRanks *second, guint resamples, double confidence)
{
  g_autoptr (GError) error = NULL;
  GArray *comparisons = weft_bootstrap (first, second, resamples, 5, confidence, &error);
  ck_assert_msg (comparisons != NULL, "%s", error ? error->message : "");
  return comparisons;
}

static const WeftComparison *
find (const GArray *comparisons, const char *name)
{
  for (guint i = 0; i < comparisons->len; i++)
    if (g_str_equal (g_array_index (comparisons, WeftComparison, i).name, name))
      return &g_array_index (comparisons, WeftComparison, i);
  ck_abort_msg ("no %s", name);
}

START_TEST (equal_runs_do_not_differ)
{
  g_autoptr (WeftRanks) ranks = ranks_of ("query,index,rank,unit\nimage,0,1,0\nimage,1,6,1\ncaption,0,11,0\ncaption,1,10,1\n");
  g_autoptr (GArray) comparisons = compare (ranks, ranks, 200, 0.9);
  ck_assert_uint_eq (comparisons->len, 7);
  for (guint i = 0; i < comparisons->len; i++)
    {
      const WeftComparison *c = &g_array_index (comparisons, WeftComparison, i);
      ck_assert (c->first == c->second && c->low == 0 && c->high == 0 && c->p == 1);
    }
  ck_assert (find (comparisons, "image_r1")->first == 50 && find (comparisons, "image_r10")->first == 100);
  ck_assert (find (comparisons, "caption_r5")->first == 0 && find (comparisons, "caption_r10")->first == 50);
  ck_assert (find (comparisons, "rsum")->first == 50 + 50 + 100 + 50);
}
END_TEST

START_TEST (what_is_better_everywhere_is_no_chance)
{
  g_autoptr (WeftRanks) worse = ranks_of ("query,index,rank,unit\nimage,0,2,0\nimage,1,3,1\nimage,2,5,2\n");
  g_autoptr (WeftRanks) better = ranks_of ("query,index,rank,unit\nimage,0,1,0\nimage,1,1,1\nimage,2,1,2\n");
  g_autoptr (GArray) comparisons = compare (worse, better, 999, 0.95);
  const WeftComparison *r1 = find (comparisons, "image_r1"), *r5 = find (comparisons, "image_r5");
  ck_assert (r1->first == 0 && r1->second == 100 && r1->low == 100 && r1->high == 100);
  ck_assert_double_eq_tol (r1->p, 2.0 / 1000, 1e-12);
  ck_assert (r5->first == 100 && r5->second == 100 && r5->p == 1);
}
END_TEST

static char *
random_ranks (guint64 seed)
{
  GString *text = g_string_new ("query,index,rank,unit\n");
  WeftRandom random = weft_random_for (seed, "ranks", 0);
  for (guint i = 0; i < UNITS; i++)
    g_string_append_printf (text, "image,%u,%u,%u\n", i, 1 + weft_random_below (random, i, 14), i);
  for (guint i = 0; i < UNITS * CAPTIONS; i++)
    g_string_append_printf (text, "caption,%u,%u,%u\n", i, 1 + weft_random_below (random, 1000 + i, 14), i / CAPTIONS);
  return g_string_free (text, FALSE);
}

/* Recall at @limit of queries @from to @to, each counted as often as its unit was drawn. */
static double
recall (const WeftRanks *ranks, const guint *drawn, guint from, guint to, guint limit)
{
  double hits = 0, all = 0;
  for (guint q = from; q < to; q++)
    {
      guint times = drawn[g_array_index (ranks->unit, guint32, q)];
      all += times;
      hits += g_array_index (ranks->rank, guint32, q) <= limit ? times : 0;
    }
  return 100 * hits / all;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* Images are drawn whole, with their captions, the same for both runs; interval and p by counting. */
START_TEST (resamples_are_those_of_the_definition)
{
  enum
  {
    RESAMPLES = 400
  };
  g_autofree char *one = random_ranks (1), *two = random_ranks (2);
  g_autoptr (WeftRanks) first = ranks_of (one), second = ranks_of (two);
  g_autoptr (GArray) comparisons = compare (first, second, RESAMPLES, 0.9);
  double differences[RESAMPLES];
  guint below = 0, above = 0;
  for (guint r = 0; r < RESAMPLES; r++)
    {
      guint drawn[UNITS] = { 0 };
      for (guint u = 0; u < UNITS; u++)
        drawn[weft_random_below (weft_random_for (5, "bootstrap", r), u, UNITS)]++;
      differences[r] = recall (second, drawn, UNITS, UNITS * (1 + CAPTIONS), 5) - recall (first, drawn, UNITS, UNITS * (1 + CAPTIONS), 5);
      below += differences[r] <= 0;
      above += differences[r] >= 0;
    }
  qsort (differences, RESAMPLES, sizeof (double), compare_doubles);
  const WeftComparison *r5 = find (comparisons, "caption_r5");
  ck_assert_double_eq_tol (r5->low, differences[20], 1e-9);
  ck_assert_double_eq_tol (r5->high, differences[RESAMPLES - 1 - 20], 1e-9);
  ck_assert (r5->low < r5->high);
  ck_assert_double_eq_tol (r5->p, MIN (1, 2.0 * (1 + MIN (below, above)) / (1 + RESAMPLES)), 1e-12);
}
END_TEST

static const struct
{
  const char *text, *message;
} wrong[] = {
  { "", "ranks.csv" },
  { "query,index,rank\n", "ranks.csv:1: expected the header" },
  { "query,index,rank,unit\n", "0 queries" },
  { "query,index,rank,unit\nimage,0,0,0\n", "ranks.csv:2: \"image,0,0,0\"" },
  { "query,index,rank,unit\nimage,0,1\n", "ranks.csv:2" },
  { "query,index,rank,unit\nimage,0,1,-1\n", "ranks.csv:2" },
  { "query,index,rank,unit\nimage,0,1,2000000000\n", "1 queries of 2000000001 units" },
};

START_TEST (wrong_files_are_told)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftRanks) ranks = read_text (wrong[_i].text, &error);
  ck_assert_ptr_null (ranks);
  ck_assert_msg (strstr (error->message, wrong[_i].message) != NULL, "\"%s\" does not hold \"%s\"", error->message, wrong[_i].message);
}
END_TEST

START_TEST (other_queries_are_not_compared)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftRanks) one = ranks_of ("query,index,rank,unit\nimage,0,1,0\nimage,1,2,1\n");
  g_autoptr (WeftRanks) two = ranks_of ("query,index,rank,unit\nimage,0,1,0\ncaption,0,2,0\n");
  ck_assert_ptr_null (weft_bootstrap (one, two, 10, 0, 0.95, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "same data"));
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("bootstrap");
  TCase *tests = tcase_create ("bootstrap");
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, equal_runs_do_not_differ);
  tcase_add_test (tests, what_is_better_everywhere_is_no_chance);
  tcase_add_test (tests, resamples_are_those_of_the_definition);
  tcase_add_loop_test (tests, wrong_files_are_told, 0, G_N_ELEMENTS (wrong));
  tcase_add_test (tests, other_queries_are_not_compared);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
