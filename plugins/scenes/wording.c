/* Captions: parts of a scene in varied words.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "scene.h"

#define MOST_WORDINGS 6

typedef const char *const Wordings[MOST_WORDINGS];

static Wordings shape_words[N_SHAPES] = { { "circle", "disc", "ball" },
                                          { "square", "box", "block" },
                                          { "triangle", "wedge" },
                                          { "star" },
                                          { "cross", "plus sign" },
                                          { "ring", "hoop" },
                                          { "heart" },
                                          { "diamond", "rhombus" } };
static Wordings colour_words[N_COLOURS] = { { "red", "crimson" },   { "blue", "navy" }, { "green" },        { "yellow", "golden" },
                                            { "purple", "violet" }, { "orange" },       { "pink", "rose" }, { "brown" } };
static Wordings size_words[N_SIZES] = { { "small", "little", "tiny" }, { "medium-sized" }, { "large", "big", "huge" } };
static Wordings before_words[N_TEXTURES] = { { "plain" }, { "striped" }, { "dotted", "spotted" }, { "checked", "checkered" } };
static Wordings after_words[N_TEXTURES] = {
  { "without any pattern" }, { "with stripes", "covered in stripes" }, { "with dots", "with spots" }, { "with a checked pattern" }
};

/* 1 and 2 stand for the objects: 1 is left of, above or inside 2. */
static Wordings relation_words[N_RELATIONS] = {
  { "1 is to the left of 2", "2 is to the right of 1", "to the left of 2 there is 1", "1 stands left of 2", "2 has 1 on its left",
    "on the right of 1 is 2" },
  { "1 is above 2", "2 is below 1", "1 hangs over 2", "2 lies beneath 1", "under 1 there is 2", "2 has been placed below 1" },
  { "1 is inside 2", "2 surrounds 1", "1 is surrounded by 2", "2 contains 1", "within 2 there is 1", "1 is enclosed by 2" }
};
static Wordings endings = { "next to 3", "and 3 somewhere else", "together with 3", "while 3 can be seen too", "and there is also 3" };
static Wordings lists = { "1 and 2", "a picture of 1 and 2", "1 together with 2", "there are 1 and 2", "1 can be seen beside 2" };
static Wordings single = { "1 0", "there is 1 0", "1 can be seen 0", "a scene with 1 0", "0 there is 1" };

static const char *
choose (SceneDraws *draws, Wordings words)
{
  guint n = 0;
  while (n < MOST_WORDINGS && words[n] != NULL)
    n++;
  return words[scene_below (draws, n)];
}

/* "a large striped red ball", "the red ball with stripes", "a box". */
static void
append_object (GString *text, SceneDraws *draws, const SceneObject *object)
{
  const char *words[4];
  guint n = 0;
  gboolean texture = scene_chance (draws, object->texture == TEXTURE_PLAIN ? 0.1f : 0.7f), after = scene_chance (draws, 0.3f);
  if (scene_chance (draws, object->size == SIZE_MEDIUM ? 0.1f : 0.5f))
    words[n++] = choose (draws, size_words[object->size]);
  if (texture && !after)
    words[n++] = choose (draws, before_words[object->texture]);
  if (scene_chance (draws, 0.85f))
    words[n++] = choose (draws, colour_words[object->colour]);
  words[n++] = choose (draws, shape_words[object->shape]);
  g_string_append (text, scene_chance (draws, 0.15f) ? "the" : strchr ("aeiou", words[0][0]) != NULL ? "an" : "a");
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, " %s", words[i]);
  if (texture && after)
    g_string_append_printf (text, " %s", choose (draws, after_words[object->texture]));
}

static const char *
place_words (SceneDraws *draws, const SceneObject *object)
{
  static Wordings places[3][3] = {
    { { "in the upper left corner", "at the top left" },
      { "at the top", "near the upper edge" },
      { "in the upper right corner", "at the top right" } },
    { { "on the left", "near the left edge" }, { "in the middle", "in the centre" }, { "on the right", "near the right edge" } },
    { { "in the lower left corner", "at the bottom left" },
      { "at the bottom", "near the lower edge" },
      { "in the lower right corner", "at the bottom right" } }
  };
  return choose (draws, places[(int) (object->y * 2.999f)][(int) (object->x * 2.999f)]);
}

/* Writes a wording with its objects; 0 is the place of the first. */
static void
append_wording (GString *text, SceneDraws *draws, const char *wording, const SceneObject *const objects[3])
{
  for (const char *p = wording; *p != '\0'; p++)
    if (*p == '0')
      g_string_append (text, place_words (draws, objects[0]));
    else if (*p >= '1' && *p <= '3')
      append_object (text, draws, objects[*p - '1']);
    else
      g_string_append_c (text, *p);
}

/* Three different objects, the first two so that the relation holds from the first to the second. */
static SceneRelation
choose_objects (const Scene *scene, SceneDraws *draws, const SceneObject *objects[3])
{
  guint a = scene_below (draws, scene->n), b = (a + 1 + scene_below (draws, scene->n - 1)) % scene->n, c = 0;
  /* What lies in another is worth telling. */
  gboolean swapped;
  if (scene_relation (&scene->objects[0], &scene->objects[1], &swapped) == RELATION_INSIDE && scene_chance (draws, 0.4f))
    {
      a = 0;
      b = 1;
    }
  while (c == a || c == b)
    c++;
  SceneRelation relation = scene_relation (&scene->objects[a], &scene->objects[b], &swapped);
  objects[0] = &scene->objects[swapped ? b : a];
  objects[1] = &scene->objects[swapped ? a : b];
  objects[2] = &scene->objects[c];
  return relation;
}

void
scene_caption (guint64 seed, const char *split, guint64 index, guint which, const Scene *scene, GString *text)
{
  SceneDraws draws = scene_draws (seed, split, "caption", index * SCENE_CAPTIONS + which);
  const SceneObject *objects[3];
  SceneRelation relation = choose_objects (scene, &draws, objects);
  g_string_truncate (text, 0);
  float style = scene_uniform (&draws);
  if (style < 0.7f)
    append_wording (text, &draws, choose (&draws, relation_words[relation]), objects);
  else if (style < 0.85f)
    append_wording (text, &draws, choose (&draws, single), objects);
  else
    append_wording (text, &draws, choose (&draws, lists), objects);
  if (scene_chance (&draws, 0.4f))
    {
      g_string_append_c (text, ' ');
      append_wording (text, &draws, choose (&draws, endings), objects);
    }
  g_string_append (text, " .");
  text->str[0] = g_ascii_toupper (text->str[0]);
  g_assert (text->len <= SCENE_CAPTION_BYTES);
}
