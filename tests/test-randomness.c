/* What recordings without dropout can't show: dropout has the right frequencies in the pipelines as they are shipped, differs by path and
 * by step, does not depend on threads, and keys of captions draw none.
 *
 * Bounds are five standard deviations, which a right program passes all but once in two million times; seeds are fixed, so that it passes
 * always or never.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"
#include "shipped.h"

/* user-f30k at sizes that leave every dropout of it in place. */
#define SMALL                                                                                                                              \
  "batch=64\nembed=8\nhidden=8\nqueue=64\nnetworks.text.load=null\nnetworks.text.width=16\nnetworks.text.heads=2\n"                        \
  "networks.text.layers=3\nnetworks.text.intermediate=16\nnetworks.text.vocabulary=64\n"
#define LAYERS 3

static char *
small_settings (const char *more)
{
  return g_strdup_printf (SMALL "graphs.train.nodes.tokens.size=%d\ngraphs.captions.nodes.tokens.size=%d\nbert=%s%s%s", VOCABULARY,
                          VOCABULARY, shipped_folder, *more != '\0' ? "\n" : "", more);
}

/* Elements that a dropout set to 0. Every other one must be scaled up by exactly what the rate asks for. */
static gint64
count_dropped (Rig *rig, const WeftNode *node, double rate, gint64 *n)
{
  const WeftTensor *x = weft_executor_value (rig->executor, node->inputs[0].wires[0]),
                   *y = weft_executor_value (rig->executor, node->outputs[0]);
  const float *from = x->data, *to = y->data;
  gint64 dropped = 0;
  for (gint64 i = 0; i < weft_tensor_elements (x); i++)
    {
      if (from[i] == 0)
        continue;
      if (to[i] != 0 && to[i] != from[i] * (float) (1 / (1 - rate)))
        ck_abort_msg ("%s: %g became %g", node->path, (double) from[i], (double) to[i]);
      dropped += to[i] == 0;
      ++*n;
    }
  return dropped;
}

/* SGE drops within its scores, w · (dropout(tanh(local)) ⊙ global) + b. With these parameters tanh(local) is the same everywhere, so is
 * what is left of global, and a score is a whole number whose bits are the channels that were not dropped. */
#define BITS 16

static void
set_parameter (Rig *rig, const char *prefix, const char *name, double value, gboolean powers)
{
  g_autofree char *path = g_strconcat (prefix, ".sge.", name, NULL);
  WeftTensor *tensor = weft_store_lookup (rig->store, path);
  ck_assert_msg (tensor != NULL, "there is no %s", path);
  for (gint64 i = 0; i < weft_tensor_elements (tensor); i++)
    ((float *) tensor->data)[i] = (float) (!powers ? value : i < BITS ? ldexp (value, (int) i) : 0);
}

static void
make_scores_legible (Rig *rig, const char *prefix)
{
  set_parameter (rig, prefix, "local_norm.weight", 0, FALSE);
  set_parameter (rig, prefix, "local_norm.bias", 1, FALSE);
  set_parameter (rig, prefix, "global_norm.weight", 0, FALSE);
  set_parameter (rig, prefix, "global_norm.bias", 1, FALSE);
  set_parameter (rig, prefix, "common.weight", 1, TRUE);
  set_parameter (rig, prefix, "common.bias", 0, FALSE);
}

/* Which channels of a score were kept, of those whose share is @unit times a power of two. */
static guint32
bits_of_score (double score, double unit)
{
  double whole = rint (score / unit);
  if (fabs (score / unit - whole) > 0.1 || whole < 0 || whole >= ldexp (1, BITS))
    ck_abort_msg ("a score is %g times what one channel gives", score / unit);
  return (guint32) whole;
}

static gint64
count_dropped_in_scores (Rig *rig, const char *prefix, double rate, gint64 *n)
{
  g_autofree char *score = g_strconcat (prefix, "sge.common", NULL), *global = g_strconcat (prefix, "sge.global_drop", NULL);
  const WeftTensor *scores = rig_value (rig, score), *of_images = rig_value (rig, global);
  double unit = tanh (1) / (1 - rate) * tanh (1) / (1 - rate);
  gint64 dropped = 0;
  for (gint64 b = 0; b < scores->samples; b++)
    for (gint32 r = scores->offsets[b]; r < scores->offsets[b + 1]; r++)
      {
        guint32 bits = bits_of_score ((double) ((const float *) scores->data)[r], unit);
        for (guint d = 0; d < BITS; d++)
          {
            gboolean there = ((const float *) of_images->data)[b * WIDTH + d] != 0, kept = bits >> d & 1;
            if (kept && !there)
              ck_abort_msg ("channel %u of an image was dropped, but not of its regions", d);
            *n += there;
            dropped += there && !kept;
          }
      }
  return dropped;
}

/* The encoders of user-f30k and the dropout that they draw: 0.4 in SGE, of queries and keys, 0.1 in BERT, of queries alone. */
static const struct
{
  const char *prefix, *weights;
  guint nodes;
  double rate;
} encoders[] = { { "v.", "image", 1, 0.4 },
                 { "v_key.", "train.momentum.key.image", 1, 0.4 },
                 { "t.", NULL, 1 + 2 * LAYERS, 0.1 },
                 { "t_key.", NULL, 1 + 2 * LAYERS, 0 } };

START_TEST (dropout_has_its_frequency)
{
  g_autofree char *settings = small_settings ("graphs.train.nodes.update.rate=0\ngraphs.train.nodes.momentum.rate=1\n"
                                              "graphs.train.collect={v: v.sge.common, v_key: v_key.sge.common}");
  gint64 n[G_N_ELEMENTS (encoders)] = { 0 }, dropped[G_N_ELEMENTS (encoders)] = { 0 };
  guint nodes[G_N_ELEMENTS (encoders)] = { 0 }, steps = 0;
  guint64 epoch = 0;
  Rig rig;
  shipped_start (&rig, "user-f30k", NULL, settings, 2, 7);
  for (guint e = 0; e < 2; e++)
    make_scores_legible (&rig, encoders[e].weights);
  for (; n[0] < MILLION || n[1] < MILLION || n[2] < MILLION || n[3] < MILLION; steps++)
    {
      shipped_step_on (&rig, steps, &epoch);
      for (guint e = 0; e < G_N_ELEMENTS (encoders); e++)
        {
          for (guint i = 0; i < rig.graph->nodes->len; i++)
            {
              const WeftNode *node = rig.graph->nodes->pdata[i];
              if (!is_dropout (node) || !g_str_has_prefix (node->path, encoders[e].prefix))
                continue;
              nodes[e]++;
              dropped[e] += count_dropped (&rig, node, encoders[e].rate, &n[e]);
            }
          if (encoders[e].weights != NULL)
            dropped[e] += count_dropped_in_scores (&rig, encoders[e].prefix, encoders[e].rate, &n[e]);
        }
    }
  for (guint e = 0; e < G_N_ELEMENTS (encoders); e++)
    {
      ck_assert_uint_eq (nodes[e], encoders[e].nodes * steps);
      if (encoders[e].rate > 0)
        ck_assert_share (dropped[e], n[e], encoders[e].rate, encoders[e].prefix);
      else
        ck_assert_int_eq (dropped[e], 0);
    }
  rig_clear (&rig);
}
END_TEST

/* What a dropout of the present step set to 0, as bytes. */
static GBytes *
mask_of (Rig *rig, const char *path)
{
  const WeftTensor *y = rig_value (rig, path);
  gint64 n = weft_tensor_elements (y);
  guint8 *mask = g_malloc ((gsize) n);
  for (gint64 i = 0; i < n; i++)
    mask[i] = ((const float *) y->data)[i] == 0;
  return g_bytes_new_take (mask, (gsize) n);
}

/* Two masks that have nothing to do with each other agree in p² + (1 − p)² of their elements. */
static void
compare_masks (GBytes *a, GBytes *b, gsize distance, double rate, const char *what)
{
  const guint8 *x = g_bytes_get_data (a, NULL), *y = g_bytes_get_data (b, NULL);
  gsize n = MIN (g_bytes_get_size (a), g_bytes_get_size (b)) - distance;
  gint64 same = 0;
  for (gsize i = 0; i < n; i++)
    same += x[i] == y[i + distance];
  ck_assert_share (same, (double) n, rate * rate + (1 - rate) * (1 - rate), what);
}

START_TEST (masks_differ_by_path_step_and_seed)
{
  static const struct
  {
    const char *path, *other;
    double rate;
  } pairs[] = {
    { "v.sge.global_drop", "v_key.sge.global_drop", 0.4 },
    { "t.bert.embeddings.drop", "t.bert.layer.0.drop", 0.1 },
    { "t.bert.layer.0.drop", "t.bert.layer.1.drop", 0.1 },
    { "t.bert.layer.0.attention.drop", "t.bert.layer.2.attention.drop", 0.1 },
    { "t.bert.layer.1.attention.drop", "t.bert.layer.1.drop", 0.1 },
  };
  /* Elements, lanes, rows, samples, and what tiles may be. */
  static const gsize distances[] = { 1, 8, 16, WIDTH, REGIONS * WIDTH, 4096, 8192, 16384, 32768 };
  g_autofree char *settings = small_settings ("");
  guint64 epoch = 0;
  Rig rig, other;
  shipped_start (&rig, "user-f30k", NULL, settings, 2, 7);
  shipped_start (&other, "user-f30k", NULL, settings, 2, 8);
  shipped_step_on (&rig, 0, &epoch);
  shipped_step_on (&other, 0, &epoch);
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autoptr (GBytes) first = mask_of (&rig, pairs[i].path), second = mask_of (&rig, pairs[i].other),
                         seed = mask_of (&other, pairs[i].path);
      compare_masks (first, second, 0, pairs[i].rate, "another path");
      compare_masks (first, seed, 0, pairs[i].rate, "another seed");
      for (gsize d = 0; d < G_N_ELEMENTS (distances) && distances[d] < g_bytes_get_size (first) / 2; d++)
        compare_masks (first, first, distances[d], pairs[i].rate, "its own neighbours");
    }
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      Rig again;
      guint64 begin = 0;
      shipped_start (&again, "user-f30k", NULL, settings, 2, 7);
      shipped_step_on (&again, 1, &begin);
      g_autoptr (GBytes) first = mask_of (&rig, pairs[i].path), next = mask_of (&again, pairs[i].path);
      compare_masks (first, next, 0, pairs[i].rate, "another step");
      rig_clear (&again);
    }
  rig_clear (&rig);
  rig_clear (&other);
}
END_TEST

/* The embeddings of queries and keys of one batch in a step of this number, nothing having been learned. */
static void
embeddings (const char *more, guint64 step, GBytes *values[4])
{
  static const char *const paths[] = { "v.embedding", "v_key.embedding", "t.embedding", "t_key.embedding" };
  g_autofree char *frozen =
      g_strdup_printf ("graphs.train.nodes.tokens.alter=0\ngraphs.train.nodes.update.rate=0\n"
                       "graphs.train.nodes.momentum.rate=1\ngraphs.train.collect={v: v, v_key: v_key, t: t, t_key: t_key}%s",
                       more);
  g_autofree char *settings = small_settings (frozen);
  Rig rig;
  shipped_start (&rig, "user-f30k", NULL, settings, 2, 7);
  ck_assert (rig_step (&rig, step, 0));
  for (guint i = 0; i < 4; i++)
    {
      const WeftTensor *tensor = rig_value (&rig, paths[i]);
      values[i] = g_bytes_new (tensor->data, weft_tensor_bytes (tensor));
    }
  rig_clear (&rig);
}

/* The same captions in another step, where everything is drawn anew, have the same keys; all other embeddings change, and none of them
 * without dropout. */
START_TEST (keys_of_captions_draw_nothing)
{
  static const char *const without = "\nnetworks.image.dropout=0\nnetworks.text.dropout=0";
  GBytes *first[4], *second[4], *still[2][4];
  embeddings ("", 0, first);
  embeddings ("", 1, second);
  embeddings (without, 0, still[0]);
  embeddings (without, 1, still[1]);
  for (guint i = 0; i < 4; i++)
    {
      ck_assert_int_eq (g_bytes_equal (first[i], second[i]), i == 3);
      ck_assert (g_bytes_equal (still[0][i], still[1][i]));
      /* What draws nothing is the same without dropout. */
      ck_assert_int_eq (g_bytes_equal (first[i], still[0][i]), i == 3);
    }
  for (guint i = 0; i < 4; i++)
    {
      g_bytes_unref (first[i]);
      g_bytes_unref (second[i]);
      g_bytes_unref (still[0][i]);
      g_bytes_unref (still[1][i]);
    }
}
END_TEST

/* As shipped, at full size: what could draw in the key encoder of captions is told not to; everything else of both encoders trains. */
START_TEST (keys_of_captions_are_told_to_draw_nothing)
{
  static const char *const names[] = { "user-f30k", "user-f30k-cge", "user-coco", "user-coco-cge" };
  WeftValue *document;
  guint drawing[2] = { 0 };
  WeftPipeline *pipeline = shipped_compose (names[_i], NULL, NULL, &document);
  const GPtrArray *nodes = weft_pipeline_graph (pipeline, "train")->nodes;
  for (guint i = 0; i < nodes->len; i++)
    {
      const WeftNode *node = nodes->pdata[i];
      gboolean keys = g_str_has_prefix (node->path, "t_key.");
      gboolean draws = is_dropout (node) || g_str_equal (node->op->name, "attention") || g_str_equal (node->op->name, "agreement");
      if (node->kind != WEFT_NODE_FORWARD || !draws)
        continue;
      ck_assert_msg (node->mode == (keys ? WEFT_MODE_INFER : WEFT_MODE_TRAIN), "%s: %s", names[_i], node->path);
      drawing[keys]++;
    }
  /* One dropout after the embeddings; twelve layers of two dropouts and an attention. */
  ck_assert_uint_eq (drawing[TRUE], 37);
  ck_assert_uint_eq (drawing[FALSE], 37 + (strstr (names[_i], "cge") != NULL ? 0 : 4));
  weft_pipeline_free (pipeline);
  weft_value_unref (document);
}
END_TEST

/* Every mask, and everything that was learned, after three steps. */
START_TEST (threads_change_nothing)
{
  static const guint threads[] = { 2, 3, 5 };
  g_autofree char *settings = small_settings ("batch=24");
  Rig one, many;
  guint64 epoch = 0;
  shipped_start (&one, "user-f30k", NULL, settings, 1, 7);
  for (guint s = 0; s < 3; s++)
    shipped_step_on (&one, s, &epoch);
  for (gsize t = 0; t < G_N_ELEMENTS (threads); t++)
    {
      shipped_start (&many, "user-f30k", NULL, settings, threads[t], 7);
      for (guint s = 0; s < 3; s++)
        shipped_step_on (&many, s, &epoch);
      for (guint i = 0; i < one.graph->nodes->len; i++)
        {
          const WeftNode *node = one.graph->nodes->pdata[i];
          if (!is_dropout (node))
            continue;
          const WeftTensor *a = rig_value (&one, node->path), *b = rig_value (&many, node->path);
          ck_assert_int_eq (weft_tensor_elements (a), weft_tensor_elements (b));
          ck_assert_msg (memcmp (a->data, b->data, weft_tensor_bytes (a)) == 0, "%s with %u threads", node->path, threads[t]);
        }
      g_autoptr (GPtrArray) paths = weft_store_paths (one.store);
      for (guint i = 0; i < paths->len; i++)
        {
          const WeftTensor *a = weft_store_lookup (one.store, paths->pdata[i]), *b = weft_store_lookup (many.store, paths->pdata[i]);
          ck_assert_msg (memcmp (a->data, b->data, weft_tensor_bytes (a)) == 0, "%s with %u threads", (char *) paths->pdata[i], threads[t]);
        }
      rig_clear (&many);
    }
  rig_clear (&one);
}
END_TEST

/* Attention keeps its weights to itself. Equal scores make them all 1/n, and values that are rows of the identity show them. */
START_TEST (attention_drops_a_tenth_of_its_weights)
{
  enum
  {
    ROWS = 64,
    SAMPLES = 32
  };
  g_autofree float *zeros = g_new0 (float, SAMPLES *ROWS *ROWS), *identity = g_new0 (float, SAMPLES *ROWS *ROWS);
  gint32 offsets[SAMPLES + 1] = { 0 };
  gint64 dropped = 0, same = 0, n = 0;
  WeftTensor query = {
    .type = WEFT_F32, .rank = 2, .shape = { SAMPLES * ROWS, ROWS }, .data = zeros, .offsets = offsets, .samples = SAMPLES
  };
  WeftTensor value = query;
  Rig rig;
  value.data = identity;
  for (guint i = 0; i < SAMPLES * ROWS; i++)
    identity[i * ROWS + i % ROWS] = 1;
  for (gint32 i = 0; i < SAMPLES; i++)
    offsets[i + 1] = (i + 1) * ROWS;
  rig_start (&rig,
             "graphs: {train: {mode: train, nodes: {q: {op: feed, signature: \"f32[b<=32 : t<=2048, 64]\"},\n"
             "  v: {op: feed, signature: \"f32[b : t, 64]\"}, a: {op: attention, query: q, key: q, value: v, heads: 1, dropout: 0.1},\n"
             "  c: {op: attention, query: q, key: q, value: v, heads: 1, dropout: 0.1}}, collect: {a: a, c: c}}}");
  rig_feed (&rig, "q", &query);
  rig_feed (&rig, "v", &value);
  for (guint64 step = 0; n < MILLION; step++)
    {
      ck_assert (rig_step (&rig, step, 0));
      const float *a = rig_value (&rig, "a")->data, *c = rig_value (&rig, "c")->data;
      for (guint i = 0; i < SAMPLES * ROWS * ROWS; i++, n++)
        {
          if (a[i] != 0 && fabsf (a[i] * ROWS * 0.9f - 1) > 1e-5f)
            ck_abort_msg ("a weight is %g", (double) a[i]);
          dropped += a[i] == 0;
          same += (a[i] == 0) == (c[i] == 0);
        }
    }
  ck_assert_share (dropped, n, 0.1, "weights dropped");
  ck_assert_share (same, n, 0.82, "another path");
  rig_clear (&rig);
}
END_TEST

/* Scores of SGE alone: another path and another step, neighbours within rows, from row to row and from tile to tile. */
START_TEST (scores_drop_independently)
{
  enum
  {
    ROWS = 4096,
    SAMPLES = 4
  };
  static const gsize distances[] = { 1, 8, BITS, 16 * BITS, 256 * BITS, 1024 * BITS };
  g_autofree float *ones = g_new (float, ROWS *BITS);
  gint32 offsets[SAMPLES + 1] = { 0, 1, 1000, 3001, ROWS };
  const WeftTensor local = { .type = WEFT_F32, .rank = 2, .shape = { ROWS, BITS }, .data = ones, .offsets = offsets, .samples = SAMPLES },
                   global = { .type = WEFT_F32, .rank = 2, .shape = { SAMPLES, BITS }, .data = ones };
  static const char *const nodes[] = { "a", "c" };
  GBytes *masks[4];
  Rig rig;
  for (guint i = 0; i < ROWS * BITS; i++)
    ones[i] = 1;
  rig_start (&rig, "graphs: {train: {mode: train, nodes: {l: {op: feed, signature: \"f32[b<=4 : t<=4096, 16]\"},\n"
                   "  g: {op: feed, signature: \"f32[b, 16]\"}, a: {op: agreement, local: l, global: g, dropout: 0.4},\n"
                   "  c: {op: agreement, local: l, global: g, dropout: 0.4}}, collect: {a: a, c: c}}}");
  rig_feed (&rig, "l", &local);
  rig_feed (&rig, "g", &global);
  for (guint k = 0; k < 2; k++)
    {
      g_autofree char *weight = g_strdup_printf ("train.%s.weight", nodes[k]), *bias = g_strdup_printf ("train.%s.bias", nodes[k]);
      for (guint d = 0; d < BITS; d++)
        ((float *) weft_store_lookup (rig.store, weight)->data)[d] = (float) (1u << d);
      *(float *) weft_store_lookup (rig.store, bias)->data = 0;
    }
  for (guint m = 0; m < 4; m++)
    {
      ck_assert (rig_step (&rig, m / 2, 0));
      const float *scores = rig_value (&rig, nodes[m % 2])->data;
      guint8 *mask = g_malloc (ROWS * BITS);
      for (guint i = 0; i < ROWS * BITS; i++)
        mask[i] = !(bits_of_score ((double) scores[i / BITS], tanh (1) / 0.6) >> i % BITS & 1);
      masks[m] = g_bytes_new_take (mask, ROWS * BITS);
    }
  compare_masks (masks[0], masks[1], 0, 0.4, "another path");
  compare_masks (masks[0], masks[2], 0, 0.4, "another step");
  compare_masks (masks[1], masks[2], 0, 0.4, "another path and step");
  for (gsize d = 0; d < G_N_ELEMENTS (distances); d++)
    compare_masks (masks[3], masks[3], distances[d], 0.4, "its own neighbours");
  for (guint m = 0; m < 4; m++)
    g_bytes_unref (masks[m]);
  rig_clear (&rig);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("randomness");
  TCase *tests = tcase_create ("dropout");
  tcase_set_timeout (tests, 400);
  tcase_add_checked_fixture (tests, shipped_set_up, shipped_tear_down);
  tcase_add_test (tests, dropout_has_its_frequency);
  tcase_add_test (tests, masks_differ_by_path_step_and_seed);
  tcase_add_test (tests, keys_of_captions_draw_nothing);
  tcase_add_loop_test (tests, keys_of_captions_are_told_to_draw_nothing, 0, 4);
  tcase_add_test (tests, threads_change_nothing);
  tcase_add_test (tests, scores_drop_independently);
  tcase_add_test (tests, attention_drops_a_tenth_of_its_weights);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
