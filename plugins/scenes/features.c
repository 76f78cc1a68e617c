/* What regions of a scene look like: fixed random projections of objects, pairs of objects and clutter, with noise.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "scene.h"

/* Rows of a projection: one for each value of each attribute, then x, y and extent. */
enum
{
  SHAPE_ROWS = 0,
  COLOUR_ROWS = SHAPE_ROWS + N_SHAPES,
  SIZE_ROWS = COLOUR_ROWS + N_COLOURS,
  TEXTURE_ROWS = SIZE_ROWS + N_SIZES,
  PLACE_ROWS = TEXTURE_ROWS + N_TEXTURES,
  OBJECT_ROWS = PLACE_ROWS + 3,
};

/* Several projections: of an object, of the two roles in a pair, of relations, and of objects in a global code. */
enum
{
  WHOLE = 0,
  FIRST = WHOLE + OBJECT_ROWS,
  SECOND = FIRST + OBJECT_ROWS,
  RELATIONS = SECOND + OBJECT_ROWS,
  ROWS = RELATIONS + N_RELATIONS,
};

struct _SceneWorld
{
  gint64 width, clip_width;
  float *rows; /* [ROWS, width] */
  float *clip; /* [OBJECT_ROWS, clip_width] */
};

static float *
projection (guint64 seed, const char *name, gint64 rows, gint64 width)
{
  float *values = g_new (float, rows *width);
  WeftRandom random = weft_random_for (seed, name, 0);
  for (gint64 i = 0; i < rows * width; i++)
    values[i] = weft_random_normal (random, (guint32) i);
  return values;
}

SceneWorld *
scene_world_new (guint64 seed, gint64 width, gint64 clip_width)
{
  SceneWorld *world = g_new0 (SceneWorld, 1);
  world->width = width;
  world->clip_width = clip_width;
  world->rows = projection (seed, "scenes.world", ROWS, width);
  world->clip = projection (seed, "scenes.clip", OBJECT_ROWS, clip_width);
  return world;
}

void
scene_world_free (SceneWorld *world)
{
  if (world == NULL)
    return;
  g_free (world->rows);
  g_free (world->clip);
  g_free (world);
}

static void
add_row (float *to, const float *rows, gint64 row, float weight, gint64 width)
{
  for (gint64 i = 0; i < width; i++)
    to[i] += weight * rows[row * width + i];
}

static void
add_object (float *to, const float *rows, gint64 base, const SceneObject *object, float weight, gint64 width)
{
  add_row (to, rows, base + SHAPE_ROWS + object->shape, weight, width);
  add_row (to, rows, base + COLOUR_ROWS + object->colour, weight, width);
  add_row (to, rows, base + SIZE_ROWS + object->size, 0.7f * weight, width);
  add_row (to, rows, base + TEXTURE_ROWS + object->texture, weight, width);
  add_row (to, rows, base + PLACE_ROWS, weight * (2 * object->x - 1), width);
  add_row (to, rows, base + PLACE_ROWS + 1, weight * (2 * object->y - 1), width);
  add_row (to, rows, base + PLACE_ROWS + 2, weight * (10 * object->radius - 1), width);
}

/* A region that shows one object, perhaps not quite centred. */
static void
show_object (const SceneWorld *world, SceneDraws *draws, const Scene *scene, guint which, float *region)
{
  SceneObject object = scene->objects[which];
  object.x += 0.06f * (scene_uniform (draws) - 0.5f);
  object.y += 0.06f * (scene_uniform (draws) - 0.5f);
  add_object (region, world->rows, WHOLE, &object, 0.5f, world->width);
}

/* A region around two objects. */
static void
show_pair (const SceneWorld *world, SceneDraws *draws, const Scene *scene, float *region)
{
  guint a = scene_below (draws, scene->n), b = (a + 1 + scene_below (draws, scene->n - 1)) % scene->n;
  gboolean swapped;
  SceneRelation relation = scene_relation (&scene->objects[a], &scene->objects[b], &swapped);
  add_object (region, world->rows, FIRST, &scene->objects[swapped ? b : a], 0.35f, world->width);
  add_object (region, world->rows, SECOND, &scene->objects[swapped ? a : b], 0.35f, world->width);
  add_row (region, world->rows, RELATIONS + relation, 0.5f, world->width);
}

/* Background that looks a little like something: one or two attributes of no object in particular. */
static void
show_clutter (const SceneWorld *world, SceneDraws *draws, float *region)
{
  if (scene_chance (draws, 0.7f))
    add_row (region, world->rows, WHOLE + COLOUR_ROWS + scene_below (draws, N_COLOURS), 0.4f, world->width);
  if (scene_chance (draws, 0.5f))
    add_row (region, world->rows, WHOLE + SHAPE_ROWS + scene_below (draws, N_SHAPES), 0.3f, world->width);
  if (scene_chance (draws, 0.3f))
    add_row (region, world->rows, WHOLE + TEXTURE_ROWS + scene_below (draws, N_TEXTURES), 0.4f, world->width);
  add_row (region, world->rows, WHOLE + PLACE_ROWS, scene_uniform (draws) - 0.5f, world->width);
  add_row (region, world->rows, WHOLE + PLACE_ROWS + 1, scene_uniform (draws) - 0.5f, world->width);
}

/* Nearly normal noise, cheap because there is much of it: the sum of four bytes has the mean 510 and the standard deviation 147.80. */
static void
add_noise (float *to, WeftRandom random, double noise, gint64 n)
{
  float factor = (float) (noise / 147.80);
  for (gint64 i = 0; i < n; i++)
    {
      guint32 bits = weft_random_bits (random, (guint32) i);
      gint32 sum = (gint32) ((bits & 0xff) + (bits >> 8 & 0xff) + (bits >> 16 & 0xff) + (bits >> 24));
      to[i] += factor * (float) (sum - 510);
    }
}

gint64
scene_regions (const SceneWorld *world, guint64 seed, const char *split, guint64 index, const Scene *scene, double noise, gint64 most,
               float *regions)
{
  SceneDraws draws = scene_draws (seed, split, "regions", index);
  WeftRandom noises = weft_random_split (draws.random, 1);
  /* Detectors find different numbers of regions, between half and all of the bound. */
  gint64 n = most - scene_below (&draws, (guint) (most / 2) + 1), width = world->width;
  memset (regions, 0, (gsize) (n * width) * sizeof (float));
  /* Each object is seen once if there is room; of the others, a quarter are second looks, a third pairs, and the rest clutter. */
  g_autofree guint32 *places = g_new (guint32, n);
  weft_random_shuffle (weft_random_split (draws.random, 2), (guint32) n, places);
  for (gint64 i = 0; i < n; i++)
    {
      float *region = regions + places[i] * width;
      float kind = scene_uniform (&draws);
      if (i < (gint64) scene->n)
        show_object (world, &draws, scene, (guint) i, region);
      else if (kind < 0.25f)
        show_object (world, &draws, scene, scene_below (&draws, scene->n), region);
      else if (kind < 0.58f)
        show_pair (world, &draws, scene, region);
      else
        show_clutter (world, &draws, region);
    }
  add_noise (regions, noises, noise, n * width);
  return n;
}

void
scene_clip (const SceneWorld *world, guint64 seed, const char *split, guint64 index, const Scene *scene, double noise, float *clip)
{
  SceneDraws draws = scene_draws (seed, split, "clip", index);
  gint64 n = world->clip_width;
  g_autofree float *part = g_new (float, n);
  memset (clip, 0, (gsize) n * sizeof (float));
  /* The code of each object is bent before they are added, so that it tells which attributes go together. */
  for (guint i = 0; i < scene->n; i++)
    {
      memset (part, 0, (gsize) n * sizeof (float));
      add_object (part, world->clip, 0, &scene->objects[i], 0.7f, n);
      for (gint64 j = 0; j < n; j++)
        clip[j] += tanhf (part[j]);
    }
  add_noise (clip, weft_random_split (draws.random, 1), noise, n);
  double sum = 0;
  for (gint64 j = 0; j < n; j++)
    sum += (double) clip[j] * clip[j];
  for (gint64 j = 0; j < n; j++)
    clip[j] = (float) (clip[j] / MAX (sqrt (sum), 1e-12));
}
