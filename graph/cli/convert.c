/* weft convert: feature files of a detector's dumps.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "butd.h"
#include "cli.h"

static int
convert (const char *const *paths, const char *ids, const char *prefix, gboolean geometry, gboolean quiet)
{
  g_autoptr (GError) error = NULL;
  ButdResult result;
  if (!butd_convert (paths, ids, prefix, geometry, &result, &error))
    {
      fprintf (stderr, "weft: %s\n", error->message);
      return WEFT_EXIT_INPUT;
    }
  if (!quiet && result.repeats > 0)
    fprintf (stderr, "%" G_GINT64_FORMAT " lines left out: their images had come before\n", result.repeats);
  printf ("%s_ims.npy: %" G_GINT64_FORMAT " images, %" G_GINT64_FORMAT " regions of %" G_GINT64_FORMAT " numbers%s\n", prefix,
          result.images, result.regions, result.width, result.even ? "" : ", numbers of regions in _counts.npy");
  return 0;
}

int
weft_cli_convert (int argc, char **argv)
{
  WeftCommonOptions common;
  g_autofree char *ids = NULL;
  gboolean geometry = FALSE;
  int status = 0;
  const GOptionEntry own[] = {
    { "ids", 0, 0, G_OPTION_ARG_FILENAME, &ids, "Write the images that this file lists, one id a line, in its order", "FILE" },
    { "geometry", 0, 0, G_OPTION_ARG_NONE, &geometry, "Append x1/w, y1/h, x2/w, y2/h and the share of the picture to each region", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
  };
  if (!weft_cli_parse_options (
          &argc, &argv, "FILE.tsv…",
          "Reads the TSV files of bottom-up attention, image by image, and writes PREFIX_ims.npy and PREFIX_ids.txt. Where "
          "images have different numbers of regions, these are packed and PREFIX_counts.npy says how many.\n\nExample:\n"
          "  weft convert trainval.tsv --ids data/f30k/test_images.txt --output data/f30k/test",
          own, &common, &status))
    return status;
  if (argc < 2)
    status = weft_cli_usage ("weft convert: expected TSV files of bottom-up attention; see `weft convert --help`");
  else if (!common.output)
    status = weft_cli_usage ("weft convert: say what to write: --output PREFIX");
  else
    status = convert ((const char *const *) argv + 1, ids, common.output, geometry, common.quiet);
  weft_cli_options_clear (&common);
  return status;
}
