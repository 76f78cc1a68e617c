/* replay: runs a recording through the pipeline that it was made with and tells the largest differences.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "replay.h"

static gboolean
is_clip (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "config.json", NULL), *text = NULL;
  return g_file_get_contents (path, &text, NULL, NULL) && strstr (text, "\"CLIPModel\"") != NULL;
}

gboolean
replay (const char *path, const ReplayOptions *options, Report *report, GError **error)
{
  static const ReplayOptions none = { 0 };
  options = options != NULL ? options : &none;
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return (is_clip (path) ? replay_clip : replay_bert) (path, report, error);
  if (g_str_has_suffix (path, ".txt"))
    {
      g_autofree char *name = g_path_get_basename (path);
      const char *pipeline = g_str_has_prefix (name, "clip-bpe") ? "byte-pairs.yaml" : "wordpiece.yaml";
      if (options->vocabulary != NULL)
        return replay_ids (pipeline, path, options->vocabulary, report, error);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: name the vocabulary with --vocabulary FILE", path);
      return FALSE;
    }
  if (g_str_has_suffix (path, ".pth"))
    return replay_checkpoint (path, options, report, error);
  if (g_str_has_suffix (path, ".tsv"))
    return replay_dump (path, report, error);
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, error);
  if (file == NULL)
    return FALSE;
  if (weft_safetensors_find (file, "step0/regions") != NULL)
    return replay_recording (file, path, options, report, error);
  if (weft_safetensors_metadata (file, "triplet_sum") != NULL)
    return replay_losses (file, report, error);
  if (weft_safetensors_metadata (file, "image_to_text") != NULL)
    return replay_recalls (file, report, error);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: neither a recorded run nor recorded losses or recalls", path);
  return FALSE;
}
