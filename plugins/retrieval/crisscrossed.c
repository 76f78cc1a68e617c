/* crisscrossed: recalls by the judgements of Crisscrossed Captions, between images and captions and among either.
 *
 * Files, as the releases of VSE-infinity and USER read them: testall_ids.txt, an image id a line, once per caption; testall_capids.txt, a
 * caption id a line; cxc_it.json, {"i2t": {image: [[caption, score], …]}, "t2i": {caption: [[image, score], …]}}, whose pairs are all
 * positive; cxc_i2i.json and cxc_t2t.json, {id: [[id, score], …]}.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/json.h>

#include "positives.h"

#define IMAGE_THRESHOLD 2.5
#define CAPTION_THRESHOLD 3.0

typedef struct
{
  const char *path, *split;
  gint64 per_image;
} Attributes;

enum
{
  IMAGES,
  CAPTIONS,
};

typedef enum
{
  IMAGE_TO_TEXT,
  TEXT_TO_IMAGE,
  IMAGE_TO_IMAGE,
  TEXT_TO_TEXT,
  N_DIRECTIONS,
} Direction;

/* Outputs: the recalls of each direction. */
static const guint32 limits[] = { 1, 5, 10 };

typedef struct
{
  IdTable *images, *captions;
  Positives *positives[N_DIRECTIONS];
} Instance;

/* What a direction's file holds. */
typedef struct
{
  const char *path;
  const IdTable *queries, *items;
  double threshold;
  gboolean scored;    /* pairs below the threshold are no positives */
  gint64 per_sibling; /* others of the same image that are positives: so many captions have one; 0: none */
} Source;

static gboolean
add_pair (const Source *source, const char *query, JsonNode *pair, Positives *positives, GError **error)
{
  JsonArray *values = JSON_NODE_HOLDS_ARRAY (pair) ? json_node_get_array (pair) : NULL;
  if (values == NULL || json_array_get_length (values) < 2 || !JSON_NODE_HOLDS_VALUE (json_array_get_element (values, 0))
      || !JSON_NODE_HOLDS_VALUE (json_array_get_element (values, 1)))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: \"%s\": expected a list of pairs [id, score]", source->path, query);
      return FALSE;
    }
  gint64 item = id_table_find (source->items, json_array_get_element (values, 0));
  double score = json_array_get_double_element (values, 1);
  gint32 row = (gint32) item;
  if (item >= 0 && (!source->scored || score >= source->threshold))
    g_array_append_val (positives->items, row);
  return TRUE;
}

static void
add_siblings (const Source *source, gint64 query, Positives *positives)
{
  gint64 first = source->per_sibling > 0 ? query / source->per_sibling * source->per_sibling : 0;
  for (gint32 item = (gint32) first; item < first + source->per_sibling; item++)
    if (item != query)
      g_array_append_val (positives->items, item);
}

static Positives *
read_positives (const Source *source, JsonObject *judgements, GError **error)
{
  g_autoptr (Positives) positives = positives_new ();
  for (guint q = 0; q < source->queries->ids->len; q++)
    {
      const char *id = source->queries->ids->pdata[q];
      JsonNode *node = json_object_get_member (judgements, id);
      if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has no list for \"%s\", which %s names", source->path, id,
                       source->queries->path);
          return NULL;
        }
      JsonArray *pairs = json_node_get_array (node);
      for (guint i = 0; i < json_array_get_length (pairs); i++)
        if (!add_pair (source, id, json_array_get_element (pairs, i), positives, error))
          return NULL;
      add_siblings (source, q, positives);
      positives_end_query (positives);
    }
  positives_finish (positives);
  return g_steal_pointer (&positives);
}

/* @key: (nullable): the member of the file that holds the judgements; else the file itself. */
static gboolean
read_direction (Instance *self, Direction direction, Source source, const char *folder, const char *name, const char *key, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (JsonParser) parser = weft_json_load (path, error);
  if (parser == NULL)
    return FALSE;
  JsonObject *root = json_node_get_object (json_parser_get_root (parser));
  JsonNode *member = key ? json_object_get_member (root, key) : NULL;
  if (key && (member == NULL || !JSON_NODE_HOLDS_OBJECT (member)))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has no object \"%s\"", path, key);
      return FALSE;
    }
  source.path = path;
  self->positives[direction] = read_positives (&source, key ? json_node_get_object (member) : root, error);
  return self->positives[direction] != NULL;
}

static void
crisscrossed_close (gpointer instance)
{
  Instance *self = instance;
  for (guint d = 0; d < N_DIRECTIONS; d++)
    positives_free (self->positives[d]);
  id_table_free (self->images);
  id_table_free (self->captions);
  g_free (self);
}

static gpointer
crisscrossed_open (const WeftOpening *opening, GError **error)
{
  const Attributes *attributes = opening->attributes;
  Instance *self = g_new0 (Instance, 1);
  g_autofree char *ids = g_strdup_printf ("%s/%s_ids.txt", attributes->path, attributes->split),
                  *caption_ids = g_strdup_printf ("%s/%s_capids.txt", attributes->path, attributes->split);
  self->images = id_table_read (ids, (guint) attributes->per_image, error);
  self->captions = self->images ? id_table_read (caption_ids, 1, error) : NULL;
  if (self->captions != NULL
      && read_direction (self, IMAGE_TO_TEXT, (Source){ .queries = self->images, .items = self->captions }, attributes->path, "cxc_it.json",
                         "i2t", error)
      && read_direction (self, TEXT_TO_IMAGE, (Source){ .queries = self->captions, .items = self->images }, attributes->path, "cxc_it.json",
                         "t2i", error)
      && read_direction (self, IMAGE_TO_IMAGE,
                         (Source){ .queries = self->images, .items = self->images, .scored = TRUE, .threshold = IMAGE_THRESHOLD },
                         attributes->path, "cxc_i2i.json", NULL, error)
      && read_direction (self, TEXT_TO_TEXT,
                         (Source){ .queries = self->captions,
                                   .items = self->captions,
                                   .scored = TRUE,
                                   .threshold = CAPTION_THRESHOLD,
                                   .per_sibling = attributes->per_image },
                         attributes->path, "cxc_t2t.json", NULL, error))
    return self;
  crisscrossed_close (self);
  return NULL;
}

static gsize
crisscrossed_scratch (const WeftCall *call)
{
  return (gsize) MAX (call->in[IMAGES]->shape[0], call->in[CAPTIONS]->shape[0]) * 2 * sizeof (double)
         + positives_tile_floats (weft_team_size (call)) * sizeof (float);
}

static gboolean
sizes_agree (const WeftCall *call, const IdTable *table, const WeftTensor *embeddings, const char *what)
{
  if (embeddings->shape[0] == table->ids->len)
    return TRUE;
  weft_fail (call, "there are %" G_GINT64_FORMAT " %s, but %u ids in %s", embeddings->shape[0], what, table->ids->len, table->path);
  return FALSE;
}

static void
crisscrossed_forward (const WeftCall *call)
{
  Instance *self = call->instance;
  const WeftTensor *images = call->in[IMAGES], *captions = call->in[CAPTIONS];
  if (!sizes_agree (call, self->images, images, "images") || !sizes_agree (call, self->captions, captions, "captions"))
    return;
  double *norms = call->scratch;
  gint64 most = MAX (images->shape[0], captions->shape[0]);
  for (guint d = 0; d < N_DIRECTIONS; d++)
    {
      const WeftTensor *queries = d == IMAGE_TO_TEXT || d == IMAGE_TO_IMAGE ? images : captions;
      const WeftTensor *items = d == IMAGE_TO_IMAGE || d == TEXT_TO_IMAGE ? images : captions;
      Ranked ranked = { .queries = queries->shape[0],
                        .items = items->shape[0],
                        .width = images->shape[1],
                        .query = queries->data,
                        .item = items->data,
                        .own = queries == items,
                        .best_only = TRUE,
                        .query_norms = norms,
                        .item_norms = norms + most,
                        .tiles = (float *) (norms + 2 * most) };
      if (!positives_rank (call, &ranked, self->positives[d]))
        return;
      for (guint k = 0; k < G_N_ELEMENTS (limits); k++)
        {
          WeftTensor *out = call->out[d * G_N_ELEMENTS (limits) + k];
          if (out != NULL)
            *(float *) out->data = (float) positives_recall (self->positives[d], limits[k], d == IMAGE_TO_IMAGE);
        }
    }
}

static const WeftAttribute attributes[] = {
  WEFT_PATH (Attributes, path, NULL, "folder of SPLIT_ids.txt, SPLIT_capids.txt, cxc_it.json, cxc_i2i.json and cxc_t2t.json"),
  WEFT_STRING (Attributes, split, "testall", "which files of ids: those of the images and captions that are scored"),
  WEFT_INTEGER (Attributes, per_image, "5", 1, 1000, "captions", "captions of an image, in order; so often its id stands in SPLIT_ids.txt"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "images", .signature = "f32[n, e]", .meaning = "image embeddings, in the order of the ids" },
  { .name = "captions", .signature = "f32[m, e]", .meaning = "caption embeddings, in the order of the ids" },
  { .name = NULL },
};

#define RECALLS(direction, meaning_)                                                                                                       \
  { .name = direction "_r1", .signature = "f32[]", .meaning = meaning_ " first, in per cent" },                                            \
      { .name = direction "_r5", .signature = "f32[]", .meaning = meaning_ " among the first five, in per cent" },                         \
  {                                                                                                                                        \
    .name = direction "_r10", .signature = "f32[]", .meaning = meaning_ " among the first ten, in per cent"                                \
  }

static const WeftPort outputs[] = {
  RECALLS ("i2t", "images with a fitting caption"),
  RECALLS ("t2i", "captions with a fitting image"),
  RECALLS ("i2i", "images with a similar image"),
  RECALLS ("t2t", "captions with a similar caption"),
  { .name = NULL },
};

static const WeftOperator crisscrossed = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "crisscrossed",
  .version = 1,
  .summary = "Recalls by the judgements of Crisscrossed Captions, in four directions",
  .documentation =
      "Between images and captions every pair of cxc_it.json is right, and a query without one counts as missed. Images are similar from a "
      "score of 2.5 on, and images that no other is similar to are skipped; captions are similar from 3.0 on, and so are those of one "
      "image. An item's similarity to itself counts as 0. Equal similarities count against the query.",
  .source = "Parekh et al., Crisscrossed Captions (EACL 2021); files and thresholds as in the release of Zhang et al., USER (TIP 2024)",
  .attributes_size = sizeof (Attributes),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = crisscrossed_forward,
  .not_differentiable = "ranks are steps; train with a loss",
  .scratch = crisscrossed_scratch,
  .open = crisscrossed_open,
  .close = crisscrossed_close,
  .effect = TRUE,
  .example = "images: {op: feed, signature: \"f32[2, 3]\"}\n"
             "captions: {op: feed, signature: \"f32[10, 3]\"}\n"
             "crisscrossed: {op: crisscrossed, images: images, captions: captions, path: data}\n",
};
WEFT_OPERATOR (crisscrossed);
