/* weft search: what of an index is nearest to a text or a picture.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "answer.h"
#include "commands.h"
#include "encoder.h"

static char *image, *side_name;
static int most = 10;
static gboolean json;

const GOptionEntry search_options[] = {
  { "image", 0, 0, G_OPTION_ARG_FILENAME, &image, "Search by a picture, or its features as .npy, instead of a text", "FILE" },
  { "side", 0, 0, G_OPTION_ARG_STRING, &side_name, "Where to search (default: images for a text, captions for a picture)", "NAME" },
  { "most", 'k', 0, G_OPTION_ARG_INT, &most, "How many items to show (default 10)", "N" },
  { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL },
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static const Side *
choose_side (const Index *index, GError **error)
{
  const Side *side = side_name ? index_side (index, side_name) : index_first (index, image != NULL);
  if (!side && !side_name)
    side = index->sides->pdata[0];
  if (!side)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has no side \"%s\"", index->path, side_name);
  return side;
}

static float *
encode_query (const Index *index, const char *text, guint threads, gint64 *width, GError **error)
{
  const char *const *settings = (const char *const *) index->settings;
  if (image)
    return encode_image (index->run, settings, image, threads, width, error);
  g_autoptr (Encoder) encoder = encoder_open (index->run, settings, TRUE, threads, error);
  g_autofree float *embedding = encoder ? g_new (float, encoder->width) : NULL;
  if (!encoder || !encoder_texts (encoder, &text, 1, embedding, error))
    return NULL;
  *width = encoder->width;
  return g_steal_pointer (&embedding);
}

static void
print_hits (const Side *side, const Hit *hits, guint k)
{
  for (guint i = 0; i < k; i++)
    {
      const char *item = side_item (side, hits[i].row);
      printf ("%7.4f  %s%s%" G_GINT64_FORMAT "\n", hits[i].score, item ? item : "", item ? "  #" : "#", hits[i].row);
    }
}

int
search_command (const WeftCommandCall *call)
{
  g_autoptr (GError) error = NULL;
  if (call->n != (image ? 1 : 2))
    return command_misused ("search", "expected an index and a text in quotes, or an index and --image FILE");
  if (most < 1 || most > MOST_HITS)
    return command_misused ("search", "--most is from 1 to 10000");
  g_autoptr (Index) index = index_open (call->arguments[0], &error);
  const char *text = image ? NULL : call->arguments[1];
  const Side *side = index ? choose_side (index, &error) : NULL;
  gint64 width = 0;
  guint k = (guint) most;
  g_autofree float *embedding = side ? encode_query (index, text, call->threads, &width, &error) : NULL;
  g_autofree Hit *hits = embedding ? answer_find (side, embedding, width, &k, call->threads, &error) : NULL;
  if (!hits)
    return command_failed ("search", error);
  g_autofree char *answer = json ? answer_json (index, side, text, hits, k) : NULL;
  if (json)
    puts (answer);
  else
    print_hits (side, hits, k);
  return 0;
}
