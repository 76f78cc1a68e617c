/* Calls that fail at will.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static Fault faults[FAULT_CALLS];
static gint set[FAULT_CALLS], calls[FAULT_CALLS], hits[FAULT_CALLS];

void
fault_set (FaultCall call, Fault fault)
{
  faults[call] = fault;
  g_atomic_int_set (&calls[call], 0);
  g_atomic_int_set (&hits[call], 0);
  g_atomic_int_set (&set[call], 1);
}

void
fault_clear (void)
{
  for (guint i = 0; i < FAULT_CALLS; i++)
    g_atomic_int_set (&set[i], 0);
}

guint
fault_hits (FaultCall call)
{
  return (guint) g_atomic_int_get (&hits[call]);
}

static gboolean
is_there (const Fault *fault, int file, const char *name)
{
  char link[64], path[4096];
  if (fault->where == NULL)
    return TRUE;
  if (file < 0)
    return name != NULL && strstr (name, fault->where) != NULL;
  g_snprintf (link, sizeof link, "/proc/self/fd/%d", file);
  gssize n = readlink (link, path, sizeof path - 1);
  path[MAX (n, 0)] = '\0';
  return strstr (path, fault->where) != NULL;
}

/* Whether this call is to fail. */
static gboolean
is_hit (FaultCall call, int file, const char *name, gsize bytes)
{
  const Fault *fault = &faults[call];
  if (!g_atomic_int_get (&set[call]) || bytes < fault->least || !is_there (fault, file, name))
    return FALSE;
  gint number = g_atomic_int_add (&calls[call], 1) + 1;
  if (fault->every > 1 && number % (gint) fault->every != 0)
    return FALSE;
  if (fault->times && g_atomic_int_get (&hits[call]) >= (gint) fault->times)
    return FALSE;
  g_atomic_int_inc (&hits[call]);
  if (fault->also)
    fault->also ();
  errno = fault->code;
  return TRUE;
}

/* The function that would have been called; the cast is the one that dlsym() is made for. */
#define REAL(name) ((__typeof__ (&name)) (gpointer) dlsym (RTLD_NEXT, #name))

static gsize
half (gsize n)
{
  return n > 1 ? n / 2 : n;
}

ssize_t
write (int file, const void *data, size_t n)
{
  gboolean hit = is_hit (FAULT_WRITE, file, NULL, n);
  if (hit && faults[FAULT_WRITE].code)
    return -1;
  return REAL (write) (file, data, hit ? half (n) : n);
}

ssize_t
pwrite (int file, const void *data, size_t n, off_t offset)
{
  gboolean hit = is_hit (FAULT_WRITE, file, NULL, n);
  if (hit && faults[FAULT_WRITE].code)
    return -1;
  return REAL (pwrite) (file, data, hit ? half (n) : n, offset);
}

ssize_t
read (int file, void *data, size_t n)
{
  gboolean hit = is_hit (FAULT_READ, file, NULL, n);
  if (hit && faults[FAULT_READ].code)
    return -1;
  return REAL (read) (file, data, hit ? half (n) : n);
}

ssize_t
pread (int file, void *data, size_t n, off_t offset)
{
  gboolean hit = is_hit (FAULT_READ, file, NULL, n);
  if (hit && faults[FAULT_READ].code)
    return -1;
  return REAL (pread) (file, data, hit ? half (n) : n, offset);
}

int
fsync (int file)
{
  return is_hit (FAULT_SYNC, file, NULL, 0) ? -1 : REAL (fsync) (file);
}

/* Clang links the sanitizers' runtime into the program, so that what would be next is the C library's, whose memory they refuse to free. */
__attribute__ ((weak)) int __interceptor_posix_memalign (void **memory, size_t alignment, size_t n);

int
posix_memalign (void **memory, size_t alignment, size_t n)
{
  if (is_hit (FAULT_MEMORY, -1, NULL, n))
    return ENOMEM;
  return (__interceptor_posix_memalign ? __interceptor_posix_memalign : REAL (posix_memalign)) (memory, alignment, n);
}

gpointer
g_try_malloc (gsize n)
{
  return is_hit (FAULT_MEMORY, -1, NULL, n) ? NULL : REAL (g_try_malloc) (n);
}

gpointer
g_try_realloc (gpointer memory, gsize n)
{
  return is_hit (FAULT_MEMORY, -1, NULL, n) ? NULL : REAL (g_try_realloc) (memory, n);
}

/* Not through dlsym(), which may want memory itself. */
void *
mmap (void *address, size_t n, int protection, int flags, int file, off_t offset)
{
  if (is_hit (FAULT_MAP, -1, NULL, n))
    return MAP_FAILED;
  return (void *) syscall (SYS_mmap, address, n, protection, flags, file, offset);
}

GThread *
g_thread_try_new (const char *name, GThreadFunc work, gpointer data, GError **error)
{
  if (!is_hit (FAULT_THREAD, -1, name, 0))
    return REAL (g_thread_try_new) (name, work, data, error);
  g_set_error (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "%s", g_strerror (errno));
  return NULL;
}
