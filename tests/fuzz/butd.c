/* Bottom-up attention's TSV dumps, converted.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include <glib/gstdio.h>

#include "cli/butd.h"
#include "npy.h"

/* Where results go: memory if there is a place for it. */
static const char *
prefix (void)
{
  static char *path;
  if (path == NULL)
    {
      g_autofree char *name = g_strdup_printf ("weft-fuzz-%d", (int) getpid ());
      path = g_build_filename (g_file_test ("/dev/shm", G_FILE_TEST_IS_DIR) ? "/dev/shm" : g_get_tmp_dir (), name, NULL);
    }
  return path;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const ends[] = { "_ims.npy", "_ids.txt", "_counts.npy" };
  const char *const paths[] = { fuzz_file (data, size), NULL };
  GError *error = NULL;
  ButdResult result;
  gboolean good = butd_convert (paths, NULL, prefix (), size % 2, &result, &error);
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_autofree char *path = g_strconcat (prefix (), ends[i], NULL);
      g_autoptr (WeftNpy) npy = good && i == 0 ? weft_npy_open (path, &error) : NULL;
      g_assert (!good || i > 0 || (npy != NULL && weft_tensor_bytes (weft_npy_tensor (npy)) <= 2 * size + 64 * sizeof (float)));
      g_assert (g_unlink (path) == 0 ? good : !good || i == 2);
    }
  if (!good)
    fuzz_failed (error);
  return 0;
}
