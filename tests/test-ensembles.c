/* Several runs at once: tables, ensembles and comparisons as the command makes them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <json-glib/json-glib.h>
#include <math.h>
#include <sys/wait.h>

#include "npy.h"
#include "rig.h"

#define IMAGES 20
#define CAPTIONS 100
#define SMALL                                                                                                                              \
  "--set hidden=8 --set queue=64 --set batch=16 --set drop_epoch=3 --set graphs.train.nodes.pairs.images=64 "                              \
  "--set graphs.images.nodes.items.images=20 --set graphs.captions.nodes.items.images=20 --set run.train.limit=8 --set epochs=1 --quiet"

static char *folder;

static int
weft (const char *arguments, char **output, char **message)
{
  g_autofree char *command = g_strdup_printf ("%s/weft %s", WEFT_TEST_BUILD_DIR, arguments), *out = NULL, *err = NULL;
  g_auto (GStrv) words = g_strsplit (command, " ", -1);
  int status = -1;
  ck_assert (g_spawn_sync (folder, words, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, NULL));
  if (output != NULL)
    *output = g_steal_pointer (&out);
  if (message != NULL)
    *message = g_steal_pointer (&err);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static char *
well (const char *arguments)
{
  g_autofree char *message = NULL;
  char *output = NULL;
  int status = weft (arguments, &output, &message);
  ck_assert_msg (status == 0, "weft %s: status %d: %s", arguments, status, message);
  return output;
}

/* Two runs of different widths, and their embeddings. */
static void
setup (void)
{
  folder = rig_folder ();
  g_free (well ("train scenes --output one --set embed=16 " SMALL));
  g_free (well ("train scenes --output two --set embed=24 --seed 3 " SMALL));
}

static void
teardown (void)
{
  rig_remove (folder);
  g_free (folder);
}

static float *
embeddings (const char *name, WeftTensor *tensor)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  float *values = weft_npy_read_f32 (path, tensor, NULL);
  ck_assert_ptr_nonnull (values);
  return values;
}

/* Adds one run's products to the matrix of similarities. */
static void
add_products (const char *run, double *similarity)
{
  G_GNUC_UNUSED g_autofree char *encode = g_strdup_printf ("encode %s --output %s-out --quiet", run, run), *output = well (encode),
                                *image_file = g_strdup_printf ("%s-out/images.npy", run),
                                *caption_file = g_strdup_printf ("%s-out/captions.npy", run);
  WeftTensor images, captions;
  g_autofree float *image = embeddings (image_file, &images), *caption = embeddings (caption_file, &captions);
  ck_assert_int_eq (images.shape[0], IMAGES);
  ck_assert_int_eq (captions.shape[0], CAPTIONS);
  gint64 e = images.shape[1];
  for (gint64 i = 0; i < IMAGES; i++)
    for (gint64 c = 0; c < CAPTIONS; c++)
      for (gint64 k = 0; k < e; k++)
        similarity[i * CAPTIONS + c] += (double) image[i * e + k] * (double) caption[c * e + k] / 2;
}

/* Share of captions, in per cent, that @k images or fewer are at least as similar to as their own, itself included. */
static double
caption_recall (const double *similarity, guint k)
{
  guint hits = 0;
  for (guint c = 0; c < CAPTIONS; c++)
    {
      guint rank = 1;
      for (guint i = 0; i < IMAGES; i++)
        rank += i != c / 5 && similarity[i * CAPTIONS + c] >= similarity[c / 5 * CAPTIONS + c];
      hits += rank <= k;
    }
  return 100.0 * hits / CAPTIONS;
}

/* The number in column @name of the line of CSV that begins with @row. */
static double
cell (const char *csv, const char *row, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (csv, "\n", -1);
  g_auto (GStrv) header = g_strsplit (lines[1], ",", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) cells = g_strsplit (*line, ",", -1);
      for (guint i = 0; cells[0] && strcmp (cells[0], row) == 0 && header[i] != NULL; i++)
        if (strcmp (header[i], name) == 0)
          return g_ascii_strtod (cells[i], NULL);
    }
  ck_abort_msg ("no %s of %s in\n%s", name, row, csv);
}

START_TEST (an_ensemble_is_the_mean_of_products)
{
  g_autofree double *both = g_new0 (double, IMAGES *CAPTIONS), *one = g_new0 (double, IMAGES *CAPTIONS);
  g_autofree char *csv = well ("evaluate one two --table csv --quiet");
  add_products ("one", both);
  memcpy (one, both, IMAGES * CAPTIONS * sizeof (double));
  add_products ("two", both);
  ck_assert_msg (g_str_has_prefix (csv, "# scenes"), "%s", csv);
  ck_assert_double_eq_tol (cell (csv, "one", "caption_r1"), caption_recall (one, 1), 1e-4);
  ck_assert_double_eq_tol (cell (csv, "ensemble of 2", "caption_r1"), caption_recall (both, 1), 1e-4);
  ck_assert_double_eq_tol (cell (csv, "ensemble of 2", "caption_r5"), caption_recall (both, 5), 1e-4);
  ck_assert_double_eq_tol (cell (csv, "ensemble of 2", "caption_r10"), caption_recall (both, 10), 1e-4);
  ck_assert_ptr_null (strstr (csv, "median"));
}
END_TEST

START_TEST (one_run_gets_a_table_too)
{
  g_autofree char *text = well ("evaluate one --table markdown --all --quiet");
  ck_assert_msg (strstr (text, "### scenes") && strstr (text, "| run") && strstr (text, "caption median"), "%s", text);
  ck_assert_ptr_null (strstr (text, "ensemble"));
}
END_TEST

START_TEST (ranks_are_compared)
{
  g_free (well ("evaluate one --ranks one.csv --quiet"));
  g_autofree char *from_file = well ("compare one.csv two --resamples 50 --seed 4 --json --quiet"),
                  *again = well ("compare one two --resamples 50 --seed 4 --json --quiet"),
                  *other = well ("compare one two --resamples 50 --seed 5 --json --quiet");
  ck_assert_str_eq (from_file, again);
  ck_assert_str_ne (from_file, other);
  g_autoptr (JsonNode) node = json_from_string (from_file, NULL);
  ck_assert_ptr_nonnull (node);
  JsonObject *measures = json_object_get_object_member (json_node_get_object (node), "measures");
  JsonObject *rsum = json_object_get_object_member (measures, "rsum");
  ck_assert (json_object_get_double_member (rsum, "low") <= json_object_get_double_member (rsum, "high"));
  g_autofree char *csv = well ("evaluate two --table csv --quiet");
  ck_assert_double_eq_tol (json_object_get_double_member (rsum, "second"), cell (csv, "two", "rsum"), 1e-3);
}
END_TEST

START_TEST (mistakes_are_told)
{
  static const struct
  {
    const char *arguments;
    int status;
    const char *message;
  } mistakes[] = {
    { "evaluate one two --table html", 2, "text, csv, markdown or latex" },
    { "evaluate one two --json", 2, "for one run" },
    { "evaluate one nowhere --quiet", 1, "nowhere" },
    { "compare one", 2, "two runs" },
    { "compare one two --confidence 2", 2, "between 0 and 1" },
    { "compare one nothing.csv --quiet", 1, "nothing.csv" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++)
    {
      g_autofree char *message = NULL;
      ck_assert_int_eq (weft (mistakes[i].arguments, NULL, &message), mistakes[i].status);
      ck_assert_msg (strstr (message, mistakes[i].message) != NULL, "%s: %s", mistakes[i].arguments, message);
    }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("ensembles");
  TCase *tests = tcase_create ("ensembles");
  tcase_add_unchecked_fixture (tests, setup, teardown);
  tcase_add_test (tests, an_ensemble_is_the_mean_of_products);
  tcase_add_test (tests, one_run_gets_a_table_too);
  tcase_add_test (tests, ranks_are_compared);
  tcase_add_test (tests, mistakes_are_told);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
