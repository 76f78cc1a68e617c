/* Other people's files beside what must come out of them: checkpoints of the release, dumps of a detector.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "cli/butd.h"
#include "npy.h"
#include "replay.h"
#include "torch-file.h"

/* The recording beside a checkpoint: `user-small.safetensors` for both `user-small.pth` and `user-small-old.pth`. */
static char *
recording_beside (const char *path, GError **error)
{
  g_autofree char *stem = g_strndup (path, strlen (path) - strlen (".pth"));
  const char *base = strrchr (stem, G_DIR_SEPARATOR);
  for (;;)
    {
      g_autofree char *recording = g_strconcat (stem, ".safetensors", NULL);
      char *cut = strrchr (stem, '-');
      if (g_file_test (recording, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&recording);
      if (cut == NULL || (base != NULL && cut < base))
        break;
      *cut = '\0';
    }
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: no recording of its name is beside it; name one with --recording FILE", path);
  return NULL;
}

/* What the recording calls a tensor of the checkpoint; NULL if the checkpoint is not about the encoders there. */
static char *
recorded_name (const char *name)
{
  static const char *const prefixes[][2] = { { "model.0.", "init/image." }, { "model.1.", "init/text." } };
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (name, prefixes[i][0]))
      return g_strconcat (prefixes[i][1], name + strlen (prefixes[i][0]), NULL);
  return NULL;
}

static gboolean
compare_exactly (WeftTorchFile *checkpoint, const char *name, WeftSafetensors *recording, const char *recorded, Report *report,
                 GError **error)
{
  const WeftTensor *there = weft_torch_file_find (checkpoint, name), *wanted = weft_safetensors_find (recording, recorded);
  gsize bytes = weft_tensor_bytes (there);
  gboolean same = wanted != NULL && there->type == wanted->type && there->rank == wanted->rank
                  && memcmp (there->shape, wanted->shape, there->rank * sizeof (gint64)) == 0;
  g_autofree guint8 *got = g_malloc (bytes + 1), *want = g_malloc (bytes + 1);
  if (same && (!weft_torch_file_read (checkpoint, name, got, error) || !weft_safetensors_read (recording, recorded, want, error)))
    return FALSE;
  report_note (report, "tensors", 0, name, same && memcmp (got, want, bytes) == 0 ? 0 : INFINITY);
  return TRUE;
}

/* Both ways: what either file lacks is a difference. PyTorch's counters of batches are in checkpoints alone. */
static gboolean
compare_checkpoint (WeftTorchFile *checkpoint, WeftSafetensors *recording, Report *report, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (const char *const *name = weft_torch_file_names (checkpoint); *name != NULL; name++)
    {
      char *recorded = g_str_has_suffix (*name, ".num_batches_tracked") ? NULL : recorded_name (*name);
      if (recorded == NULL)
        continue;
      g_hash_table_add (seen, recorded);
      if (!compare_exactly (checkpoint, *name, recording, recorded, report, error))
        return FALSE;
    }
  for (const char *const *name = weft_safetensors_names (recording); *name != NULL; name++)
    if ((g_str_has_prefix (*name, "init/image.") || g_str_has_prefix (*name, "init/text."))
        && !g_str_has_suffix (*name, ".num_batches_tracked") && !g_hash_table_contains (seen, *name))
      report_note (report, "tensors", 0, *name, INFINITY);
  return TRUE;
}

gboolean
replay_checkpoint (const char *path, const ReplayOptions *options, Report *report, GError **error)
{
  g_autofree char *recorded = options->recording ? g_strdup (options->recording) : recording_beside (path, error);
  g_autoptr (WeftTorchFile) checkpoint = recorded ? weft_torch_file_open (path, error) : NULL;
  g_autoptr (WeftSafetensors) recording = checkpoint ? weft_safetensors_open (recorded, error) : NULL;
  ReplayOptions from = *options;
  from.weights = path;
  return recording != NULL && compare_checkpoint (checkpoint, recording, report, error)
         && replay_recording (recording, recorded, &from, report, error);
}

static gboolean
compare_arrays (const char *got, const char *wanted, Report *report, GError **error)
{
  WeftTensor one, other;
  g_autofree float *values = weft_npy_read_f32 (got, &one, error), *expected = values ? weft_npy_read_f32 (wanted, &other, error) : NULL;
  if (expected == NULL)
    return FALSE;
  gboolean same = one.rank == other.rank && memcmp (one.shape, other.shape, one.rank * sizeof (gint64)) == 0
                  && memcmp (values, expected, weft_tensor_bytes (&one)) == 0;
  report_note (report, "features", 0, wanted, same ? 0 : INFINITY);
  return TRUE;
}

gboolean
replay_dump (const char *path, Report *report, GError **error)
{
  static const char *const suffixes[] = { "_ims.npy", "_ids.txt", "_counts.npy" };
  g_autofree char *stem = g_strndup (path, strlen (path) - strlen (".tsv")), *expected = g_strconcat (stem, suffixes[0], NULL);
  g_autofree char *folder = g_dir_make_tmp ("weft-replay-XXXXXX", error);
  ButdResult result;
  if (folder == NULL)
    return FALSE;
  g_autofree char *prefix = g_build_filename (folder, "out", NULL), *features = g_strconcat (prefix, suffixes[0], NULL);
  gboolean ok = butd_convert ((const char *const[]){ path, NULL }, NULL, prefix, FALSE, &result, error)
                && compare_arrays (features, expected, report, error);
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *file = g_strconcat (prefix, suffixes[i], NULL);
      g_unlink (file);
    }
  g_rmdir (folder);
  return ok;
}
