/* The end of a tile: how its sums become part of a matrix. Included after the registers, as micro-body.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause */

#define MICRO_COLUMNS (2 * LANES)

MICRO_INLINE void
finish_row (Lanes left, Lanes right, float alpha, float beta, float *c, gint64 columns)
{
  left = left * every (alpha);
  right = right * every (alpha);
  if (columns == MICRO_COLUMNS)
    {
      if (beta != 0)
        {
          left += every (beta) * load (c);
          right += every (beta) * load (c + LANES);
        }
      store (c, left);
      store (c + LANES, right);
      return;
    }
  gint64 first = MIN (columns, LANES), rest = columns - first;
  if (beta != 0)
    {
      left += every (beta) * load_some (c, first);
      right += every (beta) * load_some (c + LANES, rest);
    }
  store_some (c, left, first);
  store_some (c + LANES, right, rest);
}
