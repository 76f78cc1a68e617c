/* eccv_caption: scores by ECCV Caption's many positives.
 *
 * Files, as the package `eccv_caption` brings them: eccv_image_to_caption.json, {image id: [caption id, …]}, and eccv_caption_to_image.json,
 * {caption id: [image id, …]}. Their ids are MS-COCO's; SPLIT_ids.txt and SPLIT_capids.txt say which embedding is whose.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/json.h>

#include "positives.h"

typedef struct
{
  const char *path, *ids, *split;
  gint64 per_image;
} Attributes;

enum
{
  IMAGES,
  CAPTIONS,
};

enum
{
  IMAGE_TO_TEXT,
  TEXT_TO_IMAGE,
  N_DIRECTIONS,
};

enum
{
  MAP,
  R_PRECISION,
  R1,
  N_FIGURES,
};

typedef struct
{
  IdTable *images, *captions;
  Positives *positives[N_DIRECTIONS];
} Instance;

/* All images or captions are queries here; those that the file does not name have no positives, and are skipped. */
static Positives *
read_positives (const char *path, const IdTable *queries, const IdTable *items, GError **error)
{
  g_autoptr (JsonParser) parser = weft_json_load (path, error);
  g_autoptr (Positives) positives = positives_new ();
  JsonObject *root = parser ? json_node_get_object (json_parser_get_root (parser)) : NULL;
  guint named = 0;
  for (guint q = 0; root != NULL && q < queries->ids->len; q++)
    {
      JsonNode *node = json_object_get_member (root, queries->ids->pdata[q]);
      JsonArray *answers = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
      for (guint i = 0; answers != NULL && i < json_array_get_length (answers); i++)
        {
          gint64 item = id_table_find (items, json_array_get_element (answers, i));
          gint32 row = (gint32) item;
          if (item < 0)
            {
              g_autofree char *id = json_to_string (json_array_get_element (answers, i), FALSE);
              g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: \"%s\" names %s, which is not in %s", path,
                           (char *) queries->ids->pdata[q], id, items->path);
              return NULL;
            }
          g_array_append_val (positives->items, row);
        }
      named += answers != NULL;
      positives_end_query (positives);
    }
  if (root == NULL)
    return NULL;
  if (named == 0 || named < json_object_get_size (root))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has answers for %u queries, of which only %u are in %s", path,
                   json_object_get_size (root), named, queries->path);
      return NULL;
    }
  positives_finish (positives);
  return g_steal_pointer (&positives);
}

static void
eccv_caption_close (gpointer instance)
{
  Instance *self = instance;
  for (guint d = 0; d < N_DIRECTIONS; d++)
    positives_free (self->positives[d]);
  id_table_free (self->images);
  id_table_free (self->captions);
  g_free (self);
}

static gpointer
eccv_caption_open (const WeftOpening *opening, GError **error)
{
  const Attributes *attributes = opening->attributes;
  const char *folder = attributes->ids ? attributes->ids : attributes->path;
  Instance *self = g_new0 (Instance, 1);
  g_autofree char *ids = g_strdup_printf ("%s/%s_ids.txt", folder, attributes->split),
                  *caption_ids = g_strdup_printf ("%s/%s_capids.txt", folder, attributes->split),
                  *to_caption = g_build_filename (attributes->path, "eccv_image_to_caption.json", NULL),
                  *to_image = g_build_filename (attributes->path, "eccv_caption_to_image.json", NULL);
  self->images = id_table_read (ids, (guint) attributes->per_image, error);
  self->captions = self->images ? id_table_read (caption_ids, 1, error) : NULL;
  if (self->captions)
    self->positives[IMAGE_TO_TEXT] = read_positives (to_caption, self->images, self->captions, error);
  if (self->positives[IMAGE_TO_TEXT])
    self->positives[TEXT_TO_IMAGE] = read_positives (to_image, self->captions, self->images, error);
  if (self->positives[TEXT_TO_IMAGE])
    return self;
  eccv_caption_close (self);
  return NULL;
}

/* With R right answers, of which the j-th best stands at place p_j: R-Precision is the share of p_j ≤ R, mAP@R is Σ j / p_j over those,
 * divided by R. */
static void
add_query (const Positives *positives, gint64 query, double figures[N_FIGURES])
{
  gint64 first = positives_offset (positives, query), r = positives_offset (positives, query + 1) - first, hits = 0;
  double sum = 0;
  for (gint64 j = 0; j < r; j++)
    {
      gint64 place = j + 1 + positives->before[first + j];
      if (place > r)
        break;
      sum += (double) (j + 1) / (double) place;
      hits++;
    }
  figures[MAP] += sum / (double) r;
  figures[R_PRECISION] += (double) hits / (double) r;
  figures[R1] += positives->before[first] == 0;
}

static void
set_figures (const WeftCall *call, guint direction, const Positives *positives)
{
  double figures[N_FIGURES] = { 0 };
  gint64 counted = 0;
  for (gint64 q = 0; q < positives_queries (positives); q++)
    if (positives_offset (positives, q + 1) > positives_offset (positives, q))
      {
        add_query (positives, q, figures);
        counted++;
      }
  for (guint i = 0; i < N_FIGURES; i++)
    if (call->out[direction * N_FIGURES + i] != NULL)
      *(float *) call->out[direction * N_FIGURES + i]->data = (float) (100 * figures[i] / (double) MAX (counted, 1));
}

static gsize
eccv_caption_scratch (const WeftCall *call)
{
  return (gsize) MAX (call->in[IMAGES]->shape[0], call->in[CAPTIONS]->shape[0]) * 2 * sizeof (double)
         + positives_tile_floats (weft_team_size (call)) * sizeof (float);
}

static void
eccv_caption_forward (const WeftCall *call)
{
  Instance *self = call->instance;
  const WeftTensor *sides[] = { call->in[IMAGES], call->in[CAPTIONS] };
  const IdTable *tables[] = { self->images, self->captions };
  gint64 most = MAX (sides[0]->shape[0], sides[1]->shape[0]);
  for (guint i = 0; i < 2; i++)
    if (sides[i]->shape[0] != tables[i]->ids->len)
      {
        weft_fail (call, "there are %" G_GINT64_FORMAT " %s, but %u ids in %s", sides[i]->shape[0], i ? "captions" : "images",
                   tables[i]->ids->len, tables[i]->path);
        return;
      }
  for (guint d = 0; d < N_DIRECTIONS; d++)
    {
      const WeftTensor *queries = sides[d == TEXT_TO_IMAGE], *items = sides[d == IMAGE_TO_TEXT];
      double *norms = call->scratch;
      Ranked ranked = { .queries = queries->shape[0],
                        .items = items->shape[0],
                        .width = queries->shape[1],
                        .query = queries->data,
                        .item = items->data,
                        .query_norms = norms,
                        .item_norms = norms + most,
                        .tiles = (float *) (norms + 2 * most) };
      if (!positives_rank (call, &ranked, self->positives[d]))
        return;
      set_figures (call, d, self->positives[d]);
    }
}

static const WeftAttribute attributes[] = {
  WEFT_PATH (Attributes, path, NULL, "folder of eccv_image_to_caption.json and eccv_caption_to_image.json"),
  WEFT_PATH (Attributes, ids, "", "folder of SPLIT_ids.txt and SPLIT_capids.txt; default: path"),
  WEFT_STRING (Attributes, split, "testall", "which files of ids: those of the images and captions that are scored"),
  WEFT_INTEGER (Attributes, per_image, "5", 1, 1000, "captions", "captions of an image, in order; so often its id stands in SPLIT_ids.txt"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "images", .signature = "f32[n, e]", .meaning = "image embeddings, in the order of the ids" },
  { .name = "captions", .signature = "f32[m, e]", .meaning = "caption embeddings, in the order of the ids" },
  { .name = NULL },
};

#define FIGURES(direction, queries)                                                                                                        \
  { .name = direction "_map", .signature = "f32[]", .meaning = "mean over " queries " of the average precision at R, in per cent" },       \
      { .name = direction "_rprecision", .signature = "f32[]", .meaning = "mean over " queries " of the precision at R, in per cent" },    \
  {                                                                                                                                        \
    .name = direction "_r1", .signature = "f32[]", .meaning = queries " with a right answer first, in per cent"                            \
  }

static const WeftPort outputs[] = {
  FIGURES ("i2t", "images"),
  FIGURES ("t2i", "captions"),
  { .name = NULL },
};

static const WeftOperator eccv_caption = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "eccv_caption",
  .version = 1,
  .summary = "mAP@R, R-Precision and R@1 by ECCV Caption's positives, in both directions",
  .documentation =
      "R is a query's number of right answers. Figures are means over the queries that the files name; items are all images or "
      "captions. Equal similarities count against the query.",
  .source = "Chun et al., ECCV Caption (ECCV 2022); mAP@R: Musgrave et al., A Metric Learning Reality Check (ECCV 2020)",
  .attributes_size = sizeof (Attributes),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = eccv_caption_forward,
  .not_differentiable = "ranks are steps; train with a loss",
  .scratch = eccv_caption_scratch,
  .open = eccv_caption_open,
  .close = eccv_caption_close,
  .effect = TRUE,
  .example = "images: {op: feed, signature: \"f32[2, 3]\"}\n"
             "captions: {op: feed, signature: \"f32[10, 3]\"}\n"
             "eccv: {op: eccv_caption, images: images, captions: captions, path: data}\n",
};
WEFT_OPERATOR (eccv_caption);
