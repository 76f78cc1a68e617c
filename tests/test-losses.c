/* Losses take embeddings, or the similarities of any scorer: for products of embeddings it makes no difference.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "rig.h"

#define N 7
#define WIDTH 5

static const char *const losses[] = {
  "op: unified_loss, scale: 8, margin: 0.3, batch_weight: 3",
  "op: unified_loss, scale: 90, margin: 0.5, batch_weight: 20",
  "op: triplet_loss, margin: 0.4, hardest: false",
  "op: triplet_loss, margin: 0.4, hardest: true",
  "op: info_nce, temperature: 0.3",
};
static const char *const figures[] = { "loss", "positive", "negative", "silent", "batch" };

/* Rows of unit norm. */
static void
fill (const char *name, float values[N][WIDTH])
{
  WeftRandom random = weft_random_for (1, name, 0);
  for (guint32 i = 0; i < N; i++)
    {
      double square = 0;
      for (guint32 j = 0; j < WIDTH; j++)
        {
          values[i][j] = weft_random_normal (random, i * WIDTH + j);
          square += (double) values[i][j] * (double) values[i][j];
        }
      for (guint32 j = 0; j < WIDTH; j++)
        values[i][j] /= (float) sqrt (square);
    }
}

START_TEST (similarities_serve_as_well_as_embeddings)
{
  float image[N][WIDTH], text[N][WIDTH];
  const WeftTensor tensors[] = { { .type = WEFT_F32, .rank = 2, .shape = { N, WIDTH }, .data = image },
                                 { .type = WEFT_F32, .rank = 2, .shape = { N, WIDTH }, .data = text } };
  gboolean unified = strstr (losses[_i], "unified") != NULL, contrast = strstr (losses[_i], "info_nce") != NULL;
  g_autoptr (GString) collect = g_string_new (NULL);
  guint compared = 0;
  Rig rig;
  for (gsize f = 0; f < G_N_ELEMENTS (figures); f++)
    if (f < 3 || (f == 3 && !contrast) || unified)
      g_string_append_printf (collect, "%sa%d: a.%s, b%d: b.%s", f > 0 ? ", " : "", (int) f, figures[f], (int) f, figures[f]);
  g_autofree char *yaml =
      g_strdup_printf ("graphs: {train: {mode: train, nodes: {image: {op: feed, signature: \"f32[%d, %d]\", gradient: true},\n"
                       "  text: {op: feed, signature: \"f32[%d, %d]\", gradient: true},\n"
                       "  image_too: {op: scale, x: image}, text_too: {op: scale, x: text},\n"
                       "  similarity: {op: matrix_product, a: image_too, b: text_too}, a: {%s, image: image, text: text},\n"
                       "  b: {%s, similarity: similarity}, less: {op: subtract, a: a.loss, b: b.loss},\n"
                       "  look: {op: gradients, minimize: less}}, collect: {%s}}}",
                       N, WIDTH, N, WIDTH, losses[_i], losses[_i], collect->str);
  fill ("image", image);
  fill ("text", text);
  rig_start (&rig, yaml);
  rig_feed (&rig, "image", &tensors[0]);
  rig_feed (&rig, "text", &tensors[1]);
  ck_assert (rig_step (&rig, 0, 0));
  for (guint i = 0; i < rig.graph->collects->len; i += 2, compared++)
    {
      float values[2];
      for (guint k = 0; k < 2; k++)
        values[k] = *(const float *) weft_executor_value (rig.executor, g_array_index (rig.graph->collects, WeftCollect, i + k).wire)->data;
      ck_assert_msg (fabsf (values[0] - values[1]) <= 2e-6f * (1 + fabsf (values[0])),
                     "%s: %s is %g from embeddings and %g from similarities", losses[_i],
                     g_array_index (rig.graph->collects, WeftCollect, i).name, (double) values[0], (double) values[1]);
    }
  ck_assert_uint_ge (compared, 3);
  /* The gradients of the difference cancel each other. */
  for (guint i = 0; i < rig.graph->feeds->len; i++)
    {
      const WeftNode *feed = rig.graph->feeds->pdata[i];
      const WeftTensor *gradient = weft_executor_value (rig.executor, feed->out_gradients[0]);
      for (guint k = 0; k < N * WIDTH; k++)
        ck_assert_msg (fabsf (((const float *) gradient->data)[k]) < 2e-5f, "%s: gradients by %s differ by %g", losses[_i], feed->path,
                       (double) ((const float *) gradient->data)[k]);
    }
  rig_clear (&rig);
}
END_TEST

/* Pairs need both sides, and similarities are square. */
START_TEST (half_of_a_pair_is_refused)
{
  static const char *const wrong[] = { "", "image: x", "text: x", "similarity: x" };
  for (gsize l = 0; l < G_N_ELEMENTS (losses); l++)
    for (gsize w = 0; w < G_N_ELEMENTS (wrong); w++)
      {
        g_autofree char *yaml =
            g_strdup_printf ("graphs: {train: {nodes: {x: {op: feed, signature: \"f32[4, 3]\"}, s: {op: feed, signature: "
                             "\"f32[4, 4]\"}, a: {%s, %s}}, collect: {a: a.loss}}}",
                             losses[l], wrong[w]);
        g_autoptr (GError) error = NULL;
        Rig rig;
        ck_assert_msg (!rig_open (&rig, yaml, 7, &error), "%s", yaml);
        ck_assert_msg (strlen (error->message) > 20, "%s", error->message);
        rig_clear (&rig);
      }
}
END_TEST

static void
expect_values (Rig *rig, const char *reference, const float *expected)
{
  const WeftTensor *tensor = rig_value (rig, reference);
  for (gint64 i = 0; i < weft_tensor_elements (tensor); i++)
    ck_assert_msg (fabsf (((const float *) tensor->data)[i] - expected[i]) < 1e-6f, "%s[%d] is %g, expected %g", reference, (int) i,
                   (double) ((const float *) tensor->data)[i], (double) expected[i]);
}

/* Keys of a query's own item are counted while they are in the ring, and are no negatives. */
START_TEST (false_negatives_are_told_apart)
{
  float axes[2][2] = { { 1, 0 }, { 0.6f, 0.8f } };
  gint32 items[] = { 7, 8 };
  const WeftTensor embeddings = { .type = WEFT_F32, .rank = 2, .shape = { 2, 2 }, .data = axes },
                   numbers = { .type = WEFT_I32, .rank = 1, .shape = { 2 }, .data = items };
  Rig rig;
  rig_start (&rig, "graphs: {train: {nodes: {x: {op: feed, signature: \"f32[2, 2]\"}, item: {op: feed, signature: \"i32[2]\"},\n"
                   "  queues: {op: key_queue, length: 3, width: 2},\n"
                   "  c: {op: contrast, image: x, text: x, item: item, image_queue: queues.image, text_queue: queues.text},\n"
                   "  enqueue: {op: queue_enqueue, into: queues, image: x, text: x}},\n"
                   "  collect: {p: c.positive, h: c.hardest, f: c.false_negatives, m: c.mistaken}}}");
  rig_feed (&rig, "x", &embeddings);
  rig_feed (&rig, "item", &numbers);
  static const float counts[][4] = { { 0, 0, 0, 0 }, { 1, 1, 1, 1 }, { 1, 2, 1, 2 } };
  for (guint64 step = 0; step < G_N_ELEMENTS (counts); step++)
    {
      ck_assert (rig_step (&rig, step, 0));
      expect_values (&rig, "c.positive", (const float[]){ 1, 1 });
      expect_values (&rig, "c.false_negatives", counts[step]);
    }
  /* By now everything in the ring is of one of the two items. */
  expect_values (&rig, "c.hardest", (const float[]){ 0.6f, 0.6f, 0.6f, 0.6f });
  expect_values (&rig, "c.mistaken", (const float[]){ 1 });
  /* One item: the batch has no negatives, the ring only what was of the other. */
  items[1] = 7;
  ck_assert (rig_step (&rig, 3, 0));
  expect_values (&rig, "c.false_negatives", (const float[]){ 1, 1, 1, 1 });
  rig_clear (&rig);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("losses");
  TCase *tests = tcase_create ("losses");
  tcase_add_loop_test (tests, similarities_serve_as_well_as_embeddings, 0, G_N_ELEMENTS (losses));
  tcase_add_test (tests, half_of_a_pair_is_refused);
  tcase_add_test (tests, false_negatives_are_told_apart);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
