/* USER's own operators and the optimizers, run as pipelines: recorded losses and gradients, rings, momentum, updates.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "execute.h"
#include "pipeline.h"
#include "registry.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A pipeline of one graph, ready to run. */
typedef struct
{
  WeftValue *document;
  WeftPipeline *pipeline;
  WeftGraph *graph;
  WeftPlan *plan;
  WeftStore *store;
  WeftTeam *team;
  WeftExecutor *executor;
  guint64 step;
} Rig;

static void
stop_on (GError *error)
{
  if (error)
    ck_abort_msg ("%s", error->message);
}

static void
rig_build (Rig *rig, const char *yaml)
{
  GError *error = NULL;
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  *rig = (Rig){ 0 };
  rig->document = weft_document_parse (yaml, -1, "test", problems);
  rig->pipeline = rig->document ? weft_pipeline_build (rig->document, problems) : NULL;
  weft_problems_to_error (problems, &error);
  stop_on (error);
  rig->graph = weft_pipeline_graph (rig->pipeline, "train");
}

/* Keeps a value so that the test may read it; to be called between building and starting. */
static WeftWire *
rig_keep (WeftWire *wire)
{
  ck_assert_ptr_nonnull (wire);
  wire->read = wire->kept = TRUE;
  return wire;
}

static void
rig_start (Rig *rig)
{
  GError *error = NULL;
  rig->plan = weft_plan_new (rig->graph, &error);
  stop_on (error);
  rig->store = weft_store_new ();
  weft_store_prepare (rig->store, rig->pipeline, 7, &error);
  stop_on (error);
  rig->team = weft_team_new (2, &error);
  stop_on (error);
  rig->executor = weft_executor_new (rig->plan, rig->store, rig->team, 7, &error);
  stop_on (error);
}

static void
rig_clear (Rig *rig)
{
  weft_executor_free (rig->executor);
  weft_team_free (rig->team);
  weft_store_free (rig->store);
  weft_plan_free (rig->plan);
  weft_pipeline_free (rig->pipeline);
  weft_value_unref (rig->document);
}

static void
rig_feed (Rig *rig, const char *node, const WeftTensor *tensor)
{
  GError *error = NULL;
  weft_executor_feed (rig->executor, node, tensor, &error);
  stop_on (error);
}

static void
rig_step (Rig *rig)
{
  GError *error = NULL;
  WeftStepResult result = weft_executor_step (rig->executor, rig->step++, 0, &error);
  stop_on (error);
  ck_assert_int_eq (result, WEFT_STEP_DONE);
}

static double
rig_number (Rig *rig, const WeftWire *wire)
{
  return (double) *(const float *) weft_executor_value (rig->executor, wire)->data;
}

/* Rows sin(seed + 1.7 i) of unit norm, as the recording of the numbers below made them. */
static WeftTensor
unit_rows (double seed, gint64 rows, gint64 width)
{
  WeftTensor tensor = { .type = WEFT_F32, .rank = 2, .shape = { rows, width }, .data = g_new (float, MAX (rows * width, 1)) };
  for (gint64 r = 0; r < rows; r++)
    {
      double norm = 0;
      for (gint64 i = 0; i < width; i++)
        norm += pow (sin (seed + 1.7 * (double) (r * width + i)), 2);
      for (gint64 i = 0; i < width; i++)
        ((float *) tensor.data)[r * width + i] = (float) (sin (seed + 1.7 * (double) (r * width + i)) / sqrt (norm));
    }
  return tensor;
}

static void
assert_close (const WeftTensor *tensor, const float *expected, guint n, double tolerance)
{
  const float *values = tensor->data;
  double greatest = 0, difference = 0;
  ck_assert_int_eq (weft_tensor_elements (tensor), n);
  for (guint i = 0; i < n; i++)
    {
      greatest = MAX (greatest, fabs ((double) expected[i]));
      difference = MAX (difference, fabs ((double) values[i] - (double) expected[i]));
    }
  ck_assert_msg (difference <= tolerance * greatest, "largest difference %g of %g", difference, greatest);
}

#define FEED(name) #name ": {op: feed, signature: \"f32[b<=8, 4]\"}\n      "
#define LOSS_HEAD                                                                                                                          \
  "graphs:\n  train:\n    mode: train\n    nodes:\n      "                                                                                 \
  "image: {op: feed, signature: \"f32[b<=8, 4]\", gradient: true}\n      "                                                                 \
  "text: {op: feed, signature: \"f32[b<=8, 4]\", gradient: true}\n      "

/* Values and gradients recorded from PyTorch in double precision. */
static const struct
{
  const char *settings;
  double batch, queue;
  float by_image[12], by_text[12];
} unified_recordings[] = {
  { "scale: 90, margin: 0.5, batch_weight: 20",
    2.731879684604768,
    0.04890414171128432,
    { -2.393714f, 1.614518f, 1.97767f, -2.124142f, 2.652035f, 0.06878205f, -2.669759f, 0.6191854f, 10.64252f, -5.793079f, -9.149703f,
      8.150856f },
    { 9.924783f, -6.516732f, -8.245493f, 8.641504f, 1.188885f, -2.127843f, -0.6405632f, 2.292909f, -2.351781f, 1.63918f, 1.929382f,
      -2.136361f } },
  { "scale: 4, margin: -0.25, batch_weight: 1.5",
    2.4231987541443707,
    1.3535026312270007,
    { 0.1044824f, -0.01243715f, -0.1012775f, 0.03853523f, 0.5138024f, -0.2525283f, -0.4487287f, 0.3681607f, 0.8119136f, -0.410352f,
      -0.7061704f, 0.5923243f },
    { 0.7344448f, -0.05612954f, -0.7199809f, 0.2416607f, 0.5115197f, 0.1118963f, -0.5403541f, 0.02734701f, 0.1741159f, 0.2792285f,
      -0.24607f, -0.215819f } },
};

START_TEST (unified_loss_is_as_recorded)
{
  g_autofree char *yaml =
      g_strdup_printf (LOSS_HEAD FEED (image_key)
                           FEED (text_key) "image_queue: {op: feed, signature: \"f32[k<=8, 4]\"}\n      "
                                           "text_queue: {op: feed, signature: \"f32[k<=8, 4]\"}\n      "
                                           "loss: {op: unified_loss, image: image, text: text, image_key: image_key, text_key: text_key, "
                                           "image_queue: image_queue, text_queue: text_queue, %s}\n      "
                                           "gradients: {op: gradients, minimize: loss.loss}\n",
                       unified_recordings[_i].settings);
  static const char *const names[] = { "image", "text", "image_key", "text_key", "image_queue", "text_queue" };
  Rig rig;
  rig_build (&rig, yaml);
  WeftWire *loss = rig_keep (weft_graph_wire (rig.graph, "loss.loss")), *batch = rig_keep (weft_graph_wire (rig.graph, "loss.batch"));
  WeftWire *queue = rig_keep (weft_graph_wire (rig.graph, "loss.queue")), *silent = rig_keep (weft_graph_wire (rig.graph, "loss.silent"));
  WeftWire *positive = rig_keep (weft_graph_wire (rig.graph, "loss.positive"));
  WeftNode *gradient = weft_graph_node (rig.graph, "loss~gradient");
  rig_keep (gradient->in_gradients[0][0]);
  rig_keep (gradient->in_gradients[1][0]);
  rig_start (&rig);
  WeftTensor tensors[6];
  for (guint i = 0; i < 6; i++)
    {
      tensors[i] = unit_rows (i + 1, i < 4 ? 3 : 5, 4);
      rig_feed (&rig, names[i], &tensors[i]);
    }
  rig_step (&rig);
  ck_assert_double_eq_tol (rig_number (&rig, batch), unified_recordings[_i].batch, 1e-5);
  ck_assert_double_eq_tol (rig_number (&rig, queue), unified_recordings[_i].queue, 1e-5);
  ck_assert_double_eq_tol (rig_number (&rig, loss), unified_recordings[_i].batch + unified_recordings[_i].queue, 1e-5);
  ck_assert_double_eq_tol (rig_number (&rig, positive), (0.5642667945208893 + 0.6199230423279517 + 0.6035963563484573) / 3, 1e-6);
  ck_assert_double_eq (rig_number (&rig, silent), 0);
  assert_close (weft_executor_value (rig.executor, gradient->in_gradients[0][0]), unified_recordings[_i].by_image, 12, 1e-5);
  assert_close (weft_executor_value (rig.executor, gradient->in_gradients[1][0]), unified_recordings[_i].by_text, 12, 1e-5);
  for (guint i = 0; i < 6; i++)
    g_free (tensors[i].data);
  rig_clear (&rig);
}
END_TEST

/* Pairs that point away from each other, with negatives far below the margin, have no gradient: the state that has to be reported. */
START_TEST (unified_loss_counts_silent_samples)
{
  Rig rig;
  rig_build (&rig, LOSS_HEAD "loss: {op: unified_loss, image: image, text: text}\n");
  WeftWire *silent = rig_keep (weft_graph_wire (rig.graph, "loss.silent"));
  rig_start (&rig);
  /* Pair 0 disagrees and its negatives are orthogonal to it; pairs 1 and 2 agree. */
  float image[] = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0 }, text[] = { -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0 };
  WeftTensor v = { .type = WEFT_F32, .rank = 2, .shape = { 3, 4 }, .data = image }, t = { WEFT_F32, 2, { 3, 4 }, text, NULL, 0 };
  rig_feed (&rig, "image", &v);
  rig_feed (&rig, "text", &t);
  rig_step (&rig);
  ck_assert_double_eq_tol (rig_number (&rig, silent), 1.0 / 3, 1e-6);
  rig_clear (&rig);
}
END_TEST

/* Every length of batch and ring must leave the latest keys, each where the cursor passed. */
START_TEST (rings_keep_the_latest_keys)
{
  static const struct
  {
    gint64 length, batch;
  } cases[] = { { 5, 2 }, { 6, 3 }, { 3, 7 }, { 1, 1 }, { 4, 4 } };
  gint64 length = cases[_i].length, batch = cases[_i].batch;
  g_autofree char *yaml =
      g_strdup_printf (LOSS_HEAD "queues: {op: key_queue, length: %d, width: 4}\n      "
                                 "loss: {op: unified_loss, image: image, text: text, image_key: image, text_key: text, image_queue: "
                                 "queues.image, text_queue: queues.text}\n      "
                                 "enqueue: {op: queue_enqueue, into: queues, image: image, text: text}\n      "
                                 "gradients: {op: gradients, minimize: loss.loss}\n",
                       (int) length);
  Rig rig;
  rig_build (&rig, yaml);
  rig_start (&rig);
  const WeftTensor *ring = weft_store_lookup (rig.store, "train.queues.image"), *texts = weft_store_lookup (rig.store, "train.queues.text");
  const WeftTensor *cursor = weft_store_lookup (rig.store, "train.queues.cursor");
  ck_assert_ptr_nonnull (ring);
  float expected[6] = { 0 };
  for (int step = 0; step < 4; step++)
    {
      WeftTensor image = unit_rows (step, batch, 4), text = unit_rows (step + 50, batch, 4);
      for (gint64 i = 0; i < batch; i++)
        {
          ((float *) image.data)[i * 4] = (float) (step * batch + i + 1);
          ((float *) text.data)[i * 4] = -(float) (step * batch + i + 1);
          expected[(step * batch + i) % length] = (float) (step * batch + i + 1);
        }
      rig_feed (&rig, "image", &image);
      rig_feed (&rig, "text", &text);
      rig_step (&rig);
      g_free (image.data);
      g_free (text.data);
    }
  for (gint64 i = 0; i < length; i++)
    {
      ck_assert_float_eq (((const float *) ring->data)[i * 4], expected[i]);
      ck_assert_float_eq (((const float *) texts->data)[i * 4], -expected[i]);
    }
  ck_assert_int_eq (*(const gint64 *) cursor->data, 4 * batch % length);
  rig_clear (&rig);
}
END_TEST

/* A network with parameters of several sizes, its copy, and a loss that reaches all of it. */
#define NETWORK                                                                                                                            \
  "modules:\n"                                                                                                                             \
  "  encoder:\n"                                                                                                                           \
  "    inputs: {x: \"f32[b:t, d]\"}\n"                                                                                                     \
  "    nodes:\n"                                                                                                                           \
  "      norm: {op: batch_norm, x: x}\n"                                                                                                   \
  "      gru: {op: gru, x: norm, units: 4}\n"                                                                                              \
  "      mean: {op: segment_mean, x: gru}\n"                                                                                               \
  "    outputs: {y: mean}\n"                                                                                                               \
  "networks: {image: {module: encoder}}\n"                                                                                                 \
  "graphs:\n"                                                                                                                              \
  "  train:\n"                                                                                                                             \
  "    mode: train\n"                                                                                                                      \
  "    nodes:\n"                                                                                                                           \
  "      x: {op: feed, signature: \"f32[b<=8 : t<=40, 3]\"}\n"                                                                             \
  "      text: {op: feed, signature: \"f32[b<=8, 4]\"}\n"                                                                                  \
  "      v: {use: image, x: x}\n"

/* Three samples of 2, 3 and 1 rows. */
static void
feed_network (Rig *rig, WeftTensor *x, WeftTensor *text, double seed)
{
  static gint32 offsets[] = { 0, 2, 5, 6 };
  *x = unit_rows (seed, 6, 3);
  x->offsets = offsets;
  x->samples = 3;
  *text = unit_rows (seed + 11, 3, 4);
  rig_feed (rig, "x", x);
  rig_feed (rig, "text", text);
}

START_TEST (momentum_follows_parameters_and_leaves_statistics)
{
  Rig rig;
  rig_build (&rig, NETWORK "      momentum: {op: momentum_update, source: {image: image}, rate: 0.75}\n"
                           "      key: {use: image, weights: momentum.image, x: x}\n"
                           "      loss: {op: unified_loss, image: v, text: text, image_key: key}\n"
                           "      gradients: {op: gradients, minimize: loss.loss}\n");
  rig_start (&rig);
  WeftTensor x, text;
  feed_network (&rig, &x, &text, 1);
  float *value = weft_store_lookup (rig.store, "image.gru.weight_ih")->data;
  float *key = weft_store_lookup (rig.store, "train.momentum.key.image.gru.weight_ih")->data;
  float *mean = weft_store_lookup (rig.store, "image.norm.running_mean")->data;
  float *key_mean = weft_store_lookup (rig.store, "train.momentum.key.image.norm.running_mean")->data;
  ck_assert_mem_eq (value, key, 36 * sizeof (float));
  float old = key[5];
  value[5] = old + 8;
  mean[1] = 100;
  rig_step (&rig);
  ck_assert_float_eq_tol (key[5], old + 2, 1e-5f);
  ck_assert_float_eq (key[6], value[6]);
  /* The copy's statistics saw a batch of their own and nothing of the original's. */
  ck_assert_float_ne (key_mean[1], 0);
  ck_assert_float_lt (fabsf (key_mean[1]), 1);
  g_free (x.data);
  g_free (text.data);
  rig_clear (&rig);
}
END_TEST

/* One parameter beside its gradient in one step, and what the update has to make of it in double precision. */
typedef struct
{
  double rate, decay, factor;
  int updates;
} Expectation;

static double
adamw_expects (double value, double gradient, const Expectation *e, double *mean, double *square)
{
  double g = gradient * e->factor;
  *mean = 0.9 * *mean + 0.1 * g;
  *square = 0.999 * *square + 0.001 * g * g;
  value *= 1 - e->rate * e->decay;
  return value - e->rate * (*mean / (1 - pow (0.9, e->updates))) / (sqrt (*square / (1 - pow (0.999, e->updates))) + 1e-8);
}

static double
nesterov_expects (double value, double gradient, const Expectation *e, double *velocity, double *unused G_GNUC_UNUSED)
{
  double g = gradient * e->factor + e->decay * value;
  *velocity = 0.9 * *velocity + g;
  return value - e->rate * (g + 0.9 * *velocity);
}

static const struct
{
  const char *optimizer;
  double (*expects) (double value, double gradient, const Expectation *e, double *first, double *second);
} optimizers[] = { { "op: adamw", adamw_expects }, { "op: sgd, momentum: 0.9, nesterov: true", nesterov_expects } };

#define N_PARAMETERS 10

START_TEST (optimizers_update_groups_as_written)
{
  g_autofree char *yaml = g_strdup_printf (NETWORK "      loss: {op: info_nce, image: v, text: text}\n"
                                                   "      update: {%s, minimize: loss.loss, rate: {start: 0.01, drop: {step: 3, by: 0.1}}, "
                                                   "decay: 0.1, clip: 0.5, scale: {image.gru: 3, image.gru.bias_ih: 0.5}, "
                                                   "decay_scale: {image.gru.bias_hh: 0}, freeze: [image.gru.weight_hh], "
                                                   "frozen_until: {image.norm: 2}}\n",
                                           optimizers[_i].optimizer);
  Rig rig;
  rig_build (&rig, yaml);
  WeftWire *norm = rig_keep (weft_graph_wire (rig.graph, "update.norm"));
  WeftWire *rate = rig_keep (weft_graph_wire (rig.graph, "update.rate"));
  GArray *targets = weft_graph_node (rig.graph, "update")->targets;
  ck_assert_uint_eq (targets->len, N_PARAMETERS);
  for (guint i = 0; i < targets->len; i++)
    rig_keep (g_array_index (targets, WeftTarget, i).gradient);
  rig_start (&rig);
  double first[N_PARAMETERS] = { 0 }, second[N_PARAMETERS] = { 0 };
  for (int step = 0; step < 5; step++)
    {
      WeftTensor x, text;
      float before[N_PARAMETERS];
      double squares = 0;
      feed_network (&rig, &x, &text, step + 1);
      for (guint i = 0; i < N_PARAMETERS; i++)
        before[i] = *(const float *) weft_store_lookup (rig.store, g_array_index (targets, WeftTarget, i).path)->data;
      rig_step (&rig);
      for (int pass = 0; pass < 2; pass++)
        for (guint i = 0; i < N_PARAMETERS; i++)
          {
            const WeftTarget *target = &g_array_index (targets, WeftTarget, i);
            const WeftTensor *gradient = weft_executor_value (rig.executor, target->gradient);
            float after = *(const float *) weft_store_lookup (rig.store, target->path)->data;
            gboolean norms = g_str_has_prefix (target->path, "image.norm.");
            gboolean frozen = strcmp (target->path, "image.gru.weight_hh") == 0 || (norms && step < 2);
            if (pass == 0 && !frozen)
              for (gint64 k = 0; k < weft_tensor_elements (gradient); k++)
                squares += pow ((double) ((const float *) gradient->data)[k], 2);
            if (pass == 0)
              continue;
            if (frozen)
              {
                ck_assert_float_eq (after, before[i]);
                continue;
              }
            Expectation e = { .rate = step < 3 ? 0.01 : 0.001, .decay = 0.1, .factor = MIN (1, 0.5 / (sqrt (squares) + 1e-6)) };
            e.updates = norms ? step - 1 : step + 1;
            if (strcmp (target->path, "image.gru.bias_ih") == 0)
              e.rate *= 0.5;
            else if (!norms)
              e.rate *= 3;
            if (strcmp (target->path, "image.gru.bias_hh") == 0)
              e.decay = 0;
            double expected =
                optimizers[_i].expects ((double) before[i], (double) *(const float *) gradient->data, &e, &first[i], &second[i]);
            ck_assert_msg (fabs ((double) after - expected) < 2e-6, "%s in step %d: %g instead of %g", target->path, step, (double) after,
                           expected);
          }
      ck_assert_double_eq_tol (rig_number (&rig, norm), sqrt (squares), 1e-5 * sqrt (squares));
      ck_assert_double_eq_tol (rig_number (&rig, rate), step < 3 ? 0.01 : 0.001, 1e-8);
      g_free (x.data);
      g_free (text.data);
    }
  rig_clear (&rig);
}
END_TEST

/* Two equal steps accumulated are one step: (g + g) / 2 is exact. */
START_TEST (accumulated_steps_make_one_update)
{
  float results[2][36];
  for (int accumulate = 1; accumulate <= 2; accumulate++)
    {
      g_autofree char *yaml =
          g_strdup_printf (NETWORK "      loss: {op: info_nce, image: v, text: text}\n"
                                   "      update: {op: adamw, minimize: loss.loss, rate: 0.01, clip: 0.5, accumulate: %d}\n",
                           accumulate);
      Rig rig;
      rig_build (&rig, yaml);
      rig_start (&rig);
      const float *values = weft_store_lookup (rig.store, "image.gru.weight_ih")->data;
      ck_assert_int_eq (weft_store_lookup (rig.store, "train.update.accumulated.image.gru.weight_ih") != NULL, accumulate > 1);
      for (int step = 0; step < 3 * accumulate; step++)
        {
          WeftTensor x, text;
          float before = values[3];
          feed_network (&rig, &x, &text, step / accumulate + 1);
          rig_step (&rig);
          if ((step + 1) % accumulate)
            ck_assert_float_eq (values[3], before);
          else
            ck_assert_float_ne (values[3], before);
          g_free (x.data);
          g_free (text.data);
        }
      memcpy (results[accumulate - 1], values, sizeof results[0]);
      rig_clear (&rig);
    }
  ck_assert_mem_eq (results[0], results[1], sizeof results[0]);
}
END_TEST

static void
expect_failure (const char *settings, double value, const char *message)
{
  GError *error = NULL;
  g_autofree char *yaml = g_strdup_printf (NETWORK "      loss: {op: info_nce, image: v, text: text}\n"
                                                   "      update: {op: adamw, minimize: loss.loss, clip: 2, %s}\n",
                                           settings);
  Rig rig;
  rig_build (&rig, yaml);
  rig_start (&rig);
  WeftTensor x, text;
  feed_network (&rig, &x, &text, 1);
  ((float *) text.data)[0] *= (float) value;
  const float *values = weft_store_lookup (rig.store, "image.gru.weight_ih")->data;
  float before = values[0];
  ck_assert_int_eq (weft_executor_step (rig.executor, 0, 0, &error), WEFT_STEP_ERROR);
  ck_assert_msg (strstr (error->message, message) != NULL, "%s", error->message);
  ck_assert_float_eq (values[0], before);
  g_clear_error (&error);
  g_free (x.data);
  g_free (text.data);
  rig_clear (&rig);
}

START_TEST (optimizers_refuse_what_cannot_be_meant)
{
  static const char *const cases[][2] = { { "scale: {image.grru: 0.1}", "`scale` of `update`: image.grru matches none" },
                                          { "freeze: [text.bert]", "`freeze` of `update`: text.bert matches none" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (WeftProblems) problems = weft_problems_new ();
      g_autofree char *yaml = g_strdup_printf (NETWORK "      loss: {op: info_nce, image: v, text: text}\n"
                                                       "      update: {op: adamw, minimize: loss.loss, %s}\n",
                                               cases[i][0]);
      g_autoptr (WeftValue) document = weft_document_parse (yaml, -1, "test", problems);
      ck_assert_ptr_null (weft_pipeline_build (document, problems));
      ck_assert_uint_eq (weft_problems_count (problems), 1);
      ck_assert_msg (strstr (weft_problems_get (problems, 0), cases[i][1]) != NULL, "%s", weft_problems_get (problems, 0));
    }
  expect_failure ("rate: 0.01", NAN, "not finite");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("user");
  TCase *tests = tcase_create ("user");
  weft_registry_load (NULL);
  tcase_add_loop_test (tests, unified_loss_is_as_recorded, 0, 2);
  tcase_add_test (tests, unified_loss_counts_silent_samples);
  tcase_add_loop_test (tests, rings_keep_the_latest_keys, 0, 5);
  tcase_add_test (tests, momentum_follows_parameters_and_leaves_statistics);
  tcase_add_loop_test (tests, optimizers_update_groups_as_written, 0, 2);
  tcase_add_test (tests, accumulated_steps_make_one_update);
  tcase_add_test (tests, optimizers_refuse_what_cannot_be_meant);
  suite_add_tcase (suite, tests);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
