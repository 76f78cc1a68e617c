/* The kernels of micro.h on tiles of bfloat16 (AMX). The file that includes this defines PARTS, of which numbers consist; raw_along(),
 * which loads all places of an item in a block, and raw_across(), which loads one place of up to 16 items, in RAWS registers; split(), which
 * makes parts of them; FIRST_COLUMNS, the part of columns that is loaded first, with part 0 of rows; ADD_PARTS (two), which adds one block
 * up and loads the first of the next.
 *
 * A panel is a row of blocks of the sum, 32 numbers each, and a block has its parts one after the other, as tiles are loaded: for rows
 * each row's 16 places follow each other, for columns each place's 32 columns.
 *
 * SPDX-License-Identifier: BSD-3-Clause */

#define TILE 16          /* rows of a tile; places of a block */
#define BLOCK_NUMBERS 32 /* of the sum */
#define TILE_FLOATS (TILE * TILE)
#define COLUMN_PART (TILE * MICRO_COLUMNS) /* floats of a part of a block of columns */

static inline gint64
filled (gint64 rows)
{
  return (rows + TILE - 1) / TILE * TILE;
}

static inline gint64
blocks_of (gint64 k)
{
  return (k + BLOCK_NUMBERS - 1) / BLOCK_NUMBERS;
}

/* Numbers that are one below the other lie in pages of their own, which processors don't foresee. They are fetched so many floats ahead, and
 * into the second level only: of those a power of two apart the first has room for few. */
#define AHEAD 64

MICRO_INLINE void
store_parts (const Lanes raw[RAWS], gboolean endless, Lanes *odd, gint64 part_floats, float *to)
{
  Lanes parts[PARTS];
  split (raw, endless, odd, parts);
#pragma GCC unroll 3
  for (int part = 0; part < PARTS; part++)
    store (to + part * part_floats, parts[part]);
}

/* One tile of a block as it is read: of a panel of rows, item after item. Returns: whether it has to be done again for what is endless. */
MICRO_INLINE gboolean
pack_straight (gint64 items, gint64 numbers, gboolean endless, const float *x, gint64 along, gint64 part_floats, float *to)
{
  Lanes odd = { 0 };
  for (gint64 i = 0; i < TILE; i++)
    {
      Lanes raw[RAWS] = { 0 };
      if (i < items)
        raw_along (x + i * along, numbers, raw);
      store_parts (raw, endless, &odd, part_floats, to + i * TILE);
    }
  return any_odd (odd);
}

/* One tile of a block that lies the other way. */
MICRO_INLINE void
load_turned (gint64 items, gint64 numbers, const float *x, gint64 along, gint64 deep, Lanes tiles[RAWS][TILE])
{
  for (gint64 i = 0; i < TILE; i++)
    {
      Lanes raw[RAWS] = { 0 };
      if (deep != 1)
        {
          __builtin_prefetch (x + i * deep + AHEAD, 0, 2);
          __builtin_prefetch (x + (i + TILE) * deep + AHEAD, 0, 2);
          if (items > 0)
            raw_across (x, deep, items, i, numbers, raw);
        }
      else if (i < items)
        raw_along (x + i * along, numbers, raw);
#pragma GCC unroll 2
      for (int part = 0; part < RAWS; part++)
        tiles[part][i] = raw[part];
    }
  for (int part = 0; part < RAWS; part++)
    transpose (tiles[part]);
}

MICRO_INLINE gboolean
store_turned (const Lanes tiles[RAWS][TILE], gboolean endless, gint64 stride, gint64 part_floats, float *to)
{
  Lanes odd = { 0 };
  for (gint64 i = 0; i < TILE; i++)
    {
      Lanes raw[RAWS];
#pragma GCC unroll 2
      for (int part = 0; part < RAWS; part++)
        raw[part] = tiles[part][i];
      store_parts (raw, endless, &odd, part_floats, to + i * stride);
    }
  return any_odd (odd);
}

MICRO_INLINE void
pack_tile (gint64 items, gint64 numbers, const float *x, gint64 along, gint64 deep, gboolean columns, gint64 part_floats, float *to)
{
  gint64 stride = columns ? MICRO_COLUMNS : TILE;
  if ((deep == 1) == columns)
    {
      Lanes tiles[RAWS][TILE];
      load_turned (items, numbers, x, along, deep, tiles);
      if (G_UNLIKELY (store_turned (tiles, FALSE, stride, part_floats, to)))
        store_turned (tiles, TRUE, stride, part_floats, to);
    }
  else if (G_UNLIKELY (pack_straight (items, numbers, FALSE, x, along, part_floats, to)))
    pack_straight (items, numbers, TRUE, x, along, part_floats, to);
}

/* One panel, as far as it consists of blocks from @p on and before @end. Most tiles are full, which is worth instructions of their own. */
MICRO_INLINE void
pack_panel (gint64 items, gint64 p, gint64 end, gint64 k, const float *x, gint64 along, gint64 deep, gboolean columns, float *to)
{
  gint64 width = columns ? MICRO_COLUMNS : filled (items), part_floats = width * TILE;
  for (gint64 i = 0; i < width; i += TILE)
    for (gint64 q = p; q < end; q += BLOCK_NUMBERS)
      {
        const float *from = x + MIN (i, items) * along + q * deep;
        float *tile = to + q / BLOCK_NUMBERS * PARTS * part_floats + (columns ? i : i * TILE);
        if (items - i >= TILE && k - q >= BLOCK_NUMBERS)
          pack_tile (TILE, BLOCK_NUMBERS, from, along, deep, columns, part_floats, tile);
        else
          pack_tile (CLAMP (items - i, 0, TILE), MIN (BLOCK_NUMBERS, k - q), from, along, deep, columns, part_floats, tile);
      }
}

/* Memory is read in its order: all numbers of a few items, or all items of a few numbers. */
MICRO_INLINE void
pack_panels (gint64 count, gint64 k, const float *x, gint64 along, gint64 deep, gint64 width, gboolean columns, float *to)
{
  gint64 places = blocks_of (k) * PARTS * TILE, some = deep == 1 ? MAX (k, 1) : BLOCK_NUMBERS;
  for (gint64 p = 0; p < k; p += some)
    for (gint64 first = 0; first < count; first += width)
      pack_panel (MIN (width, count - first), p, MIN (p + some, k), k, x + first * along, along, deep, columns, to + first * places);
}

/* Columns that lie side by side: a place of all of them after the other, because memory that lies together is read together. That of the
 * next block is fetched meanwhile. Returns: as pack_straight(). */
MICRO_INLINE gboolean
pack_block_across (gint64 count, gint64 numbers, gboolean whole, gboolean endless, const float *x, gint64 deep, gint64 places, float *to)
{
  Lanes odd = { 0 };
  gint64 width = (count + MICRO_COLUMNS - 1) / MICRO_COLUMNS * MICRO_COLUMNS;
  for (gint64 place = 0; place < TILE; place++, to += MICRO_COLUMNS)
    for (gint64 first = 0; first < width; first += TILE)
      {
        Lanes raw[RAWS] = { 0 };
        gint64 items = whole ? TILE : MIN (count - first, TILE);
        __builtin_prefetch (x + (BLOCK_NUMBERS + place) * deep + first, 0, 2);
        __builtin_prefetch (x + (BLOCK_NUMBERS + TILE + place) * deep + first, 0, 2);
        if (items > 0)
          raw_across (x + first, deep, items, place, numbers, raw);
        store_parts (raw, endless, &odd, COLUMN_PART, to + first / MICRO_COLUMNS * MICRO_COLUMNS * places + first % MICRO_COLUMNS);
      }
  return any_odd (odd);
}

static void
pack_across (gint64 count, gint64 k, const float *x, gint64 deep, float *to)
{
  gint64 places = blocks_of (k) * PARTS * TILE;
  for (gint64 p = 0; p < k; p += BLOCK_NUMBERS, x += BLOCK_NUMBERS * deep, to += PARTS * COLUMN_PART)
    {
      gint64 numbers = MIN (k - p, BLOCK_NUMBERS);
      gboolean odd = numbers == BLOCK_NUMBERS && count % MICRO_COLUMNS == 0
                         ? pack_block_across (count, BLOCK_NUMBERS, TRUE, FALSE, x, deep, places, to)
                         : pack_block_across (count, numbers, FALSE, FALSE, x, deep, places, to);
      if (G_UNLIKELY (odd))
        pack_block_across (count, numbers, FALSE, TRUE, x, deep, places, to);
    }
}

/* Which of the distances is 1 is known where the functions above become part of these. */
static void
pack_rows (gint64 count, gint64 k, const float *x, gint64 along, gint64 deep, gint64 height, float *to)
{
  if (deep == 1)
    pack_panels (count, k, x, along, 1, height, FALSE, to);
  else
    pack_panels (count, k, x, 1, deep, height, FALSE, to);
}

static void
pack_columns (gint64 count, gint64 k, const float *x, gint64 along, gint64 deep, float *to)
{
  if (deep == 1)
    pack_panels (count, k, x, along, 1, MICRO_COLUMNS, TRUE, to);
  else
    pack_across (count, k, x, deep, to);
}

/* Accumulators are tiles 0 to 3, two for each 16 rows; operands are 4 and 5 (rows), 6 and 7 (columns). Each of these macros adds the
 * products of what is loaded, and loads what comes next as soon as nobody needs the tile any more: it then arrives, mostly from the
 * second-level cache, while the other products are formed. */
#define LOAD_4(rows) _tile_loadd (4, rows, 64);
#define LOAD_5(rows) _tile_loadd (5, (rows) + TILE_FLOATS, 64);
#define LOAD_6(columns) _tile_loadd (6, columns, 128);
#define LOAD_7(columns) _tile_loadd (7, (columns) + TILE, 128);
#define ADD_THEN_ROWS(two, rows)                                                                                                           \
  _tile_dpbf16ps (0, 4, 6);                                                                                                                \
  _tile_dpbf16ps (1, 4, 7);                                                                                                                \
  LOAD_4 (rows)                                                                                                                            \
  if (two)                                                                                                                                 \
    {                                                                                                                                      \
      _tile_dpbf16ps (2, 5, 6);                                                                                                            \
      _tile_dpbf16ps (3, 5, 7);                                                                                                            \
      LOAD_5 (rows)                                                                                                                        \
    }
#define ADD_THEN_COLUMNS(two, columns)                                                                                                     \
  _tile_dpbf16ps (0, 4, 6);                                                                                                                \
  if (two)                                                                                                                                 \
    _tile_dpbf16ps (2, 5, 6);                                                                                                              \
  LOAD_6 (columns)                                                                                                                         \
  _tile_dpbf16ps (1, 4, 7);                                                                                                                \
  if (two)                                                                                                                                 \
    _tile_dpbf16ps (3, 5, 7);                                                                                                              \
  LOAD_7 (columns)
#define ADD_THEN_BOTH(two, rows, columns)                                                                                                  \
  _tile_dpbf16ps (0, 4, 6);                                                                                                                \
  _tile_dpbf16ps (1, 4, 7);                                                                                                                \
  LOAD_4 (rows)                                                                                                                            \
  if (two)                                                                                                                                 \
    _tile_dpbf16ps (2, 5, 6);                                                                                                              \
  LOAD_6 (columns)                                                                                                                         \
  if (two)                                                                                                                                 \
    {                                                                                                                                      \
      _tile_dpbf16ps (3, 5, 7);                                                                                                            \
      LOAD_5 (rows)                                                                                                                        \
    }                                                                                                                                      \
  LOAD_7 (columns)

/* Asks for some rows of C. */
MICRO_INLINE void
expect_rows (const float *c, gint64 c_stride, gint64 row, gint64 end)
{
  for (; row < end; row++)
    {
      __builtin_prefetch (c + row * c_stride, 1);
      __builtin_prefetch (c + row * c_stride + LANES, 1);
    }
}

/* Adds all blocks up; the sums are stored @stride floats apart. What they will be added to or become is asked for meanwhile, a few rows at a
 * time, since processors can wait for a dozen lines only. */
MICRO_INLINE void
add_up (gint64 blocks, const float *a, const float *b, gboolean two, float *sums, gint64 stride, gint64 rows, const float *c,
        gint64 c_stride)
{
  gint64 part_floats = (two ? 2 : 1) * TILE_FLOATS, bytes = stride * (gint64) sizeof (float);
  gint64 rows_a_block = (rows + blocks - 1) / MAX (blocks, 1);

  _tile_zero (0);
  _tile_zero (1);
  _tile_zero (2);
  _tile_zero (3);
  if (blocks)
    {
      LOAD_4 (a)
      if (two)
        LOAD_5 (a)
      LOAD_6 (b + FIRST_COLUMNS * COLUMN_PART)
      LOAD_7 (b + FIRST_COLUMNS * COLUMN_PART)
    }
  for (gint64 i = 0; i < blocks; i++)
    {
      const float *next_a = i + 1 < blocks ? a + PARTS * part_floats : a, *next_b = i + 1 < blocks ? b + PARTS * COLUMN_PART : b;
      expect_rows (c, c_stride, i * rows_a_block, MIN ((i + 1) * rows_a_block, rows));
      ADD_PARTS (two)
      a = next_a;
      b = next_b;
    }
  _tile_stored (0, sums, bytes);
  _tile_stored (1, sums + TILE, bytes);
  if (two)
    {
      _tile_stored (2, sums + TILE * stride, bytes);
      _tile_stored (3, sums + TILE * stride + TILE, bytes);
    }
}

static void
multiply (gint64 rows, gint64 places, const float *a, const float *b, float alpha, float beta, float *c, gint64 c_stride, gint64 columns)
{
  gboolean two = rows > TILE, at_once = alpha == 1 && beta == 0 && columns == MICRO_COLUMNS && rows == filled (rows);
  float sums[2 * TILE * MICRO_COLUMNS] __attribute__ ((aligned (64)));
  float *to = at_once ? c : sums;
  gint64 stride = at_once ? c_stride : MICRO_COLUMNS;

  if (two)
    add_up (places / (PARTS * TILE), a, b, TRUE, to, stride, rows, c, c_stride);
  else
    add_up (places / (PARTS * TILE), a, b, FALSE, to, stride, rows, c, c_stride);
  if (!at_once)
    for (gint64 i = 0; i < rows; i++)
      finish_row (load (sums + i * MICRO_COLUMNS), load (sums + i * MICRO_COLUMNS + LANES), alpha, beta, c + i * c_stride, columns);
}

/* Tiles are all as large as can be: what an operand lacks is zero in its panel. */
static void
begin (void)
{
  static const struct
  {
    guint8 palette, start_row, reserved[14];
    guint16 row_bytes[16];
    guint8 rows[16];
  } shapes = { .palette = 1, .row_bytes = { 64, 64, 64, 64, 64, 64, 64, 64 }, .rows = { 16, 16, 16, 16, 16, 16, 16, 16 } };
  _tile_loadconfig (&shapes);
}

/* A thread that has no tiles is cheaper to leave and to come back to. */
static void
end (void)
{
  _tile_release ();
}

#define MICRO_AMX_KERNELS(set, label, most)                                                                                                \
  const MicroKernels set = {                                                                                                               \
    .name = label,                                                                                                                         \
    .rows = 2 * TILE,                                                                                                                      \
    .columns = MICRO_COLUMNS,                                                                                                              \
    .block_rows = 128,                                                                                                                     \
    .row_unit = TILE,                                                                                                                      \
    .numbers = BLOCK_NUMBERS,                                                                                                              \
    .places = PARTS * TILE,                                                                                                                \
    .depth = most,                                                                                                                         \
    .begin = begin,                                                                                                                        \
    .end = end,                                                                                                                            \
    .multiply = multiply,                                                                                                                  \
    .pack_rows = pack_rows,                                                                                                                \
    .pack_columns = pack_columns,                                                                                                          \
  };
