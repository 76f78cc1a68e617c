/* photographs: pictures of a folder and their captions, batch by batch.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "loader.h"

enum
{
  PIXELS,
  FRESH,
  PLACE,
  KEY,
  CAPTIONS,
  IMAGE,
  CAPTION,
  NAME
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
enum
{
  FAIL,
  SKIP
};

/* Greatest length of a photograph's name. */
#define NAME_BYTES 1024

/* Numbers of 32 bits in a key. */
#define KEY_NUMBERS (CACHE_KEY / 4)

/* Apart from the node's other draws, which are keyed by the step. */
#define ORDER_STREAM 0x6f726465u

typedef struct
{
  const char *path, *captions, *names, *split, *cache;
  int items, keep_last, damaged;
  gint64 batch, size, limit, captions_per_image, caption_bytes, most_pixels, least_side, threads;
  double share;
  gboolean shuffle;
} Attributes;

typedef struct
{
  const Attributes *attributes;
  Album *album;
  Loader *loader;
  guint32 items;
  gint64 end;
  guint64 seed;
  char *path;
  gboolean started;
} Instance;

static void
close_photographs (gpointer data)
{
  Instance *instance = data;
  loader_free (instance->loader);
  album_free (instance->album);
  g_free (instance->path);
  g_free (instance);
}

static void
order_items (gpointer data, guint64 epoch, guint32 *items)
{
  const Instance *instance = data;
  if (instance->attributes->shuffle)
    {
      weft_random_shuffle (weft_random_split (weft_random_for (instance->seed, instance->path, epoch), ORDER_STREAM), instance->items,
                           items);
      return;
    }
  for (guint32 i = 0; i < instance->items; i++)
    items[i] = i;
}

/* What scores captions against pictures counts on as many of each. */
static gboolean
check_counts (const Album *album, const Attributes *a, GError **error)
{
  const Photograph *first = album->photographs->pdata[0];
  guint least = first->captions->len;
  gboolean same = TRUE;
  for (guint i = 1; i < album->photographs->len; i++)
    {
      const Photograph *photograph = album->photographs->pdata[i];
      same = same && photograph->captions->len == least;
      least = MIN (least, photograph->captions->len);
    }
  if (!same)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                 "%s: photographs of the split %s have different numbers of captions, and scores need as many of each; set "
                 "captions_per_image: %u",
                 a->captions, a->split, least);
  return same;
}

static gboolean
check_names (const Album *album, GError **error)
{
  for (guint i = 0; i < album->photographs->len; i++)
    {
      const Photograph *photograph = album->photographs->pdata[i];
      if (strlen (photograph->name) > NAME_BYTES || !g_utf8_validate (photograph->name, -1, NULL))
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: a photograph's name has to be UTF-8 of at most %d bytes", photograph->path,
                       NAME_BYTES);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
any_is_there (const Album *album)
{
  for (guint i = 0; i < album->photographs->len; i++)
    if (g_file_test (((const Photograph *) album->photographs->pdata[i])->path, G_FILE_TEST_EXISTS))
      return TRUE;
  return FALSE;
}

static void
refuse_folder (const Attributes *a, const Album *album, GError **error)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
               "%s: none of the %u photographs that %s names is here, %s the first; set path to the folder that the names begin in",
               a->path, album->photographs->len, a->captions, ((const Photograph *) album->photographs->pdata[0])->name);
}

/* A trained pipeline whose images are read from another folder than its captions speak of has to do with that folder alone. Else, a word for
 * each photograph would only hide that the folder is the wrong one. */
static Album *
read_album (const Attributes *a, AlbumLayout *layout, gboolean decode, GError **error)
{
  g_autoptr (Album) album = album_open (layout, error);
  if (album == NULL || a->captions == NULL || album->photographs->len == 0 || any_is_there (album))
    return g_steal_pointer (&album);
  if (a->items == IMAGES)
    {
      g_printerr ("%s: none of the photographs of %s is here; all that are here are read\n", a->path, a->captions);
      layout->captions = NULL;
      return album_open (layout, error);
    }
  if (album->photographs->len == 1 || (!decode && a->damaged != SKIP))
    return g_steal_pointer (&album);
  refuse_folder (a, album, error);
  return NULL;
}

static Album *
open_album (const Attributes *a, const PictureSettings *picture, gboolean decode, GError **error)
{
  AlbumLayout layout = { .folder = a->path,
                         .captions = a->captions,
                         .names = a->names,
                         .split = a->split,
                         .share = a->share,
                         .limit = a->limit,
                         .captions_per_image = a->captions_per_image,
                         .caption_bytes = a->caption_bytes };
  g_autoptr (Album) album = read_album (a, &layout, decode, error);
  if (album == NULL || !check_names (album, error) || (a->items == CAPTION_ITEMS && !check_counts (album, a, error)))
    return NULL;
  if (a->damaged != SKIP)
    return g_steal_pointer (&album);
  /* Captions have to be left out with their photographs even where no photograph is looked at. */
  gint64 n;
  if (!decode && !decoder_start (error))
    return NULL;
  g_autofree gboolean *damaged = loader_find_damaged (album, picture, (guint) a->threads, &n);
  album_leave_out (album, damaged);
  if (album->photographs->len > 0)
    return g_steal_pointer (&album);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: all %" G_GINT64_FORMAT " photographs of the split %s are damaged", a->path, n,
               a->split);
  return NULL;
}

static gboolean
check_wanted (const WeftOpening *opening, const Attributes *a, GError **error)
{
  gboolean text = opening->out[CAPTIONS] != NULL || opening->out[CAPTION] != NULL;
  if (a->captions == NULL && (text || a->items != IMAGES))
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: without captions there are only images; set captions, or items: images",
                 opening->path);
  else if (a->items == IMAGES && text)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                 "%s: with items: images there are no captions to read, an image has several; set items: captions or items: pairs",
                 opening->path);
  else
    return TRUE;
  return FALSE;
}

static gboolean
set_items (Instance *instance, const Attributes *a, GError **error)
{
  instance->items = a->items == IMAGES ? instance->album->photographs->len : instance->album->captions->len;
  gboolean all = a->keep_last == KEEP_YES || (a->keep_last == KEEP_AUTO && !a->shuffle);
  instance->end = all ? instance->items : instance->items - instance->items % a->batch;
  if (instance->end > 0)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
               "%s: the split %s has %u items, fewer than one batch of %" G_GINT64_FORMAT
               ", and a last partial batch is dropped when items are shuffled; set a smaller batch, or keep_last: true",
               a->path, a->split, instance->items, a->batch);
  return FALSE;
}

static gpointer
open_photographs (const WeftOpening *opening, GError **error)
{
  const Attributes *a = opening->attributes;
  PictureSettings picture = { .size = (int) a->size, .limits = { .most_pixels = a->most_pixels * 1000000, .least_side = a->least_side } };
  gboolean decode = opening->out[PIXELS] || opening->out[FRESH] || opening->out[PLACE] || opening->out[KEY];
  if (!check_wanted (opening, a, error) || (decode && !decoder_start (error)))
    return NULL;
  Instance *instance = g_new0 (Instance, 1);
  instance->attributes = a;
  instance->seed = opening->seed;
  instance->path = g_strdup (opening->path);
  instance->album = open_album (a, &picture, decode, error);
  if (instance->album == NULL || !set_items (instance, a, error))
    {
      close_photographs (instance);
      return NULL;
    }
  LoaderSettings settings = { .album = instance->album,
                              .picture = picture,
                              .batch = a->batch,
                              .end = instance->end,
                              .pairs = a->items != IMAGES,
                              .threads = (guint) a->threads,
                              .decode = decode,
                              .all = opening->out[PIXELS] != NULL,
                              .cache = a->cache };
  instance->loader = loader_new (&settings, order_items, instance);
  return instance;
}

/* The networks whose features are kept, by the names and values of their weights. */
static void
start (const WeftCall *call, Instance *instance)
{
  guint8 digest[CACHE_KEY];
  gsize size = sizeof digest;
  if (instance->started)
    return;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  for (guint i = 0; i < call->n_weights && instance->attributes->cache != NULL; i++)
    {
      const WeftWeight *weight = &call->weights[i];
      g_checksum_update (checksum, (const guint8 *) weight->path, (gssize) strlen (weight->path) + 1);
      g_checksum_update (checksum, weight->value.data, (gssize) weft_tensor_bytes (&weight->value));
    }
  g_checksum_get_digest (checksum, digest, &size);
  loader_set_networks (instance->loader, digest);
  instance->started = TRUE;
}

static void
put_pixels (const WeftCall *call, const LoadedBatch *batch)
{
  WeftTensor *out = call->out[PIXELS];
  gsize numbers = (gsize) weft_tensor_columns (out);
  for (gint64 i = 0; i < batch->n; i++)
    memcpy ((float *) out->data + (gsize) i * numbers, batch->pictures[batch->picture_of[i]].pixels, numbers * sizeof (float));
  weft_resize (call, out, 0, batch->n);
}

static void
put_fresh (const WeftCall *call, const LoadedBatch *batch)
{
  WeftTensor *out = call->out[FRESH];
  gsize numbers = (gsize) weft_tensor_columns (out), n = 0;
  for (guint k = 0; k < batch->n_pictures; k++)
    if (!batch->pictures[k].cached)
      memcpy ((float *) out->data + n++ * numbers, batch->pictures[k].pixels, numbers * sizeof (float));
  weft_resize (call, out, 0, (gint64) n);
}

static void
put_places (const WeftCall *call, const LoadedBatch *batch)
{
  g_autofree gint32 *places = g_new (gint32, MAX (batch->n_pictures, 1));
  gint32 n = 0;
  for (guint k = 0; k < batch->n_pictures; k++)
    places[k] = batch->pictures[k].cached ? -1 : n++;
  for (gint64 i = 0; i < batch->n; i++)
    ((gint32 *) call->out[PLACE]->data)[i] = places[batch->picture_of[i]];
  weft_resize (call, call->out[PLACE], 0, batch->n);
}

static void
put_keys (const WeftCall *call, const LoadedBatch *batch)
{
  for (gint64 i = 0; i < batch->n; i++)
    memcpy ((gint32 *) call->out[KEY]->data + i * KEY_NUMBERS, batch->pictures[batch->picture_of[i]].key, CACHE_KEY);
  weft_resize (call, call->out[KEY], 0, batch->n);
}

/* Texts of the items, one after the other. */
static void
put_texts (const WeftCall *call, WeftTensor *out, const LoadedBatch *batch,
           const char *(*text_of) (const Album *album, const LoadedBatch *batch, gint64 item))
{
  const Instance *instance = call->instance;
  gsize bytes = 0;
  out->offsets[0] = 0;
  for (gint64 i = 0; i < batch->n; i++)
    {
      const char *text = text_of (instance->album, batch, i);
      gsize length = strlen (text);
      memcpy ((char *) out->data + bytes, text, length);
      bytes += length;
      out->offsets[i + 1] = (gint32) bytes;
    }
  weft_resize (call, out, batch->n, (gint64) bytes);
}

static const char *
caption_of (const Album *album, const LoadedBatch *batch, gint64 item)
{
  return album->captions->pdata[batch->item[item]];
}

static const char *
name_of (const Album *album, const LoadedBatch *batch, gint64 item)
{
  return ((const Photograph *) album->photographs->pdata[batch->pictures[batch->picture_of[item]].photograph])->name;
}

static void
put_numbers (const WeftCall *call, const LoadedBatch *batch)
{
  for (gint64 i = 0; i < batch->n && call->out[IMAGE]; i++)
    ((gint32 *) call->out[IMAGE]->data)[i] = (gint32) batch->pictures[batch->picture_of[i]].photograph;
  for (gint64 i = 0; i < batch->n && call->out[CAPTION]; i++)
    ((gint32 *) call->out[CAPTION]->data)[i] = (gint32) batch->item[i];
  for (int port = IMAGE; port <= CAPTION; port++)
    if (call->out[port])
      weft_resize (call, call->out[port], 0, batch->n);
}

static void
put (const WeftCall *call, const LoadedBatch *batch)
{
  if (call->out[PIXELS])
    put_pixels (call, batch);
  if (call->out[FRESH])
    put_fresh (call, batch);
  if (call->out[PLACE])
    put_places (call, batch);
  if (call->out[KEY])
    put_keys (call, batch);
  if (call->out[CAPTIONS])
    put_texts (call, call->out[CAPTIONS], batch, caption_of);
  if (call->out[NAME])
    put_texts (call, call->out[NAME], batch, name_of);
  put_numbers (call, batch);
}

static void
forward (const WeftCall *call)
{
  Instance *instance = call->instance;
  gint64 *cursor = call->states[0]->data, batch_size = instance->attributes->batch;
  if (*cursor < 0 || *cursor > instance->end || (*cursor % batch_size != 0 && *cursor != instance->end))
    {
      weft_fail (call,
                 "the position %" G_GINT64_FORMAT " in a pass of %" G_GINT64_FORMAT
                 " items is not the start of a batch of %" G_GINT64_FORMAT
                 "; a run can only be resumed with the data and the batch that it was started with",
                 *cursor, instance->end, batch_size);
      return;
    }
  if (*cursor == instance->end)
    {
      *cursor = 0;
      weft_exhausted (call);
      return;
    }
  weft_expect_steps (call, (instance->end + batch_size - 1) / batch_size);
  g_autoptr (GError) error = NULL;
  start (call, instance);
  const LoadedBatch *batch = loader_take (instance->loader, call->epoch, *cursor, &error);
  if (batch == NULL)
    {
      weft_fail (call, "%s; set damaged: skip to go on without such photographs", error->message);
      return;
    }
  put (call, batch);
  *cursor += batch->n;
}

static const WeftAttribute attributes[] = {
  WEFT_PATH (Attributes, path, NULL, "folder of the photographs: JPEG, PNG, WebP, TIFF"),
  WEFT_PATH (Attributes, captions, "", "file of captions; absent: all photographs of the folder and of those below, without captions"),
  WEFT_PATH (Attributes, names, "", "for captions one a line: file of the photographs' names, one for each caption or for each photograph"),
  WEFT_STRING (Attributes, split, "train", "which photographs: train, dev, test"),
  WEFT_NUMBER (
      Attributes, share, "0", 0, 0.5, "",
      "of captions that know no splits: every (1 / share)-th photograph is for dev, the one after it for test; 0: all are in every split"),
  WEFT_INTEGER (Attributes, batch, NULL, 1, 1 << 20, "items", "items of a step"),
  WEFT_CHOICE (Attributes, items, "pairs", "what an item is: a caption with its image, an image, or a caption", "pairs", "images",
               "captions"),
  WEFT_BOOLEAN (Attributes, shuffle, "false", "visit the items in a new order in every epoch"),
  WEFT_CHOICE (Attributes, keep_last, "auto", "whether a last batch with fewer items is used; auto: unless shuffled", "auto", "true",
               "false"),
  WEFT_INTEGER (Attributes, size, "224", 1, 4096, "pixels", "side of the prepared pictures"),
  WEFT_INTEGER (Attributes, limit, "0", 0, G_MAXINT32, "images", "use only the first images of the split, for quick runs; 0: all"),
  WEFT_INTEGER (Attributes, captions_per_image, "0", 0, 1 << 16, "captions", "use only the first captions of an image; 0: all"),
  WEFT_INTEGER (Attributes, caption_bytes, "1024", 1, 1 << 20, "bytes", "greatest length of a caption"),
  WEFT_CHOICE (Attributes, damaged, "fail",
               "what a photograph that can't be read means: fail; or skip: all are tried when the run begins, and those are left out, with "
               "their captions",
               "fail", "skip"),
  WEFT_INTEGER (Attributes, most_pixels, "100", 1, 1 << 20, "millions", "photographs of more are taken for damaged"),
  WEFT_INTEGER (
      Attributes, least_side, "0", 0, 1 << 16, "pixels",
      "JPEG may be shrunk by 2, 4 or 8 while it is decoded if its shorter side stays as long; faster, and not quite what CLIP saw; "
      "0: never"),
  WEFT_INTEGER (Attributes, threads, "0", 0, 64, "threads", "that decode beside the computation; 0: one for each processor"),
  WEFT_WRITTEN_PATH (Attributes, cache, "", "folder of feature_cache: photographs whose features it has are not decoded for `fresh`"),
  { 0 },
};

static const WeftPort inputs[] = {
  { .name = "networks",
    .flags = WEFT_PORT_WEIGHTS | WEFT_PORT_OPTIONAL,
    .meaning = "what features are computed by: part of the key of what is kept" },
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "pixels",
    .signature = "f32[b <= $batch, 3, $size, $size]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "each item's picture, prepared for CLIP" },
  { .name = "fresh",
    .signature = "f32[m <= $batch, 3, $size, $size]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "pictures whose features are to be computed: each once, none that the cache has" },
  { .name = "place",
    .signature = "i32[b <= $batch]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "which of the fresh pictures is the item's; -1: the cache has it" },
  { .name = "key",
    .signature = "i32[b <= $batch, 8]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "what the features of the item's picture are kept by" },
  { .name = "captions",
    .signature = "u8[b <= $batch : n <= b*$caption_bytes]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "captions as UTF-8; not with items: images" },
  { .name = "image",
    .signature = "i32[b <= $batch]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "number of the item's image, counted from 0" },
  { .name = "caption",
    .signature = "i32[b <= $batch]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "number of the item's caption, counted from 0; not with items: images" },
  { .name = "name",
    .signature = "u8[b <= $batch : k <= b*1024]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "name of the item's photograph in the folder, as UTF-8" },
  { 0 },
};

static const WeftPort states[] = {
  { .name = "cursor", .signature = "i64[]", .initial = "zeros", .meaning = "items of the present pass that were visited" },
  { 0 },
};

static const WeftOperator photographs = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "photographs",
  .version = 1,
  .summary = "Reads photographs of a folder and their captions",
  .documentation =
      "Photographs are turned upright, their shorter side is resampled to `size` as Pillow does it (bicubic, antialiased), the middle "
      "square "
      "is cut out, and each channel is normalised as CLIP's training pictures were. Threads prepare the next batch while the present one "
      "is "
      "used. Files are read whole, formats are told by their first bytes, and nothing but JPEG, PNG, WebP and TIFF is tried.\n\n"
      "Captions: Karpathy's JSON (with its splits: val is dev, restval is train), COCO's captions in JSON, lines of image<TAB>caption (an "
      "ending like #0 of the image is left out), or SCAN's captions one a line with `names`. Names are relative to the folder. With items: "
      "images, a folder that has none of the captions' photographs is read as one without captions.\n\n"
      "With `cache`, features that networks compute of the pictures are kept by feature_cache: `fresh` has only pictures that are not "
      "there yet, each once, and keys are made of the file's bytes, the size and the networks' weights.",
  .source = "Radford et al., CLIP, arXiv 2103.00020; resampling: Keys, IEEE TASSP 29 (1981)",
  .attributes_size = sizeof (Attributes),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .states = states,
  .forward = forward,
  .not_differentiable = "a source of data",
  .open = open_photographs,
  .close = close_photographs,
  .is_source = TRUE,
  .example = "pairs: {op: photographs, path: data/photographs, captions: data/photographs/captions.tsv, batch: 2, shuffle: true}\n"
             "words: {op: words, text: pairs.captions, captions: data/train_caps.txt, minimum_count: 1}\n",
  .cases =
      (const char *const[]){
          "items: {op: photographs, path: data/photographs, captions: data/photographs/captions.tsv, batch: 3, size: 4}\n"
          "rows: {op: patches, pixels: items.pixels, patch: 2}\n",
          NULL },
};
WEFT_OPERATOR (photographs);
