/* sheet: a page of queries with their best answers, and of the weights that encoders gave to regions and positions.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include <string.h>

#include "sheet-page.h"

/* Lengths whose pooling weights are drawn. */
#define LENGTHS 6

typedef struct
{
  gint64 queries;
  const char *file;
  const char *names;
  const char *pictures;
} Sheet;

enum
{
  IMAGES,
  CAPTIONS,
  TEXT,
  GUIDE,
  ENHANCEMENT,
  IMAGE_POOLING,
  CAPTION_POOLING,
};

static const WeftPort inputs[] = {
  { .name = "images", .signature = "f32[n, e]", .meaning = "image embeddings" },
  { .name = "captions", .signature = "f32[m, e]", .meaning = "caption embeddings, those of an image one after the other" },
  { .name = "text", .signature = "u8[c:y]", .flags = WEFT_PORT_OPTIONAL, .meaning = "captions as UTF-8" },
  { .name = "guide",
    .signature = "f32[i:r, 1]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "how much of the guide each region makes: weights of sge" },
  { .name = "enhancement",
    .signature = "f32[j:s, 1]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "how much of the guide each region received: attention of enhance" },
  { .name = "image_pooling",
    .signature = "f32[g:p, 1]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "weights of the ranks of regions, for some lengths: weights of gpo" },
  { .name = "caption_pooling",
    .signature = "f32[h:q, 1]",
    .flags = WEFT_PORT_OPTIONAL,
    .meaning = "weights of the ranks of words, for some lengths" },
  { .name = NULL },
};

typedef struct
{
  const WeftCall *call;
  const Sheet *attributes;
  gint64 n, m, per, width;
  char **names; /* (nullable): of images */
  guint n_names;
  GString *page;
} Work;

static double
similarity (const Work *work, gint64 image, gint64 caption)
{
  const float *a = (const float *) work->call->in[IMAGES]->data + image * work->width;
  const float *b = (const float *) work->call->in[CAPTIONS]->data + caption * work->width;
  double sum = 0;
  for (gint64 i = 0; i < work->width; i++)
    sum += (double) a[i] * (double) b[i];
  return sum;
}

/* Keeps @hits in descending order; of equal ones the first found stays first. */
static void
offer (SheetQuery *query, SheetHit hit)
{
  guint at = query->n_hits;
  while (at > 0 && query->hits[at - 1].similarity < hit.similarity)
    at--;
  if (at >= SHEET_TOP)
    return;
  guint last = MIN (query->n_hits, SHEET_TOP - 1);
  memmove (query->hits + at + 1, query->hits + at, (last - at) * sizeof hit);
  query->hits[at] = hit;
  query->n_hits = last + 1;
}

static SheetQuery
ask (const Work *work, gint64 index, gboolean is_image)
{
  SheetQuery query = { .index = index, .rank = 1 };
  gint64 answers = is_image ? work->m : work->n;
  double best = -G_MAXDOUBLE;
  for (gint64 i = 0; i < answers; i++)
    {
      gboolean right = is_image ? i / work->per == index : i == index / work->per;
      double value = is_image ? similarity (work, index, i) : similarity (work, i, index);
      offer (&query, (SheetHit){ i, value, right });
      if (right)
        best = MAX (best, value);
    }
  for (gint64 i = 0; i < answers; i++)
    {
      gboolean right = is_image ? i / work->per == index : i == index / work->per;
      query.rank += !right && (is_image ? similarity (work, index, i) : similarity (work, i, index)) >= best;
    }
  return query;
}

/* Line @image of the file of names, which has a line for each image or each caption; else its number. */
static char *
name_of (const Work *work, gint64 image)
{
  if (!work->names)
    return g_strdup_printf ("%04" G_GINT64_FORMAT, image);
  return g_strdup (work->names[work->n_names == (guint) work->n ? image : image * work->per]);
}

static gboolean
show_image (const Work *work, gint64 image)
{
  g_autofree char *name = name_of (work, image);
  const char *star = work->attributes->pictures ? strchr (work->attributes->pictures, '*') : NULL;
  if (star)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *before = g_strndup (work->attributes->pictures, (gsize) (star - work->attributes->pictures));
      g_autofree char *path = g_strconcat (before, name, star + 1, NULL);
      if (!sheet_page_picture (work->page, path, &error))
        {
          weft_fail (work->call, "%s", error->message);
          return FALSE;
        }
    }
  g_string_append (work->page, "<div>");
  sheet_page_text (work->page, name, strlen (name));
  g_string_append (work->page, "</div>\n");
  return TRUE;
}

static void
show_caption (const Work *work, gint64 caption)
{
  const WeftTensor *text = work->call->in[TEXT];
  g_autofree char *number = text ? NULL : g_strdup_printf ("caption %" G_GINT64_FORMAT, caption);
  if (text)
    sheet_page_text (work->page, (const char *) text->data + text->offsets[caption],
                     (gsize) (text->offsets[caption + 1] - text->offsets[caption]));
  else
    sheet_page_text (work->page, number, strlen (number));
}

static gboolean
show_hits (const Work *work, const SheetQuery *query, gboolean are_images)
{
  g_string_append (work->page, "<div class=\"hits\">\n");
  for (guint i = 0; i < query->n_hits; i++)
    {
      const SheetHit *hit = &query->hits[i];
      g_string_append (work->page, hit->right ? "<div class=\"hit right\">" : "<div class=\"hit\">");
      if (are_images && !show_image (work, hit->index))
        return FALSE;
      if (!are_images)
        {
          show_caption (work, hit->index);
          g_string_append (work->page, "<br/>");
        }
      sheet_page_similarity (work->page, hit);
      g_string_append (work->page, "</div>\n");
    }
  g_string_append (work->page, "</div>\n");
  return TRUE;
}

static void
show_regions (const Work *work, gint64 image)
{
  static const char *const titles[] = { "guide: weight of each region", "enhancement: share of the guide that each region received" };
  SheetWeights rows[2];
  guint n = 0;
  for (guint i = 0; i < 2; i++)
    {
      const WeftTensor *tensor = work->call->in[GUIDE + i];
      if (tensor)
        rows[n++] = (SheetWeights){ titles[i], (const float *) tensor->data + tensor->offsets[image],
                                    tensor->offsets[image + 1] - tensor->offsets[image] };
    }
  if (n)
    sheet_page_bars (work->page, rows, n);
}

/* Weights depend on the length alone: one sample of each length is enough, and few lengths show how they change. */
static void
show_pooling (const Work *work, guint port, const char *heading)
{
  const WeftTensor *tensor = work->call->in[port];
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (SheetWeights));
  SheetWeights chosen[LENGTHS];
  guint n = 0;
  for (gint64 sample = 0; tensor && sample < tensor->samples; sample++)
    {
      gint64 length = tensor->offsets[sample + 1] - tensor->offsets[sample];
      guint at = 0;
      while (at < all->len && g_array_index (all, SheetWeights, at).n < length)
        at++;
      SheetWeights weights = { "", (const float *) tensor->data + tensor->offsets[sample], length };
      if (length > 0 && (at == all->len || g_array_index (all, SheetWeights, at).n != length))
        g_array_insert_val (all, at, weights);
    }
  if (!all->len)
    return;
  for (guint i = 0; i < MIN (LENGTHS, all->len); i++)
    chosen[n++] = g_array_index (all, SheetWeights, all->len > LENGTHS ? i * (all->len - 1) / (LENGTHS - 1) : i);
  sheet_page_heading (work->page, heading);
  sheet_page_lines (work->page, chosen, n);
}

static gboolean
show_all (const Work *work)
{
  gint64 images = MIN (work->attributes->queries, work->n), captions = MIN (work->attributes->queries, work->m);
  sheet_page_heading (work->page, "Captions and their best images");
  for (gint64 i = 0; i < captions; i++)
    {
      SheetQuery query = ask (work, i * work->m / captions, FALSE);
      g_string_append (work->page, "<div class=\"query\"><p>");
      show_caption (work, query.index);
      g_string_append_c (work->page, ' ');
      sheet_page_rank (work->page, query.rank, work->n);
      g_string_append (work->page, "</p>\n");
      if (!show_hits (work, &query, TRUE))
        return FALSE;
      g_string_append (work->page, "</div>\n");
    }
  sheet_page_heading (work->page, "Images and their best captions");
  for (gint64 i = 0; i < images; i++)
    {
      SheetQuery query = ask (work, i * work->n / images, TRUE);
      g_string_append (work->page, "<div class=\"query\">");
      if (!show_image (work, query.index))
        return FALSE;
      sheet_page_rank (work->page, query.rank, work->m);
      if (!show_hits (work, &query, FALSE))
        return FALSE;
      show_regions (work, query.index);
      g_string_append (work->page, "</div>\n");
    }
  show_pooling (work, IMAGE_POOLING, "Pooling of regions: weight by rank, for several lengths");
  show_pooling (work, CAPTION_POOLING, "Pooling of words: weight by rank, for several lengths");
  return TRUE;
}

/* Returns: FALSE after weft_fail(). */
static gboolean
read_names (Work *work)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  if (!work->attributes->names)
    return TRUE;
  if (!g_file_get_contents (work->attributes->names, &text, NULL, &error))
    {
      weft_fail (work->call, "%s", error->message);
      return FALSE;
    }
  work->names = g_strsplit (g_strchomp (text), "\n", -1);
  work->n_names = g_strv_length (work->names);
  for (guint i = 0; i < work->n_names; i++)
    g_strchomp (work->names[i]);
  if (work->n_names == (guint) work->n || work->n_names == (guint) work->m)
    return TRUE;
  weft_fail (work->call, "%s has %u lines; expected one for each of %" G_GINT64_FORMAT " images or %" G_GINT64_FORMAT " captions",
             work->attributes->names, work->n_names, work->n, work->m);
  return FALSE;
}

/* What was collected by other passes has as many samples as what was embedded. Returns: FALSE after weft_fail(). */
static gboolean
check_samples (const Work *work)
{
  for (guint port = TEXT; port <= ENHANCEMENT; port++)
    {
      const WeftTensor *tensor = work->call->in[port];
      gint64 expected = port == TEXT ? work->m : work->n;
      if (!tensor || tensor->samples == expected)
        continue;
      weft_fail (work->call, "input %s has %" G_GINT64_FORMAT " samples; there are %" G_GINT64_FORMAT " %s", inputs[port].name,
                 (gint64) tensor->samples, expected, port == TEXT ? "captions" : "images");
      return FALSE;
    }
  return TRUE;
}

static void
sheet_forward (const WeftCall *call)
{
  Work work = { .call = call, .attributes = call->attributes, .n = call->in[IMAGES]->shape[0], .m = call->in[CAPTIONS]->shape[0] };
  g_autoptr (GError) error = NULL;
  if (work.n == 0 || work.m == 0 || work.m % work.n != 0)
    {
      weft_fail (call, "%" G_GINT64_FORMAT " captions are no multiple of %" G_GINT64_FORMAT " images: which belong to which?", work.m,
                 work.n);
      return;
    }
  work.per = work.m / work.n;
  work.width = call->in[IMAGES]->shape[1];
  work.page = g_string_new (NULL);
  if (check_samples (&work) && read_names (&work))
    {
      sheet_page_begin (work.page, work.n, work.m);
      gboolean good = show_all (&work);
      sheet_page_end (work.page);
      if (good && !g_file_set_contents (work.attributes->file, work.page->str, (gssize) work.page->len, &error))
        weft_fail (call, "%s", error->message);
    }
  g_strfreev (work.names);
  g_string_free (work.page, TRUE);
}

static gboolean
sheet_infer (WeftInference *inference, GError **error)
{
  static const struct
  {
    guint port;
    const char *letters[2];
  } open[] = { { TEXT, { "c", "y" } },
               { GUIDE, { "i", "r" } },
               { ENHANCEMENT, { "j", "s" } },
               { IMAGE_POOLING, { "g", "p" } },
               { CAPTION_POOLING, { "h", "q" } } };
  for (guint i = 0; i < G_N_ELEMENTS (open); i++)
    for (guint k = 0; k < 2 && !weft_inference_input_count (inference, open[i].port); k++)
      if (!weft_inference_bind (inference, open[i].letters[k], 0, error))
        return FALSE;
  return TRUE;
}

static char *
sheet_check (gconstpointer attributes)
{
  const Sheet *sheet = attributes;
  return sheet->pictures && !strchr (sheet->pictures, '*')
             ? g_strdup ("`pictures` needs a * for the image's name, such as \"pictures/*.jpg\"")
             : NULL;
}

static const WeftAttribute attributes[] = {
  WEFT_INTEGER (Sheet, queries, "6", 1, 100000, "", "images, and captions, that ask; they are spread over all"),
  WEFT_WRITTEN_PATH (Sheet, file, NULL, "HTML file to write"),
  WEFT_PATH (Sheet, names, "", "text file with the name of each image, one line per image or per caption; else images have numbers"),
  WEFT_PATH (Sheet, pictures, "", "where pictures of images are, with a * for the name, or for the number as four digits"),
  { .name = NULL },
};

static const WeftPort outputs[] = { { .name = NULL } };

static const WeftOperator sheet = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "sheet",
  .version = 1,
  .summary = "Writes a page of queries with their five best answers, and of the weights behind them",
  .documentation = "The page is one HTML file that needs nothing beside it: captions with their best images, images with their best "
                   "captions and the weights of their regions, and pooling weights by length. Image i owns the captions i·k to "
                   "i·k + k − 1.",
  .attributes_size = sizeof (Sheet),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = sheet_forward,
  .not_differentiable = "it shows finished embeddings",
  .infer = sheet_infer,
  .effect = TRUE,
  .check = sheet_check,
  .example = "images: {op: feed, signature: \"f32[3, 5]\"}\n"
             "captions: {op: feed, signature: \"f32[6, 5]\"}\n"
             "sheet: {op: sheet, images: images, captions: captions, file: data/sheet.html}\n",
};
WEFT_OPERATOR (sheet);
