/* region_features: which items come, in which order, and which files are refused.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "regions.h"

START_TEST (items_come_in_order_and_end)
{
  Rig rig;
  save_regions ("train_ims.npy", 5, 3, 4);
  save_captions ("train_caps.txt", 25);
  start (&rig, "batch: 7, regions: 3, width: 4", ALL);
  for (guint64 epoch = 0; epoch < 3; epoch++)
    {
      gint32 next = 0;
      while (rig_step (&rig, epoch * 4, epoch))
        {
          const gint32 *caption = rig_value (&rig, "pairs.caption")->data;
          gint64 n = check_batch (&rig, 5);
          ck_assert_int_eq (n, next < 21 ? 7 : 4);
          for (gint64 i = 0; i < n; i++)
            ck_assert_int_eq (caption[i], next++);
        }
      ck_assert_int_eq (next, 25);
    }
  rig_clear (&rig);
}
END_TEST

START_TEST (shuffled_passes_differ_and_repeat)
{
  Rig rig, again;
  gint32 first[50], second[50], repeated[50];
  save_regions ("train_ims.npy", 10, 2, 3);
  save_captions ("train_caps.txt", 50);
  const char *attributes = "batch: 8, regions: 2, width: 3, shuffle: true";
  start (&rig, attributes, ALL);
  start (&again, attributes, ALL);
  ck_assert_uint_eq (run_pass (&rig, 0, first, 50), 48);
  ck_assert_uint_eq (run_pass (&rig, 1, second, 50), 48);
  ck_assert_uint_eq (run_pass (&again, 1, repeated, 50), 48);
  ck_assert_mem_ne (first, second, sizeof (gint32) * 48);
  ck_assert_mem_eq (second, repeated, sizeof (gint32) * 48);
  gboolean seen[50] = { FALSE };
  guint displaced = 0;
  for (gint32 i = 0; i < 48; i++)
    {
      ck_assert (!seen[first[i]]);
      seen[first[i]] = TRUE;
      displaced += first[i] != i;
    }
  ck_assert_uint_gt (displaced, 30);
  rig_clear (&rig);
  rig_clear (&again);
  start (&rig, "batch: 8, regions: 2, width: 3, shuffle: true, keep_last: true", ALL);
  ck_assert_uint_eq (run_pass (&rig, 0, first, 50), 50);
  rig_clear (&rig);
}
END_TEST

/* What a checkpoint holds is the position: a run that is resumed sees what it would have seen. */
START_TEST (positions_resume)
{
  Rig rig, resumed;
  gint32 whole[50], rest[50];
  save_regions ("train_ims.npy", 10, 2, 3);
  save_captions ("train_caps.txt", 50);
  const char *attributes = "batch: 8, regions: 2, width: 3, shuffle: true";
  start (&rig, attributes, ALL);
  ck_assert_uint_eq (run_pass (&rig, 4, whole, 50), 48);
  start (&resumed, attributes, ALL);
  gint64 *cursor = weft_store_lookup (resumed.store, "train.pairs.cursor")->data;
  *cursor = 24;
  ck_assert_uint_eq (run_pass (&resumed, 4, rest, 50), 24);
  ck_assert_mem_eq (rest, whole + 24, 24 * sizeof (gint32));
  ck_assert_int_eq (*cursor, 0);
  /* Going back within a pass starts the reader again. */
  ck_assert (rig_step (&resumed, 0, 4) && rig_step (&resumed, 1, 4));
  *cursor = 0;
  ck_assert_uint_eq (run_pass (&resumed, 4, rest, 50), 48);
  ck_assert_mem_eq (rest, whole, 48 * sizeof (gint32));
  /* So does going to another pass, though the position follows. */
  ck_assert (rig_step (&resumed, 0, 4) && rig_step (&resumed, 1, 5));
  ck_assert_mem_ne (rig_value (&resumed, "pairs.caption")->data, whole + 8, 8 * sizeof (gint32));
  *cursor = 5;
  g_autoptr (GError) error = NULL;
  ck_assert_int_eq (weft_executor_step (resumed.executor, 0, 4, &error), WEFT_STEP_ERROR);
  ck_assert_msg (strstr (error->message, "not the start of a batch") != NULL, "%s", error->message);
  rig_clear (&rig);
  rig_clear (&resumed);
}
END_TEST

START_TEST (half_floats_and_doubles_are_read)
{
  static const WeftType types[] = { WEFT_F16, WEFT_F64 };
  Rig rig;
  gint32 order[20];
  g_autofree float *values = numbered (4, 3, 5);
  g_autofree gpointer converted = g_malloc (8 * 60);
  for (guint i = 0; i < 60; i++)
    if (types[_i] == WEFT_F16)
      ((guint16 *) converted)[i] = weft_f32_to_f16 (values[i]);
    else
      ((double *) converted)[i] = (double) values[i];
  save ("train_ims.npy", types[_i], converted, 3, (gint64[]){ 4, 3, 5 });
  save_captions ("train_caps.txt", 20);
  start (&rig, "batch: 6, regions: 9, width: 5", ALL);
  ck_assert_uint_eq (run_pass (&rig, 0, order, 20), 20);
  rig_clear (&rig);
}
END_TEST

/* Ragged regions, padded or packed, and grids. */
START_TEST (regions_may_be_ragged)
{
  static const gint64 counts[] = { 3, 1, 2, 3 }, starts[] = { 0, 3, 4, 6 };
  Rig rig;
  save_captions ("train_caps.txt", 20);
  if (_i == 0)
    {
      gint32 narrow[4];
      for (guint i = 0; i < 4; i++)
        narrow[i] = (gint32) counts[i];
      g_autofree float *values = numbered (4, 3, 2);
      /* Padding is not looked at. */
      values[5 * 2] = NAN;
      save ("train_ims.npy", WEFT_F32, values, 3, (gint64[]){ 4, 3, 2 });
      save ("train_counts.npy", WEFT_I32, narrow, 1, (gint64[]){ 4 });
    }
  else
    {
      float packed[9][2];
      for (gint64 i = 0; i < 4; i++)
        for (gint64 r = 0; r < counts[i]; r++)
          {
            packed[starts[i] + r][0] = (float) (100 * i + r);
            packed[starts[i] + r][1] = 1;
          }
      save ("train_ims.npy", WEFT_F32, packed, 2, (gint64[]){ 9, 2 });
      save ("train_counts.npy", WEFT_I64, counts, 1, (gint64[]){ 4 });
    }
  start (&rig, "batch: 20, regions: 3, width: 2", ALL);
  ck_assert (rig_step (&rig, 0, 0));
  ck_assert_int_eq (check_batch (&rig, 5), 20);
  const gint32 *offsets = rig_value (&rig, "pairs.regions")->offsets;
  for (guint i = 0; i < 20; i++)
    ck_assert_int_eq (offsets[i + 1] - offsets[i], counts[i / 5]);
  rig_clear (&rig);
}
END_TEST

START_TEST (grids_are_flattened)
{
  Rig rig;
  gint32 order[10];
  g_autofree float *values = numbered (2, 6, 3);
  save ("train_ims.npy", WEFT_F32, values, 4, (gint64[]){ 2, 2, 3, 3 });
  save_captions ("train_caps.txt", 10);
  start (&rig, "batch: 4, regions: 6, width: 3", ALL);
  ck_assert_uint_eq (run_pass (&rig, 0, order, 10), 10);
  rig_clear (&rig);
}
END_TEST

START_TEST (images_are_items_of_their_own)
{
  Rig rig;
  save_regions ("precomp/dev_ims.npy", 7, 3, 2);
  save_captions ("precomp/dev_caps.txt", 35);
  float clip[7][2];
  for (guint i = 0; i < 7; i++)
    clip[i][0] = clip[i][1] = (float) i / 8;
  save ("precomp/dev_clip.npy", WEFT_F32, clip, 2, (gint64[]){ 7, 2 });
  start (&rig, "split: dev, items: images, batch: 4, regions: 3, width: 2, clip_width: 2, limit: 6",
         "r: pairs.regions, i: pairs.image, k: pairs.clip");
  gint32 next = 0;
  while (rig_step (&rig, 0, 0))
    {
      const WeftTensor *image = rig_value (&rig, "pairs.image"), *regions = rig_value (&rig, "pairs.regions"),
                       *k = rig_value (&rig, "pairs.clip");
      for (gint64 i = 0; i < image->shape[0]; i++, next++)
        {
          ck_assert_int_eq (((gint32 *) image->data)[i], next);
          ck_assert_float_eq (((float *) regions->data)[i * 6], (float) (100 * next));
          ck_assert_float_eq (((float *) k->data)[2 * i + 1], (float) next / 8);
        }
    }
  ck_assert_int_eq (next, 6);
  rig_clear (&rig);
}
END_TEST

/* One caption an image, five, and files that repeat an image's rows for each of its captions. */
START_TEST (captions_find_their_images)
{
  static const struct
  {
    const char *attributes;
    gint32 images, per_image;
  } files[] = {
    { "batch: 20, regions: 1, width: 2", 20, 1 },
    { "batch: 20, regions: 1, width: 2, captions_per_image: 5", 20, 5 },
    { "batch: 20, regions: 1, width: 2", 4, 5 },
    { "batch: 20, regions: 1, width: 2, captions_per_image: 2", 10, 2 },
  };
  Rig rig;
  save_regions ("train_ims.npy", files[_i].images, 1, 2);
  save_captions ("train_caps.txt", 20);
  start (&rig, files[_i].attributes, ALL);
  ck_assert (rig_step (&rig, 0, 0));
  const gint32 *image = rig_value (&rig, "pairs.image")->data;
  const float *regions = rig_value (&rig, "pairs.regions")->data;
  gint32 repeats = files[_i].images == 20 ? files[_i].per_image : 1;
  for (gint32 i = 0; i < 20; i++)
    {
      ck_assert_int_eq (image[i], i / files[_i].per_image);
      ck_assert_float_eq (regions[2 * i], (float) (100 * image[i] * repeats));
    }
  rig_clear (&rig);
}
END_TEST

START_TEST (dev_is_cut)
{
  static const struct
  {
    const char *attributes;
    guint n;
  } cuts[] = {
    { "split: dev", 5000 },
    { "split: dev, first_captions: 0", 5010 },
    { "split: dev, items: images", 1000 },
    { "split: test", 5010 },
    { "split: dev, limit: 3", 15 },
    { "split: test, first_captions: 12, items: images", 3 },
  };
  save_regions ("dev_ims.npy", 1002, 1, 1);
  save_captions ("dev_caps.txt", 5010);
  save_regions ("test_ims.npy", 1002, 1, 1);
  save_captions ("test_caps.txt", 5010);
  for (gsize i = 0; i < G_N_ELEMENTS (cuts); i++)
    {
      Rig rig;
      gint64 n = 0;
      g_autofree char *attributes = g_strconcat (cuts[i].attributes, ", batch: 500, regions: 1, width: 1", NULL);
      start (&rig, attributes, "i: pairs.image");
      while (rig_step (&rig, 0, 0))
        n += rig_value (&rig, "pairs.image")->shape[0];
      ck_assert_msg (n == cuts[i].n, "%s: %d items", cuts[i].attributes, (int) n);
      rig_clear (&rig);
    }
}
END_TEST

/* Captions alone need neither features nor their sizes. */
START_TEST (captions_are_read_alone)
{
  Rig rig;
  save_captions ("train_caps.txt", 15);
  start (&rig, "batch: 10, items: captions, captions_per_image: 5", "t: pairs.captions, c: pairs.caption");
  ck_assert (rig_step (&rig, 0, 0));
  ck_assert_int_eq (rig_value (&rig, "pairs.captions")->samples, 10);
  rig_clear (&rig);
  save_regions ("train_ims.npy", 3, 7, 9);
  start (&rig, "batch: 10, items: captions", "t: pairs.captions, c: pairs.caption");
  ck_assert (rig_step (&rig, 0, 0));
  rig_clear (&rig);
}
END_TEST

/* Runs passes and counts the regions of each step. */
static void
count_regions (Rig *rig, gint64 *regions, gint64 *whole, gint64 *samples, guint64 steps)
{
  for (guint64 step = 0; step < steps; step++)
    if (rig_step (rig, step, step))
      {
        const WeftTensor *tensor = rig_value (rig, "pairs.regions");
        *regions += tensor->shape[0];
        *samples += tensor->samples;
        for (gint64 i = 0; i < tensor->samples; i++)
          {
            gint32 count = tensor->offsets[i + 1] - tensor->offsets[i];
            ck_assert_int_ge (count, 1);
            *whole += count == 36;
            for (gint32 r = tensor->offsets[i]; r + 1 < tensor->offsets[i + 1]; r++)
              ck_assert_float_lt (((float *) tensor->data)[2 * r], ((float *) tensor->data)[2 * r + 2]);
          }
      }
}

START_TEST (regions_are_dropped_in_training)
{
  Rig rig;
  gint64 regions = 0, whole = 0, samples = 0;
  save_regions ("train_ims.npy", 40, 36, 2);
  save_captions ("train_caps.txt", 200);
  start (&rig, "batch: 200, regions: 36, width: 2, drop: 0.2", "r: pairs.regions");
  count_regions (&rig, &regions, &whole, &samples, 100);
  double share = (double) regions / (double) (36 * samples);
  ck_assert_msg (fabs (share - 0.8) < 0.003, "%g of the regions kept", share);
  rig_clear (&rig);

  /* Grids: a fifth of the samples is whole; others lose drop * u, u between 0.2 and 1. */
  regions = whole = samples = 0;
  start (&rig, "batch: 200, regions: 36, width: 2, drop: 0.2, grid_drop: true", "r: pairs.regions");
  count_regions (&rig, &regions, &whole, &samples, 100);
  share = (double) regions / (double) (36 * samples);
  ck_assert_msg (fabs (share - (1 - 0.8 * 0.2 * 0.6)) < 0.003, "%g of the cells kept", share);
  ck_assert_int_gt (whole, samples / 5);
  rig_clear (&rig);

  regions = whole = samples = 0;
  start (&rig, "batch: 200, regions: 36, width: 2, drop: 1", "r: pairs.regions");
  count_regions (&rig, &regions, &whole, &samples, 2);
  ck_assert_int_eq (regions, samples);
  rig_clear (&rig);

  regions = whole = samples = 0;
  start (&rig, "mode: infer, batch: 200, regions: 36, width: 2, drop: 1", "r: pairs.regions");
  count_regions (&rig, &regions, &whole, &samples, 1);
  ck_assert_int_eq (whole, 200);
  rig_clear (&rig);
}
END_TEST

START_TEST (steps_drop_differently)
{
  Rig rig;
  float kept[2][36];
  save_regions ("train_ims.npy", 1, 36, 1);
  save_captions ("train_caps.txt", 5);
  start (&rig, "batch: 1, regions: 36, width: 1, drop: 0.5", "r: pairs.regions");
  memset (kept, 0, sizeof kept);
  for (guint step = 0; step < 2; step++)
    {
      ck_assert (rig_step (&rig, step, 0));
      const WeftTensor *regions = rig_value (&rig, "pairs.regions");
      memcpy (kept[step], regions->data, (gsize) regions->shape[0] * sizeof (float));
    }
  ck_assert_mem_ne (kept[0], kept[1], sizeof kept[0]);
  rig_clear (&rig);
}
END_TEST

START_TEST (files_that_do_not_match_are_refused)
{
  expect_failure ("batch: 4", ALL, "neither train_ims.npy nor precomp/train_ims.npy");
  save_regions ("train_ims.npy", 4, 3, 2);
  expect_failure ("batch: 4, regions: 3, width: 2", ALL, "neither train_caps.txt");
  save_captions ("train_caps.txt", 21);
  expect_failure ("batch: 4, regions: 3, width: 2", ALL, "has 4 images");
  expect_failure ("batch: 4, regions: 3, width: 2", ALL, "has 21 captions; expected 4 (one an image) or 20 (five an image)");
  expect_failure ("batch: 4, regions: 3, width: 2, captions_per_image: 4", ALL, "expected 16 captions");
  save_captions ("train_caps.txt", 20);
  expect_failure ("batch: 4, regions: 3, width: 5", ALL, "2 wide, the pipeline declares width: 5; set width: 2");
  expect_failure ("batch: 4, regions: 2, width: 2", ALL, "set regions: 3");
  expect_failure ("batch: 4, regions: 3, width: 2, caption_bytes: 9", ALL, "train_caps.txt:11: 10 bytes long");
  expect_failure ("batch: 4, regions: 3, width: 2, split: tset", ALL, "splits found there: train");
  expect_failure ("batch: 64, regions: 3, width: 2, shuffle: true", ALL, "20 items, fewer than one batch");
  expect_failure ("batch: 4, regions: 3, width: 2", "k: pairs.clip", "neither train_clip.npy");
  expect_failure ("batch: 4, regions: 3, width: 2, items: images", ALL, "there are no captions to read");
  expect_failure ("batch: 4, regions: 3, width: 2, grid_drop: true", ALL, "set drop");
  rig_write (folder, "train_caps.txt", "a\n\nb\nc\n", -1);
  expect_failure ("batch: 4, regions: 3, width: 2", ALL, "train_caps.txt:2: empty line");
}
END_TEST

START_TEST (wrong_arrays_are_refused)
{
  const float clip[8] = { 0 };
  const gint32 counts[] = { 3, 0, 1, 2 };
  const gint64 many[] = { 1, 2, 4, 1 }, few[] = { 1, 2, 3 };
  save_captions ("train_caps.txt", 20);
  save_regions ("train_ims.npy", 4, 3, 2);
  save ("train_clip.npy", WEFT_F32, clip, 2, (gint64[]){ 2, 4 });
  expect_failure ("batch: 4, regions: 3, width: 2, clip_width: 4", "k: pairs.clip", "2 embeddings for 4 images");
  expect_failure ("batch: 4, regions: 3, width: 2, clip_width: 8", "k: pairs.clip", "set clip_width: 4");
  save ("train_counts.npy", WEFT_I32, counts, 1, (gint64[]){ 4 });
  expect_failure ("batch: 4, regions: 3, width: 2", ALL, "row 1 (counted from 0) says 0 regions");
  save ("train_counts.npy", WEFT_I64, many, 1, (gint64[]){ 4 });
  expect_failure ("batch: 4, regions: 9, width: 2", ALL, "says 4 regions, expected 1 to 3");
  save ("train_counts.npy", WEFT_I64, few, 1, (gint64[]){ 3 });
  expect_failure ("batch: 4, regions: 3, width: 2", ALL, "3 counts for the 4 images");
  save ("train_counts.npy", WEFT_F32, clip, 1, (gint64[]){ 4 });
  expect_failure ("batch: 4, regions: 3, width: 2", ALL, "expected one int32 or int64 count");
  g_autofree char *path = g_build_filename (folder, "train_counts.npy", NULL);
  g_remove (path);
  save ("train_ims.npy", WEFT_F32, clip, 2, (gint64[]){ 4, 2 });
  expect_failure ("batch: 4, regions: 3, width: 2", ALL, "need a *_counts.npy");
  save ("train_counts.npy", WEFT_I64, few, 1, (gint64[]){ 3 });
  expect_failure ("batch: 4, regions: 3, width: 2", ALL, "4 regions, but the counts beside it add up to 6");
  save ("train_ims.npy", WEFT_I32, counts, 3, (gint64[]){ 2, 1, 2 });
  expect_failure ("batch: 4, regions: 3, width: 2", ALL, "expected float16 or float32");
}
END_TEST

START_TEST (values_that_are_not_finite_are_refused)
{
  static const float odd[] = { NAN, INFINITY, -INFINITY };
  g_autofree float *values = numbered (4, 3, 2);
  values[2 * 6 + 3] = odd[_i];
  save ("train_ims.npy", WEFT_F32, values, 3, (gint64[]){ 4, 3, 2 });
  save_captions ("train_caps.txt", 20);
  expect_failure ("batch: 20, regions: 3, width: 2", ALL, "image 2 (row 2, counted from 0) has a value that is not finite");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("regions");
  TCase *tests = tcase_create ("regions");
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, items_come_in_order_and_end);
  tcase_add_test (tests, shuffled_passes_differ_and_repeat);
  tcase_add_test (tests, positions_resume);
  tcase_add_loop_test (tests, half_floats_and_doubles_are_read, 0, 2);
  tcase_add_loop_test (tests, regions_may_be_ragged, 0, 2);
  tcase_add_test (tests, grids_are_flattened);
  tcase_add_test (tests, images_are_items_of_their_own);
  tcase_add_loop_test (tests, captions_find_their_images, 0, 4);
  tcase_add_test (tests, dev_is_cut);
  tcase_add_test (tests, captions_are_read_alone);
  tcase_add_test (tests, regions_are_dropped_in_training);
  tcase_add_test (tests, steps_drop_differently);
  tcase_add_test (tests, files_that_do_not_match_are_refused);
  tcase_add_test (tests, wrong_arrays_are_refused);
  tcase_add_loop_test (tests, values_that_are_not_finite_are_refused, 0, 3);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
