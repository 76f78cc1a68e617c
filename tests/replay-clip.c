/* Recorded embeddings and states of a CLIP.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "registry.h"
#include "replay.h"

#define EMBEDDINGS 1e-4
/* One of 8 bits, and what float32 loses. */
#define LEVELS 1.001

/* Standard deviations by which pixels were divided. */
static const double deviation[] = { 0.26862954, 0.26130258, 0.27577711 };

static void
set_sizes (GPtrArray *settings, JsonObject *config, const char *tower, const char *const names[][2], guint n)
{
  for (guint i = 0; i < n; i++)
    add_setting (settings, "networks.%s.%s=%d", tower, names[i][0], (int) json_object_get_int_member (config, names[i][1]));
}

static gboolean
set_from_config (GPtrArray *settings, const char *folder, GError **error)
{
  static const char *const both[][2] = { { "width", "hidden_size" },
                                         { "layers", "num_hidden_layers" },
                                         { "heads", "num_attention_heads" },
                                         { "intermediate", "intermediate_size" } };
  static const char *const image[][2] = { { "patch", "patch_size" } };
  static const char *const text[][2] = { { "positions", "max_position_embeddings" } };
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  if (!json_parser_load_from_file (parser, path, error))
    return FALSE;
  JsonObject *config = json_node_get_object (json_parser_get_root (parser));
  JsonObject *vision = json_object_get_object_member (config, "vision_config"),
             *language = json_object_get_object_member (config, "text_config");
  int size = (int) json_object_get_int_member (vision, "image_size"),
      across = size / (int) json_object_get_int_member (vision, "patch_size");
  set_sizes (settings, vision, "image", both, G_N_ELEMENTS (both));
  set_sizes (settings, vision, "image", image, G_N_ELEMENTS (image));
  set_sizes (settings, language, "text", both, G_N_ELEMENTS (both));
  set_sizes (settings, language, "text", text, G_N_ELEMENTS (text));
  add_setting (settings, "networks.image.positions=%d", across * across + 1);
  add_setting (settings, "size=%d", size);
  add_setting (settings, "units=%d", (int) json_object_get_int_member (config, "projection_dim"));
  add_setting (settings, "vocabulary=%d", (int) json_object_get_int_member (language, "vocab_size"));
  return TRUE;
}

/* Padded rows of tokens as ragged samples. */
static void
pack (WeftTensor *tokens, const WeftTensor *lengths)
{
  gint64 samples = tokens->shape[0], width = tokens->shape[1];
  gint32 *offsets = g_new0 (gint32, samples + 1), *ids = tokens->data;
  for (gint64 i = 0; i < samples; i++)
    {
      gint32 n = ((const gint32 *) lengths->data)[i];
      memmove (ids + offsets[i], ids + i * width, (gsize) n * sizeof (gint32));
      offsets[i + 1] = offsets[i] + n;
    }
  tokens->rank = 1;
  tokens->shape[0] = offsets[samples];
  make_ragged (tokens, offsets, samples);
}

static void
compare (const Run *run, const char *name, const WeftTensor *expected, Report *report, const char *where)
{
  report_note (report, name, EMBEDDINGS, where,
               relative_difference (run_value (run, name)->data, expected->data, weft_tensor_elements (expected)));
}

/* The states of the patches are those of all tokens but the first. */
static void
compare_patches (const Run *run, const WeftTensor *states, Report *report, const char *where)
{
  const float *patches = run_value (run, "patches")->data, *all = states->data;
  gint64 tokens = states->shape[1], width = states->shape[2];
  for (gint64 i = 0; i < states->shape[0]; i++)
    report_note (report, "patches", EMBEDDINGS, where,
                 relative_difference (patches + i * (tokens - 1) * width, all + (i * tokens + 1) * width, (tokens - 1) * width));
}

static gboolean
replay_images (const Setup *setup, WeftSafetensors *file, const char *folder, Report *report, GError **error)
{
  g_autoptr (WeftTensor) pixels = file_tensor (file, "pixels", error);
  g_autoptr (WeftTensor) embedding = pixels ? file_tensor (file, "image_embedding", error) : NULL;
  g_autoptr (WeftTensor) states = embedding ? file_tensor (file, "vision_last_hidden_state", error) : NULL;
  Run run = { 0 };
  gboolean ok = states != NULL && run_open (&run, setup, "images", error) && weft_executor_feed (run.executor, "pixels", pixels, error)
                && run_step (&run, error);
  if (ok)
    {
      compare (&run, "image_embedding", embedding, report, folder);
      compare (&run, "vision_last_hidden_state", states, report, folder);
      compare_patches (&run, states, report, folder);
    }
  run_clear (&run);
  return ok;
}

static gboolean
replay_captions (const Setup *setup, WeftTensor *tokens, const WeftTensor *expected, Report *report, const char *folder, GError **error)
{
  Run run = { 0 };
  gboolean ok =
      run_open (&run, setup, "captions", error) && weft_executor_feed (run.executor, "tokens", tokens, error) && run_step (&run, error);
  if (ok)
    compare (&run, "text_embedding", expected, report, folder);
  run_clear (&run);
  return ok;
}

/* The recorded picture of each of the folder's, which are visited by name. */
static guint *
order_pictures (WeftSafetensors *file, guint n)
{
  g_autoptr (JsonNode) node = json_from_string (weft_safetensors_metadata (file, "pictures"), NULL);
  JsonArray *names = json_node_get_array (node);
  guint *recorded = g_new0 (guint, n);
  for (guint i = 0; i < n; i++)
    {
      guint place = 0;
      for (guint k = 0; k < n; k++)
        place += strcmp (json_array_get_string_element (names, k), json_array_get_string_element (names, i)) < 0;
      recorded[place] = i;
    }
  return recorded;
}

/* Largest difference of one picture, in levels of 8 bits. */
static double
levels_between (const float *pixels, const float *expected, gint64 n)
{
  double worst = 0;
  for (gint64 i = 0; i < 3 * n; i++)
    worst = fmax (worst, fabs ((double) pixels[i] - (double) expected[i]) * deviation[i / n] * 255);
  return worst;
}

/* Photographs as they are decoded and resampled here; left out where they can't be. */
static gboolean
replay_photographs (WeftSafetensors *file, const char *folder, Report *report, GError **error)
{
  if (weft_registry_find ("photographs") == NULL || weft_safetensors_metadata (file, "pictures") == NULL)
    return TRUE;
  g_autoptr (WeftTensor) expected = file_tensor (file, "pixels", error);
  g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_free);
  Setup setup = { 0 };
  Run run = { 0 };
  if (expected == NULL)
    return FALSE;
  gint64 n = expected->shape[0], size = expected->shape[2];
  add_setting (settings, "folder=\"%s\"", folder);
  add_setting (settings, "size=%d", (int) size);
  add_setting (settings, "batch=%d", (int) n);
  g_ptr_array_add (settings, NULL);
  gboolean ok = setup_open (&setup, "photographs.yaml", NULL, settings, error) && run_open (&run, &setup, "pictures", error)
                && run_step (&run, error);
  g_autofree guint *recorded = order_pictures (file, (guint) n);
  const WeftTensor *pixels = ok ? run_value (&run, "pixels") : NULL;
  for (gint64 i = 0; ok && i < n; i++)
    report_note (report, "pixels", LEVELS, folder,
                 pixels->shape[0] != n ? HUGE_VAL
                                       : levels_between ((const float *) pixels->data + i * 3 * size * size,
                                                         (const float *) expected->data + recorded[i] * 3 * size * size, size * size));
  run_clear (&run);
  setup_clear (&setup);
  return ok;
}

gboolean
replay_clip (const char *folder, Report *report, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "expected.safetensors", NULL), *full = g_canonicalize_filename (folder, NULL);
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, error);
  g_autoptr (WeftTensor) tokens = file ? file_tensor (file, "text_tokens", error) : NULL;
  g_autoptr (WeftTensor) lengths = tokens ? file_tensor (file, "text_lengths", error) : NULL;
  g_autoptr (WeftTensor) expected = lengths ? file_tensor (file, "text_embedding", error) : NULL;
  g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_free);
  Setup setup = { 0 };
  if (expected == NULL || !set_from_config (settings, folder, error))
    return FALSE;
  pack (tokens, lengths);
  add_setting (settings, "folder=\"%s\"", full);
  add_setting (settings, "pictures=%d", (int) weft_safetensors_find (file, "pixels")->shape[0]);
  add_setting (settings, "captions=%d", (int) tokens->samples);
  add_setting (settings, "tokens=%d", (int) tokens->shape[0]);
  g_ptr_array_add (settings, NULL);
  gboolean ok = setup_open (&setup, "clip.yaml", NULL, settings, error) && replay_images (&setup, file, folder, report, error)
                && replay_captions (&setup, tokens, expected, report, folder, error) && replay_photographs (file, full, report, error);
  setup_clear (&setup);
  return ok;
}
