/* Queries to an index, and their answers.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "answer.h"

#include <math.h>

#include <weft/operator.h>

Hit *
answer_find (const Side *side, const float *embedding, gint64 width, guint *k, guint threads, GError **error)
{
  if (width != side->width)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "the query has %" G_GINT64_FORMAT " numbers, the index %" G_GINT64_FORMAT ": it was made by another run", width,
                   side->width);
      return NULL;
    }
  for (gint64 i = 0; i < width; i++)
    if (!isfinite (embedding[i]))
      {
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "the query's embedding is not finite");
        return NULL;
      }
  *k = (guint) MIN (*k, side->rows);
  Hit *hits = g_new (Hit, *k);
  nearest_find (side, embedding, 1, *k, threads, hits);
  return hits;
}

char *
answer_json (const Index *index, const Side *side, const char *query, const Hit *hits, guint k)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  if (query)
    {
      json_builder_set_member_name (builder, "query");
      json_builder_add_string_value (builder, query);
    }
  json_builder_set_member_name (builder, "side");
  json_builder_add_string_value (builder, side->name);
  json_builder_set_member_name (builder, "hits");
  json_builder_begin_array (builder);
  for (guint i = 0; i < k; i++)
    {
      const char *item = side_item (side, hits[i].row);
      g_autofree char *picture = side->text ? NULL : index_picture (index, hits[i].row);
      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "row");
      json_builder_add_int_value (builder, hits[i].row);
      json_builder_set_member_name (builder, "score");
      json_builder_add_double_value (builder, hits[i].score);
      if (item)
        {
          json_builder_set_member_name (builder, "item");
          json_builder_add_string_value (builder, item);
        }
      if (picture)
        {
          json_builder_set_member_name (builder, "picture");
          json_builder_add_string_value (builder, picture);
        }
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}
