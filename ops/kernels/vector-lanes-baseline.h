/* Parts of registers, choices and bounds, as any compiler makes them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */

/* The first @count lanes from memory, @rest in the others. */
LANE_INLINE Lanes
load_part (const float *from, gint64 count, float rest)
{
  Lanes value = every (rest);
  memcpy (&value, from, (gsize) count * sizeof (float));
  return value;
}

LANE_INLINE void
store_part (float *to, Lanes value, gint64 count)
{
  memcpy (to, &value, (gsize) count * sizeof (float));
}

/* The first @count lanes, 0 in the others. */
LANE_INLINE Lanes
keep_part (Lanes value, gint64 count)
{
  Lanes kept = { 0 };
  memcpy (&kept, &value, (gsize) count * sizeof (float));
  return kept;
}

LANE_INLINE Lanes
choose (LanesInt mask, Lanes yes, Lanes no)
{
  return (Lanes) ((mask & (LanesInt) yes) | (~mask & (LanesInt) no));
}

/* The greater of each two lanes; @than where @x is not a number. */
LANE_INLINE Lanes
greater (Lanes x, Lanes than)
{
  return choose (x > than, x, than);
}

/* Keeps a not-a-number in @x. */
LANE_INLINE Lanes
at_most (Lanes x, float high)
{
  return choose (x > every (high), every (high), x);
}
