/* Photographs: formats of captions, splits, orientation, damaged and hostile files, features that are kept.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pictures.h"

#define SIZE 40
/* One level of 8 bits, in units of the normalised pixels. */
#define LEVEL 0.0151f

static char *folder;

static void
set_up (void)
{
  static const guint8 colours[][3] = { { 200, 30, 30 }, { 30, 200, 30 }, { 30, 30, 200 }, { 120, 120, 120 }, { 250, 250, 20 } };
  folder = rig_folder ();
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *name = g_strdup_printf ("photos/%c.png", 'a' + (char) i);
      picture_write (folder, name, 20 + 10 * i, 50 - 5 * i, colours[i], i);
    }
}

static void
tear_down (void)
{
  rig_remove (folder);
  g_free (folder);
}

static char *
yaml (const char *attributes, const char *collect)
{
  return g_strdup_printf (
      "graphs:\n  train:\n    nodes:\n      items: {op: photographs, path: '%s/photos', size: %d, %s}\n    collect: {%s}\n", folder, SIZE,
      attributes, collect);
}

static void start (Rig *rig, const char *collect, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
start (Rig *rig, const char *collect, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *attributes = g_strdup_vprintf (format, arguments), *text = yaml (attributes, collect);
  va_end (arguments);
  rig_start (rig, text);
}

static void
refuse (const char *attributes, const char *message)
{
  g_autofree char *text = yaml (attributes, "v: items.image, p: items.pixels");
  rig_expect_failure (text, message);
}

/* "caption|caption|…" of a whole pass. */
static char *
captions_of (const char *attributes)
{
  Rig rig;
  GString *all = g_string_new (NULL);
  start (&rig, "text: items.captions, image: items.image", "%s", attributes);
  for (guint64 step = 0; rig_step (&rig, step, 0); step++)
    {
      const WeftTensor *text = rig_value (&rig, "items.captions"), *image = rig_value (&rig, "items.image");
      for (gint64 i = 0; i < text->samples; i++)
        g_string_append_printf (all, "%d:%.*s|", ((const gint32 *) image->data)[i], text->offsets[i + 1] - text->offsets[i],
                                (const char *) text->data + text->offsets[i]);
    }
  rig_clear (&rig);
  return g_string_free (all, FALSE);
}

static void
expect_captions (const char *file, const char *more, const char *expected)
{
  g_autofree char *attributes = g_strdup_printf ("captions: '%s/%s', batch: 2%s", folder, file, more), *found = captions_of (attributes);
  ck_assert_msg (g_str_equal (found, expected), "%s%s: %s", file, more, found);
}

START_TEST (captions_are_read_in_every_form)
{
  rig_write (folder, "c.tsv", "a.png\ta red one \na.png#1\tred\nb.png#0\tgreen\tone\n\na.png\tmore red\n", -1);
  expect_captions ("c.tsv", "", "0:a red one|0:red|0:more red|1:green one|");
  expect_captions ("c.tsv", ", captions_per_image: 1", "0:a red one|1:green one|");
  expect_captions ("c.tsv", ", limit: 1", "0:a red one|0:red|0:more red|");

  rig_write (folder, "coco.json",
             "{\"images\": [{\"id\": 9, \"file_name\": \"b.png\"}, {\"id\": 7, \"file_name\": \"a.png\"}, {\"id\": 8, \"file_name\": "
             "\"c.png\"}], \"annotations\": [{\"image_id\": 7, \"caption\": \"red\\n\"}, {\"image_id\": 9, \"caption\": \"green\"}, "
             "{\"image_id\": 7, \"caption\": \"a red one\"}]}",
             -1);
  expect_captions ("coco.json", "", "0:green|1:red|1:a red one|");

  rig_write (
      folder, "karpathy.json",
      "{\"images\": [{\"filename\": \"a.png\", \"split\": \"train\", \"sentences\": [{\"raw\": \"red\"}, {\"raw\": \"a red one\"}]}, "
      "{\"filename\": \"b.png\", \"split\": \"val\", \"sentences\": [{\"raw\": \"green\"}]}, {"
      "\"filename\": \"c.png\", \"split\": \"test\", \"sentences\": [{\"raw\": \"blue\"}]}, {\"filepath\": \".\", \"filename\": "
      "\"d.png\", \"split\": \"restval\", \"sentences\": [{\"raw\": \"grey\"}]}]}",
      -1);
  expect_captions ("karpathy.json", "", "0:red|0:a red one|1:grey|");
  expect_captions ("karpathy.json", ", split: dev", "0:green|");

  rig_write (folder, "scan.txt", "red\na red one\ngreen\na green one\n", -1);
  rig_write (folder, "each.txt", "a.png\nb.png\n", -1);
  rig_write (folder, "every.txt", "a.png\na.png\nb.png\nb.png\n", -1);
  for (int i = 0; i < 2; i++)
    {
      g_autofree char *names = g_strdup_printf (", names: '%s/%s.txt'", folder, i ? "every" : "each");
      expect_captions ("scan.txt", names, "0:red|0:a red one|1:green|1:a green one|");
    }
}
END_TEST

START_TEST (captions_without_splits_are_shared_out)
{
  rig_write (folder, "c.tsv", "a.png\ta\nb.png\tb\nc.png\tc\nd.png\td\ne.png\te\n", -1);
  expect_captions ("c.tsv", ", share: 0.25, split: dev", "0:a|1:e|");
  expect_captions ("c.tsv", ", share: 0.25, split: test", "0:b|");
  expect_captions ("c.tsv", ", share: 0.25, split: train", "0:c|1:d|");
  expect_captions ("c.tsv", ", split: dev", "0:a|1:b|2:c|3:d|4:e|");
}
END_TEST

START_TEST (odd_captions_are_refused)
{
  static const struct
  {
    const char *name, *text, *more, *message;
  } cases[] = {
    { "c.tsv", "a.png\tred\n../secret.png\tx\n", "", "\"../secret.png\" is no name of a photograph in the folder" },
    { "c.tsv", "a.png\tred\n/etc/passwd\tx\n", "", "\"/etc/passwd\" is no name" },
    { "c.tsv", "a.png\tred\nb.png green\n", "", "c.tsv:2: expected image<TAB>caption" },
    { "c.tsv", "a.png\tred\n", ", caption_bytes: 2", "has 3 bytes, the pipeline declares caption_bytes: 2" },
    { "c.tsv", "a.png\tred\na.png\tr\nb.png\tgreen\n", ", items: captions", "set captions_per_image: 1" },
    { "c.tsv", "a.png\tred\n", ", share: 0.1", "has no photographs of the split train; share says" },
    { "c.txt", "red\ngreen\n", "", "set names to a file with the photographs' names" },
    { "c.json", "{\"images\": [", "", "c.json: not JSON" },
    { "c.json", "[]", "", "not a JSON object" },
    { "c.json", "{}", "", "has no list \"images\"" },
    { "c.json", "{\"images\": [{\"id\": 1}], \"annotations\": []}", "", "images[0] needs \"id\" and \"file_name\"" },
    { "c.json", "{\"images\": [{\"id\": 1, \"file_name\": \"a.png\"}], \"annotations\": [{\"image_id\": 2, \"caption\": \"x\"}]}", "",
      "annotations[0] needs \"caption\" and the \"image_id\" of one of the images" },
    { "c.json", "{\"images\": [{\"filename\": \"a.png\", \"split\": \"train\"}]}", "", "images[0] needs \"filename\", \"split\" and" },
    { "c.json", "{\"images\": [{\"filename\": \"a.png\", \"split\": \"train\", \"sentences\": [{\"tokens\": []}]}]}", "",
      "images[0] has a sentence without \"raw\"" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *attributes = g_strdup_printf ("captions: '%s/%s', batch: 1%s", folder, cases[i].name, cases[i].more);
      rig_write (folder, cases[i].name, cases[i].text, -1);
      refuse (attributes, cases[i].message);
    }
  refuse ("batch: 1", "without captions there are only images");
  /* Deeper than any stack. */
  g_autofree char *deep = g_strnfill (1000000, '['), *attributes = g_strdup_printf ("captions: '%s/deep.json', batch: 1", folder);
  memcpy (deep, "{\"images\":", strlen ("{\"images\":"));
  rig_write (folder, "deep.json", deep, -1);
  refuse (attributes, "deep.json: nested too deeply");
}
END_TEST

/* Pixels of the only photograph in another folder. */
static float *
pixels_of (const char *name, gconstpointer data, gsize length, const char *more)
{
  g_autofree char *other = g_build_filename (folder, "one", NULL);
  rig_remove (other);
  rig_write (other, name, data, (gssize) length);
  g_autofree char *text =
      g_strdup_printf ("graphs:\n  train:\n    nodes:\n      items: {op: photographs, path: '%s', size: %d, items: images, "
                       "batch: 1%s}\n    collect: {p: items.pixels}\n",
                       other, SIZE, more);
  Rig rig;
  rig_start (&rig, text);
  ck_assert (rig_step (&rig, 0, 0));
  float *pixels = g_new (float, 3 * SIZE * SIZE);
  memcpy (pixels, rig_value (&rig, "items.pixels")->data, 3 * SIZE * SIZE * sizeof (float));
  rig_clear (&rig);
  return pixels;
}

/* wide.jpg with an EXIF block that says how it is to be turned. */
static GByteArray *
oriented (guint8 orientation)
{
  const guint8 exif[] = { 0xff, 0xe1, 0,    34,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M',         0, 42, 0, 0, 0, 8,
                          0,    1,    0x01, 0x12, 0,   3,   0,   0,   0, 1, 0,   orientation, 0, 0,  0, 0, 0, 0 };
  gsize length;
  g_autofree char *jpeg = picture_recorded ("wide.jpg", &length);
  GByteArray *all = g_byte_array_new ();
  g_byte_array_append (all, (const guint8 *) jpeg, 2);
  g_byte_array_append (all, exif, sizeof exif);
  g_byte_array_append (all, (const guint8 *) jpeg + 2, (guint) length - 2);
  return all;
}

static float
worst_difference (const float *a, const float *b)
{
  float worst = 0;
  for (int i = 0; i < 3 * SIZE * SIZE; i++)
    worst = MAX (worst, fabsf (a[i] - b[i]));
  return worst;
}

static float *
pixels_of_recorded (const char *name)
{
  g_autofree char *path = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", "pictures", name, NULL), *data = NULL;
  gsize length;
  ck_assert (g_file_get_contents (path, &data, &length, NULL));
  return pixels_of (name, data, length, "");
}

/* Pictures that hold the same pixels in another form. */
START_TEST (forms_of_pictures_make_no_difference)
{
  static const struct
  {
    const char *name, *same;
    float levels;
  } forms[] = { { "rgb.webp", "rgb.png", 0 },
                { "rgb.tif", "rgb.png", 0 },
                { "alpha.png", "rgb.png", 0 },
                { "grey.png", "grey-rgb.png", 0 },
                { "grey-alpha.png", "grey-rgb.png", 0 },
                { "palette.png", "palette-rgb.png", 0 },
                { "progressive.jpg", "rgb.png", 90 } };
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      g_autofree float *found = pixels_of_recorded (forms[i].name), *expected = pixels_of_recorded (forms[i].same);
      ck_assert_msg (worst_difference (found, expected) <= forms[i].levels * LEVEL, "%s differs by %g", forms[i].name,
                     worst_difference (found, expected));
    }
  /* Colours for printing are approximations, but pictures. */
  g_free (pixels_of_recorded ("cmyk.jpg"));
}
END_TEST

START_TEST (photographs_are_turned_upright)
{
  gsize length;
  g_autofree char *jpeg = picture_recorded ("wide.jpg", &length);
  g_autofree float *upright = pixels_of ("a.jpg", jpeg, length, ""), *turned = g_new (float, 3 * SIZE * SIZE);
  static const guint8 orientations[] = { 1, 3, 6 };
  for (guint i = 0; i < G_N_ELEMENTS (orientations); i++)
    {
      GByteArray *data = oriented (orientations[i]);
      g_autofree float *found = pixels_of ("a.jpg", data->data, data->len, "");
      for (int c = 0; c < 3; c++)
        for (int y = 0; y < SIZE; y++)
          for (int x = 0; x < SIZE; x++)
            {
              /* 3: upside down; 6: to be turned clockwise, so that the left edge is at the top. */
              int from = orientations[i] == 1   ? y * SIZE + x
                         : orientations[i] == 3 ? (SIZE - 1 - y) * SIZE + SIZE - 1 - x
                                                : (SIZE - 1 - x) * SIZE + y;
              turned[(c * SIZE + y) * SIZE + x] = upright[c * SIZE * SIZE + from];
            }
      ck_assert_msg (worst_difference (found, turned) <= 2 * LEVEL, "orientation %d differs by %g", orientations[i],
                     worst_difference (found, turned));
      ck_assert (orientations[i] == 1 || worst_difference (found, upright) > 20 * LEVEL);
      g_byte_array_unref (data);
    }
}
END_TEST

START_TEST (shrinking_changes_little)
{
  gsize length;
  g_autofree char *jpeg = picture_recorded ("square.jpg", &length);
  g_autofree float *full = pixels_of ("a.jpg", jpeg, length, ""), *shrunk = pixels_of ("a.jpg", jpeg, length, ", least_side: 80");
  g_autofree float *same = pixels_of ("a.jpg", jpeg, length, ", least_side: 200");
  double sum = 0;
  for (int i = 0; i < 3 * SIZE * SIZE; i++)
    sum += fabsf (full[i] - shrunk[i]);
  ck_assert_double_gt (sum, 0);
  ck_assert_double_lt (sum / (3 * SIZE * SIZE), 5 * LEVEL);
  ck_assert (worst_difference (full, same) == 0);
}
END_TEST

/* What is damaged, and what is said of it. */
static const struct
{
  const char *name, *data;
  gsize length;
  const char *message;
} damaged[] = {
  { "b.png", "", 0, "is no JPEG, PNG, WebP or TIFF picture" },
  { "b.png", "<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>", 72, "is no JPEG, PNG, WebP or TIFF picture" },
  { "b.png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, "cannot be decoded" },
  { "b.png", "\xff\xd8\xff\xe0 nothing", 12, "cannot be decoded" },
  { "b.png", "RIFF\x10\0\0\0WEBPVP8 zzzz", 20, "cannot be decoded" },
  { "b.png", "II*\0\xff\xff\xff\xff", 8, "cannot be decoded" },
};

START_TEST (damaged_photographs_fail_or_are_left_out)
{
  rig_write (folder, "c.tsv", "a.png\ta\nb.png\tb\nc.png\tc\n", -1);
  g_autofree char *attributes = g_strdup_printf ("captions: '%s/c.tsv', batch: 3", folder),
                  *skip = g_strconcat (attributes, ", damaged: skip", NULL);
  rig_write (folder, "photos/b.png", damaged[_i].data, (gssize) damaged[_i].length);
  refuse (attributes, damaged[_i].message);
  refuse (attributes, "photos/b.png: ");
  refuse (attributes, "set damaged: skip");
  g_autofree char *left = captions_of (skip), *again = NULL;
  ck_assert_str_eq (left, "0:a|1:c|");
  /* What was sound before is tried again once it changed. */
  rig_write (folder, "photos/c.png", damaged[_i].data, (gssize) damaged[_i].length);
  again = captions_of (skip);
  ck_assert_str_eq (again, "0:a|");
}
END_TEST

/* One word about the folder, not one for each of its photographs. */
START_TEST (wrong_folders_are_told)
{
  g_autofree char *attributes = g_strdup_printf ("captions: '%s/c.tsv', batch: 1", folder),
                  *skip = g_strconcat (attributes, ", damaged: skip", NULL);
  rig_write (folder, "c.tsv", "x/b.png\tb\nx/c.png\tc\n", -1);
  refuse (attributes, "/photos: none of the 2 photographs that ");
  refuse (skip, "c.tsv names is here, x/b.png the first; set path");
}
END_TEST

START_TEST (hostile_photographs_are_refused)
{
  g_autofree char *attributes = g_strdup_printf ("captions: '%s/c.tsv', batch: 1", folder),
                  *path = g_build_filename (folder, "photos/b.png", NULL);
  rig_write (folder, "c.tsv", "b.png\tb\n", -1);
  /* A megabyte of zeros that claims to be of ten billion pixels. */
  g_autofree guint8 *zeros = g_malloc0 (1 << 20);
  GByteArray *bomb = picture_png (100000, 100000, zeros, 1 << 20);
  rig_write (folder, "photos/b.png", bomb->data, (gssize) bomb->len);
  g_byte_array_unref (bomb);
  refuse (attributes, "100000 × 100000 pixels, more than 100000000; set most_pixels");
  /* Lines that are missing, and a file that is cut off. */
  GByteArray *few = picture_png (600, 600, zeros, 1 << 18);
  rig_write (folder, "photos/b.png", few->data, (gssize) few->len);
  g_byte_array_unref (few);
  refuse (attributes, "photos/b.png: cannot be decoded");
  gsize length;
  g_autofree char *jpeg = picture_recorded ("wide.jpg", &length);
  rig_write (folder, "photos/b.png", jpeg, (gssize) length / 2);
  refuse (attributes, "photos/b.png: cannot be decoded");
  /* A line of a picture, of which a square would be enormous. */
  GByteArray *line = picture_png (1 << 20, 1, zeros, 3 * (1 << 18));
  rig_write (folder, "photos/b.png", line->data, (gssize) line->len);
  g_byte_array_unref (line);
  refuse (attributes, "photos/b.png: ");
  ck_assert_int_eq (g_remove (path), 0);
  refuse (attributes, "photos/b.png: No such file or directory");
  ck_assert_int_eq (mkfifo (path, 0600), 0);
  refuse (attributes, "photos/b.png: is no file of at most 256 MiB");
}
END_TEST

START_TEST (folders_are_searched)
{
  Rig rig;
  gsize length;
  g_autofree char *jpeg = picture_recorded ("wide.jpg", &length);
  rig_write (folder, "photos/below/deep/x.JPG", jpeg, (gssize) length);
  rig_write (folder, "photos/notes.txt", "no picture", -1);
  /* Splits are those of captions. */
  start (&rig, "p: items.pixels, n: items.name", "items: images, batch: 4, share: 0.5, split: dev");
  ck_assert (rig_step (&rig, 0, 0));
  const WeftTensor *name = rig_value (&rig, "items.name");
  ck_assert_int_eq (name->samples, 4);
  ck_assert_int_eq (memcmp (name->data, "a.pngb.pngbelow/deep/x.JPGc.png", (gsize) name->shape[0]), 0);
  ck_assert_int_eq (rig_value (&rig, "items.pixels")->shape[0], 4);
  ck_assert (rig_step (&rig, 1, 0));
  ck_assert_int_eq (rig_value (&rig, "items.pixels")->shape[0], 2);
  ck_assert (!rig_step (&rig, 2, 0));
  rig_clear (&rig);
  /* Captions that speak of other photographs say nothing of these; where they speak of some, the others are missing. */
  rig_write (folder, "c.tsv", "other.png\tother\n", -1);
  start (&rig, "i: items.image", "items: images, batch: 9, captions: '%s/c.tsv'", folder);
  ck_assert (rig_step (&rig, 0, 0));
  ck_assert_int_eq (rig_value (&rig, "items.image")->shape[0], 6);
  rig_clear (&rig);
  rig_write (folder, "c.tsv", "other.png\tother\na.png\tred\n", -1);
  g_autofree char *attributes = g_strdup_printf ("items: images, batch: 1, captions: '%s/c.tsv'", folder);
  refuse (attributes, "other.png: No such file or directory");
}
END_TEST

/* A graph that keeps means of patches, computed by a layer; @units: of it. */
static char *
keeping (const char *more)
{
  return g_strdup_printf (
      "modules:\n  tower:\n    inputs: {pixels: \"f32[b, 3, y, x]\"}\n    nodes:\n      patches: {op: patches, pixels: pixels, "
      "patch: 20}\n      rows: {op: linear, x: patches, units: 6}\n      vector: {op: segment_mean, x: rows}\n    outputs: "
      "{rows: rows, vector: vector}\nnetworks: {tower: {module: tower, frozen: true}}\ngraphs:\n  train:\n    nodes:\n      "
      "items: {op: photographs, path: '%s/photos', captions: '%s/c.tsv', size: %d, batch: 3, cache: '%s/kept', networks: "
      "tower%s}\n      seen: {use: tower, pixels: items.fresh}\n      all: {use: tower, pixels: items.pixels}\n      kept: {op: "
      "feature_cache, path: '%s/kept', most_rows: 4, place: items.place, key: items.key, rows: seen.rows, vectors: "
      "seen.vector}\n    collect: {rows: kept.rows, vectors: kept.vectors, fresh: items.fresh, all: all.rows, means: all.vector}\n",
      folder, folder, SIZE, folder, more, folder);
}

/* Features of every item are those computed of its own picture; returns how many pictures were fresh in the pass. */
static gint64
pass_over (const char *text, guint64 seed)
{
  Rig rig;
  gint64 fresh = 0;
  g_autoptr (GError) error = NULL;
  if (!rig_open (&rig, text, seed, &error))
    ck_abort_msg ("%s", error->message);
  for (guint64 step = 0; rig_step (&rig, step, 0); step++)
    {
      const WeftTensor *rows = rig_value (&rig, "kept.rows"), *all = rig_value (&rig, "all.rows");
      const WeftTensor *vectors = rig_value (&rig, "kept.vectors"), *means = rig_value (&rig, "all.vector");
      fresh += rig_value (&rig, "items.fresh")->shape[0];
      ck_assert_int_eq (rows->shape[0], all->shape[0]);
      ck_assert_int_eq (memcmp (rows->data, all->data, weft_tensor_bytes (all)), 0);
      ck_assert_int_eq (memcmp (rows->offsets, all->offsets, (gsize) (all->samples + 1) * sizeof (gint32)), 0);
      ck_assert_int_eq (memcmp (vectors->data, means->data, weft_tensor_bytes (means)), 0);
    }
  rig_clear (&rig);
  return fresh;
}

/* Cuts the end off all that is kept. */
static void
cut_kept (void)
{
  g_autofree char *kept = g_build_filename (folder, "kept", NULL);
  g_autoptr (GDir) dir = g_dir_open (kept, 0, NULL);
  const char *sub, *name;
  while ((sub = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (kept, sub, NULL);
      g_autoptr (GDir) below = g_dir_open (path, 0, NULL);
      while ((name = g_dir_read_name (below)) != NULL)
        {
          g_autofree char *file = g_build_filename (path, name, NULL);
          GStatBuf status;
          ck_assert (g_stat (file, &status) == 0 && truncate (file, status.st_size - 4) == 0);
        }
    }
}

START_TEST (features_are_computed_once)
{
  rig_write (folder, "c.tsv", "a.png\ta\nb.png\tb\na.png\ta\nc.png\tc\nc.png\tc\nc.png\tc\nd.png\td\n", -1);
  g_autofree char *text = keeping (""), *shuffled = keeping (", shuffle: true");
  ck_assert_int_eq (pass_over (text, 7), 4);
  ck_assert_int_eq (pass_over (text, 7), 0);
  ck_assert_int_eq (pass_over (shuffled, 7), 0);
  /* Other weights, another picture under the old name. */
  ck_assert_int_eq (pass_over (text, 8), 4);
  picture_write (folder, "photos/a.png", 50, 50, (const guint8[]){ 1, 2, 3 }, 99);
  ck_assert_int_eq (pass_over (text, 7), 1);
  /* What was cut off is told, and computed again once it was removed. */
  g_autofree char *kept = g_build_filename (folder, "kept", NULL);
  cut_kept ();
  rig_expect_failure (text, "ends too early; remove it");
  rig_remove (kept);
  ck_assert_int_eq (pass_over (text, 7), 4);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("photographs");
  TCase *tests = tcase_create ("photographs");
  weft_registry_load (NULL);
  if (weft_registry_find ("photographs") == NULL)
    {
      printf ("built without libvips: photographs are not tested\n");
      return 77;
    }
  tcase_set_timeout (tests, 60);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, captions_are_read_in_every_form);
  tcase_add_test (tests, captions_without_splits_are_shared_out);
  tcase_add_test (tests, odd_captions_are_refused);
  tcase_add_test (tests, forms_of_pictures_make_no_difference);
  tcase_add_test (tests, photographs_are_turned_upright);
  tcase_add_test (tests, shrinking_changes_little);
  tcase_add_loop_test (tests, damaged_photographs_fail_or_are_left_out, 0, G_N_ELEMENTS (damaged));
  tcase_add_test (tests, wrong_folders_are_told);
  tcase_add_test (tests, hostile_photographs_are_refused);
  tcase_add_test (tests, folders_are_searched);
  tcase_add_test (tests, features_are_computed_once);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
