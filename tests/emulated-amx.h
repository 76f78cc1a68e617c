/* Tiles of AMX in plain C, after Intel's description of TDPBF16PS: even and odd products of a block are summed apart, and what is no normal
 * number counts as zero.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "emulated-avx512.h"

#define TILE_ROWS 16
#define TILE_BYTES 64

static guint8 emulated_tiles[8][TILE_ROWS][TILE_BYTES];

EMULATED void
_tile_loadconfig (gconstpointer config)
{
  const guint8 *bytes = config;
  for (int i = 0; i < 8; i++)
    g_assert (bytes[0] == 1 && bytes[16 + 2 * i] == TILE_BYTES && bytes[48 + i] == TILE_ROWS);
}

EMULATED void
_tile_release (void)
{
}

EMULATED void
_tile_zero (int tile)
{
  memset (emulated_tiles[tile], 0, sizeof emulated_tiles[tile]);
}

EMULATED void
_tile_loadd (int tile, gconstpointer from, gint64 stride)
{
  for (gint64 i = 0; i < TILE_ROWS; i++)
    memcpy (emulated_tiles[tile][i], (const char *) from + i * stride, TILE_BYTES);
}

EMULATED void
_tile_stored (int tile, gpointer to, gint64 stride)
{
  for (gint64 i = 0; i < TILE_ROWS; i++)
    memcpy ((char *) to + i * stride, emulated_tiles[tile][i], TILE_BYTES);
}

EMULATED float
emulated_half (int tile, int row, int at)
{
  guint16 half;
  memcpy (&half, &emulated_tiles[tile][row][2 * at], sizeof half);
  return (half & 0x7f80) == 0 ? 0 : emulated_from_bf16 (half);
}

EMULATED void
_tile_dpbf16ps (int to, int a, int b)
{
  for (int m = 0; m < TILE_ROWS; m++)
    for (int n = 0; n < 16; n++)
      {
        float sums[2] = { 0, 0 }, before;
        for (int k = 0; k < 16; k++)
          for (int odd = 0; odd < 2; odd++)
            sums[odd] += emulated_half (a, m, 2 * k + odd) * emulated_half (b, k, 2 * n + odd);
        memcpy (&before, &emulated_tiles[to][m][4 * n], sizeof before);
        before += sums[0] + sums[1];
        memcpy (&emulated_tiles[to][m][4 * n], &before, sizeof before);
      }
}
