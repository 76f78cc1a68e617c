/* Matrix products: blocks of A and B are packed once, each by the first member that needs it, and tiles of C are computed from them.
 *
 * The sum is cut into depths. Each depth of a part of C is a step; its tiles are tasks that members claim in order. Steps take turns in two
 * sets of packed blocks, so that nobody waits for the end of a step: a task waits only for tasks that were claimed before it, which
 * somebody is therefore at work on.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "product-parts.h"

#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blis.h"
#include "vector.h"

/* Places of the longest sum in one go that any kernels have. */
#define DEPTH 768
/* Greatest part of C whose operands are packed together, in rows or columns, at DEPTH and at any depth, and its blocks. */
#define DEEP_PART 2048
#define PART 3072
#define MAX_ROW_BLOCKS 48
#define MAX_COLUMN_BLOCKS 48
#define SETS 2
#define COLUMN_BLOCK 256
#define MIN_COLUMN_BLOCK 64
/* Blocks are packed in pieces of whole panels, so that members who need one at the same time share the work. */
#define PIECES 4
#define COLUMN_PIECE (COLUMN_BLOCK / PIECES)
/* Tasks that a step should have to keep a team busy, and multiplications that make a task worth handing out. */
#define ENOUGH_TASKS 16
#define TASK_WORK (1 << 19)
/* Multiplications below which members would spend more time on waiting for each other than they save. */
#define SHARED_WORK (1 << 21)
#define PACKED_FLOATS (SETS * 2 * (DEEP_PART + 64) * DEPTH)
#define HUGE_PAGE (2 << 20)

/* What one dimension is cut into: parts of blocks. */
typedef struct
{
  gint64 size, block, blocks; /* blocks: in a part */
  gint64 parts;
} Cut;

typedef struct
{
  gint64 claimed, packed;
} Packing;

typedef struct
{
  const MatrixProduct *product;
  const MicroKernels *micro;
  Cut rows, columns;
  gint64 depth, depths; /* in numbers of the sum */
  gint64 tasks;         /* of a step */
  gint64 all_tasks;
  float *packed_rows[SETS], *packed_columns[SETS];
  gsize row_block_floats, column_block_floats;
  /* Atomic. Steps, plus one, for which a piece of a block of a set was last claimed for packing and packed; steps done of each tile; tasks
   * done in all steps of a set; the next task, since a team may hand out its own numbers in any order. */
  Packing row_packings[SETS][MAX_ROW_BLOCKS][PIECES], column_packings[SETS][MAX_COLUMN_BLOCKS][PIECES];
  gint64 finished[SETS];
  gint64 next;
  gint64 computed[MAX_ROW_BLOCKS * MAX_COLUMN_BLOCKS];
} Job;

/* Equal blocks of at most @most, a multiple of @unit, in equal parts of at most @most_blocks. */
static Cut
cut (gint64 size, gint64 most, gint64 unit, gint64 most_blocks)
{
  gint64 blocks = (size + most - 1) / most;
  Cut self = { .size = size, .block = up_to_multiple ((size + blocks - 1) / blocks, unit) };
  blocks = (size + self.block - 1) / self.block;
  self.parts = (blocks + most_blocks - 1) / most_blocks;
  self.blocks = (blocks + self.parts - 1) / self.parts;
  self.parts = (blocks + self.blocks - 1) / self.blocks;
  return self;
}

gint64
product_cache (void)
{
  static gsize cache;
  if (g_once_init_enter (&cache))
    {
      long bytes = sysconf (_SC_LEVEL2_CACHE_SIZE);
      g_once_init_leave (&cache, (gsize) (bytes > 0 ? bytes : 256 << 10));
    }
  return (gint64) cache;
}

/* A third of the second-level cache for a block of A; the rest is for the panels of B and of C that pass by. */
static gint64
row_block (const MicroKernels *micro)
{
  gint64 fit = product_cache () / 3 / (micro->depth * (gint64) sizeof (float)) / micro->rows;
  return CLAMP (fit, 64 / micro->rows, micro->block_rows / micro->rows) * micro->rows;
}

/* The height between half of @most and it at which the last member to finish has least to do, of a part of @rows rows and so many blocks of
 * columns. */
static gint64
fair_block (gint64 rows, gint64 most, gint64 unit, gint64 column_blocks, guint team)
{
  gint64 best = most, least = G_MAXINT64;

  for (gint64 block = most; 2 * block >= most && block > 0; block -= unit)
    {
      gint64 tasks = (rows + block - 1) / block * column_blocks, longest = (tasks + team - 1) / team * block;
      if (longest < least)
        {
          least = longest;
          best = block;
        }
    }
  return best;
}

float *
product_memory (void)
{
  static GPrivate of_thread = G_PRIVATE_INIT (g_aligned_free);
  gpointer memory = g_private_get (&of_thread);
  if (!memory)
    {
      memory = g_aligned_alloc (PACKED_FLOATS, sizeof (float), HUGE_PAGE);
#ifdef MADV_HUGEPAGE
      (void) madvise (memory, PACKED_FLOATS * sizeof (float), MADV_HUGEPAGE);
#endif
      g_private_set (&of_thread, memory);
    }
  return memory;
}

static void
job_init (Job *job, const MatrixProduct *product, const MicroKernels *micro, guint team)
{
  gint64 part = MIN (DEEP_PART * DEPTH / micro->depth, PART);
  gint64 block = row_block (micro), columns = COLUMN_BLOCK, most = MIN (part / block, MAX_ROW_BLOCKS);
  gint64 row_blocks = MIN ((product->m + block - 1) / block, most);

  while (columns > MIN_COLUMN_BLOCK && row_blocks * ((MIN (product->n, part) + columns - 1) / columns) < ENOUGH_TASKS
         && MIN (product->m, block) * MIN (columns, product->n) * MIN (product->k, DEPTH) > 2 * TASK_WORK)
    columns /= 2;
  block = fair_block (MIN (product->m, part), block, micro->rows, (MIN (product->n, part) + columns - 1) / columns, team);
  most = MIN (part / block, MAX_ROW_BLOCKS);
  memset (job, 0, G_STRUCT_OFFSET (Job, computed));
  job->product = product;
  job->micro = micro;
  job->rows = cut (product->m, block, micro->rows, most);
  /* Columns that only one block of rows needs should be multiplied while what was packed is in cache: in few blocks, used again and again. */
  job->columns = cut (product->n, columns, micro->columns, row_blocks == 1 ? MIN (2 * (gint64) team, part / columns) : part / columns);
  job->depths = product_depths (micro, product->k);
  job->depth = product_depth (micro, product->k);
  job->tasks = job->rows.blocks * job->columns.blocks;
  job->all_tasks = job->tasks * job->depths * job->rows.parts * job->columns.parts;
  memset (job->computed, 0, (gsize) job->tasks * sizeof *job->computed);
  job->row_block_floats = (gsize) up_to_multiple (
      up_to_multiple (MIN (job->rows.block, product->m), micro->row_unit) * micro_places (micro, job->depth) + MICRO_SLACK, 16);
  job->column_block_floats = (gsize) (job->columns.block * micro_places (micro, job->depth));
  float *memory = product_memory ();
  for (int set = 0; set < SETS; set++)
    {
      job->packed_rows[set] = memory;
      memory += job->row_block_floats * (gsize) job->rows.blocks;
      job->packed_columns[set] = memory;
      memory += job->column_block_floats * (gsize) job->columns.blocks;
    }
}

/* Spins, because what is waited for is under way; gives way to others when the member at work on it seems to have lost its processor. */
static void
await (const gint64 *counter, gint64 value)
{
  for (guint spins = 0; __atomic_load_n (counter, __ATOMIC_ACQUIRE) < value; spins++)
    if (spins > 1000)
      sched_yield ();
#ifdef __x86_64__
    else
      __builtin_ia32_pause ();
#endif
}

/* One task: tile @row, @column of step @step, which adds positions from @depth on. Sizes of blocks are their true ones. */
typedef struct
{
  gint64 step, row, column;
  gint64 first_row, rows, first_column, columns, first, depth;
  gboolean begins, ends;
} Task;

static gboolean
task_init (Task *task, const Job *job, gint64 index)
{
  const MatrixProduct *product = job->product;
  gint64 part;

  task->step = index / job->tasks;
  task->row = index % job->tasks % job->rows.blocks;
  task->column = index % job->tasks / job->rows.blocks;
  part = task->step / job->depths;
  task->first = task->step % job->depths * job->depth;
  task->depth = CLAMP (product->k - task->first, 0, job->depth);
  task->begins = task->first == 0;
  task->ends = task->step % job->depths == job->depths - 1;
  task->first_row = (part % job->rows.parts * job->rows.blocks + task->row) * job->rows.block;
  task->first_column = (part / job->rows.parts * job->columns.blocks + task->column) * job->columns.block;
  task->rows = MIN (product->m - task->first_row, job->rows.block);
  task->columns = MIN (product->n - task->first_column, job->columns.block);
  return task->rows > 0 && task->columns > 0;
}

static gboolean
claim (gint64 *claimed, gint64 step)
{
  gint64 seen = __atomic_load_n (claimed, __ATOMIC_RELAXED);
  return seen <= step && __atomic_compare_exchange_n (claimed, &seen, step + 1, FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static void
await_pieces (const Packing pieces[PIECES], gint64 size, gint64 piece, gint64 step)
{
  for (gint64 first = 0; first < size; first += piece)
    await (&pieces[first / piece].packed, step + 1);
}

/* Packs what nobody else does; the rest may still be under way. */
static void
pack_columns (Job *job, const Task *task, Packing pieces[PIECES], float *to)
{
  for (gint64 first = 0; first < task->columns; first += COLUMN_PIECE)
    if (claim (&pieces[first / COLUMN_PIECE].claimed, task->step))
      {
        product_pack_columns (job->micro, job->product, task->first_column + first, MIN (COLUMN_PIECE, task->columns - first), task->first,
                              task->depth, to + first * micro_places (job->micro, task->depth));
        __atomic_store_n (&pieces[first / COLUMN_PIECE].packed, task->step + 1, __ATOMIC_RELEASE);
      }
}

/* Whole panels, in at most as many pieces as there are. */
static gint64
row_piece (const Job *job, const Task *task)
{
  gint64 height = product_panel_height (job->micro, task->rows), panels = (task->rows + height - 1) / height;
  return (panels + PIECES - 1) / PIECES * height;
}

static void
pack_rows (Job *job, const Task *task, Packing pieces[PIECES], float *to)
{
  gint64 height = product_panel_height (job->micro, task->rows), piece = row_piece (job, task);

  for (gint64 first = 0; first < task->rows; first += piece)
    if (claim (&pieces[first / piece].claimed, task->step))
      {
        product_pack_rows (job->micro, job->product, task->first_row + first, MIN (piece, task->rows - first), task->first, task->depth,
                           height, to + first * micro_places (job->micro, task->depth));
        __atomic_store_n (&pieces[first / piece].packed, task->step + 1, __ATOMIC_RELEASE);
      }
}

static void
multiply (const Job *job, const Task *task, const float *rows, const float *columns)
{
  const MatrixProduct *product = job->product;
  gint64 height = product_panel_height (job->micro, task->rows), width = job->micro->columns,
         places = micro_places (job->micro, task->depth);

  if (job->micro->begin)
    job->micro->begin ();
  for (gint64 j = 0; j < task->columns; j += width)
    for (gint64 i = 0; i < task->rows; i += height)
      job->micro->multiply (MIN (height, task->rows - i), places, rows + i * places, columns + j * places, product->alpha,
                            task->begins ? product->beta : 1,
                            product->c + (task->first_row + i) * product->c_stride + task->first_column + j, product->c_stride,
                            MIN (width, task->columns - j));
  if (job->micro->end)
    job->micro->end ();
}

void
product_finish (const MatrixProduct *product, gint64 first_row, gint64 rows, gint64 first_column, gint64 columns)
{
  for (gint64 i = 0; product->bias && i < rows; i++)
    {
      float *c = product->c + (first_row + i) * product->c_stride + first_column;
      vector->add (columns, c, product->bias + first_column, c);
    }
  if (product->announce)
    weft_part_done (product->announce, first_row, rows, first_column, columns);
}

static void
run_task (gpointer data, gint64 index G_GNUC_UNUSED, guint member G_GNUC_UNUSED)
{
  Job *job = data;
  Task task;
  gboolean within = task_init (&task, job, __atomic_fetch_add (&job->next, 1, __ATOMIC_RELAXED));
  gint64 set = task.step % SETS, *computed = &job->computed[task.row * job->columns.blocks + task.column];

  if (within)
    {
      float *rows = job->packed_rows[set] + task.row * (gint64) job->row_block_floats;
      float *columns = job->packed_columns[set] + task.column * (gint64) job->column_block_floats;
      Packing *row_pieces = job->row_packings[set][task.row], *column_pieces = job->column_packings[set][task.column];
      await (&job->finished[set], task.step / SETS * job->tasks);
      if (job->product->packed)
        columns =
            product_packed_at (job->micro, job->product->n, (float *) job->product->packed, task.first_column, task.first, task.depth);
      else
        pack_columns (job, &task, column_pieces, columns);
      pack_rows (job, &task, row_pieces, rows);
      if (!job->product->packed)
        await_pieces (column_pieces, task.columns, COLUMN_PIECE, task.step);
      await_pieces (row_pieces, task.rows, row_piece (job, &task), task.step);
      await (computed, task.step);
      multiply (job, &task, rows, columns);
      if (task.ends)
        product_finish (job->product, task.first_row, task.rows, task.first_column, task.columns);
    }
  else
    await (computed, task.step);
  __atomic_store_n (computed, task.step + 1, __ATOMIC_RELEASE);
  __atomic_add_fetch (&job->finished[set], 1, __ATOMIC_RELEASE);
}

/* Without micro-kernels: tiles by BLIS, for bfloat16 on copies that are rounded. */
#define TILE_ROWS 256
#define TILE_COLUMNS 512

static void
multiply_tile (const MatrixProduct *p, gint64 i, gint64 rows, gint64 j, gint64 columns)
{
  blis_product (p->transpose_a, p->transpose_b, rows, columns, p->k, p->alpha, p->transpose_a ? p->a + i : p->a + i * p->a_stride,
                p->a_stride, p->transpose_b ? p->b + j * p->b_stride : p->b + j, p->b_stride, p->beta, p->c + i * p->c_stride + j,
                p->c_stride);
}

/* As rounded() of micro-float.h. */
static float
bf16_rounded (float value)
{
  guint32 bits, magnitude;
  memcpy (&bits, &value, sizeof bits);
  magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    bits = (bits | 0x400000) & 0xffff0000;
  else
    bits = magnitude < 0x800000 ? bits & 0x80000000 : (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
  memcpy (&value, &bits, sizeof bits);
  return value;
}

static void
copy_rounded (gint64 rows, gint64 columns, const float *x, gint64 stride, float *to)
{
  for (gint64 i = 0; i < rows; i++)
    for (gint64 j = 0; j < columns; j++)
      to[i * columns + j] = bf16_rounded (x[i * stride + j]);
}

static void
multiply_rounded_tile (const MatrixProduct *p, gint64 i, gint64 rows, gint64 j, gint64 columns)
{
  float *a = product_memory (), *b = a + TILE_ROWS * DEPTH;

  for (gint64 first = 0; first < p->k || first == 0; first += DEPTH)
    {
      gint64 depth = MIN (DEPTH, p->k - first);
      if (p->transpose_a)
        copy_rounded (depth, rows, p->a + first * p->a_stride + i, p->a_stride, a);
      else
        copy_rounded (rows, depth, p->a + i * p->a_stride + first, p->a_stride, a);
      if (p->transpose_b)
        copy_rounded (columns, depth, p->b + j * p->b_stride + first, p->b_stride, b);
      else
        copy_rounded (depth, columns, p->b + first * p->b_stride + j, p->b_stride, b);
      blis_product (p->transpose_a, p->transpose_b, rows, columns, depth, p->alpha, a, p->transpose_a ? rows : MAX (depth, 1), b,
                    p->transpose_b ? MAX (depth, 1) : columns, first == 0 ? p->beta : 1, p->c + i * p->c_stride + j, p->c_stride);
    }
}

static void
run_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const MatrixProduct *p = data;
  gint64 across = (p->n + TILE_COLUMNS - 1) / TILE_COLUMNS;
  gint64 i = index / across * TILE_ROWS, j = index % across * TILE_COLUMNS;
  gint64 rows = MIN (TILE_ROWS, p->m - i), columns = MIN (TILE_COLUMNS, p->n - j);

  if (p->compute == WEFT_COMPUTE_BF16)
    multiply_rounded_tile (p, i, rows, j, columns);
  else
    multiply_tile (p, i, rows, j, columns);
  product_finish (p, i, rows, j, columns);
}

static void
run_all_tasks (gpointer data, gint64 index G_GNUC_UNUSED, guint member)
{
  const Job *job = data;
  for (gint64 i = 0; i < job->all_tasks; i++)
    run_task (data, i, member);
}

static void
run_blocks (const WeftCall *call, const MatrixProduct *product, const MicroKernels *micro)
{
  gboolean alone = product->m * product->n * product->k < SHARED_WORK;
  Job job;

  job_init (&job, product, micro, call && !alone ? weft_team_size (call) : 1);
  product_share (call, alone ? 1 : job.all_tasks, alone ? run_all_tasks : run_task, &job);
}

static void
run_tiles (const WeftCall *call, const MatrixProduct *product)
{
  gint64 down = (product->m + TILE_ROWS - 1) / TILE_ROWS, across = (product->n + TILE_COLUMNS - 1) / TILE_COLUMNS;
  product_share (call, down * across, run_tile, (gpointer) product);
}

void
product_share (const WeftCall *call, gint64 tasks, void (*task) (gpointer data, gint64 index, guint member), gpointer data)
{
  if (call)
    weft_parallel (call, tasks, task, data);
  else
    for (gint64 i = 0; i < tasks; i++)
      task (data, i, 0);
}

void
product_run (const WeftCall *call, const MatrixProduct *product)
{
  const MicroKernels *micro = micro_kernels (product->compute, product->k);

  if (product->m <= 0 || product->n <= 0)
    return;
  if (!micro)
    run_tiles (call, product);
  else if (product_is_few (product, micro))
    product_few_run (call, product, micro);
  else
    run_blocks (call, product, micro);
}

gsize
product_packed_floats (WeftCompute compute, gint64 n, gint64 k)
{
  const MicroKernels *micro = micro_kernels (compute, k);
  return micro ? (gsize) (up_to_multiple (n, micro->columns) * micro_places (micro, k)) + MICRO_SLACK : 0;
}

typedef struct
{
  const MatrixProduct *product;
  const MicroKernels *micro;
  float *packed;
} PackingJob;

/* Some columns of one depth. */
static void
pack_whole (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const PackingJob *job = data;
  const MatrixProduct *product = job->product;
  gint64 blocks = (product->n + COLUMN_BLOCK - 1) / COLUMN_BLOCK, full = product_depth (job->micro, product->k);
  gint64 column = index % blocks * COLUMN_BLOCK, first = index / blocks * full, depth = CLAMP (product->k - first, 0, full);

  product_pack_columns (job->micro, product, column, MIN (COLUMN_BLOCK, product->n - column), first, depth,
                        product_packed_at (job->micro, product->n, job->packed, column, first, depth));
}

void
product_pack (const WeftCall *call, const MatrixProduct *product, float *packed)
{
  PackingJob job = { product, micro_kernels (product->compute, product->k), packed };
  gint64 blocks = (product->n + COLUMN_BLOCK - 1) / COLUMN_BLOCK;

  weft_parallel (call, product_depths (job.micro, product->k) * blocks, pack_whole, &job);
}

void
product_on_team (const WeftCall *call, gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha,
                 const float *a, gint64 a_stride, const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride)
{
  const MatrixProduct product = { transpose_a, transpose_b, m,    n, k,        alpha, a,    a_stride,
                                  b,           b_stride,    beta, c, c_stride, NULL,  NULL, call ? call->compute : WEFT_COMPUTE_FLOAT32,
                                  NULL };
  product_run (call, &product);
}

void
product_here (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 a_stride,
              const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride)
{
  product_on_team (NULL, transpose_a, transpose_b, m, n, k, alpha, a, a_stride, b, b_stride, beta, c, c_stride);
}
