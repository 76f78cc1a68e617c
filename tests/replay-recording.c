/* Recorded training runs, step by step.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "name-map.h"
#include "replay.h"

#define AT_EVERY_STEP 1e-4
#define FIRST_GRADIENTS 1e-4
#define AT_THE_END 1e-3
#define EVALUATION 1e-4
/* With products from bfloat16, whose numbers are off by up to 2⁻⁹. What is left of gradients that nearly cancel is off by more; weights are not
 * compared, since AdamW makes steps of one size out of gradients of any size. */
#define BF16 1e-2
#define BF16_GRADIENTS 0.25
#define MUTATION_STATISTICS "statistics-averaged"
#define NOISE 1e-4 /* of the largest gradient: tensors below it are moved by rounding alone */

typedef struct
{
  WeftSafetensors *file;
  const char *path;
  const char *mutation, *weights;
  gboolean bf16;
  Report *report;
  WeftNameMap *names[2]; /* of image and text encoder */
  guint steps;
  gboolean queues, clip;
  double largest_gradient;
} Replay;

static const char *const encoders[] = { "image", "text" };

static void
replay_clear (Replay *self)
{
  for (guint i = 0; i < 2; i++)
    g_clear_pointer (&self->names[i], weft_name_map_free);
}

static gboolean
load_names (Replay *self, GError **error)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *name = g_strdup_printf ("names-%s.yaml", encoders[i]);
      g_autofree char *path = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", name, NULL);
      self->names[i] = weft_name_map_load (path, problems);
    }
  return weft_problems_to_error (problems, error);
}

/* The store path behind the network's name of tensor "PREFIX/ENCODER.NAME", with the encoder's index; NULL for other tensors. */
static char *
network_path (const Replay *self, const char *tensor, const char *prefix)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *start = g_strdup_printf ("%s/%s.", prefix, encoders[i]);
      g_autofree char *name = g_str_has_prefix (tensor, start) ? weft_name_map_apply (self->names[i], tensor + strlen (start)) : NULL;
      if (name != NULL)
        return g_strdup_printf ("%s.%s", encoders[i], name);
    }
  return NULL;
}

static const WeftTensor *
step_tensor (const Replay *self, guint step, const char *name)
{
  g_autofree char *full = g_strdup_printf ("step%u/%s", step, name);
  return weft_safetensors_find (self->file, full);
}

static gint64
size_of (const Replay *self, const char *name, guint dimension)
{
  const WeftTensor *tensor = weft_safetensors_find (self->file, name);
  return tensor != NULL && dimension < tensor->rank ? tensor->shape[dimension] : 0;
}

static void
set_number (GPtrArray *settings, const char *name, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  add_setting (settings, "%s=%s", name, g_ascii_dtostr (text, sizeof text, value));
}

/* A member of the metadata's `adamw`, which some recordings have. */
static double
adamw_number (const Replay *self, const char *key, int index, double fallback)
{
  const char *text = weft_safetensors_metadata (self->file, "adamw");
  g_autoptr (JsonNode) root = text != NULL ? json_from_string (text, NULL) : NULL;
  JsonObject *object = root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  if (object == NULL || !json_object_has_member (object, key))
    return fallback;
  return index < 0 ? json_object_get_double_member (object, key)
                   : json_array_get_double_element (json_object_get_array_member (object, key), (guint) index);
}

static void
set_optimizer (const Replay *self, GPtrArray *settings)
{
  double rate = metadata_number (self->file, "lr", adamw_number (self, "lr", -1, 1e-3));
  double decay = adamw_number (self, "weight_decay", -1, metadata_number (self->file, "weight_decay", 1e-4));
  double drop_at = adamw_number (self, "drop_at", -1, metadata_number (self->file, "drop_at", -1));
  if (drop_at >= 0)
    add_setting (settings, "rate={start: %.17g, drop: {step: %d, by: 0.1}}", rate, (int) drop_at);
  else
    set_number (settings, "rate", rate);
  add_setting (settings, "rate_scale={text.bert: %.17g}", adamw_number (self, "bert_lr", -1, rate * 0.1) / rate);
  set_number (settings, "decay", decay);
  set_number (settings, "tenfold_decay", 10 * decay);
  set_number (settings, "beta1", adamw_number (self, "betas", 0, 0.9));
  set_number (settings, "beta2", adamw_number (self, "betas", 1, 0.999));
  set_number (settings, "epsilon", adamw_number (self, "eps", -1, 1e-8));
  set_number (settings, "clip", adamw_number (self, "grad_clip", -1, 2));
}

static void
set_sizes (const Replay *self, GPtrArray *settings)
{
  gint64 batch = 0, regions = 0, width = 0, tokens = 0;
  for (guint s = 0; s < self->steps; s++)
    {
      const WeftTensor *rows = step_tensor (self, s, "regions"), *ids = step_tensor (self, s, "tokens");
      batch = MAX (batch, rows->shape[0]);
      regions = MAX (regions, rows->shape[1]);
      width = rows->shape[2];
      tokens = MAX (tokens, ids->shape[0] * ids->shape[1]);
    }
  gint64 hidden = size_of (self, "init/image.mlp1.weight", 0);
  set_number (settings, "batch", (double) batch);
  set_number (settings, "rows", (double) (batch * regions));
  set_number (settings, "tokens", (double) tokens);
  set_number (settings, "positions", (double) regions);
  set_number (settings, "width", (double) width);
  set_number (settings, "clip_width", (double) MAX (size_of (self, "init/image.clip.0.weight", 0), 1));
  set_number (settings, "embed", (double) size_of (self, "init/image.fc.bias", 0));
  set_number (settings, "hidden", (double) (hidden ? hidden : size_of (self, "init/image.mlp.layers.0.weight", 0)));
}

static void
set_text_encoder (const Replay *self, GPtrArray *settings, gboolean bigru)
{
  const char *table = bigru ? "init/text.embed.weight" : "init/text.bert.word.weight";
  set_number (settings, "vocabulary", (double) size_of (self, table, 0));
  set_number (settings, "bert_width", (double) size_of (self, table, 1));
  if (bigru)
    return;
  set_number (settings, "longest", (double) size_of (self, "init/text.bert.pos.weight", 0));
  set_number (settings, "bert_layers", metadata_number (self->file, "layers", 1));
  set_number (settings, "bert_heads", metadata_number (self->file, "heads", 1));
  set_number (settings, "bert_intermediate", (double) size_of (self, "init/text.bert.layers.0.f1.weight", 0));
}

/* The release keeps its two encoders in a list. */
static void
set_weights (const Replay *self, GPtrArray *settings)
{
  g_autofree char *file = g_canonicalize_filename (self->weights, NULL);
  add_setting (settings, "networks.image.load={path: \"%s\", from: model.0, names: weights/user-image.yaml}", file);
  add_setting (settings, "networks.text.load={path: \"%s\", from: model.1, names: weights/user-text.yaml}", file);
}

static gboolean
open_setup (Replay *self, Setup *setup, const char *state, GError **error)
{
  g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_free), overlays = g_ptr_array_new_with_free_func (g_free);
  const char *guide = weft_safetensors_metadata (self->file, "guide"), *text = weft_safetensors_metadata (self->file, "text");
  gboolean bigru = g_strcmp0 (text, "bigru") == 0;
  g_autofree char *file = g_canonicalize_filename (self->path, NULL);
  add_setting (settings, "file=\"%s\"", file);
  add_setting (settings, "state=%s", state);
  if (self->weights != NULL && g_str_equal (state, "init"))
    set_weights (self, settings);
  set_sizes (self, settings);
  set_text_encoder (self, settings, bigru);
  set_optimizer (self, settings);
  set_number (settings, "batch_weight", metadata_number (self->file, "lamda", 20));
  set_number (settings, "scale", metadata_number (self->file, "mu", 90));
  set_number (settings, "margin", metadata_number (self->file, "gama", 0.5));
  set_number (settings, "momentum", metadata_number (self->file, "moco_r", 0.999));
  set_number (settings, "queue", (double) MAX (size_of (self, "init/queue.image", 0), 1));
  if (self->clip)
    g_ptr_array_add (overlays, g_strdup ("cge"));
  else if (g_strcmp0 (guide, "none") == 0)
    g_ptr_array_add (overlays, g_strdup ("plain"));
  if (bigru)
    g_ptr_array_add (overlays, g_strdup ("bigru"));
  if (!self->queues)
    g_ptr_array_add (overlays, g_strdup ("no-queue"));
  if (self->mutation != NULL && !g_str_equal (self->mutation, MUTATION_STATISTICS))
    g_ptr_array_add (overlays, g_strconcat ("mutate-", self->mutation, NULL));
  if (self->bf16)
    {
      add_setting (settings, "graphs.train.compute=bf16");
      add_setting (settings, "graphs.evaluate.compute=bf16");
    }
  g_ptr_array_add (overlays, NULL);
  g_ptr_array_add (settings, NULL);
  return setup_open (setup, "replay.yaml", overlays, settings, error);
}

/* Feeds. */

typedef struct
{
  WeftTensor *regions, *tokens, *clip;
} Batch;

static void
batch_clear (Batch *batch)
{
  g_clear_pointer (&batch->regions, file_tensor_free);
  g_clear_pointer (&batch->tokens, file_tensor_free);
  g_clear_pointer (&batch->clip, file_tensor_free);
}

/* [B, R, D] becomes rows of B samples. */
static void
flatten_regions (WeftTensor *regions)
{
  gint64 samples = regions->shape[0], n = regions->shape[1];
  gint32 *offsets = g_new (gint32, samples + 1);
  for (gint64 i = 0; i <= samples; i++)
    offsets[i] = (gint32) (i * n);
  regions->rank = 2;
  regions->shape[0] = samples * n;
  regions->shape[1] = regions->shape[2];
  make_ragged (regions, offsets, samples);
}

/* [B, longest] with padding becomes packed rows. */
static void
pack_tokens (WeftTensor *tokens, const WeftTensor *lengths)
{
  gint64 samples = tokens->shape[0], longest = tokens->shape[1];
  gint32 *offsets = g_new0 (gint32, samples + 1), *data = tokens->data;
  for (gint64 i = 0; i < samples; i++)
    {
      gint32 length = ((const gint32 *) lengths->data)[i];
      offsets[i + 1] = offsets[i] + length;
      memmove (data + offsets[i], data + i * longest, (gsize) length * sizeof (gint32));
    }
  tokens->rank = 1;
  tokens->shape[0] = offsets[samples];
  make_ragged (tokens, offsets, samples);
}

static WeftTensor *
read_step (Replay *self, guint step, const char *name, GError **error)
{
  g_autofree char *full = g_strdup_printf ("step%u/%s", step, name);
  return file_tensor (self->file, full, error);
}

static gboolean
feed_step (Replay *self, Run *run, Batch *batch, guint step, GError **error)
{
  g_autoptr (WeftTensor) lengths = read_step (self, step, "lengths", error);
  batch_clear (batch);
  batch->regions = read_step (self, step, "regions", error);
  batch->tokens = lengths ? read_step (self, step, "tokens", error) : NULL;
  batch->clip = self->clip ? read_step (self, step, "clip", error) : NULL;
  if (!lengths || !batch->regions || !batch->tokens || (self->clip && !batch->clip))
    return FALSE;
  flatten_regions (batch->regions);
  pack_tokens (batch->tokens, lengths);
  return weft_executor_feed (run->executor, "regions", batch->regions, error)
         && weft_executor_feed (run->executor, "tokens", batch->tokens, error)
         && (!self->clip || weft_executor_feed (run->executor, "clip", batch->clip, error));
}

/* Comparisons. */

static double
tolerance (const Replay *self, double of_float32)
{
  return self->bf16 ? BF16 : of_float32;
}

static void
compare_number (Replay *self, const Run *run, guint step, const char *name)
{
  const WeftTensor *value = run_value (run, name);
  guint n = metadata_length (self->file, name);
  g_autofree char *where = g_strdup_printf ("step %u", step);
  double largest = 0;
  for (guint i = 0; i < n; i++)
    largest = MAX (largest, fabs (metadata_item (self->file, name, i, -1)));
  /* What is recorded as nothing at all, a queue's loss without queues, is compared as it is. */
  if (step < n && value != NULL)
    report_note (self->report, name, tolerance (self, AT_EVERY_STEP), where,
                 fabs ((double) *(const float *) value->data - metadata_item (self->file, name, step, -1)) / (largest > 0 ? largest : 1));
}

static gboolean
compare_tensor (Replay *self, const char *quantity, double limit, const char *name, const WeftTensor *value, GError **error)
{
  g_autoptr (WeftTensor) expected = file_tensor (self->file, name, error);
  if (expected == NULL)
    return FALSE;
  gint64 n = weft_tensor_elements (expected);
  report_note (self->report, quantity, limit, name,
               value != NULL && weft_tensor_elements (value) == n ? relative_difference (value->data, expected->data, n) : INFINITY);
  return TRUE;
}

static gboolean
compare_step (Replay *self, const Run *run, guint step, GError **error)
{
  static const char *const numbers[] = { "loss_batch", "loss_queue", "loss", "grad_norm" };
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    compare_number (self, run, step, numbers[i]);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *value = g_strdup_printf ("%s_embedding", encoders[i]), *name = g_strdup_printf ("step%u/%s", step, value);
      if (!compare_tensor (self, value, tolerance (self, AT_EVERY_STEP), name, run_value (run, value), error))
        return FALSE;
    }
  return TRUE;
}

/* First gradients. */

static const WeftTarget *
find_target (const Run *run, const char *path)
{
  for (guint i = 0; i < run->graph->nodes->len; i++)
    {
      const WeftNode *node = run->graph->nodes->pdata[i];
      for (guint t = 0; node->targets != NULL && t < node->targets->len; t++)
        {
          const WeftTarget *target = &g_array_index (node->targets, WeftTarget, t);
          if (target->gradient != NULL && g_str_equal (target->path, path))
            return target;
        }
    }
  return NULL;
}

static void
keep_gradients (WeftGraph *graph)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      for (guint t = 0; node->targets != NULL && t < node->targets->len; t++)
        {
          WeftWire *gradient = g_array_index (node->targets, WeftTarget, t).gradient;
          if (gradient != NULL)
            gradient->read = gradient->kept = TRUE;
        }
    }
}

/* The recorded first gradient of the tensor called NAME after its "PREFIX/": its largest magnitude, -1 if it has none. */
static double
recorded_gradient (Replay *self, const char *tensor)
{
  g_autofree char *name = g_strconcat ("grad0", strchr (tensor, '/'), NULL);
  g_autoptr (WeftTensor) gradient = weft_safetensors_find (self->file, name) ? file_tensor (self->file, name, NULL) : NULL;
  return gradient != NULL ? largest_magnitude (gradient->data, weft_tensor_elements (gradient)) : -1;
}

static void
find_largest_gradient (Replay *self)
{
  for (const char *const *name = weft_safetensors_names (self->file); *name != NULL; name++)
    if (g_str_has_prefix (*name, "grad0/"))
      self->largest_gradient = MAX (self->largest_gradient, recorded_gradient (self, *name));
}

static gboolean
is_noise (const Replay *self, double gradient)
{
  return gradient < NOISE * self->largest_gradient;
}

static gboolean
compare_gradients (Replay *self, const Run *run, GError **error)
{
  for (const char *const *name = weft_safetensors_names (self->file); *name != NULL; name++)
    {
      g_autofree char *path = network_path (self, *name, "grad0");
      if (path == NULL)
        continue;
      const WeftTarget *target = find_target (run, path);
      const WeftTensor *gradient = target != NULL ? weft_executor_value (run->executor, target->gradient) : NULL;
      if (is_noise (self, recorded_gradient (self, *name)))
        report_note (self->report, "first gradients (noise)", tolerance (self, NOISE), *name,
                     gradient ? largest_magnitude (gradient->data, weft_tensor_elements (gradient)) / self->largest_gradient : 0);
      else if (!compare_tensor (self, "first gradients", self->bf16 ? BF16_GRADIENTS : FIRST_GRADIENTS, *name, gradient, error))
        return FALSE;
    }
  return TRUE;
}

/* The end. */

/* The node that owns the member at @path of the store; NULL if it is not part of the graph. */
static const WeftNode *
owner_of (const WeftGraph *graph, const char *path)
{
  const char *dot = strrchr (path, '.');
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      if (node->kind == WEFT_NODE_FORWARD && node->store_path != NULL && strlen (node->store_path) == (gsize) (dot - path)
          && g_str_has_prefix (path, node->store_path))
        return node;
    }
  return NULL;
}

/* Whether tensor PREFIX/NAME is the recorded form of the member at @path and has a first gradient of mere noise. */
static gboolean
is_noise_of (Replay *self, const char *path)
{
  for (const char *const *name = weft_safetensors_names (self->file); *name != NULL; name++)
    {
      g_autofree char *candidate = network_path (self, *name, "grad0");
      if (g_strcmp0 (candidate, path) == 0)
        return is_noise (self, recorded_gradient (self, *name));
    }
  return FALSE;
}

/* A batch norm takes away any bias in front of it. Such a bias is moved by rounding alone, and the running mean follows it. */
static gboolean
follows_noise (Replay *self, const Setup *setup, const char *path)
{
  const WeftNode *norm = g_str_has_suffix (path, ".running_mean") ? owner_of (weft_pipeline_graph (setup->pipeline, "train"), path) : NULL;
  const WeftNode *before = norm != NULL && norm->inputs[0].n == 1 ? norm->inputs[0].wires[0]->node : NULL;
  for (guint i = 0; before != NULL && i < WEFT_MAX_PORTS; i++)
    if (before->parameters[i].path != NULL && g_str_has_suffix (before->parameters[i].path, ".bias")
        && is_noise_of (self, before->parameters[i].path))
      return TRUE;
  return FALSE;
}

/* How far AdamW can have moved a parameter apart in two runs: each step by about the rate at most. */
static double
greatest_drift (const Replay *self)
{
  return 2 * self->steps * metadata_number (self->file, "lr", adamw_number (self, "lr", -1, 1e-3));
}

static gboolean
compare_running_mean (Replay *self, const char *quantity, const char *name, const WeftTensor *value, GError **error)
{
  g_autoptr (WeftTensor) expected = file_tensor (self->file, name, error);
  if (expected == NULL)
    return FALSE;
  double magnitude = largest_magnitude (expected->data, weft_tensor_elements (expected));
  double difference = relative_difference (value->data, expected->data, weft_tensor_elements (expected));
  report_note (self->report, quantity, AT_THE_END, name, difference * magnitude <= greatest_drift (self) ? 0 : difference);
  return TRUE;
}

/* @prefix of the tensors is final or final_key; @store_prefix that of the store's paths. */
static gboolean
compare_networks (Replay *self, const Setup *setup, const char *prefix, const char *store_prefix, GError **error)
{
  for (const char *const *name = weft_safetensors_names (self->file); *name != NULL; name++)
    {
      g_autofree char *path = network_path (self, *name, prefix);
      if (path == NULL)
        continue;
      double gradient = recorded_gradient (self, *name);
      if (gradient >= 0 && is_noise (self, gradient))
        continue;
      g_autofree char *full = g_strconcat (store_prefix, path, NULL);
      const WeftTensor *value = weft_store_lookup (setup->store, full);
      if (value != NULL && follows_noise (self, setup, path) ? !compare_running_mean (self, prefix, *name, value, error)
                                                             : !compare_tensor (self, prefix, AT_THE_END, *name, value, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
compare_end (Replay *self, const Setup *setup, GError **error)
{
  if (!self->bf16 && !compare_networks (self, setup, "final", "", error))
    return FALSE;
  if (!self->queues)
    return TRUE;
  if (!self->bf16 && !compare_networks (self, setup, "final_key", "train.momentum.key.", error))
    return FALSE;
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *name = g_strdup_printf ("final/queue.%s", encoders[i]), *path = g_strdup_printf ("train.queues.%s", encoders[i]);
      if (!compare_tensor (self, "queues", tolerance (self, AT_EVERY_STEP), name, weft_store_lookup (setup->store, path), error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
load_queues (Replay *self, Setup *setup, GError **error)
{
  for (guint i = 0; self->queues && i < 2; i++)
    {
      g_autofree char *name = g_strdup_printf ("init/queue.%s", encoders[i]), *path = g_strdup_printf ("train.queues.%s", encoders[i]);
      if (!weft_safetensors_read_f32 (self->file, name, weft_store_lookup (setup->store, path)->data, error))
        return FALSE;
    }
  return TRUE;
}

/* Mistakes that no pipeline can spell: made in the store, between steps. */

static const char key_prefix[] = "train.momentum.key.";

/* Query values of the keys (or of their statistics) before a step, by the keys' store paths. */
static GHashTable *
save_queries (const Setup *setup, gboolean statistics)
{
  g_autoptr (GPtrArray) paths = weft_store_paths (setup->store);
  GHashTable *saved = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  for (guint i = 0; i < paths->len; i++)
    if (g_str_has_prefix (paths->pdata[i], key_prefix) && (strstr (paths->pdata[i], ".running_") != NULL) == statistics)
      {
        const WeftTensor *query = weft_store_lookup (setup->store, (const char *) paths->pdata[i] + strlen (key_prefix));
        g_hash_table_insert (saved, paths->pdata[i], g_memdup2 (query->data, weft_tensor_bytes (query)));
      }
  return saved;
}

/* θ_key ← m θ_key + (1 − m) θ */
static void
average_keys (const Setup *setup, GHashTable *queries, double momentum)
{
  GHashTableIter iter;
  gpointer path, query;
  g_hash_table_iter_init (&iter, queries);
  while (g_hash_table_iter_next (&iter, &path, &query))
    {
      WeftTensor *key = weft_store_lookup (setup->store, path);
      float *k = key->data;
      for (gint64 i = 0; i < weft_tensor_elements (key); i++)
        k[i] = (float) (momentum * (double) k[i] + (1 - momentum) * (double) ((const float *) query)[i]);
    }
}

static gboolean
step_with_mutation (Replay *self, Setup *setup, Run *run, GError **error)
{
  gboolean late = g_strcmp0 (self->mutation, "momentum-after-keys") == 0, early = g_strcmp0 (self->mutation, "right-momentum") == 0;
  gboolean statistics = g_strcmp0 (self->mutation, MUTATION_STATISTICS) == 0;
  double momentum = metadata_number (self->file, "moco_r", 0.999);
  if (!self->queues || !(late || early || statistics))
    return run_step (run, error);
  g_autoptr (GHashTable) queries = save_queries (setup, statistics);
  if (early || statistics)
    average_keys (setup, queries, momentum);
  gboolean ok = run_step (run, error);
  if (late)
    average_keys (setup, queries, momentum);
  return ok;
}

static gboolean
train (Replay *self, Setup *setup, GError **error)
{
  Run run = { 0 };
  Batch batch = { 0 };
  keep_gradients (weft_pipeline_graph (setup->pipeline, "train"));
  gboolean ok = load_queues (self, setup, error) && run_open (&run, setup, "train", error);
  for (guint s = 0; ok && s < self->steps; s++)
    {
      ok = feed_step (self, &run, &batch, s, error) && step_with_mutation (self, setup, &run, error) && compare_step (self, &run, s, error)
           && (s > 0 || compare_gradients (self, &run, error));
    }
  ok = ok && compare_end (self, setup, error);
  batch_clear (&batch);
  run_clear (&run);
  return ok;
}

static gboolean
evaluate (Replay *self, Setup *setup, GError **error)
{
  Run run = { 0 };
  Batch batch = { 0 };
  gboolean ok = run_open (&run, setup, "evaluate", error) && feed_step (self, &run, &batch, self->steps - 1, error)
                && run_step (&run, error)
                && compare_tensor (self, "evaluation", tolerance (self, EVALUATION), "eval/image_embedding",
                                   run_value (&run, "image_embedding"), error)
                && compare_tensor (self, "evaluation", tolerance (self, EVALUATION), "eval/text_embedding",
                                   run_value (&run, "text_embedding"), error);
  batch_clear (&batch);
  run_clear (&run);
  return ok;
}

gboolean
replay_recording (WeftSafetensors *file, const char *path, const ReplayOptions *options, Report *report, GError **error)
{
  Replay self = {
    .file = file, .path = path, .mutation = options->mutation, .weights = options->weights, .bf16 = options->bf16, .report = report
  };
  Setup setup;
  while (step_tensor (&self, self.steps, "regions") != NULL)
    self.steps++;
  self.queues = weft_safetensors_find (file, "init/queue.image") != NULL;
  self.clip = g_strcmp0 (weft_safetensors_metadata (file, "guide"), "clip") == 0;
  find_largest_gradient (&self);
  gboolean ok = load_names (&self, error) && open_setup (&self, &setup, "init", error) && train (&self, &setup, error);
  setup_clear (&setup);
  if (ok)
    {
      ok = open_setup (&self, &setup, "final", error) && evaluate (&self, &setup, error);
      setup_clear (&setup);
    }
  replay_clear (&self);
  return ok;
}
