/* From a folder of photographs to a trained USER, by the command.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <sys/wait.h>

#include "npy.h"
#include "pictures.h"

/* Small sizes, everywhere. CLIP is the recorded one. */
static const char overlay[] = "vars: {photos: photos, captions: photos/captions.tsv, cache: kept, share: 0.25, size: 32, regions: 16, "
                              "width: 32, batch: 8, encode_batch: "
                              "8, embed: 16, hidden: 8, queue: 32, epochs: 2, bert: '.', clip: '%s'}\n"
                              "networks:\n"
                              "  clip: {units: 16, patch: 8, positions: 17, layers: 2, heads: 2, intermediate: 64}\n"
                              "  text: {width: 16, layers: 1, heads: 2, intermediate: 16, vocabulary: 32, positions: 64, load: null}\n"
                              "graphs: {train: {nodes: {tokens: {size: 32}}}, captions: {nodes: {tokens: {size: 32}}}}\n";

static const char zero_shot[] =
    "vars: {photos: photos, captions: photos/captions.tsv, share: 0.25, size: 32, pieces: 520, vocabulary: merges.txt, clip: '%s'}\n"
    "networks:\n"
    "  image: {units: 16, patch: 8, positions: 17, width: 32, layers: 2, heads: 2, intermediate: 64}\n"
    "  text: {units: 16, width: 24, layers: 2, heads: 3, intermediate: 48, positions: 20}\n"
    "graphs: {captions: {nodes: {tokens: {longest: 20}}}}\n";

static const char features[] =
    "vars: {photos: photos, captions: photos/captions.tsv, share: 0.25, size: 32, clip: '%s'}\n"
    "networks: {image: {units: 16, patch: 8, positions: 17, width: 32, layers: 2, heads: 2, intermediate: 64}}\n";

#define PHOTOGRAPHS 24

static char *folder;

static void
write_overlay (const char *name, const char *format)
{
  g_auto (GStrv) parts = g_strsplit (format, "%s", 2);
  g_autofree char *text = g_strconcat (parts[0], WEFT_TEST_SOURCE_DIR "/tests/recordings/clip-small-hf", parts[1], NULL);
  rig_write (folder, name, text, -1);
}

/* Photographs of three colours, recorded ones, a damaged one. */
static void
set_up (void)
{
  static const char *const names[] = { "red", "green", "blue" };
  static const guint8 colours[][3] = { { 200, 30, 30 }, { 30, 200, 30 }, { 30, 30, 200 } };
  g_autoptr (GString) captions = g_string_new (NULL);
  folder = rig_folder ();
  for (guint i = 0; i < PHOTOGRAPHS; i++)
    {
      g_autofree char *name = g_strdup_printf ("%02u.png", i), *path = g_build_filename ("photos", name, NULL);
      picture_write (folder, path, 40 + i, 36, colours[i % 3], i);
      g_string_append_printf (captions, "%s\ta %s one\n%s\tall of it is %s\n", name, names[i % 3], name, names[i % 3]);
    }
  gsize length;
  g_autofree char *jpeg = picture_recorded ("wide.jpg", &length);
  rig_write (folder, "photos/wide.jpg", jpeg, (gssize) length);
  rig_write (folder, "photos/cut.jpg", jpeg, (gssize) length / 3);
  g_string_append (captions, "wide.jpg\ta photograph\nwide.jpg\tit is wide\ncut.jpg\ta photograph\ncut.jpg\tit is cut\n");
  rig_write (folder, "photos/captions.tsv", captions->str, (gssize) captions->len);
  rig_write (folder, "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\none\nall\nof\nit\nis\nred\ngreen\nblue\nwide\nphotograph\n", -1);
  rig_write (folder, "merges.txt", "r e\nre d</w>\n", -1);
  write_overlay ("small.yaml", overlay);
  write_overlay ("zero.yaml", zero_shot);
  write_overlay ("features.yaml", features);
}

static void
tear_down (void)
{
  rig_remove (folder);
  g_free (folder);
}

/* Runs `weft ARGUMENTS` in the folder; what it printed. */
static char *
weft (const char *arguments, char **message)
{
  g_auto (GStrv) words = g_strsplit (arguments, " ", -1);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (all, g_build_filename (WEFT_TEST_BUILD_DIR, "weft", NULL));
  for (char **word = words; *word != NULL; word++)
    g_ptr_array_add (all, g_strdup (*word));
  g_ptr_array_add (all, NULL);
  g_autofree char *err = NULL;
  char *out = NULL;
  int status = 0;
  ck_assert (g_spawn_sync (folder, (char **) all->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, NULL));
  ck_assert_msg (WIFEXITED (status) && WEXITSTATUS (status) == 0, "weft %s: %s%s", arguments, out, err);
  if (message != NULL)
    *message = g_steal_pointer (&err);
  return out;
}

static guint
count_files (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *below = g_build_filename (path, name, NULL);
      n += g_file_test (below, G_FILE_TEST_IS_DIR) ? count_files (below) : 1;
    }
  return n;
}

static void
expect_rows (const char *name, gint64 rows, gint64 width)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (WeftNpy) npy = weft_npy_open (path, NULL);
  ck_assert_msg (npy != NULL, "%s", path);
  ck_assert_int_eq (weft_npy_tensor (npy)->shape[0], rows);
  ck_assert_int_eq (weft_npy_tensor (npy)->shape[1], width);
}

/* 25 photographs that can be read: 7 for dev, 6 for test (every fourth of 26 in the file, the last of which is damaged), 12 to train. */
START_TEST (photographs_become_a_trained_model)
{
  g_autofree char *kept = g_build_filename (folder, "kept", NULL), *message = NULL, *again = NULL;
  g_free (weft ("train user-photos -o small.yaml --output run", NULL));
  ck_assert_uint_eq (count_files (kept), 12 + 7);
  g_autofree char *first = weft ("evaluate run", &message);
  ck_assert_msg (strstr (message, "photos/cut.jpg: cannot be decoded") != NULL, "%s", message);
  ck_assert_ptr_nonnull (strstr (first, "rsum"));
  ck_assert_uint_eq (count_files (kept), 12 + 7 + 6);
  again = weft ("evaluate run", NULL);
  ck_assert_str_eq (first, again);
  /* Without what was kept it comes out the same. */
  rig_remove (kept);
  g_autofree char *fresh = weft ("evaluate run", NULL);
  ck_assert_str_eq (first, fresh);
  g_free (weft ("encode run --split test --output out", NULL));
  expect_rows ("out/images.npy", 6, 16);
  expect_rows ("out/captions.npy", 12, 16);
}
END_TEST

START_TEST (clip_scores_and_encodes_without_training)
{
  g_autofree char *numbers = weft ("evaluate clip-zero-shot -o zero.yaml", NULL);
  ck_assert_ptr_nonnull (strstr (numbers, "rsum"));
  g_free (weft ("encode clip-zero-shot -o zero.yaml --split dev --output out", NULL));
  expect_rows ("out/images.npy", 7, 16);
  expect_rows ("out/captions.npy", 14, 16);
  g_autofree char *cut = g_build_filename (folder, "photos/captions.tsv", NULL), *text = NULL;
  ck_assert (g_file_get_contents (cut, &text, NULL, NULL));
  *strstr (text, "cut.jpg") = '\0';
  rig_write (folder, "photos/captions.tsv", text, -1);
  g_free (weft ("encode clip-features -o features.yaml --output out", NULL));
  expect_rows ("out/train_clip.npy", 12, 16);
  expect_rows ("out/dev_clip.npy", 7, 16);
  expect_rows ("out/test_clip.npy", 6, 16);
}
END_TEST

START_TEST (published_sizes_fit_together)
{
  static const char *const checks[] = { "check user-photos --brief",
                                        "check user-photos -o clip-b16 --brief",
                                        "check user-photos -o clip-l14 --brief",
                                        "check clip-zero-shot -o clip-b16 --brief",
                                        "check clip-zero-shot -o clip-l14 --brief",
                                        "check clip-zero-shot -o clip-l14-336 --brief",
                                        "check clip-features -o clip-l14-336 --brief" };
  g_free (weft (checks[_i], NULL));
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("photos to model");
  TCase *tests = tcase_create ("photos to model");
  weft_registry_load (NULL);
  if (weft_registry_find ("photographs") == NULL)
    {
      printf ("built without libvips: photographs are not tested\n");
      return 77;
    }
  tcase_set_timeout (tests, 60);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, photographs_become_a_trained_model);
  tcase_add_test (tests, clip_scores_and_encodes_without_training);
  tcase_add_loop_test (tests, published_sizes_fit_together, 0, 7);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
