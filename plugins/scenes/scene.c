/* Which objects a scene has and where they lie.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

#include <math.h>

/* Scenes that differ in one thing only. */
#define ALIKE 4

#define PLACING_ATTEMPTS 60

static const float radii[N_SIZES] = { 0.05f, 0.08f, 0.115f };
static const float frame_radius = 0.19f;

SceneDraws
scene_draws (guint64 seed, const char *split, const char *what, guint64 index)
{
  g_autofree char *path = g_strconcat ("scenes.", split, ".", what, NULL);
  return (SceneDraws){ .random = weft_random_for (seed, path, index) };
}

guint
scene_below (SceneDraws *draws, guint n)
{
  return weft_random_below (draws->random, draws->next++, n);
}

float
scene_uniform (SceneDraws *draws)
{
  return weft_random_uniform (draws->random, draws->next++);
}

gboolean
scene_chance (SceneDraws *draws, float probability)
{
  return scene_uniform (draws) < probability;
}

static gboolean
is_free (const Scene *scene, const SceneObject *object)
{
  for (guint i = 0; i < scene->n; i++)
    if (hypotf (scene->objects[i].x - object->x, scene->objects[i].y - object->y) < scene->objects[i].radius + object->radius + 0.02f)
      return FALSE;
  return TRUE;
}

static void
place (Scene *scene, SceneObject *object, SceneDraws *draws)
{
  for (guint attempt = 0; attempt < PLACING_ATTEMPTS; attempt++)
    {
      float room = 1 - 2 * object->radius;
      object->x = object->radius + room * scene_uniform (draws);
      object->y = object->radius + room * scene_uniform (draws);
      if (is_free (scene, object))
        break;
    }
  scene->objects[scene->n++] = *object;
}

static SceneObject
any_object (SceneDraws *draws)
{
  SceneObject object = { .shape = scene_below (draws, N_SHAPES),
                         .colour = scene_below (draws, N_COLOURS),
                         .size = scene_below (draws, N_SIZES) };
  /* Half of the objects are plain. */
  object.texture = scene_chance (draws, 0.5f) ? TEXTURE_PLAIN : 1 + scene_below (draws, N_TEXTURES - 1);
  object.radius = radii[object.size];
  return object;
}

/* A large frame with a small object in it. */
static void
add_nested (Scene *scene, SceneDraws *draws)
{
  static const SceneShape frames[] = { SHAPE_RING, SHAPE_SQUARE, SHAPE_CIRCLE, SHAPE_DIAMOND };
  SceneObject frame = any_object (draws), inner = any_object (draws);
  frame.shape = frames[scene_below (draws, G_N_ELEMENTS (frames))];
  frame.size = SIZE_LARGE;
  frame.radius = frame_radius;
  place (scene, &frame, draws);
  inner.size = SIZE_SMALL;
  inner.radius = radii[SIZE_SMALL];
  inner.x = scene->objects[0].x;
  inner.y = scene->objects[0].y;
  if (inner.colour == frame.colour)
    inner.colour = (inner.colour + 1) % N_COLOURS;
  scene->objects[scene->n++] = inner;
}

static void
make_first (Scene *scene, SceneDraws *draws)
{
  guint n = 3 + scene_below (draws, SCENE_MOST_OBJECTS - 2);
  scene->n = 0;
  if (scene_chance (draws, 0.35f))
    add_nested (scene, draws);
  while (scene->n < n)
    {
      SceneObject object = any_object (draws);
      place (scene, &object, draws);
    }
}

/* Moves an object, as far as it fits. */
static void
move (SceneObject *object, float x, float y)
{
  object->x = CLAMP (x, object->radius, 1 - object->radius);
  object->y = CLAMP (y, object->radius, 1 - object->radius);
}

static void
swap_places (SceneObject *a, SceneObject *b)
{
  float x = a->x, y = a->y;
  move (a, b->x, b->y);
  move (b, x, y);
}

/* Exchanges two objects that stand alone; where there are no two, mirrors the scene. */
static void
rearrange (Scene *scene, SceneDraws *draws)
{
  gboolean swapped, nested = scene_relation (&scene->objects[0], &scene->objects[1], &swapped) == RELATION_INSIDE;
  guint first = nested ? 2 : 0, alone = scene->n - first;
  if (alone >= 2)
    {
      guint a = scene_below (draws, alone), b = (a + 1 + scene_below (draws, alone - 1)) % alone;
      swap_places (&scene->objects[first + a], &scene->objects[first + b]);
      return;
    }
  for (guint i = 0; i < scene->n; i++)
    scene->objects[i].x = 1 - scene->objects[i].x;
}

void
scene_make (guint64 seed, const char *split, guint64 index, Scene *scene)
{
  SceneDraws first = scene_draws (seed, split, "scene", index / ALIKE), change = scene_draws (seed, split, "change", index);
  make_first (scene, &first);
  SceneObject *object = &scene->objects[scene_below (&change, scene->n)];
  switch (index % ALIKE)
    {
    case 1:
      object->colour = (object->colour + 1 + scene_below (&change, N_COLOURS - 1)) % N_COLOURS;
      break;
    case 2:
      rearrange (scene, &change);
      break;
    case 3:
      if (scene_chance (&change, 0.5f))
        object->shape = (object->shape + 1 + scene_below (&change, N_SHAPES - 1)) % N_SHAPES;
      else
        object->texture = (object->texture + 1 + scene_below (&change, N_TEXTURES - 1)) % N_TEXTURES;
      break;
    default:
      break;
    }
}

SceneRelation
scene_relation (const SceneObject *first, const SceneObject *second, gboolean *swapped)
{
  float dx = second->x - first->x, dy = second->y - first->y, distance = hypotf (dx, dy);
  if (distance < fabsf (first->radius - second->radius))
    {
      *swapped = first->radius > second->radius;
      return RELATION_INSIDE;
    }
  gboolean beside = fabsf (dx) > fabsf (dy);
  *swapped = (beside ? dx : dy) < 0;
  return beside ? RELATION_LEFT : RELATION_ABOVE;
}
