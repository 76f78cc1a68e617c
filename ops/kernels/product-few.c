/* Products of few rows: each task computes some columns of C by itself, and packs for itself what it needs.
 *
 * What is packed of B is used few times, so that it should be used at once, from the second-level cache. Packing A for every task costs
 * less than waiting for others to do it, and than fetching it from their caches.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "product-parts.h"

/* Columns that are packed at a time. */
#define STRIP 64
/* Most columns of a task, and multiplications that make one worth handing out. */
#define TASK_COLUMNS 1024
#define TASK_WORK (1 << 20)
/* Bytes for the rows of A for one depth, then a strip of B: one huge page. */
#define PACKED_BYTES (2 << 20)

typedef struct
{
  const MatrixProduct *product;
  const MicroKernels *micro;
  gint64 height;  /* of panels of rows */
  gint64 columns; /* of a task */
  gint64 depth, depths;
} Job;

/* All rows of a strip from column @column on. */
static void
multiply (const Job *job, gint64 column, gint64 columns, gint64 first, gint64 depth, const float *rows, const float *strip)
{
  const MatrixProduct *p = job->product;
  gint64 places = micro_places (job->micro, depth), width = job->micro->columns;

  if (job->micro->begin)
    job->micro->begin ();
  for (gint64 j = 0; j < columns; j += width)
    for (gint64 i = 0; i < p->m; i += job->height)
      job->micro->multiply (MIN (job->height, p->m - i), places, rows + i * places, strip + j * places, p->alpha, first == 0 ? p->beta : 1,
                            p->c + i * p->c_stride + column + j, p->c_stride, MIN (width, columns - j));
  if (job->micro->end)
    job->micro->end ();
}

static void
run_strips (const Job *job, gint64 column, gint64 end, gint64 first, gint64 depth, float *rows, float *memory)
{
  const MatrixProduct *p = job->product;

  for (; column < end; column += STRIP)
    {
      gint64 columns = MIN (STRIP, end - column);
      const float *strip = memory;
      if (p->packed)
        strip = product_packed_at (job->micro, p->n, (float *) p->packed, column, first, depth);
      else
        product_pack_columns (job->micro, p, column, columns, first, depth, memory);
      multiply (job, column, columns, first, depth, rows, strip);
      if (first + depth >= p->k)
        product_finish (p, 0, p->m, column, columns);
    }
}

static void
run_task (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Job *job = data;
  const MatrixProduct *p = job->product;
  gint64 column = index * job->columns, end = MIN (column + job->columns, p->n);
  float *rows = product_memory (), *strip = rows + (p->m + MICRO_MAX_ROWS) * micro_places (job->micro, job->depth);

  for (gint64 step = 0; step < job->depths; step++)
    {
      gint64 first = step * job->depth, depth = CLAMP (p->k - first, 0, job->depth);
      product_pack_rows (job->micro, p, 0, p->m, first, depth, job->height, rows);
      run_strips (job, column, end, first, depth, rows, strip);
    }
}

/* Rows that take half of the second-level cache. */
gboolean
product_is_few (const MatrixProduct *product, const MicroKernels *micro)
{
  gint64 row = micro->depth * (gint64) sizeof (float), most = MAX (product_cache () / 2 / row, 64);
  return product->m <= MIN (most, PACKED_BYTES / row - MICRO_MAX_ROWS - STRIP);
}

/* Columns of a task: as many tasks as members, or a multiple of it, unless there is too little to do. */
static gint64
columns_of_task (const MatrixProduct *product, const MicroKernels *micro, guint team)
{
  gint64 tasks = (product->n + TASK_COLUMNS * team - 1) / (TASK_COLUMNS * team) * team;
  gint64 least = TASK_WORK / MAX (product->m * product->k, 1);
  return up_to_multiple (MAX ((product->n + tasks - 1) / tasks, MAX (least, 1)), micro->columns);
}

void
product_few_run (const WeftCall *call, const MatrixProduct *product, const MicroKernels *micro)
{
  guint team = call ? weft_team_size (call) : 1;
  Job job = { .product = product,
              .micro = micro,
              .height = product_panel_height (micro, product->m),
              .columns = columns_of_task (product, micro, team),
              .depths = product_depths (micro, product->k),
              .depth = product_depth (micro, product->k) };

  product_share (call, (product->n + job.columns - 1) / job.columns, run_task, &job);
}
