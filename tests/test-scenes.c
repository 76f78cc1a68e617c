/* scenes: the same for the same seed, alike in groups, and drawable.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "rig.h"

#define ALL "r: s.regions, t: s.captions, i: s.image, c: s.caption, k: s.clip"

static void
start (Rig *rig, const char *attributes, const char *collect)
{
  g_autofree char *yaml = g_strdup_printf ("graphs:\n  train:\n    mode: train\n    nodes:\n      s: {op: scenes, %s}\n    collect: {%s}\n",
                                           attributes, collect);
  rig_start (rig, yaml);
}

/* A value of the present step, as bytes; free with g_bytes_unref(). */
static GBytes *
snapshot (Rig *rig, const char *reference)
{
  const WeftTensor *tensor = rig_value (rig, reference);
  return g_bytes_new (tensor->data, weft_tensor_bytes (tensor));
}

static gboolean
same (Rig *a, Rig *b, const char *reference)
{
  g_autoptr (GBytes) first = snapshot (a, reference), second = snapshot (b, reference);
  return g_bytes_equal (first, second);
}

START_TEST (scenes_are_functions_of_their_seed)
{
  static const char *const values[] = { "s.regions", "s.captions", "s.image", "s.caption", "s.clip" };
  static const char *const others[] = { "batch: 20, seed: 3, split: dev", "batch: 20, seed: 4" };
  Rig first, second;
  start (&first, "batch: 20, seed: 3", ALL);
  start (&second, "batch: 20, seed: 3", ALL);
  ck_assert (rig_step (&first, 0, 0) && rig_step (&second, 5, 1));
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    ck_assert_msg (same (&first, &second, values[i]), "%s", values[i]);
  rig_clear (&second);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      start (&second, others[i], ALL);
      ck_assert (rig_step (&second, 0, 0));
      ck_assert (!same (&first, &second, "s.captions") && !same (&first, &second, "s.clip") && !same (&first, &second, "s.regions"));
      rig_clear (&second);
    }
  rig_clear (&first);
}
END_TEST

START_TEST (a_pass_visits_every_caption)
{
  Rig rig;
  gboolean seen[65] = { FALSE };
  gint64 n = 0, steps = 0, least = G_MAXINT64, most = 0;
  start (&rig, "images: 13, batch: 16, shuffle: true, keep_last: true, regions: 12, width: 5, clip_width: 6", ALL);
  for (; rig_step (&rig, (guint64) steps, 0); steps++)
    {
      const WeftTensor *regions = rig_value (&rig, "s.regions"), *clip = rig_value (&rig, "s.clip");
      const gint32 *caption = rig_value (&rig, "s.caption")->data, *image = rig_value (&rig, "s.image")->data;
      ck_assert_int_eq (regions->shape[1], 5);
      ck_assert_int_eq (rig_value (&rig, "s.captions")->samples, regions->samples);
      for (gint64 i = 0; i < regions->samples; i++, n++)
        {
          double norm = 0;
          for (guint j = 0; j < 6; j++)
            norm += pow ((double) ((float *) clip->data)[6 * i + j], 2);
          ck_assert_msg (fabs (norm - 1) < 1e-5, "%g", norm);
          ck_assert (!seen[caption[i]]);
          seen[caption[i]] = TRUE;
          ck_assert_int_eq (image[i], caption[i] / 5);
          least = MIN (least, regions->offsets[i + 1] - regions->offsets[i]);
          most = MAX (most, regions->offsets[i + 1] - regions->offsets[i]);
        }
    }
  ck_assert_int_eq (n, 65);
  ck_assert_int_eq (steps, 5);
  ck_assert_int_ge (least, 6);
  ck_assert_int_le (most, 12);
  ck_assert_int_lt (least, most);
  rig_clear (&rig);
}
END_TEST

START_TEST (positions_resume)
{
  Rig whole, resumed;
  const char *attributes = "images: 12, batch: 8, shuffle: true, width: 4, clip_width: 4";
  start (&whole, attributes, ALL);
  start (&resumed, attributes, ALL);
  for (guint64 step = 0; step < 4; step++)
    ck_assert (rig_step (&whole, step, 2));
  *(gint64 *) weft_store_lookup (resumed.store, "train.s.cursor")->data = 24;
  ck_assert (rig_step (&resumed, 3, 2));
  ck_assert (same (&whole, &resumed, "s.caption") && same (&whole, &resumed, "s.regions"));
  /* 60 items, seven whole batches. */
  for (guint64 step = 4; step < 7; step++)
    ck_assert (rig_step (&resumed, step, 2));
  ck_assert (!rig_step (&resumed, 7, 2));
  /* The next pass has an order of its own. */
  ck_assert (rig_step (&resumed, 7, 3));
  g_autoptr (GBytes) other = snapshot (&resumed, "s.caption");
  *(gint64 *) weft_store_lookup (resumed.store, "train.s.cursor")->data = 0;
  ck_assert (rig_step (&resumed, 0, 2));
  g_autoptr (GBytes) first = snapshot (&resumed, "s.caption");
  ck_assert (!g_bytes_equal (first, other));
  rig_clear (&whole);
  rig_clear (&resumed);
}
END_TEST

/* Without noise, what distinguishes the scenes of a group is one object: their codes are nearer to each other than to those of others. */
START_TEST (groups_are_alike)
{
  enum
  {
    IMAGES = 80,
    WIDTH = 64
  };
  Rig rig;
  double within = 0, across = 0;
  guint n_within = 0, n_across = 0, twins = 0;
  start (&rig, "items: images, images: 80, batch: 80, noise: 0, clip_width: 64", "k: s.clip, i: s.image");
  ck_assert (rig_step (&rig, 0, 0));
  const float *code = rig_value (&rig, "s.clip")->data;
  for (guint i = 0; i < IMAGES; i++)
    for (guint j = 0; j < i; j++)
      {
        double product = 0;
        for (guint d = 0; d < WIDTH; d++)
          product += (double) (code[i * WIDTH + d] * code[j * WIDTH + d]);
        twins += product > 0.99999;
        *(i / 4 == j / 4 ? &within : &across) += product;
        ++*(i / 4 == j / 4 ? &n_within : &n_across);
      }
  ck_assert_double_gt (within / n_within, 0.8);
  ck_assert_double_lt (across / n_across, 0.5);
  ck_assert_uint_eq (twins, 0);
  rig_clear (&rig);
}
END_TEST

/* Without noise, a region that shows an object or two is the sum of several random directions, and clutter of one or two: wide regions tell
 * them apart by their lengths. */
START_TEST (several_regions_are_clutter)
{
  enum
  {
    IMAGES = 40,
    WIDTH = 4096
  };
  gint64 clutter = 0, regions = 0;
  Rig rig;
  start (&rig, "items: images, images: 40, batch: 40, noise: 0, width: 4096, clip_width: 4", "r: s.regions");
  ck_assert (rig_step (&rig, 0, 0));
  const WeftTensor *tensor = rig_value (&rig, "s.regions");
  for (guint i = 0; i < IMAGES; i++)
    {
      guint n = (guint) (tensor->offsets[i + 1] - tensor->offsets[i]), of_image = 0;
      ck_assert_uint_ge (n, 18);
      ck_assert_uint_le (n, 36);
      for (gint32 r = tensor->offsets[i]; r < tensor->offsets[i + 1]; r++)
        {
          double square = 0;
          for (guint d = 0; d < WIDTH; d++)
            square += pow ((double) ((const float *) tensor->data)[r * WIDTH + d], 2);
          of_image += square / WIDTH < 0.55;
        }
      ck_assert_uint_ge (n - of_image, 3);
      clutter += of_image;
      regions += n;
    }
  ck_assert_msg (clutter > regions / 5 && clutter < regions / 2, "%d of %d regions", (int) clutter, (int) regions);
  rig_clear (&rig);
}
END_TEST

/* Captions are sentences, differ within a scene, and use many words. */
START_TEST (wording_varies)
{
  Rig rig;
  g_autoptr (GHashTable) words = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) captions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  start (&rig, "images: 200, batch: 1000", "t: s.captions");
  ck_assert (rig_step (&rig, 0, 0));
  const WeftTensor *text = rig_value (&rig, "s.captions");
  for (gint64 i = 0; i < text->samples; i++)
    {
      char *caption = g_strndup ((char *) text->data + text->offsets[i], (gsize) (text->offsets[i + 1] - text->offsets[i]));
      g_auto (GStrv) parts = g_strsplit (caption, " ", -1);
      ck_assert (g_ascii_isupper (caption[0]) && g_str_has_suffix (caption, " ."));
      ck_assert_msg (g_strv_length (parts) >= 4 && strstr (caption, "  ") == NULL && strpbrk (caption, "0123456789") == NULL, "%s",
                     caption);
      for (guint j = 0; parts[j] != NULL; j++)
        g_hash_table_add (words, g_ascii_strdown (parts[j], -1));
      g_hash_table_add (captions, caption);
    }
  ck_assert_uint_gt (g_hash_table_size (words), 80);
  ck_assert_uint_gt (g_hash_table_size (captions), 970);
  rig_clear (&rig);
}
END_TEST

/* The pipeline on scenes takes its vocabulary from a file, which has to hold every word that captions use. */
START_TEST (the_pipeline_knows_all_words)
{
  Rig rig;
  g_autofree char *path = g_build_filename (WEFT_TEST_SOURCE_DIR, "pipelines", "scenes-words.txt", NULL);
  g_autofree char *yaml = g_strdup_printf ("graphs:\n  train:\n    nodes:\n      s: {op: scenes, images: 2000, batch: 10000}\n"
                                           "      w: {op: words, text: s.captions, captions: '%s', minimum_count: 1, tokenizer: simple, "
                                           "boundaries: false}\n    collect: {t: w.tokens}\n",
                                           path);
  rig_start (&rig, yaml);
  ck_assert (rig_step (&rig, 0, 0));
  const WeftTensor *tokens = rig_value (&rig, "w.tokens");
  ck_assert_int_gt (tokens->shape[0], 50000);
  for (gint64 i = 0; i < tokens->shape[0]; i++)
    ck_assert_int_gt (((gint32 *) tokens->data)[i], 1);
  rig_clear (&rig);
}
END_TEST

static void
count_element (G_GNUC_UNUSED GMarkupParseContext *context, const char *name, G_GNUC_UNUSED const char **names,
               G_GNUC_UNUSED const char **values, gpointer data, G_GNUC_UNUSED GError **error)
{
  guint *counts = data;
  counts[0] += strcmp (name, "svg") == 0;
  counts[1] += strcmp (name, "text") == 0;
  counts[2] += strcmp (name, "polygon") == 0 || strcmp (name, "circle") == 0 || strcmp (name, "path") == 0;
}

START_TEST (scenes_are_drawn)
{
  Rig rig;
  g_autofree char *folder = rig_folder ();
  g_autofree char *attributes = g_strdup_printf ("split: dev, images: 6, batch: 4, draw: '%s/new/pictures', draw_count: 9", folder);
  start (&rig, attributes, "i: s.image");
  rig_clear (&rig);
  for (guint i = 0; i < 7; i++)
    {
      guint counts[3] = { 0 };
      const GMarkupParser parser = { .start_element = count_element };
      g_autofree char *path = g_strdup_printf ("%s/new/pictures/dev-%04u.svg", folder, i), *svg = NULL;
      gsize length;
      ck_assert_int_eq (g_file_get_contents (path, &svg, &length, NULL), i < 6);
      if (i == 6)
        break;
      g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, counts, NULL);
      ck_assert (g_markup_parse_context_parse (context, svg, (gssize) length, NULL) && g_markup_parse_context_end_parse (context, NULL));
      ck_assert_uint_eq (counts[0], 1);
      ck_assert_uint_eq (counts[1], 5);
      /* Eight dots are in patterns. */
      ck_assert_uint_ge (counts[2], 8 + 3);
      ck_assert_uint_le (counts[2], 8 + 6);
    }
  rig_remove (folder);
}
END_TEST

START_TEST (impossible_passes_are_refused)
{
  rig_expect_failure ("graphs: {train: {nodes: {s: {op: scenes, images: 3, batch: 16, shuffle: true}}, collect: {i: s.image}}}",
                      "15 items are fewer than one batch of 16");
  rig_expect_failure ("graphs: {train: {nodes: {s: {op: scenes, items: images, batch: 16}}, collect: {t: s.captions}}}",
                      "there are no captions to read");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("scenes");
  TCase *tests = tcase_create ("scenes");
  tcase_add_test (tests, scenes_are_functions_of_their_seed);
  tcase_add_test (tests, a_pass_visits_every_caption);
  tcase_add_test (tests, positions_resume);
  tcase_add_test (tests, groups_are_alike);
  tcase_add_test (tests, several_regions_are_clutter);
  tcase_add_test (tests, wording_varies);
  tcase_add_test (tests, the_pipeline_knows_all_words);
  tcase_add_test (tests, scenes_are_drawn);
  tcase_add_test (tests, impossible_passes_are_refused);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
