/* Recorded token states of a BERT, and token ids.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

#define STATES 1e-4

static gboolean
set_from_config (GPtrArray *settings, const char *folder, GError **error)
{
  static const char *const names[][2] = { { "width", "hidden_size" },         { "layers", "num_hidden_layers" },
                                          { "heads", "num_attention_heads" }, { "intermediate", "intermediate_size" },
                                          { "vocabulary", "vocab_size" },     { "positions", "max_position_embeddings" } };
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  if (!json_parser_load_from_file (parser, path, error))
    return FALSE;
  JsonObject *config = json_node_get_object (json_parser_get_root (parser));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    add_setting (settings, "%s=%d", names[i][0], (int) json_object_get_int_member (config, names[i][1]));
  return TRUE;
}

gboolean
replay_bert (const char *folder, Report *report, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "expected.safetensors", NULL), *full = g_canonicalize_filename (folder, NULL);
  g_autoptr (WeftSafetensors) file = weft_safetensors_open (path, error);
  g_autoptr (WeftTensor) tokens = file ? file_tensor (file, "tokens", error) : NULL;
  g_autoptr (WeftTensor) offsets = tokens ? file_tensor (file, "offsets", error) : NULL;
  g_autoptr (WeftTensor) expected = offsets ? file_tensor (file, "last_hidden_state", error) : NULL;
  g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_free);
  Setup setup = { 0 };
  Run run = { 0 };
  if (expected == NULL || !set_from_config (settings, folder, error))
    return FALSE;
  add_setting (settings, "folder=\"%s\"", full);
  add_setting (settings, "samples=%d", (int) offsets->shape[0] - 1);
  add_setting (settings, "tokens=%d", (int) tokens->shape[0]);
  g_ptr_array_add (settings, NULL);
  make_ragged (tokens, g_steal_pointer (&offsets->data), offsets->shape[0] - 1);
  gboolean ok = setup_open (&setup, "bert.yaml", NULL, settings, error) && run_open (&run, &setup, "states", error)
                && weft_executor_feed (run.executor, "tokens", tokens, error) && run_step (&run, error);
  if (ok)
    report_note (report, "last_hidden_state", STATES, folder,
                 relative_difference (run_value (&run, "last_hidden_state")->data, expected->data, weft_tensor_elements (expected)));
  run_clear (&run);
  setup_clear (&setup);
  return ok;
}

/* All lines but their ends, one sample each. */
static WeftTensor *
read_lines (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;
  if (!g_file_get_contents (path, &text, &length, error))
    return NULL;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gint64 n = g_strv_length (lines);
  if (n > 0 && lines[n - 1][0] == '\0')
    n--;
  WeftTensor *tensor = g_new0 (WeftTensor, 1);
  gint32 *offsets = g_new0 (gint32, n + 1);
  guint8 *data = g_malloc (length + 1);
  for (gint64 i = 0; i < n; i++)
    {
      gsize bytes = strlen (lines[i]);
      memcpy (data + offsets[i], lines[i], bytes);
      offsets[i + 1] = offsets[i] + (gint32) bytes;
    }
  *tensor = (WeftTensor){ .type = WEFT_U8, .rank = 1, .shape = { offsets[n] }, .data = data };
  make_ragged (tensor, offsets, n);
  return tensor;
}

/* Lines whose ids differ from the recorded ones. */
static void
compare_ids (const char *path, const WeftTensor *ids, Report *report, GError **error)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, error))
    return;
  g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", -1);
  if (g_strv_length (lines) != (guint) ids->samples)
    report_note (report, "ids", 0, "number of lines", 1);
  for (gint64 i = 0; i < ids->samples && lines[i] != NULL; i++)
    {
      g_autoptr (GString) found = g_string_new (NULL);
      g_autofree char *where = g_strdup_printf ("line %d", (int) i + 1);
      for (gint32 k = ids->offsets[i]; k < ids->offsets[i + 1]; k++)
        g_string_append_printf (found, "%s%d", found->len ? " " : "", ((const gint32 *) ids->data)[k]);
      report_note (report, "ids", 0, where, g_str_equal (found->str, g_strstrip (lines[i])) ? 0 : 1);
    }
}

gboolean
replay_ids (const char *pipeline, const char *path, const char *vocabulary, Report *report, GError **error)
{
  g_autoptr (WeftTensor) text = read_lines (path, error);
  g_autofree char *full = g_canonicalize_filename (vocabulary, NULL);
  g_autofree char *stem = g_strndup (path, strlen (path) - strlen (".txt")), *ids = g_strconcat (stem, ".ids", NULL);
  g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_free);
  GError *local = NULL;
  Setup setup = { 0 };
  Run run = { 0 };
  if (text == NULL)
    return FALSE;
  add_setting (settings, "vocabulary=\"%s\"", full);
  add_setting (settings, "captions=%d", (int) text->samples);
  add_setting (settings, "bytes=%d", (int) text->shape[0]);
  g_ptr_array_add (settings, NULL);
  gboolean ok = setup_open (&setup, pipeline, NULL, settings, &local) && run_open (&run, &setup, "ids", &local)
                && weft_executor_feed (run.executor, "text", text, &local) && run_step (&run, &local);
  if (ok)
    compare_ids (ids, run_value (&run, "ids"), report, &local);
  run_clear (&run);
  setup_clear (&setup);
  if (local != NULL)
    g_propagate_error (error, local);
  return local == NULL;
}
