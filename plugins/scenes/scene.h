/* Scenes of a few coloured shapes, made from a seed.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

#define SCENE_MOST_OBJECTS 6
#define SCENE_CAPTIONS 5

typedef enum
{
  SHAPE_CIRCLE,
  SHAPE_SQUARE,
  SHAPE_TRIANGLE,
  SHAPE_STAR,
  SHAPE_CROSS,
  SHAPE_RING,
  SHAPE_HEART,
  SHAPE_DIAMOND,
  N_SHAPES
} SceneShape;

typedef enum
{
  COLOUR_RED,
  COLOUR_BLUE,
  COLOUR_GREEN,
  COLOUR_YELLOW,
  COLOUR_PURPLE,
  COLOUR_ORANGE,
  COLOUR_PINK,
  COLOUR_BROWN,
  N_COLOURS
} SceneColour;

typedef enum
{
  SIZE_SMALL,
  SIZE_MEDIUM,
  SIZE_LARGE,
  N_SIZES
} SceneSize;

typedef enum
{
  TEXTURE_PLAIN,
  TEXTURE_STRIPED,
  TEXTURE_DOTTED,
  TEXTURE_CHECKED,
  N_TEXTURES
} SceneTexture;

/* How the first of two objects lies to the second. */
typedef enum
{
  RELATION_LEFT,
  RELATION_ABOVE,
  RELATION_INSIDE,
  N_RELATIONS
} SceneRelation;

/* @x, @y: centre, from the top left, in 0 … 1; @radius: half of its extent. */
typedef struct
{
  SceneShape shape;
  SceneColour colour;
  SceneSize size;
  SceneTexture texture;
  float x, y, radius;
} SceneObject;

typedef struct
{
  guint n;
  SceneObject objects[SCENE_MOST_OBJECTS];
} Scene;

/* A stream of draws with its position. */
typedef struct
{
  WeftRandom random;
  guint32 next;
} SceneDraws;

SceneDraws scene_draws (guint64 seed, const char *split, const char *what, guint64 index);
guint scene_below (SceneDraws *draws, guint n);
float scene_uniform (SceneDraws *draws);
gboolean scene_chance (SceneDraws *draws, float probability);

/**
 * scene_make:
 *
 * Scene @index of a split. Four consecutive scenes are alike but for one thing each: a colour, a place, or a shape or texture.
 */
void scene_make (guint64 seed, const char *split, guint64 index, Scene *scene);

/* The relation of two objects; @swapped says that it holds from @second to @first. */
SceneRelation scene_relation (const SceneObject *first, const SceneObject *second, gboolean *swapped);

/* Replaces @text by caption @which of the scene. */
void scene_caption (guint64 seed, const char *split, guint64 index, guint which, const Scene *scene, GString *text);

/* Bytes that no caption exceeds. */
#define SCENE_CAPTION_BYTES 256

/**
 * SceneWorld:
 *
 * The fixed random projections from what an object is to what its region looks like.
 */
typedef struct _SceneWorld SceneWorld;

SceneWorld *scene_world_new (guint64 seed, gint64 width, gint64 clip_width);
void scene_world_free (SceneWorld *world);

/* Writes the scene's regions, @most at the greatest. Returns: how many. */
gint64 scene_regions (const SceneWorld *world, guint64 seed, const char *split, guint64 index, const Scene *scene, double noise,
                      gint64 most, float *regions);
/* Writes the scene's global code, of unit norm. */
void scene_clip (const SceneWorld *world, guint64 seed, const char *split, guint64 index, const Scene *scene, double noise, float *clip);

/* Writes the scene with its captions as an SVG file. */
gboolean scene_draw (guint64 seed, const char *split, guint64 index, const char *path, GError **error);

G_END_DECLS
