/* Queries with any number of right answers each, by the ids that annotations use, and where those answers come in the ranking.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <json-glib/json-glib.h>

#include <weft/operator.h>

G_BEGIN_DECLS

/**
 * Positives:
 * @offsets: [queries + 1]: where the answers of each query begin
 * @items: the answers of a query as numbers of rows, in ascending order, each once
 * @similarity: of each answer, those of a query in descending order; filled by positives_rank()
 * @before: how many items that are no answers come before each answer, in the order of @similarity; filled by positives_rank()
 */
typedef struct
{
  GArray *offsets; /* gint64 */
  GArray *items;   /* gint32 */
  double *similarity;
  guint32 *before;
} Positives;

Positives *positives_new (void);
void positives_free (Positives *positives);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Positives, positives_free)
/* Ends the answers of one query. */
void positives_end_query (Positives *positives);
/* To be called once after the last query. */
void positives_finish (Positives *positives);
gint64 positives_queries (const Positives *positives);
static inline gint64
positives_offset (const Positives *positives, gint64 query)
{
  return g_array_index (positives->offsets, gint64, query);
}

/**
 * IdTable: ids of images or captions, in the order of their embeddings
 * @path: of the file, for messages
 * @rows: id → its number
 */
typedef struct
{
  char *path;
  GPtrArray *ids;
  GHashTable *rows;
} IdTable;

/* Reads a file of ids, one a line; of every @repeat lines, which must be equal, the first counts. */
IdTable *id_table_read (const char *path, guint repeat, GError **error);
void id_table_free (IdTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IdTable, id_table_free)
/* The number of an id that JSON holds as a string or a number; -1: none. */
gint64 id_table_find (const IdTable *table, JsonNode *id);

/**
 * Ranked:
 * @query: f32[queries, width]
 * @item: f32[items, width]
 * @own: row i of @query is row i of @item, and the similarity of that pair counts as 0
 * @best_only: only the first answer of each query is needed
 * @query_norms, @item_norms: memory, one entry a row
 * @tiles: memory of positives_tile_floats()
 */
typedef struct
{
  gint64 queries, items, width;
  const float *query, *item;
  gboolean own, best_only;
  double *query_norms, *item_norms;
  float *tiles;
} Ranked;

gsize positives_tile_floats (guint members);

/**
 * positives_rank:
 *
 * Fills @positives' similarities and counts. An item that is exactly as similar as an answer comes before it; answers don't come before
 * one another. Where float32 could decide wrongly, products are taken in double precision.
 *
 * Returns: %FALSE after weft_fail(): a similarity is not finite
 */
gboolean positives_rank (const WeftCall *call, const Ranked *ranked, Positives *positives);

/* Share of queries, in per cent, whose first answer is among the first @k items; queries without answers count as missed unless @skip. */
double positives_recall (const Positives *positives, guint32 k, gboolean skip);

G_END_DECLS
