/* Generated scenes with captions, batch by batch: data that needs no files.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <glib/gstdio.h>
#include <string.h>

#include "scene.h"

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

/* Apart from the node's other draws, which are keyed by the step. */
#define ORDER_STREAM 0x6f726465u

static const char *const splits[] = { "train", "dev", "test" };
static const gint64 default_images[] = { 2000, 200, 200 };

typedef struct
{
  int split, items, keep_last;
  gint64 images, batch, regions, width, clip_width, caption_bytes, seed, draw_count;
  gboolean shuffle;
  double noise;
  const char *draw;
} Attributes;

typedef struct
{
  SceneWorld *world;
  guint32 n;     /* items */
  gint64 end;    /* items of a pass */
  guint64 epoch; /* the pass that @order is of */
  gboolean ordered;
  guint32 *order;
  guint64 run_seed;
  char *path;
  GString *text;
} Instance;

static void
close_scenes (gpointer data)
{
  Instance *instance = data;
  scene_world_free (instance->world);
  g_string_free (instance->text, TRUE);
  g_free (instance->order);
  g_free (instance->path);
  g_free (instance);
}

static gboolean
draw_scenes (const Attributes *a, gint64 images, GError **error)
{
  if (g_mkdir_with_parents (a->draw, 0777) < 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: cannot create this folder for drawings", a->draw);
      return FALSE;
    }
  for (gint64 i = 0; i < MIN (a->draw_count, images); i++)
    {
      g_autofree char *name = g_strdup_printf ("%s-%04" G_GINT64_FORMAT ".svg", splits[a->split], i);
      g_autofree char *path = g_build_filename (a->draw, name, NULL);
      if (!scene_draw ((guint64) a->seed, splits[a->split], (guint64) i, path, error))
        return FALSE;
    }
  return TRUE;
}

static gpointer
open_scenes (const WeftOpening *opening, GError **error)
{
  const Attributes *a = opening->attributes;
  gint64 images = a->images > 0 ? a->images : default_images[a->split], n = a->items == IMAGES ? images : images * SCENE_CAPTIONS;
  if (a->items == IMAGES && (opening->out[CAPTIONS] != NULL || opening->out[CAPTION] != NULL))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "%s: with items: images there are no captions to read, an image has several; set items: "
                   "captions or items: pairs",
                   opening->path);
      return NULL;
    }
  gboolean keep = a->keep_last == KEEP_YES || (a->keep_last == KEEP_AUTO && !a->shuffle);
  if (!keep && n < a->batch)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "%s: %" G_GINT64_FORMAT " items are fewer than one batch of %" G_GINT64_FORMAT ", and a last "
                   "partial batch is dropped when items are shuffled; set a smaller batch, more images, or keep_last: true",
                   opening->path, n, a->batch);
      return NULL;
    }
  if (a->draw != NULL && !draw_scenes (a, images, error))
    return NULL;
  Instance *instance = g_new0 (Instance, 1);
  instance->world = scene_world_new ((guint64) a->seed, a->width, a->clip_width);
  instance->n = (guint32) n;
  instance->end = keep ? n : n - n % a->batch;
  instance->order = g_new (guint32, n);
  instance->run_seed = opening->seed;
  instance->path = g_strdup (opening->path);
  instance->text = g_string_sized_new (SCENE_CAPTION_BYTES + 1);
  return instance;
}

/* The order is a pure function of the run's seed, path and epoch, so that a checkpoint need only hold the position. */
static void
order_items (Instance *instance, const Attributes *a, guint64 epoch)
{
  if (instance->ordered && (!a->shuffle || instance->epoch == epoch))
    return;
  if (a->shuffle)
    weft_random_shuffle (weft_random_split (weft_random_for (instance->run_seed, instance->path, epoch), ORDER_STREAM), instance->n,
                         instance->order);
  else
    for (guint32 i = 0; i < instance->n; i++)
      instance->order[i] = i;
  instance->epoch = epoch;
  instance->ordered = TRUE;
}

/* How much of each output is filled. */
typedef struct
{
  gint64 items, regions, bytes;
} Filled;

static void
put_item (const WeftCall *call, guint32 item, Filled *filled)
{
  const Attributes *a = call->attributes;
  Instance *instance = call->instance;
  const char *split = splits[a->split];
  guint64 seed = (guint64) a->seed, image = a->items == IMAGES ? item : item / SCENE_CAPTIONS;
  gint64 i = filled->items++;
  Scene scene;
  scene_make (seed, split, image, &scene);
  if (call->out[REGIONS] != NULL)
    {
      float *to = (float *) call->out[REGIONS]->data + filled->regions * a->width;
      filled->regions += scene_regions (instance->world, seed, split, image, &scene, a->noise, a->regions, to);
      call->out[REGIONS]->offsets[i + 1] = (gint32) filled->regions;
    }
  if (call->out[CAPTIONS] != NULL)
    {
      scene_caption (seed, split, image, item % SCENE_CAPTIONS, &scene, instance->text);
      memcpy ((char *) call->out[CAPTIONS]->data + filled->bytes, instance->text->str, instance->text->len);
      filled->bytes += (gint64) instance->text->len;
      call->out[CAPTIONS]->offsets[i + 1] = (gint32) filled->bytes;
    }
  if (call->out[CLIP] != NULL)
    scene_clip (instance->world, seed, split, image, &scene, a->noise, (float *) call->out[CLIP]->data + i * a->clip_width);
  if (call->out[IMAGE] != NULL)
    ((gint32 *) call->out[IMAGE]->data)[i] = (gint32) image;
  if (call->out[CAPTION] != NULL)
    ((gint32 *) call->out[CAPTION]->data)[i] = (gint32) item;
}

static void
forward (const WeftCall *call)
{
  const Attributes *a = call->attributes;
  Instance *instance = call->instance;
  gint64 *cursor = call->states[0]->data;
  if (*cursor < 0 || *cursor > instance->end || (*cursor % a->batch != 0 && *cursor != instance->end))
    {
      weft_fail (call,
                 "the position %" G_GINT64_FORMAT " in a pass of %" G_GINT64_FORMAT
                 " items is not the start of a batch of %" G_GINT64_FORMAT
                 "; a run can only be resumed with the images and the batch that it was started with",
                 *cursor, instance->end, a->batch);
      return;
    }
  if (*cursor == instance->end)
    {
      *cursor = 0;
      weft_exhausted (call);
      return;
    }
  weft_expect_steps (call, (instance->end + a->batch - 1) / a->batch);
  order_items (instance, a, call->epoch);
  for (guint port = REGIONS; port <= CAPTIONS; port++)
    if (call->out[port] != NULL)
      call->out[port]->offsets[0] = 0;
  Filled filled = { 0 };
  gint64 next = MIN (*cursor + a->batch, instance->end);
  for (gint64 i = *cursor; i < next; i++)
    put_item (call, instance->order[i], &filled);
  *cursor = next;
  const gint64 rows[] = { filled.regions, filled.bytes, filled.items, filled.items, filled.items };
  for (guint port = REGIONS; port <= CAPTION; port++)
    if (call->out[port] != NULL)
      weft_resize (call, call->out[port], filled.items, rows[port]);
}

static const WeftAttribute attributes[] = {
  WEFT_CHOICE (Attributes, split, "train", "which scenes", "train", "dev", "test"),
  WEFT_INTEGER (Attributes, batch, NULL, 1, 1 << 20, "items", "items of a step"),
  WEFT_CHOICE (Attributes, items, "pairs", "what an item is: a caption with its scene, a scene, or a caption", "pairs", "images",
               "captions"),
  WEFT_INTEGER (Attributes, images, "0", 0, 1 << 24, "scenes", "scenes of the split; 0: 2,000 to train with, 200 for dev and test"),
  WEFT_BOOLEAN (Attributes, shuffle, "false", "visit the items in a new order in every epoch"),
  WEFT_CHOICE (Attributes, keep_last, "auto", "whether a last batch with fewer items is used; auto: unless shuffled", "auto", "true",
               "false"),
  WEFT_INTEGER (Attributes, regions, "36", 8, 1 << 12, "regions", "greatest number of regions of a scene; the least is half of it"),
  WEFT_INTEGER (Attributes, width, "64", 1, 1 << 16, "", "width of a region's features"),
  WEFT_INTEGER (Attributes, clip_width, "512", 1, 1 << 16, "", "width of the scenes' global codes"),
  WEFT_INTEGER (Attributes, caption_bytes, "256", SCENE_CAPTION_BYTES, 1 << 20, "bytes", "bound of a caption's length"),
  WEFT_NUMBER (Attributes, noise, "0.4", 0, 100, "", "standard deviation of the noise on features"),
  WEFT_INTEGER (Attributes, seed, "0", 0, G_MAXINT32, "", "which world: scenes, captions and features are a function of it"),
  WEFT_WRITTEN_PATH (Attributes, draw, "", "draw the first scenes as SVG files into this folder"),
  WEFT_INTEGER (Attributes, draw_count, "12", 1, 100000, "scenes", "how many to draw"),
  { 0 },
};

static const WeftPort outputs[] = {
  { .name = "regions",
    .signature = "f32[b <= $batch : t <= b*$regions, $width]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "region features: objects, pairs of objects and clutter, in no order" },
  { .name = "captions",
    .signature = "u8[b <= $batch : n <= b*$caption_bytes]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "captions as UTF-8; not with items: images" },
  { .name = "clip", .signature = "f32[b <= $batch, $clip_width]", .flags = WEFT_PORT_OPTIONAL, .meaning = "global codes of unit norm" },
  { .name = "image",
    .signature = "i32[b <= $batch]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "number of the item's scene, counted from 0" },
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

static const WeftOperator scenes = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "scenes",
  .version = 1,
  .summary = "Generates scenes of coloured shapes with five captions each",
  .documentation = "A scene has three to six objects, each with shape, colour, size, texture and place. Its regions show the objects, some "
                   "of them twice, pairs of "
                   "objects with their relation, and clutter that looks a little like something: random projections of what they show, "
                   "with noise. Captions tell "
                   "of one to three objects, leave attributes out, and say relations from either side in several ways.\n\n"
                   "Four consecutive scenes differ in one thing only, a colour, a place, or a shape or texture, so that words, attributes "
                   "and relations are all "
                   "needed; as captions may leave that thing out, nothing can find everything. Scene, captions and features are functions "
                   "of seed, split and number.",
  .source = "Made for Weft",
  .attributes_size = sizeof (Attributes),
  .attributes = attributes,
  .outputs = outputs,
  .states = states,
  .forward = forward,
  .not_differentiable = "a source of data",
  .open = open_scenes,
  .close = close_scenes,
  .is_source = TRUE,
  .example = "scenes: {op: scenes, split: dev, batch: 4}\n"
             "pooled: {op: segment_mean, x: scenes.regions}\n",
};
WEFT_OPERATOR (scenes);
