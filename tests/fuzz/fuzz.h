/* What fuzz targets share.
 *
 * A target is one file around LLVMFuzzerTestOneInput(). It hands the bytes to a reader, uses what comes out, and asserts what has to hold;
 * it must be a function of its input alone, so that a file repeats what was found.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <weft/operator.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The path of a regular file in memory that holds @data, until the next call. */
static inline const char *
fuzz_file (const uint8_t *data, size_t size)
{
  static char path[64];
  static int file = -1;
  if (file < 0)
    {
      file = memfd_create ("fuzz", MFD_CLOEXEC);
      g_assert (file >= 0);
      g_snprintf (path, sizeof path, "/proc/self/fd/%d", file);
    }
  g_assert (ftruncate (file, 0) == 0 && pwrite (file, data, size, 0) == (ssize_t) size);
  return path;
}

/* An error says something, in text that can be printed. */
static inline void
fuzz_failed (GError *error)
{
  g_assert (error != NULL && *error->message != '\0' && g_utf8_validate (error->message, -1, NULL));
  g_error_free (error);
}

/* Says what should have been, and ends as an assertion does: libFuzzer takes note of no other end. */
static inline void G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN G_GNUC_UNUSED fuzz_fail (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("%s\n", message);
  abort ();
}

/* Keeps the compiler from leaving out the reading of what nobody uses. */
static inline void
fuzz_use (gconstpointer data, gsize bytes)
{
  guint8 all = 0;
  for (gsize i = 0; i < bytes; i++)
    all ^= ((const guint8 *) data)[i];
  __asm__ volatile("" : : "r"(all));
}
