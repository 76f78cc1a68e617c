/* Region features and captions of a data set in SCAN layout, batch by batch.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "reader.h"

enum
{
  REGIONS,
  CAPTIONS,
  CLIP,
  IMAGE,
  CAPTION
};
enum
{
  PAIRS,
  IMAGES,
  CAPTION_ITEMS
};
enum
{
  KEEP_AUTO,
  KEEP_YES,
  KEEP_NO
};

/* SCAN, VSE-infinity and USER score no more of any development split. */
#define FIRST_DEV_CAPTIONS 5000

/* In VSE-infinity's rule for grids, a sample whose draw u is not above this keeps all of its cells. */
#define GRID_KEEPS 0.2f

typedef struct
{
  const char *path, *split;
  int items, keep_last;
  gint64 batch, regions, width, clip_width, limit, first_captions, captions_per_image, caption_bytes;
  gboolean shuffle, grid_drop;
  double drop;
} Attributes;

typedef struct
{
  RegionFiles *files;
  ItemOrder order;
  RegionReader *reader;
  GString *caption; /* the last that was read */
} Instance;

static void
close_features (gpointer data)
{
  Instance *instance = data;
  region_reader_free (instance->reader);
  region_files_close (instance->files);
  g_string_free (instance->caption, TRUE);
  g_free (instance->order.path);
  g_free (instance);
}

static gboolean
check_order (const Attributes *a, const ItemOrder *order, GError **error)
{
  if (item_order_end (order) > 0)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
               "%s: the split %s has %u items, fewer than one batch of %" G_GINT64_FORMAT
               ", and a last partial batch is dropped when items are shuffled; set a smaller batch, or keep_last: true",
               a->path, a->split, order->n, a->batch);
  return FALSE;
}

static gpointer
open_features (const WeftOpening *opening, GError **error)
{
  const Attributes *a = opening->attributes;
  gboolean text = opening->out[CAPTIONS] != NULL || opening->out[CAPTION] != NULL;
  if (a->items == IMAGES && text)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "%s: with items: images there are no captions to read, an image has several; set items: "
                   "captions or items: pairs",
                   opening->path);
      return NULL;
    }
  gint64 first = a->first_captions >= 0 ? a->first_captions : strcmp (a->split, "dev") == 0 ? FIRST_DEV_CAPTIONS : 0;
  RegionLayout layout = { .folder = a->path,
                          .split = a->split,
                          .captions_per_image = a->captions_per_image,
                          .regions = a->regions,
                          .width = a->width,
                          .clip_width = a->clip_width,
                          .limit = a->limit,
                          .first_captions = first,
                          .caption_bytes = a->caption_bytes,
                          .need_features = opening->out[REGIONS] != NULL,
                          .need_clip = opening->out[CLIP] != NULL,
                          .need_captions = a->items != IMAGES };
  RegionFiles *files = region_files_open (&layout, error);
  if (files == NULL)
    return NULL;
  Instance *instance = g_new0 (Instance, 1);
  instance->files = files;
  instance->caption = g_string_new (NULL);
  instance->order = (ItemOrder){ .n = (guint32) (a->items == IMAGES ? files->images : files->n_captions),
                                 .batch = a->batch,
                                 .shuffle = a->shuffle,
                                 .seed = opening->seed,
                                 .path = g_strdup (opening->path),
                                 .keep_last = a->keep_last == KEEP_YES || (a->keep_last == KEEP_AUTO && !a->shuffle) };
  if (!check_order (a, &instance->order, error))
    {
      close_features (instance);
      return NULL;
    }
  instance->reader = region_reader_new (files, &instance->order, a->items == IMAGES ? 1 : files->captions_per_image, layout.need_features,
                                        layout.need_clip);
  return instance;
}

/* Probability with which a region of sample @sample is dropped.
 * Regions: a constant. Grids: drop * u if u > 0.2, else 0, u uniform in [0, 1) for each sample. (VSE-infinity, Chen et al. 2021) */
static float
drop_rate (const WeftCall *call, gint64 sample)
{
  const Attributes *a = call->attributes;
  if (call->mode != WEFT_MODE_TRAIN)
    return 0;
  if (!a->grid_drop)
    return (float) a->drop;
  float u = weft_random_uniform (weft_random_split (call->random, 1), (guint32) sample);
  return u > GRID_KEEPS ? (float) a->drop * u : 0;
}

/* Copies the regions of one sample that are not dropped; at least one is kept. Returns how many. */
static gint64
copy_regions (const WeftCall *call, gint64 sample, const float *from, gint64 count, float *to)
{
  const Attributes *a = call->attributes;
  gsize size = (gsize) a->width;
  float rate = drop_rate (call, sample);
  if (rate <= 0)
    {
      memcpy (to, from, (gsize) count * size * sizeof (float));
      return count;
    }
  gint64 kept = 0;
  guint32 first = (guint32) (sample * a->regions);
  WeftRandom draws = weft_random_split (call->random, 0);
  for (gint64 region = 0; region < count; region++)
    if (weft_random_uniform (draws, first + (guint32) region) >= rate)
      memcpy (to + size * (gsize) kept++, from + size * (gsize) region, size * sizeof (float));
  if (kept > 0)
    return kept;
  gint64 only = weft_random_below (weft_random_split (call->random, 2), (guint32) sample, (guint32) count);
  memcpy (to, from + size * (gsize) only, size * sizeof (float));
  return 1;
}

static void
put_regions (const WeftCall *call, const RegionBatch *batch)
{
  const Attributes *a = call->attributes;
  WeftTensor *out = call->out[REGIONS];
  gint64 rows = 0;
  out->offsets[0] = 0;
  for (gint64 i = 0; i < batch->n; i++)
    {
      const float *from = batch->regions + batch->starts[i] * a->width;
      rows += copy_regions (call, i, from, batch->starts[i + 1] - batch->starts[i], (float *) out->data + rows * a->width);
      out->offsets[i + 1] = (gint32) rows;
    }
  weft_resize (call, out, batch->n, rows);
}

static void
put_captions (const WeftCall *call, const RegionBatch *batch)
{
  const Instance *instance = call->instance;
  WeftTensor *out = call->out[CAPTIONS];
  gsize bytes = 0, most = (gsize) ((const Attributes *) call->attributes)->caption_bytes;
  g_autoptr (GError) error = NULL;
  out->offsets[0] = 0;
  for (gint64 i = 0; i < batch->n; i++)
    {
      if (!weft_line_file_read (instance->files->captions, (guint) batch->item[i], instance->caption, &error))
        {
          weft_fail (call, "%s", error->message);
          return;
        }
      if (instance->caption->len > most)
        {
          weft_fail (call, "%s:%d: is longer than before; the file was changed while in use", instance->files->captions_path,
                     batch->item[i] + 1);
          return;
        }
      memcpy ((char *) out->data + bytes, instance->caption->str, instance->caption->len);
      bytes += instance->caption->len;
      out->offsets[i + 1] = (gint32) bytes;
    }
  weft_resize (call, out, batch->n, (gint64) bytes);
}

static void
put_rows (const WeftCall *call, WeftTensor *out, gconstpointer from, gint64 n)
{
  if (out == NULL)
    return;
  memcpy (out->data, from, (gsize) (n * weft_tensor_columns (out)) * weft_type_size (out->type));
  weft_resize (call, out, 0, n);
}

static void
forward (const WeftCall *call)
{
  Instance *instance = call->instance;
  gint64 *cursor = call->states[0]->data;
  gint64 end = item_order_end (&instance->order);
  if (*cursor < 0 || *cursor > end || (*cursor % instance->order.batch != 0 && *cursor != end))
    {
      weft_fail (call,
                 "the position %" G_GINT64_FORMAT " in a pass of %" G_GINT64_FORMAT
                 " items is not the start of a batch of %" G_GINT64_FORMAT
                 "; a run can only be resumed with the data and the batch that it was started with",
                 *cursor, end, instance->order.batch);
      return;
    }
  if (*cursor == end)
    {
      *cursor = 0;
      weft_exhausted (call);
      return;
    }
  weft_expect_steps (call, (end + instance->order.batch - 1) / instance->order.batch);
  g_autoptr (GError) error = NULL;
  const RegionBatch *batch = region_reader_take (instance->reader, call->epoch, *cursor, &error);
  if (batch == NULL)
    {
      weft_fail (call, "%s", error->message);
      return;
    }
  if (call->out[REGIONS] != NULL)
    put_regions (call, batch);
  if (call->out[CAPTIONS] != NULL)
    put_captions (call, batch);
  put_rows (call, call->out[CLIP], batch->clip, batch->n);
  put_rows (call, call->out[IMAGE], batch->image, batch->n);
  put_rows (call, call->out[CAPTION], batch->item, batch->n);
  *cursor += batch->n;
}

static char *
check (gconstpointer attributes)
{
  const Attributes *a = attributes;
  if (a->grid_drop && a->drop == 0)
    return g_strdup ("grid_drop needs a rate to scale; set drop, for example drop: 0.2");
  return NULL;
}

static const WeftAttribute attributes[] = {
  WEFT_PATH (Attributes, path, NULL, "folder of the data set; files lie in it or in its precomp/"),
  WEFT_STRING (Attributes, split, "train", "which files: train, dev, test, testall, …"),
  WEFT_INTEGER (Attributes, batch, NULL, 1, 1 << 20, "items", "items of a step"),
  WEFT_CHOICE (Attributes, items, "pairs", "what an item is: a caption with its image, an image, or a caption", "pairs", "images",
               "captions"),
  WEFT_BOOLEAN (Attributes, shuffle, "false", "visit the items in a new order in every epoch"),
  WEFT_CHOICE (Attributes, keep_last, "auto", "whether a last batch with fewer items is used; auto: unless shuffled", "auto", "true",
               "false"),
  WEFT_INTEGER (Attributes, regions, "36", 1, 1 << 16, "regions", "greatest number of regions of an image"),
  WEFT_INTEGER (Attributes, width, "2048", 1, 1 << 20, "", "width of a region's features"),
  WEFT_INTEGER (Attributes, clip_width, "512", 1, 1 << 20, "", "width of the images' global embeddings"),
  WEFT_INTEGER (Attributes, limit, "0", 0, G_MAXINT32, "images", "use only the first images, for quick runs; 0: all"),
  WEFT_INTEGER (Attributes, first_captions, "-1", -1, G_MAXINT32, "captions",
                "use only the first captions and their images; 0: all, -1: 5,000 of the split dev, all of others"),
  WEFT_INTEGER (Attributes, captions_per_image, "0", 0, 1 << 16, "captions", "captions of an image; 0: 1 or 5, told by the files"),
  WEFT_INTEGER (Attributes, caption_bytes, "1024", 1, 1 << 20, "bytes", "greatest length of a caption"),
  WEFT_SCHEDULED (Attributes, drop, "0", 0, 1, "", "training: probability with which each region is dropped; at least one is kept"),
  WEFT_BOOLEAN (Attributes, grid_drop, "false",
                "training: drop cells of a grid at drop times u for samples with u > 0.2, u uniform in [0, 1)"),
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "regions",
    .signature = "f32[b <= $batch : t <= b*$regions, $width]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "region features; read only if used" },
  { .name = "captions",
    .signature = "u8[b <= $batch : n <= b*$caption_bytes]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "captions as UTF-8; not with items: images" },
  { .name = "clip",
    .signature = "f32[b <= $batch, $clip_width]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "global embeddings of the images, from *_clip.npy; read only if used" },
  { .name = "image",
    .signature = "i32[b <= $batch]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "number of the item's image, counted from 0" },
  { .name = "caption",
    .signature = "i32[b <= $batch]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "number of the item's caption, counted from 0; not with items: images" },
  { 0 },
};

static const WeftPort states[] = {
  { .name = "cursor", .signature = "i64[]", .initial = "zeros", .meaning = "items of the present pass that were visited" },
  { 0 },
};

static const WeftOperator region_features = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "region_features",
  .version = 1,
  .summary = "Reads region features and captions of a data set in SCAN layout",
  .documentation = "Reads SPLIT_ims.npy (float16, float32 or float64; [N, R, D], grids [N, H, W, D], or packed [T, D] with counts), "
                   "SPLIT_caps.txt (a caption a "
                   "line), and if they are there or needed SPLIT_counts.npy (int [N]: the regions that exist of each image) and "
                   "SPLIT_clip.npy ([N, C]), in a "
                   "folder or its precomp/.\n\n"
                   "With as many rows as captions, image i belongs to caption i; with a fifth as many, to captions 5i to 5i + 4. Files "
                   "that repeat an image's rows for each of its captions are known by SPLIT_ids.txt, which then names each image five "
                   "times, or by captions_per_image: 5.\n\n"
                   "A thread reads the next batch while the present one is used. The order of items is a function of seed, path and epoch; "
                   "a resumed run goes on "
                   "with the batch that it would have seen.",
  .source = "Layout: Lee et al., Stacked Cross Attention, ECCV 2018. Dropping: Chen et al., VSE-infinity, CVPR 2021, section 4.",
  .attributes_size = sizeof (Attributes),
  .attributes = attributes,
  .outputs = outputs,
  .states = states,
  .forward = forward,
  .not_differentiable = "a source of data",
  .open = open_features,
  .close = close_features,
  .is_source = TRUE,
  .check = check,
  .example =
      "pairs: {op: region_features, path: data, split: train, batch: 4, shuffle: true, regions: 3, width: 4, clip_width: 4, drop: 0.2}\n"
      "words: {op: words, text: pairs.captions, captions: data/train_caps.txt, minimum_count: 1, alter: 0.2}\n"
      "pooled: {op: segment_mean, x: pairs.regions}\n",
};
WEFT_OPERATOR (region_features);
