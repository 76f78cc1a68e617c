/* Scenes as SVG pictures.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "scene.h"

/* Side of the picture, and width and line height of the text below it, in pixels. */
#define SIDE 400
#define WIDTH 960
#define LINE 18

static const char *const paints[N_COLOURS] = { "#d62828", "#2456c4", "#2a9d3a", "#f2c715", "#7b3fb3", "#f28a1c", "#f48fb8", "#7a4b26" };

/* Numbers in the C locale, whatever the user's. */
static void
append_number (GString *svg, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append (svg, g_ascii_formatd (text, sizeof text, "%.2f", value));
}

static void
append_polygon (GString *svg, const SceneObject *object, guint n, const float (*points)[2])
{
  g_string_append (svg, "<polygon points=\"");
  for (guint i = 0; i < n; i++)
    {
      append_number (svg, SIDE * (object->x + object->radius * points[i][0]));
      g_string_append_c (svg, ',');
      append_number (svg, SIDE * (object->y + object->radius * points[i][1]));
      g_string_append_c (svg, ' ');
    }
  g_string_append (svg, "\"");
}

static void
append_star (GString *svg, const SceneObject *object)
{
  float points[10][2];
  for (guint i = 0; i < 10; i++)
    {
      double angle = G_PI * (i / 5.0 - 0.5), reach = i % 2 == 0 ? 1 : 0.42;
      points[i][0] = (float) (reach * cos (angle));
      points[i][1] = (float) (reach * sin (angle));
    }
  append_polygon (svg, object, 10, points);
}

static void
append_circle (GString *svg, const SceneObject *object, float reach)
{
  g_string_append (svg, "<circle cx=\"");
  append_number (svg, SIDE * object->x);
  g_string_append (svg, "\" cy=\"");
  append_number (svg, SIDE * object->y);
  g_string_append (svg, "\" r=\"");
  append_number (svg, SIDE * object->radius * reach);
  g_string_append_c (svg, '"');
}

/* A heart of two curves. */
static void
append_heart (GString *svg, const SceneObject *object)
{
  static const struct
  {
    const char *command;
    float x, y;
  } path[] = { { "M", 0, 0.95f },    { "C", -1.7f, -0.2f }, { "", -0.8f, -1.3f }, { "", 0, -0.5f },
               { "C", 0.8f, -1.3f }, { "", 1.7f, -0.2f },   { "", 0, 0.95f } };
  g_string_append (svg, "<path d=\"");
  for (guint i = 0; i < G_N_ELEMENTS (path); i++)
    {
      g_string_append (svg, path[i].command);
      append_number (svg, SIDE * (object->x + object->radius * path[i].x));
      g_string_append_c (svg, ',');
      append_number (svg, SIDE * (object->y + object->radius * path[i].y));
      g_string_append_c (svg, ' ');
    }
  g_string_append (svg, "Z\"");
}

static void
append_outline (GString *svg, const SceneObject *object)
{
  static const float square[][2] = { { -0.85f, -0.85f }, { 0.85f, -0.85f }, { 0.85f, 0.85f }, { -0.85f, 0.85f } };
  static const float triangle[][2] = { { 0, -0.9f }, { 0.95f, 0.8f }, { -0.95f, 0.8f } };
  static const float diamond[][2] = { { 0, -1 }, { 0.75f, 0 }, { 0, 1 }, { -0.75f, 0 } };
  static const float cross[][2] = {
    { -0.3f, -0.9f }, { 0.3f, -0.9f }, { 0.3f, -0.3f }, { 0.9f, -0.3f }, { 0.9f, 0.3f },   { 0.3f, 0.3f },
    { 0.3f, 0.9f },   { -0.3f, 0.9f }, { -0.3f, 0.3f }, { -0.9f, 0.3f }, { -0.9f, -0.3f }, { -0.3f, -0.3f }
  };
  switch (object->shape)
    {
    case SHAPE_SQUARE:
      append_polygon (svg, object, G_N_ELEMENTS (square), square);
      break;
    case SHAPE_TRIANGLE:
      append_polygon (svg, object, G_N_ELEMENTS (triangle), triangle);
      break;
    case SHAPE_DIAMOND:
      append_polygon (svg, object, G_N_ELEMENTS (diamond), diamond);
      break;
    case SHAPE_CROSS:
      append_polygon (svg, object, G_N_ELEMENTS (cross), cross);
      break;
    case SHAPE_STAR:
      append_star (svg, object);
      break;
    case SHAPE_HEART:
      append_heart (svg, object);
      break;
    default:
      append_circle (svg, object, object->shape == SHAPE_RING ? 0.8f : 0.95f);
      break;
    }
}

/* A ring is the line of its circle, everything else is filled. */
static void
append_object (GString *svg, const SceneObject *object)
{
  static const char *const textures[N_TEXTURES] = { NULL, "striped", "dotted", "checked" };
  g_autofree char *pattern = object->texture == TEXTURE_PLAIN ? g_strdup (paints[object->colour])
                                                              : g_strdup_printf ("url(#%s%d)", textures[object->texture], object->colour);
  append_outline (svg, object);
  if (object->shape == SHAPE_RING)
    {
      g_string_append_printf (svg, " fill=\"none\" stroke=\"%s\" stroke-width=\"", pattern);
      append_number (svg, SIDE * object->radius * 0.36);
      g_string_append (svg, "\"/>\n");
    }
  else
    g_string_append_printf (svg, " fill=\"%s\" stroke=\"#333\"/>\n", pattern);
}

static void
append_patterns (GString *svg)
{
  g_string_append (svg, "<defs>\n");
  for (guint i = 0; i < N_COLOURS; i++)
    {
      g_string_append_printf (svg,
                              "<pattern id=\"striped%u\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
                              "<rect width=\"8\" height=\"8\" fill=\"%s\"/><rect width=\"8\" height=\"3\" fill=\"#fff\"/></pattern>\n",
                              i, paints[i]);
      g_string_append_printf (
          svg,
          "<pattern id=\"dotted%u\" width=\"9\" height=\"9\" patternUnits=\"userSpaceOnUse\">"
          "<rect width=\"9\" height=\"9\" fill=\"%s\"/><circle cx=\"4.5\" cy=\"4.5\" r=\"2\" fill=\"#fff\"/></pattern>\n",
          i, paints[i]);
      g_string_append_printf (svg,
                              "<pattern id=\"checked%u\" width=\"12\" height=\"12\" patternUnits=\"userSpaceOnUse\">"
                              "<rect width=\"12\" height=\"12\" fill=\"%s\"/><rect width=\"6\" height=\"6\" fill=\"#fff\"/>"
                              "<rect x=\"6\" y=\"6\" width=\"6\" height=\"6\" fill=\"#fff\"/></pattern>\n",
                              i, paints[i]);
    }
  g_string_append (svg, "</defs>\n");
}

/* What contains another is drawn first, so that it does not cover it. */
static int
compare_radii (gconstpointer a, gconstpointer b, G_GNUC_UNUSED gpointer data)
{
  float first = ((const SceneObject *) a)->radius, second = ((const SceneObject *) b)->radius;
  return (first < second) - (first > second);
}

gboolean
scene_draw (guint64 seed, const char *split, guint64 index, const char *path, GError **error)
{
  Scene scene;
  scene_make (seed, split, index, &scene);
  g_autoptr (GString) svg = g_string_new ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), caption = g_string_new (NULL);
  guint height = SIDE + LINE * (SCENE_CAPTIONS + 1);
  g_string_append_printf (svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\">\n", WIDTH,
                          height, WIDTH, height);
  g_string_append_printf (svg, "<title>%s %" G_GUINT64_FORMAT "</title>\n", split, index);
  append_patterns (svg);
  g_string_append_printf (svg, "<rect width=\"%u\" height=\"%u\" fill=\"#fff\"/>\n<g transform=\"translate(%u,0)\">\n", WIDTH, height,
                          (WIDTH - SIDE) / 2);
  g_string_append_printf (svg, "<rect width=\"%u\" height=\"%u\" fill=\"#eee9df\"/>\n", SIDE, SIDE);
  Scene drawn = scene;
  g_qsort_with_data (drawn.objects, (gint) drawn.n, sizeof (SceneObject), compare_radii, NULL);
  for (guint i = 0; i < drawn.n; i++)
    append_object (svg, &drawn.objects[i]);
  g_string_append (svg, "</g>\n");
  for (guint i = 0; i < SCENE_CAPTIONS; i++)
    {
      scene_caption (seed, split, index, i, &scene, caption);
      g_string_append_printf (svg, "<text x=\"12\" y=\"%u\" font-family=\"sans-serif\" font-size=\"13\">%s</text>\n", SIDE + LINE * (i + 1),
                              caption->str);
    }
  g_string_append (svg, "</svg>\n");
  return g_file_set_contents (path, svg->str, (gssize) svg->len, error);
}
