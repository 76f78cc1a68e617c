/* Data sets in SCAN layout: finding, checking and reading files.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "files.h"

#include <string.h>

#define FAIL(...) (g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, __VA_ARGS__), FALSE)
#define D "%" G_GINT64_FORMAT

/* Returns: where the split's file with this ending is, %NULL if it is missing. */
static char *
find (const RegionLayout *layout, const char *ending)
{
  static const char *const folders[] = { ".", "precomp" };
  g_autofree char *name = g_strconcat (layout->split, ending, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *path =
          i == 0 ? g_build_filename (layout->folder, name, NULL) : g_build_filename (layout->folder, folders[i], name, NULL);
      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&path);
    }
  return NULL;
}

/* Like find(), but the file has to exist; the message lists the splits that there are. */
static char *
demand (const RegionLayout *layout, const char *ending, const char *what, GError **error)
{
  char *path = find (layout, ending);
  if (path != NULL)
    return path;
  if (!g_file_test (layout->folder, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: no such folder; set path to the folder that holds %s%s", layout->folder,
                   layout->split, ending);
      return NULL;
    }
  g_autoptr (GString) others = g_string_new (NULL);
  static const char *const splits[] = { "train", "dev", "val", "test", "testall" };
  for (gsize i = 0; i < G_N_ELEMENTS (splits); i++)
    {
      RegionLayout other = *layout;
      other.split = splits[i];
      g_autofree char *found = find (&other, ending);
      if (found != NULL)
        g_string_append_printf (others, "%s%s", others->len > 0 ? ", " : "; splits found there: ", splits[i]);
    }
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: neither %s%s nor precomp/%s%s (%s) is there%s", layout->folder, layout->split,
               ending, layout->split, ending, what, others->str);
  return NULL;
}

static gboolean
is_float (WeftType type)
{
  return type == WEFT_F32 || type == WEFT_F16 || type == WEFT_F64;
}

/* Reads `*_counts.npy` and checks every count. */
static gint32 *
read_counts (const char *path, gint64 most, gint64 *n, GError **error)
{
  g_autoptr (WeftNpy) npy = weft_npy_open (path, error);
  if (npy == NULL)
    return NULL;
  const WeftTensor *tensor = weft_npy_tensor (npy);
  if (tensor->rank != 1 || (tensor->type != WEFT_I32 && tensor->type != WEFT_I64))
    {
      g_autofree char *found = weft_tensor_describe (tensor);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: holds %s, expected one int32 or int64 count for each image", path, found);
      return NULL;
    }
  *n = tensor->shape[0];
  g_autofree gint64 *wide = g_new (gint64, MAX (*n, 1));
  g_autofree gint32 *counts = g_new (gint32, MAX (*n, 1));
  if (!weft_npy_read (npy, 0, *n, wide, error))
    return NULL;
  const gint32 *narrow = (const gint32 *) wide;
  for (gint64 i = 0; i < *n; i++)
    {
      gint64 count = tensor->type == WEFT_I32 ? narrow[i] : wide[i];
      if (count < 1 || count > most)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                       "%s: row " D " (counted from 0) says " D " regions, expected 1 to " D
                       "; set regions to the greatest count, and leave images without regions out",
                       path, i, count, most);
          return NULL;
        }
      counts[i] = (gint32) count;
    }
  return g_steal_pointer (&counts);
}

/* `[T, D]`: images follow each other without padding, cut by their counts. */
static gboolean
check_packed (RegionFiles *files, gint64 n, gint64 *rows, GError **error)
{
  const WeftTensor *tensor = weft_npy_tensor (files->features);
  if (files->counts == NULL)
    return FAIL ("%s: two dimensions, [" D ", " D "], expected [images, regions, width]; packed regions need a *_counts.npy beside them",
                 files->features_path, tensor->shape[0], tensor->shape[1]);
  files->starts = g_new (gint64, n + 1);
  gint64 total = 0;
  for (gint64 i = 0; i < n; i++)
    {
      files->starts[i] = total;
      total += files->counts[i];
    }
  files->starts[n] = total;
  if (total != tensor->shape[0])
    return FAIL ("%s: " D " regions, but the counts beside it add up to " D, files->features_path, tensor->shape[0], total);
  *rows = n;
  return TRUE;
}

static gboolean
check_dense (const RegionFiles *files, const RegionLayout *layout, GError **error)
{
  if (files->counts == NULL && (files->regions > layout->regions || files->regions < 1))
    return FAIL ("%s: images have " D " regions, the pipeline declares regions: " D "; set regions: " D, files->features_path,
                 files->regions, layout->regions, MAX (files->regions, 1));
  return TRUE;
}

/* Opens regions and counts. @rows: how many images the file has, with repetitions. What only matters to those who read regions is
 * not checked for others, so that a graph of captions need not declare widths. */
static gboolean
open_features (RegionFiles *files, const RegionLayout *layout, gint64 *rows, GError **error)
{
  files->features_path = demand (layout, "_ims.npy", "the region features", error);
  if (files->features_path == NULL || (files->features = weft_npy_open (files->features_path, error)) == NULL)
    return FALSE;
  const WeftTensor *tensor = weft_npy_tensor (files->features);
  if (!is_float (tensor->type) || tensor->rank < 2 || tensor->rank > 4)
    {
      g_autofree char *found = weft_tensor_describe (tensor);
      return FAIL ("%s: holds %s, expected float16 or float32 [images, regions, width]", files->features_path, found);
    }
  gboolean packed = tensor->rank == 2;
  files->width = weft_tensor_last (tensor);
  files->regions = packed ? layout->regions : tensor->shape[1] * (tensor->rank == 4 ? tensor->shape[2] : 1);
  if (layout->need_features && files->width != layout->width)
    return FAIL ("%s: regions are " D " wide, the pipeline declares width: " D "; set width: " D, files->features_path, files->width,
                 layout->width, files->width);
  g_autofree char *counts_path = find (layout, "_counts.npy");
  gint64 n_counts = 0;
  if (counts_path != NULL && (layout->need_features || packed))
    {
      gint64 most = layout->need_features ? MIN (files->regions, layout->regions) : G_MAXINT32;
      files->counts = read_counts (counts_path, most, &n_counts, error);
      if (files->counts == NULL)
        return FALSE;
    }
  if (packed)
    return check_packed (files, n_counts, rows, error);
  *rows = tensor->shape[0];
  if (files->counts != NULL && n_counts != *rows)
    return FAIL ("%s: " D " counts for the " D " images of %s", counts_path, n_counts, *rows, files->features_path);
  return !layout->need_features || check_dense (files, layout, error);
}

typedef struct
{
  const RegionLayout *layout;
  const char *path;
} Captions;

static gboolean
check_caption (guint line, const char *text G_GNUC_UNUSED, gsize length, gpointer data, GError **error)
{
  const Captions *captions = data;
  if (!captions->layout->need_captions || (gint64) length <= captions->layout->caption_bytes)
    return TRUE;
  return FAIL ("%s:%u: %" G_GSIZE_FORMAT " bytes long, the pipeline declares caption_bytes: " D "; shorten the caption or set "
               "caption_bytes: %" G_GSIZE_FORMAT,
               captions->path, line, length, captions->layout->caption_bytes, length);
}

static gboolean
open_captions (RegionFiles *files, const RegionLayout *layout, GError **error)
{
  files->captions_path = layout->need_captions ? demand (layout, "_caps.txt", "the captions", error) : find (layout, "_caps.txt");
  if (files->captions_path == NULL)
    return !layout->need_captions;
  Captions captions = { layout, files->captions_path };
  files->captions = weft_line_file_open (files->captions_path, FALSE, check_caption, &captions, error);
  if (files->captions == NULL)
    return FALSE;
  files->n_captions = weft_line_file_count (files->captions);
  return files->n_captions > 0 || FAIL ("%s: no captions, expected one a line", files->captions_path);
}

/* Without features, the number of captions of an image is what the pipeline says. */
static gboolean
match_captions_alone (RegionFiles *files, gint64 per_image, GError **error)
{
  files->captions_per_image = per_image;
  files->images = files->n_captions / per_image;
  return files->n_captions % per_image == 0
         || FAIL ("%s: " D " captions are not a multiple of captions_per_image: " D, files->captions_path, files->n_captions, per_image);
}

#define CAPTIONS_PER_IMAGE 5

/* Whether `*_ids.txt` names the same image for five captions at a time: some copies repeat an image's rows like that. */
static gboolean
repeats_images (const RegionLayout *layout, gint64 rows)
{
  g_autofree char *path = find (layout, "_ids.txt");
  g_autoptr (WeftLines) ids = path != NULL ? weft_lines_read (path, TRUE, NULL) : NULL;
  if (ids == NULL || weft_lines_count (ids) != rows || rows % CAPTIONS_PER_IMAGE != 0)
    return FALSE;
  for (guint i = 0; i < rows; i++)
    if (strcmp (weft_lines_get (ids, i, NULL), weft_lines_get (ids, i - i % CAPTIONS_PER_IMAGE, NULL)) != 0)
      return FALSE;
  return TRUE;
}

/* How many captions an image has, where the pipeline leaves it open. */
static gint64
guess_captions (const RegionLayout *layout, gint64 rows, gint64 captions)
{
  return rows == captions && !repeats_images (layout, rows) ? 1 : CAPTIONS_PER_IMAGE;
}

/* Which caption belongs to which row: one each, or five consecutive captions to a row. */
static gboolean
match (RegionFiles *files, const RegionLayout *layout, gint64 rows, GError **error)
{
  gint64 declared = layout->captions_per_image, captions = files->n_captions;
  files->rows_per_image = 1;
  if (files->features == NULL)
    return match_captions_alone (files, declared, error);
  if (files->captions == NULL)
    {
      files->captions_per_image = MAX (declared, 1);
      files->images = rows;
      files->n_captions = rows * files->captions_per_image;
      return TRUE;
    }
  if (rows == 0)
    return FAIL ("%s: holds no images, expected at least one: extract it again", files->features_path);
  gint64 per_image = declared > 0 ? declared : guess_captions (layout, rows, captions);
  if (rows != captions && rows * per_image != captions && declared == 0)
    return FAIL ("%s has " D " images and %s has " D " captions; expected " D " (one an image) or " D
                 " (five an image) captions; for another "
                 "number set captions_per_image",
                 files->features_path, rows, files->captions_path, captions, rows, 5 * rows);
  if (rows != captions && rows * per_image != captions)
    return FAIL ("%s has " D " images and %s has " D " captions; expected " D " captions with captions_per_image: " D, files->features_path,
                 rows, files->captions_path, captions, rows * per_image, per_image);
  if (rows == captions && rows % per_image != 0)
    return FAIL ("%s: " D " rows, one for each caption, are not a multiple of captions_per_image: " D, files->features_path, rows,
                 per_image);
  files->rows_per_image = rows == captions ? per_image : 1;
  files->captions_per_image = per_image;
  files->images = rows / files->rows_per_image;
  return TRUE;
}

static gboolean
open_clip (RegionFiles *files, const RegionLayout *layout, GError **error)
{
  files->clip_path = demand (layout, "_clip.npy", "CLIP embeddings, because the pipeline reads them", error);
  if (files->clip_path == NULL || (files->clip = weft_npy_open (files->clip_path, error)) == NULL)
    return FALSE;
  const WeftTensor *tensor = weft_npy_tensor (files->clip);
  if (!is_float (tensor->type) || tensor->rank != 2)
    {
      g_autofree char *found = weft_tensor_describe (tensor);
      return FAIL ("%s: holds %s, expected float16 or float32 [images, clip_width]", files->clip_path, found);
    }
  files->clip_width = tensor->shape[1];
  if (files->clip_width != layout->clip_width)
    return FAIL ("%s: embeddings are " D " wide, the pipeline declares clip_width: " D "; set clip_width: " D, files->clip_path,
                 files->clip_width, layout->clip_width, files->clip_width);
  gint64 repeated = files->images * files->captions_per_image;
  if (tensor->shape[0] != files->images && tensor->shape[0] != repeated)
    return FAIL ("%s: " D " embeddings for " D " images; expected one an image", files->clip_path, tensor->shape[0], files->images);
  files->clip_rows_per_image = tensor->shape[0] == files->images ? 1 : files->captions_per_image;
  return TRUE;
}

static void
cut (RegionFiles *files, const RegionLayout *layout)
{
  if (layout->first_captions > 0 && files->n_captions > layout->first_captions)
    {
      files->n_captions = layout->first_captions;
      files->images = (files->n_captions + files->captions_per_image - 1) / files->captions_per_image;
    }
  if (layout->limit > 0 && files->images > layout->limit)
    {
      files->images = layout->limit;
      files->n_captions = MIN (files->n_captions, files->images * files->captions_per_image);
    }
}

RegionFiles *
region_files_open (const RegionLayout *layout, GError **error)
{
  g_autoptr (RegionFiles) files = g_new0 (RegionFiles, 1);
  gint64 rows = 0;
  /* Unless the pipeline says how many captions an image has, it takes both files to know. */
  gboolean need_rows = layout->need_features || layout->need_clip || !layout->need_captions || layout->captions_per_image == 0;
  if ((need_rows && !open_features (files, layout, &rows, error)) || !open_captions (files, layout, error)
      || !match (files, layout, rows, error) || (layout->need_clip && !open_clip (files, layout, error)))
    return NULL;
  if (files->images < 1)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: no images", files->features_path);
      return NULL;
    }
  if (MAX (files->n_captions, files->images) > G_MAXINT32)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: " D " captions are more than can be numbered; use several folders",
                   layout->folder, files->n_captions);
      return NULL;
    }
  cut (files, layout);
  return g_steal_pointer (&files);
}

void
region_files_close (RegionFiles *files)
{
  if (files == NULL)
    return;
  weft_npy_close (files->features);
  weft_npy_close (files->clip);
  weft_line_file_close (files->captions);
  g_free (files->counts);
  g_free (files->starts);
  g_free (files->features_path);
  g_free (files->captions_path);
  g_free (files->clip_path);
  g_free (files);
}

gint64
region_files_count (const RegionFiles *files, gint64 image)
{
  return files->counts != NULL ? files->counts[image * files->rows_per_image] : files->regions;
}

static gsize
row_bytes (const WeftNpy *npy)
{
  return npy == NULL ? 0 : weft_type_size (weft_npy_tensor (npy)->type) * (gsize) weft_tensor_columns (weft_npy_tensor (npy));
}

gsize
region_files_buffer (const RegionFiles *files)
{
  gsize regions = row_bytes (files->features) * (files->starts != NULL ? (gsize) files->regions : 1);
  return MAX (MAX (regions, row_bytes (files->clip)), 1);
}

static gboolean
all_finite (const float *values, gint64 n)
{
  /* A float is not finite if all bits of its exponent are set. */
  guint32 bad = 0;
  for (gint64 i = 0; i < n; i++)
    {
      guint32 bits;
      memcpy (&bits, values + i, sizeof bits);
      bad |= (bits & 0x7f800000u) == 0x7f800000u;
    }
  return bad == 0;
}

/* Reads @n rows as they are stored, of which the first @elements elements are wanted as float32. */
static gboolean
read_rows (const WeftNpy *npy, gint64 first, gint64 n, gint64 elements, float *values, gpointer buffer, GError **error)
{
  const WeftTensor *tensor = weft_npy_tensor (npy);
  gboolean direct = tensor->type == WEFT_F32 && n * weft_tensor_columns (tensor) == elements;
  if (!weft_npy_read (npy, first, n, direct ? values : buffer, error))
    return FALSE;
  if (!direct)
    weft_convert_to_f32 (tensor->type, buffer, elements, values);
  return TRUE;
}

gboolean
region_files_read (const RegionFiles *files, gint64 image, float *regions, gpointer buffer, GError **error)
{
  gint64 row = image * files->rows_per_image, elements = region_files_count (files, image) * files->width;
  gboolean packed = files->starts != NULL;
  if (!read_rows (files->features, packed ? files->starts[row] : row, packed ? files->counts[row] : 1, elements, regions, buffer, error))
    return FALSE;
  return all_finite (regions, elements)
         || FAIL ("%s: image " D " (row " D ", counted from 0) has a value that is not finite", files->features_path, image, row);
}

gboolean
region_files_read_clip (const RegionFiles *files, gint64 image, float *clip, gpointer buffer, GError **error)
{
  gint64 row = image * files->clip_rows_per_image;
  return read_rows (files->clip, row, 1, files->clip_width, clip, buffer, error)
         && (all_finite (clip, files->clip_width)
             || FAIL ("%s: row " D " (counted from 0) has a value that is not finite", files->clip_path, row));
}
