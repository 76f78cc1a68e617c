/* Micro-kernels for x86 processors with AMX, for `compute: bf16`.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "micro.h"

#ifdef MICRO_HAS_AMX
#include "micro-amx-begin.h"
#include "micro-finish.h"
#include "micro-pairs.h"

#define PARTS 1
#define RAWS 1

MICRO_INLINE void
raw_along (const float *from, gint64 numbers, Lanes raw[RAWS])
{
  raw[0] = places_along (from, numbers, TRUE);
}

MICRO_INLINE void
raw_across (const float *from, gint64 deep, gint64 items, gint64 place, gint64 numbers, Lanes raw[RAWS])
{
  if (2 * place < numbers)
    raw[0] = place_across (from + 2 * place * deep, deep, items, numbers - 2 * place, TRUE);
}

MICRO_INLINE void
split (const Lanes raw[RAWS], gboolean endless G_GNUC_UNUSED, Lanes *odd G_GNUC_UNUSED, Lanes parts[PARTS])
{
  parts[0] = raw[0];
}

MICRO_INLINE gboolean
any_odd (Lanes odd G_GNUC_UNUSED)
{
  return FALSE;
}

#define FIRST_COLUMNS 0
#define ADD_PARTS(two) ADD_THEN_BOTH (two, next_a, next_b)

#include "micro-amx-body.h"

MICRO_AMX_KERNELS (micro_amx_bf16, "amx_bf16", 512)

#include "micro-amx-end.h"
#else
typedef int micro_amx_bf16_is_for_x86;
#endif
