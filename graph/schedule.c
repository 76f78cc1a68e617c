/* Numbers that change over steps or epochs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "schedule.h"

#include <math.h>
#include <string.h>

typedef enum
{
  BEND_NONE,
  BEND_LINEAR,
  BEND_COSINE,
} Bend;

typedef struct
{
  gboolean epochs; /* counts epochs rather than steps */
  guint64 at;
  double value;
} Point;

struct _WeftSchedule
{
  double start;
  gboolean rounded;
  GArray *changes; /* of Point: the value from then on */
  GArray *drops;   /* of Point: a factor from then on */
  Bend bend;
  Point end;
  gboolean has_warmup;
  Point warmup; /* at: its length; value: where it starts */
};

typedef struct
{
  const WeftAttribute *attribute;
  WeftProblems *problems;
  gboolean good;
} Reading;

static const char *const sections[] = { "start", "warmup", "drop", "change", "linear", "cosine", NULL };

static void complain (Reading *reading, const WeftValue *value, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
complain (Reading *reading, const WeftValue *value, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  weft_problems_add (reading->problems, weft_value_mark (value), "schedule of \"%s\": %s", reading->attribute->name, message);
  reading->good = FALSE;
}

/* A value that the attribute itself could have. */
static double
read_value (Reading *reading, const WeftValue *value)
{
  const WeftAttribute *attribute = reading->attribute;
  double number = 0;
  gboolean truth;

  if (attribute->kind == WEFT_ATTRIBUTE_BOOLEAN)
    {
      if (weft_value_get_boolean (value, &truth))
        return truth;
      complain (reading, value, "expected true or false");
      return 0;
    }
  if (attribute->kind == WEFT_ATTRIBUTE_INTEGER && !weft_value_get_integer (value, &(gint64){ 0 }))
    complain (reading, value, "expected an integer");
  else if (!weft_value_get_number (value, &number))
    complain (reading, value, "expected a number");
  else if (attribute->minimum != attribute->maximum && (number < attribute->minimum || number > attribute->maximum))
    complain (reading, value, "%g must lie between %g and %g", number, attribute->minimum, attribute->maximum);
  return number;
}

static gboolean
keys_are_known (Reading *reading, const WeftValue *map, const char *section, const char *const *keys)
{
  if (weft_value_kind (map) != WEFT_VALUE_MAP)
    {
      complain (reading, map, "`%s` must be a map", section);
      return FALSE;
    }
  for (guint i = 0; i < weft_value_length (map); i++)
    if (!g_strv_contains (keys, weft_value_key (map, i)))
      {
        g_autofree char *hint = weft_suggestion (weft_value_key (map, i), keys);
        weft_problems_add (reading->problems, weft_value_key_mark (map, i), "schedule of \"%s\": `%s` knows no \"%s\"%s",
                           reading->attribute->name, section, weft_value_key (map, i), hint);
        reading->good = FALSE;
      }
  return TRUE;
}

/* The entry that says when: under the name for epochs or the one for steps. */
static const WeftValue *
find_when (Reading *reading, const WeftValue *map, const char *section, const char *by_epoch, const char *by_step, gboolean *epochs)
{
  const WeftValue *epoch = weft_value_lookup (map, by_epoch), *step = weft_value_lookup (map, by_step);

  if (!epoch == !step)
    complain (reading, map, "`%s` needs either `%s:` or `%s:`", section, by_epoch, by_step);
  *epochs = epoch != NULL;
  return epoch ? epoch : step;
}

static gboolean
read_count (Reading *reading, const WeftValue *value, guint64 *count)
{
  gint64 number;

  if (!weft_value_get_integer (value, &number) || number < 0)
    {
      complain (reading, value, "expected a number of epochs or steps, from 0");
      return FALSE;
    }
  *count = (guint64) number;
  return TRUE;
}

/* `{epoch: N or [N, …], NAME: V or [V, …]}`: points in time with a value each; one value may serve all. */
static void
read_points (Reading *reading, const WeftValue *map, const char *section, const char *name, gboolean is_factor, GArray *points)
{
  const char *const keys[] = { "epoch", "step", name, NULL };
  const WeftValue *when, *what;
  gboolean epochs, several;
  guint n;

  if (!keys_are_known (reading, map, section, keys))
    return;
  when = find_when (reading, map, section, "epoch", "step", &epochs);
  what = weft_value_lookup (map, name);
  if (!what)
    complain (reading, map, "`%s` needs `%s:`", section, name);
  if (!when || !what)
    return;
  several = weft_value_kind (what) == WEFT_VALUE_LIST;
  n = weft_value_kind (when) == WEFT_VALUE_LIST ? weft_value_length (when) : 1;
  if (several && weft_value_length (what) != n)
    {
      complain (reading, what, "`%s` has %u times, but %u values", section, n, weft_value_length (what));
      return;
    }
  for (guint i = 0; i < n; i++)
    {
      Point point = { .epochs = epochs };
      const WeftValue *value = several ? weft_value_item (what, i) : what;
      if (!read_count (reading, weft_value_kind (when) == WEFT_VALUE_LIST ? weft_value_item (when, i) : when, &point.at))
        return;
      if (!is_factor)
        point.value = read_value (reading, value);
      else if (!weft_value_get_number (value, &point.value) || point.value < 0)
        complain (reading, value, "`%s` must be a factor from 0", name);
      if (points->len && g_array_index (points, Point, points->len - 1).at >= point.at)
        complain (reading, when, "times must ascend");
      g_array_append_val (points, point);
    }
}

static gboolean
read_span (Reading *reading, const WeftValue *map, const char *section, const char *name, gboolean needed, Point *point)
{
  const char *const keys[] = { "epochs", "steps", name, NULL };
  const WeftValue *length, *value;

  if (!keys_are_known (reading, map, section, keys))
    return FALSE;
  length = find_when (reading, map, section, "epochs", "steps", &point->epochs);
  value = weft_value_lookup (map, name);
  if (value)
    point->value = read_value (reading, value);
  else if (needed)
    complain (reading, map, "`%s` needs `%s:`", section, name);
  return length && read_count (reading, length, &point->at);
}

static void
read_sections (Reading *reading, const WeftValue *value, WeftSchedule *schedule)
{
  const WeftValue *part;

  if (!keys_are_known (reading, value, "schedule", sections))
    return;
  if ((part = weft_value_lookup (value, "start")))
    schedule->start = read_value (reading, part);
  else
    complain (reading, value, "`start:` is missing");
  if (reading->attribute->kind == WEFT_ATTRIBUTE_BOOLEAN)
    for (const char *const *name = (const char *const[]){ "warmup", "drop", "linear", "cosine", NULL }; *name; name++)
      if (weft_value_lookup (value, *name))
        complain (reading, weft_value_lookup (value, *name), "true and false can only `change`");
  if ((part = weft_value_lookup (value, "change")))
    read_points (reading, part, "change", "to", FALSE, schedule->changes);
  if ((part = weft_value_lookup (value, "drop")))
    read_points (reading, part, "drop", "by", TRUE, schedule->drops);
  if ((part = weft_value_lookup (value, "linear")) && read_span (reading, part, "linear", "to", TRUE, &schedule->end))
    schedule->bend = BEND_LINEAR;
  if ((part = weft_value_lookup (value, "cosine")))
    {
      if (schedule->bend != BEND_NONE)
        complain (reading, part, "`linear` and `cosine` exclude each other");
      else if (read_span (reading, part, "cosine", "to", TRUE, &schedule->end))
        schedule->bend = BEND_COSINE;
    }
  if ((part = weft_value_lookup (value, "warmup")))
    schedule->has_warmup = read_span (reading, part, "warmup", "from", FALSE, &schedule->warmup);
}

/* What single entries can't show. */
static void
check_together (Reading *reading, const WeftValue *value, const WeftSchedule *schedule)
{
  const WeftValue *warmup = weft_value_lookup (value, "warmup"), *change = weft_value_lookup (value, "change");
  const WeftValue *bend = weft_value_lookup (value, schedule->bend == BEND_LINEAR ? "linear" : "cosine");
  if (change && bend)
    complain (reading, change, "`change` and `%s` exclude each other", schedule->bend == BEND_LINEAR ? "linear" : "cosine");
  if (bend && schedule->end.at == 0)
    complain (reading, bend, "it takes at least 1 epoch or step to get there");
  if (!warmup)
    return;
  const WeftAttribute *attribute = reading->attribute;
  if (!weft_value_lookup (warmup, "from") && attribute->minimum != attribute->maximum && (attribute->minimum > 0 || attribute->maximum < 0))
    complain (reading, warmup, "it begins at 0 unless `from:` says otherwise, and must begin between %g and %g", attribute->minimum,
              attribute->maximum);
  if (schedule->warmup.at == 0 || (schedule->warmup.epochs && schedule->warmup.at == 1))
    complain (reading, warmup, "that is no warm-up: values stay for a whole epoch, so count it in steps");
  if (bend && schedule->warmup.epochs != schedule->end.epochs)
    complain (reading, warmup, "`warmup` and what follows must both count epochs or both count steps");
  else if (bend && schedule->warmup.at >= schedule->end.at)
    complain (reading, bend, "the end must come after that of the warm-up");
}

/* Drops multiply: the products have to be values that the attribute may have. */
static void
check_drops (Reading *reading, const WeftValue *value, const WeftSchedule *schedule)
{
  const WeftAttribute *attribute = reading->attribute;
  double factor = 1;
  for (guint i = 0; i < schedule->drops->len && attribute->minimum != attribute->maximum; i++)
    {
      factor *= g_array_index (schedule->drops, Point, i).value;
      double least = schedule->start * factor, most = least;
      for (guint k = 0; k < schedule->changes->len; k++)
        {
          least = MIN (least, g_array_index (schedule->changes, Point, k).value * factor);
          most = MAX (most, g_array_index (schedule->changes, Point, k).value * factor);
        }
      if (schedule->bend != BEND_NONE)
        {
          least = MIN (least, schedule->end.value * factor);
          most = MAX (most, schedule->end.value * factor);
        }
      if (least >= attribute->minimum && most <= attribute->maximum)
        continue;
      complain (reading, weft_value_lookup (value, "drop"), "it comes to %g, which must lie between %g and %g",
                least < attribute->minimum ? least : most, attribute->minimum, attribute->maximum);
      return;
    }
}

WeftSchedule *
weft_schedule_new (const WeftValue *value, const WeftAttribute *attribute, WeftProblems *problems)
{
  g_autoptr (WeftSchedule) schedule = g_new0 (WeftSchedule, 1);
  Reading reading = { attribute, problems, TRUE };

  schedule->changes = g_array_new (FALSE, FALSE, sizeof (Point));
  schedule->drops = g_array_new (FALSE, FALSE, sizeof (Point));
  schedule->rounded = attribute->kind == WEFT_ATTRIBUTE_INTEGER;
  read_sections (&reading, value, schedule);
  if (reading.good)
    {
      check_together (&reading, value, schedule);
      check_drops (&reading, value, schedule);
    }
  return reading.good ? g_steal_pointer (&schedule) : NULL;
}

void
weft_schedule_free (WeftSchedule *schedule)
{
  g_array_unref (schedule->changes);
  g_array_unref (schedule->drops);
  g_free (schedule);
}

gboolean
weft_schedule_check (const WeftValue *value, const WeftAttribute *attribute, WeftProblems *problems)
{
  g_autoptr (WeftSchedule) schedule = weft_schedule_new (value, attribute, problems);

  return schedule != NULL;
}

static gboolean
is_reached (const Point *point, guint64 step, guint64 epoch)
{
  return (point->epochs ? epoch : step) >= point->at;
}

double
weft_schedule_value (const WeftSchedule *schedule, guint64 step, guint64 epoch)
{
  double value = schedule->start;

  for (guint i = 0; i < schedule->changes->len; i++)
    if (is_reached (&g_array_index (schedule->changes, Point, i), step, epoch))
      value = g_array_index (schedule->changes, Point, i).value;
  if (schedule->bend != BEND_NONE)
    {
      guint64 before = schedule->has_warmup && schedule->warmup.epochs == schedule->end.epochs ? schedule->warmup.at : 0;
      guint64 now = schedule->end.epochs ? epoch : step;
      double length = (double) schedule->end.at - (double) before;
      double share = length > 0 ? CLAMP (((double) now - (double) before) / length, 0, 1) : 1;
      if (schedule->bend == BEND_COSINE)
        share = 0.5 - 0.5 * cos (G_PI * share);
      value += (schedule->end.value - value) * share;
    }
  for (guint i = 0; i < schedule->drops->len; i++)
    if (is_reached (&g_array_index (schedule->drops, Point, i), step, epoch))
      value *= g_array_index (schedule->drops, Point, i).value;
  if (schedule->has_warmup && !is_reached (&schedule->warmup, step, epoch))
    {
      double share = ((double) (schedule->warmup.epochs ? epoch : step) + 1) / (double) schedule->warmup.at;
      value = schedule->warmup.value + (value - schedule->warmup.value) * share;
    }
  return schedule->rounded ? rint (value) : value;
}
