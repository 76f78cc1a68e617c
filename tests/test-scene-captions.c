/* Scenes as a problem: read back from their drawings, captions tell the truth, mention a part, and leave things open; words, attributes
 * and relations are each needed to find the scene that a caption was written for, and together are not always enough.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "scenes.h"

#define SCENES 200

static Scene scenes[SCENES];

static void
set_up (void)
{
  const GMarkupParser parser = { .start_element = begin_element, .end_element = end_element, .text = read_text };
  g_autofree char *folder = rig_folder ();
  g_autofree char *yaml = g_strdup_printf ("graphs: {train: {nodes: {s: {op: scenes, split: dev, batch: 4, draw: '%s', draw_count: %d}}, "
                                           "collect: {i: s.image}}}",
                                           folder, SCENES);
  Rig rig;
  rig_start (&rig, yaml);
  rig_clear (&rig);
  for (guint i = 0; i < SCENES; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/dev-%04u.svg", folder, i), *svg = NULL;
      g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, &scenes[i], NULL);
      ck_assert (g_file_get_contents (path, &svg, NULL, NULL) && g_markup_parse_context_parse (context, svg, -1, NULL));
      ck_assert_uint_ge (scenes[i].n, 3);
      ck_assert_uint_eq (scenes[i].n_captions, CAPTIONS);
      for (guint c = 0; c < CAPTIONS; c++)
        understand (scenes[i].captions[c], &scenes[i].meanings[c]);
    }
  rig_remove (folder);
}

static void
tear_down (void)
{
  for (guint i = 0; i < SCENES; i++)
    for (guint c = 0; c < CAPTIONS; c++)
      g_free (scenes[i].captions[c]);
}

/* How much of a caption a reader understands. */
typedef enum
{
  NOUNS,
  ATTRIBUTES,
  RELATIONS
} Understanding;

static gboolean
fits (const Object *object, const Mention *mention, Understanding understanding)
{
  return object->shape == mention->shape
         && (understanding == NOUNS
             || ((mention->colour < 0 || mention->colour == object->colour) && (mention->texture < 0 || mention->texture == object->texture)
                 && (mention->size < 0 || mention->size == object->size)));
}

/* Of the two, captions tell the direction in which objects are farther apart. */
static gboolean
holds (Relation relation, const Object *a, const Object *b)
{
  switch (relation)
    {
    case LEFT_OF:
      return a->x < b->x && fabs (a->x - b->x) > fabs (a->y - b->y) - SLACK;
    case ABOVE:
      return a->y < b->y && fabs (a->y - b->y) > fabs (a->x - b->x) - SLACK;
    case INSIDE:
      return a->radius < b->radius && hypot (a->x - b->x, a->y - b->y) < b->radius - a->radius + SLACK;
    default:
      return TRUE;
    }
}

/* Whether different objects of the scene can be what a caption mentions. */
static gboolean
is_true (const Scene *scene, const Meaning *meaning, Understanding understanding)
{
  guint total = 1;
  for (guint m = 0; m < meaning->n; m++)
    total *= scene->n;
  for (guint choice = 0; choice < total; choice++)
    {
      guint which[3] = { choice % scene->n, choice / scene->n % scene->n, choice / scene->n / scene->n };
      gboolean ok = TRUE;
      for (guint m = 0; m < meaning->n; m++)
        {
          ok &= fits (&scene->objects[which[m]], &meaning->mentions[m], understanding);
          for (guint k = 0; k < m; k++)
            ok &= which[m] != which[k];
        }
      const Object *first = &scene->objects[which[0]], *second = &scene->objects[which[1]];
      if (understanding == RELATIONS)
        {
          ok = ok && holds (meaning->relation, meaning->swapped ? second : first, meaning->swapped ? first : second);
          /* Fields meet at thirds; on the line either will do. */
          ok = ok
               && (meaning->row < 0
                   || (fabs (first->x * 3 - meaning->column - 0.5) < 0.51 && fabs (first->y * 3 - meaning->row - 0.5) < 0.51));
        }
      if (ok)
        return TRUE;
    }
  return FALSE;
}

/* What is drawn is what the operator gives. */
START_TEST (drawings_show_the_captions_of_their_scenes)
{
  Rig rig;
  rig_start (&rig, "graphs: {train: {nodes: {s: {op: scenes, split: dev, batch: 1000}}, collect: {t: s.captions}}}");
  ck_assert (rig_step (&rig, 0, 0));
  const WeftTensor *text = rig_value (&rig, "s.captions");
  ck_assert_int_eq (text->samples, SCENES * CAPTIONS);
  for (guint i = 0; i < SCENES * CAPTIONS; i++)
    {
      g_autofree char *caption = g_strndup ((char *) text->data + text->offsets[i], (gsize) (text->offsets[i + 1] - text->offsets[i]));
      ck_assert_str_eq (caption, scenes[i / CAPTIONS].captions[i % CAPTIONS]);
    }
  rig_clear (&rig);
}
END_TEST

START_TEST (captions_tell_the_truth)
{
  guint n_relations = 0, n_places = 0;
  for (guint i = 0; i < SCENES; i++)
    for (guint c = 0; c < CAPTIONS; c++)
      {
        const Meaning *meaning = &scenes[i].meanings[c];
        if (!is_true (&scenes[i], meaning, RELATIONS))
          ck_abort_msg ("scene %u: %s", i, scenes[i].captions[c]);
        n_relations += meaning->relation != NOTHING;
        n_places += meaning->row >= 0;
      }
  ck_assert_uint_gt (n_relations, SCENES * CAPTIONS / 2);
  ck_assert_uint_gt (n_places, SCENES * CAPTIONS / 20);
}
END_TEST

START_TEST (captions_mention_a_part)
{
  guint objects = 0, mentions = 0, with[3] = { 0 };
  for (guint i = 0; i < SCENES; i++)
    for (guint c = 0; c < CAPTIONS; c++)
      {
        objects += scenes[i].n;
        mentions += scenes[i].meanings[c].n;
        for (guint m = 0; m < scenes[i].meanings[c].n; m++)
          {
            with[0] += scenes[i].meanings[c].mentions[m].colour >= 0;
            with[1] += scenes[i].meanings[c].mentions[m].texture >= 0;
            with[2] += scenes[i].meanings[c].mentions[m].size >= 0;
          }
      }
  ck_assert_uint_lt (mentions, objects * 7 / 10);
  /* Each attribute is told of some objects and kept back of others. */
  for (guint k = 0; k < 3; k++)
    {
      ck_assert_uint_gt (with[k], mentions / 5);
      ck_assert_uint_lt (with[k], mentions * 9 / 10);
    }
}
END_TEST

/* Share of captions that a reader finds their scenes with for certain: that are true of no other. */
static double
found (Understanding understanding)
{
  guint alone = 0;
  for (guint i = 0; i < SCENES; i++)
    for (guint c = 0; c < CAPTIONS; c++)
      {
        guint n = 0;
        for (guint j = 0; j < SCENES; j++)
          n += is_true (&scenes[j], &scenes[i].meanings[c], understanding);
        alone += n == 1;
      }
  return alone / (double) (SCENES * CAPTIONS);
}

START_TEST (everything_matters_and_nothing_is_enough)
{
  double by_nouns = found (NOUNS), by_attributes = found (ATTRIBUTES), by_relations = found (RELATIONS);
  ck_assert_msg (by_nouns < 0.1, "nouns alone find %g", by_nouns);
  ck_assert_msg (by_attributes > by_nouns + 0.1, "attributes find %g, nouns %g", by_attributes, by_nouns);
  ck_assert_msg (by_relations > by_attributes + 0.05, "relations find %g, attributes %g", by_relations, by_attributes);
  ck_assert_msg (by_relations < 0.9, "understanding everything finds %g", by_relations);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("scene captions");
  TCase *tests = tcase_create ("scene captions");
  tcase_set_timeout (tests, 60);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, drawings_show_the_captions_of_their_scenes);
  tcase_add_test (tests, captions_tell_the_truth);
  tcase_add_test (tests, captions_mention_a_part);
  tcase_add_test (tests, everything_matters_and_nothing_is_enough);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
