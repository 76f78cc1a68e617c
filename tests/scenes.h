/* Generated scenes read back from their drawings, and what their captions mean: written from the language, apart from what made them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <math.h>

#include "rig.h"

#define CAPTIONS 5
#define MOST_OBJECTS 6
#define SIDE 400.0
#define SLACK 1e-3 /* drawings are written to a hundredth of a pixel */

/* The language. Numbers of colours are those of their patterns in drawings. */

static const char *const colours[][2] = { { "red", "crimson" },   { "blue", "navy" }, { "green", NULL },  { "yellow", "golden" },
                                          { "purple", "violet" }, { "orange", NULL }, { "pink", "rose" }, { "brown", NULL } };
static const char *const textures[][2] = { { "plain", NULL }, { "striped", NULL }, { "dotted", "spotted" }, { "checked", "checkered" } };
static const char *const texture_names[] = { "plain", "striped", "dotted", "checked" };
static const struct
{
  const char *words;
  int texture;
} after[] = { { "without any pattern", 0 }, { "with stripes", 1 }, { "covered in stripes", 1 },
              { "with dots", 2 },           { "with spots", 2 },   { "with a checked pattern", 3 } };
static const struct
{
  const char *word;
  int size;
} sizes[] = { { "small", 0 }, { "little", 0 }, { "tiny", 0 }, { "medium-sized", 1 }, { "large", 2 }, { "big", 2 }, { "huge", 2 } };

typedef enum
{
  CIRCLE,
  SQUARE,
  TRIANGLE,
  STAR,
  CROSS,
  RING,
  HEART,
  DIAMOND
} Shape;

static const struct
{
  const char *noun;
  Shape shape;
} nouns[] = { { "circle", CIRCLE }, { "disc", CIRCLE },  { "ball", CIRCLE },       { "square", SQUARE },
              { "box", SQUARE },    { "block", SQUARE }, { "triangle", TRIANGLE }, { "wedge", TRIANGLE },
              { "star", STAR },     { "cross", CROSS },  { "plus sign", CROSS },   { "ring", RING },
              { "hoop", RING },     { "heart", HEART },  { "diamond", DIAMOND },   { "rhombus", DIAMOND } };

typedef enum
{
  NOTHING,
  LEFT_OF,
  ABOVE,
  INSIDE
} Relation;

/* # is an object; @swapped: the second one is left of, above or inside the first. */
static const struct
{
  const char *words;
  Relation relation;
  gboolean swapped;
} relations[] = {
  { "# is to the left of #", LEFT_OF, FALSE },
  { "# is to the right of #", LEFT_OF, TRUE },
  { "to the left of # there is #", LEFT_OF, TRUE },
  { "# stands left of #", LEFT_OF, FALSE },
  { "# has # on its left", LEFT_OF, TRUE },
  { "on the right of # is #", LEFT_OF, FALSE },
  { "# is above #", ABOVE, FALSE },
  { "# is below #", ABOVE, TRUE },
  { "# hangs over #", ABOVE, FALSE },
  { "# lies beneath #", ABOVE, TRUE },
  { "under # there is #", ABOVE, FALSE },
  { "# has been placed below #", ABOVE, TRUE },
  { "# is inside #", INSIDE, FALSE },
  { "# surrounds #", INSIDE, TRUE },
  { "# is surrounded by #", INSIDE, FALSE },
  { "# contains #", INSIDE, TRUE },
  { "within # there is #", INSIDE, TRUE },
  { "# is enclosed by #", INSIDE, FALSE },
};

/* Column and row of nine fields. */
static const struct
{
  const char *words;
  int column, row;
} places[] = {
  { "in the upper left corner", 0, 0 },
  { "at the top left", 0, 0 },
  { "in the upper right corner", 2, 0 },
  { "at the top right", 2, 0 },
  { "in the lower left corner", 0, 2 },
  { "at the bottom left", 0, 2 },
  { "in the lower right corner", 2, 2 },
  { "at the bottom right", 2, 2 },
  { "at the top", 1, 0 },
  { "near the upper edge", 1, 0 },
  { "at the bottom", 1, 2 },
  { "near the lower edge", 1, 2 },
  { "on the left", 0, 1 },
  { "near the left edge", 0, 1 },
  { "on the right", 2, 1 },
  { "near the right edge", 2, 1 },
  { "in the middle", 1, 1 },
  { "in the centre", 1, 1 },
};

typedef struct
{
  Shape shape;
  int colour, texture, size;
  double x, y, radius; /* of 0 … 1 */
} Object;

/* -1: not mentioned. */
typedef struct
{
  Shape shape;
  int colour, texture, size;
} Mention;

typedef struct
{
  guint n;
  Mention mentions[3];
  Relation relation;
  gboolean swapped;
  int column, row; /* of the first mention, -1 if not told */
} Meaning;

typedef struct
{
  guint n;
  Object objects[MOST_OBJECTS];
  guint n_captions;
  char *captions[CAPTIONS];
  Meaning meanings[CAPTIONS];
  gboolean in_text, in_definitions;
} Scene;

/* Drawings. */

static inline const char *
attribute (const char **names, const char **values, const char *name)
{
  for (guint i = 0; names[i] != NULL; i++)
    if (strcmp (names[i], name) == 0)
      return values[i];
  return "";
}

/* Numbers of an attribute, whatever stands between them. */
static inline guint
numbers (const char *text, double *room, guint most)
{
  guint n = 0;
  while (*text != '\0' && n < most)
    if (g_ascii_isdigit (*text) || *text == '-')
      {
        char *end;
        room[n++] = g_ascii_strtod (text, &end);
        text = end;
      }
    else
      text++;
  return n;
}

static inline void
read_polygon (Object *object, const char *points)
{
  double p[24] = { 0 };
  guint n = numbers (points, p, 24) / 2;
  double left = p[0], right = p[0], top = p[1], bottom = p[1];
  for (guint i = 1; i < n; i++)
    {
      left = MIN (left, p[2 * i]);
      right = MAX (right, p[2 * i]);
      top = MIN (top, p[2 * i + 1]);
      bottom = MAX (bottom, p[2 * i + 1]);
    }
  object->x = (left + right) / 2;
  object->y = (top + bottom) / 2;
  object->shape = n == 3 ? TRIANGLE : n == 10 ? STAR : n == 12 ? CROSS : fabs (p[0] - object->x) < 0.1 ? DIAMOND : SQUARE;
  ck_assert (n == 3 || n == 4 || n == 10 || n == 12);
  double width = right - left;
  object->radius = object->shape == DIAMOND  ? (bottom - top) / 2
                   : object->shape == SQUARE ? width / 1.7
                   : object->shape == CROSS  ? width / 1.8
                   : object->shape == STAR   ? width / (2 * cos (G_PI / 10))
                                             : width / 1.9;
  if (object->shape == TRIANGLE)
    object->y = top + 0.9 * object->radius;
  else if (object->shape == STAR)
    object->y = top + object->radius;
}

static inline void
read_heart (Object *object, const char *path)
{
  double p[4];
  ck_assert_uint_eq (numbers (path, p, 4), 4);
  object->shape = HEART;
  object->radius = (p[0] - p[2]) / 1.7;
  object->x = p[0];
  object->y = p[1] - 0.95 * object->radius;
}

/* "#d62828" or "url(#striped0)". */
static inline void
read_paint (Object *object, const char *paint)
{
  static const char *const paints[] = { "#d62828", "#2456c4", "#2a9d3a", "#f2c715", "#7b3fb3", "#f28a1c", "#f48fb8", "#7a4b26" };
  object->colour = -1;
  for (guint i = 0; i < G_N_ELEMENTS (paints); i++)
    for (guint t = 0; t < G_N_ELEMENTS (texture_names); t++)
      {
        g_autofree char *pattern = g_strdup_printf ("url(#%s%u)", texture_names[t], i);
        if (strcmp (paint, t == 0 ? paints[i] : pattern) == 0)
          {
            object->colour = (int) i;
            object->texture = (int) t;
          }
      }
  ck_assert_msg (object->colour >= 0, "%s", paint);
}

static inline void
begin_element (G_GNUC_UNUSED GMarkupParseContext *context, const char *name, const char **names, const char **values, gpointer data,
               G_GNUC_UNUSED GError **error)
{
  Scene *scene = data;
  gboolean polygon = strcmp (name, "polygon") == 0, circle = strcmp (name, "circle") == 0, path = strcmp (name, "path") == 0;
  scene->in_text = strcmp (name, "text") == 0;
  scene->in_definitions |= strcmp (name, "defs") == 0;
  if (scene->in_definitions || !(polygon || circle || path))
    return;
  ck_assert_uint_lt (scene->n, MOST_OBJECTS);
  Object *object = &scene->objects[scene->n++];
  const char *fill = attribute (names, values, "fill");
  gboolean ring = strcmp (fill, "none") == 0;
  read_paint (object, ring ? attribute (names, values, "stroke") : fill);
  if (polygon)
    read_polygon (object, attribute (names, values, "points"));
  else if (path)
    read_heart (object, attribute (names, values, "d"));
  else
    {
      object->shape = ring ? RING : CIRCLE;
      object->x = g_ascii_strtod (attribute (names, values, "cx"), NULL);
      object->y = g_ascii_strtod (attribute (names, values, "cy"), NULL);
      object->radius = g_ascii_strtod (attribute (names, values, "r"), NULL) / (ring ? 0.8 : 0.95);
    }
  object->x /= SIDE;
  object->y /= SIDE;
  object->radius /= SIDE;
  object->size = object->radius < 0.065 ? 0 : object->radius < 0.1 ? 1 : 2;
}

static inline void
end_element (G_GNUC_UNUSED GMarkupParseContext *context, const char *name, gpointer data, G_GNUC_UNUSED GError **error)
{
  Scene *scene = data;
  scene->in_text = FALSE;
  if (strcmp (name, "defs") == 0)
    scene->in_definitions = FALSE;
}

static inline void
read_text (G_GNUC_UNUSED GMarkupParseContext *context, const char *text, gsize length, gpointer data, G_GNUC_UNUSED GError **error)
{
  Scene *scene = data;
  if (!scene->in_text)
    return;
  ck_assert_uint_lt (scene->n_captions, CAPTIONS);
  scene->captions[scene->n_captions++] = g_strndup (text, length);
}

/* Captions. */

/* How much of @text is @words, which end where a word ends. */
static inline gsize
begins_with (const char *text, const char *words)
{
  gsize length = strlen (words);
  return g_str_has_prefix (text, words) && (text[length] == ' ' || text[length] == '\0') ? length : 0;
}

static inline gboolean
read_word (const char **text, const char *word)
{
  gsize length = word != NULL ? begins_with (*text, word) : 0;
  if (length > 0)
    *text += length + ((*text)[length] == ' ');
  return length > 0;
}

/* Reads "a large striped red ball with dots"; FALSE, and nothing read, if there is no such thing. */
static inline gboolean
read_mention (const char **text, Mention *mention)
{
  const char *rest = *text;
  gboolean found = FALSE;
  *mention = (Mention){ .colour = -1, .texture = -1, .size = -1 };
  if (!read_word (&rest, "a") && !read_word (&rest, "an") && !read_word (&rest, "the"))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (sizes) && mention->size < 0; i++)
    if (read_word (&rest, sizes[i].word))
      mention->size = sizes[i].size;
  for (int i = 0; i < 8; i++)
    if (mention->texture < 0 && i / 2 < 4 && read_word (&rest, textures[i / 2][i % 2]))
      mention->texture = i / 2;
  for (int i = 0; i < 16; i++)
    if (mention->colour < 0 && read_word (&rest, colours[i / 2][i % 2]))
      mention->colour = i / 2;
  for (guint i = 0; i < G_N_ELEMENTS (nouns) && !found; i++)
    if (read_word (&rest, nouns[i].noun))
      {
        mention->shape = nouns[i].shape;
        found = TRUE;
      }
  for (guint i = 0; i < G_N_ELEMENTS (after) && found && mention->texture < 0; i++)
    if (read_word (&rest, after[i].words))
      mention->texture = after[i].texture;
  if (found)
    *text = rest;
  return found;
}

static inline void
understand (const char *caption, Meaning *meaning)
{
  g_autofree char *lower = g_ascii_strdown (caption, -1);
  g_autoptr (GString) pattern = g_string_new (NULL);
  const char *rest = lower;
  *meaning = (Meaning){ .column = -1, .row = -1 };
  ck_assert_msg (g_str_has_suffix (lower, " ."), "%s", caption);
  lower[strlen (lower) - 2] = '\0';
  while (*rest != '\0')
    {
      Mention mention;
      if (read_mention (&rest, &mention))
        {
          ck_assert_msg (meaning->n < 3, "%s", caption);
          meaning->mentions[meaning->n++] = mention;
          g_string_append (pattern, "# ");
          continue;
        }
      gsize length = strcspn (rest, " ");
      g_string_append_len (pattern, rest, (gssize) length);
      g_string_append_c (pattern, ' ');
      rest += length + (rest[length] == ' ');
    }
  ck_assert_msg (meaning->n > 0, "%s: nothing is mentioned", caption);
  for (guint i = 0; i < G_N_ELEMENTS (relations); i++)
    if (begins_with (pattern->str, relations[i].words) > 0)
      {
        meaning->relation = relations[i].relation;
        meaning->swapped = relations[i].swapped;
      }
  for (guint i = 0; i < G_N_ELEMENTS (places) && meaning->relation == NOTHING && meaning->row < 0; i++)
    if (strstr (pattern->str, places[i].words) != NULL)
      {
        meaning->column = places[i].column;
        meaning->row = places[i].row;
      }
}
