/* embedding: rows of a table by number; positions: numbers of rows within their sample.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "kernels/vector.h"
#include "tiles.h"

typedef struct
{
  gint64 rows, width, padding;
  const char *initial;
} Embedding;

static void
embedding_forward (const WeftCall *call)
{
  const Embedding *self = call->attributes;
  const gint32 *ids = call->in[0]->data;
  gint64 n = weft_tensor_elements (call->in[0]);
  const float *table = call->parameters[0]->data;
  float *y = call->out[0]->data;

  for (gint64 i = 0; i < n; i++)
    {
      if (ids[i] < 0 || ids[i] >= self->rows)
        {
          weft_fail (call, "id %d at position %" G_GINT64_FORMAT " is outside the table of %" G_GINT64_FORMAT " rows", ids[i], i,
                     self->rows);
          return;
        }
      memcpy (y + i * self->width, table + ids[i] * self->width, self->width * sizeof (float));
    }
}

/* Each tile owns some columns of the whole table, so that no two add to the same number and the order is that of the ids. */
static void
scatter_columns (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const Embedding *self = call->attributes;
  const gint32 *ids = call->in[0]->data;
  gint64 n = weft_tensor_elements (call->in[0]), first = index * COLUMN_TILE, columns = MIN (COLUMN_TILE, self->width - first);
  float *by_table = (float *) call->parameter_gradient[0]->data + first;
  const float *by_y = (const float *) call->out_gradient[0]->data + first;

  for (gint64 row = 0; row < self->rows; row++)
    vector->fill (columns, 0, by_table + row * self->width);
  for (gint64 i = 0; i < n; i++)
    if (ids[i] != self->padding)
      vector->add (columns, by_table + ids[i] * self->width, by_y + i * self->width, by_table + ids[i] * self->width);
}

static void
embedding_backward (const WeftCall *call)
{
  const Embedding *self = call->attributes;

  if (call->parameter_gradient[0])
    weft_parallel (call, tiles_of (self->width, COLUMN_TILE), scatter_columns, (gpointer) call);
}

static const WeftOperator embedding = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "embedding",
  .version = 1,
  .summary = "rows of a learned table by number",
  .attributes_size = sizeof (Embedding),
  .attributes = (const WeftAttribute[]){ WEFT_INTEGER (Embedding, rows, NULL, 1, 1 << 28, "", "rows of the table"),
                                         WEFT_INTEGER (Embedding, width, NULL, 1, 1 << 20, "", "width of a row"),
                                         WEFT_INTEGER (Embedding, padding, "-1", -1, 1 << 28, "", "row that gets no gradient; -1: none"),
                                         WEFT_STRING (Embedding, initial, "normal(1)", "initial table"),
                                         { 0 } },
  .inputs =
      (const WeftPort[]){ { .name = "ids", .signature = "i32[...] < $rows", .flags = WEFT_PORT_READ, .meaning = "row numbers" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "f32[..., $width]", .meaning = "the rows" }, { 0 } },
  .parameters =
      (const WeftPort[]){ { .name = "weight", .signature = "f32[$rows, $width]", .meaning = "the table", .initial = "$initial" }, { 0 } },
  .forward = embedding_forward,
  .backward = embedding_backward,
  .example = "ids: {op: feed, signature: \"i32[b<=3 : t<=12] < 7\"}\n"
             "y: {op: embedding, ids: ids, rows: 7, width: 5}\n",
};
WEFT_OPERATOR (embedding);

typedef struct
{
  gint64 limit;
  gint64 step;
} Positions;

static void
positions_forward (const WeftCall *call)
{
  const Positions *self = call->attributes;
  const WeftTensor *ids = call->in[0];
  gint32 *y = call->out[0]->data;

  for (gint64 sample = 0; sample < ids->samples; sample++)
    {
      gint64 n = ids->offsets[sample + 1] - ids->offsets[sample];
      if (n > 0 && (n - 1) * self->step >= self->limit)
        {
          weft_fail (call, "sample %" G_GINT64_FORMAT " has %" G_GINT64_FORMAT " rows; there are positions for %" G_GINT64_FORMAT, sample,
                     n, self->limit);
          return;
        }
      for (gint64 i = 0; i < n; i++)
        y[ids->offsets[sample] + i] = (gint32) (i * self->step);
    }
}

static const WeftOperator positions = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "positions",
  .version = 1,
  .summary = "the position of each row within its sample, from 0",
  .attributes_size = sizeof (Positions),
  .attributes = (const WeftAttribute[]){ WEFT_INTEGER (Positions, limit, "512", 1, 1 << 24, "rows", "most rows that a sample may have"),
                                         WEFT_INTEGER (Positions, step, "1", 0, 1 << 16, "",
                                                       "from a row to the next; 0: all are 0, as BERT's token types of single texts"),
                                         { 0 } },
  .inputs = (const WeftPort[]){ { .name = "ids", .signature = "i32[b:t]", .meaning = "anything ragged; only its offsets matter" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y", .signature = "i32[b:t] < $limit", .meaning = "0, 1, … for each sample" }, { 0 } },
  .forward = positions_forward,
  .not_differentiable = "its result is integers",
  .example = "ids: {op: feed, signature: \"i32[b<=3 : t<=12] < 7\"}\n"
             "y: {op: positions, ids: ids, limit: 12}\n",
};
WEFT_OPERATOR (positions);
