/* Calls that fail at will. Functions of faults.c take the place of the C library's and GLib's in the whole process.
 *
 * What is covered: reading, writing and syncing files, large memory of tensors and arenas, threads. Memory that GLib takes for its own
 * (g_malloc, g_strdup, containers) ends the process when there is none, as everywhere in GLib; that is no fault that is tested here.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

typedef enum
{
  FAULT_WRITE, /* write, pwrite */
  FAULT_READ,  /* read, pread */
  FAULT_SYNC,  /* fsync */
  FAULT_MEMORY,
  FAULT_MAP,
  FAULT_THREAD,
  FAULT_CALLS,
} FaultCall;

/**
 * Fault:
 * @code: errno, or 0: half of what was asked for is done
 * @where: part of a file's path or of a thread's name; %NULL: anywhere
 * @least: bytes of memory below which nothing fails
 * @every: every so many calls fails; 0: every one
 * @times: so many calls fail; 0: without end
 * @also: (nullable): called when one fails
 */
typedef struct
{
  int code;
  const char *where;
  gsize least;
  guint every, times;
  void (*also) (void);
} Fault;

void fault_set (FaultCall call, Fault fault);
void fault_clear (void);
/* How many calls have failed since fault_set(). */
guint fault_hits (FaultCall call);
