/* weft verify: whether the files of a run can be trusted.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint.h"
#include "cli.h"
#include "contents.h"
#include "directory.h"
#include "events.h"
#include "json.h"
#include "safetensors.h"

/* Says what @path is if it is good. Returns: whether it is. */
static gboolean
verify_checkpoint (const char *path, gboolean quiet)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) metadata = NULL;
  if (!weft_checkpoint_verify (path, &metadata, &error))
    {
      printf ("BAD   %s\n", error->message);
      return FALSE;
    }
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, &error);
  guint tensors = 0;
  gsize bytes = 0;
  for (const char *const *name = file ? weft_safetensors_names (file) : NULL; name && *name; name++, tensors++)
    bytes += weft_tensor_bytes (weft_safetensors_find (file, *name));
  const char *step = g_hash_table_lookup (metadata, "run.step"), *epoch = g_hash_table_lookup (metadata, "run.epoch");
  if (!quiet)
    printf ("good  %s: version %s, step %s, epoch %s, %u tensors, %.1f MiB\n", path,
            file ? weft_safetensors_metadata (file, "weft.checkpoint") : "?", step ? step : "?", epoch ? epoch : "?", tensors,
            (double) bytes / 0x1p20);
  return TRUE;
}

/* A file of weights has no checksums: only its structure can be held against its size. */
static gboolean
verify_file (const char *path, gboolean quiet)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, &error);
  if (file && !weft_safetensors_metadata (file, "weft.checkpoint"))
    {
      if (!quiet)
        printf ("good  %s: safetensors without checksums; its header agrees with its size\n", path);
      return TRUE;
    }
  g_clear_pointer (&file, weft_safetensors_close);
  return verify_checkpoint (path, quiet);
}

static gboolean
verify_lines (const char *path, gboolean quiet)
{
  g_autofree char *text = NULL;
  guint n = 0;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return TRUE;
  for (const char *line = text, *end; *line; line = end + 1)
    {
      end = strchr (line, '\n');
      g_autofree char *one = end ? g_strndup (line, (gsize) (end - line)) : NULL;
      g_autoptr (JsonNode) node = one ? json_from_string (one, NULL) : NULL;
      n++;
      if (!node || !JSON_NODE_HOLDS_OBJECT (node))
        {
          printf ("BAD   %s:%u: %s\n", path, n, end ? "no JSON object" : "cut short; it is written anew when the run goes on");
          return FALSE;
        }
    }
  if (!quiet)
    printf ("good  %s: %u lines\n", path, n);
  return TRUE;
}

static gboolean
verify_events (const char *path, gboolean quiet)
{
  g_autoptr (GError) error = NULL;
  guint64 records;
  if (!weft_events_verify (path, &records, &error))
    {
      printf ("BAD   %s\n", error->message);
      return FALSE;
    }
  if (!quiet)
    printf ("good  %s: %" G_GUINT64_FORMAT " records\n", path, records);
  return TRUE;
}

static gboolean
verify_all_events (const char *path, gboolean quiet)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  gboolean good = TRUE;
  for (const char *name; folder && (name = g_dir_read_name (folder));)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);
      if (g_str_has_prefix (name, WEFT_EVENTS_PREFIX))
        good &= verify_events (file, quiet);
    }
  return good;
}

/* What the run says of itself. */
static gboolean
verify_info (const char *path, gboolean quiet)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_build_filename (path, "info.json", NULL);
  g_autoptr (JsonParser) parser = weft_json_load (file, &error);
  if (!parser)
    printf ("BAD   %s\n", error->message);
  else if (!quiet)
    printf ("good  %s\n", file);
  return parser != NULL;
}

/* Data that became other data damages no file of the run: it is told, and nothing fails. */
static void
compare_data (const char *path)
{
  g_autoptr (GPtrArray) before = weft_directory_contents_of (path), now = weft_contents_new ();
  for (guint i = 0; i < before->len; i++)
    weft_contents_add (now, ((const WeftContents *) before->pdata[i])->path);
  g_autoptr (GPtrArray) lines = weft_contents_differences (before, now);
  for (guint i = 0; i < lines->len; i++)
    printf ("other %s\n", (const char *) lines->pdata[i]);
  if (before->len && !lines->len)
    printf ("good  data: %u files and folders as they were when the run began\n", before->len);
}

static gboolean
verify_run (const char *path, gboolean quiet)
{
  static const char folder[] = "checkpoints";
  g_autofree char *checkpoints = g_build_filename (path, folder, NULL), *best = g_build_filename (path, "best.safetensors", NULL),
                  *metrics = g_build_filename (path, "metrics.jsonl", NULL);
  g_autoptr (GArray) steps = weft_directory_checkpoints_of (path);
  gboolean good = TRUE;
  for (guint i = 0; i < steps->len; i++)
    {
      g_autofree char *name = g_strdup_printf ("step-%" G_GUINT64_FORMAT ".safetensors", g_array_index (steps, guint64, i));
      g_autofree char *file = g_build_filename (checkpoints, name, NULL);
      good &= verify_checkpoint (file, quiet);
    }
  if (steps->len == 0 && !quiet)
    printf ("%s has no checkpoint yet\n", path);
  if (g_file_test (best, G_FILE_TEST_EXISTS))
    good &= verify_checkpoint (best, quiet);
  good &= verify_lines (metrics, quiet);
  good &= verify_all_events (path, quiet);
  if (!quiet)
    compare_data (path);
  return verify_info (path, quiet) && good;
}

int
weft_cli_verify (int argc, char **argv)
{
  WeftCommonOptions common;
  int status = 0;
  if (!weft_cli_parse_options (
          &argc, &argv, "RUN|FILE…",
          "Reads checkpoints and compares all checksums; of a run directory, all checkpoints, the best model, the "
          "metrics, the curves and what the run says of itself; data that is no longer what the run began with is told. Exits with 1 if "
          "anything is damaged. A run may be at work meanwhile.",
          NULL, &common, &status))
    return status;
  gboolean quiet = common.quiet, good = TRUE;
  weft_cli_options_clear (&common);
  if (argc < 2)
    return weft_cli_usage ("weft verify: expected run directories or checkpoints, such as runs/f30k");
  for (int i = 1; i < argc; i++)
    good &= weft_directory_is_run (argv[i]) ? verify_run (argv[i], quiet) : verify_file (argv[i], quiet);
  return good ? 0 : WEFT_EXIT_INPUT;
}
