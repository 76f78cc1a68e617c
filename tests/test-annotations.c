/* Scores by annotations with many right answers: Crisscrossed Captions and ECCV Caption, by hand and against their definitions.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "folder.h"

static void
write_text (const char *name, const char *text)
{
  rig_write (folder, name, text, -1);
}

/* Two images with two captions each. */
static const float images_by_hand[] = { 1, 0, 0, 1 };
static const float captions_by_hand[] = { 1, 0, 0.6f, 0.8f, 0, 1, 0.9f, 0.1f };

static void
write_by_hand (void)
{
  write_text ("testall_ids.txt", "7\n7\n8\n8\n");
  write_text ("testall_capids.txt", "100\n101\n102\n103\n");
  write_text ("cxc_it.json", "{\"i2t\": {\"7\": [[101, 4.5]], \"8\": [[102, 5], [\"103\", 0.5], [999, 5]]},"
                             " \"t2i\": {\"100\": [[8, 5]], \"101\": [[8, 5]], \"102\": [[\"8\", 5]], \"103\": []}}");
  write_text ("cxc_i2i.json", "{\"7\": [[8, 2.4]], \"8\": [[7, 2.5]]}");
  write_text ("cxc_t2t.json", "{\"100\": [[103, 3.0]], \"101\": [[102, 2.9]], \"102\": [], \"103\": []}");
  write_text ("eccv_image_to_caption.json", "{\"7\": [100, 102], \"8\": [101, 102, 103, 103]}");
  write_text ("eccv_caption_to_image.json", "{\"100\": [8], \"103\": [7, 8]}");
}

static char *
yaml_of (gint64 images, gint64 captions, gint64 width, const char *op, const char *more)
{
  return g_strdup_printf ("graphs:\n"
                          "  train:\n"
                          "    nodes:\n"
                          "      images:   {op: feed, signature: \"f32[%d, %d]\"}\n"
                          "      captions: {op: feed, signature: \"f32[%d, %d]\"}\n"
                          "      scores:   {op: %s, images: images, captions: captions, path: \"%s\"%s}\n"
                          "    collect: {%s}\n",
                          (int) images, (int) width, (int) captions, (int) width, op, folder, more,
                          g_str_equal (op, "crisscrossed")
                              ? "a: scores.i2t_r1, b: scores.i2t_r5, c: scores.i2t_r10, d: scores.t2i_r1, e: scores.t2i_r5,\n"
                                "      f: scores.t2i_r10, g: scores.i2i_r1, h: scores.i2i_r5, i: scores.i2i_r10, j: scores.t2t_r1,\n"
                                "      k: scores.t2t_r5, l: scores.t2t_r10"
                              : "a: scores.i2t_map, b: scores.i2t_rprecision, c: scores.i2t_r1, d: scores.t2i_map,\n"
                                "      e: scores.t2i_rprecision, f: scores.t2i_r1");
}

static void
start (Rig *rig, const WeftTensor *images, const WeftTensor *captions, const char *op, const char *more)
{
  g_autofree char *yaml = yaml_of (images->shape[0], captions->shape[0], images->shape[1], op, more);
  rig_start (rig, yaml);
  rig_feed (rig, "images", images);
  rig_feed (rig, "captions", captions);
  ck_assert (rig_step (rig, 0, 0));
}

static void
expect (Rig *rig, const char *figure, double value)
{
  g_autofree char *reference = g_strconcat ("scores.", figure, NULL);
  double got = (double) *(const float *) rig_value (rig, reference)->data;
  ck_assert_msg (fabs (got - value) < 1e-4, "%s is %g, expected %g", figure, got, value);
}

static WeftTensor
matrix (gint64 rows, gint64 columns, const float *data)
{
  return (WeftTensor){ .type = WEFT_F32, .rank = 2, .shape = { rows, columns }, .data = (gpointer) data };
}

START_TEST (crisscrossed_by_hand)
{
  WeftTensor images = matrix (2, 2, images_by_hand), captions = matrix (4, 2, captions_by_hand);
  Rig rig;
  write_by_hand ();
  start (&rig, &images, &captions, "crisscrossed", ", per_image: 2");
  /* 7: captions 100 and 103 come before 101. 8: nothing comes before 102; 103's low score does not matter, 999 is not scored. */
  expect (&rig, "i2t_r1", 50);
  expect (&rig, "i2t_r5", 100);
  /* 101 and 102 find image 8 first, 100 second, 103 has none. */
  expect (&rig, "t2i_r1", 50);
  expect (&rig, "t2i_r5", 75);
  expect (&rig, "t2i_r10", 75);
  /* 7 has no similar image and is left out. 8 and 7 are orthogonal, and 8's similarity to itself, 0, counts against that. */
  expect (&rig, "i2i_r1", 0);
  expect (&rig, "i2i_r5", 100);
  /* Only 100 finds a similar caption first: 103. The others' siblings come behind strangers; 102 is not similar enough to 101. */
  expect (&rig, "t2t_r1", 25);
  expect (&rig, "t2t_r5", 100);
  rig_clear (&rig);
}
END_TEST

START_TEST (eccv_by_hand)
{
  WeftTensor images = matrix (2, 2, images_by_hand), captions = matrix (4, 2, captions_by_hand);
  Rig rig;
  write_by_hand ();
  start (&rig, &images, &captions, "eccv_caption", ", per_image: 2");
  /* 7: 100 at place 1, 102 at place 4 of R = 2: ½ and ½. 8: all three at places 1 to 3. */
  expect (&rig, "i2t_map", 75);
  expect (&rig, "i2t_rprecision", 75);
  expect (&rig, "i2t_r1", 100);
  /* 100: its image is second. 103: both images are right. */
  expect (&rig, "t2i_map", 50);
  expect (&rig, "t2i_rprecision", 50);
  expect (&rig, "t2i_r1", 50);
  rig_clear (&rig);
}
END_TEST

/* Random embeddings with many ties, and random judgements. */

#define PER_IMAGE 5
#define MOST_ITEMS 400

typedef struct
{
  gint64 n, m, width;
  float *image, *caption;
  gboolean *right[4]; /* of each direction: [queries, items] */
} Case;

static const char *const names[] = { "i2t", "t2i", "i2i", "t2t" };

static gboolean
from_images (guint d)
{
  return d == 0 || d == 2;
}

static gboolean
to_images (guint d)
{
  return d == 1 || d == 2;
}

static double
similarity (const Case *c, guint d, gint64 query, gint64 item, gboolean own_is_zero)
{
  const float *x = (from_images (d) ? c->image : c->caption) + query * c->width;
  const float *y = (to_images (d) ? c->image : c->caption) + item * c->width;
  double sum = 0;
  for (gint64 k = 0; k < c->width; k++)
    sum += (double) x[k] * (double) y[k];
  return own_is_zero && d >= 2 && query == item ? 0 : sum;
}

/* The whole ranking of one query, with items that are no answers before answers as similar as they. */
static void
rank_all (const Case *c, guint d, gint64 query, gint64 *order)
{
  gint64 items = to_images (d) ? c->n : c->m;
  const gboolean *right = c->right[d] + query * items;
  for (gint64 i = 0; i < items; i++)
    {
      double s = similarity (c, d, query, i, TRUE);
      gint64 at = i;
      for (; at > 0; at--)
        {
          double before = similarity (c, d, query, order[at - 1], TRUE);
          if (before > s || (before == s && (!right[order[at - 1]] || right[i])))
            break;
          order[at] = order[at - 1];
        }
      order[at] = i;
    }
}

static void
fill (const char *name, float *values, gint64 n, guint levels)
{
  WeftRandom random = weft_random_for (1, name, 0);
  for (gint64 i = 0; i < n; i++)
    values[i] =
        levels ? (float) weft_random_below (random, (guint32) i, levels) - (float) (levels / 2) : weft_random_normal (random, (guint32) i);
}

static void
add_judgements (const Case *c, guint d, GString *json)
{
  gint64 queries = from_images (d) ? c->n : c->m, items = to_images (d) ? c->n : c->m;
  WeftRandom random = weft_random_for (2, names[d], 0);
  g_string_append_c (json, '{');
  for (gint64 q = 0; q < queries; q++)
    {
      const char *comma = "";
      g_string_append_printf (json, "%s\"%d\": [", q ? ", " : "", (int) q);
      for (gint64 i = 0; i < items; i++)
        {
          guint32 draw = weft_random_below (random, (guint32) (q * items + i), 40);
          double score = draw == 0 ? 3.5 : 1;
          gboolean sibling = d == 3 && q / PER_IMAGE == i / PER_IMAGE;
          if (d >= 2 && q == i)
            continue;
          c->right[d][q * items + i] = sibling || draw == 0 || (d < 2 && draw == 1);
          if (draw > 1)
            continue;
          g_string_append_printf (json, "%s[%d, %g]", comma, (int) i, score);
          comma = ", ";
        }
      g_string_append_c (json, ']');
    }
  g_string_append_c (json, '}');
}

static void
write_case (Case *c)
{
  g_autoptr (GString) it = g_string_new ("{\"i2t\": ");
  g_autoptr (GString) i2i = g_string_new (NULL);
  g_autoptr (GString) t2t = g_string_new (NULL);
  g_autoptr (GString) ids = g_string_new (NULL);
  g_autoptr (GString) caption_ids = g_string_new (NULL);
  for (guint d = 0; d < 4; d++)
    c->right[d] = g_new0 (gboolean, (from_images (d) ? c->n : c->m) * (to_images (d) ? c->n : c->m));
  add_judgements (c, 0, it);
  g_string_append (it, ", \"t2i\": ");
  add_judgements (c, 1, it);
  g_string_append_c (it, '}');
  add_judgements (c, 2, i2i);
  add_judgements (c, 3, t2t);
  for (gint64 i = 0; i < c->m; i++)
    {
      g_string_append_printf (ids, "%d\n", (int) (i / PER_IMAGE));
      g_string_append_printf (caption_ids, "%d\n", (int) i);
    }
  write_text ("testall_ids.txt", ids->str);
  write_text ("testall_capids.txt", caption_ids->str);
  write_text ("cxc_it.json", it->str);
  write_text ("cxc_i2i.json", i2i->str);
  write_text ("cxc_t2t.json", t2t->str);
}

/* The same judgements between images and captions in ECCV Caption's form; queries without answers are not in it. */
static void
write_eccv (const Case *c)
{
  static const char *const files[] = { "eccv_image_to_caption.json", "eccv_caption_to_image.json" };
  for (guint d = 0; d < 2; d++)
    {
      g_autoptr (GString) json = g_string_new ("{");
      gint64 queries = from_images (d) ? c->n : c->m, items = to_images (d) ? c->n : c->m;
      const char *between = "";
      for (gint64 q = 0; q < queries; q++)
        {
          g_autoptr (GString) list = g_string_new (NULL);
          for (gint64 i = 0; i < items; i++)
            if (c->right[d][q * items + i])
              g_string_append_printf (list, "%s%d", list->len ? ", " : "", (int) i);
          if (list->len == 0)
            continue;
          g_string_append_printf (json, "%s\"%d\": [%s]", between, (int) q, list->str);
          between = ", ";
        }
      g_string_append_c (json, '}');
      write_text (files[d], json->str);
    }
}

static void
clear_case (Case *c)
{
  g_free (c->image);
  g_free (c->caption);
  for (guint d = 0; d < 4; d++)
    g_free (c->right[d]);
}

static const struct
{
  gint64 images, width;
  guint levels;
} cases[] = { { 3, 4, 0 }, { 21, 7, 0 }, { 70, 3, 3 }, { 33, 2, 2 }, { 65, 33, 0 } };

static void
open_case (Case *c, guint index)
{
  *c = (Case){ .n = cases[index].images, .m = cases[index].images * PER_IMAGE, .width = cases[index].width };
  ck_assert_int_le (c->m, MOST_ITEMS);
  c->image = g_new (float, c->n * c->width);
  c->caption = g_new (float, c->m * c->width);
  fill ("images", c->image, c->n * c->width, cases[index].levels);
  fill ("captions", c->caption, c->m * c->width, cases[index].levels);
  write_case (c);
}

START_TEST (crisscrossed_is_its_definition)
{
  Case c;
  Rig rig;
  open_case (&c, (guint) _i);
  WeftTensor images = matrix (c.n, c.width, c.image), captions = matrix (c.m, c.width, c.caption);
  start (&rig, &images, &captions, "crisscrossed", "");
  for (guint d = 0; d < 4; d++)
    {
      static const gint64 limits[] = { 1, 5, 10 };
      gint64 queries = from_images (d) ? c.n : c.m, items = to_images (d) ? c.n : c.m, counted = 0, hits[3] = { 0 };
      for (gint64 q = 0; q < queries; q++)
        {
          gint64 order[MOST_ITEMS], first = 0;
          rank_all (&c, d, q, order);
          while (first < items && !c.right[d][q * items + order[first]])
            first++;
          counted += d != 2 || first < items;
          for (guint k = 0; k < 3; k++)
            hits[k] += first < items && first < limits[k];
        }
      for (guint k = 0; k < 3; k++)
        {
          g_autofree char *figure = g_strdup_printf ("%s_r%d", names[d], (int) limits[k]);
          expect (&rig, figure, counted ? 100.0 * (double) hits[k] / (double) counted : 0);
        }
    }
  rig_clear (&rig);
  clear_case (&c);
}
END_TEST

START_TEST (eccv_is_its_definition)
{
  Case c;
  Rig rig;
  open_case (&c, (guint) _i);
  write_eccv (&c);
  WeftTensor images = matrix (c.n, c.width, c.image), captions = matrix (c.m, c.width, c.caption);
  start (&rig, &images, &captions, "eccv_caption", "");
  for (guint d = 0; d < 2; d++)
    {
      gint64 queries = from_images (d) ? c.n : c.m, items = to_images (d) ? c.n : c.m, counted = 0;
      double figures[3] = { 0 };
      for (gint64 q = 0; q < queries; q++)
        {
          gint64 order[MOST_ITEMS], r = 0, hits = 0;
          double sum = 0;
          for (gint64 i = 0; i < items; i++)
            r += c.right[d][q * items + i];
          if (r == 0)
            continue;
          rank_all (&c, d, q, order);
          for (gint64 k = 0; k < r; k++)
            if (c.right[d][q * items + order[k]])
              sum += (double) ++hits / (double) (k + 1);
          figures[0] += 100 * sum / (double) r;
          figures[1] += 100.0 * (double) hits / (double) r;
          figures[2] += c.right[d][q * items + order[0]] ? 100 : 0;
          counted++;
        }
      static const char *const of[] = { "map", "rprecision", "r1" };
      for (guint k = 0; k < 3; k++)
        {
          g_autofree char *figure = g_strdup_printf ("%s_%s", names[d], of[k]);
          expect (&rig, figure, figures[k] / (double) counted);
        }
    }
  rig_clear (&rig);
  clear_case (&c);
}
END_TEST

static const struct
{
  const char *op, *file, *text, *message;
} wrong[] = {
  { "crisscrossed", "testall_ids.txt", "7\n8\n8\n8\n", "testall_ids.txt:2: \"8\", expected \"7\" again" },
  { "crisscrossed", "testall_capids.txt", "100\n101\n102\n100\n", "testall_capids.txt:4: id \"100\" stands there twice" },
  { "crisscrossed", "testall_capids.txt", "100\n101\n102\n", "there are 4 captions, but 3 ids in" },
  { "crisscrossed", "cxc_i2i.json", "{\"7\": []}", "cxc_i2i.json: has no list for \"8\"" },
  { "crisscrossed", "cxc_i2i.json", "{\"7\": [[8]], \"8\": []}", "cxc_i2i.json: \"7\": expected a list of pairs" },
  { "crisscrossed", "cxc_i2i.json", "{\"7\": [[[], 1]], \"8\": []}", "cxc_i2i.json: \"7\": expected a list of pairs" },
  { "crisscrossed", "cxc_i2i.json", "[]", "cxc_i2i.json: not a JSON object" },
  { "crisscrossed", "cxc_i2i.json", "{", "cxc_i2i.json: " },
  { "crisscrossed", "cxc_it.json", "{\"i2t\": {\"7\": [], \"8\": []}}", "cxc_it.json: has no object \"t2i\"" },
  { "eccv_caption", "eccv_image_to_caption.json", "{\"7\": [5]}", "\"7\" names 5, which is not in" },
  { "eccv_caption", "eccv_image_to_caption.json", "{\"7\": [100], \"9\": [100]}", "2 queries, of which only 1 are in" },
  { "eccv_caption", "eccv_caption_to_image.json", "{}", "0 queries" },
};

START_TEST (wrong_files_are_told)
{
  g_autofree char *yaml = yaml_of (2, 4, 2, wrong[_i].op, ", per_image: 2");
  WeftTensor images = matrix (2, 2, images_by_hand), captions = matrix (4, 2, captions_by_hand);
  g_autoptr (GError) error = NULL;
  Rig rig;
  write_by_hand ();
  write_text (wrong[_i].file, wrong[_i].text);
  if (rig_open (&rig, yaml, 7, &error))
    {
      rig_feed (&rig, "images", &images);
      rig_feed (&rig, "captions", &captions);
      ck_assert_int_eq (weft_executor_step (rig.executor, 0, 0, &error), WEFT_STEP_ERROR);
    }
  ck_assert_msg (strstr (error->message, wrong[_i].message) != NULL, "\"%s\" does not hold \"%s\"", error->message, wrong[_i].message);
  rig_clear (&rig);
}
END_TEST

START_TEST (values_that_are_none_are_told)
{
  float values[8];
  WeftTensor images = matrix (2, 2, images_by_hand), captions = matrix (4, 2, values);
  g_autofree char *yaml = yaml_of (2, 4, 2, "crisscrossed", ", per_image: 2");
  g_autoptr (GError) error = NULL;
  Rig rig;
  write_by_hand ();
  memcpy (values, captions_by_hand, sizeof values);
  values[3] = NAN;
  rig_start (&rig, yaml);
  rig_feed (&rig, "images", &images);
  rig_feed (&rig, "captions", &captions);
  ck_assert_int_eq (weft_executor_step (rig.executor, 0, 0, &error), WEFT_STEP_ERROR);
  ck_assert_ptr_nonnull (strstr (error->message, "not finite"));
  rig_clear (&rig);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("annotations");
  TCase *tests = tcase_create ("annotations");
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, crisscrossed_by_hand);
  tcase_add_test (tests, eccv_by_hand);
  tcase_add_loop_test (tests, crisscrossed_is_its_definition, 0, G_N_ELEMENTS (cases));
  tcase_add_loop_test (tests, eccv_is_its_definition, 0, G_N_ELEMENTS (cases));
  tcase_add_loop_test (tests, wrong_files_are_told, 0, G_N_ELEMENTS (wrong));
  tcase_add_test (tests, values_that_are_none_are_told);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
