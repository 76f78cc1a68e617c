/* region_features: shapes and types of files, the thread that reads them, limits, and dropping of ragged regions.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "regions.h"

/* Threads of this process with this name; -1 where the system does not tell. */
static int
count_threads (const char *name)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  const char *task;
  int n = 0;
  if (tasks == NULL)
    return -1;
  while ((task = g_dir_read_name (tasks)) != NULL)
    {
      g_autofree char *path = g_strdup_printf ("/proc/self/task/%s/comm", task), *text = NULL;
      if (g_file_get_contents (path, &text, NULL, NULL))
        n += strcmp (g_strchomp (text), name) == 0;
    }
  return n;
}

START_TEST (a_thread_reads_ahead)
{
  Rig rig;
  save_regions ("train_ims.npy", 10, 2, 3);
  save_captions ("train_caps.txt", 50);
  start (&rig, "batch: 5, regions: 2, width: 3", ALL);
  if (count_threads ("regions") >= 0)
    ck_assert_int_eq (count_threads ("regions"), 0);
  ck_assert (rig_step (&rig, 0, 0));
  check_batch (&rig, 5);
  /* Eight more batches are to be read: the thread can't have ended. */
  if (count_threads ("regions") >= 0)
    ck_assert_int_eq (count_threads ("regions"), 1);
  rig_clear (&rig);
  if (count_threads ("regions") >= 0)
    ck_assert_int_eq (count_threads ("regions"), 0);
}
END_TEST

/* What is wrong further on in a file does not disturb the steps before, though it may have been read already. */
START_TEST (bad_values_are_told_in_their_own_step)
{
  Rig rig;
  g_autoptr (GError) error = NULL;
  g_autofree float *values = numbered (6, 2, 3);
  values[4 * 6 + 1] = INFINITY;
  save ("train_ims.npy", WEFT_F32, values, 3, (gint64[]){ 6, 2, 3 });
  save_captions ("train_caps.txt", 6);
  start (&rig, "batch: 2, regions: 2, width: 3", ALL);
  for (guint64 step = 0; step < 2; step++)
    {
      ck_assert (rig_step (&rig, step, 0));
      ck_assert_int_eq (check_batch (&rig, 1), 2);
    }
  ck_assert_int_eq (weft_executor_step (rig.executor, 2, 0, &error), WEFT_STEP_ERROR);
  ck_assert_msg (strstr (error->message, "image 4 (row 4, counted from 0) has a value that is not finite") != NULL, "%s", error->message);
  rig_clear (&rig);
}
END_TEST

/* Any number of regions of any width. */
START_TEST (sizes_are_those_of_the_file)
{
  static const gint64 sizes[][2] = { { 1, 1 }, { 1, 2048 }, { 7, 3 }, { 36, 2048 }, { 100, 33 }, { 196, 5 } };
  gint32 order[15];
  Rig rig;
  g_autofree char *attributes = g_strdup_printf ("batch: 4, regions: %d, width: %d", (int) sizes[_i][0], (int) sizes[_i][1]);
  g_autofree float *values = numbered (3, sizes[_i][0], sizes[_i][1]);
  /* The last column says its number, unless it is the first as well. */
  save ("train_ims.npy", WEFT_F32, values, 3, (gint64[]){ 3, sizes[_i][0], sizes[_i][1] });
  save_captions ("train_caps.txt", 15);
  start (&rig, attributes, ALL);
  if (sizes[_i][1] > 1)
    ck_assert_uint_eq (run_pass (&rig, 0, order, 15), 15);
  else
    {
      ck_assert (rig_step (&rig, 0, 0));
      for (guint i = 0; i < 4; i++)
        ck_assert_float_eq (((const float *) rig_value (&rig, "pairs.regions")->data)[i], 0);
    }
  rig_clear (&rig);
}
END_TEST

/* As many rows as captions: each image five times if the ids say so, else an image for each caption. */
START_TEST (repeated_rows_are_known_by_ids)
{
  static const struct
  {
    const char *ids; /* of ten rows */
    gint64 captions_per_image;
  } cases[] = { { "7\n7\n7\n7\n7\n9\n9\n9\n9\n9\n", 5 },
                { "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", 1 },
                { "7\n7\n7\n7\n9\n9\n9\n9\n9\n9\n", 1 },
                { "7\n9\n", 1 },
                { NULL, 1 } };
  Rig rig;
  gint64 per_image = cases[_i].captions_per_image;
  g_autofree float *values = numbered (10, 2, 3);
  for (gint64 i = 0; i < 10 * 2; i++)
    values[i * 3] = (float) (100 * (i / 2 / per_image) + i % 2);
  save ("train_ims.npy", WEFT_F32, values, 3, (gint64[]){ 10, 2, 3 });
  save_captions ("train_caps.txt", 10);
  if (cases[_i].ids != NULL)
    rig_write (folder, "train_ids.txt", cases[_i].ids, -1);
  start (&rig, "batch: 10, regions: 2, width: 3", ALL);
  ck_assert (rig_step (&rig, 0, 0));
  ck_assert_int_eq (check_batch (&rig, per_image), 10);
  rig_clear (&rig);
}
END_TEST

START_TEST (clip_files_of_any_type_are_read)
{
  static const WeftType types[] = { WEFT_F32, WEFT_F16, WEFT_F64 };
  static const gint64 rows[] = { 4, 20 };
  for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
    for (gsize r = 0; r < G_N_ELEMENTS (rows); r++)
      {
        /* A row for each image, or repeated for each of its captions. */
        Rig rig;
        guint64 room[20 * 3];
        gint64 repeats = rows[r] / 4, n = 0;
        for (guint i = 0; i < rows[r] * 3; i++)
          {
            float value = (float) (i / 3 / repeats) + (float) (i % 3) / 4;
            if (types[t] == WEFT_F32)
              ((float *) (gpointer) room)[i] = value;
            else if (types[t] == WEFT_F16)
              ((guint16 *) (gpointer) room)[i] = weft_f32_to_f16 (value);
            else
              ((double *) (gpointer) room)[i] = (double) value;
          }
        save_regions ("train_ims.npy", 4, 2, 3);
        save_captions ("train_caps.txt", 20);
        save ("train_clip.npy", types[t], room, 2, (gint64[]){ rows[r], 3 });
        start (&rig, "batch: 8, regions: 2, width: 3, clip_width: 3, shuffle: true, keep_last: true", "i: pairs.image, k: pairs.clip");
        while (rig_step (&rig, 0, 0))
          {
            const WeftTensor *image = rig_value (&rig, "pairs.image");
            const float *clip = rig_value (&rig, "pairs.clip")->data;
            for (gint64 i = 0; i < 3 * image->shape[0]; i++, n++)
              ck_assert_float_eq (clip[i], (float) ((gint32 *) image->data)[i / 3] + (float) (i % 3) / 4);
          }
        ck_assert_int_eq (n, 3 * 20);
        rig_clear (&rig);
      }
}
END_TEST

/* Counts of 1 to 5 regions, whether padded or packed. */
static void
save_ragged (gboolean packed, gint64 images)
{
  g_autofree gint64 *counts = g_new (gint64, images);
  g_autofree float *values = numbered (images, 5, 2), *rows = g_new (float, images * 10);
  gint64 total = 0;
  for (gint64 i = 0; i < images; i++)
    {
      counts[i] = 1 + i * 3 % 5;
      for (gint64 r = 0; r < counts[i]; r++, total++)
        memcpy (rows + 2 * total, values + 2 * (5 * i + r), 2 * sizeof (float));
    }
  save ("train_counts.npy", WEFT_I64, counts, 1, (gint64[]){ images });
  if (packed)
    save ("train_ims.npy", WEFT_F32, rows, 2, (gint64[]){ total, 2 });
  else
    save ("train_ims.npy", WEFT_F32, values, 3, (gint64[]){ images, 5, 2 });
}

/* Quick runs see the first images alone, in any order, all of their captions, and the regions that these have. */
START_TEST (limits_keep_the_first_images)
{
  gint32 order[30];
  gboolean seen[30] = { FALSE };
  Rig rig;
  save_ragged (_i, 20);
  save_captions ("train_caps.txt", 100);
  start (&rig, "batch: 7, regions: 5, width: 2, shuffle: true, keep_last: true, limit: 6", ALL);
  ck_assert_uint_eq (run_pass (&rig, 3, order, 30), 30);
  for (guint i = 0; i < 30; i++)
    {
      ck_assert_int_lt (order[i], 30);
      ck_assert (!seen[order[i]]);
      seen[order[i]] = TRUE;
    }
  const WeftTensor *regions = rig_value (&rig, "pairs.regions");
  const gint32 *image = rig_value (&rig, "pairs.image")->data;
  for (gint64 i = 0; i < regions->samples; i++)
    ck_assert_int_eq (regions->offsets[i + 1] - regions->offsets[i], 1 + image[i] * 3 % 5);
  rig_clear (&rig);
  /* A limit beyond the end changes nothing. */
  start (&rig, "batch: 100, regions: 5, width: 2, limit: 1000", ALL);
  ck_assert (rig_step (&rig, 0, 0));
  ck_assert_int_eq (check_batch (&rig, 5), 100);
  rig_clear (&rig);
}
END_TEST

/* Every image keeps a region; of many, three quarters. */
START_TEST (ragged_regions_are_dropped_too)
{
  gint64 kept[6] = { 0 }, images[6] = { 0 };
  Rig rig;
  save_ragged (_i, 50);
  save_captions ("train_caps.txt", 250);
  start (&rig, "batch: 250, regions: 5, width: 2, drop: 0.25", ALL);
  for (guint64 step = 0; step < 40; step++)
    if (rig_step (&rig, step, step))
      {
        const WeftTensor *regions = rig_value (&rig, "pairs.regions");
        const gint32 *image = rig_value (&rig, "pairs.image")->data;
        for (gint64 i = 0; i < regions->samples; i++)
          {
            gint32 first = regions->offsets[i], end = regions->offsets[i + 1];
            guint count = 1 + (guint) image[i] * 3 % 5;
            images[count]++;
            kept[count] += end - first;
            if (end - first < 1 || end - first > (gint32) count)
              ck_abort_msg ("%d of %u regions", end - first, count);
            for (gint32 r = first; r < end; r++)
              {
                float place = ((const float *) regions->data)[2 * r] - (float) (100 * image[i]);
                if (place < 0 || place >= (float) count
                    || (r > first && place <= ((const float *) regions->data)[2 * r - 2] - (float) (100 * image[i])))
                  ck_abort_msg ("region %g of image %d", (double) place, image[i]);
              }
          }
      }
  /* Of n regions 0.75 n are left, and one more if it would be none: 0.25ⁿ. The variance of a count is below 0.19 n. */
  for (guint n = 1; n <= 5; n++)
    {
      double mean = (double) kept[n] / (double) images[n], expected = 0.75 * n + pow (0.25, n);
      ck_assert_msg (fabs (mean - expected) < 5 * sqrt (0.19 * n / (double) images[n]), "%g of %u regions are left, expected %g", mean, n,
                     expected);
    }
  rig_clear (&rig);
}
END_TEST

/* Training drops the last batch if it is not whole, unless told otherwise; scoring needs every item. */
START_TEST (last_batches)
{
  static const struct
  {
    const char *attributes;
    guint n;
  } passes[] = {
    { "shuffle: true", 21 },
    { "shuffle: false", 25 },
    { "shuffle: true, keep_last: true", 25 },
    { "shuffle: false, keep_last: false", 21 },
    { "shuffle: true, mode: infer", 21 },
  };
  gint32 order[25];
  Rig rig;
  g_autofree char *attributes = g_strconcat ("batch: 7, regions: 3, width: 4, ", passes[_i].attributes, NULL);
  save_regions ("train_ims.npy", 5, 3, 4);
  save_captions ("train_caps.txt", 25);
  start (&rig, attributes, ALL);
  ck_assert_uint_eq (run_pass (&rig, 0, order, 25), passes[_i].n);
  rig_clear (&rig);
}
END_TEST

/* An epoch visits every caption but those of the dropped batch; which these are changes from epoch to epoch. */
START_TEST (every_caption_has_its_turn)
{
  gint32 order[25];
  guint visits[25] = { 0 };
  Rig rig;
  save_regions ("train_ims.npy", 5, 3, 4);
  save_captions ("train_caps.txt", 25);
  start (&rig, "batch: 8, regions: 3, width: 4, shuffle: true", ALL);
  for (guint64 epoch = 0; epoch < 10; epoch++)
    {
      ck_assert_uint_eq (run_pass (&rig, epoch, order, 25), 24);
      for (guint i = 0; i < 24; i++)
        visits[order[i]]++;
    }
  for (guint i = 0; i < 25; i++)
    ck_assert_uint_ge (visits[i], 5);
  rig_clear (&rig);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("region files");
  TCase *tests = tcase_create ("region files");
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, a_thread_reads_ahead);
  tcase_add_test (tests, bad_values_are_told_in_their_own_step);
  tcase_add_loop_test (tests, sizes_are_those_of_the_file, 0, 6);
  tcase_add_test (tests, clip_files_of_any_type_are_read);
  tcase_add_loop_test (tests, repeated_rows_are_known_by_ids, 0, 5);
  tcase_add_loop_test (tests, limits_keep_the_first_images, 0, 2);
  tcase_add_loop_test (tests, ragged_regions_are_dropped_too, 0, 2);
  tcase_add_loop_test (tests, last_batches, 0, 5);
  tcase_add_test (tests, every_caption_has_its_turn);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
