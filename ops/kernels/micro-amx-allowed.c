/* Leave to use tiles: Linux saves their eight kilobytes only for processes that ask.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "micro.h"

#ifdef MICRO_HAS_AMX
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Intel, "Architecture Instruction Set Extensions": CPUID leaf 7, EDX; Linux, Documentation/x86/xstate.rst. */
#define CPUID_AMX_BF16 (1u << 22)
#define CPUID_AMX_TILE (1u << 24)
#define REQUEST_PERMISSION 0x1023
#define TILE_DATA 18

gboolean
micro_amx_allowed (void)
{
  guint a, b, c, d;

  __builtin_cpu_init ();
  if (!__get_cpuid_count (7, 0, &a, &b, &c, &d) || !(d & CPUID_AMX_BF16) || !(d & CPUID_AMX_TILE) || !__builtin_cpu_supports ("avx512bf16"))
    return FALSE;
  return syscall (SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#else
typedef int micro_amx_allowed_is_for_x86;
#endif
