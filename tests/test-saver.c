/* Checkpoints written while steps change the store: they hold what it held when they were begun.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "checkpoint.h"
#include "folder.h"
#include "saver.h"

#define TENSORS 60
#define LONGEST 300000

static char *
name_of (guint i)
{
  return g_strdup_printf ("%s.%u", i % 2 ? "odd" : "even", i);
}

/* From a few bytes to a megabyte, @value in all of them. */
static WeftStore *
make_store (gint32 value)
{
  WeftStore *store = weft_store_new ();
  for (guint i = 0; i < TENSORS; i++)
    {
      g_autofree char *name = name_of (i);
      gint64 length = 1 + (gint64) LONGEST * i / TENSORS * (i % 3) / 2;
      gint32 *data = weft_store_add (store, name, WEFT_I32, 1, &length)->data;
      for (gint64 k = 0; k < length; k++)
        data[k] = value;
    }
  return store;
}

static void
change (WeftStore *store, gint32 value)
{
  for (guint i = 0; i < TENSORS; i++)
    {
      g_autofree char *name = name_of (i);
      WeftTensor *tensor = weft_store_lookup (store, name);
      weft_store_guard (store, tensor);
      for (gint64 k = 0; k < tensor->shape[0]; k++)
        ((gint32 *) tensor->data)[k] = value;
    }
}

static void
expect (const char *const *prefixes, const char *path, gint32 value)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftStore) loaded = make_store (-1);
  ck_assert_msg (weft_checkpoint_load_below (loaded, prefixes, path, NULL, &error), "%s", error ? error->message : "");
  for (guint i = 0; i < TENSORS; i++)
    {
      g_autofree char *name = name_of (i);
      const WeftTensor *tensor = weft_store_lookup (loaded, name);
      gint32 expected = prefixes != NULL && i % 2 == 0 ? -1 : value;
      gint64 same = 0;
      while (same < tensor->shape[0] && ((const gint32 *) tensor->data)[same] == expected)
        same++;
      ck_assert_msg (same == tensor->shape[0], "%s[%d] is of another moment", name, (int) same);
    }
}

/* Whatever is changed meanwhile, and in whatever order: tensors are copied, or waited for. */
START_TEST (files_hold_one_moment)
{
  static const char *const odd[] = { "odd", NULL };
  g_autofree char *whole = g_build_filename (folder, "whole", NULL), *part = g_build_filename (folder, "part", NULL);
  g_autoptr (WeftStore) store = make_store (0);
  g_autoptr (WeftSaver) saver = weft_saver_new (store);
  g_autoptr (GError) error = NULL;
  ck_assert_int_eq (weft_saver_take (saver, TRUE, &error), WEFT_SAVED_NOTHING);
  for (gint32 moment = 0; moment < 4; moment++)
    {
      weft_saver_add (saver, part, odd, NULL);
      weft_saver_add (saver, whole, NULL, NULL);
      weft_saver_start (saver);
      change (store, moment + 1);
      ck_assert_int_eq (weft_saver_take (saver, TRUE, &error), WEFT_SAVED_ALL);
      ck_assert_int_eq (weft_saver_take (saver, TRUE, &error), WEFT_SAVED_NOTHING);
      expect (NULL, whole, moment);
      expect (odd, part, moment);
    }
}
END_TEST

/* No checkpoint is put in place whose best model is not; what stood there stays, and the next one works. */
START_TEST (what_fails_leaves_all_as_it_was)
{
  g_autofree char *nowhere = g_build_filename (folder, "nowhere", "best", NULL), *whole = g_build_filename (folder, "whole", NULL);
  g_autoptr (WeftStore) store = make_store (7);
  g_autoptr (WeftSaver) saver = weft_saver_new (store);
  g_autoptr (GError) error = NULL;
  ck_assert (weft_checkpoint_save (store, whole, NULL, NULL));
  change (store, 8);
  weft_saver_add (saver, nowhere, NULL, NULL);
  weft_saver_add (saver, whole, NULL, NULL);
  weft_saver_start (saver);
  change (store, 9);
  ck_assert_int_eq (weft_saver_take (saver, TRUE, &error), WEFT_SAVED_FAILED);
  ck_assert_msg (strstr (error->message, nowhere) != NULL, "%s", error->message);
  expect (NULL, whole, 7);
  weft_saver_add (saver, whole, NULL, NULL);
  weft_saver_start (saver);
  ck_assert_int_eq (weft_saver_take (saver, TRUE, NULL), WEFT_SAVED_ALL);
  expect (NULL, whole, 9);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  ck_assert_str_eq (g_dir_read_name (dir), "whole");
  ck_assert_ptr_null (g_dir_read_name (dir));
}
END_TEST

int
main (void)
{
  TCase *tests = tcase_create ("saver");
  Suite *suite = suite_create ("saver");
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_set_timeout (tests, 30);
  tcase_add_test (tests, files_hold_one_moment);
  tcase_add_test (tests, what_fails_leaves_all_as_it_was);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
