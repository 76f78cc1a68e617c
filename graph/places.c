/* Where the files are that come with the library.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "places.h"

#include <dlfcn.h>

const char *
weft_places_pipelines (void)
{
  Dl_info info;
  if (dladdr ((gconstpointer) weft_places_pipelines, &info) && info.dli_fname != NULL)
    {
      g_autofree char *file = g_canonicalize_filename (info.dli_fname, NULL);
      g_autofree char *folder = g_path_get_dirname (file);
      if (g_str_equal (folder, WEFT_BUILD_MODULE_DIR))
        return WEFT_SOURCE_PIPELINE_DIR;
    }
  return WEFT_PIPELINE_DIR;
}
