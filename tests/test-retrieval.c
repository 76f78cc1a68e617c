/* Ranks and recalls against the plain definition, similarity files and ensembles.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "folder.h"
#include "npy.h"

static const char *const figures[] = { "r1", "r5", "r10", "median", "mean" };

static WeftTensor
random_rows (const char *name, gint64 rows, gint64 columns, guint levels)
{
  WeftTensor tensor = { .type = WEFT_F32, .rank = 2, .shape = { rows, columns }, .data = g_new0 (float, rows *columns + 1) };
  WeftRandom random = weft_random_for (1, name, 0);
  for (gint64 i = 0; i < rows * columns; i++)
    ((float *) tensor.data)[i] =
        levels ? (float) weft_random_below (random, (guint32) i, levels) - (float) (levels / 2) : weft_random_normal (random, (guint32) i);
  return tensor;
}

static void
set_row (WeftTensor *tensor, gint64 row, const float *values)
{
  for (gint64 i = 0; i < tensor->shape[1]; i++)
    ((float *) tensor->data)[row * tensor->shape[1] + i] = values[i];
}

static double
similarity_of (const WeftTensor *images, const WeftTensor *captions, gint64 i, gint64 c)
{
  gint64 e = images->shape[1];
  double sum = 0;
  for (gint64 k = 0; k < e; k++)
    sum += (double) ((const float *) images->data)[i * e + k] * (double) ((const float *) captions->data)[c * e + k];
  return sum;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

static void
add_figures (double *ranks, gint64 n, guint folds, double *figure)
{
  static const double limits[] = { 1, 5, 10 };
  double sum = 0;
  for (guint k = 0; k < 3; k++)
    for (gint64 i = 0; i < n; i++)
      figure[k] += (ranks[i] < limits[k]) * 100.0 / (double) n / folds;
  for (gint64 i = 0; i < n; i++)
    sum += ranks[i];
  qsort (ranks, (gsize) n, sizeof (double), compare_doubles);
  figure[3] += (floor ((ranks[(n - 1) / 2] + ranks[n / 2]) / 2) + 1) / folds;
  figure[4] += (sum / (double) n + 1) / folds;
}

/* The definition, one query at a time. */
static void
plain_recalls (const WeftTensor *images, const WeftTensor *captions, guint folds, double of_images[5], double of_captions[5])
{
  gint64 n = images->shape[0] / folds, m = captions->shape[0] / folds, per = m / n;
  g_autofree double *image_ranks = g_new (double, n), *caption_ranks = g_new (double, m);
  memset (of_images, 0, 5 * sizeof (double));
  memset (of_captions, 0, 5 * sizeof (double));
  for (guint f = 0; f < folds; f++)
    {
      for (gint64 i = 0; i < n; i++)
        {
          double best = -INFINITY;
          for (gint64 c = i * per; c < (i + 1) * per; c++)
            best = MAX (best, similarity_of (images, captions, f * n + i, f * m + c));
          image_ranks[i] = 0;
          for (gint64 c = 0; c < m; c++)
            image_ranks[i] += c / per != i && similarity_of (images, captions, f * n + i, f * m + c) >= best;
        }
      for (gint64 c = 0; c < m; c++)
        {
          caption_ranks[c] = 0;
          for (gint64 i = 0; i < n; i++)
            caption_ranks[c] +=
                i != c / per
                && similarity_of (images, captions, f * n + i, f * m + c) >= similarity_of (images, captions, f * n + c / per, f * m + c);
        }
      add_figures (image_ranks, n, folds, of_images);
      add_figures (caption_ranks, m, folds, of_captions);
    }
}

static char *
recalls_yaml (const WeftTensor *images, const WeftTensor *captions, const char *more)
{
  return g_strdup_printf (
      "graphs:\n"
      "  train:\n"
      "    nodes:\n"
      "      images:   {op: feed, signature: \"f32[%d, %d]\"}\n"
      "      captions: {op: feed, signature: \"f32[%d, %d]\"}\n"
      "      recalls:  {op: recalls, images: images, captions: captions%s}\n"
      "    collect: {image_r1: recalls.image_r1, image_r5: recalls.image_r5, image_r10: recalls.image_r10,\n"
      "              image_median: recalls.image_median, image_mean: recalls.image_mean, caption_r1: recalls.caption_r1,\n"
      "              caption_r5: recalls.caption_r5, caption_r10: recalls.caption_r10,\n"
      "              caption_median: recalls.caption_median, caption_mean: recalls.caption_mean, rsum: recalls.rsum}\n",
      (int) images->shape[0], (int) images->shape[1], (int) captions->shape[0], (int) captions->shape[1], more);
}

static float
number (Rig *rig, const char *reference)
{
  return *(const float *) rig_value (rig, reference)->data;
}

static void
start (Rig *rig, const WeftTensor *images, const WeftTensor *captions, const char *more)
{
  g_autofree char *yaml = recalls_yaml (images, captions, more);
  rig_start (rig, yaml);
  rig_feed (rig, "images", images);
  rig_feed (rig, "captions", captions);
}

/* Sizes below, at and across those of tiles; with few levels there are many ties. */
static const struct
{
  gint64 images, per, width;
  guint levels, folds;
} problems[] = {
  { 1, 1, 3, 0, 1 },  { 7, 1, 5, 0, 1 },   { 12, 5, 8, 0, 1 }, { 70, 5, 16, 0, 1 }, { 130, 3, 33, 0, 1 }, { 60, 5, 3, 3, 1 },
  { 65, 4, 2, 2, 1 }, { 300, 1, 4, 3, 1 }, { 20, 5, 6, 0, 5 }, { 66, 2, 2, 3, 3 },  { 9, 1, 1, 2, 9 },
};

START_TEST (figures_are_those_of_the_definition)
{
  WeftTensor images = random_rows ("images", problems[_i].images, problems[_i].width, problems[_i].levels);
  WeftTensor captions = random_rows ("captions", problems[_i].images * problems[_i].per, problems[_i].width, problems[_i].levels);
  double of_images[5], of_captions[5];
  Rig rig;
  g_autofree char *more = g_strdup_printf (", folds: %u", problems[_i].folds);
  plain_recalls (&images, &captions, problems[_i].folds, of_images, of_captions);
  start (&rig, &images, &captions, more);
  ck_assert (rig_step (&rig, 0, 0));
  double rsum = 0;
  for (guint k = 0; k < 5; k++)
    {
      g_autofree char *image = g_strdup_printf ("recalls.image_%s", figures[k]),
                      *caption = g_strdup_printf ("recalls.caption_%s", figures[k]);
      ck_assert_float_eq_tol (number (&rig, image), (float) of_images[k], 1e-5f * (float) (1 + fabs (of_images[k])));
      ck_assert_float_eq_tol (number (&rig, caption), (float) of_captions[k], 1e-5f * (float) (1 + fabs (of_captions[k])));
      rsum += k < 3 ? of_images[k] + of_captions[k] : 0;
    }
  ck_assert_float_eq_tol (number (&rig, "recalls.rsum"), (float) rsum, 1e-3f);
  rig_clear (&rig);
  g_free (images.data);
  g_free (captions.data);
}
END_TEST

/* A model that gives everything the same embedding, at a width at which float32 sums differ by where in a tile they are made. */
START_TEST (a_collapsed_model_scores_as_chance)
{
  WeftTensor images = random_rows ("images", 130, 333, 0), captions = random_rows ("captions", 650, 333, 0);
  Rig rig;
  for (gint64 i = 0; i < 130; i++)
    set_row (&images, i, images.data);
  for (gint64 i = 0; i < 650; i++)
    set_row (&captions, i, images.data);
  start (&rig, &images, &captions, "");
  ck_assert (rig_step (&rig, 0, 0));
  ck_assert (number (&rig, "recalls.rsum") == 0);
  ck_assert (number (&rig, "recalls.image_mean") == 646 && number (&rig, "recalls.caption_mean") == 130);
  rig_clear (&rig);
  g_free (images.data);
  g_free (captions.data);
}
END_TEST

/* Two captions that differ in the last bit of one number: float32 sums can't tell them apart, the order must be right all the same. */
START_TEST (near_ties_are_decided_exactly)
{
  WeftTensor images = random_rows ("images", 2, 1000, 0), captions = random_rows ("captions", 2, 1000, 0);
  float *image = images.data, *caption = captions.data;
  Rig rig;
  set_row (&images, 1, image);
  set_row (&captions, 0, image);
  set_row (&captions, 1, image);
  image[500] = fabsf (image[500]) + 1;
  caption[500] = nextafterf (fabsf (caption[500]) + 1, 10);
  caption[1500] = fabsf (caption[1500]) + 1;
  image[1500] = -image[500];
  start (&rig, &images, &captions, "");
  ck_assert (rig_step (&rig, 0, 0));
  ck_assert (number (&rig, "recalls.image_r1") == 100);
  caption[500] = nextafterf (caption[1500], 0);
  ck_assert (rig_step (&rig, 1, 0));
  ck_assert (number (&rig, "recalls.image_r1") == 0);
  rig_clear (&rig);
  g_free (images.data);
  g_free (captions.data);
}
END_TEST

static void
expect_step_failure (const WeftTensor *images, const WeftTensor *captions, const char *more, const char *part)
{
  Rig rig;
  g_autoptr (GError) error = NULL;
  start (&rig, images, captions, more);
  ck_assert_int_eq (weft_executor_step (rig.executor, 0, 0, &error), WEFT_STEP_ERROR);
  ck_assert_msg (strstr (error->message, part) != NULL, "\"%s\" does not hold \"%s\"", error->message, part);
  rig_clear (&rig);
}

START_TEST (what_cannot_be_ranked_is_told)
{
  WeftTensor images = random_rows ("images", 6, 4, 0), captions = random_rows ("captions", 12, 4, 0);
  float *caption = captions.data;
  expect_step_failure (&images, &captions, ", per_image: 5", "per_image is 5");
  expect_step_failure (&images, &captions, ", folds: 4", "4 equal folds");
  caption[4 * 7 + 2] = NAN;
  expect_step_failure (&images, &captions, "", "caption 7 is not finite");
  expect_step_failure (&images, &captions, ", folds: 2", "caption 7 is not finite");
  caption[4 * 7 + 2] = -INFINITY;
  expect_step_failure (&images, &captions, "", "caption 7 is not finite");
  caption[4 * 7 + 2] = 1e20f;
  ((float *) images.data)[4 * 1 + 2] = 1e20f;
  expect_step_failure (&images, &captions, "", "image 1 and caption 7 is not finite");
  captions.shape[0] = 11;
  expect_step_failure (&images, &captions, "", "no multiple");
  g_free (images.data);
  g_free (captions.data);
}
END_TEST

START_TEST (inputs_are_checked_before_anything_runs)
{
  rig_expect_failure ("graphs: {train: {nodes: {images: {op: feed, signature: \"f32[2, 3]\"}, recalls: {op: recalls, images: images}}}}",
                      "either `images` and `captions`, or `similarity`");
}
END_TEST

/* The matrix is saved while it is scored; read again, it gives the same figures, alone and as the mean with itself. */
START_TEST (matrices_are_saved_read_and_joined)
{
  WeftTensor images = random_rows ("images", 70, 6, 3), captions = random_rows ("captions", 350, 6, 3);
  g_autofree char *saved = g_build_filename (folder, "s.npy", NULL), *again = g_build_filename (folder, "t.npy", NULL),
                  *ranks = g_build_filename (folder, "ranks.csv", NULL);
  g_autofree char *more = g_strdup_printf (", save: \"%s\", ranks: \"%s\"", saved, ranks);
  Rig rig, other;
  start (&rig, &images, &captions, more);
  ck_assert (rig_step (&rig, 0, 0));
  WeftTensor matrix;
  g_autoptr (GError) error = NULL;
  g_autofree float *values = weft_npy_read_f32 (saved, &matrix, &error);
  ck_assert_msg (values != NULL, "%s", error ? error->message : "");
  ck_assert_int_eq (matrix.shape[0], 70);
  ck_assert_int_eq (matrix.shape[1], 350);
  for (gint64 i = 0; i < 70; i++)
    for (gint64 c = 0; c < 350; c++)
      ck_assert (values[i * 350 + c] == (float) similarity_of (&images, &captions, i, c));
  g_autofree char *yaml = g_strdup_printf ("graphs:\n"
                                           "  train:\n"
                                           "    nodes:\n"
                                           "      images:   {op: feed, signature: \"f32[n<=70, 6]\"}\n"
                                           "      captions: {op: feed, signature: \"f32[m<=350, 6]\"}\n"
                                           "      saved:    {op: matrix_file, path: \"%s\", rows: 70, columns: 350}\n"
                                           "      made:     {op: similarity, images: images, captions: captions, save: \"%s\"}\n"
                                           "      mean:     {op: ensemble, similarities: {saved: saved, made: made}}\n"
                                           "      recalls:  {op: recalls, similarity: mean}\n"
                                           "    collect: {mean: mean, rsum: recalls.rsum, rank: recalls.caption_mean}\n",
                                           saved, again);
  rig_start (&other, yaml);
  rig_feed (&other, "images", &images);
  rig_feed (&other, "captions", &captions);
  ck_assert (rig_step (&other, 0, 0));
  ck_assert (memcmp (rig_value (&other, "mean")->data, values, 70 * 350 * sizeof (float)) == 0);
  ck_assert (number (&other, "recalls.rsum") == number (&rig, "recalls.rsum"));
  ck_assert (number (&other, "recalls.caption_mean") == number (&rig, "recalls.caption_mean"));
  g_autofree char *one = NULL, *two = NULL, *lines = NULL;
  gsize n_one, n_two;
  ck_assert (g_file_get_contents (saved, &one, &n_one, NULL) && g_file_get_contents (again, &two, &n_two, NULL));
  ck_assert (n_one == n_two && memcmp (one, two, n_one) == 0);
  ck_assert (g_file_get_contents (ranks, &lines, NULL, NULL));
  ck_assert (g_str_has_prefix (lines, "query,index,rank,unit\nimage,0,"));
  g_auto (GStrv) rows = g_strsplit (lines, "\n", -1);
  ck_assert_uint_eq (g_strv_length (rows), 1 + 70 + 350 + 1);
  ck_assert (g_str_has_prefix (rows[1 + 70 + 11], "caption,11,") && g_str_has_suffix (rows[1 + 70 + 11], ",2"));
  rig_clear (&rig);
  rig_clear (&other);
  g_free (images.data);
  g_free (captions.data);
}
END_TEST

START_TEST (ensembles_are_means)
{
  static const float a[] = { 1, 2, 3, 4 }, b[] = { 0.5f, -2, 3, 1 }, c[] = { 0, 0, 9, 1 };
  const WeftTensor tensors[] = { { .type = WEFT_F32, .rank = 2, .shape = { 2, 2 }, .data = (gpointer) a },
                                 { .type = WEFT_F32, .rank = 2, .shape = { 2, 2 }, .data = (gpointer) b },
                                 { .type = WEFT_F32, .rank = 2, .shape = { 2, 2 }, .data = (gpointer) c } };
  Rig rig;
  rig_start (&rig, "graphs: {train: {nodes: {a: {op: feed, signature: \"f32[2, 2]\"}, b: {op: feed, signature: \"f32[2, 2]\"},\n"
                   "  c: {op: feed, signature: \"f32[2, 2]\"}, y: {op: ensemble, similarities: [a, b, c]}}, collect: {y: y}}}");
  rig_feed (&rig, "a", &tensors[0]);
  rig_feed (&rig, "b", &tensors[1]);
  rig_feed (&rig, "c", &tensors[2]);
  ck_assert (rig_step (&rig, 0, 0));
  for (guint i = 0; i < 4; i++)
    ck_assert_float_eq_tol (((const float *) rig_value (&rig, "y")->data)[i], (a[i] + b[i] + c[i]) / 3, 1e-6f);
  rig_clear (&rig);
}
END_TEST

/* Matrices that others saved, in the types that they use, and what is the mean of one of each. */
START_TEST (matrices_of_others_are_joined)
{
  static const WeftType types[] = { WEFT_F32, WEFT_F64, WEFT_F16 };
  g_autoptr (GString) yaml = g_string_new ("graphs: {train: {nodes: {");
  float expected[2 * 10] = { 0 };
  Rig rig;
  for (guint t = 0; t < G_N_ELEMENTS (types); t++)
    {
      guint64 room[20];
      g_autofree char *name = g_strdup_printf ("%s/%u.npy", folder, t);
      WeftTensor tensor = { .type = types[t], .rank = 2, .shape = { 2, 10 }, .data = room };
      for (guint i = 0; i < 20; i++)
        {
          float value = (float) (i * (t + 3) % 11) / 8 - 0.5f;
          expected[i] += value / 3;
          if (types[t] == WEFT_F32)
            ((float *) (gpointer) room)[i] = value;
          else if (types[t] == WEFT_F64)
            ((double *) (gpointer) room)[i] = (double) value;
          else
            ((guint16 *) (gpointer) room)[i] = weft_f32_to_f16 (value);
        }
      ck_assert (weft_npy_write (name, &tensor, NULL));
      g_string_append_printf (yaml, "m%u: {op: matrix_file, path: \"%s\", rows: 2, columns: 10}, ", t, name);
    }
  g_string_append (yaml, "y: {op: ensemble, similarities: {first: m0, second: m1, third: m2}}, r: {op: recalls, similarity: y}}, "
                         "collect: {y: y, r: r.rsum}}}");
  rig_start (&rig, yaml->str);
  ck_assert (rig_step (&rig, 0, 0));
  for (guint i = 0; i < 20; i++)
    ck_assert_float_eq_tol (((const float *) rig_value (&rig, "y")->data)[i], expected[i], 1e-6f);
  rig_clear (&rig);
}
END_TEST

START_TEST (matrices_of_other_sizes_are_not_joined)
{
  float data[12] = { 0 };
  const WeftTensor tensors[] = { { .type = WEFT_F32, .rank = 2, .shape = { 2, 6 }, .data = data },
                                 { .type = WEFT_F32, .rank = 2, .shape = { 3, 4 }, .data = data } };
  g_autoptr (GError) error = NULL;
  Rig rig;
  rig_start (&rig,
             "graphs: {train: {nodes: {a: {op: feed, signature: \"f32[n<=3, m<=6]\"}, b: {op: feed, signature: \"f32[k<=3, l<=6]\"},\n"
             "  y: {op: ensemble, similarities: [a, b]}}, collect: {y: y}}}");
  rig_feed (&rig, "a", &tensors[0]);
  rig_feed (&rig, "b", &tensors[1]);
  ck_assert_int_eq (weft_executor_step (rig.executor, 0, 0, &error), WEFT_STEP_ERROR);
  ck_assert_msg (strstr (error->message, "matrix 1 is 3 by 4, the first one 2 by 6") != NULL, "%s", error->message);
  rig_clear (&rig);
}
END_TEST

/* Similarities rank like the embeddings that they were made of, ties included, in folds too. */
START_TEST (similarities_rank_like_embeddings)
{
  WeftTensor images = random_rows ("images", problems[_i].images, problems[_i].width, problems[_i].levels);
  WeftTensor captions = random_rows ("captions", problems[_i].images * problems[_i].per, problems[_i].width, problems[_i].levels);
  double of_images[5], of_captions[5];
  g_autofree float *similarity = g_new (float, images.shape[0] * captions.shape[0]);
  WeftTensor matrix = { .type = WEFT_F32, .rank = 2, .shape = { images.shape[0], captions.shape[0] }, .data = similarity };
  Rig rig;
  g_autofree char *yaml = g_strdup_printf ("graphs: {train: {nodes: {s: {op: feed, signature: \"f32[%d, %d]\"},\n"
                                           "  recalls: {op: recalls, similarity: s, folds: %u}}, collect: {a: recalls.image_r1,\n"
                                           "  b: recalls.image_r5, c: recalls.image_r10, d: recalls.image_median, e: recalls.image_mean,\n"
                                           "  f: recalls.caption_r1, g: recalls.caption_r5, h: recalls.caption_r10,\n"
                                           "  i: recalls.caption_median, j: recalls.caption_mean}}}",
                                           (int) images.shape[0], (int) captions.shape[0], problems[_i].folds);
  for (gint64 i = 0; i < images.shape[0]; i++)
    for (gint64 c = 0; c < captions.shape[0]; c++)
      similarity[i * captions.shape[0] + c] = (float) similarity_of (&images, &captions, i, c);
  plain_recalls (&images, &captions, problems[_i].folds, of_images, of_captions);
  rig_start (&rig, yaml);
  rig_feed (&rig, "s", &matrix);
  ck_assert (rig_step (&rig, 0, 0));
  for (guint k = 0; k < 5; k++)
    {
      g_autofree char *image = g_strdup_printf ("recalls.image_%s", figures[k]),
                      *caption = g_strdup_printf ("recalls.caption_%s", figures[k]);
      ck_assert_float_eq_tol (number (&rig, image), (float) of_images[k], 1e-5f * (float) (1 + fabs (of_images[k])));
      ck_assert_float_eq_tol (number (&rig, caption), (float) of_captions[k], 1e-5f * (float) (1 + fabs (of_captions[k])));
    }
  /* One value that is none. */
  similarity[images.shape[0] * captions.shape[0] - 1] = NAN;
  g_autoptr (GError) error = NULL;
  g_autofree char *where =
      g_strdup_printf ("image %d and caption %d is not finite", (int) images.shape[0] - 1, (int) captions.shape[0] - 1);
  ck_assert_int_eq (weft_executor_step (rig.executor, 1, 0, &error), WEFT_STEP_ERROR);
  ck_assert_msg (strstr (error->message, where) != NULL, "\"%s\" does not hold \"%s\"", error->message, where);
  rig_clear (&rig);
  g_free (images.data);
  g_free (captions.data);
}
END_TEST

START_TEST (wrong_matrix_files_are_refused)
{
  g_autofree char *path = g_build_filename (folder, "m.npy", NULL);
  float data[6] = { 0 };
  WeftTensor tensor = { .type = WEFT_F32, .rank = 2, .shape = { 2, 3 }, .data = data };
  ck_assert (weft_npy_write (path, &tensor, NULL));
  g_autofree char *shape =
      g_strdup_printf ("graphs: {train: {nodes: {m: {op: matrix_file, path: \"%s\", rows: 3, columns: 2}}, collect: {m: m}}}", path);
  rig_expect_failure (shape, "the pipeline says [3, 2]");
  rig_expect_failure ("graphs: {train: {nodes: {m: {op: matrix_file, path: /no/such.npy, rows: 3, columns: 2}}, collect: {m: m}}}",
                      "/no/such.npy");
}
END_TEST

int
main (void)
{
  TCase *tests = tcase_create ("retrieval");
  Suite *suite = suite_create ("retrieval");
  weft_registry_load (NULL);
  tcase_set_timeout (tests, 60);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (tests, figures_are_those_of_the_definition, 0, G_N_ELEMENTS (problems));
  tcase_add_test (tests, a_collapsed_model_scores_as_chance);
  tcase_add_test (tests, near_ties_are_decided_exactly);
  tcase_add_test (tests, what_cannot_be_ranked_is_told);
  tcase_add_test (tests, inputs_are_checked_before_anything_runs);
  tcase_add_test (tests, matrices_are_saved_read_and_joined);
  tcase_add_test (tests, ensembles_are_means);
  tcase_add_test (tests, matrices_of_others_are_joined);
  tcase_add_test (tests, matrices_of_other_sizes_are_not_joined);
  tcase_add_loop_test (tests, similarities_rank_like_embeddings, 0, G_N_ELEMENTS (problems));
  tcase_add_test (tests, wrong_matrix_files_are_refused);
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
